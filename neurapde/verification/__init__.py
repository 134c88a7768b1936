"""Whether an answer is earned: residuals at fresh points, the error that they make, what is not determined."""
