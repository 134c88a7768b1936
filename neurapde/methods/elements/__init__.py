"""Boundary value problems on an interval, at rest: the equations on elements, and the method that cuts these."""
