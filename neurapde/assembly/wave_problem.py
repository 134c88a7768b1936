"""A wave problem prepared for the lattice: its initial fields, its box, its bandwidth and its forcing.

Absorbing sides are moved out until no reflection arrives before the end: half the path of a wave in the time, minus
the distance to the side. The forcing is one list of pairs, a pattern in space and a history in time: initial value,
initial velocity, and each source with its signal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from neurapde.assembly.forcing import (
    Delta,
    Density,
    Forcing,
    Later,
    Pattern,
    Projected,
    density_of,
)
from neurapde.assembly.wave import WaveLattice
from neurapde.assembly.wave_medium import WaveMedium
from neurapde.assembly.wave_moving import Moving
from neurapde.conditions.stretch import Stretch
from neurapde.domains.box import Box
from neurapde.domains.spacetime import SpaceTime
from neurapde.equations.wave import Wave
from neurapde.fields.medium import Constant, Field, FunctionField
from neurapde.fields.pulses import Pulse
from neurapde.fields.sources import PointSource, Source
from neurapde.problem.problem import Problem
from neurapde.spectral.quadrature import FloatArray
from neurapde.spectral.time_rule import highest_frequency

PROBED = {1: 2001, 2: 161, 3: 41}  # points an axis at which fields are asked where they are
WIDE_IN_SPACE = 48  # modes an axis on which patterns in space are looked at; the levels grow beyond
NOTHING = 1e-8  # of its maximum: where a field counts as zero
SPREAD = 1.5  # of a Gaussian's reach, which is four standard deviations
NEAR = 1.3  # bandwidth beside a source, in units of that of its waves
SHARE = 1 / 3  # of the tolerance that the bandwidth may cost


@dataclass(frozen=True)
class BandwidthRequirement:
    """The requirement of one cause of waves: the speed where it acts, and its bandwidth in space."""

    speed: float
    bandwidth: float


class WaveProblem:
    """A wave problem on a Box of one to three axes."""

    def __init__(self, problem: Problem) -> None:
        equation, domain = problem.equation, problem.domain
        assert isinstance(equation, Wave)
        assert isinstance(domain, SpaceTime)
        assert isinstance(domain.space, Box)
        self.problem, self.space, self.time = problem, domain.space, domain.time
        self.medium = WaveMedium(equation.speed, problem.sides.core)
        self.speed: Field = self.medium.speed
        self.start = problem.sides.start

    @cached_property
    def probes(self) -> FloatArray:
        """Points (n, d) in the whole box, its sides included."""
        counts = PROBED[self.space.dimension]
        axes = [np.linspace(a, b, counts) for a, b in self.space.sides]
        return np.stack([x.ravel() for x in np.meshgrid(*axes, indexing="ij")], axis=-1)

    @property
    def speeds(self) -> tuple[float, float]:
        """The least and the largest speed."""
        return self.medium.speeds

    @cached_property
    def initial(self) -> list[tuple[Pattern, bool]]:
        """The nonzero initial fields, each with whether it is the velocity."""
        return [
            (Pattern.of(field, self.space, False), is_velocity)
            for field, is_velocity in ((self.start.value, False), (self.start.velocity, True))
            if field is not None and field != Constant(0.0)
        ]

    @cached_property
    def densities(self) -> dict[Source, Pattern]:
        """The shapes in space of all pulses except those of points."""
        shapes = (source.shape for source in self.sources if isinstance(source, Pulse))
        return {
            source: density_of(source, self.space) for source in shapes if not isinstance(source, PointSource)
        }

    @cached_property
    def moving(self) -> dict[Source, Moving]:
        """The sources without a signal."""
        return {
            source: Moving(source, self.space, self.time)
            for source in self.sources
            if not isinstance(source, Pulse)
        }

    @property
    def looked(self) -> tuple[str, ...]:
        """The resolution of the search in functions of the medium, initial values and sources, a sentence each."""
        patterns = (*(pattern for pattern, _ in self.initial), *self.densities.values())
        every = (*self.medium.features.note, *(note for pattern in patterns for note in pattern.looked))
        return tuple(dict.fromkeys(every))

    def load_error(self, lattice: WaveLattice) -> float:
        """The largest relative error of the loads by their rules."""
        patterns = [pattern for pattern, _ in self.initial]
        return max((pattern.left(lattice) for pattern in (*patterns, *self.densities.values())), default=0.0)

    @cached_property
    def sources(self) -> tuple[Source, ...]:
        """Every source of all shots."""
        return tuple(dict.fromkeys(s for sources in self.problem.right_hand_sides for s in sources))

    @cached_property
    def support(self) -> tuple[FloatArray, FloatArray]:
        """Lower and upper corner (d,) of the box of all initial fields and sources."""
        corners = [self._support_of(pattern.field) for pattern, _ in self.initial]
        for source in self.sources:
            if isinstance(source, Pulse) and source.center is not None:
                at, far = np.array(source.center), SPREAD * source.reach
                corners.append((at - far, at + far))
            elif isinstance(source, Pulse):
                corners.append(self._support_of(FunctionField(source.shape)))
            else:
                corners.append(self.space.bounds)
        if not corners:
            return self.space.bounds
        lower, upper = (np.array(side) for side in zip(*corners, strict=True))
        return lower.min(axis=0), upper.max(axis=0)

    def _support_of(self, field: Field) -> tuple[FloatArray, FloatArray]:
        size = np.abs(np.asarray(field(self.probes), dtype=float))
        points = self.probes[size > NOTHING * size.max()]
        if len(points) == 0:
            return self.space.bounds
        step = (self.space.bounds[1] - self.space.bounds[0]) / PROBED[self.space.dimension]
        return points.min(axis=0) - step, points.max(axis=0) + step

    @cached_property
    def box(self) -> Box:
        """The box in space, with its absorbing sides moved out of reach."""
        lower, upper = self.support
        widths, sides = self.problem.sides.pairs(self.problem.sides.open.get), []
        for axis, (a, b) in enumerate(self.space.sides):
            ends = []
            for end, width in enumerate(widths[axis]):
                gap = lower[axis] - a if end == 0 else b - upper[axis]
                room = 0.0
                if width is not None:
                    time_left = self.time.duration - max(0.0, gap - width) / self.speeds[1]
                    room = max(0.0, self.speed_outside * time_left / 2 - width)
                ends.append(a - room if end == 0 else b + room)
            sides.append((float(ends[0]), float(ends[1])))
        return Box(*sides)

    @cached_property
    def speed_outside(self) -> float:
        """The largest speed on the sides and in the layers; the medium continues with it beyond."""
        lower, upper = self.space.bounds
        step = 1.01 * (upper - lower) / (PROBED[self.space.dimension] - 1)
        outer = ((self.probes < lower + step) | (self.probes > upper - step)).any(axis=1)
        if self.problem.pml is not None:
            outer |= ~Stretch(self.space, self.problem.pml, 1.0).physical(self.probes)
        return float(np.asarray(self.speed(self.probes[outer]), dtype=float).max())

    def lattice(self, bandwidth: float, most: int) -> WaveLattice:
        """The lattice up to a bandwidth, or to a number of modes along the longest axis."""
        return WaveLattice(
            self.box, self.space, self.medium, self.counts(bandwidth, most), self.problem.sides.natural
        )

    def counts(self, bandwidth: float, most: int) -> list[int]:
        """The modes of that lattice along each axis."""
        band = min(bandwidth, most * np.pi / max(self.box.extents))
        return [max(4, int(np.ceil(band * extent / np.pi))) for extent in self.box.extents]

    def requirements(self, tolerance: float, most: int) -> list[BandwidthRequirement]:
        """The requirement of each cause of waves; up to `most` modes are tested."""
        requirements = []
        wide = None
        shares = SHARE * tolerance
        most = most if self.space.dimension < 3 else min(most, WIDE_IN_SPACE)
        for pattern, is_velocity in self.initial:
            wide = wide or self.lattice(np.inf, most)
            requirements.append(
                BandwidthRequirement(
                    self._fastest(pattern.field), _bandwidth(wide, pattern.on(wide), shares, is_velocity)
                )
            )
        for source in self.sources:
            wide = wide or self.lattice(np.inf, most)
            requirements.append(self._source_requirement(source, wide, shares))
        return requirements

    def _source_requirement(self, source: Source, wide: WaveLattice, share: float) -> BandwidthRequirement:
        if not isinstance(source, Pulse):
            loads = self.moving[source].loads(wide, self.moving[source].looked_at)
            return BandwidthRequirement(
                self.speeds[1], max(_bandwidth(wide, load, share, False) for load in loads)
            )
        shape = source.shape
        if isinstance(shape, PointSource):
            speed, band = float(self.speed(np.array([shape.at]))[0]), np.inf
        else:
            field = FunctionField(shape)
            speed, band = self._fastest(field), _bandwidth(wide, wide.project(field), share, False)
        return BandwidthRequirement(
            speed, min(band, NEAR * highest_frequency(source.signal, self.time, share) / speed)
        )

    def _fastest(self, field: Field) -> float:
        """The largest speed where a field is not small."""
        size = np.abs(np.asarray(field(self.probes), dtype=float))
        speeds = np.asarray(self.speed(self.probes), dtype=float)
        return float(speeds[size >= 1e-3 * size.max()].max())

    def shared(self) -> list[Forcing]:
        """The initial fields of every shot."""
        return [
            Forcing(Projected(pattern), float(not is_velocity), float(is_velocity))
            for pattern, is_velocity in self.initial
        ]

    def shot(self, sources: Sequence[Source], lattice: WaveLattice) -> list[Forcing]:
        """The forcing of one shot besides the initial state."""
        forcings: list[Forcing] = []
        for source in sources:
            if not isinstance(source, Pulse):
                forcings += self.moving[source].pulses(lattice)
                continue
            signal = Later(source.signal, self.time.start)
            load = (
                Delta(source.shape)
                if isinstance(source.shape, PointSource)
                else Density(self.densities[source.shape])
            )
            forcings.append(Forcing(load, signal=signal))
        return forcings


def _bandwidth(lattice: WaveLattice, coefficients: FloatArray, share: float, is_velocity: bool) -> float:
    """The bandwidth beyond which a field (for a velocity, its wave) has at most a small fraction of its norm."""
    if is_velocity:
        coefficients = coefficients / np.sqrt(
            np.maximum(lattice.stiffness, lattice.stiffness[lattice.stiffness > 0].min())
        )
    shells = lattice.shells
    order = np.argsort(shells.ravel())
    power = np.cumsum((coefficients.ravel() ** 2)[order][::-1])[::-1]
    if power[0] == 0:
        return 0.0
    beyond = power <= share**2 * power[0]
    return float(shells.ravel()[order][int(np.argmax(beyond)) if beyond.any() else -1])
