"""A short pulse in a long time is seen as fast as it is, however long the rest, and what does not fit is refused."""

import math
from collections.abc import Callable

import numpy as np
import pytest

import neurapde as npde
from neurapde.core import memory
from neurapde.fields.pulses import Ricker
from neurapde.references.wave_resolution import spectrum_of
from neurapde.spectral.time_rule import highest_frequency

SHARE = 1e-3


def bump(times: np.ndarray) -> np.ndarray:
    """As Ricker's wavelet, but a function of which nothing is known."""
    return Ricker(3.0)(times)


def tone(times: np.ndarray) -> np.ndarray:
    return np.sin(2 * math.pi * 3.0 * times) * np.exp(-(((times - 2.0) / 0.5) ** 2))


@pytest.mark.parametrize("signal", [Ricker(3.0), bump, tone], ids=["Ricker", "function", "tone"])
@pytest.mark.parametrize("duration", [100.0, 3000.0, 20_000.0])
def test_the_frequency_of_a_pulse_is_that_in_a_short_time(
    signal: Callable[[np.ndarray], np.ndarray], duration: float
) -> None:
    expected = highest_frequency(signal, npde.Time(0, 8), SHARE)
    frequency = highest_frequency(signal, npde.Time(0, duration), SHARE)
    assert frequency == pytest.approx(expected, rel=0.05)


def test_a_wavelet_is_seen_in_any_time_and_a_signal_that_is_zero_is_slow() -> None:
    expected = highest_frequency(Ricker(3.0), npde.Time(0, 8), SHARE)
    assert highest_frequency(Ricker(3.0), npde.Time(0, 1e9), SHARE) == pytest.approx(expected, rel=0.05)
    assert highest_frequency(Ricker(3.0, delay=100.0), npde.Time(0, 8), SHARE) < 1.0


def pulsed(duration: float) -> npde.Problem:
    return npde.Problem(
        "long",
        npde.Box((0, 2000.0)).over(npde.Time(0, duration)),
        npde.Wave(1500.0),
        [npde.RickerSource((700.0,), 3.0, variance=400.0)],
        [npde.InitialCondition(0.0, 0.0), npde.Dirichlet(0.0)],
    )


def test_the_grid_is_as_fine_for_a_pulse_in_a_long_time() -> None:
    short, long = spectrum_of(pulsed(8.0)), spectrum_of(pulsed(30_000.0))
    assert long.frequency == pytest.approx(short.frequency, rel=0.05)


def test_a_history_that_does_not_fit_is_refused_with_the_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda device: 20_000_000)
    ringing = npde.Problem(
        "string",
        npde.Box((0, 1)).over(npde.Time(0, 200_000.0)),
        npde.Wave(),
        boundary=[npde.InitialCondition(lambda x: npde.sin(math.pi * x[:, 0])), npde.Dirichlet(0.0)],
    )
    for problem in (pulsed(3000.0), ringing):
        text = r"sines at \d+ moments .* needs too much memory: .* 20 MB are free; give a shorter time"
        with pytest.raises(npde.DeclarationError, match=text):
            npde.solve(problem, method=npde.MethodOfLines(), device="cpu", progress=False)
