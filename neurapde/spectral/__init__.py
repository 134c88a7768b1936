"""Sines along axes, in NumPy alone: quadrature, modes, operators, propagation, the weak form."""
