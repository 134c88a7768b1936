"""The result: a field that can be asked, saved and loaded."""
