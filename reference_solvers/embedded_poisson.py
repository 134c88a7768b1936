"""-div(a grad u) + c u = f in a domain of any shape cut out of a box, with u given on its boundary.

The domain is the negative side of a level function on the nodes. Inside, the flux form on the grid; next to
the boundary the arms of the stencil end where the level function, linear between nodes, vanishes (Shortley,
Weller 1938, J. Appl. Phys. 9, 334-348). `ORDER` in the maximum norm for smooth u; a domain whose sides are grid lines
is exact, and with a re-entrant corner of angle w the order is at best 2 pi / w (4/3 on the L-shape). `cut_poisson`
takes other conditions than values.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import linalg

from neurapde.reference_solvers.grids.grid import Grid, ResolutionError
from neurapde.reference_solvers.operators.systems import solve_by_steps
from neurapde.reference_solvers.poisson import Coefficient, half_points

ORDER = 2.0

Array = NDArray[np.float64]
BoundaryValues = float | Array | Callable[[Array], Array]


def solve_embedded_poisson(
    grid: Grid,
    level: Array,
    source: float | Array,
    *,
    boundary: BoundaryValues = 0.0,
    coefficient: Coefficient = 1.0,
    reaction: float | Array = 0.0,
) -> Array:
    """Solve -div(a grad u) + c u = f where `level` < 0, with u = `boundary` where `level` = 0.

    Args:
        grid: nodes of a box that holds the domain, in 1 to 3 dimensions.
        level: `grid.shape`, a signed distance or any smooth function that is negative inside only; nodes
            where it is zero to round-off lie on the boundary.
        source: f, a number or `grid.shape`; used inside only.
        boundary: a number; or a function of points `(n, d)` on the boundary; or `grid.shape`, values of a smooth
            continuation, interpolated between the nodes on both sides of the boundary.
        coefficient: a, see `poisson.half_points`; positive on the whole box, smooth across the boundary.
        reaction: c, a number or `grid.shape`.

    Returns: u, `grid.shape`, not a number outside the domain.
    Raises: ValueError for wrong shapes or a domain that leaves the grid; ResolutionError if no node is
        inside.
    """
    level = checked_level(grid, level)
    inside = level < 0
    stencil = _Stencil(grid, level, inside, half_points(coefficient, grid), boundary)
    diagonal, right = (
        np.broadcast_to(np.asarray(values, dtype=float), grid.shape)[inside].copy()
        for values in (shaped(grid, reaction, "reaction"), shaped(grid, source, "source"))
    )
    for axis in range(grid.dimension):
        stencil.add(axis, diagonal, right)
    u = np.full(grid.shape, np.nan)
    u[inside] = _solve(stencil.matrix(diagonal), right, grid.dimension)
    on_boundary = level == 0
    u[on_boundary] = stencil.boundary_values(on_boundary.ravel().nonzero()[0])
    return u


def shaped(grid: Grid, values: float | Array, what: str) -> float | Array:
    """A number or `grid.shape`; ValueError for another shape."""
    if np.shape(values) not in ((), tuple(grid.shape)):
        raise ValueError(f"the {what} has shape {np.shape(values)}; give a number or {tuple(grid.shape)}.")
    return values


def checked_level(grid: Grid, level: Array) -> Array:
    """The level, with 0 where it is zero to round-off.

    Raises: ValueError for another shape or a domain that leaves the grid, ResolutionError if no node is inside.
    """
    level = np.array(level, dtype=float)
    if level.shape != tuple(grid.shape) or not np.isfinite(level).all():
        raise ValueError(
            f"the level function must be finite with shape {tuple(grid.shape)}; got shape {level.shape}."
        )
    size = np.ptp(level)
    level[abs(level) <= 1e-9 * size / max(grid.shape)] = 0.0
    edge = np.ones(grid.shape, dtype=bool)
    edge[(slice(1, -1),) * grid.dimension] = False
    if (level[edge] < 0).any():
        raise ValueError(
            f"the domain extends beyond the grid from {grid.lower} to {grid.upper}; enlarge the grid."
        )
    if not (level < 0).any():
        raise ResolutionError(
            f"no node of the grid {tuple(grid.shape)} lies inside the domain; refine the grid."
        )
    return level


class _Stencil:
    """Collects the couplings of the inner nodes, axis by axis."""

    def __init__(
        self,
        grid: Grid,
        level: Array,
        inside: NDArray[np.bool_],
        halves: tuple[Array, ...],
        boundary: BoundaryValues,
    ) -> None:
        self.grid, self.level, self.halves, self.boundary = grid, level.ravel(), halves, boundary
        self.nodes = inside.ravel().nonzero()[0]
        self.number = np.full(grid.size, -1)
        self.number[self.nodes] = np.arange(len(self.nodes))
        self.strides = [int(np.prod(grid.shape[k + 1 :])) for k in range(grid.dimension)]
        self.index = np.unravel_index(self.nodes, tuple(grid.shape))
        self.entries: list[tuple[NDArray[np.int64], NDArray[np.int64], Array]] = []

    def add(self, axis: int, diagonal: Array, right: Array) -> None:
        """Add the second difference along `axis` to the couplings, to `diagonal` and to `right`."""
        h, arms, fluxes = self.grid.spacing[axis], [], []
        for step in (-1, 1):
            neighbours = self.nodes + step * self.strides[axis]
            outside = self.number[neighbours] < 0
            here, there = self.level[self.nodes], np.maximum(self.level[neighbours], 0.0)
            fraction = np.where(outside, np.maximum(here / (here - there), 1e-9), 1.0)
            half = list(self.index)
            half[axis] = half[axis] - (step < 0)
            arms.append(fraction * h)
            fluxes.append(self.halves[axis][tuple(half)] / arms[-1])
        for step, flux in zip((-1, 1), fluxes, strict=True):
            neighbours = self.nodes + step * self.strides[axis]
            weight = 2.0 * flux / (arms[0] + arms[1])
            diagonal += weight
            numbers = self.number[neighbours]
            inner, cut = numbers >= 0, numbers < 0
            self.entries.append((np.flatnonzero(inner), numbers[inner], -weight[inner]))
            fraction = (arms[(step + 1) // 2] / h)[cut]
            right[cut] += weight[cut] * self.boundary_values(self.nodes[cut], neighbours[cut], fraction)

    def boundary_values(
        self,
        nodes: NDArray[np.int64],
        neighbours: NDArray[np.int64] | None = None,
        fraction: Array | float = 0.0,
    ) -> Array:
        """The given values at the `part` of the way from `nodes` to `neighbours`."""
        neighbours = nodes if neighbours is None else neighbours
        if callable(self.boundary):
            first, second = (
                np.stack(
                    [
                        x[k]
                        for x, k in zip(
                            self.grid.axes, np.unravel_index(ids, tuple(self.grid.shape)), strict=True
                        )
                    ],
                    axis=1,
                )
                for ids in (nodes, neighbours)
            )
            return np.asarray(self.boundary(first + np.reshape(fraction, (-1, 1)) * (second - first)))
        values = np.broadcast_to(shaped(self.grid, self.boundary, "boundary"), tuple(self.grid.shape)).ravel()
        return (1.0 - fraction) * values[nodes] + fraction * values[neighbours]

    def matrix(self, diagonal: Array) -> sparse.csc_array:
        """`(inner nodes, inner nodes)`."""
        count = len(self.nodes)
        rows = np.concatenate([np.arange(count), *(entry[0] for entry in self.entries)])
        columns = np.concatenate([np.arange(count), *(entry[1] for entry in self.entries)])
        values = np.concatenate([diagonal, *(entry[2] for entry in self.entries)])
        return sparse.csc_array((values, (rows, columns)), shape=(count, count))


def _solve(matrix: sparse.csc_array, right: Array, dimension: int) -> Array:
    if dimension < 3 or len(right) <= 10_000:
        return linalg.splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.1).solve(right)
    scale = 1.0 / matrix.diagonal()  # a short arm makes its row large
    matrix, right = (sparse.diags_array(scale) @ matrix).tocsc(), scale * right
    return solve_by_steps(matrix, right)
