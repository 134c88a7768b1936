"""Comparison of inversions with the truth and other methods, and tests of their gradients."""
