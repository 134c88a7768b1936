"""The sides of a declaration for the grid solvers: which they take, and one of them as finite volumes know it."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from neurapde.conditions import Treated
from neurapde.conditions.base import Mixed
from neurapde.core.errors import DeclarationError
from neurapde.problem.problem import Problem
from neurapde.reference_solvers.grids import sides as grid_sides
from neurapde.reference_solvers.grids.grid import Grid

Values = NDArray[np.float64]
Function = Callable[[Values], Values]


def check_sides(problem: Problem, treated: Treated, give: str = "a condition") -> None:
    """Refuse conditions that a grid solver does not know, and a face of which nothing is said (DeclarationError)."""
    if reason := problem.sides.unknown(treated):
        raise DeclarationError(reason)
    if silent := problem.sides.silent:
        raise DeclarationError(f"{problem.name!r} has no condition on {', '.join(silent)}; give {give} there")


def face_nodes(grid: Grid, number: int) -> tuple[tuple[slice | int, ...], Values]:
    """Where the nodes of a face are in a grid, and their points `(…, d)`; the lower face of the first axis is number 0."""
    axis, end = divmod(number, 2)
    where: tuple[slice | int, ...] = (*[slice(None)] * axis, -end)
    return where, grid.points.reshape(*grid.shape, grid.dimension)[where]


def volume_side(
    given: Mixed | None,
    coefficient: Function,
    at_nodes: Callable[[Function], Values],
    mean: Callable[[Function], Values],
) -> grid_sides.Side:
    """One face's condition; fluxes are coefficient · ∂u/∂n, as `mean` takes them of a face, values as `at_nodes` does."""
    if given is None:
        return grid_sides.Periodic()
    if given.fixes:
        return grid_sides.Dirichlet(at_nodes(given.value))
    flux = mean(lambda x: coefficient(x) * given.value(x) / given.b(x))
    if given.slopes:
        return grid_sides.Neumann(flux)
    return grid_sides.Robin(mean(lambda x: coefficient(x) * given.a(x) / given.b(x)), flux)
