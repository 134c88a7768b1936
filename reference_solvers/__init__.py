"""Solvers on grids, arrays in and arrays out, with NumPy and SciPy alone: what the neural solutions are held against."""
