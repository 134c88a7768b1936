"""Waves scattered by values in a window of a lattice of sines: v = b − G D v, the weak form with the head eliminated.

With the medium uniform the weak form's matrix A₀ separates. A change δc = ω²δm of the coefficient in a window adds
V = Φᵀ D Φ, Φ the sines at the window's midpoints and D = E δc times the area of a cell. The known wave b and the head's
field Φx, (A₀ + V) x = −Φᵀ D b, add to the total v, so G = Φ A₀⁻¹ Φᵀ, complex symmetric. On each axis Φ = QP with
orthonormal Q and fewer columns than points, as the window resolves. This gives one small dense system for all waves;
if it is large, A₀ + V is inverted by iteration instead. Source: Lippmann and Schwinger (1950), Phys. Rev. 79(3).
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lu_factor, lu_solve
from scipy.sparse.linalg import LinearOperator, gmres

from neurapde.core.errors import DeclarationError
from neurapde.spectral.modes import AxisModes, along_all
from neurapde.spectral.operator import LatticeOperator

Complex = NDArray[np.complex128]

LARGEST_DENSE = 1200
"""Unknowns of a window up to which one dense factorisation is faster than iterating in any medium."""
RANK = 1e-10
"""Singular values below this part of the largest say that sines at a window's points depend on each other."""
ACCURACY = 1e-11
"""Relative residual of an iterative solution: gradients and adjoints agree to better than a test can see."""
RESTART, LARGEST_ITERATIONS = 100, 2000


@dataclass(frozen=True)
class Window:
    """A part of the lattice's grid of midpoints: one slice for each axis, and E times the area of a cell on it."""

    operator: LatticeOperator
    part: tuple[slice, slice]
    measure: Complex

    @cached_property
    def sines(self) -> list[NDArray[np.float64]]:
        """Φ of each axis, `(points, count)`."""
        return [
            np.ascontiguousarray(axis_modes.on_grid[nodes])
            for axis_modes, nodes in zip(self.operator.modes, self.part, strict=True)
        ]

    def head(self, induced: Complex) -> Complex:
        """x = −A₀⁻¹Φᵀ(D v) of what waves induce, `(waves, n, n)`: `(waves, count, count)`."""
        first, second = (phi.T for phi in self.sines)
        return np.stack([-self.operator.inverse(along_all([first, second], wave)) for wave in induced])


class Scattering(ABC):
    """The map from known waves to total ones for one medium in the window."""

    @abstractmethod
    def total(self, known: Complex) -> Complex:
        """v = (1 + G D)⁻¹ b of waves `(waves, n_0, n_1)` on the window."""


class Reduction:
    """The part of the dense system that does not depend on the medium: Q of each axis and C = P A₀⁻¹ Pᵀ."""

    def __init__(self, window: Window) -> None:
        factors = [_orthonormal(phi) for phi in window.sines]
        self.bases = [q for q, _ in factors]
        first, second = (p for _, p in factors)
        inverse = window.operator.inverse
        columns = [
            (first @ inverse(np.outer(a, b).astype(complex)) @ second.T).ravel()
            for a in first
            for b in second
        ]
        self.core = np.stack(columns, axis=1)
        self.pairs = [(q[:, :, None] * q[:, None, :]).reshape(len(q), -1).T.copy() for q in self.bases]

    def between(self, change: Complex) -> Complex:
        """Qᵀ D Q of D on the window `(n_0, n_1)`."""
        (r0, r1) = (q.shape[1] for q in self.bases)
        product = along_all(self.pairs, change).reshape(r0, r0, r1, r1)
        return product.transpose(0, 2, 1, 3).reshape(r0 * r1, r0 * r1)


class DenseScattering(Scattering):
    """One factorisation of 1 + C QᵀDQ, for all waves and for the adjoint."""

    def __init__(self, reduction: Reduction, change: Complex) -> None:
        self._reduction, self._change = reduction, change
        matrix = reduction.core @ reduction.between(change)
        matrix[np.diag_indices(len(matrix))] += 1.0
        self._factors = lu_factor(matrix, overwrite_a=True, check_finite=False)

    def total(self, known: Complex) -> Complex:
        bases = self._reduction.bases
        induced = np.moveaxis(self._change * known, 0, -1)
        loads = along_all([q.T for q in bases], induced)
        right = -self._reduction.core @ loads.reshape(-1, len(known))
        solved = lu_solve(self._factors, right, check_finite=False).reshape(loads.shape)
        return known + np.moveaxis(along_all(bases, solved), -1, 0)


class IterativeScattering(Scattering):
    """GMRES on (1 + A₀⁻¹V) x = −A₀⁻¹Φᵀ D b, one wave at a time. Raises: DeclarationError if it does not converge."""

    def __init__(self, window: Window, change: Complex) -> None:
        self._window, self._change = window, change

    def total(self, known: Complex) -> Complex:
        return np.stack([self._one(wave) for wave in known])

    def _one(self, known: Complex) -> Complex:
        head = self._window.head
        target = head((self._change * known)[None])[0]

        def step(flat: Complex) -> Complex:
            field = along_all(self._window.sines, flat.reshape(target.shape))
            return flat - head((self._change * field)[None])[0].ravel()

        matrix = LinearOperator((target.size, target.size), step, dtype=complex)
        cycles = LARGEST_ITERATIONS // RESTART
        flat, failed = gmres(matrix, target.ravel(), rtol=ACCURACY, atol=0.0, restart=RESTART, maxiter=cycles)
        if failed:
            raise DeclarationError(
                f"the linear system of the sines did not converge in {LARGEST_ITERATIONS} iterations: this medium is "
                "far from uniform; use a method on the grid (method='reduced')"
            )
        return known + along_all(self._window.sines, flat.reshape(target.shape))


def unknowns(modes: tuple[AxisModes, AxisModes], window: tuple[slice, slice]) -> int:
    """The largest number of unknowns of a window in the dense form."""
    sizes = [
        min(axis_modes.count, piece.stop - piece.start)
        for axis_modes, piece in zip(modes, window, strict=True)
    ]
    return sizes[0] * sizes[1]


def _orthonormal(phi: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Q `(points, rank)` and P `(rank, count)` with Φ = QP, Q orthonormal."""
    left, sizes, right = np.linalg.svd(phi, full_matrices=False)
    rank = int(np.sum(sizes > RANK * sizes[0]))
    return np.ascontiguousarray(left[:, :rank]), sizes[:rank, None] * right[:rank]
