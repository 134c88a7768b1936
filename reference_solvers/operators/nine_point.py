"""The nine-point scheme as matrices: the part of the discrete Helmholtz operator that does not depend on the medium.

In Kronecker products of matrices of one axis: D the second difference in flux form, S the average across it, N the
sum of both neighbours. `HelmholtzGrid` adds the medium; successive media share one scheme.

A matrix of neighbours is stored as its *stencil*, `(*shape, 3)` or `(*shape, 3, 3)`: for each node the weights of the
one before it, of itself and of the one after it along each axis.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from neurapde.reference_solvers.grids.grid import Grid
from neurapde.reference_solvers.operators.dispersion import Weights
from neurapde.reference_solvers.operators.elimination import nested_dissection
from neurapde.reference_solvers.operators.immersed import Immersed

Stretching = Callable[[NDArray[np.float64]], NDArray[np.complex128]]
"""Coordinates `(n,)` -> complex stretch factors e `(n,)`."""


class NinePoint:
    """Matrices `(n, n)`, n = grid.size, that act on `field.ravel()`; their rows at nodes of fixed sides are zero.

    Args:
        grid: one or two dimensions; the spacings may differ.
        stretch: one function per axis, or None where the factor is 1.
        free: for each axis whether its lower and its upper side are free (∂u/∂n = 0, by mirror nodes).
        weights: of the scheme.
        impedance: for each axis β at its lower and its upper side, a number or an array of the side's nodes: at free
            sides ∂u/∂n + β u = 0, where the mirror node is u − 2 h β u; None for 0.
        immersed: a surface through the grid, with u = 0 on it; rows at nodes above it are zero, too.
    """

    def __init__(
        self,
        grid: Grid,
        stretch: Sequence[Stretching | None],
        free: Sequence[tuple[bool, bool]],
        weights: Weights,
        impedance: Sequence[tuple[ArrayLike, ArrayLike]] | None = None,
        immersed: Immersed | None = None,
    ) -> None:
        if not len(free) == len(stretch) == grid.dimension == len(weights.edges):
            raise ValueError(
                f"the grid has {grid.dimension} axes, but stretch has {len(stretch)}, free {len(free)} and weights "
                f"{len(weights.edges)} entries."
            )
        self.grid = grid
        self.weights = weights
        self.immersed = immersed
        self._lines = [_Line(grid, axis, stretch[axis], free[axis]) for axis in range(grid.dimension)]
        self._impedance = [(0.0, 0.0)] * grid.dimension if impedance is None else impedance

    @cached_property
    def fixed(self) -> NDArray[np.bool_]:
        """`(*shape)`, the nodes of the fixed sides, but for those above a surface."""
        result = np.zeros(self.grid.shape, bool)
        for axis, line in enumerate(self._lines):
            face = [1] * self.grid.dimension
            face[axis] = -1
            result |= line.fixed.reshape(face)
        return result if self.immersed is None else result & ~self.immersed.air

    @cached_property
    def volume(self) -> NDArray[np.complex128]:
        """`(*shape)`, the product of all stretch factors."""
        result = np.ones((), complex)
        for line in self._lines:
            result = np.multiply.outer(result, line.factor)
        return result

    @cached_property
    def mass(self) -> sparse.csr_array:
        """W: (1 − Σ edges − corners)·centre and the weights of the neighbours."""
        total = self.weights.centre * _product(self._alone)
        for axis, line in enumerate(self._lines):
            total = total + self.weights.edges[axis] / 2 * self._along(axis, line.beside)
        if self.grid.dimension == 2:
            total = total + self.weights.corners / 4 * _product([line.beside for line in self._lines])
        for axis, _, values in self._outflow():
            across = self.weights.edges[axis] / 2 * _product(self._alone)
            if self.grid.dimension == 2:
                beside = self._along(1 - axis, self._lines[1 - axis].beside)
                across = across + self.weights.corners / 4 * beside
            total = total + across * _seen(values)
        return self._matrix(total)

    @cached_property
    def laplacian(self) -> sparse.csr_array:
        """The stretched Laplacian, Σ_i D_i ⊗ S_j e_j."""
        averaged = [
            (along * alone + (1 - along) / 2 * line.beside) * _seen(line.factor)
            for along, alone, line in zip(self.weights.along, self._alone, self._lines, strict=True)
        ]
        total: NDArray = np.zeros(())
        for axis, line in enumerate(self._lines):
            total = total + _product(
                [line.second if i == axis else averaged[i] for i in range(self.grid.dimension)]
            )
        for axis, side, values in self._outflow():
            across = self._along(1 - axis, averaged[1 - axis]) if self.grid.dimension == 2 else self._alone[0]
            total = total + self._lines[axis].beyond[side] * across * _seen(values)
        return self._matrix(total)

    def _outflow(self) -> Iterator[tuple[int, int, NDArray[np.complex128]]]:
        """(axis, 0 or 1 for its lower or upper side, the reduction of the mirror nodes, at the side's own nodes)."""
        for axis, pair in enumerate(self._impedance):
            for side, beta in enumerate(pair):
                if np.any(np.asarray(beta) != 0):
                    values = np.zeros(self.grid.shape, complex)
                    at = (slice(None),) * axis + (-side,)
                    values[at] = -2 * self.grid.spacing[axis] * np.asarray(beta)
                    yield axis, side, values

    @property
    def _alone(self) -> list[NDArray]:
        """The identity of each axis."""
        return [np.tile([0.0, 1.0, 0.0], (n, 1)) for n in self.grid.shape]

    def _along(self, axis: int, stencil: NDArray) -> NDArray:
        """A stencil of one axis acting on all nodes."""
        return _product([stencil if i == axis else alone for i, alone in enumerate(self._alone)])

    def _matrix(self, stencil: NDArray) -> sparse.csr_array:
        """The matrix of a stencil, its rows at fixed nodes empty."""
        size, reach = self.grid.size, 3**self.grid.dimension
        nodes = np.arange(size, dtype=np.int32).reshape(self.grid.shape)
        columns = _windows(np.pad(nodes, 1, constant_values=-1)).reshape(size, reach)
        still = self.fixed if self.immersed is None else self.fixed | self.immersed.air
        taken = (columns >= 0) & ~still.reshape(-1, 1)
        ends = np.concatenate([[0], np.cumsum(taken.sum(axis=1))])
        return sparse.csr_array(
            (stencil.reshape(size, reach)[taken], columns[taken], ends), shape=(size, size)
        )

    @cached_property
    def order(self) -> NDArray[np.int64]:
        """`(n,)`, an order of the nodes with little fill-in."""
        return nested_dissection(tuple(self.grid.shape))


class _Line:
    """One axis: the stretch factor at the nodes, and the stencils of the second difference and of both neighbours' sum."""

    def __init__(self, grid: Grid, axis: int, stretching: Stretching | None, free: tuple[bool, bool]) -> None:
        nodes, step = grid.axes[axis], grid.spacing[axis]
        between = (nodes[1:] + nodes[:-1]) / 2
        inverse = 1 / _factors_at(stretching, between, axis)
        lower, upper = np.full((2, len(between)), 1.0)
        second_lower, second_upper = inverse / step**2, inverse / step**2
        centre = -np.concatenate([[inverse[0]], inverse]) - np.concatenate([inverse, [inverse[-1]]])
        if free[0]:  # the mirror node before the first is the second node
            upper[0], second_upper[0] = 2, 2 * second_upper[0]
        if free[1]:
            lower[-1], second_lower[-1] = 2, 2 * second_lower[-1]
        self.beyond = inverse[0] / step**2, inverse[-1] / step**2  # what the nodes beyond the ends count
        self.factor = _factors_at(stretching, nodes, axis)
        self.second = np.zeros((len(nodes), 3), complex)
        self.second[1:, 0], self.second[:, 1], self.second[:-1, 2] = (
            second_lower,
            centre / step**2,
            second_upper,
        )
        self.beside = np.zeros((len(nodes), 3))
        self.beside[1:, 0], self.beside[:-1, 2] = lower, upper
        self.fixed = np.zeros(len(nodes), bool)
        self.fixed[[0, -1]] = not free[0], not free[1]


def _factors_at(
    stretching: Stretching | None, coordinates: NDArray[np.float64], axis: int
) -> NDArray[np.complex128]:
    if stretching is None:
        return np.ones(len(coordinates), complex)
    factors = np.asarray(stretching(coordinates), complex)
    if factors.shape != coordinates.shape or not np.isfinite(factors).all() or (factors == 0).any():
        raise ValueError(
            f"the stretch of axis {axis} must return {coordinates.shape} finite factors other than 0; got the shape "
            f"{factors.shape}."
        )
    return factors


def _product(stencils: Sequence[NDArray]) -> NDArray:
    """The stencil of the Kronecker product of one matrix of each axis."""
    if len(stencils) == 1:
        return stencils[0]
    first, second = stencils
    return first[:, None, :, None] * second[None, :, None, :]


def _seen(values: NDArray) -> NDArray:
    """Nodal values `(*shape)` in the windows of a stencil, 0 beyond the sides: the factors of its matrix's columns."""
    return _windows(np.pad(values, 1))


def _windows(padded: NDArray) -> NDArray:
    """`(*shape, 3)` or `(*shape, 3, 3)` of an array with one more entry at each end."""
    return np.lib.stride_tricks.sliding_window_view(padded, (3,) * padded.ndim)
