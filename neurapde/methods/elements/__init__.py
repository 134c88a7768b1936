"""Steady boundary value problems on an interval: the equations on elements, and the method that refines these."""
