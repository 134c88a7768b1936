"""Windows in time: factors of observed and predicted samples when an inversion in time compares them.

In the frequency domain predicted waves have no window; there `Survey.at(…, damping=)` gives early arrivals more
weight.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import number, percent
from neurapde.seismic.survey.processing.step import Step
from neurapde.seismic.survey.record_checks import Real, at_least_zero
from neurapde.seismic.survey.recording import Recording
from neurapde.seismic.survey.records import Arguments, Traces


@dataclass(frozen=True, eq=False)
class TimeWindow(Step):
    """Keep samples from `first` to `last`, s, counted from zero, from offset / speed, or from picks.

    `TimeWindow(-0.05, speed=1500.0, taper=0.1)` is a top mute, `TimeWindow(last=0.3, picks=picks)` keeps first arrivals.

    first, last: None for no limit on that side. speed: of the arrival from which times count.
    picks: `(S, R)`, times from which they count, s, finite where a trace is live. taper: length, s, within the window,
    over which it rises from 0 to 1.
    """

    first: float | None = None
    last: float | None = None
    speed: float | None = None
    picks: Any = None
    taper: float = 0.0

    def __post_init__(self) -> None:
        for name in ("first", "last"):
            if getattr(self, name) is not None:
                checks.real(getattr(self, name), f"{name} of the TimeWindow")
        if self.first is None and self.last is None:
            raise DeclarationError("TimeWindow() keeps everything; give first=, last= or both, in s")
        if self.first is not None and self.last is not None and self.first >= self.last:
            raise DeclarationError(
                f"TimeWindow from {self.first:g} to {self.last:g}; give a value of last above first"
            )
        if self.speed is not None:
            checks.positive(self.speed, "speed of the TimeWindow")
        if self.picks is not None:
            checks.array(self.picks, "picks of the TimeWindow")
            if self.speed is not None:
                raise DeclarationError(
                    "TimeWindow has both a speed and picks, but starts from one of them; leave one out"
                )
        at_least_zero(self.taper, "taper of the TimeWindow")

    def __call__(self, survey: Recording) -> tuple[Arguments, str]:
        traces = self.traces_of(survey)
        after = traces.times - self._zero(survey)[..., None]
        window = np.ones(traces.values.shape)
        for inside in (
            None if self.first is None else after - self.first,
            None if self.last is None else self.last - after,
        ):
            if inside is not None:
                window *= _rise(inside, self.taper)
        ends = " to ".join("…" if end is None else number(end) for end in (self.first, self.last))
        since = "" if self.speed is None else f" after offset / {number(self.speed)}"
        since = since if self.picks is None else " after picks"
        return _windowed(traces, window, f"window {ends} s{since}, taper {number(self.taper)} s")

    def _zero(self, survey: Recording) -> Real:
        """The time zero of each trace, `(S, R)`."""
        if self.speed is not None:
            return survey.offsets / self.speed
        if self.picks is None:
            return np.zeros(survey.weights.shape)
        picks: Real = checks.array(self.picks, "picks of the TimeWindow").astype(float)
        if picks.shape != survey.weights.shape or not np.isfinite(picks[survey.live]).all():
            raise DeclarationError(
                f"picks of the TimeWindow have the shape {picks.shape}; give finite times {survey.weights.shape} of "
                f"{survey.name!r}, or weights of 0 to traces without one"
            )
        return np.where(survey.live, picks, 0.0)


@dataclass(frozen=True)
class Gain(Step):
    """Weight samples by t^power, 1 at the end of the record and 0 before t = 0: late arrivals count more."""

    power: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "power", checks.real(self.power, "power of the Gain"))
        if not 0 < self.power <= 10:
            raise DeclarationError(f"power of the Gain is {self.power:g}; give a number above 0, up to 10")

    def __call__(self, survey: Recording) -> tuple[Arguments, str]:
        traces = self.traces_of(survey)
        times = traces.times
        if times[-1] <= 0:
            raise DeclarationError(
                f"{survey.name!r} ends before t = 0, where Gain has no effect; leave it out"
            )
        window = np.broadcast_to((times.clip(min=0.0) / times[-1]) ** self.power, traces.values.shape)
        return _windowed(traces, window, f"gain t^{number(self.power)}")


def _rise(inside: Real, taper: float) -> Real:
    """0 outside, a half cosine over the taper, then 1."""
    if taper == 0:
        return (inside >= 0).astype(float)
    rise: Real = 0.5 - 0.5 * np.cos(np.pi * np.clip(inside / taper, 0.0, 1.0))
    return rise


def _windowed(traces: Traces, window: Real, text: str) -> tuple[Arguments, str]:
    before = traces.windowed
    share = float(np.sum((before * window) ** 2) / np.sum(before**2))
    if share == 0:
        raise DeclarationError(f"{text} removes the traces completely; give a longer window")
    whole = window if traces.window is None else window * traces.window
    return {"window": whole}, f"{text}: {percent(share)} of the energy is left"
