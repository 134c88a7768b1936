"""Files of other programs that hold surveys: one file each, listed in `files.FORMATS`."""
