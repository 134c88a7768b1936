"""Nodes of a box, how rough fields and scattered points meet them, and differences between them."""
