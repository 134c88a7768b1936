"""Encoders: from observations of a field to its code."""
