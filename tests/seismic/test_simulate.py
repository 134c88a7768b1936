"""Simulated surveys: exact fields where there are some, one physics in time and in frequency, noise as stated."""

from typing import Any

import numpy as np
import pytest
from scipy.special import hankel2

import neurapde as npde

RECEIVERS = np.array([[0.3, 0.1], [-0.2, 0.35], [0.1, -0.4]])
SQUARE = npde.Box((-1, 1), (-1, 1))


def helmholtz(**changes: Any) -> npde.Problem:
    arguments: dict[str, Any] = {
        "equation": npde.Helmholtz(wavenumber=15.0),
        "sources": npde.Shots(npde.PointSource([-0.3, 0.0], 2j), npde.PointSource([0.0, 0.1])),
        "boundary": npde.PML(width=0.5, reflection=1e-5),
    }
    return npde.Problem("shots", SQUARE, **(arguments | changes))


def wave(**changes: Any) -> npde.Problem:
    arguments: dict[str, Any] = {
        "domain": npde.Box((0, 1), (0, 1)).over(npde.Time(0, 1.2)),
        "equation": npde.Wave(),
        "sources": npde.Shots(npde.RickerSource([0.3, 0.4], 3.0)),
        "boundary": npde.Absorbing(),
    }
    return npde.Problem("shots", **(arguments | changes))


def test_spectra_are_the_outgoing_field_of_each_shot() -> None:
    survey = npde.Survey.simulate(helmholtz(), RECEIVERS, frequencies=[2.0, 15 / (2 * np.pi)], shape=161)
    k = 2 * np.pi * survey.frequencies[:, None, None]
    exact = np.array([2j, 1.0])[:, None] * 0.25j * hankel2(0, k * survey.offsets)
    assert np.linalg.norm(survey.data - exact) < 2e-3 * np.linalg.norm(exact)
    assert survey.wavelet is not None
    assert survey.wavelet.tolist() == [[2j, 1], [2j, 1]]
    assert survey.source_variance == 0
    assert survey.origin is not None
    assert (survey.origin.solver, survey.origin.shape) == ("nine-point", (161, 161))
    assert survey.origin.spacing == pytest.approx((2 / 160, 2 / 160))


def test_a_grid_chosen_by_itself_is_finer_than_twelve_nodes_in_a_wavelength() -> None:
    survey = npde.Survey.simulate(helmholtz(), RECEIVERS)
    assert survey.origin is not None
    assert survey.frequencies == pytest.approx([15 / (2 * np.pi)])
    assert 2 * np.pi / 15 / max(survey.origin.spacing) >= 12


def test_time_and_frequency_are_one_physics() -> None:
    """A Ricker wave in a medium of speed 2, transformed, is the Helmholtz field of the survey's own wavelet."""
    box = npde.Box((-1, 1), (-1, 1))
    at, receivers = [[-0.3, 0.0], [0.2, 0.3]], [[0.2, 0.1], [0.0, -0.3]]
    problem = npde.Problem(
        "time",
        box.over(npde.Time(0, 1.6)),
        npde.Wave(speed=2.0),
        npde.Shots(npde.RickerSource([0, 0], 5.0)),
        npde.Absorbing(),
    )
    recorded = npde.Survey.simulate(problem, receivers, sources=at, shape=81, dt=0.008)
    assert recorded.traces.shape == (2, 2, 201)
    spectral = recorded.at([4.0, 6.0])
    still = npde.Problem(
        "frequency",
        box,
        npde.Helmholtz(wavenumber=2 * np.pi * 4.0, speed=2.0),
        npde.Shots(*[npde.PointSource(place) for place in at]),
        npde.PML(width=0.5, reflection=1e-5),
    )
    unit = npde.Survey.simulate(still, receivers, frequencies=[4.0, 6.0], shape=161)
    assert spectral.wavelet is not None
    expected = spectral.wavelet[:, :, None] * unit.data
    assert np.linalg.norm(spectral.data - expected) < 0.005 * np.linalg.norm(expected)


def test_frequencies_of_a_wave_problem_make_a_frequency_survey() -> None:
    survey = npde.Survey.simulate(wave(), [[0.6, 0.5]], frequencies=[3.0], shape=41, dt=0.02)
    assert survey.kind == "frequency"
    assert survey.origin is not None
    assert survey.origin.solver == "leapfrog"


def test_shots_moved_to_media_of_other_speeds_keep_one_wavelet() -> None:
    """w of m u_tt − Δu = w δ is the signal over c², so that the amplitude in u_tt = c² Δu + f follows c²."""
    problem = wave(equation=npde.Wave(speed=lambda x: 1.0 + x[:, 0]))
    survey = npde.Survey.simulate(problem, [[0.6, 0.5]], sources=[[0.3, 0.4], [0.7, 0.4]], shape=41, dt=0.02)
    assert survey.wavelet == pytest.approx(npde.Ricker(3.0)(survey.times) / 1.3**2, rel=1e-12)
    shots = npde.Shots(npde.RickerSource([0.3, 0.4], 3.0), npde.RickerSource([0.7, 0.4], 3.0))
    with pytest.raises(npde.DeclarationError, match="different wavelets"):
        npde.Survey.simulate(problem, [[0.6, 0.5]], sources=shots, shape=41, dt=0.02)


