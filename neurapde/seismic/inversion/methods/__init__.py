"""One file for each way to invert, and what they share."""
