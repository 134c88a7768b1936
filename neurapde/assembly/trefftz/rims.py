"""Positions of features and rows along the panels at a level of a number of digits, for every equation.

A full circle with nothing near it is a *round* rim: functions about its centre up to an order, rows at equal angles.
Any other panel is cut into cells, short near corners, sources and other panels. A cell has a few poles, at a fraction
of its length from the panel, and a few rows.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.spatial import cKDTree

from neurapde.assembly.trefftz.curves import Array
from neurapde.assembly.trefftz.near import MOST, End, Spot
from neurapde.assembly.trefftz.regions import Panel, Partition
from neurapde.assembly.trefftz.seams import opposite
from neurapde.domains.edges import Arc
from neurapde.spectral.quadrature import unit_rule

ROOM = 0.35
"""Fraction of the radius: smallest distance of other objects from a round rim."""
GRADE = 1.0
"""Fraction of the distance to near objects: the longest cell."""
TURN = 1.8
"""Orders beyond kr that waves still have, in units of digits^(2/3) (kr)^(1/3)."""
CLEAR = 0.6
"""Fraction of its depth: smallest distance of a pole from other panels."""
FAR, NEAR = 0.1, 0.75
"""Smallest and largest assumed ratio by which orders of a round rim fall."""
NARROWEST, SHORTEST = 1e-6, 1e-12
"""Of the domain's extent: the narrowest gap that cells follow, and the shortest cell, at a corner."""
ARC, PHASE = 0.8, 4.0
"""The longest cell in radii of curvature, and in radians of the shorter wave beside it."""
FEWEST = 0.3
"""Fraction of the poles of a full cell for a cell at a corner."""
DEPTH = 1.2
"""Fraction of a cell's length: distance of its poles from the panel."""
APART = 3.0
"""Width of a strip between two parts of one region, in lengths of the longest cell: the poles of either part then lie in
the nearer half of the strip."""
SPARE = 2
"""Rows of each kind for every feature of one side; half as many check the residual."""


@dataclass(frozen=True, eq=False)
class CurveRim:
    """A panel with its poles and rows.

    t, weights: (n,) of the rows, fractions of the length and arc lengths. order: of a round rim, else None.
    poles, depths: (m,) of the poles, fractions of the length and distances from the panel.
    steep: fractions where slopes are infinite, as r^(α − 1) with α < 1.
    """

    panel: Panel
    t: Array
    weights: Array
    order: int | None
    poles: Array
    depths: Array
    steep: tuple[float, ...] = ()

    @cached_property
    def away(self) -> Array:
        """The distance of the rows (n,) from infinite slopes, along the panel; infinite without such a place."""
        distances = np.full(len(self.t), np.inf)
        for end in self.steep:
            distances = np.minimum(distances, np.abs(self.t - end) * self.panel.curve.length)
        return distances

    @property
    def center(self) -> tuple[float, float]:
        """Of a round rim."""
        assert isinstance(self.panel.curve.edge, Arc)
        return self.panel.curve.edge.center

    @property
    def radius(self) -> float:
        """Of a round rim."""
        return self.panel.curve.radius

    @cached_property
    def points(self) -> Array:
        """Of the rows, (n, 2)."""
        return self.panel.curve.points(self.t)

    @cached_property
    def normals(self) -> Array:
        """From the inner to the outer side, (n, 2)."""
        return self.panel.normals(self.t)

    def off(self, side: float) -> Array:
        """The poles (m, 2) of the region on the inner (1) or the outer side (−1), which lie on the panel's other side."""
        curve = self.panel.curve
        return curve.points(self.poles) + side * self.depths[:, None] * self.panel.normals(self.poles)


def rims_of(
    partition: Partition,
    rates: Sequence[float],
    ends: Sequence[tuple[End, End]],
    spots: Sequence[Spot],
    digits: float,
    fresh: bool = False,
) -> list[CurveRim]:
    """The rims of a partition, in the order of its panels.

    rates:  of every region, rad per unit length of its waves; 0 without waves.
    ends:   of every panel, see `corners`.
    digits: of the level. fresh: rows between those of the level, to check its residual.
    """
    cells = _alike([_first_cells(panel, _rate(panel, rates)) for panel in partition.panels], partition)
    corners = [
        max(10.0 ** -(digits / min(end.exponent for end in pair)), SHORTEST) * partition.extent
        for pair in ends
    ]
    cells = _refined(partition, cells, spots, ends, corners, 10.0 ** -(digits / MOST) * partition.extent)
    clear = [_clear(partition, i, cells, spots) for i in range(len(cells))]
    rims = []
    for panel, places, room, pair, least in zip(partition.panels, cells, clear, ends, corners, strict=True):
        if panel.curve.closed and room > ROOM * panel.curve.radius:
            rims.append(_round(panel, room, _rate(panel, rates), digits, fresh))
        else:
            rims.append(_celled(panel, places, pair, least, digits, fresh))
    return rims


