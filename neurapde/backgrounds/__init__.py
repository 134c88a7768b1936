"""Fields known in closed form, to stand behind a trial function."""
