"""Eigenvalue problems: the lowest eigenvalues and their fields, by least squares for the head of sines."""
