"""Solvers on grids, arrays in and arrays out, with NumPy and SciPy alone, as references for the neural solutions."""
