"""The rows of a level: conditions at Gauss points of cells that are short near poles."""

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from neurapde.assembly.trefftz.curves import Array
from neurapde.assembly.trefftz.elimination import Block
from neurapde.assembly.trefftz.features.harmonic import as_complex
from neurapde.assembly.trefftz.potentials.corners import Corner
from neurapde.assembly.trefftz.potentials.placing import ROUNDING, Cells, Complex
from neurapde.assembly.trefftz.regions import Region
from neurapde.assembly.trefftz.rows import Basis
from neurapde.assembly.trefftz.seams import opposite
from neurapde.core.arrays import to_numpy
from neurapde.jets.layout import Layout
from neurapde.spectral.quadrature import unit_rule

FRESH = 3
"""Points of a cell, at least, at which what is left is looked at."""
OCTAVES, CLOSE = 1.4, 0.08
"""The longest cell, in distances from a pole at a corner; and for each of its points, from one along a panel."""
MOST = 60
"""Halvings of a cell."""
FEW = 2**17
"""Numbers of one channel of features that are found at once."""
TINY = 1e-15
"""Of a region's size: places that are nearer to a corner count as this far."""


def nodes_of(digits: float) -> int:
    """Gauss points of a cell, for a number of digits."""
    return min(max(math.ceil(digits / 2) + 1, 3), 6)


def row_cells(cells: Cells, clustered: Complex, along: Complex, longest: float, each: int) -> Cells:
    """The cells of a panel halved until they resolve the poles of the regions on both of its sides."""
    refined = cells
    trees = [
        (cKDTree(np.stack([at.real, at.imag], axis=1)), ratio)
        for at, ratio in ((clustered, OCTAVES), (along, CLOSE * each))
        if len(at)
    ]
    for _ in range(MOST):
        split = refined.lengths > longest
        for tree, ratio in trees:
            split |= refined.lengths > ratio * tree.query(refined.middles)[0]
        split &= refined.lengths > ROUNDING * np.abs(refined.middles).max()
        if not split.any():
            break
        refined = refined.halved(split)
    return refined


@dataclass(frozen=True, eq=False)
class Rows:
    """Places on one panel.

    points, normals: (n, 2). weights: (n,), the arc length of each. lengths: (n,), factors that convert slopes to units
    of u.
    """

    cells: Cells
    points: Array
    normals: Array
    weights: Array
    lengths: Array

    @classmethod
    def on(cls, cells: Cells, corners: Sequence[Corner], size: float, each: int) -> "Rows":
        """At so many Gauss points of every cell."""
        t = cells.nodes(each)
        points = cells.panel.curve.points(t)
        lengths = np.full(len(points), size)
        for corner in corners:
            lengths = np.minimum(lengths, np.abs(as_complex(points) - corner.at))
        lengths = np.maximum(lengths, TINY * size)
        _, weights = unit_rule(each)
        return cls(cells, points, cells.panel.normals(t), np.outer(cells.lengths, weights).ravel(), lengths)


class What(enum.Enum):
    """Kinds of rows: values, slopes at places, and the total flow through a panel."""

    VALUES = enum.auto()
    SLOPES = enum.auto()
    FLOW = enum.auto()


@dataclass(frozen=True, eq=False)
class Asked:
    """Rows in units of u, and their kinds."""

    block: Block
    of: What


def rows_of(basis: Basis, places: Sequence[Rows]) -> list[Asked]:
    """The rows of a basis at these places."""
    traces = {region.index: _traces(basis, region, places) for region in basis.partition.regions}
    joined = opposite([place.cells.panel for place in places])
    asked: list[Asked] = []
    for i, place in enumerate(places):
        panel = place.cells.panel
        inner = traces[panel.inner][i]
        if i in joined:
            beyond = places[joined[i]].cells.panel.inner
            asked += _across(basis, place, inner, beyond, traces[beyond][joined[i]].turned())
        elif panel.outer is not None:
            asked += _across(basis, place, inner, panel.outer, traces[panel.outer][i])
        elif panel.shift is None:
            asked += _on_face(basis, place, basis.partition.regions[panel.inner], inner)
    return asked


@dataclass(frozen=True, eq=False)
class _Trace:
    """Values and, if needed, normal slopes: of a region's features (1 or 2, n, count), and of the known fields."""

    features: NDArray[Any]
    known: NDArray[Any]

    def turned(self) -> "_Trace":
        """Along the opposite normals."""
        signs = np.array([1.0, -1.0])[:, None, None]
        return _Trace(signs * self.features, signs * self.known)


