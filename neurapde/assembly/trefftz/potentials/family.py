"""Poisson's equation, and the screened one, by functions that solve them where coefficients are constant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from neurapde.assembly.trefftz.curves import SAME
from neurapde.assembly.trefftz.family import Family, family_of
from neurapde.assembly.trefftz.features.base import Features
from neurapde.assembly.trefftz.near import Spot
from neurapde.assembly.trefftz.potentials.cutting import Cut, cut_by_data
from neurapde.assembly.trefftz.potentials.fitting import Fitted, Ground
from neurapde.assembly.trefftz.potentials.loads import GaussianPotential, Medium, PointPotential
from neurapde.assembly.trefftz.regions import AbstractPartition, Partition, Region, distance_to
from neurapde.assembly.trefftz.seams import unjoined
from neurapde.backgrounds.waves import Background
from neurapde.conditions import Dirichlet, Neumann, Periodic, Robin, Treated
from neurapde.equations.poisson import Poisson
from neurapde.fields.hidden import at_corners, hidden_places
from neurapde.fields.medium import Field, Piecewise
from neurapde.fields.sources import FunctionSource, GaussianSource, PointSource, Source
from neurapde.problem.problem import Problem
from neurapde.spectral.weak import Piece, pieces_of

TREATED = Treated("the solutions of the equation", (Dirichlet, Neumann, Robin), way="use Galerkin")
IN_PLANE = replace(TREATED, kinds=(*TREATED.kinds, Periodic))
NOTHING = 9.0
"""Widths from a Gaussian source at which its density is nothing."""


class PoissonFamily(Family):
    """−∇·(a∇u) + cu = f in the plane, a and c constant by region."""

    is_complex: ClassVar[bool] = False

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self._fits: dict[tuple[Source, int], Fitted | None] = {}

    @staticmethod
    def obstacle(problem: Problem) -> str | None:
        return PoissonFamily.uneven(problem) or family_of(PoissonFamily, problem).unknown()

    @staticmethod
    def uneven(problem: Problem) -> str | None:
        """The first coefficient that is not constant by region, or the first unknown kind of side."""
        equation = problem.equation
        assert isinstance(equation, Poisson)
        for coefficient, name in ((equation.coefficient, "coefficient"), (equation.reaction, "reaction")):
            for piece in pieces_of(coefficient):
                if piece.constant is None:
                    return f"its {name} is {piece.field.describe()}, which is not constant by region"
        return problem.sides.missing(IN_PLANE if problem.domain.dimension == 2 else TREATED) or unjoined(
            problem
        )

    def unknown(self) -> str | None:
        """The data on sides that are too rough, or the first load without a known field in closed form."""
        if reason := self.cut.reason or self._between():
            return reason
        functions = [
            source for source in self._sources if not isinstance(source, GaussianSource | PointSource)
        ]
        for source in functions:
            if self._hides(source):
                return f"its source {source.describe()} has details narrower than any sample points"
        for region in self.partition.regions:
            for source in functions:
                if self._fitted(source, region) is None:
                    return (
                        f"its source {source.describe()} is not a Gaussian source, and it is smooth neither in the box "
                        "around a region nor around a re-entrant corner"
                    )
        return None

    def _between(self) -> str | None:
        """A point source on an interface of two regions."""
        for source in self._sources:
            if isinstance(source, PointSource):
                at = np.array([source.at], dtype=float)
                away = min(distance_to(panel.curve, at) for panel in self.partition.panels)
                if away < SAME * self.partition.extent:
                    return f"its source {source.describe()} lies between two regions"
        return None

    def _hides(self, source: Source) -> bool:
        """Whether a load has parts between all points, except for singularities at an end of a panel."""
        lower, upper = self.problem.domain.bounds
        places = hidden_places(source, lower, upper, self.problem.domain.contains)
        ends = np.concatenate([panel.curve.points(np.array([0.0, 1.0])) for panel in self.partition.panels])
        return not at_corners(places, ends, upper - lower).all()

    @property
    def _plane(self) -> Partition:
        """The partition of a domain in the plane."""
        assert isinstance(self.partition, Partition)
        return self.partition

    @property
    def equation(self) -> Poisson:
        """The problem's."""
        assert isinstance(self.problem.equation, Poisson)
        return self.problem.equation

    @property
    def _sources(self) -> list[Source]:
        """Of all right-hand sides, each once."""
        return list(dict.fromkeys(source for shot in self.problem.right_hand_sides for source in shot))

    @cached_property
    def _parts(self) -> list["_Part"]:
        """The parts with constant coefficients and one function for each load."""
        parts = [
            _Part(_within(a, c), Medium(_real(a), _real(c)))
            for a in pieces_of(self.equation.coefficient)
            for c in pieces_of(self.equation.reaction)
        ]
        for source in self._sources:
            if isinstance(source, FunctionSource) and isinstance(source.f, Piecewise):
                parts = [part.cut(source, piece) for part in parts for piece in pieces_of(source.f)]
        return parts

    @property
    def pieces(self) -> Sequence[Piece]:
        return [part.piece for part in self._parts]

    def medium(self, region: Region) -> Medium:
        """The coefficients in a region."""
        return self._part(region).medium

    def _part(self, region: Region) -> "_Part":
        return next(part for part in self._parts if part.piece is region.piece)

    @cached_property
    def cut(self) -> Cut:
        """The panels of the partition, cut by their data."""
        partition = self._plane
        return cut_by_data(
            partition,
            [
                None if panel.outer is not None else self.condition(panel, partition.regions[panel.inner])
                for panel in partition.panels
            ],
        )

    @cached_property
    def spots(self) -> Sequence[Spot]:
        spots = []
        for source in self._sources:
            if isinstance(source, GaussianSource | PointSource):
                x, y = (float(coordinate) for coordinate in source.at)
                spots.append(Spot((x, y), source.reach / 4))
        return tuple(dict.fromkeys(spots))

    def flux(self, region: Region) -> complex:
        return self.medium(region).coefficient

    def rate(self, region: Region) -> float:
        return 0.0

    def known(self, region: Region, partition: AbstractPartition[Any]) -> tuple[tuple[Background, ...], ...]:
        return tuple(self._loads(shot, region, partition) for shot in self.problem.right_hand_sides)

    def _loads(
        self, shot: Sequence[Source], region: Region, partition: AbstractPartition[Any]
    ) -> tuple[Background, ...]:
        medium = self.medium(region)
        potentials: list[Background] = []
        for source in shot:
            if isinstance(source, GaussianSource | PointSource):
                if not reaches(source, region, partition):
                    continue
                constants = medium.coefficient, medium.reaction, partition.extent
                if isinstance(source, PointSource):
                    potentials.append(PointPotential(source, *constants))
                else:
                    potentials.append(GaussianPotential(source, *constants))
            else:
                load = self._fitted(source, region)
                assert load is not None, source
                if load.potential is not None:
                    potentials.append(load.potential)
        return tuple(potentials)

    def _fitted(self, source: Source, region: Region) -> Fitted | None:
        """The field of a load that is a function of space, or None if unknown."""
        key = source, region.index
        if key not in self._fits:
            self._fits[key] = self._grounds[region.index].load(self._part(region).loads.get(source, source))
        return self._fits[key]

    @cached_property
    def _grounds(self) -> list[Ground]:
        """The grounds of all regions, with the largest field of a load 1: (R² − r²)/4a for a circle around the domain,
        or 1/c."""
        media = [part.medium for part in self._parts]
        reach = sum(extent**2 for extent in self.problem.domain.extents) / (
            16 * min(medium.coefficient for medium in media)
        )
        if (reaction := min(medium.reaction for medium in media)) > 0:
            reach = min(reach, 1 / reaction)
        return [Ground(region, self._plane, self.medium(region), reach) for region in self.partition.regions]

    @cached_property
    def missed(self) -> NDArray[np.float64]:
        """The largest error of the field of every right-hand side (shots,) from its fitted loads."""
        fits = {
            source: [self._fits[key] for key in self._fits if key[0] == source] for source in self._sources
        }
        return np.array(
            [
                sum(fit.missed for source in shot for fit in fits[source] if fit is not None)
                for shot in self.problem.right_hand_sides
            ]
        )

    def outside(
        self, region: Region, center: tuple[float, ...], radius: float, order: int
    ) -> Sequence[Features]:
        raise NotImplementedError

    def inside(
        self, region: Region, center: tuple[float, ...], radius: float, order: int
    ) -> Sequence[Features]:
        raise NotImplementedError

    def poles(self, region: Region, at: Sequence[tuple[float, float]]) -> Sequence[Features]:
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class _Part:
    """A part of the domain with its coefficients; `loads` are piecewise sources, with their function here."""

    piece: Piece
    medium: Medium
    loads: Mapping[Source, Field] = field(default_factory=dict)

    def cut(self, source: Source, piece: Piece) -> "_Part":
        """The part in a piece of a source."""
        return replace(self, piece=_within(self.piece, piece), loads={**self.loads, source: piece.field})


def _within(piece: Piece, other: Piece) -> Piece:
    """The intersection of both, with the field of the first."""
    return Piece((*piece.within, *other.within), (*piece.outside, *other.outside), piece.field)


def _real(piece: Piece) -> float:
    assert piece.constant is not None
    return float(np.real(piece.constant))


def reaches(source: GaussianSource | PointSource, region: Region, partition: AbstractPartition[Any]) -> bool:
    """Whether a source has a density in a region."""
    at = np.array([source.center])
    if region.contains(at)[0] and np.asarray(partition.domain.contains(at))[0]:
        return True
    places = [panel.seen for panel, _ in partition.border(region)]
    return any(
        float(np.linalg.norm(points - at, axis=1).min()) < NOTHING * source.reach / 4 for points in places
    )
