"""Band-limited points between nodes, for shots and receivers on a grid.

The weights of a point are the least-squares best for plane waves of all directions with at least four nodes in a
wavelength. The error is 5e-5 with eight nodes and 2e-4 with four (cubic polynomials: 9e-3 and 9e-2). A point on a node
is that node. Beyond the sides fields continue as in `staggered_difference`: odd, or even at mirrors.
Source: Hicks (2002), Geophysics 67(1), has Kaiser windows for the same purpose.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from neurapde.reference_solvers.grids.grid import Grid

RADIUS = 5
"""Nodes to either side."""
BAND = np.pi / 2
"""Largest k h the weights are fitted to."""

Array = NDArray[np.float64]


def band_limited(
    grid: Grid,
    points: Array,
    *,
    variance: float = 0.0,
    mirrors: Sequence[tuple[bool, bool]] | None = None,
) -> sparse.csr_array:
    """`(points, grid.size)`: the value of a field at points, or its mean under a Gaussian around each.

    The rows divided by the cells' volumes, halved at mirrors, are discrete deltas, or Gaussians, of unit mass.

    Args:
        grid: the nodes; more than 5 on each axis.
        points: `(n, d)`, within the grid.
        variance: of the Gaussian, the same along all axes; 0 for points.
        mirrors: for each axis whether the lower and the upper side are mirrors; None for none.

    Raises: ValueError for points of another dimension or outside the grid, a negative variance, too few nodes.
    """
    points = grid.checked(points)
    if not variance >= 0:
        raise ValueError(f"a variance must not be negative; got {variance}.")
    if min(grid.shape) <= RADIUS:
        raise ValueError(
            f"band-limited points need {RADIUS + 1} nodes along each axis; got {tuple(grid.shape)}."
        )
    lines = [
        _along_axis((points[:, axis] - low) / h, n, np.sqrt(variance) / h, ends)
        for axis, (low, h, n, ends) in enumerate(
            zip(
                grid.lower,
                grid.spacing,
                grid.shape,
                mirrors or [(False, False)] * grid.dimension,
                strict=True,
            )
        )
    ]
    columns, weights = [], []
    for rows in zip(*lines, strict=True):
        here = [np.flatnonzero(row) for row in rows]
        columns.append(np.ravel_multi_index(np.ix_(*here), tuple(grid.shape)).ravel())
        weight = np.ones(1)
        for row, index in zip(rows, here, strict=True):
            weight = np.multiply.outer(weight, row[index]).ravel()
        weights.append(weight)
    ends = np.cumsum([0, *(len(column) for column in columns)])
    empty = [np.zeros(0)]
    return sparse.csr_array(
        (np.concatenate(weights or empty), np.concatenate(columns or empty).astype(np.int64), ends),
        shape=(len(points), grid.size),
    )


def _along_axis(positions: Array, nodes: int, deviation: float, mirrors: tuple[bool, bool]) -> Array:
    """Weights `(points, nodes)` of positions in spacings, smoothed by a Gaussian of this deviation in spacings."""
    if deviation == 0:
        return _point_weights(positions, nodes, mirrors)
    step = 2 * np.pi / (6.5 + BAND * deviation)  # the trapezoid rule is exact to 1e-9 over the band
    count = int(np.ceil(7.0 / step))
    places = step * np.arange(-count, count + 1)
    masses = step * np.exp(-(places**2) / 2) / np.sqrt(2 * np.pi)
    spread = (positions[:, None] + deviation * places).ravel()
    weights = _point_weights(spread, nodes, mirrors).reshape(len(positions), -1, nodes)
    return np.einsum("pqn,q->pn", weights, masses)


def _point_weights(positions: Array, nodes: int, mirrors: tuple[bool, bool]) -> Array:
    offsets = np.arange(1 - RADIUS, RADIUS + 1)
    first = np.floor(positions).astype(int)
    gram = np.sinc(BAND / np.pi * (offsets[:, None] - offsets))
    right = np.sinc(BAND / np.pi * (offsets[:, None] - (positions - first)))
    weights = np.linalg.solve(gram, right).T
    weights[abs(weights) < 1e-12] = 0.0
    index = first[:, None] + offsets
    low, high = (1.0 if mirror else -1.0 for mirror in mirrors)
    while ((index < 0) | (index >= nodes)).any():
        weights, index = np.where(index < 0, low, 1.0) * weights, abs(index)
        weights = np.where(index >= nodes, high, 1.0) * weights
        index = np.where(index >= nodes, 2 * (nodes - 1) - index, index)
    matrix = np.zeros((len(positions), nodes))
    rows = np.broadcast_to(np.arange(len(positions))[:, None], index.shape)
    np.add.at(matrix, (rows, index), weights)
    return matrix
