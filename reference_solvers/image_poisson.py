"""Images from their gradients or their Laplacian: sparse least squares that determine all but the constant.

Pixels are nodes; beyond the border the image continues as an even function, so that no border values are needed. The
user chooses what the data do not determine: the constant (the mean of every channel, by default zero) or the held
pixels.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from neurapde.reference_solvers.grids.stencils import along, forward_difference
from neurapde.reference_solvers.operators.systems import solve_symmetric

ORDER = 2.0

Array = NDArray[np.float64]


def image_from_gradients(
    down: Array,
    across: Array,
    *,
    spacing: tuple[float, float] = (1.0, 1.0),
    operators: Sequence[sparse.sparray] | None = None,
    mean: float | Array = 0.0,
    held: Array | None = None,
) -> Array:
    """The image whose gradients fit the given ones best in the least-squares sense.

    Args:
        down: derivative along the first axis, `(rows, columns)` at the pixels or `(rows - 1, columns)`
            between them; with a trailing `(channels,)` for several.
        across: along the second axis, `(rows, columns)` or `(rows, columns - 1)`, and the same channels.
        spacing: distance between pixels on each axis.
        operators: two sparse matrices from `image.ravel()` to `down.ravel()` and `across.ravel()`, if a known filter
            made the data (`stencils.central_difference` for `numpy.gradient`); the image is then recovered exactly.
            Without them: plain differences for data between pixels, also exact; data at the pixels are first averaged
            to the points between them, second order for samples of a smooth image's gradient.
        mean: of each channel, a number or `(channels,)`; not used where pixels are held.
        held: `(rows, columns)` with the channels: the fixed pixels, not-a-number where they are free.

    Returns: `(rows, columns)` with the channels of the data.
    Raises: ValueError for shapes that do not fit.
    """
    down, across = np.asarray(down, dtype=float), np.asarray(across, dtype=float)
    shape, channels = (down.shape[0], across.shape[1]), down.shape[2:]
    if operators is None:
        shape = (across.shape[0], down.shape[1])
        if down.shape[:2] == shape:
            down = (down[1:] + down[:-1]) / 2
        if across.shape[:2] == shape:
            across = (across[:, 1:] + across[:, :-1]) / 2
        expected = [(shape[0] - 1, shape[1], *channels), (shape[0], shape[1] - 1, *channels)]
        if [down.shape, across.shape] != expected:
            raise ValueError(
                f"gradients have shapes {down.shape} and {across.shape}; give {expected}, or both at pixels."
            )
        operators = _differences(shape, spacing)
    elif down.shape != across.shape:
        raise ValueError(f"gradients at the pixels must have one shape; got {down.shape} and {across.shape}.")
    count = shape[0] * shape[1]
    matrix, right = sparse.csc_array((count, count)), np.zeros((count, int(np.prod(channels))))
    for operator, data in zip(operators, (down, across), strict=True):
        rows = data.shape[0] * data.shape[1]
        if operator.shape != (rows, count):
            raise ValueError(
                f"a gradient operator has shape {operator.shape}; it takes {count} pixels to {rows}."
            )
        matrix = matrix + operator.T @ operator
        right = right + operator.T @ data.reshape(rows, -1)
    return _solve(matrix, right, (*shape, *channels), mean, held)


def image_from_laplacian(
    laplacian: Array,
    *,
    spacing: tuple[float, float] = (1.0, 1.0),
    mean: float | Array = 0.0,
    held: Array | None = None,
) -> Array:
    """The image with the given five-point Laplacian, continued evenly beyond its border.

    That is `scipy.ndimage.laplace(image, mode="reflect")`, from which the image is recovered exactly. Another
    Laplacian does not determine a discrete harmonic function, which depends on the border: hold the border pixels if
    they are known. Without held pixels the data's sum, which is zero for an even image, is removed.

    Args:
        laplacian: `(rows, columns)`, or `(rows, columns, channels)`.
        spacing: distance between pixels on each axis.
        mean: of each channel, a number or `(channels,)`; not used where pixels are held.
        held: as for `image_from_gradients`; the Laplacian of a held pixel is not used.

    Returns: the shape of `laplacian`.
    Raises: ValueError for shapes that do not fit.
    """
    laplacian = np.asarray(laplacian, dtype=float)
    if laplacian.ndim not in (2, 3):
        raise ValueError(
            f"an image has 2 axes, or 3 with channels; the Laplacian has shape {laplacian.shape}."
        )
    shape = laplacian.shape[:2]
    first, second = _differences(shape, spacing)
    matrix = first.T @ first + second.T @ second
    return _solve(matrix, -laplacian.reshape(shape[0] * shape[1], -1), laplacian.shape, mean, held)


def _differences(shape: tuple[int, int], spacing: tuple[float, float]) -> list[sparse.csr_array]:
    return [along(forward_difference(shape[axis], spacing[axis]), shape, axis) for axis in (0, 1)]


def _solve(
    matrix: sparse.sparray, right: Array, shape: tuple[int, ...], mean: float | Array, held: Array | None
) -> Array:
    if held is None:
        image = solve_symmetric(matrix.tocsc(), right - right.mean(axis=0), floating=True)
        return (image - image.mean(axis=0) + np.asarray(mean)).reshape(shape)
    if np.shape(held) != shape:
        raise ValueError(f"held pixels have shape {np.shape(held)}; the image has {shape}.")
    values = np.asarray(held, dtype=float).reshape(len(right), -1)
    free = np.isnan(values).any(axis=1)
    if free.all():
        raise ValueError("no pixel is held; give at least one number, or leave `held` out and give the mean.")
    image = np.where(np.isnan(values), 0.0, values)
    rows = matrix.tocsr()[free]
    image[free] = solve_symmetric(rows[:, free].tocsc(), right[free] - rows[:, ~free] @ image[~free])
    return image.reshape(shape)
