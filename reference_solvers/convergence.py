"""Orders of convergence from errors, and errors from two grids: tests of a solver without a known truth."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray


def observed_orders(errors: ArrayLike, steps: Sequence[float] | None = None) -> NDArray[np.float64]:
    """Slopes log(e_i/e_{i+1}) / log(h_i/h_{i+1}) between consecutive grids.

    Args:
        errors: `(n,)`, positive, from the coarsest grid to the finest.
        steps: `(n,)`, the spacings; halved each time if None.

    Returns: `(n - 1,)`.
    Raises: ValueError for fewer than two errors, or values that are not positive.

    >>> observed_orders([0.4, 0.1, 0.025])
    array([2., 2.])
    """
    values = np.asarray(errors, float)
    sizes = 0.5 ** np.arange(values.size) if steps is None else np.asarray(steps, float)
    if values.ndim != 1 or values.size < 2 or sizes.shape != values.shape:
        raise ValueError(
            f"an order needs two or more errors and the same number of steps; got {values.shape} and {sizes.shape}."
        )
    if not ((values > 0).all() and (sizes > 0).all()):
        raise ValueError("an order needs positive errors and steps, since it uses their logarithms.")
    return np.log(values[:-1] / values[1:]) / np.log(sizes[:-1] / sizes[1:])


def richardson(coarse: ArrayLike, fine: ArrayLike, order: float) -> NDArray:
    """The error of the finer of two results, spacing h against 2h: (fine − coarse) / (2^order − 1).

    `fine` plus the returned error is Richardson's extrapolation. For a field give both on the coarse nodes,
    `fine[::2, ::2]`. If the true order is higher, the estimate is too large, never too small.

    Raises: ValueError if the shapes differ or the order is not positive.
    Source: Roache (1994), J. Fluids Eng. 116(3).
    """
    values, reference = np.asarray(coarse), np.asarray(fine)
    if values.shape != reference.shape:
        raise ValueError(
            f"the coarse result has shape {values.shape}, the fine one {reference.shape}; give both on the "
            "coarse nodes, fine[::2, ::2]."
        )
    if not order > 0:
        raise ValueError(f"the order is {order}; it must be positive.")
    return (reference - values) / (2.0**order - 1)
