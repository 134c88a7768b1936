"""Editing: which traces count, and their weights."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import number
from neurapde.late import Late
from neurapde.seismic.survey.processing.step import Step
from neurapde.seismic.survey.record_checks import Real
from neurapde.seismic.survey.recording import Recording
from neurapde.seismic.survey.records import Arguments

theilslopes = Late("scipy.stats", "theilslopes")

NEIGHBOURS = 5
"""Traces on either side, by offset within a shot, with which a trace is compared."""
FITTED = 60
"""Largest number of traces of a shot for the decay of amplitudes with offset."""
NAMED = 6
"""Traces at most that a note names."""


@dataclass(frozen=True)
class EditTraces(Step):
    """Give weight 0 to named traces, and to those much louder or quieter than their neighbours by offset.

    factor: ratio of their root mean square to the median of the neighbours, or its inverse; None for no test.
    dead: pairs (shot, receiver), counted from 0.
    """

    factor: float | None = 10.0
    dead: Any = ()

    def __post_init__(self) -> None:
        if self.factor is not None:
            object.__setattr__(self, "factor", checks.positive(self.factor, "factor of EditTraces"))
            if self.factor <= 1:
                raise DeclarationError(
                    f"factor of EditTraces is {self.factor:g}; give a factor above 1, or None"
                )
        pairs = checks.array(self.dead, "dead of EditTraces")
        if pairs.shape != (0,) and (pairs.dtype.kind not in "iu" or pairs.ndim != 2 or pairs.shape[1] != 2):
            raise DeclarationError(
                f"dead of EditTraces is {checks.shown(self.dead)}; give pairs (shot, receiver) of whole numbers"
            )
        object.__setattr__(self, "dead", tuple((int(s), int(r)) for s, r in pairs.reshape(-1, 2)))

    def __call__(self, survey: Recording) -> tuple[Arguments, str]:
        live = survey.live
        for pair in self.dead:
            if any(not 0 <= index < count for index, count in zip(pair, live.shape, strict=True)):
                raise DeclarationError(
                    f"dead of EditTraces has {pair}, but the survey has {live.shape[0]} shots and {live.shape[1]} "
                    "receivers, counted from 0; give some of these"
                )
        named = np.zeros(live.shape, dtype=bool)
        for pair in self.dead:
            named[pair] = live[pair]
        masks = {"named": named}
        if self.factor is not None:
            ratio = _ratios(np.sqrt(survey.record.mean_square), survey.offsets, live & ~named)
            multiple = f"times {number(self.factor)}"
            masks |= {
                f"louder than neighbours {multiple}": ratio > self.factor,
                f"quieter than neighbours {multiple}": ratio < 1 / self.factor,
            }
        weights = np.where(np.any(list(masks.values()), axis=0), 0.0, survey.weights)
        parts = [f"{int(which.sum())} {what}{_listed(which)}" for what, which in masks.items() if which.any()]
        return {"weights": weights}, f"traces left out: {'; '.join(parts) or 'none'}"


@dataclass(frozen=True)
class Balance(Step):
    """Weights that make every live trace count the same for any amplitude: far offsets as much as near ones."""

    def __call__(self, survey: Recording) -> tuple[Arguments, str]:
        live, power = survey.live, survey.record.mean_square
        weights = np.where(live, survey.weights / np.where(live, power, 1.0), 0.0)
        spread = float(np.sqrt(power[live].max() / power[live].min()))
        text = f"weights by trace, all alike: amplitudes differed by a factor of {number(spread)}"
        return {"weights": weights / weights[live].mean()}, text


def _ratios(amplitudes: Real, offsets: Real, live: np.ndarray) -> Real:
    """The ratio of each live trace to the median of its neighbours by offset in its shot `(S, R)`; 1 if there are
    none.

    Amplitudes fall with offset: the power law that most pairs of traces of the shot follow is removed first.
    """
    ratios = np.ones(amplitudes.shape)
    for shot, row in enumerate(live):
        columns = np.flatnonzero(row)
        if len(columns) < 3:
            continue
        columns = columns[np.argsort(offsets[shot, columns], kind="stable")]
        far = offsets[shot, columns]
        far = np.log(far.clip(min=far[far > 0].min() / 2)) if (far > 0).any() else far
        sizes = np.log(amplitudes[shot, columns])
        some = np.linspace(0, len(columns) - 1, min(len(columns), FITTED)).astype(int)
        if np.ptp(far[some]) > 0:
            sizes = sizes - theilslopes(sizes[some], far[some]).slope * far
        for at in range(len(columns)):
            beside = np.r_[sizes[max(0, at - NEIGHBOURS) : at], sizes[at + 1 : at + 1 + NEIGHBOURS]]
            ratios[shot, columns[at]] = np.exp(sizes[at] - np.median(beside))
    return ratios


def _listed(which: np.ndarray) -> str:
    pairs = [f"{shot}/{receiver}" for shot, receiver in np.argwhere(which)[:NAMED]]
    ending = ", …" if which.sum() > NAMED else ""
    return f" (shot/receiver {', '.join(pairs)}{ending})"
