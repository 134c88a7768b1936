"""Filters before and after a run that remove leapfrog's time dispersion, so that long steps cost no accuracy.

In a medium that does not change in time, leapfrog at the frequency ω gives the exact response at Ω = (2/dt) sin(ω
dt/2). So the wavelet is filtered to move every Ω to its ω, and the traces are moved back. The same two matrices map
samples to steps and steps to samples. Damping in absorbing layers keeps an error of second order in dt.
Source: Koene, Robertsson, Broggini, Andersson (2018), Geophys. J. Int. 213(1).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]

HIGHEST = 1.9
"""Largest Ω dt that is kept; leapfrog has none above 2."""
PERIOD = 1.5
"""Of the sums over frequencies, in units of the time that is marched: what lies beyond does not come round."""


@dataclass(frozen=True)
class LeapfrogFilters:
    """Maps between samples and steps of one record.

    dt: the step. steps: of a run, with the tail. wavelet `(steps, samples)`: from samples of w to leapfrog's input.
    traces `(samples, steps + 1)`: from its output at the times 0, dt, ... to samples.
    """

    dt: float
    steps: int
    wavelet: Array
    traces: Array


def leapfrog_filters(samples: int, interval: float, *, tail: float, longest_step: float) -> LeapfrogFilters:
    """The filters of a record that begins at time 0.

    Args:
        samples: of the record, at least 2.
        interval: between them; nothing above 1/(2 interval) passes.
        tail: further time after the record, over which its end is faded out: a period or two, positive.
        longest_step: the longest stable one.

    Raises: ValueError for numbers that are not positive.
    """
    if samples < 2 or not min(interval, tail, longest_step) > 0:
        raise ValueError(
            f"a record needs 2 samples or more, and interval, tail and step must be positive; got {samples}, "
            f"{interval}, {tail} and {longest_step}."
        )
    duration = (samples - 1) * interval + tail
    steps = int(np.ceil(duration / longest_step * (1 - 1e-12)))
    dt = duration / steps
    spacing = 2 * np.pi / (PERIOD * duration)
    highest = min(np.pi / interval, HIGHEST / dt)
    exact = spacing * np.arange(int(highest / spacing) + 1, dtype=float)
    moved = 2 / dt * np.arcsin(exact * dt / 2)
    at_samples, at_steps = interval * np.arange(samples), dt * np.arange(steps + 1)
    share = np.full(len(exact), spacing / np.pi)
    share[0] /= 2
    fade = np.cos(np.pi / 2 * np.clip((at_steps - at_samples[-1]) / tail, 0, 1)) ** 2
    slope = 1 / np.sqrt(1 - (exact * dt / 2) ** 2)  # dω/dΩ
    wavelet = _cosines(at_steps[:-1], moved, at_samples, exact, interval * share * slope)
    traces = _cosines(at_samples, exact, at_steps, moved, dt * share) * fade
    return LeapfrogFilters(dt, steps, wavelet, traces)


def _cosines(
    rows: Array, row_frequencies: Array, columns: Array, column_frequencies: Array, weights: Array
) -> Array:
    """Σ_q weights_q cos(row_frequencies_q rows_i - column_frequencies_q columns_j)."""
    left, right = np.outer(rows, row_frequencies), np.outer(column_frequencies, columns)
    return (np.cos(left) * weights) @ np.cos(right) + (np.sin(left) * weights) @ np.sin(right)
