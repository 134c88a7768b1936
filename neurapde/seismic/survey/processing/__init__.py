"""What is done to a survey before its inversion: steps, each recorded in the survey that comes out."""
