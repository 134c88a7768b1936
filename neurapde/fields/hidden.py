"""Places where a function is something else than round about, though no point lies there: sharp beads, thin layers.

The quantities of its operations lead to them: each is followed downhill to where its height is least, and so is the largest
of two or three heights, to the corner where all are. What the function is beside such a place tells whether it is hidden.
"""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter, minimum_filter

from neurapde.fields.operations import heights

GRID = {1: 4096, 2: 128, 3: 32}
"""Points along each axis from which quantities are followed."""
MOST, ALONG = 24, 12
"""Lowest points of a quantity that are followed, and of those of quantities together."""
PAIRED = 8
"""Quantities that are looked at together: as many as there are axes, and fewer."""
ROUNDS, DRAWN, CLOSER = 36, {1: 12, 2: 12, 3: 36}, 0.55
"""Times that one looks round each place, points drawn each time, and the box each time, in units of that before."""
INSIDE = 1e-9
"""Part of an axis by which points stay off its ends, where a function may have values of its own."""
BESIDE = 10.0 ** -np.arange(1.0, 9.0)
"""Distances from a place, in those of the grid's points, at which the function is asked."""
OTHERWISE = 4.0
"""Difference from the values round about, in units of their own, that is something else."""
LEAST = 1e-6
"""Difference in units of the function's size that is none."""
AROUND, NEARER = 26, 0.4
"""Directions in which values round about are taken, and how near the nearer are, in distances of the grid's points."""
SCALES = {1: (1.0,), 2: (1.0,), 3: (1.0, 4.0)}
"""Such distances in units of those of the grid's points: in space lines may miss what is as wide as a few of these."""
KEPT = 64
"""Places that are told of."""
SEED = 83497
AT_CORNER = 1e-3
"""Of the extents: how near to a corner a function may be singular, and is not narrow."""

Array = NDArray[np.float64]


def hidden_places(
    function: Callable[[Array], Any],
    lower: Array,
    upper: Array,
    contains: Callable[[Array], NDArray[Any]] | None = None,
) -> Array:
    """Places `(m, d)` of a box at which a function is hidden; none where its operations cannot be followed.

    contains: which points `(n, d)` it may be asked at; all unless given.
    """
    lower, upper = np.asarray(lower, dtype=float), np.asarray(upper, dtype=float)
    dimension = len(lower)
    if dimension not in GRID:
        return np.empty((0, dimension))

    def asked(unit: Array) -> tuple[NDArray[Any], list[Array]]:
        points = lower + (upper - lower) * np.clip(unit, INSIDE, 1 - INSIDE)
        inside = np.ones(len(points), dtype=bool) if contains is None else np.asarray(contains(points))
        if inside.all():
            return heights(function, points)
        known, low = heights(function, points[inside])
        return _scattered(known, inside), [_scattered(height, inside) for height in low]

    try:
        return lower + (upper - lower) * _found(asked, dimension)
    except Exception:  # of a function that takes no arrays but NumPy's own, or other points each time
        return np.empty((0, dimension))


def at_corners(places: Array, corners: Array, extents: Array) -> NDArray[np.bool_]:
    """Which places `(m, d)` are so near to a corner `(c, d)` that a function is singular there, not narrow: `(m,)`."""
    away = np.abs(places[:, None] - corners) / extents
    return np.asarray((away.max(axis=2) <= AT_CORNER).any(axis=1))


def _scattered(known: NDArray[Any], inside: NDArray[np.bool_]) -> NDArray[Any]:
    """Values where a function may be asked, NaN elsewhere."""
    values = np.full(len(inside), np.nan, dtype=np.result_type(known, float))
    values[inside] = known
    return values


def _found(asked: Callable[[Array], tuple[NDArray[Any], list[Array]]], dimension: int) -> Array:
    count = GRID[dimension]
    shape = [count] * dimension
    grid = (np.indices(shape).reshape(dimension, -1).T + 0.5) / count
    values, low = asked(grid)
    if not low:
        return np.empty((0, dimension))
    draw = np.random.default_rng(SEED)
    scales = [
        float(np.median(height[np.isfinite(height)])) if np.isfinite(height).any() else 1.0 for height in low
    ]
    scales = [abs(scale) or 1.0 for scale in scales]
    together: list[tuple[int, ...]] = [(i,) for i in range(len(low))]
    for size in range(2, dimension + 1):
        together += itertools.combinations(range(min(len(low), PAIRED)), size)
    starts, chosen = [], []
    for group in together:
        height = np.max([low[i] / scales[i] for i in group], axis=0)
        rows = _lowest(height.reshape(shape), draw, MOST if len(group) == 1 else ALONG)
        starts.append(grid[rows])
        chosen += [(*group, *[group[0]] * (dimension - len(group)))] * len(rows)
    places = np.concatenate(starts)
    if not len(places):
        return places
    places = _downhill(asked, places, np.array(chosen), np.array(scales), 1.5 / count, draw)
    return _otherwise(asked, places, values, count)


