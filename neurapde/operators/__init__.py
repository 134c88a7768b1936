"""Operators that use a field at many points: integrals with a kernel and fractional derivatives, by quadrature."""
