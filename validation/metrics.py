"""Error norms of a field against the truth, for real and complex arrays, whole or masked.

Every metric takes `(field, truth, mask=None)`: arrays of one shape, and a mask of that shape or of its
leading axes (True where the comparison counts). A NaN inside the mask makes the result NaN; give a mask if the truth
is not known everywhere. An empty mask gives NaN too. If data do not determine a constant or a harmonic function, this
null space is removed from the error first.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.sparse.linalg import spsolve


def mse(field: ArrayLike, truth: ArrayLike, mask: ArrayLike | None = None) -> float:
    """Mean of |u − v|²."""
    u, v = _chosen(field, truth, mask)
    return _mean(np.abs(u - v) ** 2)


def relative_l2(field: ArrayLike, truth: ArrayLike, mask: ArrayLike | None = None) -> float:
    """‖u − v‖₂ / ‖v‖₂: 0 for equality, 1 for a field that is zero; inf (or NaN) if the truth is zero."""
    u, v = _chosen(field, truth, mask)
    return _ratio(np.linalg.norm(u - v), np.linalg.norm(v))


def psnr(
    field: ArrayLike, truth: ArrayLike, mask: ArrayLike | None = None, *, peak: float | None = None
) -> float:
    """Peak signal-to-noise ratio 10 log₁₀(peak² / MSE), in decibels; inf for equality.

    peak: the span of the values; None for that of the truth, which is at most 2 for pictures in [−1, 1].
    """
    u, v = _chosen(field, truth, mask)
    if not u.size:
        return float("nan")
    span = float(np.max(np.abs(v - v[0]))) if np.iscomplexobj(v) else float(np.max(v) - np.min(v))
    error = mse(u, v)
    size = span if peak is None else peak
    return float("inf") if error == 0 else float(10 * np.log10(size**2 / error))


def max_error(field: ArrayLike, truth: ArrayLike, mask: ArrayLike | None = None) -> float:
    """Largest |u − v|."""
    u, v = _chosen(field, truth, mask)
    return float(np.max(np.abs(u - v))) if u.size else float("nan")


def relative_max(field: ArrayLike, truth: ArrayLike, mask: ArrayLike | None = None) -> float:
    """Largest |u − v| over the largest |v|."""
    u, v = _chosen(field, truth, mask)
    return _ratio(np.max(np.abs(u - v)), np.max(np.abs(v))) if u.size else float("nan")


def phase_error(field: ArrayLike, truth: ArrayLike, mask: ArrayLike | None = None) -> float:
    """Mean of |arg(u v̄)| weighted by |v|, in radians, from 0 to π.

    It ignores the amplitude. Where u is zero it has no phase, and the error counts as π/2. For real fields it is π
    times the (weighted) fraction with the wrong sign.
    """
    u, v = _chosen(field, truth, mask)
    weight = np.abs(v)
    angle = np.where((u == 0) & (weight > 0), np.pi / 2, np.abs(np.angle(u * np.conj(v))))
    return _ratio(np.sum(weight * angle), np.sum(weight))


def amplitude_error(field: ArrayLike, truth: ArrayLike, mask: ArrayLike | None = None) -> float:
    """‖|u| − |v|‖₂ / ‖v‖₂: the error without the phase; at most `relative_l2`."""
    u, v = _chosen(field, truth, mask)
    return _ratio(np.linalg.norm(np.abs(u) - np.abs(v)), np.linalg.norm(v))


def all_metrics(field: ArrayLike, truth: ArrayLike, mask: ArrayLike | None = None) -> dict[str, float]:
    """Every metric by its name; `phase_error` and `amplitude_error` for complex fields only."""
    names = {"relative_l2": relative_l2, "mse": mse, "max_error": max_error, "relative_max": relative_max}
    if np.iscomplexobj(field) or np.iscomplexobj(truth):
        names |= {"phase_error": phase_error, "amplitude_error": amplitude_error}
    return {name: metric(field, truth, mask) for name, metric in names.items()}


def without_constant(error: NDArray[np.float64]) -> NDArray[np.float64]:
    """An error (nx, ny) or (nx, ny, c) without its mean, which gradients do not determine."""
    return error - error.mean(axis=(0, 1))


def without_harmonic(error: NDArray[np.float64]) -> NDArray[np.float64]:
    """An error (nx, ny) or (nx, ny, c) at square pixels without its closest discrete harmonic function.

    A discrete harmonic function equals the mean of its four neighbours at every inner pixel; any border values belong
    to one. A Laplacian that is known inside, with unknown border values, does not determine these functions. With L
    the five-point Laplacian at the inner pixels, the remaining error is Lᵀ(LLᵀ)⁻¹L error, orthogonal to all of them.
    """
    shape = error.shape[:2]
    inner = [sparse.eye_array(n).tocsr()[1:-1] for n in shape]
    second = [sparse.diags_array([1.0, -2.0, 1.0], offsets=[0, 1, 2], shape=(n - 2, n)) for n in shape]
    laplace = (sparse.kron(second[0], inner[1]) + sparse.kron(inner[0], second[1])).tocsr()
    flat = error.reshape(shape[0] * shape[1], -1)
    weights = spsolve((laplace @ laplace.T).tocsc(), laplace @ flat)
    return (laplace.T @ weights.reshape(laplace.shape[0], -1)).reshape(error.shape)


def _chosen(field: ArrayLike, truth: ArrayLike, mask: ArrayLike | None) -> tuple[NDArray, NDArray]:
    u, v = np.asarray(field), np.asarray(truth)
    if u.shape != v.shape:
        raise ValueError(
            f"the field has shape {u.shape} and the truth {v.shape}; evaluate both at the same points"
        )
    if mask is None:
        return u.ravel(), v.ravel()
    chosen = np.asarray(mask, dtype=bool)
    if chosen.shape != u.shape[: chosen.ndim]:
        raise ValueError(f"the mask has shape {chosen.shape}; it must be {u.shape} or its leading axes")
    return u[chosen].ravel(), v[chosen].ravel()


def _mean(values: NDArray) -> float:
    return float(np.mean(values)) if values.size else float("nan")


def _ratio(error: NDArray | np.floating, size: NDArray | np.floating) -> float:
    if size == 0:
        return float("nan") if error == 0 or np.isnan(error) else float("inf")
    return float(error / size)
