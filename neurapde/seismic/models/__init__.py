"""Velocity models in files of other programs: one file for each format, listed in `model_files`."""
