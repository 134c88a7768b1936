"""The command line: what `neurapde` and `python -m neurapde` carry out."""
