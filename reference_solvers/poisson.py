"""Finite volumes for -div(a grad u) + c u = f on the nodes of a box, in 1, 2 and 3 dimensions.

The control volume of a node extends half-way to its neighbours (half of it at a side), and the equation is balanced
over it: the matrix is sum over axes of B^T diag(a area / h) B with B the difference of neighbours, symmetric and
conservative. Where u is smooth on both sides of a jump of `a` along grid lines the order is `ORDER`.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import linalg

from neurapde.reference_solvers.grids.grid import Grid
from neurapde.reference_solvers.grids.sides import ZERO, on_side, side_pairs
from neurapde.reference_solvers.grids.sides import Dirichlet as Dirichlet
from neurapde.reference_solvers.grids.sides import Neumann as Neumann
from neurapde.reference_solvers.grids.sides import Periodic as Periodic
from neurapde.reference_solvers.grids.sides import Robin as Robin
from neurapde.reference_solvers.grids.sides import Side as Side
from neurapde.reference_solvers.grids.sides import Sides as Sides
from neurapde.reference_solvers.grids.stencils import along, forward_difference, outer, owned_lengths
from neurapde.reference_solvers.operators.separable import SeparableInverse
from neurapde.reference_solvers.operators.systems import balanced, solve_symmetric

ORDER = 2.0

DIRECT_LIMIT = (10**9, 400_000, 8_000)  # unknowns that are factorised, in 1, 2 and 3 dimensions
SEPARABLE_LIMIT = 1025  # nodes along an axis whose eigenvectors are taken where the coefficients are constant

Array = NDArray[np.float64]
Coefficient = float | Array | Sequence[Array]


def half_points(coefficient: Coefficient, grid: Grid) -> tuple[Array, ...]:
    """The coefficient at the half points of each axis: d arrays, axis i of array i one shorter than the grid.

    Args:
        coefficient: its form decides the mean, and the mean decides the order at a jump: a number; or cell values `(n1
            - 1, ...)`: the arithmetic mean of the cells around an edge, second order when the jump lies on grid lines;
            or node values `(n1, ...)`: the harmonic mean of the two ends, second order when the jump lies half-way
            between nodes; or d arrays of half-point values, used directly: in one dimension 1 / mean(1/a) between the
            nodes is second order wherever the jump is. A jump that cuts the cells obliquely is first order with all of
            them, and node values are as good as any mean over cells (a disk 100 times as conductive: a relative error
            of 0.8e-3 on 257 x 257 nodes).
        grid: the nodes.

    Raises: ValueError for other shapes and for values that are not finite and positive.
    """
    shape = tuple(grid.shape)
    cells = tuple(n - 1 for n in shape)
    expected = [tuple(n - (k == axis) for k, n in enumerate(shape)) for axis in range(grid.dimension)]
    if isinstance(coefficient, int | float | np.number):
        values = tuple(np.full(each, float(coefficient)) for each in expected)
    elif isinstance(coefficient, np.ndarray) and coefficient.shape == cells:
        values = tuple(_mean_of_cells(coefficient, axis) for axis in range(grid.dimension))
    elif isinstance(coefficient, np.ndarray) and coefficient.shape == shape:
        values = tuple(_harmonic_mean(coefficient, axis) for axis in range(grid.dimension))
    elif not isinstance(coefficient, np.ndarray) and [np.shape(each) for each in coefficient] == expected:
        values = tuple(np.asarray(each, dtype=float) for each in coefficient)
    else:
        size = (
            coefficient.shape
            if isinstance(coefficient, np.ndarray)
            else [np.shape(each) for each in coefficient]
        )
        raise ValueError(
            f"the coefficient has shape {size}; give a number, cells {cells}, nodes {shape} or half points "
            f"{expected}."
        )
    for each in values:
        if not (np.isfinite(each).all() and (each > 0).all()):
            raise ValueError(
                "the coefficient a of -div(a grad u) must be finite and positive, but this one is not."
            )
    return values


def _mean_of_cells(cells: Array, axis: int) -> Array:
    for other in set(range(cells.ndim)) - {axis}:
        padded = np.pad(cells, [(int(k == other),) * 2 for k in range(cells.ndim)], mode="edge")
        lower = np.take(padded, range(padded.shape[other] - 1), axis=other)
        cells = (lower + np.take(padded, range(1, padded.shape[other]), axis=other)) / 2
    return cells


def _harmonic_mean(nodes: Array, axis: int) -> Array:
    first = np.take(nodes, range(nodes.shape[axis] - 1), axis=axis)
    second = np.take(nodes, range(1, nodes.shape[axis]), axis=axis)
    with np.errstate(divide="ignore", invalid="ignore"):  # the caller refuses what is not positive
        return np.where((first > 0) & (second > 0), 2.0 * first * second / (first + second), np.nan)


def solve_poisson(
    grid: Grid,
    source: float | Array,
    *,
    coefficient: Coefficient = 1.0,
    reaction: float | Array = 0.0,
    sides: Sides = ZERO,
    imbalance: float = 1e-2,
) -> Array:
    """Solve -div(a grad u) + c u = f on a box.

    Args:
        grid: the nodes of the box, sides included, in 1 to 3 dimensions; they may be `Graded`.
        source: f, a number or `grid.shape`.
        coefficient: a, see `half_points`.
        reaction: c, a number or `grid.shape`.
        sides: one side for all, or a pair (lower side, upper side) for each axis. Where two Dirichlet sides
            meet the later axis sets the value.
        imbalance: if nothing fixes u (no Dirichlet, no Robin, c = 0) the sources and fluxes must cancel. A difference
            up to this fraction of their size counts as a grid error and is spread over f; the solution's mean is then
            zero.

    Returns: u, `grid.shape`.
    Raises: ValueError for wrong shapes or signs, for one-sided periodicity, and for sources that do not
        cancel.
    """
    if grid.dimension > 3:
        raise ValueError(f"the box must have 1 to 3 dimensions; got {grid.dimension}.")
    pairs = side_pairs(sides, grid)
    system = _System(grid, half_points(coefficient, grid), _on_nodes(reaction, grid, "reaction"), pairs)
    return system.solve(_on_nodes(source, grid, "source"), imbalance)


def _on_nodes(values: float | Array, grid: Grid, what: str) -> Array:
    if np.shape(values) not in ((), tuple(grid.shape)):
        raise ValueError(f"the {what} has shape {np.shape(values)}; give a number or {tuple(grid.shape)}.")
    values = np.broadcast_to(np.asarray(values, dtype=float), tuple(grid.shape))
    if not np.isfinite(values).all():
        raise ValueError(f"the {what} has values that are not finite.")
    return values


class _System:
    """The symmetric matrix of all nodes, and the free ones."""

    def __init__(
        self, grid: Grid, halves: tuple[Array, ...], reaction: Array, pairs: list[tuple[Side, Side]]
    ) -> None:
        self.grid, self.pairs, self.halves, self.reaction = grid, pairs, halves, reaction
        self.weights = [owned_lengths(steps) for steps in grid.steps]
        self.volume = outer(self.weights)
        self.side_diagonal, self.side_flux = np.zeros(grid.shape), np.zeros(grid.shape)
        self.fixed, self.values = np.zeros(grid.shape, dtype=bool), np.zeros(grid.shape)
        for axis, pair in enumerate(pairs):
            for end, side in zip((0, -1), pair, strict=True):
                self._take(axis, end, side)

    def _take(self, axis: int, end: int, side: Side) -> None:
        at = (slice(None),) * axis + (end,)
        face = self.fixed[at].shape
        area = outer([w for k, w in enumerate(self.weights) if k != axis]) if face else np.array(1.0)
        if isinstance(side, Dirichlet):
            self.fixed[at], self.values[at] = True, on_side(side.value, face, axis)
        elif isinstance(side, Neumann):
            self.side_flux[at] += on_side(side.value, face, axis) * area
        elif isinstance(side, Robin):
            coefficient = on_side(side.coefficient, face, axis)
            if (coefficient < 0).any():
                raise ValueError(f"the Robin coefficient on axis {axis} is negative; give at least 0.")
            self.side_diagonal[at] += coefficient * area
            self.side_flux[at] += on_side(side.value, face, axis) * area

    @cached_property
    def matrix(self) -> sparse.csr_array:
        """`(size, size)`, for every node, before the fixed values at sides."""
        shape, steps = self.grid.shape, self.grid.steps
        total = sparse.diags_array((self.reaction * self.volume + self.side_diagonal).ravel(), format="csr")
        for axis, half in enumerate(self.halves):
            difference = along(forward_difference(shape[axis], steps[axis]), shape, axis)
            owned = [w if k != axis else steps[axis] for k, w in enumerate(self.weights)]
            total = total + difference.T @ sparse.diags_array((half * outer(owned)).ravel()) @ difference
        return total.tocsr()

    @cached_property
    def spread(self) -> sparse.csr_array:
        """`(size, unknowns)`: from independent values to all nodes, which repeats periodic ones."""
        index = np.arange(self.grid.size).reshape(self.grid.shape)
        for axis, (side, _) in enumerate(self.pairs):
            if isinstance(side, Periodic):
                index[(slice(None),) * axis + (-1,)] = index[(slice(None),) * axis + (0,)]
        unique, inverse = np.unique(index, return_inverse=True)
        ones, rows = np.ones(self.grid.size), np.arange(self.grid.size)
        return sparse.csr_array((ones, (rows, inverse.ravel())), shape=(self.grid.size, len(unique)))

    def solve(self, source: Array, imbalance: float) -> Array:
        spread = self.spread
        right = (source * self.volume + self.side_flux).ravel()
        floating = not (self.fixed.any() or self.side_diagonal.any() or self.reaction.any())
        if floating:
            sizes = (abs(source) * self.volume + abs(self.side_flux)).sum()
            right = balanced(right, self.volume.ravel(), sizes, imbalance)
        periodic = any(isinstance(side, Periodic) for side, _ in self.pairs)
        matrix = spread.T @ self.matrix @ spread if periodic else self.matrix
        right = spread.T @ right
        free = ~((spread.T @ self.fixed.ravel()) > 0)
        known = np.zeros(len(free))
        known[spread.indices] = self.values.ravel()
        known[free] = 0.0
        matrix, right = matrix[free], right[free]
        right = right - matrix @ known
        known[free] = self._solve_free(matrix[:, free].tocsc(), right, floating)
        u = (spread @ known).reshape(self.grid.shape)
        return u - (u * self.volume).sum() / self.volume.sum() if floating else u

    def _solve_free(self, matrix: sparse.csc_array, right: Array, floating: bool) -> Array:
        unknowns = len(right)
        if self._separates:
            return self._separable_inverse(right)
        if (self.reaction < 0).any() or unknowns <= DIRECT_LIMIT[self.grid.dimension - 1]:
            return solve_symmetric(matrix, right, floating=floating)
        inverse = self._separable_inverse.operator
        solution, status = linalg.cg(matrix, right, rtol=1e-11, maxiter=2000, M=inverse)
        if status:
            raise RuntimeError(
                f"conjugate gradients did not solve the {unknowns} equations in 2000 steps: the coefficient "
                "varies too much for this size; use a coarser grid."
            )
        return solution

    @property
    def _separates(self) -> bool:
        """Whether the matrix is a sum of those of its axes, and these are small enough for their eigenvectors."""
        robin = [side.coefficient for pair in self.pairs for side in pair if isinstance(side, Robin)]
        constant = all(np.ptp(values) == 0 for values in (*self.halves, self.reaction, *robin))
        small = self.grid.dimension > 1 and max(self.grid.shape) <= SEPARABLE_LIMIT
        return constant and small and float(self.reaction.flat[0]) >= 0

    @cached_property
    def _separable_inverse(self) -> SeparableInverse:
        """The inverse for the means of the coefficients."""
        axes = [self._axis(k) for k in range(self.grid.dimension)]
        return SeparableInverse(axes, float(self.reaction.mean()))

    def _axis(self, axis: int) -> tuple[Array, Array]:
        """Stiffness and lengths of one axis for the mean coefficient, reduced to its free nodes."""
        n, steps = self.grid.shape[axis], self.grid.steps[axis]
        difference = forward_difference(n, steps).toarray()
        mean = float(self.halves[axis].mean())
        stiffness, lengths = mean * difference.T @ (steps[:, None] * difference), np.diag(self.weights[axis])
        keep = np.eye(n)
        lower, upper = self.pairs[axis]
        for end, side in ((0, lower), (-1, upper)):
            if isinstance(side, Robin):
                stiffness[end, end] += float(np.mean(side.coefficient))
        if isinstance(lower, Periodic):
            keep[-1, 0] = 1.0
        free = [k for k in range(n) if not self._dropped(k, n, lower, upper)]
        keep = keep[:, free]
        return keep.T @ stiffness @ keep, np.diag(keep.T @ lengths @ keep)

    @staticmethod
    def _dropped(k: int, n: int, lower: Side, upper: Side) -> bool:
        first = k == 0 and isinstance(lower, Dirichlet)
        return first or (k == n - 1 and isinstance(upper, Dirichlet | Periodic))
