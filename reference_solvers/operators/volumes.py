"""Averages of a rough field for finite volumes on a tensor grid: never at a node, where a face of the medium may lie.

A node's volume is cut at the node into halves along each axis, and each half into parts with a value at their centres.
The flux between nodes passes successive parts in series and adjacent parts in parallel, so the coefficient of an edge
is the harmonic mean along it and the arithmetic mean across: exact for layers along the axes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from neurapde.reference_solvers.grids.grid import Grid

NEAR = 1e-6
_CHUNK = 1 << 20

Array = NDArray[np.float64]
Function = Callable[[Array], Array]


@dataclass(frozen=True)
class _Line:
    """Places `(m,)` along an axis, the first `(k,)` of each group, and their weights `(m,)` in it, which add up to 1."""

    places: Array
    starts: NDArray[np.int64]
    weights: Array


def edge_means(function: Function, grid: Grid, parts: int, *, harmonic: bool = True) -> list[Array]:
    """For each axis the coefficient of its edges, axis i of array i one shorter than the grid."""
    means = []
    for axis in range(grid.dimension):
        across = _beside if harmonic else partial(_owned, parts=parts)
        lines = [_edges(x, parts) if k == axis else across(x) for k, x in enumerate(grid.axes)]
        means.append(_averaged(function, lines, axis if harmonic else None))
    return means


def node_means(function: Function, grid: Grid, parts: int) -> Array:
    """`(*shape)`, the mean over each node's volume."""
    return _averaged(function, [_owned(x, parts) for x in grid.axes], None)


def side_means(function: Function, grid: Grid, axis: int, end: int, parts: int) -> Array:
    """The mean over the part of a side that belongs to each node, of the grid's shape without that axis; end: 0 or -1."""
    lines = [
        _Line(x[[end]], np.zeros(1, np.int64), np.ones(1)) if k == axis else _owned(x, parts)
        for k, x in enumerate(grid.axes)
    ]
    return _averaged(function, lines, None).squeeze(axis)


def _edges(nodes: Array, parts: int) -> _Line:
    fractions = (np.arange(parts) + 0.5) / parts
    places = nodes[:-1, None] + np.diff(nodes)[:, None] * fractions
    return _Line(places.ravel(), parts * np.arange(len(nodes) - 1), np.full(places.size, 1 / parts))


def _beside(nodes: Array) -> _Line:
    """Places on both sides of each node, very near to it, each weighted by the node's length there."""
    half = np.diff(nodes) / 2
    places = np.stack([nodes[:-1] + NEAR * half, nodes[1:] - NEAR * half], axis=1).ravel()
    starts = np.concatenate([[0], 1 + 2 * np.arange(len(half))])
    lengths = np.repeat(half, 2)
    counts = np.diff(np.append(starts, len(places)))
    return _Line(places, starts, lengths / np.repeat(np.add.reduceat(lengths, starts), counts))


def _owned(nodes: Array, parts: int) -> _Line:
    """The length of each node: half of each neighbouring cell."""
    half = np.diff(nodes) / 2
    fractions = (np.arange(parts) + 0.5) / parts
    after = nodes[:-1, None] + half[:, None] * fractions
    before = nodes[1:, None] - half[:, None] * fractions[::-1]
    places = np.stack([after, before], axis=1).ravel()
    lengths = np.repeat(half, 2 * parts)
    starts = np.concatenate([[0], parts + 2 * parts * np.arange(len(nodes) - 1)])
    total = np.add.reduceat(lengths, starts)
    counts = np.diff(np.append(starts, len(places)))
    return _Line(places, starts, lengths / np.repeat(total, counts))


def _averaged(function: Function, lines: Sequence[_Line], harmonic: int | None) -> Array:
    """The means over the products of groups, harmonic along one axis, in slabs of the first axis."""
    first, others = lines[0], lines[1:]
    rest = int(np.prod([len(line.places) for line in others]))
    slabs = max(1, _CHUNK // rest)
    results, begin = [], 0
    ends = np.append(first.starts[1:], len(first.places))
    while begin < len(first.starts):
        stop = begin + max(1, int(np.searchsorted(ends, first.starts[begin] + slabs)) - begin)
        span = slice(first.starts[begin], ends[stop - 1])
        piece = _Line(first.places[span], first.starts[begin:stop] - span.start, first.weights[span])
        results.append(_reduced(function, [piece, *others], harmonic))
        begin = stop
    return np.concatenate(results)


def _reduced(function: Function, lines: Sequence[_Line], harmonic: int | None) -> Array:
    points = np.stack(np.meshgrid(*(line.places for line in lines), indexing="ij"), axis=-1)
    values = np.asarray(function(points.reshape(-1, len(lines))), dtype=float).reshape(points.shape[:-1])
    order = [k for k in range(len(lines)) if k != harmonic]
    for axis in order if harmonic is None else [harmonic, *order]:
        along = [1] * len(lines)
        along[axis] = -1
        weights, starts = lines[axis].weights.reshape(along), lines[axis].starts
        if axis == harmonic:
            values = 1 / np.add.reduceat(weights / values, starts, axis=axis)
        else:
            values = np.add.reduceat(weights * values, starts, axis=axis)
    return values
