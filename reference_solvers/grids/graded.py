"""A tensor grid with closer nodes at given places: on both sides of a thin layer, with nodes on its faces.

Fields may have kinks at breaks. Between two breaks the distance of the nodes grows slowly from the one given at a
place to the largest one, and fields are interpolated by cubic polynomials of nodes on one side of every break.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from neurapde.reference_solvers.grids.grid import Grid

GROWTH = 0.25
"""Growth of the distance of nodes with the distance from close nodes."""
CELLS = 4
"""The least number of cells between two breaks."""
DEGREE = 3
_CHUNK = 1 << 18

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Graded(Grid):
    """Nodes `(n_i,)` along each axis, increasing, at any distance; `breaks` are some of them, both ends included."""

    nodes: Sequence[Array] = field(default=(), repr=False)
    breaks: Sequence[Array] = field(default=(), repr=False)

    @property
    def axes(self) -> tuple[Array, ...]:
        return tuple(self.nodes)

    @property
    def steps(self) -> tuple[Array, ...]:
        return tuple(np.diff(axis) for axis in self.nodes)


def graded(
    lower: Sequence[float],
    upper: Sequence[float],
    spacing: Sequence[float],
    breaks: Sequence[Array],
    close: Sequence[tuple[Array, Array]],
    most: int,
) -> Graded:
    """A graded grid of a box.

    Args:
        lower, upper: `(d,)`, its corners.
        spacing: `(d,)`, the largest distance of nodes along each axis.
        breaks: for each axis coordinates inside, at which nodes are put.
        close: for each axis coordinates `(k,)` and the distances `(k,)` of nodes there.
        most: largest number of nodes along an axis; the distances grow until it suffices.
    """
    nodes, cuts = [], []
    for axis, (a, b) in enumerate(zip(lower, upper, strict=True)):
        inner = np.asarray(breaks[axis], dtype=float)
        edges = np.unique(np.concatenate([[a, b], inner[(inner > a) & (inner < b)]]))
        places, wanted = close[axis]
        gaps = np.diff(edges)
        near = np.minimum(np.append(gaps, np.inf), np.append(np.inf, gaps)) / CELLS / 2
        places, wanted = np.concatenate([edges, places]), np.concatenate([near, wanted])
        loosened = 1.0
        while True:
            coordinates = _axis(edges, float(spacing[axis]), places, loosened * wanted)
            if len(coordinates) <= max(most, CELLS * len(edges)):
                break
            loosened *= 1.25
        nodes.append(coordinates)
        cuts.append(edges)
    return Graded(tuple(lower), tuple(upper), tuple(map(len, nodes)), tuple(nodes), tuple(cuts))


def _axis(edges: Array, spacing: float, places: Array, wanted: Array) -> Array:
    """The nodes of one axis: as many between two edges as the distances need, equally spaced in units of these."""
    tight = wanted < spacing
    places, wanted = places[tight], wanted[tight]
    pieces = []
    for start, stop in pairwise(edges):
        steps = np.concatenate(
            [np.linspace(0, 1, 257), np.geomspace(1e-7, 1, 120), 1 - np.geomspace(1e-7, 1, 120)]
        )
        x = np.unique(
            np.concatenate([start + (stop - start) * steps, places[(places > start) & (places < stop)]])
        )
        x = x[np.concatenate([[True], np.diff(x) > 1e-9 * (stop - start)])]
        x[-1] = stop
        distance = np.abs(x[:, None] - places)
        local = np.minimum(spacing, (wanted + GROWTH * distance).min(axis=1, initial=np.inf))
        density = 1 / local
        total = np.concatenate([[0.0], np.cumsum(np.diff(x) * (density[1:] + density[:-1]) / 2)])
        count = max(CELLS, int(np.ceil(total[-1] - 1e-9)))
        pieces.append(np.interp(np.linspace(0, total[-1], count + 1), total, x)[:-1])
    return np.concatenate([*pieces, edges[-1:]])


def interpolate_graded(grid: Graded, values: NDArray, points: Array) -> NDArray:
    """The field `values` `(*shape)` at the points `(n, d)`: `(n,)`.

    Raises: ValueError if a point is not in the grid's box.
    """
    if not grid.contains(points).all():
        raise ValueError(f"some points are not in the box from {grid.lower} to {grid.upper}.")
    flat, result = values.ravel(), np.empty(len(points), values.dtype)
    for begin in range(0, len(points), _CHUNK):
        some = points[begin : begin + _CHUNK]
        columns, weights = np.zeros((len(some), 1), np.int64), np.ones((len(some), 1))
        for axis, (nodes, breaks) in enumerate(zip(grid.nodes, grid.breaks, strict=True)):
            first, line = _stencil(nodes, breaks, some[:, axis])
            reach = first[:, None] + np.arange(DEGREE + 1)
            columns = (columns[:, :, None] * len(nodes) + reach[:, None]).reshape(len(some), -1)
            weights = (weights[:, :, None] * line[:, None]).reshape(len(some), -1)
        result[begin : begin + _CHUNK] = np.einsum("np,np->n", weights, flat[columns])
    return result


def _stencil(nodes: Array, breaks: Array, x: Array) -> tuple[NDArray[np.int64], Array]:
    """First nodes `(n,)` and Lagrange weights `(n, 4)` at coordinates `(n,)`, on one side of every break."""
    ends = np.searchsorted(nodes, breaks - 1e-12 * (nodes[-1] - nodes[0]))
    segment = np.clip(np.searchsorted(breaks, x, side="right") - 1, 0, len(breaks) - 2)
    cell = np.clip(np.searchsorted(nodes, x, side="right") - 1, 0, len(nodes) - 2)
    first = np.clip(cell - 1, ends[segment], ends[segment + 1] - DEGREE)
    stencil = nodes[first[:, None] + np.arange(DEGREE + 1)]
    weights = np.ones(stencil.shape)
    for k in range(DEGREE + 1):
        for other in range(DEGREE + 1):
            if other != k:
                weights[:, k] *= (x - stencil[:, other]) / (stencil[:, k] - stencil[:, other])
    return first, weights
