"""How fine a grid for waves must be: from the spectra of what starts them and the slowest medium, by sampling alone.

It asks the declaration for values at points and counts frequencies by cosine transforms. Nothing of a method's own lattice,
quadrature or choice of bandwidth is used: what is wrong there is not repeated here.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct

from neurapde.domains.box import Box
from neurapde.domains.spacetime import SpaceTime
from neurapde.equations.wave import Wave
from neurapde.fields.jumps import features_of
from neurapde.fields.medium import Constant, Field
from neurapde.fields.pulses import Pulse, Ricker
from neurapde.fields.sources import GaussianSource, PointSource, Source
from neurapde.problem.problem import Problem

MATTERS = 2e-3  # of the norm: what shorter waves may hold
SAMPLES = {1: 16_385, 2: 513, 3: 97}  # points an axis at which fields are asked
MOMENTS = 32_769  # times at which a signal is asked
FADE = 0.05  # of the time: the end of a signal, whose sudden stop is none of its own
LEAF = 4.0  # spacings of the grid that may pass over the thinnest layer: a cell is averaged over eight parts

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Spectrum:
    """What a wave problem asks of a grid.

    wavenumber: the largest that matters, where waves are slowest. frequency: the largest angular one. thinnest: the least
    thickness of a layer of the medium, infinite without one.
    """

    wavenumber: float
    frequency: float
    thinnest: float


@dataclass(frozen=True)
class _Asked:
    """A wave problem asked for values."""

    problem: Problem

    @property
    def domain(self) -> SpaceTime:
        domain = self.problem.domain
        assert isinstance(domain, SpaceTime)
        return domain

    @property
    def space(self) -> Box:
        space = self.domain.space
        assert isinstance(space, Box)
        return space

    @property
    def speed(self) -> Field:
        equation = self.problem.equation
        assert isinstance(equation, Wave)
        field: Field = equation.speed
        return field

    @cached_property
    def axes(self) -> list[Array]:
        count = SAMPLES[self.space.dimension]
        return [np.linspace(a, b, count) for a, b in self.space.sides]

    @cached_property
    def points(self) -> Array:
        return np.stack([x.ravel() for x in np.meshgrid(*self.axes, indexing="ij")], axis=-1)

    @cached_property
    def speeds(self) -> Array:
        """c at the points (n,)."""
        return np.asarray(self.speed(self.points), dtype=float)

    @cached_property
    def slowest(self) -> float:
        speeds = [self.speeds.min()]
        for region in self.speed.regions.values():
            inside = region.sample(2048, how="sobol").numpy()
            inside = inside[self.space.contains(inside)]
            speeds += [np.asarray(self.speed(inside), dtype=float).min()] if len(inside) else []
        return float(min(speeds))

    def thinnest(self) -> float:
        """The least thickness of a declared region, or of what functions show."""
        declared = [
            float(np.min(np.subtract(*region.bounds[::-1]))) for region in self.speed.regions.values()
        ]
        return min([features_of([self.speed], self.space).narrowest, *declared])

    def extent(self, values: Array, is_velocity: bool) -> float:
        """The wavenumber beyond which values on the points have no more than `MATTERS` of their norm."""
        shape = tuple(len(axis) for axis in self.axes)
        spectrum = values.reshape(shape)
        for axis in range(len(shape)):
            spectrum = dct(spectrum, type=1, axis=axis)
        lines = [np.arange(n) * math.pi / extent for n, extent in zip(shape, self.space.extents, strict=True)]
        numbers = np.sqrt(sum(np.square(coordinates) for coordinates in np.meshgrid(*lines, indexing="ij")))
        if is_velocity:
            spectrum = spectrum / np.maximum(numbers, numbers[numbers > 0].min())
        return _end(numbers.ravel(), np.asarray(spectrum.ravel() ** 2, dtype=np.float64))

    def fastest_where(self, values: Array) -> float:
        """The largest speed where a field is not small."""
        size = np.abs(values)
        return float(self.speeds[size >= 1e-3 * size.max()].max())

    def causes(self) -> list[tuple[float, float]]:
        """(largest angular frequency, largest wavenumber where it starts) of every cause of waves."""
        start, waves = self.problem.sides.start, []
        for field, is_velocity in ((start.value, False), (start.velocity, True)):
            if field is not None and field != Constant(0.0):
                values = np.asarray(field(self.points), dtype=float)
                number = self.extent(values, is_velocity)
                waves.append((number * self.fastest_where(values), number))
        for source in {s for shot in self.problem.right_hand_sides for s in shot}:
            if isinstance(source, Pulse):
                frequency, (speed, number) = self.heard(source), self.shaped(source.shape)
                waves.append((min(frequency, number * speed), min(number, frequency / speed)))
        return waves

    def heard(self, source: Pulse) -> float:
        """The angular frequency beyond which a signal has no more than `MATTERS` of its norm."""
        start, stop = self.domain.time.start, self.domain.time.stop
        if isinstance(source.signal, Ricker) and start < source.signal.stop and source.signal.start < stop:
            start, stop = max(start, source.signal.start), min(stop, source.signal.stop)
        times = np.linspace(start, stop, MOMENTS)
        values = np.broadcast_to(np.asarray(source.signal(times), dtype=float), times.shape)
        fade = np.clip((stop - times) / (FADE * (stop - start)), 0, 1)
        power = dct(values * np.sin(np.pi / 2 * fade) ** 2, type=1) ** 2
        return _end(np.arange(MOMENTS) * math.pi / (stop - start), power)

    def shaped(self, shape: Source) -> tuple[float, float]:
        """The speed where a source acts, and the wavenumber beyond which it has next to nothing."""
        if isinstance(shape, PointSource | GaussianSource):
            speed = float(np.asarray(self.speed(np.array([shape.at])), dtype=float)[0])
            width = math.sqrt(shape.variance) if isinstance(shape, GaussianSource) else 0.0
            return speed, math.sqrt(-2 * math.log(MATTERS)) / width if width else math.inf
        values = np.broadcast_to(np.asarray(shape(self.points), dtype=float), (len(self.points),))
        return self.fastest_where(values), self.extent(values, False)


def _end(numbers: NDArray[np.floating], power: NDArray[np.floating]) -> float:
    """The number beyond which no more than `MATTERS` of the norm is left."""
    order = np.argsort(numbers, kind="stable")
    rest = np.cumsum(power[order][::-1])[::-1]
    if rest[0] == 0:
        return 0.0
    beyond = np.flatnonzero(rest <= MATTERS**2 * rest[0])
    return float(numbers[order][beyond[0] if len(beyond) else -1])


def spectrum_of(problem: Problem) -> Spectrum:
    """What a wave problem on a Box asks of a grid."""
    asked = _Asked(problem)
    causes = asked.causes()
    frequency = max((frequency for frequency, _ in causes), default=0.0)
    number = max((two for _, two in causes), default=0.0)
    return Spectrum(max(number, frequency / asked.slowest), frequency, asked.thinnest())
