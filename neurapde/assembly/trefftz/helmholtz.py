"""Helmholtz' equation by its own waves: outgoing ones around inclusions, regular ones inside, poles at corners."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import special
from scipy.spatial import cKDTree

from neurapde.assembly.trefftz.curves import place_on
from neurapde.assembly.trefftz.family import Family
from neurapde.assembly.trefftz.features.base import Features
from neurapde.assembly.trefftz.features.cylinder import Outgoing, Regular
from neurapde.assembly.trefftz.features.poles import Poles
from neurapde.assembly.trefftz.near import Spot
from neurapde.assembly.trefftz.regions import AbstractPanel, AbstractPartition, Region
from neurapde.assembly.trefftz.seams import unjoined
from neurapde.backgrounds.waves import Background, OutgoingWave
from neurapde.conditions import PML, Absorbing, Dirichlet, Neumann, Periodic, Robin, Treated
from neurapde.conditions.base import ONE, ZERO, Mixed
from neurapde.conditions.stretch import Stretch
from neurapde.equations.helmholtz import Helmholtz
from neurapde.fields.medium import Constant
from neurapde.fields.sources import GaussianSource, PointSource, Source
from neurapde.problem.problem import Problem
from neurapde.spectral.weak import Piece, pieces_of

TREATED = Treated(
    "the solutions of the equation", (PML, Absorbing, Dirichlet, Neumann, Robin), way="use Galerkin"
)
IN_PLANE = replace(TREATED, kinds=(*TREATED.kinds, Periodic))
FELT = 5e-6
"""Part of the field sent back by a layer above which it is left to methods that solve it as declared."""
RECEIVERS, SENDERS = 200, 5
"""Points at which that is looked at, and those of every panel from which waves come, beside the sources."""
NOTHING = 12.0
"""Widths from a Gaussian source at which its density is nothing."""


class HelmholtzFamily(Family):
    """(Δ + k²/c²) u = f with a speed constant by region, in the plane."""

    is_complex: ClassVar[bool] = True

    @staticmethod
    def obstacle(problem: Problem) -> str | None:
        equation = problem.equation
        assert isinstance(equation, Helmholtz)
        for piece in pieces_of(equation.complex_speed):
            if piece.constant is None:
                return f"its speed is {piece.field.describe()}, which is not constant by region"
            if complex(piece.constant).imag < 0 and problem.pml is not None:
                return "its waves grow as they travel, so there are no outgoing waves"
        if reason := problem.sides.missing(IN_PLANE if problem.domain.dimension == 2 else TREATED):
            return reason
        if reason := unjoined(problem):
            return reason
        if problem.sides.periodic and problem.pml is not None:
            return "it has an absorbing layer beside periodic sides"
        for source in (source for shot in problem.right_hand_sides for source in shot):
            if not isinstance(source, GaussianSource | PointSource):
                return f"no field in closed form is known for its source {source.describe()}"
        reflected = max(equation.reflections(problem).values(), default=0.0)
        if reflected > FELT:
            return (
                f"its layer reflects |R| = {reflected:.1e}, but only waves without reflection are known in closed "
                "form"
            )
        return None

    @property
    def equation(self) -> Helmholtz:
        """The problem's."""
        assert isinstance(self.problem.equation, Helmholtz)
        return self.problem.equation

    @cached_property
    def stretch(self) -> Stretch | None:
        """The stretch of the layers, or None."""
        return None if self.problem.pml is None else self.equation.stretch(self.problem)

    @property
    def pieces(self) -> Sequence[Piece]:
        return pieces_of(self.equation.complex_speed)

    @cached_property
    def spots(self) -> Sequence[Spot]:
        spots = []
        for source in (source for shot in self.problem.right_hand_sides for source in shot):
            assert isinstance(source, GaussianSource | PointSource)
            spots.append(Spot(tuple(map(float, source.at)), source.reach / 4))
        return tuple(dict.fromkeys(spots))

    def flux(self, region: Region) -> complex:
        return 1.0

    def rate(self, region: Region) -> float:
        return abs(self.wavenumber(region))

    def wavenumber(self, region: Region) -> complex:
        """k/c in a region: complex for waves that decay."""
        wavenumber = self.equation.wavenumber / complex(region.value)
        return wavenumber if wavenumber.imag else wavenumber.real

    def known(self, region: Region, partition: AbstractPartition[Any]) -> tuple[tuple[Background, ...], ...]:
        felt = self._felt(region, partition)
        return tuple(
            tuple(self._wave(source, region) for source in shot if source in felt)
            for shot in self.problem.right_hand_sides
        )

    def _wave(self, source: Source, region: Region) -> OutgoingWave:
        assert isinstance(source, GaussianSource | PointSource)
        return OutgoingWave(source, self.wavenumber(region), self.stretch)

    def _felt(self, region: Region, partition: AbstractPartition[Any]) -> set[Source]:
        """The sources with a density, or with their point, in a region."""
        sources = list(dict.fromkeys(source for shot in self.problem.right_hand_sides for source in shot))
        if not sources:
            return set()
        at = np.array([source.center for source in sources], dtype=float)
        mine = np.ones(len(sources), dtype=bool)
        for other in partition.regions[: region.index]:
            mine &= ~other.contains(at)
        mine &= region.contains(at)
        if border := partition.border(region):
            places = np.concatenate([panel.seen for panel, _ in border])
            mine |= cKDTree(places).query(at)[0] < NOTHING / 4 * np.array(
                [source.reach for source in sources]
            )
        return {source for source, here in zip(sources, mine, strict=True) if here}

    def outside(
        self, region: Region, center: tuple[float, ...], radius: float, order: int
    ) -> Sequence[Features]:
        return (Outgoing(self.wavenumber(region), center, radius, order, self.stretch),)

    def inside(
        self, region: Region, center: tuple[float, ...], radius: float, order: int
    ) -> Sequence[Features]:
        return (Regular(self.wavenumber(region), center, radius, order, self.stretch),)

    def poles(self, region: Region, at: Sequence[tuple[float, float]]) -> Sequence[Features]:
        return (Poles(self.wavenumber(region), tuple(at), self.stretch),)

    def condition(self, panel: AbstractPanel, region: Region) -> Mixed | None:
        width = self.problem.sides.open.get(panel.face)
        if width is not None:
            return None if width else Mixed(Constant(1j * self.wavenumber(region)), ONE, ZERO)
        return super().condition(panel, region)

    def slopes(self, points: NDArray[np.float64]) -> NDArray[Any] | float:
        if self.stretch is None or self.stretch.physical(points).all():
            return 1.0
        factors = np.stack(self.stretch.factors(points), axis=1)
        return factors.prod(axis=1, keepdims=True) / factors**2

    @cached_property
    def floor(self) -> float:
        """The reflection by the layers of waves from sources and panels, from their images beyond the outer edges."""
        if self.stretch is None:
            return 0.0
        points = self.problem.domain.sample(RECEIVERS, how="grid").numpy()
        points = points[self.problem.physical(points)]
        sources = np.array([spot.at for spot in self.spots]).reshape(-1, points.shape[1])
        senders = np.concatenate([sources, *self._senders()])
        senders = senders[self.problem.physical(senders)]
        k = self.equation.wavenumber / self.equation.fastest_in_layer(self.problem)
        shift = points[:, None] - senders
        direct = self._strength(k * np.maximum(np.linalg.norm(shift, axis=-1), 1 / k))
        total = np.zeros_like(direct)
        for i, axis in enumerate(self.stretch.axes):
            for edge, width in zip((axis.lower, axis.upper), axis.widths, strict=True):
                if width:
                    beyond = 2 * axis.integral(np.array([edge])) - senders[:, i] - points[:, i, None]
                    across = (np.delete(shift, i, axis=-1) ** 2).sum(axis=-1)
                    total += self._strength(k * np.sqrt(beyond**2 + across))
        return float(np.max(np.linalg.norm(total, axis=0) / np.linalg.norm(direct, axis=0), initial=0.0))

    def _senders(self) -> list[NDArray[np.float64]]:
        """Places (n, d) of all surfaces, as origins of waves."""
        fractions = (np.arange(SENDERS) + 0.5) / SENDERS
        shapes = dict.fromkeys(shape for piece in self.pieces for shape in (*piece.within, *piece.outside))
        edges = [edge for shape in (self.problem.domain, *shapes) for edge in shape.edges]
        return [place_on(edge, fractions) for edge in edges]

    def _strength(self, phase: NDArray[Any]) -> NDArray[np.float64]:
        """The strength of a point's wave after a phase."""
        return np.abs(special.hankel2(0, phase))

    def notes(self) -> Sequence[str]:
        if self.stretch is None:
            return ()
        return (
            f"Waves leave through the layer without reflection: the layer would reflect {self.floor:.1e} of them, which "
            "is left out.",
        )
