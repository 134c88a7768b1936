"""Positions of a region's features: powers about centres, poles that cluster at corners, poles along near objects.

At a corner of opening βπ with u ~ r^α, n poles on the bisector beyond it, at distances R exp(−s(√n − √j)) with s = π
√(2(2 − β)/α), and a polynomial have an error like exp(−π √(2(2 − β)αn)).

Source: Gopal, Trefethen (2019), SIAM J. Numer. Anal. 57(5), 2074–2094; Herremans, Huybrechs, Trefethen (2023), SIAM J.
Numer. Anal. 61(6), 2580–2600, for the spacing; β = 0 is their interval.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from neurapde.assembly.trefftz.curves import Array
from neurapde.assembly.trefftz.features.harmonic import as_complex
from neurapde.assembly.trefftz.near import Spot
from neurapde.assembly.trefftz.potentials.corners import Corner
from neurapde.assembly.trefftz.regions import Panel, Partition
from neurapde.assembly.trefftz.seams import opposite
from neurapde.spectral.quadrature import unit_rule

Complex = NDArray[np.complex128]
SLIT = 1.75
"""Openings above this share of π ask for as many poles as this."""
ROUNDING = 1e-13
"""Of the coordinates: poles and cells nearer to a corner are lost in the rounding of places."""
MOST_POLES = 160
"""At one corner."""
NEAR, ROUND, NOTCH, DEEP = 0.2, 0.4, 0.6, 0.5
"""Cells shorter than this part of a region's size (of the radius of a circle; of the size where another part of its rim lies
across what is not the region) bear poles, off the panel by this part of their length."""
ARC = 0.8
"""The longest cell in radii of curvature."""
SEEN, AHEAD = 65, 0.5
"""Points of a panel that are looked at, and the cosine of the angle within which they are straight ahead."""
CLEAR = 0.3
"""Poles nearer to the region than this part of what they should be are left out."""


@dataclass(frozen=True)
class Places:
    """Poles `(m,)` of one region, with their sizes: their distances from it."""

    at: Complex
    sizes: Array

    def __add__(self, other: "Places") -> "Places":
        return Places(np.concatenate([self.at, other.at]), np.concatenate([self.sizes, other.sizes]))


NONE = Places(np.empty(0, dtype=complex), np.empty(0))


def clustered(corners: Sequence[Corner], region: int, digits: float) -> Places:
    """Poles of a region at corners, for an error of 10^−digits of their contribution."""
    poles = NONE
    for corner in corners:
        for sector in corner.sectors:
            if sector.region != region:
                continue
            free = 2 * (2 - min(sector.opening / math.pi, SLIT))
            count = math.ceil((digits * math.log(10) / math.pi) ** 2 / (free * corner.exponent))
            count = min(count, MOST_POLES)
            spacing = math.pi * math.sqrt(free / corner.exponent)
            j = np.arange(1, count + 1)
            away = corner.reach * np.exp(-spacing * (math.sqrt(count) - np.sqrt(j)))
            away = away[away > ROUNDING * (abs(corner.at) + corner.reach)]
            clearance = math.sin(min(math.pi - sector.opening / 2, math.pi / 2))
            at = np.asarray(corner.at + sector.out * away, dtype=np.complex128)
            poles += Places(at, away * max(clearance, 1e-3))
    return poles


@dataclass(frozen=True)
class Cells:
    """A panel cut into cells that resolve the field along it: fractions `(m + 1,)` of its length at which the cells end."""

    panel: Panel
    ends: Array

    @property
    def lengths(self) -> Array:
        """`(m,)`."""
        return self.panel.curve.length * np.diff(self.ends)

    @property
    def middles(self) -> Array:
        """`(m, 2)`."""
        return self.panel.curve.points((self.ends[1:] + self.ends[:-1]) / 2)

    def halved(self, which: NDArray[np.bool_]) -> "Cells":
        """With these cells cut in two."""
        middles = (self.ends[1:] + self.ends[:-1]) / 2
        return Cells(self.panel, np.sort(np.concatenate([self.ends, middles[which]])))

    def nodes(self, each: int) -> Array:
        """A number of Gauss points of every cell, as fractions of the panel's length."""
        x, _ = unit_rule(each)
        return (self.ends[:-1, None] + np.diff(self.ends)[:, None] * x).ravel()


