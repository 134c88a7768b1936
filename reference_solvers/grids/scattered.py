"""Interpolation near the boundary of a domain that is cut out of a grid.

Nodes outside the domain have no value. A point near them uses the quadratic polynomial that fits the nearest nodes
with a value, first those in its line of sight, because across a slit or around a re-entrant corner the field is
different.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from neurapde.reference_solvers.grids.grid import Grid

NEAREST = {1: 5, 2: 20, 3: 40}
"""Number of nodes for a point, by the number of axes."""
ALONG = (0.25, 0.5, 0.75)
"""Places on the line to a node at which the test for the inside is done."""
RIDGE = 1e-10
"""Cut-off of the fit, so that coefficients that too few nodes leave undetermined are zero."""
_CHUNK = 4096

Array = NDArray[np.float64]


def from_known_nodes(
    grid: Grid, values: NDArray, points: Array, inside: Callable[[Array], NDArray[np.bool_]]
) -> NDArray:
    """The field `values`, `(*shape)` or `(*shape, c)`, not a number outside, at points `(n, d)`: `(n,)` or `(n, c)`.

    inside: points `(n, d)` to whether they lie in the closed domain.
    Raises: ValueError if no node has a value.
    """
    table = values.reshape(grid.size, -1)
    known = np.flatnonzero(np.isfinite(table).all(axis=1))
    if not len(known):
        raise ValueError("no node of the grid has a value; refine the grid.")
    spacing = np.asarray(grid.spacing)
    tree = cKDTree(grid.points[known] / spacing)
    count = min(NEAREST[grid.dimension], len(known))
    fitted = np.empty((len(points), table.shape[1]), table.dtype)
    for start in range(0, len(points), _CHUNK):
        some = points[start : start + _CHUNK]
        distances, chosen = (each.reshape(len(some), count) for each in tree.query(some / spacing, k=count))
        nodes = grid.points[known[chosen]]
        seen = _in_sight(some, nodes, inside)
        seen |= ~seen.any(axis=1, keepdims=True)
        weights = np.where(seen, np.maximum(distances, 1e-6) ** -4.0, 0.0)
        weights /= weights.max(axis=1, keepdims=True)
        offsets = (nodes - some[:, None]) / spacing
        fitted[start : start + _CHUNK] = _fitted(offsets, weights, table[known[chosen]])
    return fitted.reshape(len(points), *values.shape[grid.dimension :])


def _in_sight(points: Array, nodes: Array, inside: Callable[[Array], NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """`(n, k)`, whether the straight line from each point `(n, d)` to its nodes `(n, k, d)` stays inside."""
    seen = np.ones(nodes.shape[:2], dtype=bool)
    for fraction in ALONG:
        between = (1 - fraction) * points[:, None] + fraction * nodes
        seen &= np.asarray(inside(between.reshape(-1, points.shape[1]))).reshape(seen.shape)
    return seen


def _fitted(offsets: Array, weights: Array, values: NDArray) -> NDArray:
    """`(n, c)`, at the origin, the quadratics that fit values `(n, k, c)` at offsets `(n, k, d)`."""
    base = np.take_along_axis(values, weights.argmax(axis=1)[:, None, None], axis=1)
    d = offsets.shape[2]
    pairs = [offsets[..., i] * offsets[..., j] for i in range(d) for j in range(i, d)]
    terms = np.stack([np.ones(offsets.shape[:2]), *np.moveaxis(offsets, -1, 0), *pairs], axis=-1)
    weighed = np.swapaxes(terms, 1, 2) * weights[:, None]
    matrix = weighed @ terms + RIDGE * np.eye(terms.shape[2])
    return base[:, 0] + np.linalg.solve(matrix, weighed @ (values - base))[:, 0]
