"""Processing of a survey before its inversion: steps, each recorded in the resulting survey."""
