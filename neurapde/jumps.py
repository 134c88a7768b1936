"""Where functions of the place jump, or change within a short length: seen on lines, then closed in by bisection.

A function can only be asked for values, so what it does between them stays unknown: `Features.looked` says how fine it
was looked at. Methods take from here whether a field is rough, where a quadrature or a grid must have its breaks, and
where a check needs points.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from neurapde.core.arrays import to_numpy
from neurapde.core.wording import number
from neurapde.domains.base import Domain
from neurapde.medium import Field, FunctionField, Piecewise

LINES, ALONG = {1: 1, 2: 128}, {1: 65536, 2: 1024}
"""Lines along each axis, and points on each, by the number of axes."""
MANY, SOME = 144, 512
"""Lines and points with more axes."""
INSIDE = 1e-7
"""Part of an axis by which lines stay off its ends, where a function may have values of its own."""
LEAST = 1e-2
"""Change between neighbouring points, in units of the function's size there, that is worth a closer look."""
SUDDEN = 3.0
"""Change between neighbouring points, in units of the smaller of those on either side, that is sudden."""
BISECTIONS, MOST = 36, 4096
"""Bisections of an interval, and intervals that are bisected for each axis, those of the largest changes."""
NARROW = 0.25
"""Part of the distance between points: a change that needs more of it is seen by the points as they are."""
STEEP = 0.01
"""Part of an axis: a function that changes by all its range within less is narrow, though the points see it as it is."""
SAME, COMMON = 1e-9, 3
"""Part of an axis within which places are one, and lines that must share a place to make it a plane across the axis."""

Array = NDArray[np.float64]
Function = Callable[[Array], NDArray]


@dataclass(frozen=True)
class Features:
    """Places `(m, d)` where a function changes abruptly along an axis.

    axes:    `(m,)`, the axis along which it was followed.
    widths:  `(m,)`, the length within which most of the change, or one by the function's range, happens; 0 for a jump.
    gaps:    `(m,)`, the distance to the next such place on the same line, the thickness of a layer; infinite without one.
    spacing: `(d,)`, the distance between the points looked at along each axis.
    lines:   the number of lines looked at along each axis; 0 where there was no function to look at.
    """

    points: Array
    axes: NDArray[np.int64]
    widths: Array
    gaps: Array
    spacing: Array
    lines: int
    extents: Array = field(repr=False)

    def __len__(self) -> int:
        return len(self.points)

    @property
    def scales(self) -> Array:
        """`(m,)`, the length that a method must resolve at each place: of a steep change, else of the layer it bounds.

        A chord close to the rim of a round region is short, but the region is not thin there: the longest of the three
        nearest chords counts.
        """
        found = np.where(self.widths > 0, self.widths, self.gaps)
        layers = np.flatnonzero(np.isfinite(self.gaps) & (self.widths == 0))
        if len(layers):
            _, near = cKDTree(self.points[layers]).query(self.points[layers], k=min(5, len(layers)))
            found[layers] = self.gaps[layers][near.reshape(len(layers), -1)].max(axis=1)
        return found

    @property
    def narrowest(self) -> float:
        """The least of the scales; infinite where there are none."""
        return float(self.scales.min(initial=np.inf))

    def planes(self, axis: int) -> Array:
        """Coordinates along an axis, increasing, at which several lines meet a jump: planes across it."""
        chosen = (self.axes == axis) & (self.widths == 0)
        places = np.sort(self.points[chosen, axis])
        if not len(places):
            return places
        groups = np.split(places, np.flatnonzero(np.diff(places) > SAME * self.extents[axis]) + 1)
        needed = min(COMMON, self.lines)
        return np.array([np.median(group) for group in groups if len(group) >= needed])

    @property
    def askew(self) -> bool:
        """Whether it jumps, or changes steeply, elsewhere than on planes across the axes."""
        for axis in range(len(self.extents)):
            places, planes = self.points[self.axes == axis, axis], self.planes(axis)
            away = np.abs(places[:, None] - planes).min(axis=1, initial=np.inf)
            if (away > SAME * self.extents[axis]).any():
                return True
        return False

    @property
    def looked(self) -> str:
        """How fine the functions were looked at, in words."""
        finest = " and ".join(dict.fromkeys(number(float(f"{h:.2g}")) for h in self.spacing))
        return f"every {finest} on {self.lines} line{'s' if self.lines > 1 else ''} along each axis"


def narrow_features(
    function: Function, domain: Domain, contains: Callable[[Array], NDArray] | None = None
) -> Features:
    """Where a function of points `(n, d)`, real or complex `(n,)`, changes abruptly in a domain.

    contains: which points `(n, d)` it may be asked at; those of the domain unless given.
    """
    lower, upper = (np.asarray(corner, dtype=float) for corner in domain.bounds)
    dimension = len(lower)
    lines, along = LINES.get(dimension, MANY), ALONG.get(dimension, SOME)
    asked = _Asked(function, domain.contains if contains is None else contains)
    parts = [_on_axis(asked, lower, upper, axis, lines, along) for axis in range(dimension)]
    points, widths, gaps = (np.concatenate(column) for column in zip(*parts, strict=True))
    axes = np.repeat(np.arange(dimension), [len(part[0]) for part in parts])
    extents = upper - lower
    return Features(points, axes, widths, gaps, extents / along, lines, extents)


