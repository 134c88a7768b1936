"""Helmholtz' equation by its own waves: outgoing ones around inclusions, regular ones within, poles where corners are."""

from collections.abc import Sequence
from functools import cached_property
from typing import ClassVar

import numpy as np

from neurapde.backgrounds.waves import Background, OutgoingWave
from neurapde.conditions import PML, Absorbing, Dirichlet, Neumann, Robin, Treated
from neurapde.conditions.base import ONE, ZERO, Mixed
from neurapde.conditions.stretch import Stretch
from neurapde.equations.helmholtz import Helmholtz
from neurapde.fields.medium import Constant
from neurapde.fields.sources import GaussianSource, PointSource, Source
from neurapde.problem.problem import Problem
from neurapde.spectral.weak import Piece, pieces_of
from neurapde.trefftz.family import Family
from neurapde.trefftz.features.base import Features
from neurapde.trefftz.features.cylinder import Outgoing, Regular
from neurapde.trefftz.features.poles import Poles
from neurapde.trefftz.near import Spot
from neurapde.trefftz.regions import Panel, Partition, Region

TREATED = Treated(
    "the solutions of the equation", (PML, Absorbing, Dirichlet, Neumann, Robin), way="use Galerkin"
)
FELT = 1e-9
"""|R| at normal incidence above which a layer is left to methods that solve it as declared."""
NOTHING = 12.0
"""Widths from a Gaussian source at which its density is nothing."""


class HelmholtzFamily(Family):
    """(Δ + k²/c²) u = f with a speed constant by region, in the plane."""

    is_complex: ClassVar[bool] = True

    @staticmethod
    def obstacle(problem: Problem) -> str | None:
        equation = problem.equation
        assert isinstance(equation, Helmholtz)
        for piece in pieces_of(equation.speed):
            if piece.constant is None:
                return f"its speed is {piece.field.describe()}, and not constant by region"
            if complex(piece.constant).imag:
                return "its speed is complex"
        if reason := problem.sides.missing(TREATED):
            return reason
        for source in (one for shot in problem.right_hand_sides for one in shot):
            if not isinstance(source, GaussianSource | PointSource):
                return f"no field in closed form is known for its source {source.describe()}"
        reflected = max(equation.reflections(problem).values(), default=0.0)
        if reflected > FELT:
            return f"its layer sends back |R| = {reflected:.1e}, and only waves that leave for good are known in closed form"
        return None

    @property
    def equation(self) -> Helmholtz:
        """The problem's."""
        assert isinstance(self.problem.equation, Helmholtz)
        return self.problem.equation

    @cached_property
    def stretch(self) -> Stretch | None:
        """Of the layers; None without any."""
        return None if self.problem.pml is None else self.equation.stretch(self.problem)

    @property
    def pieces(self) -> Sequence[Piece]:
        return pieces_of(self.equation.speed)

    @cached_property
    def spots(self) -> Sequence[Spot]:
        found = []
        for source in (one for shot in self.problem.right_hand_sides for one in shot):
            assert isinstance(source, GaussianSource | PointSource)
            x, y = (float(one) for one in source.at)
            found.append(Spot((x, y), source.reach / 4))
        return tuple(dict.fromkeys(found))

    def flux(self, region: Region) -> complex:
        return 1.0

    def rate(self, region: Region) -> float:
        return self.equation.wavenumber / float(np.real(region.value))

    def known(self, region: Region, partition: Partition) -> tuple[tuple[Background, ...], ...]:
        return tuple(
            tuple(self._wave(one, region) for one in shot if self._reaches(one, region, partition))
            for shot in self.problem.right_hand_sides
        )

    def _wave(self, source: Source, region: Region) -> OutgoingWave:
        assert isinstance(source, GaussianSource | PointSource)
        return OutgoingWave(source, self.rate(region), self.stretch)

    def _reaches(self, source: Source, region: Region, partition: Partition) -> bool:
        """Whether a source has a density, or its point, in a region."""
        at = np.array([source.center])
        owner = next((one for one in partition.regions if one.contains(at)[0]), None)
        if owner is region:
            return True
        reach = NOTHING * source.reach / 4
        fractions = np.linspace(0, 1, 65)
        places = [panel.curve.points(fractions) for panel, _ in partition.border(region)]
        return any(float(np.hypot(*(one - at).T).min()) < reach for one in places)

    def outside(
        self, region: Region, center: tuple[float, float], radius: float, order: int
    ) -> Sequence[Features]:
        return (Outgoing(self.rate(region), center, radius, order, self.stretch),)

    def inside(
        self, region: Region, center: tuple[float, float], radius: float, order: int
    ) -> Sequence[Features]:
        return (Regular(self.rate(region), center, radius, order, self.stretch),)

    def poles(self, region: Region, at: Sequence[tuple[float, float]]) -> Sequence[Features]:
        return (Poles(self.rate(region), tuple(at), self.stretch),)

    def condition(self, panel: Panel, region: Region) -> Mixed | None:
        width = self.problem.sides.open.get(panel.face)
        if width is not None:
            return None if width else Mixed(Constant(1j * self.rate(region)), ONE, ZERO)
        return super().condition(panel, region)

    def notes(self) -> Sequence[str]:
        reflections = self.equation.reflections(self.problem)
        if not reflections:
            return ()
        return (
            f"Waves leave for good through the layer: what it sends back, |R| = {max(reflections.values()):.1e} at normal "
            "incidence, is left out.",
        )
