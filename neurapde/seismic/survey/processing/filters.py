"""Filters of traces and of a known wavelet, so that the results are still data of one wave equation."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import number
from neurapde.late import Late
from neurapde.seismic.survey.processing.step import Step
from neurapde.seismic.survey.record_checks import Real
from neurapde.seismic.survey.recording import Recording
from neurapde.seismic.survey.records import Arguments, Traces

butter = Late("scipy.signal", "butter")
fftconvolve = Late("scipy.signal", "fftconvolve")
sosfiltfilt = Late("scipy.signal", "sosfiltfilt")

ANTIALIAS, STEEP = 0.8, 8
"""Corner of the low-pass before samples are left out, in units of the new Nyquist frequency; its order."""


@dataclass(frozen=True)
class Bandpass(Step):
    """Keep frequencies from `low` to `high`, Hz, by a Butterworth filter run forwards and backwards, with zero
    phase.

    low, high: None for no limit on that side. order: of the filter in one direction; at a corner half the amplitude
    remains. A known wavelet is filtered too, and stated noise is taken as white.
    """

    low: float | None = None
    high: float | None = None
    order: int = 4

    def __post_init__(self) -> None:
        for name in ("low", "high"):
            if getattr(self, name) is not None:
                object.__setattr__(
                    self, name, checks.positive(getattr(self, name), f"{name} of the Bandpass")
                )
        checks.whole(self.order, "order")
        if self.order > 20:
            raise DeclarationError(f"order={self.order} of the Bandpass; give at most 20")
        if self.low is None and self.high is None:
            raise DeclarationError("Bandpass() keeps everything; give low=, high= or both, in Hz")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise DeclarationError(
                f"Bandpass from {self.low:g} to {self.high:g} Hz; give a value of high above low"
            )

    def __call__(self, survey: Recording) -> tuple[Arguments, str]:
        traces = self.whole_traces_of(survey)
        highest = 0.5 / traces.dt
        for corner in (self.low, self.high):
            if corner is not None and corner >= highest:
                raise DeclarationError(
                    f"Bandpass has a corner at {number(corner)} Hz, and {survey.name!r} has frequencies below "
                    f"{number(highest)} Hz; give a lower one"
                )
        run = butterworth(self.order, self.low, self.high, traces)
        ends = " to ".join("…" if end is None else number(end) for end in (self.low, self.high))
        return filtered(survey, traces, run), f"band-pass {ends} Hz, order {self.order}, zero phase"


@dataclass(frozen=True)
class Detrend(Step):
    """Subtract from each trace the polynomial of this degree that fits it best: 0 an offset, 1 a drift."""

    degree: int = 1

    def __post_init__(self) -> None:
        checks.whole(self.degree, "degree", 0)
        if self.degree > 10:
            raise DeclarationError(f"degree={self.degree} of Detrend; give at most 10")

    def __call__(self, survey: Recording) -> tuple[Arguments, str]:
        values = self.whole_traces_of(survey).values
        places = np.linspace(-1.0, 1.0, values.shape[2])
        basis, _ = np.linalg.qr(np.polynomial.legendre.legvander(places, self.degree))
        detrended = np.where(survey.live[..., None], values - (values @ basis) @ basis.T, 0.0)
        return {"traces": detrended}, f"polynomials of degree {self.degree} taken from the traces"


@dataclass(frozen=True)
class LineSource(Step):
    """Convert the data of point sources (3-D) to those of line sources (2-D).

    Each trace is convolved with 1/√t and multiplied by c√(2t): amplitudes then fall as 1/√r instead of 1/r, and phases
    turn by π/4. This is right for waves whose arrival time t is about their path divided by the speed.

    speed: c, of the medium.
    Source: Forbriger, Groos, Schäfer (2014), Geophys. J. Int. 198(3), the reflected-wave transformation.
    """

    speed: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "speed", checks.positive(self.speed, "speed of the LineSource"))

    def __call__(self, survey: Recording) -> tuple[Arguments, str]:
        traces = self.whole_traces_of(survey)
        count = traces.values.shape[2]
        rising = 4 / 3 * traces.dt**0.5 * np.arange(-1.0, count + 1).clip(min=0) ** 1.5
        kernel = rising[2:] - 2 * rising[1:-1] + rising[:-2]  # of traces that are linear between samples
        spread = fftconvolve(traces.values, kernel[None, None], axes=2)[..., :count]
        factor = self.speed * np.sqrt(2 * traces.times.clip(min=0.0))
        text = f"from point to line sources at the speed {number(self.speed)}"
        return {"traces": spread * factor, "noise": None}, text


@dataclass(frozen=True)
class Decimate(Step):
    """Keep every n-th shot, receiver and sample; a low-pass filter comes before samples are left out."""

    shots: int = 1
    receivers: int = 1
    samples: int = 1

    def __post_init__(self) -> None:
        for name in ("shots", "receivers", "samples"):
            checks.whole(getattr(self, name), name)

    def __call__(self, survey: Recording) -> tuple[Arguments, str]:
        changed: Arguments = {}
        if self.samples > 1:
            traces = self.whole_traces_of(survey)
            if traces.values.shape[2] <= self.samples:
                raise DeclarationError(
                    f"samples={self.samples} of Decimate leaves only one of {traces.values.shape[2]}; give a smaller "
                    "number"
                )
            corner = ANTIALIAS * 0.5 / (self.samples * traces.dt)
            changed = filtered(survey, traces, butterworth(STEEP, None, corner, traces))
            changed["traces"] = np.asarray(changed["traces"])[..., :: self.samples]
            changed["dt"] = traces.dt * self.samples
            if traces.wavelet is not None:
                changed["wavelet"] = np.asarray(changed["wavelet"])[:: self.samples]
        rows, columns = slice(None, None, self.shots), slice(None, None, self.receivers)
        record = survey.record
        thinned = (
            record.part(rows, columns)
            if isinstance(record, Traces)
            else record.part(rows, columns, slice(None))
        )
        if "traces" in changed:
            changed["traces"] = np.asarray(changed["traces"])[rows][:, columns]
        whole: Arguments = {
            **survey.arguments(),
            **thinned.arguments,
            "sources": survey.sources[rows],
            "receivers": survey.receivers[columns],
            "weights": survey.weights[rows][:, columns],
        }
        strides = {"shot": self.shots, "receiver": self.receivers, "sample": self.samples}
        text = ", ".join(f"every {count}. {name}" for name, count in strides.items() if count > 1)
        return {**whole, **changed}, f"kept: {text or 'everything'}"


def butterworth(order: int, low: float | None, high: float | None, traces: Traces) -> Callable[[Real], Real]:
    """A zero-phase filter of the last axis, for traces of this sampling; corners in Hz."""
    corners = [corner for corner in (low, high) if corner is not None]
    kind = "bandpass" if len(corners) == 2 else "lowpass" if low is None else "highpass"
    sections = butter(
        order, corners if len(corners) == 2 else corners[0], kind, fs=1 / traces.dt, output="sos"
    )
    ends = min(3 * (2 * len(sections) + 1), traces.values.shape[2] - 1)
    return lambda values: np.asarray(sosfiltfilt(sections, values, axis=-1, padlen=ends))


def filtered(survey: Recording, traces: Traces, run: Callable[[Real], Real]) -> Arguments:
    """Traces, wavelet and stated noise after a filter; the noise is white, and decreases with its band."""
    values = np.where(survey.live[..., None], run(traces.values), 0.0)
    changed: Arguments = {"traces": values}
    if traces.wavelet is not None:
        changed["wavelet"] = run(traces.wavelet)
    if survey.noise is not None:
        pulse = np.zeros(traces.values.shape[2])
        pulse[len(pulse) // 2] = 1.0
        size = np.linalg.norm(traces.values) * np.linalg.norm(run(pulse)) / np.linalg.norm(values)
        changed["noise"] = float(survey.noise * size)
    return changed
