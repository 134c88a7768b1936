"""The nine-point scheme as matrices: what of the discrete Helmholtz operator does not depend on the medium.

In Kronecker products of matrices of one axis: D the second difference in flux form, S the average across it, N the
sum of both neighbours. `HelmholtzGrid` adds the medium; media tried one after another share one scheme.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from neurapde.reference_solvers.grids.grid import Grid
from neurapde.reference_solvers.operators.dispersion import Weights
from neurapde.reference_solvers.operators.elimination import nested_dissection

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
            sides ∂u/∂n + β u = 0, the mirror node being u less 2 h β u; None for 0.
    """

    def __init__(
        self,
        grid: Grid,
        stretch: Sequence[Stretching | None],
        free: Sequence[tuple[bool, bool]],
        weights: Weights,
        impedance: Sequence[tuple[ArrayLike, ArrayLike]] | None = None,
    ) -> None:
        if not len(free) == len(stretch) == grid.dimension == len(weights.edges):
            raise ValueError(
                f"the grid has {grid.dimension} axes, but stretch {len(stretch)}, free {len(free)} and weights "
                f"{len(weights.edges)} entries."
            )
        self.grid = grid
        self.weights = weights
        self._lines = [_Line(grid, axis, stretch[axis], free[axis]) for axis in range(grid.dimension)]
        self._impedance = [(0.0, 0.0)] * grid.dimension if impedance is None else impedance

    @cached_property
    def fixed(self) -> NDArray[np.bool_]:
        """`(*shape)`, the nodes of the fixed sides."""
        result = np.zeros(self.grid.shape, bool)
        for axis, line in enumerate(self._lines):
            face = [1] * self.grid.dimension
            face[axis] = -1
            result |= line.fixed.reshape(face)
        return result

    @cached_property
    def volume(self) -> NDArray[np.complex128]:
        """`(*shape)`, the product of all stretch factors."""
        result = np.ones((), complex)
        for line in self._lines:
            result = np.multiply.outer(result, line.factor)
        return result

    @cached_property
    def mass(self) -> sparse.csr_array:
        """W: (1 − Σ edges − corners)·centre and the shares of the neighbours."""
        eye = [sparse.eye_array(n) for n in self.grid.shape]
        total = self.weights.centre * _product(eye)
        for axis, line in enumerate(self._lines):
            total = total + self.weights.edges[axis] / 2 * _product(
                [line.beside if other == axis else eye[other] for other in range(self.grid.dimension)]
            )
        if self.grid.dimension == 2:
            total = total + self.weights.corners / 4 * _product([line.beside for line in self._lines])
        for axis, _, matrix in self._outflow():
            across = self.weights.edges[axis] / 2 * sparse.eye_array(self.grid.size)
            if self.grid.dimension == 2:
                across = across + self.weights.corners / 4 * self._along(
                    1 - axis, self._lines[1 - axis].beside
                )
            total = total + across @ matrix
        return sparse.csr_array(self._inner @ total)

    @cached_property
    def laplacian(self) -> sparse.csr_array:
        """The stretched Laplacian, Σ_i D_i ⊗ S_j e_j."""
        averaged = [
            (along * sparse.eye_array(len(line.factor)) + (1 - along) / 2 * line.beside)
            @ sparse.diags_array(line.factor)
            for along, line in zip(self.weights.along, self._lines, strict=True)
        ]
        products = [
            _product([line.second if i == axis else averaged[i] for i in range(self.grid.dimension)])
            for axis, line in enumerate(self._lines)
        ]
        for axis, side, matrix in self._outflow():
            across = (
                self._along(1 - axis, averaged[1 - axis]) @ matrix if self.grid.dimension == 2 else matrix
            )
            products.append(self._lines[axis].beyond[side] * across)
        return sparse.csr_array(self._inner @ sum(products[1:], start=products[0]))

    def _outflow(self) -> Iterator[tuple[int, int, sparse.csr_array]]:
        """(axis, 0 or 1 for its lower or upper side, what the mirror nodes are less by, on the side's own nodes)."""
        for axis, pair in enumerate(self._impedance):
            for side, beta in enumerate(pair):
                if np.any(np.asarray(beta) != 0):
                    values = np.zeros(self.grid.shape, complex)
                    at = (slice(None),) * axis + (-side,)
                    values[at] = -2 * self.grid.spacing[axis] * np.asarray(beta)
                    yield axis, side, sparse.diags_array(values.ravel(), format="csr")

    def _along(self, axis: int, matrix: sparse.sparray) -> sparse.sparray:
        """A matrix of one axis acting on all nodes."""
        return _product([matrix if i == axis else sparse.eye_array(n) for i, n in enumerate(self.grid.shape)])

    @cached_property
    def order(self) -> NDArray[np.int64]:
        """`(n,)`, the nodes in an order in which elimination fills in little."""
        return nested_dissection(tuple(self.grid.shape))

    @cached_property
    def _inner(self) -> sparse.dia_array:
        """Projection on the nodes that are not fixed."""
        return sparse.diags_array(1.0 - self.fixed.ravel())


class _Line:
    """One axis: the stretch factor at the nodes, the second difference, and the sum of both neighbours."""

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
        self.second = sparse.diags_array([second_lower, centre / step**2, second_upper], offsets=[-1, 0, 1])
        self.beside = sparse.diags_array([lower, upper], offsets=[-1, 1])
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
            f"the stretch of axis {axis} must return {coordinates.shape} finite factors other than 0, "
            f"got the shape {factors.shape}."
        )
    return factors


def _product(matrices: Sequence[sparse.sparray]) -> sparse.sparray:
    """The Kronecker product, which acts on `values.ravel()`."""
    result = matrices[0]
    for matrix in matrices[1:]:
        result = sparse.kron(result, matrix)
    return result
