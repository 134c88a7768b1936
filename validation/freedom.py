"""What data leave free, taken out of an error before it is measured: a constant, or a harmonic function."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import spsolve

Values = NDArray[np.float64]


def without_constant(error: Values) -> Values:
    """An error (nx, ny) or (nx, ny, c) without its mean, which gradients do not tell."""
    return error - error.mean(axis=(0, 1))


def without_harmonic(error: Values) -> Values:
    """An error (nx, ny) or (nx, ny, c) at square pixels without its closest discrete harmonic function.

    A discrete harmonic function equals the mean of its four neighbours at every inner pixel; any values at the border
    belong to one. A Laplacian known inside, and nothing known at the border, leaves exactly these open. With L the
    five-point Laplacian at the inner pixels, what is left is Lᵀ(LLᵀ)⁻¹L error, orthogonal to all of them.
    """
    shape = error.shape[:2]
    inner = [sparse.eye_array(n).tocsr()[1:-1] for n in shape]
    second = [sparse.diags_array([1.0, -2.0, 1.0], offsets=[0, 1, 2], shape=(n - 2, n)) for n in shape]
    laplace = (sparse.kron(second[0], inner[1]) + sparse.kron(inner[0], second[1])).tocsr()
    flat = error.reshape(shape[0] * shape[1], -1)
    weights = spsolve((laplace @ laplace.T).tocsc(), laplace @ flat)
    return (laplace.T @ weights.reshape(laplace.shape[0], -1)).reshape(error.shape)
