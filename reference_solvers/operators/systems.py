"""Sparse systems of the Poisson solvers: by factorisation, by iteration, and balanced right-hand sides."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import linalg

Array = NDArray[np.float64]


def solve_symmetric(matrix: sparse.csc_array, right: Array, *, floating: bool = False) -> Array:
    """Solve a symmetric sparse system, `right` `(n,)` or `(n, k)`, by a factorisation.

    `floating`: constants are in the matrix's null space and the columns of `right` sum to zero. Then the last value is
    zero, which loses nothing, because the equation left out is minus the sum of the others.
    """
    size = matrix.shape[0] - floating
    factor = linalg.splu(
        matrix[:size, :size].tocsc(),
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.01,
        options={"SymmetricMode": True},
    )
    solution = np.zeros(np.shape(right))
    solution[:size] = factor.solve(np.ascontiguousarray(right[:size]))
    return solution


def solve_by_steps(matrix: sparse.csc_array, right: Array) -> Array:
    """Solve a sparse system too large to be factorised, `right` `(n,)`, by BiCGSTAB on an incomplete factorisation.

    Raises RuntimeError if 1000 steps do not suffice.
    """
    factor = linalg.spilu(
        matrix, drop_tol=1e-2, fill_factor=4, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.1
    )
    preconditioner = linalg.LinearOperator(matrix.shape, matvec=factor.solve, dtype=float)
    solution, status = linalg.bicgstab(matrix, right, rtol=1e-11, maxiter=1000, M=preconditioner)
    if status:
        raise RuntimeError(
            f"BiCGSTAB did not solve the {len(right)} equations in 1000 steps; use a coarser grid."
        )
    return solution


def balanced(right: Array, volume: Array, sizes: float, imbalance: float) -> Array:
    """The right-hand side `(n,)` of a problem with an undetermined constant, with its sum removed in proportion to
    `volume`.

    Raises ValueError if the sum is more than the fraction `imbalance` of `sizes`, the sum of absolute values.
    """
    total = right.sum()
    if abs(total) > imbalance * sizes:
        raise ValueError(
            f"sources and fluxes add up to {total:.3g}, {abs(total) / sizes:.1%} of "
            "their size: without a Dirichlet or Robin side or a reaction they must "
            "cancel. Correct the data or fix u on a side."
        )
    return right - total * volume / volume.sum()
