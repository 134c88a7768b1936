"""One function followed along lines: where neighbouring values differ suddenly, and bisection of what lies between them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neurapde.core.arrays import to_numpy

INSIDE = 1e-7
"""Part of an axis by which lines stay off its ends, where a function may have values of its own."""
LEAST = 1e-2
"""Change between neighbouring points, in units of the function's size there, that is worth a closer look."""
UNSEEN = 1e-12
"""Change in units of the function's range that is rounding, or the far tail of a pulse."""
SUDDEN = 3.0
"""Change between neighbouring points, in units of the smaller of those on either side, that is sudden."""
BISECTIONS, MOST = 36, 4096
"""Bisections of an interval, and intervals that are bisected for each axis, those of the largest changes."""
NARROW = 0.25
"""Part of the distance between points: a change that needs more of it is seen by the points as they are."""
STEEP = 0.01
"""Part of an axis: a function that changes by all its range within less is narrow, though the points see it as it is."""

CLOSEST, DECADE = 10, 12
"""Decades of an axis within which points come closer to a place, and points in each."""

Array = NDArray[np.float64]
Function = Callable[[Array], NDArray]


@dataclass(frozen=True)
class Asked:
    """A function asked only where it may be; NaN elsewhere."""

    function: Function
    contains: Callable[[Array], NDArray]

    def __call__(self, points: Array) -> NDArray:
        inside = np.asarray(self.contains(points))
        if inside.all():
            return to_numpy(self.function(points)) * 1.0
        values = np.full(len(points), np.nan)
        if inside.any():
            known = to_numpy(self.function(points[inside]))
            values = values.astype(np.result_type(known, values))
            values[inside] = known
        return values


class Met(NamedTuple):
    """Places `(m, d)` with widths and gaps `(m,)`, and the middles `(k, d)` of the layers between them."""

    points: Array
    widths: Array
    gaps: Array
    middles: Array


def evenly(along: int, offsets: Array) -> Array:
    """Parts of an axis `(lines, along)`, each line with an offset `(lines,)` of its own: what is thin is met on some."""
    return np.asarray((np.arange(along) + offsets[:, None]) / along)


def closely(middles: Array) -> Array:
    """Parts of an axis `(lines, n)`, ever closer to a part `(lines,)` on either side of it."""
    steps = 10.0 ** np.arange(-CLOSEST, 0.0, 1 / DECADE)
    return np.sort(middles[:, None] + np.concatenate([-steps, [0.0], steps]), axis=1)


def met_on_lines(asked: Asked, lower: Array, upper: Array, axis: int, starts: Array, fractions: Array) -> Met:
    """What is met on the lines along one axis through `starts` `(lines, d)`, by points at parts of it `(lines, n)`."""
    lines = len(starts)
    ends = np.zeros((lines, 1))
    fractions = np.clip(np.concatenate([ends, fractions, ends + 1], axis=1), INSIDE, 1 - INSIDE)
    places = lower[axis] + (upper - lower)[axis] * fractions

    def at(rows: NDArray, coordinates: Array) -> NDArray:
        points = starts[rows]
        points[:, axis] = coordinates
        return asked(points)

    rows = np.repeat(np.arange(lines), fractions.shape[1])
    values = at(rows, places.ravel()).reshape(places.shape)
    row, first = _sudden(values)
    low, high = places[row, first], places[row, first + 1]
    where, widths = _closed_in(at, row, low, high, values[row, first], values[row, first + 1])
    narrow = widths < NARROW * (high - low)
    steep, middles, lengths = _steep(values, places, STEEP * (upper - lower)[axis])
    row = np.concatenate([row[narrow], steep])
    where, widths = np.concatenate([where[narrow], middles]), np.concatenate([widths[narrow], lengths])
    order = np.lexsort((where, row))
    row, where, widths = row[order], where[order], widths[order]
    points = starts[row]
    points[:, axis] = where
    between = np.flatnonzero((row[1:] == row[:-1]) & (widths[1:] == 0) & (widths[:-1] == 0))
    middles = (points[between] + points[between + 1]) / 2
    return Met(points, widths, np.where(widths == 0, _gaps(row, where), np.inf), middles)