def cells_of(partition: Partition, spots: Sequence[Spot], data: Sequence[Array]) -> list[Cells]:
    """The panels in cells that are no longer than their distance from sources and from panels that they do not touch.

    data: of every panel, the ends of cells that follow its data.
    """
    cells = [
        Cells(panel, np.unique(np.concatenate([ends, np.linspace(0, 1, _arcs(panel) + 1)])))
        for panel, ends in zip(partition.panels, data, strict=True)
    ]
    places = [panel.curve.points(np.linspace(0, 1, 257)) for panel in partition.panels]
    apart = [
        [j for j in range(len(places)) if j != i and not _touch(places[i], places[j], partition.extent)]
        for i in range(len(places))
    ]
    trees = [cKDTree(np.concatenate([places[j] for j in mine])) if mine else None for mine in apart]
    for i in range(len(cells)):
        while True:
            panel_cells, tree = cells[i], trees[i]
            away = np.full(len(panel_cells.lengths), np.inf)
            if tree is not None:
                away = np.maximum(tree.query(panel_cells.middles)[0], 1e-4 * partition.extent)
            for spot in spots:
                away = np.minimum(away, np.hypot(np.hypot(*(panel_cells.middles - spot.at).T), spot.width))
            if not (panel_cells.lengths > away).any():
                break
            cells[i] = panel_cells.halved(panel_cells.lengths > away)
    return alike(cells)


def alike(cells: list[Cells]) -> list[Cells]:
    """The same cells on panels of periodic faces that lie opposite each other: the shorter ones everywhere."""
    for i, j in opposite([panel_cells.panel for panel_cells in cells]).items():
        ends = np.union1d(cells[i].ends, cells[j].ends)
        cells[i], cells[j] = (Cells(cells[each].panel, ends) for each in (i, j))
    return cells


def _arcs(panel: Panel) -> int:
    return max(1, math.ceil(panel.curve.length / (ARC * panel.curve.radius)))


def _touch(points: Array, other: Array, extent: float) -> bool:
    """Whether two panels `(n, 2)` share an end."""
    a, b = as_complex(points[[0, -1]]), as_complex(other[[0, -1]])
    return bool((np.abs(a[:, None] - b) < 1e-8 * extent).any())


def beside(cells: Sequence[Cells], region: int, size: float, digits: float, outer: Sequence[Panel]) -> Places:
    """Poles of a region beyond those of its panels whose cells are short.

    size: of the region. outer: the panels around it, without those of holes.
    """
    poles, each = NONE, math.ceil(2 + digits / 2)
    for panel_cells in cells:
        panel = panel_cells.panel
        if region not in (panel.inner, panel.outer):
            continue
        side = 1.0 if panel.inner == region else -1.0
        if panel.curve.closed:
            short = panel_cells.lengths < ROUND * min(size, panel.curve.radius)
        elif panel in outer:
            panel_cells, gaps = _notched(panel_cells, outer, side, NOTCH * size)
            short = (panel_cells.lengths < NEAR * size) | (gaps < NOTCH * size)
        else:
            short = panel_cells.lengths < NEAR * size
        if not short.any():
            continue
        t = panel_cells.nodes(each).reshape(-1, each)[short].ravel()
        depth = np.repeat(DEEP * panel_cells.lengths[short], each)
        at = panel.curve.points(t) + side * depth[:, None] * panel.normals(t)
        poles += Places(as_complex(at), depth)
    return poles


def _notched(cells: Cells, outer: Sequence[Panel], side: float, limit: float) -> tuple[Cells, Array]:
    """Cells no longer than the width of the part outside the region, if that is below a limit; and that width `(m,)`."""
    t = np.linspace(0, 1, SEEN)
    mine = cells.panel.curve.points(t)
    others = [panel.curve.points(t) for panel in outer if panel is not cells.panel]
    apart = [points for points in others if not _touch(points, mine, cells.panel.curve.length)]
    while True:
        gaps = np.full(len(cells.lengths), np.inf)
        normals = side * cells.panel.normals((cells.ends[1:] + cells.ends[:-1]) / 2)
        for points in apart:
            away = points - cells.middles[:, None]
            distance = np.hypot(away[..., 0], away[..., 1])
            ahead = (away * normals[:, None]).sum(axis=-1) > AHEAD * distance
            gaps = np.minimum(gaps, np.where(ahead, distance, np.inf).min(axis=1))
        long = (gaps < limit) & (cells.lengths > gaps)
        if not long.any():
            return cells, gaps
        cells = cells.halved(long)


def clear(places: Places, rim: Complex, inside: NDArray[np.bool_]) -> Places:
    """The poles that are not inside the region, nor too near to places on its rim."""
    if not len(places.at):
        return places
    tree = cKDTree(np.stack([rim.real, rim.imag], axis=1))
    away, _ = tree.query(np.stack([places.at.real, places.at.imag], axis=1))
    usable = ~inside & (away > CLEAR * places.sizes)
    return Places(places.at[usable], places.sizes[usable])
