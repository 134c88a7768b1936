"""The compact 27-point Helmholtz scheme in space, in stretched coordinates, and its solution by iteration.

Divided by the product of the stretch factors e_i of absorbing layers the equation is

    sum_i (1/e_i) d_i((1/e_i) d_i u) + k^2 m u = f,        m = 1/c^2.

With A_i the three-point difference of an axis and W_i = 1 + h^2/12 times the second difference, W_i^-1 A_i has fourth
order where e is 1. Therefore

    (A_1 W_2 W_3 + W_1 A_2 W_3 + W_1 W_2 A_3) u + W_1 W_2 W_3 (k^2 m u - f) = 0

has fourth order for any smooth m. Source: Collatz (1960), The Numerical Treatment of Differential Equations. With the
mean of m it is inverted axis by axis by eigenvectors (Lynch, Rice, Thomas 1964), which preconditions GMRES for the
given m: a sparse factorisation of 65^3 nodes would take 5 GB, an iteration takes 0.1 s.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, gmres

from neurapde.reference_solvers.grids.grid import Grid
from neurapde.reference_solvers.helmholtz import check_resolution
from neurapde.reference_solvers.operators.dispersion import nodes_per_wavelength
from neurapde.reference_solvers.operators.nine_point import Stretching

ORDER = 2
"""The order of convergence with a layer, a jump or an open side; without them it is 4."""

TOLERANCE, RESTART, MOST_STEPS = 1e-8, 40, 600
"""Of the residual that is iterated, vectors that are kept, and iterations at most."""

Complex = NDArray[np.complex128]


class HelmholtzInSpace:
    """The scheme on the nodes of a grid of three axes.

    Args:
        grid: its spacings may differ.
        wavenumber: k, positive.
        slowness_squared: m = 1/c^2, `(*shape)` or a number.
        stretch: one function per axis, coordinates `(n,)` -> complex factors e `(n,)`, or None where it is 1.
        free: for each axis whether its lower and its upper side are free; the others are fixed.
        impedance: for each axis beta at its lower and its upper side, a number or an array of the side's nodes: at
            free sides du/dn + beta u = 0.

    Raises: ResolutionError below 2.5 nodes per (shortest) wavelength; ValueError for other dimensions.
    Warns: ResolutionWarning below 4 nodes per wavelength.
    """

    def __init__(
        self,
        grid: Grid,
        wavenumber: float,
        slowness_squared: ArrayLike,
        *,
        stretch: Sequence[Stretching | None] | None = None,
        free: Sequence[tuple[bool, bool]] | None = None,
        impedance: Sequence[tuple[ArrayLike, ArrayLike]] | None = None,
    ) -> None:
        if grid.dimension != 3:
            raise ValueError(f"the grid has {grid.dimension} dimensions; this scheme is for three.")
        self.grid = grid
        self.square = np.broadcast_to(wavenumber**2 * np.asarray(slowness_squared), tuple(grid.shape))
        local = np.sqrt(self.square + 0j)
        self.nodes_per_wavelength = nodes_per_wavelength(grid.spacing, np.abs(local))
        check_resolution(self.nodes_per_wavelength, grid)
        free = [(False, False)] * 3 if free is None else free
        impedance = [(0.0, 0.0)] * 3 if impedance is None else impedance
        factors = [None] * 3 if stretch is None else stretch
        self._axes = [
            _Axis(
                grid, number, factors[number], free[number], _damped(grid, number, impedance[number], local)
            )
            for number in range(3)
        ]
        self._inside = tuple(axis.inside for axis in self._axes)

    def load(self, density: NDArray) -> Complex:
        """W f, the right-hand side of `solve`, for a nodal density f `(*shape)` or `(*shape, shots)`."""
        load = np.asarray(density, dtype=complex)
        for number, axis in enumerate(self._axes):
            load = _along(axis.mirrored, number, load)
        return load

    def solve(self, right: NDArray, boundary: NDArray | None = None) -> Complex:
        """The field with `u = boundary` on the fixed sides; `(*shape)` or `(*shape, shots)`, as `right` is.

        Raises: RuntimeError if the iteration does not converge: waves are trapped, or the grid is too large.
        """
        shots = np.asarray(right).reshape(*self.grid.shape, -1)
        sides = (
            np.zeros_like(shots) if boundary is None else np.asarray(boundary).reshape(*self.grid.shape, -1)
        )
        solution = np.stack(
            [self._solve_one(shots[..., i], sides[..., i % sides.shape[-1]]) for i in range(shots.shape[-1])],
            axis=-1,
        )
        return solution.reshape(np.shape(right))

    def operator(self, u: NDArray) -> Complex:
        """The left-hand side at every node except the fixed ones, `(*shape)`."""
        total = self.square * u
        for number, axis in enumerate(self._axes):
            total = _along(axis.average, number, total)
        for number, axis in enumerate(self._axes):
            term = _along(axis.difference, number, u) - axis.open_part(u)
            for other, across in enumerate(self._axes):
                if other != number:
                    term = _along(across.average, other, term)
            total = total + term
        return total

    def _solve_one(self, right: NDArray, sides: NDArray) -> Complex:
        u = np.array(sides, dtype=complex)
        u[self._inside] = 0.0
        target = (right - self.operator(u))[self._inside]
        shape, size = target.shape, target.size
        if not np.any(target):
            return u

        def product(flat: Complex) -> Complex:
            whole = np.zeros(self.grid.shape, dtype=complex)
            whole[self._inside] = flat.reshape(shape)
            return self._inverse(self.operator(whole)[self._inside]).ravel()

        wanted = self._inverse(target).ravel()
        answer, failed = gmres(
            LinearOperator((size, size), product, dtype=complex),
            wanted,
            x0=wanted,
            rtol=TOLERANCE,
            restart=RESTART,
            maxiter=MOST_STEPS // RESTART,
        )
        residual = np.linalg.norm(product(answer) - wanted) / np.linalg.norm(wanted)
        if failed and not residual <= 10 * TOLERANCE:
            raise RuntimeError(
                f"{MOST_STEPS} iterations left a relative residual of {residual:.1e} in the {size} equations: waves are "
                "trapped in this medium, or it differs too much from its mean over this many wavelengths; take a lower "
                "wavenumber or a smaller domain."
            )
        u[self._inside] = answer.reshape(shape)
        return u

    def _inverse(self, right: Complex) -> Complex:
        """The field at the free nodes for the mean of m."""
        for number, axis in enumerate(self._axes):
            right = _along(axis.into, number, right)
        right = right / self._rates
        for number, axis in enumerate(self._axes):
            right = _along(axis.vectors, number, right)
        return right

    @cached_property
    def _rates(self) -> Complex:
        first, second, third = (axis.rates for axis in self._axes)
        total = first[:, None, None] + second[:, None] + third + self.square.mean()
        least = np.finfo(float).eps * np.abs(total).max()
        return np.where(np.abs(total) < least, least, total)


class _Axis:
    """One axis: A and W `(n, n)` with the mean of beta at free ends, and eigenvectors of W^-1 A at its free nodes.

    mirrored: W for fields without slope at free ends. inside: the free nodes.
    """

    def __init__(
        self,
        grid: Grid,
        number: int,
        stretch: Stretching | None,
        free: tuple[bool, bool],
        beta: tuple[NDArray, NDArray],
    ) -> None:
        n, h, x = grid.shape[number], grid.spacing[number], grid.axes[number]
        e, half = (
            np.ones(len(at)) if stretch is None else np.asarray(stretch(at))
            for at in (x, (x[1:] + x[:-1]) / 2)
        )
        self.number, self.free = number, free
        self.inside = slice(0 if free[0] else 1, n if free[1] else n - 1)
        low, high = np.zeros(n, complex), np.zeros(n, complex)
        low[1:], high[:-1] = 1 / (e[1:] * half * h**2), 1 / (e[:-1] * half * h**2)
        high[0], low[-1] = 2 * high[0], 2 * low[-1]
        self._ends = (h * high[0], h * low[-1])
        diagonal = -(low + high)
        average = np.full(n, 10 / 12, dtype=complex)
        self._apart = []
        for end, index in enumerate((0, n - 1)):
            mean = complex(np.mean(beta[end])) if free[end] else 0.0
            diagonal[index] -= self._ends[end] * mean
            average[index] -= 2 * h * mean / 12
            self._apart.append(beta[end] - mean if free[end] else None)
        below, above = np.full(n - 1, 1 / 12), np.full(n - 1, 1 / 12)
        below[-1], above[0] = 2 / 12, 2 / 12
        self.difference = sparse.csr_array(
            sparse.diags_array([low[1:], diagonal, high[:-1]], offsets=[-1, 0, 1])
        )
        self.average = sparse.csr_array(sparse.diags_array([below, average, above], offsets=[-1, 0, 1]))
        ones = np.full(n, 10 / 12)
        self.mirrored = sparse.csr_array(sparse.diags_array([below, ones, above], offsets=[-1, 0, 1]))
        inner = [matrix.toarray()[self.inside, self.inside] for matrix in (self.average, self.difference)]
        self.rates, self.vectors = np.linalg.eig(np.linalg.solve(*inner))
        self.into = np.linalg.inv(inner[0] @ self.vectors)

    def open_part(self, u: NDArray) -> NDArray | float:
        """The contribution of beta minus its mean at the nodes of either side."""
        if not any(term is not None and np.any(term) for term in self._apart):
            return 0.0
        product = np.zeros(u.shape, dtype=complex)
        for end, term in enumerate(self._apart):
            if term is not None:
                at = (slice(None),) * self.number + (-end,)
                product[at] += self._ends[end] * term * u[at]
        return product


def _damped(
    grid: Grid, number: int, impedance: tuple[ArrayLike, ArrayLike], local: NDArray
) -> tuple[NDArray, NDArray]:
    """beta sin(kappa h)/(kappa h): with it the difference does not reflect a plane wave at normal incidence."""
    angles = [grid.spacing[number] * local[(slice(None),) * number + (-end,)] for end in range(2)]
    lower, upper = (
        np.asarray(beta) * np.sin(angle) / np.where(angle == 0, 1.0, angle)
        for beta, angle in zip(impedance, angles, strict=True)
    )
    return lower, upper


def _along(matrix: NDArray | sparse.csr_array, axis: int, array: NDArray) -> Complex:
    """Multiply a matrix into one axis of an array."""
    moved = np.moveaxis(array, axis, 0)
    product = matrix @ np.ascontiguousarray(moved).reshape(moved.shape[0], -1)
    return np.moveaxis(product.reshape(-1, *moved.shape[1:]), 0, axis)