@pytest.mark.parametrize("decibels", [10.0, 20.0])
def test_noise_has_the_level_that_is_stated(decibels: float) -> None:
    level = 10 ** (-decibels / 20)
    clean = npde.Survey.simulate(helmholtz(), RECEIVERS, frequencies=[2.0, 2.4], shape=81)
    noisy = npde.Survey.simulate(
        helmholtz(), RECEIVERS, frequencies=[2.0, 2.4], shape=81, noise=level, seed=90031
    )
    for recorded, signal in zip(noisy.data, clean.data, strict=True):
        assert np.linalg.norm(recorded - signal) == pytest.approx(level * np.linalg.norm(signal), rel=1e-12)
    assert noisy.noise == pytest.approx(level)
    assert noisy.origin is not None
    assert noisy.origin.noise == pytest.approx(level)
    repeated = clean.with_noise(level, 90031)
    assert np.array_equal(noisy.data, repeated.data)


def test_noise_is_white_and_stays_off_dead_traces() -> None:
    rng = np.random.default_rng(33811)
    weights = np.ones((4, 50))
    weights[1, 7] = 0
    clean = npde.Survey(
        rng.random((4, 2)),
        rng.random((50, 2)),
        traces=rng.standard_normal((4, 50, 64)),
        dt=1.0,
        weights=weights,
    )
    noisy = clean.with_noise(0.5, 12263)
    noise = noisy.traces - clean.traces
    assert not noise[1, 7].any()
    power = (np.abs(np.fft.rfft(noise[weights > 0])) ** 2).mean(axis=0)[1:-1]
    assert power.max() < 1.5 * power.min()
    assert noisy.with_noise(0.5, 12269).noise == pytest.approx(np.hypot(0.5, 0.5))
    # A frequency holds less of the white noise the more of the signal it holds.
    assert noisy.at([0.1]).noise is not None


@pytest.mark.parametrize(
    ("changes", "arguments", "text"),
    [
        ({}, {"receivers": [[0.7, 0.0]]}, r"1 of 1 receivers lie in the absorbing layer"),
        ({}, {"receivers": [[3.0, 0.0]]}, "lie outside the model"),
        ({}, {"sources": [[0.0, 5.0]]}, "1 of 1 sources"),
        ({}, {"noise": 0.1}, "has no seed"),
        ({}, {"noise": -0.1, "seed": 10007}, "noise level"),
        ({"sources": [npde.PointSource([0, 0]), npde.PointSource([0, 0.1])]}, {}, "has 2 sources"),
        ({"sources": lambda x: x[:, 0] * 0}, {}, "at a point"),
        (
            {"sources": npde.Shots(npde.PointSource([0, 0]), npde.GaussianSource([0, 0.1], 1e-3))},
            {},
            "give all of them the same",
        ),
        (
            {"equation": npde.Poisson(), "boundary": npde.Dirichlet(0.0), "sources": ()},
            {},
            "Helmholtz or Wave",
        ),
    ],
)
def test_what_makes_no_survey_is_refused(
    changes: dict[str, Any], arguments: dict[str, Any], text: str
) -> None:
    with pytest.raises(npde.DeclarationError, match=text):
        npde.Survey.simulate(helmholtz(**changes), **({"receivers": RECEIVERS, "shape": 41} | arguments))


def test_a_wave_without_a_wavelet_is_refused() -> None:
    with pytest.raises(npde.DeclarationError, match="no source, so the shots have no wavelet"):
        npde.Survey.simulate(wave(sources=()), [[0.6, 0.5]], sources=[[0.3, 0.4]])
    with pytest.raises(npde.DeclarationError, match="longer than the problem's time"):
        npde.Survey.simulate(wave(), [[0.6, 0.5]], dt=2.0, shape=41)


@pytest.mark.parametrize(
    ("problem", "given", "text"),
    [
        (helmholtz(), {"shape": 20_001}, "a grid of 20001 × 20001 nodes for shots needs too much memory"),
        (wave(), {"shape": 20_001}, "a grid of 20001 × 20001 nodes for shots needs too much memory"),
        (
            wave(),
            {"shape": 65, "dt": 1e-10},
            "traces of 12000000000 samples, .* need too much memory: .* longer dt",
        ),
    ],
    ids=["spectra", "nodes", "samples"],
)
def test_surveys_that_do_not_fit_in_memory_are_refused(
    problem: npde.Problem, given: dict[str, Any], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("neurapde.core.memory.free_memory", lambda device: 20_000_000_000)
    with pytest.raises(npde.DeclarationError, match=text):
        npde.Survey.simulate(problem, np.abs(RECEIVERS), **given)