def _rate(panel: Panel, rates: Sequence[float]) -> float:
    return max(rates[index] for index in (panel.inner, panel.outer) if index is not None)


def _round(panel: Panel, room: float, rate: float, digits: float, fresh: bool) -> CurveRim:
    ratio = min(max(panel.curve.radius / (panel.curve.radius + room), FAR), NEAR)
    order = last_order(rate * panel.curve.radius, ratio, digits)
    count = (2 * order + 8) if fresh else SPARE * (2 * order + 1)
    t = (np.arange(count) + (0.37 if fresh else 0.0)) / count
    none = np.empty(0)
    return CurveRim(panel, t, np.full(count, panel.curve.length / count), order, none, none)


def last_order(phase: float, ratio: float, digits: float) -> int:
    """The last order of functions about a centre whose waves have the `phase` at the radius; higher orders fall by a
    ratio."""
    decay = digits * math.log(10) / math.log(1 / ratio)
    return math.ceil(phase + TURN * digits ** (2 / 3) * phase ** (1 / 3) + decay / 2 + 2)


def _celled(
    panel: Panel, ends: Array, pair: tuple[End, End], corner: float, digits: float, fresh: bool
) -> CurveRim:
    """A panel's cells with poles and rows: fewer in those near a corner, where the field is smaller and smaller."""
    lengths = np.diff(ends) * panel.curve.length
    full = math.ceil(1 + digits / 2)
    near = np.log(np.maximum(lengths / corner, 1.0)) / math.log(max(lengths.max() / corner, 2.0))
    counts = np.ceil(full * np.maximum(near, FEWEST)).astype(int)
    rows: list[tuple[Array, Array]] = []
    poles: list[tuple[Array, Array]] = []
    for begin, step, length, count in zip(ends[:-1], np.diff(ends), lengths, counts, strict=True):
        nodes, shares = unit_rule(count + 1 if fresh else SPARE * count)
        places, _ = unit_rule(count)
        rows.append((begin + step * nodes, length * shares))
        poles.append((begin + step * places, np.full(count, DEPTH * length)))
    t, weights = (np.concatenate(column) for column in zip(*rows, strict=True))
    places, depths = (np.concatenate(column) for column in zip(*poles, strict=True))
    for end, away in zip(pair, (places, 1 - places), strict=True):
        depths = np.minimum(depths, _wide(end.wedge) * away * panel.curve.length)
    steep = tuple(float(i) for i, end in enumerate(pair) if end.exponent < 1)
    return CurveRim(panel, t, weights, None, places, depths, steep)


def _first_cells(panel: Panel, rate: float) -> Array:
    """Fractions (m + 1,) at which a panel's cells end, before near objects are considered."""
    longest = min(ARC * panel.curve.radius, PHASE / rate if rate else math.inf)
    return np.linspace(0, 1, max(1, math.ceil(panel.curve.length / longest)) + 1)


def _refined(
    partition: Partition,
    cells: list[Array],
    spots: Sequence[Spot],
    ends: Sequence[tuple[End, End]],
    corners: Sequence[float],
    gap: float,
) -> list[Array]:
    """The cells halved until none is longer than its distance from near objects, or than needed at corners.

    gap: the narrowest gap that is resolved between regions with waves on both sides.
    """
    parts = [_part_of(i, partition) for i in range(len(cells))]
    while True:
        middles = [
            panel.curve.points((ends[1:] + ends[:-1]) / 2)
            for panel, ends in zip(partition.panels, cells, strict=True)
        ]
        lengths = [
            panel.curve.length * np.diff(ends) for panel, ends in zip(partition.panels, cells, strict=True)
        ]
        changed = False
        refined = []
        for i, (panel, old) in enumerate(zip(partition.panels, cells, strict=True)):
            away = np.full(len(old) - 1, np.inf)
            for spot in spots:
                away = np.minimum(away, np.hypot(np.hypot(*(middles[i] - spot.at).T), spot.width))
            away = np.minimum(away, _gaps(i, middles, lengths, partition, gap, parts))
            away = np.maximum(away, NARROWEST * partition.extent)
            if not panel.curve.closed:
                for place, end in zip(panel.curve.points(np.array([0.0, 1.0])), ends[i], strict=True):
                    beside = min(1.0, _wide(end.wedge) / DEPTH) * np.hypot(*(middles[i] - place).T)
                    away = np.minimum(away, np.maximum(beside, corners[i]))
            split = lengths[i] > GRADE * away
            changed = changed or bool(split.any())
            refined.append(np.sort(np.concatenate([old, (old[:-1] + old[1:])[split] / 2])))
        cells = _alike(refined, partition)
        if not changed:
            return cells