def features_of(fields: Sequence[Field], domain: Domain) -> Features:
    """Where the functions among fields, those within `Piecewise` too, change abruptly; what is declared is not looked at."""
    found = [
        narrow_features(function, domain, contains)
        for one in fields
        for function, contains in _functions(one, domain.contains)
    ]
    lower, upper = (np.asarray(corner, dtype=float) for corner in domain.bounds)
    none = np.empty(0)
    empty = Features(np.empty((0, len(lower))), none.astype(int), none, none, 0 * lower, 0, upper - lower)
    every = [empty, *found]
    return Features(
        np.concatenate([one.points for one in every]),
        np.concatenate([one.axes for one in every]),
        np.concatenate([one.widths for one in every]),
        np.concatenate([one.gaps for one in every]),
        every[-1].spacing,
        every[-1].lines,
        upper - lower,
    )


def _functions(
    one: Field, contains: Callable[[Array], NDArray]
) -> list[tuple[Function, Callable[[Array], NDArray]]]:
    """The functions of a field that can only be asked for values, each with where it holds."""
    if isinstance(one, Piecewise):
        found = _functions(one.background, contains)
        for region, value in one.pieces:
            found += _functions(value, _both(contains, region.contains))
        return found
    return [(one, contains)] if isinstance(one, FunctionField) else []


def _both(one: Callable[[Array], NDArray], other: Callable[[Array], NDArray]) -> Callable[[Array], NDArray]:
    return lambda points: one(points) & other(points)


@dataclass(frozen=True)
class _Asked:
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


def _on_axis(
    asked: _Asked, lower: Array, upper: Array, axis: int, lines: int, along: int
) -> tuple[Array, Array, Array]:
    """Places `(m, d)`, widths and gaps `(m,)` on lines along one axis."""
    others = _spread(lines, len(lower))
    starts = lower + (upper - lower) * (INSIDE + (1 - 2 * INSIDE) * others)
    # each line has points of its own, so that what is thinner than their distance is met on some
    fractions = (np.arange(along) + others[:, axis : axis + 1]) / along
    ends = np.zeros((lines, 1))
    fractions = np.clip(np.concatenate([ends, fractions, ends + 1], axis=1), INSIDE, 1 - INSIDE)
    places = lower[axis] + (upper - lower)[axis] * fractions

    def at(rows: NDArray, coordinates: Array) -> NDArray:
        points = starts[rows]
        points[:, axis] = coordinates
        return asked(points)

    rows = np.repeat(np.arange(lines), along + 2)
    values = at(rows, places.ravel()).reshape(places.shape)
    row, first = _sudden(values)
    low, high = places[row, first], places[row, first + 1]
    where, widths = _closed_in(at, row, low, high, values[row, first], values[row, first + 1])
    kept = widths < NARROW * (upper - lower)[axis] / along
    steep, middles, lengths = _steep(values, places, STEEP * (upper - lower)[axis])
    row = np.concatenate([row[kept], steep])
    where, widths = np.concatenate([where[kept], middles]), np.concatenate([widths[kept], lengths])
    order = np.lexsort((where, row))
    row, where, widths = row[order], where[order], widths[order]
    points = starts[row]
    points[:, axis] = where
    return points, widths, np.where(widths == 0, _gaps(row, where), np.inf)


def _sudden(values: NDArray) -> tuple[NDArray, NDArray]:
    """Rows and first columns of the intervals in which the values change suddenly, at most `MOST`."""
    change = np.abs(np.diff(values, axis=1))
    size = np.maximum(np.abs(values[:, 1:]), np.abs(values[:, :-1]))
    known = np.abs(values - np.nanmean(values)) if np.isfinite(values).any() else np.zeros(values.shape)
    worth = change > LEAST * np.minimum(size, np.nanmax(known, initial=0.0))
    beside = np.pad(change, ((0, 0), (1, 1)), mode="reflect")
    calm = np.fmin(beside[:, :-2], beside[:, 2:])
    found = np.argwhere(worth & ~(change <= SUDDEN * calm))
    if len(found) > MOST:
        largest = np.argsort(-change[tuple(found.T)], kind="stable")[:MOST]
        found = found[largest]
    return found[:, 0], found[:, 1]


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


def _spread(count: int, dimension: int) -> Array:
    """Well spread points `(count, d)` of the unit cube, always the same: multiples of powers of a root (Roberts 2018)."""
    root = 2.0
    for _ in range(32):
        root = (1 + root) ** (1 / (dimension + 1))
    return np.asarray((0.5 + np.outer(np.arange(1, count + 1), root ** -np.arange(1.0, dimension + 1))) % 1)
