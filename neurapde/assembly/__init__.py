"""Weak forms solved on sines: quadrature that respects interfaces, the lattice of sines, operators and their inverses."""
