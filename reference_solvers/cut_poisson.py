"""-div(a grad u) + c u = f in a domain of any shape cut out of a box, with any conditions on its boundary.

The domain is where a level function is negative. The field is linear on the simplices of the grid's cells, and the
equation holds in the weak form on the inner part of every simplex. This is the flux form on the grid, where the inner
part of the surrounding simplices is the weight of each coupling of two neighbours. Nitsche's method imposes values,
and the weak form itself imposes slopes and mixed conditions, on points of the true boundary, so a corner needs no
node. Small parts of simplices hardly determine nodes just outside, so the second differences of these are penalised
(Burman, Claus, Hansbo, Larson, Massing 2015, Int. J. Numer. Meth. Eng. 104(7), 472-501).

`ORDER` in the L2 norm for smooth u, in the maximum norm up to a logarithm; with a re-entrant corner of angle w the
order is at best 2 pi / w (4/3 on the L-shape). If u is given on the whole boundary, the error of `embedded_poisson` is
a third in the plane, and a tenth in space.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from neurapde.reference_solvers.embedded_poisson import checked_level, shaped
from neurapde.reference_solvers.grids.cut_cells import at_corner, inside_moments, paths, probes
from neurapde.reference_solvers.grids.grid import Grid
from neurapde.reference_solvers.grids.stencils import along, forward_difference
from neurapde.reference_solvers.operators.systems import balanced, solve_by_steps, solve_symmetric
from neurapde.reference_solvers.poisson import half_points

ORDER = 2.0

PENALTY = 20.0  # of Nitsche's method, times a / h
SMOOTHING = 0.03  # of second differences at nodes outside
DIRECT = 10_000  # unknowns that are factorised in three dimensions

Array = NDArray[np.float64]
Level = Callable[[Array], Array]
"""Points `(n, d)` -> `(n,)`, at most the distance to the boundary in size, negative inside."""


@dataclass(frozen=True)
class Boundary:
    """Points on the boundary with their conditions: u = value where `fixed`, else a du/dn + coefficient u = value.

    points, normals: `(m, d)`, at most a quarter of a cell apart, and the outward normals. weights: `(m,)`, the length or
    area of each point. fixed: `(m,)`, bool. coefficient: `(m,)`, unused where fixed, elsewhere at least 0. value:
    `(m,)`.
    """

    points: Array
    normals: Array
    weights: Array
    fixed: NDArray[np.bool_]
    coefficient: Array
    value: Array

    def __post_init__(self) -> None:
        count, dimension = np.shape(self.points)
        for name, shape in (
            ("normals", (count, dimension)),
            *((name, (count,)) for name in ("weights", "fixed", "coefficient", "value")),
        ):
            values = getattr(self, name)
            if np.shape(values) != shape or not np.isfinite(values).all():
                raise ValueError(
                    f"{name} of the boundary must be finite with the shape {shape}; got the shape {np.shape(values)}."
                )
        if (self.coefficient[~self.fixed] < 0).any():
            raise ValueError("the Robin coefficient is negative; give at least 0.")


def solve_cut_poisson(
    grid: Grid,
    level: Level,
    source: float | Array,
    *,
    boundary: Boundary,
    coefficient: float | Array = 1.0,
    reaction: float | Array = 0.0,
    imbalance: float = 1e-2,
) -> Array:
    """Solve -div(a grad u) + c u = f where `level` < 0.

    Args:
        grid: nodes of a box that holds the domain.
        level: `grid.shape`, a signed distance or any smooth function that is negative inside only; nodes
            where it is zero to round-off lie on the boundary.
        source: f, a number or `grid.shape`; used inside only.
        boundary: the whole boundary as points, with its conditions.
        coefficient: a, a number or `grid.shape`; positive on the whole box, smooth across the boundary.
        reaction: c, likewise; used inside only.
        imbalance: as in `poisson.solve_poisson`, if nothing fixes u; its mean is then zero.

    Returns: u, `grid.shape`, not a number outside the domain.
    Raises: ValueError for wrong shapes, for a domain that extends beyond the grid, and for sources and fluxes that do
        not cancel; ResolutionError if no node is inside.
    """
    nodal_level = _nodal_level(grid, level)
    if np.shape(boundary.points)[1] != grid.dimension:
        raise ValueError(
            f"points of the boundary need {grid.dimension} coordinates on this grid; got the shape "
            f"{np.shape(boundary.points)}."
        )
    system = _System(grid, nodal_level, level, coefficient, boundary)
    return system.solve(_on_nodes(grid, source, "source"), _on_nodes(grid, reaction, "reaction"), imbalance)


def _on_nodes(grid: Grid, values: float | Array, what: str) -> Array:
    return np.broadcast_to(np.asarray(shaped(grid, values, what), dtype=float), tuple(grid.shape))


def _nodal_level(grid: Grid, function: Level) -> Array:
    level = np.array(function(grid.points), dtype=float)
    if level.shape != (grid.size,):
        raise ValueError(
            f"the level function must have shape ({grid.size},) at {grid.size} points; got shape {level.shape}."
        )
    return checked_level(grid, level.reshape(grid.shape))


class _System:
    """The symmetric matrix of the nodes in and just outside the domain."""

    def __init__(
        self, grid: Grid, level: Array, function: Level, coefficient: float | Array, boundary: Boundary
    ) -> None:
        self.grid, self.level, self.function, self.boundary = grid, level, function, boundary
        self.cell = float(np.prod(grid.spacing))
        self.nodal = _on_nodes(grid, coefficient, "coefficient")
        self.halves = half_points(coefficient if np.ndim(coefficient) else float(coefficient), grid)
        self.read, self.slope = probes(grid, boundary.points, boundary.normals)
        self._measure()
        touched = abs(self.read).max(axis=0).toarray().ravel() > 1e-12
        self.active = (self.volume.ravel() > 1e-14 * self.cell) | touched

    def _measure(self) -> None:
        """The volume that belongs to each node, and to each edge of the grid as a part of a path."""
        shape, d = self.grid.shape, self.grid.dimension
        self.volume = np.zeros(shape)
        self.owned = [np.zeros([n - (k == axis) for k, n in enumerate(shape)]) for axis in range(d)]
        for (order, corners), moments in zip(
            paths(d), inside_moments(self.grid, self.level, self.function), strict=True
        ):
            measure = self.cell * moments.sum(axis=-1)
            for k, corner in enumerate(corners):
                at_corner(self.volume, corner)[...] += self.cell * moments[..., k]
            for axis, corner in zip(order, corners[:-1], strict=True):
                where = tuple(
                    slice(None) if i == axis else slice(s, n - 1 + s)
                    for i, (s, n) in enumerate(zip(corner, shape, strict=True))
                )
                self.owned[axis][where] += measure

    def _stiffness(self) -> sparse.csr_array:
        total = sparse.csr_array((self.grid.size, self.grid.size))
        for axis, (half, owned) in enumerate(zip(self.halves, self.owned, strict=True)):
            difference = along(
                forward_difference(self.grid.shape[axis], self.grid.spacing[axis]), self.grid.shape, axis
            )
            total = total + difference.T @ sparse.diags_array((half * owned).ravel()) @ difference
        return total

    def _smoothing(self) -> sparse.csr_array:
        """Second differences along edges and diagonals, at least one of whose three nodes is outside and all active."""
        outside, active = (self.level > 0).ravel(), self.active
        index = np.arange(self.grid.size).reshape(self.grid.shape)
        rows = []
        for step in _directions(self.grid.dimension):
            ends = [
                index[
                    tuple(slice(k * s, n - (2 - k) * s) for s, n in zip(step, self.grid.shape, strict=True))
                ].ravel()
                for k in range(3)
            ]
            centred = np.all([active[end] for end in ends], axis=0) & np.any(
                [outside[end] for end in ends], axis=0
            )
            before, here, after = (end[centred] for end in ends)
            length = float(np.sum((np.asarray(step) * self.grid.spacing) ** 2))
            weight = np.sqrt(SMOOTHING * self.cell * self.nodal.ravel()[here] / length)
            number = np.arange(len(here))
            rows.append(
                sparse.csr_array(
                    (
                        np.concatenate([weight, -2 * weight, weight]),
                        (np.tile(number, 3), np.concatenate([before, here, after])),
                    ),
                    shape=(len(here), self.grid.size),
                )
            )
        stacked = sparse.vstack(rows, format="csr")
        return stacked.T @ stacked

    def _sides(self) -> tuple[sparse.csr_array, Array]:
        """The contributions of the boundary to the matrix and to the right-hand side."""
        b = self.boundary
        a = self.read @ self.nodal.ravel()
        across = 1.0 / np.sqrt(
            np.sum((b.normals / self.grid.spacing) ** 2, axis=1)
        )  # a cell's width along the normal
        held = b.weights * b.fixed
        factor = held * PENALTY * a / across + b.weights * np.where(b.fixed, 0.0, b.coefficient)
        flux = self.read.T @ sparse.diags_array(held * a) @ self.slope
        matrix = self.read.T @ sparse.diags_array(factor) @ self.read - flux - flux.T
        load = np.where(b.fixed, PENALTY * a / across, 1.0) * b.weights * b.value
        return matrix, self.read.T @ load - self.slope.T @ (held * a * b.value)

    def solve(self, source: Array, reaction: Array, imbalance: float) -> Array:
        source, reaction = (self._continued(values) for values in (source, reaction))
        sides, load = self._sides()
        right = (source * self.volume).ravel() + load
        floating = not (self.boundary.fixed.any() or self.boundary.coefficient.any() or reaction.any())
        if floating:
            sizes = float(
                (abs(source) * self.volume).sum() + abs(self.boundary.weights * self.boundary.value).sum()
            )
            right = balanced(right, self.volume.ravel(), sizes, imbalance)
        matrix = self._stiffness() + self._smoothing() + sides
        matrix = matrix + sparse.diags_array((reaction * self.volume).ravel())
        active = np.flatnonzero(self.active)
        u = np.full(self.grid.size, np.nan)
        u[active] = self._solved(matrix[active][:, active].tocsc(), right[active], floating)
        if floating:
            u[active] -= (u[active] * self.volume.ravel()[active]).sum() / self.volume.sum()
        return np.where(self.level <= 0, u.reshape(self.grid.shape), np.nan)

    def _continued(self, values: Array) -> Array:
        """The nodes' values inside; at nodes just outside, the mean of their inner neighbours."""
        inside = self.level <= 0
        total, count = np.zeros(values.shape), np.zeros(values.shape)
        known = np.where(inside, values, 0.0)
        padded, marks = np.pad(known, 1), np.pad(inside.astype(float), 1)
        for step in product(range(3), repeat=values.ndim):
            where = tuple(slice(s, s + n) for s, n in zip(step, values.shape, strict=True))
            total, count = total + padded[where], count + marks[where]
        return np.where(inside, known, total / np.maximum(count, 1.0))

    def _solved(self, matrix: sparse.csc_array, right: Array, floating: bool) -> Array:
        if self.grid.dimension < 3 or len(right) <= DIRECT:
            return solve_symmetric(matrix, right, floating=floating)
        return solve_by_steps(matrix, right)


def _directions(dimension: int) -> Iterator[tuple[int, ...]]:
    """Steps along the edges of the simplices: 0 or 1 along each axis, not all 0."""
    return (step for step in product((0, 1), repeat=dimension) if any(step))