def _lowest(height: Array, draw: np.random.Generator, most: int) -> NDArray[np.int64]:
    """Where a height on the grid is least among its neighbours, at most so many: a third the lowest, others by chance."""
    least = minimum_filter(height, size=3, mode="nearest")
    flat = least == maximum_filter(height, size=3, mode="nearest")
    rows = np.flatnonzero((height == least) & ~flat & np.isfinite(height))
    rows = rows[np.argsort(height.ravel()[rows], kind="stable")]
    if len(rows) <= most:
        return rows
    return np.concatenate(
        [rows[: most // 3], draw.choice(rows[most // 3 :], most - most // 3, replace=False)]
    )


def _downhill(
    asked: Callable[[Array], tuple[NDArray[Any], list[Array]]],
    places: Array,
    chosen: NDArray[np.int64],
    scales: Array,
    half: float,
    draw: np.random.Generator,
) -> Array:
    """Each place moved to where its heights are least, in a box round it that shrinks."""
    count, dimension = places.shape

    def measured(points: Array) -> Array:
        flat = points.reshape(-1, dimension)
        relative = np.stack(asked(flat)[1]) / scales[:, None]
        of = np.repeat(chosen, points.shape[1], axis=0)
        height = relative[of, np.arange(len(flat))[:, None]].max(axis=1)
        return np.where(np.isfinite(height), height, np.inf).reshape(points.shape[:2])

    for _ in range(ROUNDS):
        offsets = half * draw.uniform(-1, 1, (count, DRAWN[dimension], dimension))
        offsets[:, 0] = 0.0
        points = np.clip(places[:, None] + offsets, 0.0, 1.0)
        places = points[np.arange(count), np.argmin(measured(points), axis=1)]
        half *= CLOSER
    return places


def _directions(dimension: int) -> Array:
    """Points `(n, d)` at distances of 1 and less on all sides, none along an axis: a layer may lie there."""
    if dimension == 1:
        around = np.array([[-1.0], [1.0]])
    else:
        around = np.random.default_rng(SEED).standard_normal((AROUND, dimension))
        if dimension == 2:
            angles = 2 * np.pi * (np.arange(AROUND) + 0.37) / AROUND
            around = np.column_stack([np.cos(angles), np.sin(angles)])
        around /= np.linalg.norm(around, axis=1, keepdims=True)
    return np.concatenate([NEARER * around, around])


def _otherwise(
    asked: Callable[[Array], tuple[NDArray[Any], list[Array]]],
    places: Array,
    values: NDArray[Any],
    count: int,
) -> Array:
    """Points beside places at which the function is something else than at the distance of the grid's points round them."""
    dimension = places.shape[1]
    signs = np.array(list(itertools.product((-1.0, 0.0, 1.0), repeat=dimension)))
    near = (signs[None] * BESIDE[:, None, None] / count).reshape(-1, dimension)

    def at(offsets: Array) -> tuple[Array, NDArray[Any]]:
        points = np.clip(places[:, None] + offsets, 0.0, 1.0)
        return points, asked(points.reshape(-1, dimension))[0].reshape(points.shape[:2])

    points, beside = at(near)
    differing = [
        _differing(points, beside, at(scale * _directions(dimension) / count)[1], values)
        for scale in SCALES[dimension]
    ]
    every = np.concatenate(differing)
    if not len(every):
        return every
    every = every[np.unique(np.round(every, 9), axis=0, return_index=True)[1]]
    return np.random.default_rng(SEED).permutation(every)[:KEPT]


def _differing(points: Array, beside: NDArray[Any], known: NDArray[Any], values: NDArray[Any]) -> Array:
    """Of the points (places, n, d) with their values beside each place those that differ most from the known round about."""
    asked_at = np.isfinite(known).any(axis=1)
    points, beside, known = points[asked_at], beside[asked_at], known[asked_at]
    if not len(points):
        return points[:, 0]
    middle = np.nanmedian(known.real, axis=1) + 1j * np.nanmedian(known.imag, axis=1)
    spread = np.nanmax(np.abs(known - middle[:, None]), axis=1)
    away = np.abs(beside - middle[:, None])
    away = np.where(np.isfinite(away), away, 0.0)
    best = np.argmax(away, axis=1)
    rows = np.arange(len(points))
    size = float(np.abs(values[np.isfinite(values)]).max(initial=0.0))
    hidden = away[rows, best] > np.maximum(OTHERWISE * spread, LEAST * size)
    return np.asarray(points[rows, best][hidden])