def _traces(basis: Basis, region: Region, places: Sequence[Rows]) -> dict[int, _Trace]:
    """The traces on the rim of a region, by the number of the place; equal kinds are computed together."""
    mine = [
        i
        for i, place in enumerate(places)
        if region.index in (place.cells.panel.inner, place.cells.panel.outer)
    ]
    traces: dict[int, _Trace] = {}
    for order in (0, 1):
        asked = [i for i in mine if _order(basis, places[i]) == order]
        if not asked:
            continue
        points = np.concatenate([places[i].points for i in asked])
        normals = np.concatenate([places[i].normals for i in asked]).T[..., None]
        layout, count = Layout(2, order), sum(functions.count for functions in basis.features[region.index])
        features = np.empty((1 + order, len(points), count), dtype=basis.dtype)
        step = max(1, FEW // max(count, 1))
        for start in range(0, len(points), step):  # few enough to stay near the processor
            rows = slice(start, start + step)
            features[:, rows] = _along(basis.at(region, points[rows], layout), normals[:, rows])
        known = _along(basis.known[region.index].channels(points, layout, basis.dtype), normals)
        ends = np.cumsum([0, *(len(places[i].points) for i in asked)])
        for i, (start, stop) in zip(asked, pairwise(ends), strict=True):
            traces[i] = _Trace(features[:, start:stop], known[:, start:stop])
    return traces


def _order(basis: Basis, place: Rows) -> int:
    """1 if slopes are needed, 0 for values alone."""
    panel = place.cells.panel
    if panel.outer is not None or panel.shift is not None:
        return 1
    condition = basis.family.condition(panel, basis.partition.regions[panel.inner])
    return int(condition is not None and bool(np.any(to_numpy(condition.b(place.points)))))


def _along(channels: NDArray[Any], normals: Array) -> NDArray[Any]:
    """Values, and the components of gradients along normals (2, n, 1)."""
    if len(channels) == 1:
        return channels
    return np.stack([channels[0], (channels[1:] * normals).sum(0)])


def _across(basis: Basis, place: Rows, inner: _Trace, beyond: int, outer: _Trace) -> list[Asked]:
    """[u] = 0 and [a ∂u/∂n] = 0, and again for its mean: the total flow must leave through the poorer conductor.

    beyond: the region on the other side, which may be the same one where faces are periodic.
    """
    panel, regions = place.cells.panel, basis.partition.regions
    a, b = (abs(basis.family.flux(regions[index])) for index in (panel.inner, beyond))
    asked = []
    for which, first, second in ((0, 1.0, 1.0), (1, a / (a + b), b / (a + b))):
        unit = place.lengths[:, None] if which else np.ones((1, 1))
        parts = {panel.inner: first * unit * inner.features[which]}
        parts[beyond] = parts.get(beyond, 0.0) - second * unit * outer.features[which]
        sides = (second * outer.known[which] - first * inner.known[which]) * unit
        asked.append(Asked(Block(parts, sides), What.SLOPES if which else What.VALUES))
    mean = (place.weights / place.lengths / (2 * math.pi) * (a + b) / min(a, b))[None]
    slopes = asked[1].block
    total = Block({group: mean @ columns for group, columns in slopes.parts.items()}, mean @ slopes.sides)
    return [*asked, Asked(total, What.FLOW)]


def _on_face(basis: Basis, place: Rows, region: Region, trace: _Trace) -> list[Asked]:
    """a u + b ∂u/∂n = value, in units of the coefficient of the larger of u and its slope."""
    condition = basis.family.condition(place.cells.panel, region)
    if condition is None:
        return []
    a, b, value = (
        np.asarray(to_numpy(field(place.points)))[:, None]
        for field in (condition.a, condition.b, condition.value)
    )
    unit = np.abs(a) + np.abs(b) / place.lengths[:, None]
    columns, known = a / unit * trace.features[0], a * trace.known[0]
    if len(trace.features) > 1:
        columns, known = columns + b / unit * trace.features[1], known + b * trace.known[1]
    block = Block({region.index: columns}, (value - known) / unit)
    return [Asked(block, What.VALUES if condition.fixes else What.SLOPES)]
