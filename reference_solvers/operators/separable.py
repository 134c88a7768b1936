"""The exact inverse of a sum of one-axis operators, by their eigenvectors: a solver or preconditioner on a box."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import linalg

Array = NDArray[np.float64]


class SeparableInverse:
    """Inverse of K1 x M2 x M3 + M1 x K2 x M3 + M1 x M2 x K3 + shift M1 x M2 x M3, x the Kronecker product.

    With K V = M V diag(lambda) on each axis and V^T M V = I the sum becomes diagonal, lambda1 + lambda2 +
    lambda3 +
    shift: two products by dense one-axis matrices an axis. The undetermined constant of a floating problem is left
        out. Source: Lynch, Rice, Thomas (1964), Numer. Math. 6, 185-199.

    Args:
        axes: for each axis K `(n, n)`, symmetric and at least 0, and the diagonal of M, `(n,)`, positive.
        shift: at least 0.
    """

    def __init__(self, axes: Sequence[tuple[Array, Array]], shift: float) -> None:
        pairs = [_eigenpairs(stiffness, lengths) for stiffness, lengths in axes]
        self.vectors = [vectors for _, vectors in pairs]
        self.shape = tuple(len(values) for values, _ in pairs)
        total = np.full(self.shape, shift)
        for axis, (values, _) in enumerate(pairs):
            total += values.reshape([-1 if k == axis else 1 for k in range(len(pairs))])
        nonzero = total > 1e-12 * total.max()
        self.inverse = np.where(nonzero, 1.0 / np.where(nonzero, total, 1.0), 0.0)

    def __call__(self, right: Array) -> Array:
        """`(n,)` -> `(n,)`."""
        values = right.reshape(self.shape)
        for (
            vectors
        ) in self.vectors:  # each product turns the axes by one; after the last they stand as before
            values = np.tensordot(values, vectors, axes=(0, 0))
        values = values * self.inverse
        for vectors in self.vectors:
            values = np.tensordot(values, vectors, axes=(0, 1))
        return values.ravel()

    @property
    def operator(self) -> linalg.LinearOperator:
        """The same as an operator for SciPy's iterations."""
        size = int(np.prod(self.shape))
        return linalg.LinearOperator((size, size), matvec=self.__call__, dtype=float)


def _eigenpairs(stiffness: Array, lengths: Array) -> tuple[Array, Array]:
    """λ `(n,)` and V `(n, n)` with K V = M V diag(λ) and Vᵀ M V = I for a diagonal M."""
    scale = 1 / np.sqrt(lengths)
    values, vectors = np.linalg.eigh(scale[:, None] * stiffness * scale)
    return values, scale[:, None] * vectors
