"""Waves in space and time, u_tt = c² Δu + f: a plucked string, pulses in the plane, a source that fires once.

The first two are the setting of the SIREN paper: a Gaussian of variance 5e-4 and height 1 at rest in [−1, 1]², c = 1, for
half a unit of time. There the waves do not reach the sides; here the sides absorb, so that any final time is possible.
Source: Sitzmann, Martel, Bergman, Lindell, Wetzstein (2020), Implicit Neural Representations with Periodic Activation
Functions, NeurIPS 33, section 4.3 and supplement.

The keywords that the factories share:
  variance      of the initial Gaussian, of height 1: its width squared
  at            its centre, or that of the source, (x, y)
  stop          the time at which it ends; it starts at 0
  background    speed c outside the inclusion
  half_width    a of the square [−a, a]²
"""

from dataclasses import dataclass
from math import pi

from neurapde.backgrounds.expanding_gaussian import SpreadingGaussian
from neurapde.conditions import PML, Absorbing, Dirichlet, InitialCondition
from neurapde.core.arrays import Array, cos, exp, sin
from neurapde.core.declaration import Declaration
from neurapde.domains.box import Box, Interval
from neurapde.domains.disk import Disk
from neurapde.domains.spacetime import SpaceTime, Time
from neurapde.equations.wave import Wave
from neurapde.fields.medium import Field, Piecewise
from neurapde.fields.pulses import RickerSource
from neurapde.problem.problem import Problem

Position = tuple[float, float]


@dataclass(frozen=True)
class Bump(Field):
    """exp(−|x − at|² / 2s²), s² the variance."""

    at: Position
    variance: float

    def __call__(self, points: Array) -> Array:
        square = sum((points[:, i] - c) ** 2 for i, c in enumerate(self.at))
        return exp(-square / (2 * self.variance))

    def describe(self) -> str:
        return f"a Gaussian of height 1 and variance {self.variance:g} at ({self.at[0]:g}, {self.at[1]:g})"


def wave_uniform(
    *,
    variance: float = 5e-4,
    at: Position = (0.0, 0.0),
    stop: float = 0.5,
    background: float = 1.0,
    half_width: float = 1.0,
) -> Problem:
    """A Gaussian released in a uniform medium; the keywords are described above. The exact solution is known."""
    return Problem(
        name="wave-uniform",
        domain=_square(half_width, stop),
        equation=Wave(speed=background),
        boundary=[InitialCondition(Bump(at, variance)), Absorbing()],
        exact=SpreadingGaussian(at, variance, background),
    )


def wave_disk(
    *,
    speed: float = 2.0,
    center: Position = (0.0, 0.0),
    radius: float = 0.1,
    variance: float = 5e-4,
    at: Position = (-0.25, 0.0),
    stop: float = 0.5,
    background: float = 1.0,
    half_width: float = 1.0,
) -> Problem:
    """A Gaussian released beside a disk of this `speed`, `center` and `radius`."""
    disk = Disk(center=center, radius=radius)
    return Problem(
        name="wave-disk",
        domain=_square(half_width, stop),
        equation=Wave(speed=Piecewise(background, (disk, speed))),
        boundary=[InitialCondition(Bump(at, variance)), Absorbing()],
    )


def wave_ricker(
    *,
    peak_frequency: float = 5.0,
    at: Position = (-0.3, 0.1),
    stop: float = 2.0,
    speed: float = 2.0,
    center: Position = (0.1, 0.0),
    radius: float = 0.15,
    background: float = 1.0,
    half_width: float = 1.0,
    pml_width: float = 0.3,
) -> Problem:
    """A point source with a Ricker wavelet beside a disk, with absorbing layers of `pml_width` inside the box."""
    disk = Disk(center=center, radius=radius)
    return Problem(
        name="wave-ricker",
        domain=_square(half_width, stop),
        equation=Wave(speed=Piecewise(background, (disk, speed))),
        sources=[RickerSource(at=at, peak_frequency=peak_frequency)],
        boundary=PML(width=pml_width),
    )


@dataclass(frozen=True)
class Overtones(Declaration):
    """Σ_k a_k sin(ω_k x) cos(c ω_k t), ω_k = (k + 1) π / length, of points (n, 2), the last column t."""

    amplitudes: tuple[float, ...]
    length: float
    speed: float

    def __call__(self, points: Array) -> Array:
        x, t = points[:, 0], points[:, 1]
        total = 0.0 * x
        for k, amplitude in enumerate(self.amplitudes):
            omega = (k + 1) * pi / self.length
            total = total + amplitude * sin(omega * x) * cos(self.speed * omega * t)
        return total


@dataclass(frozen=True)
class OvertonesAtRest(Field):
    """A string's overtones at time 0."""

    overtones: Overtones

    def __call__(self, points: Array) -> Array:
        total = 0.0 * points[:, 0]
        for k, amplitude in enumerate(self.overtones.amplitudes):
            total = total + amplitude * sin((k + 1) * pi / self.overtones.length * points[:, 0])
        return total

    def describe(self) -> str:
        return f"{len(self.overtones.amplitudes)} overtones"


def wave_string(
    *,
    amplitudes: tuple[float, ...] = (1.0, -0.5, 0.0, 0.25, 0.125),
    length: float = 1.0,
    speed: float = 1.0,
    stop: float = 2.0,
) -> Problem:
    """A string fixed at both ends, released from a sum of overtones of these `amplitudes`; the exact solution is known."""
    overtones = Overtones(tuple(amplitudes), length, speed)
    return Problem(
        name="wave-string",
        domain=Interval(0.0, length, name="string").over(Time(0.0, stop)),
        equation=Wave(speed=speed),
        boundary=[InitialCondition(OvertonesAtRest(overtones)), Dirichlet(0.0)],
        exact=overtones,
    )


def _square(half_width: float, stop: float) -> SpaceTime:
    return Box((-half_width, half_width), (-half_width, half_width)).over(Time(0.0, stop))
