"""Operators that read a field beyond a point: integrals with a kernel and fractional derivatives, by quadrature."""
