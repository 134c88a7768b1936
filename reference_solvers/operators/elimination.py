"""Sparse LU of a grid operator: nested dissection, factored once, solved for many right-hand sides.

Measured with SuperLU on the nine-point matrix, 257² nodes: 0.31 s (minimum degree 0.55 s, COLAMD 0.59 s); 513²
nodes: 2.0 s and 25 million entries (minimum degree 2.2 s, 26 million), 0.04 s for each solution.

SuperLU's BLAS products are so small that two threads gain nothing, and on a busy machine they wait for each other:
513² nodes took 40 s instead of 3 s next to another process. So BLAS works on one thread here.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import splu
from threadpoolctl import ThreadpoolController

_LEAF = 3  # Blocks of at most 3 × 3 nodes are not divided further.


def nested_dissection(shape: tuple[int, ...]) -> NDArray[np.int64]:
    """`(nodes,)`, an order of a grid's nodes with little fill-in for a stencil of nearest neighbours.

    A line of nodes (a plane, in three dimensions) halves the longest axis; both halves come before it, and
    are divided in the same way. Source: George (1973), SIAM J. Numer. Anal. 10(2).
    """
    return np.ravel_multi_index(tuple(_divided(tuple(shape)).T), shape).astype(np.int64)


@lru_cache(maxsize=512)
def _divided(shape: tuple[int, ...]) -> NDArray[np.int64]:
    """The same as places `(nodes, d)`: the two halves of a block differ by at most one line, so few shapes are divided."""
    axis = shape.index(max(shape))
    half = shape[axis] // 2
    if shape[axis] <= _LEAF:
        return np.indices(shape).reshape(len(shape), -1).T
    unit = np.eye(len(shape), dtype=np.int64)[axis]
    below, above, line = (
        (*shape[:axis], count, *shape[axis + 1 :]) for count in (half, shape[axis] - half - 1, 1)
    )
    across = np.indices(line).reshape(len(shape), -1).T
    return np.concatenate([_divided(below), _divided(above) + (half + 1) * unit, across + half * unit])


class Factors:
    """P A Pᵀ = L U of a complex sparse matrix with the given elimination order.

    Args:
        matrix: `(n, n)`, complex; its pattern should be symmetric.
        order: `(n,)`, a permutation, e.g. of `nested_dissection`.
    """

    def __init__(self, matrix: sparse.csr_array, order: NDArray[np.int64]) -> None:
        self._order = order
        ordered = sparse.csc_array(matrix[order][:, order], dtype=complex)
        self._threads = ThreadpoolController()
        with self._threads.limit(limits=1, user_api="blas"):
            self._factors = splu(
                ordered, permc_spec="NATURAL", diag_pivot_thresh=0.001, options={"SymmetricMode": True}
            )

    def solve(self, right: NDArray, *, transposed: bool = False) -> NDArray[np.complex128]:
        """A⁻¹ (or A⁻ᵀ) times `right`, `(n,)` or `(n, columns)`."""
        result = np.empty(right.shape, complex)
        ordered = np.asfortranarray(right[self._order], dtype=complex)
        with self._threads.limit(limits=1, user_api="blas"):
            result[self._order] = self._factors.solve(ordered, "T" if transposed else "N")
        return result
