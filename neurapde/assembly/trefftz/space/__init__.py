"""Trefftz' method in three axes: balls in a box, in a ball, or in open space, by spherical functions about centres."""
