"""Inversion methods, one file each, and their common parts."""
