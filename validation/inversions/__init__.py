"""Inversions held against what is known, and whether their own mathematics can be believed."""