def _alike(cells: list[Array], partition: Partition) -> list[Array]:
    """The same cells on panels of periodic faces that lie opposite each other: the shorter ones everywhere."""
    for i, j in opposite(partition.panels).items():
        coarse, fine = sorted((cells[i], cells[j]), key=len)
        cells[i] = cells[j] = fine if set(coarse) <= set(fine) else np.union1d(coarse, fine)
    return cells


def _wide(wedge: float) -> float:
    """The depth of a pole in a wedge at which it is clear of the other side, as a fraction of its distance from the
    corner."""
    below = CLEAR + math.cos(wedge)
    return math.sin(wedge) / below if below > 0.1 else math.inf


def _part_of(i: int, partition: Partition) -> dict[int, int]:
    """For each region beside a panel the first of the panels with which this one is a connected rim of the region."""
    parts = {}
    for index in (partition.panels[i].inner, partition.panels[i].outer):
        if index is None:
            continue
        rim, waiting = {i}, [i]
        mine = [j for j, panel in enumerate(partition.panels) if index in (panel.inner, panel.outer)]
        while waiting:
            panel = partition.panels[waiting.pop()]
            more = [j for j in mine if j not in rim and _touch(panel, partition.panels[j], partition.extent)]
            rim.update(more)
            waiting += more
        parts[index] = min(rim)
    return parts


def _gaps(
    i: int,
    middles: list[Array],
    lengths: list[Array],
    partition: Partition,
    least: float,
    parts: list[dict[int, int]],
) -> Array:
    """The distances of a panel's cells from those of panels that do not touch it.

    Poles of a region may lie beyond the next panel unless that region begins again there, and waves that pass through
    it change little within a narrow gap. A gap below `least` counts only there, and at walls.
    """
    mine = partition.panels[i]
    others = [
        j for j in range(len(middles)) if j != i and not _touch(mine, partition.panels[j], partition.extent)
    ]
    away = np.full(len(middles[i]), np.inf)
    for j in others:
        distance, nearest = cKDTree(middles[j]).query(middles[i])
        nearer = np.sqrt(np.maximum(distance**2 - lengths[j][nearest] ** 2 / 4, distance**2 / 16))
        other = partition.panels[j]
        walls = mine.outer is None or other.outer is None
        if not walls and {mine.inner, mine.outer} != {other.inner, other.outer}:
            nearer = np.maximum(nearer, least)
        apart = not walls and parts[i].keys() == parts[j].keys() and parts[i] != parts[j]
        away = np.minimum(away, nearer / (APART if apart else DEPTH * (1 + CLEAR)))
    return away


def _touch(panel: Panel, other: Panel, extent: float) -> bool:
    """Whether two panels have an end in common."""
    if panel.curve.closed or other.curve.closed:
        return False
    ends = np.array([0.0, 1.0])
    a, b = panel.curve.points(ends), other.curve.points(ends)
    return bool((np.hypot(*(a[:, None] - b[None]).transpose(2, 0, 1)) < 1e-8 * extent).any())


def _clear(partition: Partition, i: int, cells: list[Array], spots: Sequence[Spot]) -> float:
    """The distance of a closed panel from every spot and every other panel."""
    panel = partition.panels[i]
    if not panel.curve.closed:
        return 0.0
    assert isinstance(panel.curve.edge, Arc)
    center, radius = np.array(panel.curve.edge.center), panel.curve.radius
    room = math.inf
    for spot in spots:
        room = min(room, math.hypot(abs(math.dist(spot.at, center) - radius), spot.width))
    for j, (other, ends) in enumerate(zip(partition.panels, cells, strict=True)):
        if j != i:
            places = other.curve.points(np.linspace(0, 1, 8 * len(ends) + 1))
            room = min(room, float(np.abs(np.hypot(*(places - center).T) - radius).min()))
    return room
