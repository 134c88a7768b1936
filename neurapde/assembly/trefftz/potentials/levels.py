"""A problem −aΔu + cu = f level by level: features for a number of digits, their least-squares solution, its residual."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from neurapde.assembly.trefftz.elimination import least_squares
from neurapde.assembly.trefftz.features.base import Features
from neurapde.assembly.trefftz.features.harmonic import Angles, Charges, Powers, SimplePoles, Unity
from neurapde.assembly.trefftz.features.krylov import Complex, Krylov
from neurapde.assembly.trefftz.features.modified import BesselMultipoles, Dipoles, Monopoles
from neurapde.assembly.trefftz.levels import AbstractLevels, Solved
from neurapde.assembly.trefftz.potentials.corners import Corner, corners_of
from neurapde.assembly.trefftz.potentials.cutting import jump
from neurapde.assembly.trefftz.potentials.family import PoissonFamily
from neurapde.assembly.trefftz.potentials.loads import Medium
from neurapde.assembly.trefftz.potentials.loops import Loop, loops_of
from neurapde.assembly.trefftz.potentials.placing import (
    NEAR,
    ROUND,
    Cells,
    Places,
    alike,
    beside,
    cells_of,
    clear,
    clustered,
)
from neurapde.assembly.trefftz.potentials.rows import FRESH, Asked, Rows, What, nodes_of, row_cells, rows_of
from neurapde.assembly.trefftz.regions import Panel, Partition, Region
from neurapde.assembly.trefftz.rows import Basis

FIRST, MORE, PROVEN, STEP, LAST = 4.0, -1.0, 1.0, 2.0, 16.0
"""Digits that levels aim at: the first at least, and beside those of the tolerance, more where one level is proof enough;
the step; the last."""
DEGREE, LAURENT = (3.0, 6.0), (2.5, 7.0)
"""Orders of polynomials, and of negative powers about a hole, for every digit: at least and at most."""
EACH = 4.0
"""Rows for every degree of a polynomial, along the rim of its region."""
ARNOLDI = 600
"""Places on a rim on which powers are made orthogonal, at most."""
JUMP = 1e-9
"""Fraction of the largest given value: smaller jumps are rounding."""
SLOPES = 5.0
"""Effect on the field of an error of 1 in a slope, in units of its length."""


@dataclass(frozen=True, eq=False)
class Placed:
    """The features of a region, and its poles: those that cluster, and those along panels."""

    features: tuple[Features, ...]
    clustered: Places
    along: Places
    degree: int


@dataclass(frozen=True, eq=False)
class PotentialPlan:
    """A level before it is solved."""

    basis: Basis
    places: tuple[Rows, ...]
    fresh: tuple[Rows, ...]

    @property
    def points(self) -> int:
        """Of all places."""
        return sum(len(place.points) for place in self.places)

    @property
    def rows(self) -> int:
        """Of the linear system: two of an interface, one of a face."""
        return sum(len(place.points) * (1 if place.cells.panel.outer is None else 2) for place in self.places)


class PotentialLevels(AbstractLevels[PotentialPlan]):
    """Levels with powers, poles that cluster at corners, and poles along near objects."""

    family: PoissonFamily
    partition: Partition
    pace: ClassVar[float] = 2e-10

    def __init__(self, family: PoissonFamily) -> None:
        super().__init__(family)
        self.cut = family.cut
        self.partition = replace(self.partition, panels=self.cut.panels)

    def digits(self, tolerance: float) -> Iterator[float]:
        digits = max((PROVEN if self._proven else MORE) - math.log10(tolerance), FIRST)
        while digits <= LAST:
            yield digits
            digits += STEP

    @cached_property
    def _proven(self) -> bool:
        """Whether the maximum principle bounds the error by the residuals: if no reaction is negative."""
        return not self._free and all(self.medium(region).reaction >= 0 for region in self.partition.regions)

    def error(self, solved: Solved, field: NDArray[Any]) -> float | None:
        return float(np.max((solved.left + self.family.missed) / _sizes(field))) if self._proven else None

    @cached_property
    def _free(self) -> bool:
        """Whether the field is determined only up to a constant."""
        return self.family.equation.leaves_constant(self.family.problem)

    def floor(self, field: NDArray[Any]) -> float:
        return float(np.max(self.family.missed / _sizes(field)))

    @cached_property
    def loops(self) -> dict[int, list[Loop]]:
        """The closed paths of every region's rim."""
        return {region.index: loops_of(self.partition, region) for region in self.partition.regions}

    @cached_property
    def corners(self) -> list[Corner]:
        """Of all regions."""
        flux = [abs(self.family.flux(region)) for region in self.partition.regions]
        return corners_of(self.partition, flux, self._fixes, self._jump, self.cut.rough)

    @cached_property
    def cells(self) -> list[Cells]:
        """The cells of all panels, for sources and near panels."""
        return cells_of(self.partition, self.family.spots, self.cut.cells)

    def _fixes(self, panel: Panel) -> bool | None:
        condition = self.family.condition(panel, self.partition.regions[panel.inner])
        return None if condition is None else condition.fixes

    def _jump(self, first: tuple[Panel, float], second: tuple[Panel, float]) -> float:
        regions = self.partition.regions
        conditions = [self.family.condition(panel, regions[panel.inner]) for panel, _ in (first, second)]
        height = jump(first, second, conditions)
        return height if height > JUMP * self.cut.size else 0.0

    def medium(self, region: Region) -> Medium:
        """The coefficients of a region."""
        return self.family.medium(region)

    def plan(self, digits: float) -> PotentialPlan:
        nodes = nodes_of(digits)
        placed = [self._placed(region, digits) for region in self.partition.regions]
        basis = Basis(
            self.family, self.partition, tuple(placement.features for placement in placed), self.known
        )
        cells = alike([self._row_cells(panel_cells, placed, nodes) for panel_cells in self.cells])
        places, fresh = (
            tuple(
                Rows.on(panel_cells, self.corners, self.size(panel_cells.panel), each)
                for panel_cells in cells
            )
            for each in (nodes, nodes - 1 if nodes > FRESH else nodes + 1)
        )
        return PotentialPlan(basis, places, fresh)

    def solve(self, plan: PotentialPlan) -> Solved:
        asked = rows_of(plan.basis, plan.places)
        amplitudes = least_squares([rows.block for rows in asked], np.diff(plan.basis.starts).tolist())
        residuals = _left(rows_of(plan.basis, plan.fresh), amplitudes)
        solved = Solved(plan.basis, np.concatenate(amplitudes), residuals, plan.points)
        return self.balanced(solved) if self._free else solved

    def size(self, panel: Panel) -> float:
        """Of the smaller region on a panel's sides."""
        return min(self.sizes[index] for index in (panel.inner, panel.outer) if index is not None)

    @cached_property
    def sizes(self) -> list[float]:
        """The larger extent of every region."""
        sizes = []
        for region in self.partition.regions:
            path = np.concatenate([loop.path for loop in self.loops[region.index]])
            sizes.append(float(max(np.ptp(path.real), np.ptp(path.imag))))
        return sizes

    def _row_cells(self, cells: Cells, placed: list[Placed], nodes: int) -> Cells:
        panel = cells.panel
        mine = [placed[index] for index in (panel.inner, panel.outer) if index is not None]
        longest = math.inf
        for index in (panel.inner, panel.outer):
            if index is not None:
                for loop in self.loops[index]:
                    if panel in loop.panels:
                        around = float(np.abs(np.diff(loop.path, append=loop.path[:1])).sum())
                        longest = min(longest, nodes * around / (EACH * placed[index].degree))
        return row_cells(
            cells,
            np.concatenate([placement.clustered.at for placement in mine]),
            np.concatenate([placement.along.at for placement in mine]),
            longest,
            nodes,
        )

    def _placed(self, region: Region, digits: float) -> Placed:
        medium, loops = self.medium(region), self.loops[region.index]
        rim = np.concatenate([loop.path for loop in loops])
        size = self.sizes[region.index]
        corner_poles = self._clear(clustered(self.corners, region.index, digits), region, rim)
        inner, outer = [loop for loop in loops if loop.hole], [loop for loop in loops if not loop.hole]
        around = [panel for loop in outer for panel in loop.panels]
        along = self._clear(beside(self.cells, region.index, size, digits, around), region, rim)
        poles = corner_poles + along
        degree = sum(self._order(loop, size, digits) for loop in outer)
        features: list[Features]
        if medium.reaction == 0:
            thin = rim[:: max(1, len(rim) // ARNOLDI)]
            center = complex(thin.mean())
            features = [Unity(), Powers.of(Krylov.on(thin, degree, center))]
            for loop in inner:
                order = self._order(loop, size, digits)
                features.append(Powers.of(Krylov.on(loop.path, order, loop.middle, outside=True)))
            if inner:
                features.append(Charges(np.array([loop.middle for loop in inner]), size))
            if len(poles.at):
                features.append(SimplePoles(poles.at, poles.sizes))
            if jumps := self._jumps(region):
                features.append(Angles(*(np.array(column) for column in zip(*jumps, strict=True))))
        else:
            kappa, modified = medium.wavenumber, medium.reaction > 0
            path = np.concatenate([loop.path for loop in outer])
            center = complex(path.real.max() + path.real.min(), path.imag.max() + path.imag.min()) / 2
            features = [
                BesselMultipoles(kappa, modified, center, float(np.abs(path - center).max()), degree, False)
            ]
            for loop in inner:
                middle, order = loop.middle, self._order(loop, size, digits)
                features.append(
                    BesselMultipoles(
                        kappa, modified, middle, float(np.abs(loop.path - middle).min()), order, True
                    )
                )
            if len(corner_poles.at):
                features.append(Dipoles(kappa, modified, corner_poles.at, corner_poles.sizes))
            if len(along.at):
                features.append(Monopoles(kappa, modified, along.at, along.sizes))
        return Placed(tuple(features), corner_poles, along, degree)

    def _jumps(self, region: Region) -> list[tuple[complex, complex]]:
        """The places of a region where values jump, each with the direction out of it."""
        return [
            (corner.at, sector.out)
            for corner in self.corners
            if corner.jump > 0
            for sector in corner.sectors
            if sector.region == region.index
        ]

    def _order(self, loop: Loop, size: float, digits: float) -> int:
        """The order of a path's powers: the nearest object without its own poles determines it."""
        least, most = LAURENT if loop.hole else DEGREE
        first = loop.panels[0].curve
        if first.closed:
            size, bearing = first.radius, ROUND
        else:
            bearing = NEAR
        lengths = np.concatenate(
            [panel_cells.lengths for panel_cells in self.cells if panel_cells.panel in loop.panels]
        )
        nearest = (
            float(lengths[lengths >= bearing * min(size, self.size(loop.panels[0]))].min(initial=size)) / size
        )
        rate = math.log1p(nearest) if first.closed else nearest / 1.2 * math.log(10)
        return math.ceil(digits * min(max(math.log(10) / rate, least), most))

    def _clear(self, places: Places, region: Region, rim: Complex) -> Places:
        points = np.stack([places.at.real, places.at.imag], axis=1)
        inside = np.asarray(self.partition.domain.contains(points)) & np.asarray(region.contains(points))
        return clear(places, rim, inside)


def _sizes(field: NDArray[Any]) -> NDArray[np.float64]:
    """The root mean squares of fields (n, shots); 1 for zero fields."""
    sizes = np.sqrt(np.mean(np.abs(field) ** 2, axis=0))
    return np.asarray(np.where(sizes > 0, sizes, 1.0))


def _left(fresh: Sequence[Asked], amplitudes: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
    """The largest residual of values, of slopes times their effect, and the sum of all wrong flows, for each shot."""
    worst = {what: np.zeros(amplitudes[0].shape[1]) for what in What}
    for rows in fresh:
        here = np.abs(rows.block.left(amplitudes)).max(axis=0, initial=0.0)
        worst[rows.of] = worst[rows.of] + here if rows.of is What.FLOW else np.maximum(worst[rows.of], here)
    return np.asarray(worst[What.VALUES] + SLOPES * worst[What.SLOPES] + worst[What.FLOW])
