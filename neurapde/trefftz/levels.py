"""Levels of more and more digits: features and rows, their least-squares solution, and what it leaves at fresh points."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from neurapde.jets.layout import Layout
from neurapde.trefftz.family import Family
from neurapde.trefftz.features.base import Features
from neurapde.trefftz.regions import Panel, Partition, Region
from neurapde.trefftz.rims import Rim, rims_of
from neurapde.trefftz.rows import Basis, Known, system_of

DIGITS = (4.0, 7.0, 10.0, 13.0, 16.0, 20.0, 24.0, 30.0)
"""What the levels aim at."""
ROUNDING = 1e-14
"""Of the largest singular value: what is below it is none."""
PROBES = 1500
"""Points at which two levels are compared."""
VALUE = Layout(2, 0)


@dataclass(frozen=True)
class Solved:
    """A level: its basis, the amplitudes (features, shots), and the norm of what is left at fresh points, for each shot."""

    basis: Basis
    amplitudes: NDArray[Any]
    left: NDArray[np.float64]

    def of(self, region: Region) -> NDArray[Any]:
        """The amplitudes of a region's features."""
        starts = self.basis.starts
        return self.amplitudes[starts[region.index] : starts[region.index + 1]]


class Levels:
    """A problem of a family, level by level."""

    def __init__(self, family: Family, partition: Partition) -> None:
        asked = tuple(panel for panel in partition.panels if not _is_open(family, partition, panel))
        self.family, self.partition = family, replace(partition, panels=asked)
        self.known = tuple(Known(family.known(region, partition)) for region in partition.regions)
        self.rates = [family.rate(region) for region in partition.regions]

    def solve(self, digits: float) -> Solved:
        """The solution with features for so many digits."""
        rims = rims_of(self.partition, self.rates, self.family.spots, digits)
        basis = Basis(
            self.family,
            self.partition,
            tuple(self._features(one, rims) for one in self.partition.regions),
            self.known,
        )
        system = system_of(basis, rims)
        sizes = np.linalg.norm(system.rows, axis=0)
        sizes = np.where(sizes > 0, sizes, 1.0)
        amplitudes = np.zeros((basis.count, system.sides.shape[1]), dtype=basis.dtype)
        if basis.count:
            found = scipy.linalg.lstsq(
                system.rows / sizes, system.sides, cond=ROUNDING, lapack_driver="gelsd", check_finite=False
            )[0]
            amplitudes = found / sizes[:, None]
        fresh = system_of(basis, rims_of(self.partition, self.rates, self.family.spots, digits, fresh=True))
        left = np.linalg.norm(fresh.rows @ amplitudes - fresh.sides, axis=0)
        return Solved(basis, amplitudes, left)

    def _features(self, region: Region, rims: Sequence[Rim]) -> tuple[Features, ...]:
        """All features of a region."""
        found: list[Features] = []
        poles: list[tuple[float, float]] = []
        for rim in rims:
            for side, index in ((1.0, rim.panel.inner), (-1.0, rim.panel.outer)):
                if index != region.index:
                    continue
                if rim.order is not None:
                    within = side * rim.panel.sign > 0
                    made = self.family.inside if within else self.family.outside
                    found += made(region, rim.center, rim.radius, rim.order)
                else:
                    poles += [(float(x), float(y)) for x, y in rim.off(side)]
        return (*found, *(self.family.poles(region, tuple(poles)) if poles else ()))

    @cached_property
    def probes(self) -> NDArray[np.float64]:
        """Points (n, 2) of the physical region at which fields are compared, away from sources."""
        problem = self.family.problem
        points = problem.domain.sample(PROBES, how="grid").numpy()
        kept = problem.physical(points)
        spacing = math.sqrt(problem.domain.measure / PROBES)
        for spot in self.family.spots:
            kept &= np.hypot(*(points - spot.at).T) > max(spacing, 4 * spot.width)
        return points[kept]

    def field(self, solved: Solved) -> NDArray[Any]:
        """The field at the probes, (n, shots)."""
        found = np.zeros((len(self.probes), solved.amplitudes.shape[1]), dtype=solved.basis.dtype)
        left = np.ones(len(self.probes), dtype=bool)
        for region in self.partition.regions:
            inside = left & region.contains(self.probes)
            left &= ~inside
            points = self.probes[inside]
            found[inside] = self.known[region.index].channels(points, solved.basis.dtype)[0]
            start, mine = 0, solved.of(region)
            for part in solved.basis.features[region.index]:
                found[inside] += part.summed(points, VALUE, mine[start : start + part.count])[0]
                start += part.count
        return found


def _is_open(family: Family, partition: Partition, panel: Panel) -> bool:
    """Whether nothing is asked for on a panel."""
    return panel.outer is None and family.condition(panel, partition.regions[panel.inner]) is None


def levels(found: Levels) -> Iterator[tuple[float, Solved]]:
    """The levels with their digits."""
    for digits in DIGITS:
        yield digits, found.solve(digits)
