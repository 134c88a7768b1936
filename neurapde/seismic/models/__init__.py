"""Velocity models in files of other programs: a file a format, listed in `model_files`."""