def _sudden(values: NDArray) -> tuple[NDArray, NDArray]:
    """Rows and first columns of the intervals in which the values change suddenly, at most `MOST`."""
    change = np.abs(np.diff(values, axis=1))
    size = np.maximum(np.abs(values[:, 1:]), np.abs(values[:, :-1]))
    known = np.abs(values - np.nanmean(values)) if np.isfinite(values).any() else np.zeros(values.shape)
    span = np.nanmax(known, initial=0.0)
    worth = change > np.maximum(LEAST * np.minimum(size, span), UNSEEN * span)
    beside = np.pad(change, ((0, 0), (1, 1)), mode="reflect")
    calm = np.fmin(beside[:, :-2], beside[:, 2:])
    jumps = np.argwhere(worth & ~(change <= SUDDEN * calm))
    if len(jumps) > MOST:
        largest = np.argsort(-change[tuple(jumps.T)], kind="stable")[:MOST]
        jumps = jumps[largest]
    return jumps[:, 0], jumps[:, 1]


def _steep(values: NDArray, places: Array, length: float) -> tuple[NDArray, Array, Array]:
    """Rows and places where the values change fastest, if by their range within `length`, and the length they need."""
    change = np.abs(np.diff(values, axis=1))
    known = values[np.isfinite(values)]
    slope = change / np.maximum(np.diff(places, axis=1), 1e-300)
    span = float(np.abs(known - known[:1]).max(initial=0.0))
    beside = np.pad(slope, ((0, 0), (1, 1)), constant_values=-1.0)
    calm = np.fmin(beside[:, :-2], beside[:, 2:]) * SUDDEN >= slope
    top = (slope >= np.fmax(beside[:, :-2], beside[:, 2:])) & calm
    row, first = np.nonzero(top & (slope * length > span) & (span > 0))
    fastest = np.argsort(-slope[row, first], kind="stable")[:MOST]
    row, first = row[fastest], first[fastest]
    middles = (places[row, first] + places[row, first + 1]) / 2
    return row, middles, span / slope[row, first]


def _closed_in(
    at: Callable[[NDArray, Array], NDArray],
    row: NDArray,
    low: Array,
    high: Array,
    first: NDArray,
    last: NDArray,
) -> tuple[Array, Array]:
    """Where in each interval the change happens, and the width within which half of it still does; 0 for a jump."""
    whole = np.abs(last - first)
    where, widths = (low + high) / 2, high - low
    abrupt = np.ones(len(low), dtype=bool)
    for _ in range(BISECTIONS if len(low) else 0):
        middle = (low + high) / 2
        value = at(row, middle)
        left = np.abs(value - first) >= np.abs(last - value)
        high, last = np.where(left, middle, high), np.where(left, value, last)
        low, first = np.where(left, low, middle), np.where(left, first, value)
        abrupt &= np.abs(last - first) >= whole / 2
        where = np.where(abrupt, (low + high) / 2, where)
        widths = np.where(abrupt, high - low, widths)
    return where, np.where(abrupt, 0.0, widths)


def _gaps(row: NDArray, where: Array) -> Array:
    """The distance to the nearest neighbour on the same line."""
    after = np.full(len(where), np.inf)
    same = row[1:] == row[:-1]
    after[:-1][same] = np.diff(where)[same]
    before = np.full(len(where), np.inf)
    before[1:] = after[:-1]
    return np.minimum(after, before)


def spread_points(count: int, dimension: int) -> Array:
    """Well spread points `(count, d)` of the unit cube, always the same: multiples of powers of a root (Roberts 2018)."""
    root = 2.0
    for _ in range(32):
        root = (1 + root) ** (1 / (dimension + 1))
    return np.asarray((0.5 + np.outer(np.arange(1, count + 1), root ** -np.arange(1.0, dimension + 1))) % 1)
