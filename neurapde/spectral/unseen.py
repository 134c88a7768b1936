"""What a function holds that a quadrature of products does not see: narrower than its nodes, and between them.

From its values at the nodes of a rule a smooth function follows everywhere, by splines. Where it is something else, at one
point in each of many cells, the rule misses the difference: cells of large differences are cut up and looked at again.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from scipy.ndimage import maximum_filter
from scipy.spatial import cKDTree

from neurapde.core.arrays import to_numpy
from neurapde.domains.box import Box
from neurapde.fields.hidden import hidden_places
from neurapde.spectral.quadrature import FloatArray, interval_rule
from neurapde.spectral.weak import Piece

CELLS = {1: 2**14, 2: 300, 3: 44}
"""Cells along each axis."""
PARTS = {1: 16, 2: 4, 3: 3}
"""Into which a cell is cut along each axis."""
MOST, ROUNDS = 600, 2
"""Cells that are cut up, and how often."""
NEXT = {1: 4.0, 2: 3.0, 3: 1.5}
"""Distance of a cell's middle from a place, in cells, within which it is cut up as often as there are places."""
DEEPEST, PLACES = {1: 6, 2: 12, 3: 12}, {1: 64, 2: 24, 3: 8}
"""How often cells at places are cut up, and places at which they are."""
WINDOW = 12
"""Half the side of a window round a place, in nodes that are as dense as those that see what the cells do."""
FINER = 3
"""Nodes along each axis, in units of the cells, from which on a rule sees what the cells do, and more."""
KEPT = 20_000
"""Points of the largest differences that are kept."""
SEED = 83471


@dataclass(frozen=True)
class Unseen:
    """Points (n, d) with the differences of each column there, each times what its cell measures: (n, columns).

    part: the sum of their sizes beside that of the function itself, by its values at all points, of the worst column.
    """

    points: FloatArray
    values: np.ndarray
    part: float

    def tested(
        self,
        factors: np.ndarray | float,
        tables: Sequence[Callable[[FloatArray], FloatArray]],
        column: int = 0,
    ) -> np.ndarray:
        """Σ values · factors · Π tables, with tables (n,) to (count, n) for each axis: (2, count, …).

        By every other point alone, and by those between: what is chance in one is not in the other.
        """
        values = 2 * self.values[:, column] * factors
        columns = [table(self.points[:, axis]) for axis, table in enumerate(tables)]
        axes = "abc"[: len(columns)]
        spec = ",".join(f"{axis}n" for axis in axes)
        halves = []
        for half in (slice(0, None, 2), slice(1, None, 2)):
            first, *others = (column[:, half] for column in columns)
            halves.append(np.einsum(f"{spec}->{axes}", first * values[half], *others, optimize=True))
        return np.stack(halves)


def common(errors: np.ndarray) -> float:
    """The norm of what two estimates (2, …) of an error share."""
    return math.sqrt(max(0.0, float(np.vdot(errors[0], errors[1]).real)))


def unseen(
    function: Callable[[FloatArray], np.ndarray],
    nodes: Sequence[FloatArray],
    breaks: Sequence[Sequence[float]],
    box: Box,
) -> Unseen:
    """What a function of points (n, d) to (n,) or (n, columns) holds beyond its values at the products of nodes.

    breaks: ends of the panels of each axis, those of the box included, where the function may jump.
    """
    d = box.dimension
    draw = np.random.default_rng(SEED)

    def asked(points: FloatArray) -> np.ndarray:
        values = to_numpy(function(points))
        return values if values.ndim == 2 else np.broadcast_to(values, (len(points),))[:, None]

    lower, upper = box.bounds
    places = hidden_places(lambda points: np.abs(asked(points)).sum(axis=1), lower, upper)[: PLACES[d]]
    if min(len(x) for x in nodes) >= FINER * CELLS[d]:
        return _near(places, function, nodes, breaks, box)
    mesh = np.stack([x.ravel() for x in np.meshgrid(*nodes, indexing="ij")], axis=-1)
    at_nodes = asked(mesh)
    known = _through(nodes, breaks, at_nodes.reshape(*(len(x) for x in nodes), -1))

    def differences(corners: FloatArray, size: FloatArray) -> tuple[FloatArray, np.ndarray]:
        points = corners + size * draw.random(corners.shape)
        return points, asked(points) - known(points)

    total = np.abs(at_nodes).mean(axis=0) * math.prod(box.extents)
    points, values = _cut_up(differences, box, np.where(total > 0, total, 1.0), places)
    missed = np.abs(values).sum(axis=0)
    ratio = float((missed / np.where(missed > 0, missed + total, 1.0)).max())
    size = (np.abs(values) / np.where(missed > 0, missed, 1.0)).sum(axis=1)
    largest = draw.permutation(np.argsort(-size)[:KEPT])
    return Unseen(points[largest], values[largest], ratio)


def _near(
    places: FloatArray,
    function: Callable[[FloatArray], np.ndarray],
    nodes: Sequence[FloatArray],
    breaks: Sequence[Sequence[float]],
    box: Box,
) -> Unseen:
    """What is unseen in windows round places alone, those between nodes that see all else."""
    d = box.dimension
    windows: list[Unseen] = []
    taken = np.empty((0, d))
    half = np.array(box.extents) * WINDOW / FINER / CELLS[d]
    for place in places:
        if (np.abs(taken - place) < 2 * half).all(axis=1).any():
            continue
        taken = np.concatenate([taken, place[None]])
        lower, upper = np.maximum(place - half, box.bounds[0]), np.minimum(place + half, box.bounds[1])
        inner = [x[(x > a) & (x < b)] for x, a, b in zip(nodes, lower, upper, strict=True)]
        ends = [
            [a, *(x for x in cuts if a < x < b), b]
            for cuts, a, b in zip(breaks, lower.tolist(), upper.tolist(), strict=True)
        ]
        if min(len(x) for x in inner) < FINER * CELLS[d]:
            windows.append(unseen(function, inner, ends, Box(*zip(lower, upper, strict=True))))
    if not windows:
        return Unseen(np.empty((0, d)), np.empty((0, 1)), 0.0)
    points, values = (
        np.concatenate(window)
        for window in zip(*((arrays.points, arrays.values) for arrays in windows), strict=True)
    )
    return Unseen(points, values, max(window.part for window in windows))


