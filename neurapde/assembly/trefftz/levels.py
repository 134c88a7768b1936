"""Levels of more and more digits: features and rows, their least-squares solution, and its residual at fresh points."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from neurapde.assembly.trefftz.corners import ends_of
from neurapde.assembly.trefftz.elimination import least_squares
from neurapde.assembly.trefftz.family import Family
from neurapde.assembly.trefftz.features.base import Features
from neurapde.assembly.trefftz.known import Known
from neurapde.assembly.trefftz.regions import AbstractPanel, AbstractPartition, Partition, Region
from neurapde.assembly.trefftz.rims import CurveRim, rims_of
from neurapde.assembly.trefftz.rows import Basis, Rim, system_of
from neurapde.assembly.trefftz.trial import FeatureFunction, FeatureSum
from neurapde.jets.layout import Layout
from neurapde.training.run.setting import in_double_precision
from neurapde.trials.piecewise import Part, PiecewiseFunction, PiecewiseTrial

FIRST, STEPS = -2.0, (3.0, 1.0, 2.0, 2.0, 2.0)
"""Digits of the first level beside those of the tolerance, and what each further level has more."""
FEWEST_DIGITS = 3.0
EVEN = 4000
"""Points of the mean that is zero where slopes alone are given."""
PROBES, BESIDE, OFF = 1000, 200, 1e-3
"""Points at which two levels are compared; those on either side of panels, and how far off, in lengths of the panel."""


class AbstractPlan(Protocol):
    """A level before it is solved: its basis, the points along panels, and the rows of its linear system."""

    @property
    def basis(self) -> Basis: ...

    @property
    def points(self) -> int: ...

    @property
    def rows(self) -> int: ...


Planned = TypeVar("Planned", bound=AbstractPlan)


@dataclass(frozen=True)
class Plan:
    """A level before it is solved: its basis, its rims, and those of points that only check the residual."""

    basis: Basis
    rims: tuple[Rim, ...]
    fresh: tuple[Rim, ...]

    @property
    def points(self) -> int:
        """Of all rims."""
        return sum(len(rim.weights) for rim in self.rims)

    @property
    def rows(self) -> int:
        """Of the linear system: two of an interface, one of a face."""
        return sum(len(rim.weights) * (1 if rim.panel.outer is None else 2) for rim in self.rims)


@dataclass(frozen=True)
class Solved:
    """A level: its basis, the amplitudes (features, shots), and the norm of the residual at fresh points, for each shot."""

    basis: Basis
    amplitudes: NDArray[Any]
    left: NDArray[np.float64]
    points: int

    def of(self, region: Region) -> NDArray[Any]:
        """The amplitudes of a region's features."""
        starts = self.basis.starts
        return self.amplitudes[starts[region.index] : starts[region.index + 1]]


