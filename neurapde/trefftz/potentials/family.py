"""Poisson's equation, and the screened one, by functions that solve them where coefficients are constant."""

from collections.abc import Sequence
from functools import cached_property
from typing import ClassVar

import numpy as np

from neurapde.backgrounds.waves import Background
from neurapde.conditions import Dirichlet, Neumann, Robin, Treated
from neurapde.equations.poisson import Poisson
from neurapde.fields.sources import GaussianSource, Source
from neurapde.problem.problem import Problem
from neurapde.spectral.weak import Piece, pieces_of
from neurapde.trefftz.family import Family
from neurapde.trefftz.features.base import Features
from neurapde.trefftz.near import Spot
from neurapde.trefftz.potentials.cutting import Cut, cut_by_data
from neurapde.trefftz.potentials.known import GaussianPotential, PolynomialPotential, polynomial_load
from neurapde.trefftz.potentials.loads import Medium
from neurapde.trefftz.regions import Partition, Region

TREATED = Treated("the solutions of the equation", (Dirichlet, Neumann, Robin), way="use Galerkin")
NOTHING = 9.0
"""Widths from a Gaussian source at which its density is nothing."""


class PoissonFamily(Family):
    """−∇·(a∇u) + cu = f in the plane, a and c constant by region."""

    is_complex: ClassVar[bool] = False

    @staticmethod
    def obstacle(problem: Problem) -> str | None:
        equation = problem.equation
        assert isinstance(equation, Poisson)
        for field, name in ((equation.coefficient, "coefficient"), (equation.reaction, "reaction")):
            for piece in pieces_of(field):
                if piece.constant is None:
                    return f"its {name} is {piece.field.describe()}, and not constant by region"
        if reason := problem.sides.missing(TREATED):
            return reason
        if equation.leaves_constant(problem):
            return "its solution is found up to a constant only"
        return _unknown(problem)

    @property
    def equation(self) -> Poisson:
        """The problem's."""
        assert isinstance(self.problem.equation, Poisson)
        return self.problem.equation

    @cached_property
    def _media(self) -> list[tuple[Piece, Medium]]:
        return [
            (
                Piece((*a.within, *c.within), (*a.outside, *c.outside), a.field),
                Medium(_real(a), _real(c)),
            )
            for a in pieces_of(self.equation.coefficient)
            for c in pieces_of(self.equation.reaction)
        ]

    @property
    def pieces(self) -> Sequence[Piece]:
        return [piece for piece, _ in self._media]

    def medium(self, region: Region) -> Medium:
        """The coefficients in a region."""
        return next(medium for piece, medium in self._media if piece is region.piece)

    def cut(self, partition: Partition) -> Cut:
        """The panels of a partition, cut by what is asked for on them."""
        regions = partition.regions
        return cut_by_data(
            partition,
            [
                None if panel.outer is not None else self.condition(panel, regions[panel.inner])
                for panel in partition.panels
            ],
        )

    @cached_property
    def spots(self) -> Sequence[Spot]:
        found = []
        for source in (one for shot in self.problem.right_hand_sides for one in shot):
            if isinstance(source, GaussianSource):
                x, y = (float(one) for one in source.at)
                found.append(Spot((x, y), source.reach / 4))
        return tuple(dict.fromkeys(found))

    def flux(self, region: Region) -> complex:
        return self.medium(region).coefficient

    def rate(self, region: Region) -> float:
        return 0.0

    def known(self, region: Region, partition: Partition) -> tuple[tuple[Background, ...], ...]:
        return tuple(self._loads(shot, region, partition) for shot in self.problem.right_hand_sides)

    def _loads(self, shot: Sequence[Source], region: Region, partition: Partition) -> tuple[Background, ...]:
        medium = self.medium(region)
        found: list[Background] = []
        for source in shot:
            if isinstance(source, GaussianSource):
                if _reaches(source, region, partition):
                    found.append(
                        GaussianPotential(source, medium.coefficient, medium.reaction, partition.extent)
                    )
            else:
                load = polynomial_load(source, region, partition)
                assert load is not None, source
                if np.any(load.coefficients):
                    one = load.particular(medium)
                    found.append(PolynomialPotential(one.coefficients, one.center, one.scale))
        return tuple(found)

    def outside(
        self, region: Region, center: tuple[float, float], radius: float, order: int
    ) -> Sequence[Features]:
        raise NotImplementedError

    def inside(
        self, region: Region, center: tuple[float, float], radius: float, order: int
    ) -> Sequence[Features]:
        raise NotImplementedError

    def poles(self, region: Region, at: Sequence[tuple[float, float]]) -> Sequence[Features]:
        raise NotImplementedError


def _real(piece: Piece) -> float:
    assert piece.constant is not None
    return float(np.real(piece.constant))


def _unknown(problem: Problem) -> str | None:
    """The first load whose field is not known in closed form."""
    family = PoissonFamily(problem)
    sources = [one for shot in problem.right_hand_sides for one in shot]
    gaussian = any(isinstance(one, GaussianSource) for one in sources)
    if gaussian and any(medium.reaction < 0 for _, medium in family._media):
        return "no field in closed form is known of a Gaussian source where the reaction is negative"
    partition = Partition.of(problem.domain, family.pieces)
    if reason := family.cut(partition).reason:
        return reason
    for region in partition.regions:
        for source in sources:
            if not isinstance(source, GaussianSource) and polynomial_load(source, region, partition) is None:
                return f"its source {source.describe()} is no polynomial by region, and no Gaussian source"
    return None


def _reaches(source: GaussianSource, region: Region, partition: Partition) -> bool:
    """Whether a source has a density in a region."""
    at = np.array([source.center])
    if region.contains(at)[0] and np.asarray(partition.domain.contains(at))[0]:
        return True
    fractions = np.linspace(0, 1, 257)
    places = [panel.curve.points(fractions) for panel, _ in partition.border(region)]
    return any(float(np.hypot(*(one - at).T).min()) < NOTHING * source.reach / 4 for one in places)
