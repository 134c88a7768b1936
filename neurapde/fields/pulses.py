"""Sources in space–time: a place or a shape in space, times a signal."""

import math
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from neurapde.core import checks
from neurapde.core.arrays import Array, check_shape, exp
from neurapde.core.declaration import Declaration
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import number
from neurapde.domains.base import Domain
from neurapde.domains.spacetime import SpaceTime
from neurapde.fields.sources import GaussianSource, PointSource, Source, as_source

SPAN = 2.0  # periods of the peak from the crest on, after which a Ricker wavelet is 1e-15 of it
QUIET = 1.5  # periods of the peak before the crest at which a Ricker wavelet is 1e-8 of it


@dataclass(frozen=True)
class Ricker(Declaration):
    """The wavelet w(t) = (1 − 2a) exp(−a), a = (π f (t − delay))², of peak 1 at `delay`.

    Args:
        peak_frequency: f, cycles per unit of time, positive: where the spectrum is largest.
        delay: time of the peak; 1.5 / f by default, so that nothing has happened at time 0.

    Source: Ricker (1953), Geophysics 18(1), 10-40.
    """

    peak_frequency: float
    delay: float | None = None

    def __post_init__(self) -> None:
        f = checks.positive(self.peak_frequency, "peak_frequency of the Ricker wavelet")
        object.__setattr__(self, "peak_frequency", f)
        object.__setattr__(self, "delay", checks.real(self.peak_time, "delay of the Ricker wavelet"))

    @property
    def peak_time(self) -> float:
        """The delay."""
        return QUIET / self.peak_frequency if self.delay is None else self.delay

    def __call__(self, times: Array) -> Array:
        """w at times `(n,)`, NumPy or torch: `(n,)`."""
        a = (math.pi * self.peak_frequency * (times - self.peak_time)) ** 2
        return (1.0 - 2.0 * a) * exp(-a)

    @property
    def start(self) -> float:
        """The time before which it is zero."""
        return self.peak_time - SPAN / self.peak_frequency

    @property
    def stop(self) -> float:
        """The time after which it is zero."""
        return self.peak_time + SPAN / self.peak_frequency

    def __str__(self) -> str:
        return f"Ricker({number(self.peak_frequency)}, peak at t = {number(self.peak_time)})"


class Pulse(Source):
    """A source f(x, t) = shape(x) signal(t); points `(n, d + 1)` end with t."""

    @property
    @abstractmethod
    def shape(self) -> Source:
        """The factor in space, of points `(n, d)`."""

    @property
    @abstractmethod
    def signal(self) -> Callable[[Array], Array]:
        """The factor in time, of times `(n,)`."""

    @property
    def center(self) -> tuple[float, ...] | None:
        return self.shape.center

    @property
    def reach(self) -> float:
        return self.shape.reach

    def on(self, domain: Domain) -> "Source":
        if not isinstance(domain, SpaceTime):
            raise DeclarationError(
                f"{self.describe()} varies in time, but the domain is {domain}; use domain.over(Time(0, 1))"
            )
        self.shape.on(domain.space)
        return self

    def __call__(self, points: Array) -> Array:
        if self.center is not None:
            check_shape(points, len(self.center) + 1)
        return self.shape(points[:, :-1]) * self.signal(points[:, -1])


@dataclass(frozen=True)
class RickerSource(Pulse):
    """A source with a Ricker wavelet at a point, or in a Gaussian around it.

    Args:
        at: `(d,)`, without t.
        peak_frequency, delay: of the wavelet, see `Ricker`.
        amplitude: the integral of f over space at the peak.
        variance: of a Gaussian of that mass in space; 0 for Dirac's delta, which only methods that integrate
            (MethodOfLines, the grid) can take.
    """

    at: Sequence[float]
    peak_frequency: float
    delay: float | None = None
    amplitude: float = 1.0
    variance: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", checks.coordinates(self.at, "at of the RickerSource"))
        object.__setattr__(self, "amplitude", checks.real(self.amplitude, "amplitude of the RickerSource"))
        variance = checks.real(self.variance, "variance of the RickerSource")
        object.__setattr__(self, "variance", variance)
        if variance:
            checks.positive(variance, "variance of the RickerSource")
        object.__setattr__(self, "delay", self.signal.delay)

    @property
    def shape(self) -> Source:
        if self.variance == 0:
            return PointSource(self.at, self.amplitude)
        return GaussianSource(self.at, self.variance, self.amplitude)

    @property
    def signal(self) -> Ricker:
        return Ricker(self.peak_frequency, self.delay)

    def describe(self) -> str:
        return f"{self.shape.describe()} · {self.signal}"


@dataclass(frozen=True, init=False)
class PulsedSource(Pulse):
    """f(x, t) = source(x) signal(t), for any source in space and any signal in time.

    Args:
        source: a GaussianSource, PointSource, function of points `(n, d)` without t, GridField or number.
        waveform: times `(n,)` to values `(n,)`, NumPy and torch alike, such as `Ricker(f)` or a function.
    """

    source: Source
    waveform: Callable[[Array], Array]

    def __init__(self, source: Any, waveform: Callable[[Array], Array]) -> None:
        if isinstance(source, Pulse):
            raise DeclarationError(f"source of the PulsedSource is {source!r}; give a source without time")
        if not callable(waveform) or isinstance(waveform, type):
            raise DeclarationError(
                f"waveform of the PulsedSource is {waveform!r}; give a function of times (n,)"
            )
        object.__setattr__(self, "source", as_source(source, "source of the PulsedSource"))
        object.__setattr__(self, "waveform", waveform)

    @property
    def shape(self) -> Source:
        return self.source

    @property
    def signal(self) -> Callable[[Array], Array]:
        return self.waveform

    def on(self, domain: Domain) -> Source:
        super().on(domain)
        return PulsedSource(self.source.on(domain.spatial), self.waveform)

    def describe(self) -> str:
        name = getattr(self.waveform, "__name__", str(self.waveform))
        return f"({self.source.describe()}) · {'signal' if name == '<lambda>' else name}(t)"
