"""Discrete operators as matrices, their weights and layers, and how systems of them are solved."""
