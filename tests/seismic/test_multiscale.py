"""The default inversion: what is left out, how the prior is chosen, and what it finds of a lens."""

from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

import neurapde as npde
from neurapde.seismic.inversion.invert import settle
from neurapde.seismic.inversion.methods.method import Setting
from neurapde.seismic.inversion.methods.multiscale import Multiscale, grid_error
from neurapde.seismic.inversion.misfits import L2
from neurapde.seismic.inversion.regularisation import TotalVariation

BOX = npde.Box((0, 1000), (0, 1000))
START, HEIGHT, WIDTH = 2000.0, 300.0, 120.0


def ring(count: int, radius: float, turn: float = 0.0) -> np.ndarray:
    angles = 2 * np.pi * (np.arange(count) + turn) / count
    return 500 + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def lens(x):
    near = ((x - 500) ** 2).sum(1) / (2 * WIDTH**2)
    return START + HEIGHT * np.exp(-near)


def waves(speed) -> npde.Problem:
    equation = npde.Helmholtz(wavenumber=2 * np.pi * 5.0, speed=speed)
    return npde.Problem("lens", BOX, equation, npde.PointSource((500, 500)), npde.Absorbing())


@cache
def recorded(noise: float = 0.0) -> npde.Survey:
    """Of a lens, made with 15 nodes in the shortest wavelength by another scheme's spacing; its wavelet is forgotten."""
    wide = npde.Box((-400, 1400), (-400, 1400))
    problem = npde.Problem(
        "lens",
        wide,
        npde.Helmholtz(wavenumber=2 * np.pi * 5.0, speed=lens),
        npde.PointSource((500, 500)),
        npde.PML(400.0, reflection=1e-4),
    )
    made = npde.Survey.simulate(
        problem, ring(30, 430), sources=ring(6, 400, 0.3), frequencies=[5.0, 10.0], shape=135
    )
    return (made if not noise else made.with_noise(noise, seed=71933)).replace(wavelet=None)


def setting_of(survey: npde.Survey) -> Setting:
    return settle(waves(START), survey, (survey,), None, L2())


@pytest.mark.slow
def test_a_lens_is_found_from_data_of_another_grid() -> None:
    survey = recorded()
    inversion = npde.invert(waves(START), survey, progress=False)
    points = np.random.default_rng(30911).uniform(0, 1000, (2000, 2))
    away = np.sqrt(np.mean((START - lens(points)) ** 2))
    assert np.sqrt(np.mean((inversion(points) - lens(points)) ** 2)) < 0.15 * away
    assert [stage.frequencies for stage in inversion.stages] == [(5.0,), (5.0, 10.0)]
    assert [type(prior) for prior in inversion.setting.velocity.prior] == [TotalVariation]
    assert any(note.startswith("Prior: none was given") for note in inversion.notes)


def test_receivers_beside_their_source_are_left_out() -> None:
    survey = recorded()
    heard = Multiscale().heard(survey, setting_of(survey))
    assert np.array_equal(heard.live, survey.offsets >= 0.5 * START / 10.0)
    assert np.array_equal(Multiscale(near=None).heard(survey, setting_of(survey)).weights, survey.weights)
    far = Multiscale(near=3.0).heard(survey, setting_of(survey))
    assert np.array_equal(far.live.all(axis=1), (survey.offsets >= 600).mean(axis=1) < 0.5)


def test_many_frequencies_make_few_stages() -> None:
    survey = recorded()
    many = npde.Survey(
        survey.sources,
        survey.receivers,
        data=np.ones((15, survey.shots, len(survey.receivers)), complex),
        frequencies=np.arange(15) + 3.0,
    )
    stages = Multiscale().stages(many, None)
    assert len(stages) == 6
    assert sorted({f for stage in stages for f in stage.band}) == list(many.band)
    assert all(first.band[-1] < second.band[-1] for first, second in pairwise(stages))


def test_data_of_the_other_sign_of_fouriers_transform_are_told() -> None:
    survey = recorded().select(frequencies=5.0)
    method = Multiscale(descent=npde.seismic.BoundedLBFGS(1))
    given = {"unknown": npde.Velocity(prior=()), "method": method, "progress": False}
    with pytest.warns(npde.DeclarationWarning, match="use the other sign of the Fourier transform"):
        npde.invert(waves(START), survey.replace(data=survey.data.conj()), **given)
    npde.invert(waves(START), survey, **given)


def test_the_survey_of_a_result_is_the_one_that_was_used() -> None:
    survey = recorded()
    method = Multiscale(descent=npde.seismic.BoundedLBFGS(2))
    inversion = npde.invert(
        waves(START), survey, unknown=npde.Velocity(prior=()), method=method, progress=False
    )
    assert not inversion.setting.velocity.prior
    assert np.array_equal(inversion.survey.live, survey.offsets >= 0.5 * START / 10.0)
    assert inversion.residual == pytest.approx(
        inversion.stages[-1].history["relative residual"][-1], rel=1e-9
    )


@pytest.mark.slow
def test_more_noise_is_believed_less() -> None:
    weights = []
    for noise in (0.0, 1.0):
        survey = recorded(noise)
        setting, notes = Multiscale().believed(setting_of(survey), (survey.select(frequencies=5.0),))
        weights.append(setting.velocity.prior[0].weight)
        assert notes[0].startswith("Prior: none was given")
    assert weights[0] < weights[1]


@pytest.mark.slow
def test_the_error_of_a_grid_is_measured() -> None:
    survey = recorded()
    setting = setting_of(survey)
    layered = replace(
        setting,
        velocity=replace(
            setting.velocity,
            start=npde.GridField(np.tile([1500.0, 3000.0, 2000.0], (3, 1)), ((0, 0), (1000, 1000))),
        ),
        start=(1500.0, 3000.0),
    )
    heard = Multiscale().heard(survey, layered)
    layered = replace(layered, survey=heard)
    errors = [grid_error(layered, Multiscale(per_wavelength=p).modelling(layered)) for p in (6.0, 12.0)]
    assert errors[1] < 0.5 * errors[0]
