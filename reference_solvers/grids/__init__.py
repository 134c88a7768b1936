"""Nodes of a box, rough fields and scattered points on them, and differences between them."""
