"""Discrete operators as matrices, their weights and layers, and solvers of their systems."""