def unseen_in(
    piece: Piece,
    function: Callable[[FloatArray], np.ndarray],
    breaks: Sequence[Sequence[float]],
    bandwidth: float,
    box: Box,
) -> Unseen:
    """What a function holds in a piece of a box beyond what a rule of this bandwidth sees, on the box around the piece.

    breaks: as for `unseen`, of the whole box. A function may be without a finite value outside the piece.
    """
    lower, upper = box.bounds
    for region in piece.within:
        lower, upper = np.maximum(lower, region.bounds[0]), np.minimum(upper, region.bounds[1])
    if np.any(lower >= upper):
        return Unseen(np.empty((0, box.dimension)), np.empty((0, 1)), 0.0)
    edges = [
        [a, *sorted({float(x) for x in inner if a < x < b}), b]
        for a, b, inner in zip(lower.tolist(), upper.tolist(), breaks, strict=True)
    ]

    def finite(points: FloatArray) -> np.ndarray:
        with np.errstate(all="ignore"):
            values = to_numpy(function(points))
        known = np.isfinite(values)
        return (
            values if known.all() else np.where(known, values, values[known].mean() if known.any() else 0.0)
        )

    rest = unseen(
        finite,
        [interval_rule(ends, bandwidth)[0] for ends in edges],
        edges,
        Box(*zip(lower, upper, strict=True)),
    )
    if not len(rest.points) or piece.everywhere:
        return rest
    return Unseen(rest.points, rest.values * piece.contains(rest.points)[:, None], rest.part)


def _cut_up(
    differences: Callable[[FloatArray, FloatArray], tuple[FloatArray, np.ndarray]],
    box: Box,
    units: FloatArray,
    places: FloatArray,
) -> tuple[FloatArray, np.ndarray]:
    """A point in each cell, cells of large differences (in units of each column) cut up, with its cell's integral.

    So are those at places, again and again.
    """
    d = box.dimension
    size = np.array(box.extents) / CELLS[d]
    corners = box.bounds[0] + size * np.indices([CELLS[d]] * d).reshape(d, -1).T
    points, deviations = differences(corners, size)
    large = (np.abs(deviations) / units).max(axis=1)
    near = maximum_filter(large.reshape([CELLS[d]] * d), size=3).ravel()
    offsets = np.indices([PARTS[d]] * d).reshape(d, -1).T
    parts: list[tuple[FloatArray, np.ndarray]] = []
    for turn in range(DEEPEST[d] if len(places) else ROUNDS):
        chosen = _beside(places, corners, size)
        if turn < ROUNDS:
            chosen[np.argpartition(-near, MOST)[:MOST]] = True
        parts.append((points[~chosen], deviations[~chosen] * math.prod(size)))
        size = size / PARTS[d]
        corners = (corners[chosen][:, None] + offsets * size).reshape(-1, d)
        points, deviations = differences(corners, size)
        near = (np.abs(deviations) / units).max(axis=1)
    parts.append((points, deviations * math.prod(size)))
    gathered, values = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return gathered, values


def _beside(places: FloatArray, corners: FloatArray, size: FloatArray) -> np.ndarray:
    """Which cells have a place within them or next to them: (n,)."""
    if not len(places):
        return np.zeros(len(corners), dtype=bool)
    middles = corners / size + 0.5
    away, _ = cKDTree(places / size).query(middles, p=np.inf)
    return np.asarray(away <= NEXT[corners.shape[1]])


def _through(
    nodes: Sequence[FloatArray], breaks: Sequence[Sequence[float]], values: np.ndarray
) -> Callable[[FloatArray], np.ndarray]:
    """The cubic splines through values on products of nodes, those of each panel on their own."""
    if np.iscomplexobj(values):
        real, imaginary = _through(nodes, breaks, values.real), _through(nodes, breaks, values.imag)
        return lambda points: real(points) + 1j * imaginary(points)
    knots = []
    for axis, (x, ends) in enumerate(zip(nodes, breaks, strict=True)):
        t, values = _along(x, ends, np.moveaxis(values, axis, 0))
        knots.append(t)
        values = np.moveaxis(values, 0, axis)
    spline = scipy.interpolate.NdBSpline(tuple(knots), np.ascontiguousarray(values), 3)
    return lambda points: np.asarray(spline(points))


def _along(x: FloatArray, breaks: Sequence[float], values: np.ndarray) -> tuple[FloatArray, np.ndarray]:
    """Knots and coefficients of the splines through values (n, …) along one axis, free to jump at breaks."""
    knots, coefficients = [np.full(4, float(breaks[0]))], []
    for start, stop in itertools.pairwise(breaks):
        inside = (x > start) & (x < stop)
        nodes, held = x[inside], values[inside]
        if len(nodes) < 4:  # the polynomial through so few, as a cubic
            few = scipy.interpolate.BarycentricInterpolator(nodes, held)
            nodes = np.linspace(start, stop, 4)
            held = few(nodes)
        t = np.concatenate([np.full(4, start), nodes[2:-2], np.full(4, stop)])
        coefficients.append(scipy.interpolate.make_interp_spline(nodes, held, 3, t).c)
        knots.append(t[4:])
    return np.concatenate(knots), np.concatenate(coefficients)
