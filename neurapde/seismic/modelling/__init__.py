"""Waves of a survey in a given medium, and the gradient by the medium."""
