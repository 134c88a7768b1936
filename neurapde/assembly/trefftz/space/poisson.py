"""Poisson's equation, and the screened one, in three axes by spherical functions about the centres of balls."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from neurapde.assembly.trefftz.family import family_of
from neurapde.assembly.trefftz.features.base import Array, Features
from neurapde.assembly.trefftz.features.spherical import SphericalPotentials
from neurapde.assembly.trefftz.near import Spot
from neurapde.assembly.trefftz.potentials.family import PoissonFamily, reaches
from neurapde.assembly.trefftz.potentials.loads import Potential
from neurapde.assembly.trefftz.regions import AbstractPartition, Region
from neurapde.assembly.trefftz.space.loads import PolynomialInSpace, SourceInSpace, polynomial_through
from neurapde.assembly.trefftz.space.partition import SpacePartition
from neurapde.backgrounds.waves import Background
from neurapde.core.arrays import to_numpy
from neurapde.core.errors import DeclarationError
from neurapde.fields.sources import GaussianSource, PointSource, Source
from neurapde.jets.layout import Layout
from neurapde.problem.problem import Problem

DEGREES = (0, 1, 2, 4, 6)
"""Of the polynomials that are tried for a load."""
LOOKED, MOST, EXACT = 4000, 400, 1e-12
"""Points of a domain, and of each surface, at which loads are looked at; of the largest value: how near polynomials are."""


class PoissonInSpace(PoissonFamily):
    """−∇·(a∇u) + cu = f with a and c constant by region, of balls in a box or a ball."""

    @staticmethod
    def obstacle(problem: Problem) -> str | None:
        if reason := PoissonFamily.uneven(problem):
            return reason
        try:
            family = family_of(PoissonInSpace, problem)
            return family.partition.no_ball() or family.unknown()
        except DeclarationError as error:
            return str(error)

    @cached_property
    def partition(self) -> SpacePartition:
        return SpacePartition.of(self.problem.domain, self.pieces)

    def unknown(self) -> str | None:
        """The first load without a known field in closed form."""
        for region in self.partition.regions:
            for source in self._sources:
                if not isinstance(source, GaussianSource | PointSource) and not self._polynomial(
                    source, region
                ):
                    return f"its source {source.describe()} is not a Gaussian source, a point source or a polynomial"
        return None

    @cached_property
    def spots(self) -> Sequence[Spot]:
        placed = [source for source in self._sources if isinstance(source, GaussianSource | PointSource)]
        return tuple(Spot(tuple(map(float, source.at)), source.reach / 4) for source in placed)

    def _loads(
        self, shot: Sequence[Source], region: Region, partition: AbstractPartition[Any]
    ) -> tuple[Background, ...]:
        medium = self.medium(region)
        potentials: list[Potential] = []
        for source in shot:
            if isinstance(source, GaussianSource | PointSource):
                if reaches(source, region, partition):
                    potentials.append(SourceInSpace(source, medium.coefficient, medium.reaction))
                continue
            load = self._polynomial(source, region)
            assert load is not None, source
            if load.coefficients.any():
                potentials.append(load.particular(medium))
        return tuple(potentials)

    def _polynomial(self, source: Source, region: Region) -> PolynomialInSpace | None:
        """The load in a region as a polynomial, or None."""
        key = source, region.index
        if key not in self._polynomials:
            self._polynomials[key] = _exact(
                self._part(region).loads.get(source, source), self._within(region)
            )
        return self._polynomials[key]

    @cached_property
    def _polynomials(self) -> dict[tuple[Source, int], PolynomialInSpace | None]:
        return {}

    def _within(self, region: Region) -> Array:
        """Points (n, 3) of a region."""
        points = self.problem.domain.sample(LOOKED, how="grid").numpy()
        border = [panel for panel, _ in self.partition.border(region)]
        beside = [panel.surface.places(MOST).points for panel in border]
        return np.concatenate([points[region.contains(points)], *beside])

    def outside(
        self, region: Region, center: tuple[float, ...], radius: float, order: int
    ) -> Sequence[Features]:
        medium = self.medium(region)
        return (SphericalPotentials(center, radius, order, medium.wavenumber, medium.reaction >= 0, True),)

    def inside(
        self, region: Region, center: tuple[float, ...], radius: float, order: int
    ) -> Sequence[Features]:
        medium = self.medium(region)
        return (SphericalPotentials(center, radius, order, medium.wavenumber, medium.reaction >= 0, False),)


def _exact(load: Callable[[Array], Any], points: Array) -> PolynomialInSpace | None:
    """The polynomial equal to a load at points (n, 3)."""
    values = np.asarray(to_numpy(load(points)), dtype=float)
    if not np.isfinite(values).all():
        return None
    for degree in DEGREES:
        polynomial = polynomial_through(points, values, degree)
        if polynomial is None:
            return None
        missed = polynomial.channels(points, Layout(3, 0))[0] - values
        if np.abs(missed).max() <= EXACT * np.abs(values).max():
            return polynomial
    return None
