"""The velocity from a survey: what is unknown, what is lowered, and the run."""
