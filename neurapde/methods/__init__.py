"""Methods that `solve` may use: one file for each public name."""
