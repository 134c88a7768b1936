"""Verification of a solution: residuals at fresh points, the error that they cause, and undetermined problems."""
