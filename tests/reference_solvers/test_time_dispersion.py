"""Filters that undo what leapfrog's step does to time: against an oscillator that long steps detune."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

import neurapde as npde
from neurapde.reference_solvers.operators.time_dispersion import leapfrog_filters

Array = NDArray[np.float64]

OMEGA = 2 * np.pi * 1.1


def wavelet(times: Array) -> Array:
    return npde.Ricker(1.0, 1.5)(times)


def leapfrog(force: Array, dt: float) -> Array:
    """u_tt + omega^2 u = force, from rest."""
    u = np.zeros(len(force) + 1)
    for n, f in enumerate(force):
        u[n + 1] = 2 * u[n] - (u[n - 1] if n else 0.0) + dt**2 * (f - OMEGA**2 * u[n])
    return u


def test_an_oscillator_that_leapfrog_detunes_by_half_is_exact_after_the_filters() -> None:
    times = 0.04 * np.arange(301)
    exact = solve_ivp(
        lambda t, y: [y[1], wavelet(t) - OMEGA**2 * y[0]],
        (0, 12),
        [0, 0],
        t_eval=times,
        rtol=1e-10,
        atol=1e-12,
    ).y[0]
    filters = leapfrog_filters(301, 0.04, tail=2.0, longest_step=0.06)
    trace = filters.traces @ leapfrog(filters.wavelet @ wavelet(times), filters.dt)
    steps = filters.dt * np.arange(filters.steps)
    plain = np.interp(times, [*steps, filters.steps * filters.dt], leapfrog(wavelet(steps), filters.dt))
    assert abs(plain - exact).max() > 0.4 * abs(exact).max()
    assert abs(trace - exact).max() < 1e-3 * abs(exact).max()  # it still rings at the end of the record
    assert abs(trace - exact)[:250].max() < 1e-4 * abs(exact).max()


@pytest.mark.parametrize("longest_step", [0.004, 0.011])
def test_short_steps_are_left_as_they_are(longest_step: float) -> None:
    """A wavelet that has ended passes both filters unchanged; steps need not divide samples."""
    times = 0.02 * np.arange(251)
    filters = leapfrog_filters(251, 0.02, tail=1.0, longest_step=longest_step)
    steps = filters.dt * np.arange(filters.steps + 1)
    assert filters.dt <= longest_step
    np.testing.assert_allclose(filters.wavelet @ wavelet(times), wavelet(steps[:-1]), atol=5e-3)
    np.testing.assert_allclose(filters.traces @ wavelet(steps), wavelet(times), atol=5e-3)


def test_a_record_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"2 samples or more, and interval, tail and step must be positive; got 1, 0.1"
    ):
        leapfrog_filters(1, 0.1, tail=1.0, longest_step=0.1)
    with pytest.raises(ValueError, match=r"got 5, 0.1, 0.0"):
        leapfrog_filters(5, 0.1, tail=0.0, longest_step=0.1)
