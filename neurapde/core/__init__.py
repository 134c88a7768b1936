"""What every room stands on: arrays of either kind, checks, errors, formatting, progress."""
