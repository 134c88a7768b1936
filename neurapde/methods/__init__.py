"""Methods that `solve` may use: one file for each name that a user types."""
