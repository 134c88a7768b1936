"""The records of a survey: complex spectra or time traces, with their transforms, for `Survey`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, TypedDict, TypeVar

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import number
from neurapde.core.memory import check_fits
from neurapde.seismic.survey import record_checks, transforms
from neurapde.seismic.survey.provenance import Provenance
from neurapde.seismic.survey.record_checks import Complex, Real

Weights = TypeVar("Weights", NDArray, Tensor)
Chosen = slice | NDArray
"""Which shots, receivers or frequencies: a slice, a mask or indices."""


class Recorded(TypedDict, total=False):
    """The arguments of a `Survey` for its record."""

    data: ArrayLike | None
    frequencies: ArrayLike | None
    traces: ArrayLike | None
    dt: float | None
    start_time: float
    wavelet: ArrayLike | None
    damping: float
    window: ArrayLike | None


class Arguments(Recorded, total=False):
    """The arguments of a `Survey`."""

    sources: ArrayLike
    receivers: ArrayLike
    weights: ArrayLike | None
    source_variance: float
    noise: float | None
    name: str
    origin: Provenance | None
    processing: Sequence[str]


@dataclass(frozen=True, eq=False)
class Spectra:
    """Complex spectra.

    values: `(F, S, R)`. frequencies: `(F,)`, Hz, ascending. wavelet: `(F, S)`, or None if it is unknown.
    damping: σ, 1/s: the values are at ω − iσ, those of traces times e^{−σt}.
    """

    values: Complex
    frequencies: Real
    wavelet: Complex | None
    damping: float = 0.0

    kind: ClassVar[str] = "frequency"
    summed: ClassVar[tuple[int, ...]] = (-1,)
    """Axes of the values that share the scale of an unknown wavelet."""

    @property
    def band(self) -> tuple[float, ...]:
        """The frequencies."""
        return tuple(map(float, self.frequencies))

    @property
    def arguments(self) -> Recorded:
        """What a `Survey` is told of them."""
        return {
            "data": self.values,
            "frequencies": self.frequencies,
            "traces": None,
            "dt": None,
            "start_time": 0.0,
            "wavelet": self.wavelet,
            "damping": self.damping,
            "window": None,
        }

    def spread(self, weights: Weights) -> Weights:
        """Weights `(S, R)` as they multiply squares of the values."""
        return weights

    def part(self, shots: Chosen, receivers: Chosen, band: Chosen) -> "Spectra":
        """Of some shots, receivers and frequencies."""
        return Spectra(
            self.values[band][:, shots][:, :, receivers],
            self.frequencies[band],
            None if self.wavelet is None else self.wavelet[band][:, shots],
            self.damping,
        )

    def find(self, frequencies: Any) -> NDArray[np.intp]:
        """The indices of the given frequencies among those of the record, to six digits."""
        wanted, there = record_checks.ascending(frequencies), self.frequencies
        nearest = np.abs(there[None] - wanted[:, None]).argmin(axis=1)
        off = ~np.isclose(there[nearest], wanted, rtol=1e-6, atol=0.0)
        if off.any():
            raise DeclarationError(
                f"frequency {number(wanted[off][0])} is not in the survey, which has {len(there)} from "
                f"{number(there[0])} to {number(there[-1])}; the nearest is {number(there[nearest[off][0]])}"
            )
        return nearest

    def noisy(self, live: NDArray[np.bool_], level: float, generator: np.random.Generator) -> "Spectra":
        """The same with white noise of the level at each frequency, where live `(S, R)`."""
        shape = self.values.shape
        noise = np.where(live, generator.standard_normal(shape) + 1j * generator.standard_normal(shape), 0)
        scale = np.linalg.norm(self.values, axis=(1, 2)) / np.linalg.norm(noise, axis=(1, 2))
        return replace(self, values=self.values + level * scale[:, None, None] * noise)

    def power(self, live: NDArray[np.bool_]) -> tuple[Real, Real]:
        """Frequencies `(F,)`, and |U|² of each live pair `(pairs, F)`."""
        return self.frequencies, np.abs(self.values[:, live].T) ** 2

    @property
    def mean_square(self) -> Real:
        """`(S, R)`, over the frequencies."""
        return np.asarray((np.abs(self.values) ** 2).mean(axis=0))

    def to_traces(self, dt: float, samples: int, start_time: float) -> "Traces":
        """The traces with these spectra and zero at other frequencies; see `Survey.to_time`."""
        dt, start_time = checks.positive(dt, "dt"), checks.real(start_time, "start_time")
        checks.whole(samples, "samples", 2)
        record_checks.check_period(self.frequencies, dt, samples)
        _, shots, receivers = self.values.shape
        check_fits(
            16.0 * samples * shots * receivers,
            f"{shots} x {receivers} traces of {samples} samples",
            "ask for fewer samples, or select shots or receivers",
        )
        if self.wavelet is not None and not np.allclose(self.wavelet, self.wavelet[:, :1], rtol=1e-9, atol=0):
            raise DeclarationError(
                "the wavelet differs by shot, but a time survey has one wavelet for all shots; transform the shots one "
                "by one: survey.select(shots=[0]).to_time(…)"
            )

        def transformed(values: Complex) -> Real:
            return transforms.traces_of(
                values, self.frequencies, dt, samples, start_time=start_time, damping=self.damping
            )

        wavelet = None if self.wavelet is None else transformed(-self.wavelet[:, 0])
        return Traces(transformed(self.values), dt, start_time, wavelet)

    def __str__(self) -> str:
        first, last = number(self.frequencies[0]), number(self.frequencies[-1])
        damped = f", damped by {number(self.damping)}" if self.damping else ""
        if len(self.frequencies) == 1:
            return f"spectra at frequency {first}{damped}"
        return f"spectra at {len(self.frequencies)} frequencies, {first} … {last}{damped}"


@dataclass(frozen=True, eq=False)
class Traces:
    """Time traces.

    values: `(S, R, T)`. dt: the sampling interval, s. start_time: of the first sample. wavelet: `(T,)`, or None if it
    is unknown. window: `(S, R, T)`, factor of observed and predicted samples, or None for 1.
    """

    values: Real
    dt: float
    start_time: float
    wavelet: Real | None
    window: Real | None = None

    kind: ClassVar[str] = "time"
    summed: ClassVar[tuple[int, ...]] = (-2, -1)
    band: ClassVar[tuple[float, ...]] = ()

    @property
    def times(self) -> Real:
        """`(T,)`."""
        return self.start_time + self.dt * np.arange(self.values.shape[2], dtype=np.float64)

    @property
    def windowed(self) -> Real:
        """The values in their window."""
        return self.values if self.window is None else self.values * self.window

    @property
    def arguments(self) -> Recorded:
        """What a `Survey` is told of them."""
        return {
            "data": None,
            "frequencies": None,
            "traces": self.values,
            "dt": self.dt,
            "start_time": self.start_time,
            "wavelet": self.wavelet,
            "damping": 0.0,
            "window": self.window,
        }

    def spread(self, weights: Weights) -> Weights:
        """Weights `(S, R)` as they multiply squares of the values."""
        if self.window is None:
            return weights[..., None]
        squares = self.window**2
        return weights[..., None] * (torch.from_numpy(squares) if isinstance(weights, Tensor) else squares)

    def part(self, shots: Chosen, receivers: Chosen) -> "Traces":
        """Of some shots and receivers."""
        window = None if self.window is None else self.window[shots][:, receivers]
        return replace(self, values=self.values[shots][:, receivers], window=window)

    def noisy(self, live: NDArray[np.bool_], level: float, generator: np.random.Generator) -> "Traces":
        """The same with white noise of the level over all of them, where live `(S, R)`."""
        noise = np.where(live[..., None], generator.standard_normal(self.values.shape), 0)
        scale = np.linalg.norm(self.values) / np.linalg.norm(noise)
        return replace(self, values=self.values + level * scale * noise)

    def power(self, live: NDArray[np.bool_]) -> tuple[Real, Real]:
        """Frequencies `(F,)`, and |U|² of each live pair `(pairs, F)`."""
        count = self.values.shape[2]
        frequencies: Real = np.arange(count // 2 + 1) / (count * self.dt)
        return frequencies, np.abs(np.fft.rfft(self.windowed, axis=2)[live] * self.dt) ** 2

    @property
    def mean_square(self) -> Real:
        """`(S, R)`, over the times."""
        return np.asarray((self.windowed**2).mean(axis=2))

    def to_spectra(self, frequencies: ArrayLike, taper: float, damping: float) -> tuple[Spectra, float]:
        """Their spectra, see `Survey.at`, and the size in them of white noise as strong as the traces."""
        wanted = record_checks.ascending(frequencies)
        if wanted[-1] * 2 * self.dt >= 1:
            raise DeclarationError(
                f"frequency {number(wanted[-1])} is not below {number(0.5 / self.dt)}, the Nyquist frequency for dt = "
                f"{number(self.dt)}; ask for lower frequencies"
            )
        start, taper = self.start_time, record_checks.at_least_zero(taper, "taper")
        damping = record_checks.damping_of(damping, float(np.abs(self.times).max()))
        values = transforms.spectrum(
            self.windowed, self.dt, wanted, start_time=start, taper=taper, damping=damping
        )
        wavelet = None
        if self.wavelet is not None:
            spectrum = -transforms.spectrum(self.wavelet, self.dt, wanted, start_time=start, damping=damping)
            wavelet = np.repeat(spectrum[:, None], values.shape[1], axis=1)
        kernel = transforms.weighing(self.values.shape[2], self.dt, start, taper, damping)
        white = np.linalg.norm(self.values) * self.dt * np.sqrt(len(wanted) * (kernel**2).mean())
        return Spectra(values, wanted, wavelet, damping), float(white / np.linalg.norm(values))

    def __str__(self) -> str:
        count, first, last = self.values.shape[2], number(self.start_time), number(float(self.times[-1]))
        windowed = "" if self.window is None else ", in a window"
        return f"{count} samples of {number(self.dt)}, from {first} to {last}{windowed}"


def checked(
    size: tuple[int, int], weights: ArrayLike | None, given: Recorded
) -> tuple[Spectra | Traces, Real]:
    """The record of a survey of `size` (S, R), and its weights.

    Raises: DeclarationError unless there is one complete pair, with consistent shapes and finite where it has weight.
    """
    pairs = {"spectra": ("data", "frequencies"), "traces": ("traces", "dt")}
    present = {kind: [name for name in pair if dict(given)[name] is not None] for kind, pair in pairs.items()}
    if bool(present["spectra"]) == bool(present["traces"]):
        description = "both spectra and traces" if present["traces"] else "neither spectra nor traces"
        raise DeclarationError(
            f"the survey has {description}; give data= with frequencies=, or traces= with dt="
        )
    kind = "spectra" if present["spectra"] else "traces"
    if missing := set(pairs[kind]) - set(present[kind]):
        raise DeclarationError(f"the survey has {present[kind][0]} but no {missing.pop()}; give both")
    start = checks.real(given["start_time"], "start_time of the survey")
    damping = record_checks.at_least_zero(given["damping"], "damping of the survey")
    if kind == "spectra":
        if given["window"] is not None:
            raise DeclarationError(
                "the survey has spectra, and window= is for samples of traces; leave it out"
            )
        values, band, wavelet, live_weights = record_checks.spectra(
            size, weights, given["data"], given["frequencies"], given["wavelet"]
        )
        return Spectra(values, band, wavelet, damping), live_weights
    if damping:
        raise DeclarationError(
            f"damping={damping:g} is for spectra, but the survey has traces; leave it out, and use at(…, damping=)"
        )
    traces, dt, samples, window, live_weights = record_checks.traces(
        size, weights, given["traces"], given["dt"], given["wavelet"], given["window"]
    )
    return Traces(traces, dt, start, samples, window), live_weights