class AbstractLevels(ABC, Generic[Planned]):
    """A problem of a family, level by level.

    pace: processor seconds for each row and pair of columns of the linear system.
    """

    pace: ClassVar[float] = 2e-9

    def __init__(self, family: Family) -> None:
        whole = family.partition
        asked = tuple(panel for panel in whole.panels if not _is_open(family, whole, panel))
        self.family = family
        self.partition: AbstractPartition[Any] = replace(whole, panels=asked)
        self.known = tuple(Known(family.known(region, whole)) for region in whole.regions)

    @abstractmethod
    def plan(self, digits: float) -> Planned:
        """The parts of a level of a number of digits."""

    @abstractmethod
    def solve(self, plan: Planned) -> Solved:
        """The least-squares solution of a level."""

    def digits(self, tolerance: float) -> Iterator[float]:
        """The digits of a level for a relative error."""
        digits = max(-math.log10(tolerance) + FIRST, FEWEST_DIGITS)
        yield digits
        for step in STEPS:
            digits += step
            yield digits

    def error(self, solved: Solved, field: NDArray[Any]) -> float | None:
        """The relative error that the residual bounds; None if only the change between two levels estimates it.

        field: at the probes (n, shots).
        """
        return None

    def floor(self, field: NDArray[Any]) -> float:
        """Relative error of a field (n, shots) at the probes that more features cannot lower."""
        return self.family.floor

    @cached_property
    def probes(self) -> NDArray[np.float64]:
        """Points (n, 2) of the physical region where fields are compared, away from sources; many near panels."""
        problem = self.family.problem
        points = problem.domain.sample(PROBES, how="grid").numpy()
        total = sum(panel.size for panel in self.partition.panels)
        beside = [points]
        for panel in self.partition.panels:
            places, normals = panel.spread(BESIDE * panel.size / total)
            step = OFF * panel.extent * normals
            beside += [places - step, places + step]
        points = np.concatenate(beside)
        compared = problem.physical(points)
        spacing = (problem.domain.measure / PROBES) ** (1 / problem.domain.dimension)
        for spot in self.family.spots:
            compared &= np.linalg.norm(points - spot.at, axis=1) > max(spacing, 4 * spot.width)
        return points[compared]

    def trial(self, solved: Solved) -> PiecewiseFunction:
        """The field of a level as a trial function."""
        problem, features = self.family.problem, solved.basis.features
        parts = [
            Part(
                region.piece.within,
                region.piece.outside,
                FeatureSum(features[region.index], self.known[region.index].shots),
            )
            for region in self.partition.regions
        ]
        trial = PiecewiseTrial(tuple(parts)).draw(in_double_precision(problem))
        for region, function in zip(self.partition.regions, trial.trials, strict=True):
            assert isinstance(function, FeatureFunction)
            function.set_amplitudes(solved.of(region))
        return trial

    def balanced(self, solved: Solved) -> Solved:
        """The amplitudes with the constant of every region, its first feature, set so that the mean of the field is zero."""
        points = self.family.problem.domain.sample(EVEN, how="grid").numpy()
        for spot in self.family.spots:
            points = points[np.linalg.norm(points - spot.at, axis=1) > 0]
        mean = self.summed(solved, points, self.parts_of(points)).mean(axis=0)
        amplitudes = solved.amplitudes.copy()
        amplitudes[solved.basis.starts[:-1]] -= mean
        return replace(solved, amplitudes=amplitudes)

    def field(self, solved: Solved) -> NDArray[Any]:
        """The field at the probes, (n, shots)."""
        return self.summed(solved, self.probes, self._probed)

    @cached_property
    def _probed(self) -> "list[_Within]":
        return self.parts_of(self.probes)

    def parts_of(self, points: NDArray[np.float64]) -> "list[_Within]":
        """The points (n, 2) in every region, and the known fields there."""
        unclaimed, parts = np.ones(len(points), dtype=bool), []
        for region in self.partition.regions:
            inside = unclaimed & region.contains(points)
            unclaimed &= ~inside
            dtype = np.complex128 if self.family.is_complex else np.float64
            known = self.known[region.index].channels(points[inside], _value_at(points), dtype)[0]
            parts.append(_Within(region, inside, known))
        return parts

    def summed(self, solved: Solved, points: NDArray[np.float64], parts: "Sequence[_Within]") -> NDArray[Any]:
        """The field at points (n, 2) with their regions from `parts_of`: (n, shots)."""
        field = np.zeros((len(points), solved.amplitudes.shape[1]), dtype=solved.basis.dtype)
        for within in parts:
            field[within.inside] = within.known
            start, mine = 0, solved.of(within.region)
            for functions in solved.basis.features[within.region.index]:
                field[within.inside] += functions.summed(
                    points[within.inside], _value_at(points), mine[start : start + functions.count]
                )[0]
                start += functions.count
        return field


@dataclass(frozen=True)
class _Within:
    """The points of a region, as a mask (n,), and the known fields there (m, shots)."""

    region: Region
    inside: NDArray[np.bool_]
    known: NDArray[Any]


class RimLevels(AbstractLevels[Plan]):
    """Levels whose rows lie on rims."""

    def solve(self, plan: Plan) -> Solved:
        basis, shots = plan.basis, len(self.known[0].shots)
        system, fresh = system_of(basis, plan.rims), system_of(basis, plan.fresh)
        amplitudes = [np.zeros((0, shots), dtype=basis.dtype) for _ in self.partition.regions]
        if basis.count:
            amplitudes = least_squares(system, np.diff(basis.starts).tolist())
        squares = np.zeros(shots)
        for block in fresh:
            squares += (np.abs(block.left(amplitudes)) ** 2).sum(axis=0)
        return Solved(basis, np.concatenate(amplitudes), np.sqrt(squares), plan.points)


class Levels(RimLevels):
    """Levels in the plane, with functions about the centres of circles, and poles along cells of panels."""

    partition: Partition

    def __init__(self, family: Family) -> None:
        super().__init__(family)
        self.rates = [family.rate(region) for region in self.partition.regions]
        self.ends = ends_of(self.partition, family)

    def plan(self, digits: float) -> Plan:
        rims, fresh = (
            tuple(rims_of(self.partition, self.rates, self.ends, self.family.spots, digits, fresh))
            for fresh in (False, True)
        )
        features = tuple(self._features(region, rims) for region in self.partition.regions)
        return Plan(Basis(self.family, self.partition, features, self.known), rims, fresh)

    def _features(self, region: Region, rims: Sequence[CurveRim]) -> tuple[Features, ...]:
        """All features of a region."""
        features: list[Features] = []
        poles: list[tuple[float, float]] = []
        for rim in rims:
            for side, index in ((1.0, rim.panel.inner), (-1.0, rim.panel.outer)):
                if index != region.index:
                    continue
                if rim.order is not None:
                    within = side * rim.panel.sign > 0
                    made = self.family.inside if within else self.family.outside
                    features += made(region, rim.center, rim.radius, rim.order)
                else:
                    poles += [(float(x), float(y)) for x, y in rim.off(side)]
        return (*features, *(self.family.poles(region, tuple(poles)) if poles else ()))


def _value_at(points: NDArray[np.float64]) -> Layout:
    return Layout(points.shape[1], 0)


def _is_open(family: Family, partition: AbstractPartition[Any], panel: AbstractPanel) -> bool:
    """Whether a panel has no condition."""
    return panel.outer is None and not family.asks(panel, partition.regions[panel.inner])
