"""Helmholtz' equation in three axes by its spherical waves: outgoing ones around balls, regular ones within."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurapde.assembly.trefftz.features.base import Features
from neurapde.assembly.trefftz.features.spherical import SphericalWaves
from neurapde.assembly.trefftz.helmholtz import HelmholtzFamily
from neurapde.assembly.trefftz.regions import Region
from neurapde.assembly.trefftz.space.partition import SpacePartition, in_boxes_of
from neurapde.core.errors import DeclarationError
from neurapde.equations.helmholtz import Helmholtz
from neurapde.fields.sources import GaussianSource
from neurapde.problem.problem import Problem
from neurapde.spectral.weak import pieces_of

SENDERS = 40
"""Places of every sphere from which waves come, to see what layers send back."""


class HelmholtzInSpace(HelmholtzFamily):
    """(Δ + k²/c²) u = f with a speed constant by region, of balls in a box or a ball."""

    @staticmethod
    def obstacle(problem: Problem) -> str | None:
        if reason := HelmholtzFamily.obstacle(problem):
            return reason
        equation = problem.equation
        assert isinstance(equation, Helmholtz)
        fades = any(complex(piece.constant or 0).imag for piece in pieces_of(equation.complex_speed))
        sources = (source for shot in problem.right_hand_sides for source in shot)
        if fades and any(isinstance(source, GaussianSource) for source in sources):
            return "it has a Gaussian source and a complex speed, and no closed form of its field is known in space"
        widths = [problem.sides.open.get(face, 0.0) for face in in_boxes_of(problem.domain)]
        if any(widths) and not all(widths):
            return "it has a layer at only some faces of its box"
        try:
            partition = SpacePartition.of(problem.domain, pieces_of(equation.complex_speed))
        except DeclarationError as error:
            return str(error)
        return None if all(widths) and widths else partition.no_ball()

    @cached_property
    def partition(self) -> SpacePartition:
        return SpacePartition.of(self.problem.domain, self.pieces)

    def outside(
        self, region: Region, center: tuple[float, ...], radius: float, order: int
    ) -> Sequence[Features]:
        return (SphericalWaves(center, radius, order, self.wavenumber(region), True, self.stretch),)

    def inside(
        self, region: Region, center: tuple[float, ...], radius: float, order: int
    ) -> Sequence[Features]:
        return (SphericalWaves(center, radius, order, self.wavenumber(region), False, self.stretch),)

    def _senders(self) -> list[NDArray[np.float64]]:
        return [patch.places(SENDERS).points for patch in self.partition.panels]

    def _strength(self, phase: NDArray[Any]) -> NDArray[np.float64]:
        return np.abs(np.exp(-1j * phase) / phase)
