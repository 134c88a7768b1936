"""Functions that solve an equation with constant coefficients, in closed form: one file for each equation."""
