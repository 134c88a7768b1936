"""A wave problem made ready for the lattice: where it starts, how far it gets, which sines it needs, what drives it.

Sides that absorb are moved out until nothing that they send back is felt before the end: half the way that a wave makes in
the time, less what it needs to get there. What starts the waves is one list of pairs, a pattern in space and a history in
time: initial value, initial velocity, and each source with its signal.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.interpolate import CubicSpline

from neurapde.absorbing import Stretch
from neurapde.boundaries import PML, Absorbing, InitialCondition, Neumann
from neurapde.core.errors import DeclarationError
from neurapde.domains.box import Box
from neurapde.domains.spacetime import SpaceTime
from neurapde.equations.wave import Wave
from neurapde.galerkin.drives import Delta, Density, Drive, Known, Later, Projected, Snapshot
from neurapde.galerkin.quadrature import FloatArray
from neurapde.galerkin.waves import WaveLattice
from neurapde.medium import Constant, Field, FunctionField
from neurapde.problem import Problem
from neurapde.pulses import Pulse
from neurapde.sources import PointSource, Source

PROBED = {1: 2001, 2: 161}  # points an axis at which fields are asked where they are
NOTHING = 1e-8  # of its maximum: where a field counts as zero
SPREAD = 1.5  # of a Gaussian's reach, which is four standard deviations
HUSH = 1e-3  # of its maximum: where a signal counts as silent
NEAR = 1.3  # bandwidth beside a source, in units of that of its waves
SHARE = 1 / 3  # of the tolerance that the bandwidth may cost
SAMPLES = 257  # moments at which a source without a signal is separated into pulses
MOST_PULSES = 48


@dataclass(frozen=True)
class Demand:
    """What one cause of waves asks for: the speed where it acts, and its bandwidth in space."""

    speed: float
    bandwidth: float


class WaveProblem:
    """A wave problem on a Box of one or two axes."""

    def __init__(self, problem: Problem) -> None:
        equation, domain = problem.equation, problem.domain
        assert isinstance(equation, Wave)
        assert isinstance(domain, SpaceTime)
        assert isinstance(domain.space, Box)
        self.problem, self.space, self.time = problem, domain.space, domain.time
        self.speed: Field = equation.speed
        starts = [part for part in problem.boundary if isinstance(part, InitialCondition)]
        self.start = starts[0] if starts else InitialCondition(0.0, 0.0)

    @cached_property
    def probes(self) -> FloatArray:
        """Points (n, d) all over the box, its sides included."""
        counts = PROBED[self.space.dimension]
        axes = [np.linspace(a, b, counts) for a, b in self.space.sides]
        return np.stack([x.ravel() for x in np.meshgrid(*axes, indexing="ij")], axis=-1)

    @cached_property
    def speeds(self) -> tuple[float, float]:
        """The least and the largest speed."""
        values = [np.asarray(self.speed(self.probes), dtype=float)]
        for region in self.problem.equation.regions.values():
            points = region.sample(512, how="grid").numpy()
            values.append(np.asarray(self.speed(points[self.space.contains(points)]), dtype=float))
        every = np.concatenate(values)
        return float(every.min()), float(every.max())

    def initial(self) -> Iterator[tuple[Field, bool]]:
        """The initial fields that are not zero, each with whether it is the velocity."""
        for part, is_velocity in ((self.start.value, False), (self.start.velocity, True)):
            if part is not None and part != Constant(0.0):
                yield part, is_velocity

    @cached_property
    def sources(self) -> tuple[Source, ...]:
        """Every source, of whichever shot."""
        return tuple(dict.fromkeys(s for sources in self.problem.right_hand_sides for s in sources))

    @cached_property
    def support(self) -> tuple[FloatArray, FloatArray]:
        """Lower and upper corner (d,) of the box in which everything starts."""
        corners = [self._support_of(field) for field, _ in self.initial()]
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
        """The space, its absorbing sides moved out of reach."""
        lower, upper = self.support
        sides = []
        for axis, (a, b) in enumerate(self.space.sides):
            ends = []
            for end, face in enumerate(self.space.faces[2 * axis : 2 * axis + 2]):
                width = self._open(face)
                gap = lower[axis] - a if end == 0 else b - upper[axis]
                room = 0.0
                if width is not None:
                    left = self.time.duration - max(0.0, gap - width) / self.speeds[1]
                    room = max(0.0, self.speed_outside * left / 2 - width)
                ends.append(a - room if end == 0 else b + room)
            sides.append((float(ends[0]), float(ends[1])))
        return Box(*sides)

    @cached_property
    def speed_outside(self) -> float:
        """The largest speed on the sides and in the layers: beyond, the medium goes on as it is there."""
        lower, upper = self.space.bounds
        step = 1.01 * (upper - lower) / (PROBED[self.space.dimension] - 1)
        outer = ((self.probes < lower + step) | (self.probes > upper - step)).any(axis=1)
        if self.problem.pml is not None:
            outer |= ~Stretch(self.space, self.problem.pml, 1.0).physical(self.probes)
        return float(np.asarray(self.speed(self.probes[outer]), dtype=float).max())

    def quiet(self, times: FloatArray) -> np.ndarray:
        """The times (n,), from 0, at which no point radiates: beside one that does, no sines converge fast."""
        quiet = np.ones(len(times), dtype=bool)
        for source in self.sources:
            if isinstance(source, Pulse) and isinstance(source.shape, PointSource):
                size = np.abs(Later(source.signal, self.time.start)(times))
                quiet &= size <= HUSH * size.max()
        return quiet if quiet[1:].any() else np.ones(len(times), dtype=bool)

    def _open(self, face: str) -> float | None:
        """The width of the layer of an absorbing side, 0 without one; None for a side that reflects."""
        for part in self.problem.boundary:
            if isinstance(part, PML) and face in (widths := part.widths(self.space)):
                return widths[face]
            if isinstance(part, Absorbing) and face in self.space.check_faces(part.on, "Absorbing"):
                return 0.0
        return None

    @cached_property
    def free(self) -> tuple[tuple[bool, bool], ...]:
        """For each axis, whether the slope vanishes at its (lower, upper) end."""
        given = [part.on for part in self.problem.boundary if isinstance(part, Neumann)]
        names = {face for on in given for face in self.space.check_faces(on, "Neumann")}
        ends = [face in names for face in self.space.faces]
        return tuple(zip(ends[::2], ends[1::2], strict=True))

    def lattice(self, bandwidth: float, most: int) -> WaveLattice:
        """The lattice up to a bandwidth, or to so many modes along the longest axis."""
        longest = max(self.box.extents)
        band = min(bandwidth, most * np.pi / longest)
        counts = [max(4, int(np.ceil(band * extent / np.pi))) for extent in self.box.extents]
        return WaveLattice(self.box, self.space, self.speed, counts, self.free)

    def demands(self, tolerance: float, most: int) -> list[Demand]:
        """What each cause of waves asks for; up to `most` modes are looked at."""
        found = []
        wide = None
        shares = SHARE * tolerance
        for field, is_velocity in self.initial():
            wide = wide or self.lattice(np.inf, most)
            found.append(
                Demand(self._fastest(field), _bandwidth(wide, wide.project(field), shares, is_velocity))
            )
        for source in self.sources:
            wide = wide or self.lattice(np.inf, most)
            found.append(self._source_demand(source, wide, shares))
        return found

    def _source_demand(self, source: Source, wide: WaveLattice, share: float) -> Demand:
        if not isinstance(source, Pulse):
            moments = np.linspace(self.time.start, self.time.stop, 5)[1:]
            bands = [_bandwidth(wide, wide.project(Snapshot(source, t)), share, False) for t in moments]
            return Demand(self.speeds[1], max(bands))
        shape = source.shape
        if isinstance(shape, PointSource):
            speed, band = float(self.speed(np.array([shape.at]))[0]), np.inf
        else:
            field = FunctionField(shape)
            speed, band = self._fastest(field), _bandwidth(wide, wide.project(field), share, False)
        return Demand(speed, min(band, NEAR * self._frequency(source.signal, share) / speed))

    def _fastest(self, field: Field) -> float:
        """The largest speed where a field is not small."""
        size = np.abs(np.asarray(field(self.probes), dtype=float))
        speeds = np.asarray(self.speed(self.probes), dtype=float)
        return float(speeds[size >= 1e-3 * size.max()].max())

    def _frequency(self, signal: Callable[[FloatArray], FloatArray], share: float) -> float:
        """The angular frequency beyond which a signal has no more than a share of its norm."""
        count = 8192
        times = np.linspace(self.time.start, self.time.stop, count)
        fade = np.clip((self.time.stop - times) / (0.05 * self.time.duration), 0, 1)
        values = np.asarray(signal(times), dtype=float) * np.sin(np.pi / 2 * fade) ** 2
        power = np.abs(np.fft.rfft(values, 4 * count)) ** 2
        rest = np.cumsum(power[::-1])[::-1]
        last = int(np.argmax(rest <= share**2 * rest[0])) if rest[0] > 0 else 1
        return 2 * np.pi * max(last, 1) * (count - 1) / (4 * count * self.time.duration)

    def shared(self) -> list[Drive]:
        """What every shot starts from."""
        return [
            Drive(Projected(field), float(not is_velocity), float(is_velocity))
            for field, is_velocity in self.initial()
        ]

    def shot(self, sources: Sequence[Source], lattice: WaveLattice) -> list[Drive]:
        """What drives one shot, beside the initial state."""
        found = []
        for source in sources:
            if not isinstance(source, Pulse):
                found += self._separated(source, lattice)
                continue
            signal = Later(source.signal, self.time.start)
            load = Delta(source.shape) if isinstance(source.shape, PointSource) else Density(source.shape)
            found.append(Drive(load, signal=signal))
        return found

    def _separated(self, source: Source, lattice: WaveLattice) -> list[Drive]:
        """A source that moves, as a sum of pulses: the singular vectors of its history on the lattice."""
        moments = np.linspace(0, self.time.duration, SAMPLES)
        history = np.stack(
            [lattice.project(Snapshot(source, self.time.start + t), weigh=True).ravel() for t in moments]
        )
        signals, sizes, patterns = np.linalg.svd(history, full_matrices=False)
        count = int(np.sum(sizes > 1e-5 * sizes[0])) if sizes[0] > 0 else 0
        if count > MOST_PULSES:
            raise DeclarationError(
                f"{source.describe()} takes {count} pulses, more than {MOST_PULSES}; give it as PulsedSource, shorten "
                "the time, or train by Adam"
            )
        return [
            Drive(Known(size * pattern.reshape(lattice.shape)), signal=CubicSpline(moments, signal))
            for signal, size, pattern in zip(signals.T[:count], sizes, patterns, strict=False)
        ]


def _bandwidth(lattice: WaveLattice, coefficients: FloatArray, share: float, is_velocity: bool) -> float:
    """The bandwidth beyond which a field (a velocity: the wave that it makes) has no more than a share of its norm."""
    if is_velocity:
        coefficients = coefficients / np.sqrt(
            np.maximum(lattice.stiffness, lattice.stiffness[lattice.stiffness > 0].min())
        )
    shells = shells_of(lattice)
    order = np.argsort(shells.ravel())
    power = np.cumsum((coefficients.ravel() ** 2)[order][::-1])[::-1]
    if power[0] == 0:
        return 0.0
    beyond = power <= share**2 * power[0]
    return float(shells.ravel()[order][int(np.argmax(beyond)) if beyond.any() else -1])


def shells_of(lattice: WaveLattice) -> FloatArray:
    """The larger of each mode's frequencies."""
    axes = [one.frequencies for one in lattice.modes]
    return axes[0] if len(axes) == 1 else np.maximum(axes[0][:, None], axes[1])
