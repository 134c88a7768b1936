"""Declared inversions, with their surveys."""
