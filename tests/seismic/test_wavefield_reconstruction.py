"""IR-WRI behind `invert`: the solver's own answer, the noise that ends it, checkpoints, and what it refuses."""

import math
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neurapde as npde
from neurapde.core.errors import DeclarationError
from neurapde.core.interrupts import Interrupts
from neurapde.seismic.modelling.computational_domain import ComputationalDomain
from neurapde.seismic.modelling.grid_modelling import GridModelling
from neurapde.training.run.method import Status
from support import assert_same_field, waves

ANGLES = np.linspace(0, 2 * np.pi, 16, endpoint=False)
RECEIVERS = 0.45 * np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)
SOURCES = 0.4 * np.stack([np.cos(ANGLES[1::4]), np.sin(ANGLES[1::4])], axis=1)
WAVES = waves(npde.Box((-1, 1), (-1, 1)), npde.PML(width=0.5, strength=5.0))
WINDOW = npde.Box((-0.3, 0.3), (-0.3, 0.3))
FREQUENCIES = [5 / (2 * math.pi), 8 / (2 * math.pi)]


def true_speed(points: Any) -> Any:
    return 1 + 0.2 * np.exp(-((points[:, 0] - 0.05) ** 2 + points[:, 1] ** 2) / 0.01)


@cache
def survey(noise: float | None = None, wavelet: complex | None = 1 + 0.5j) -> npde.Survey:
    modelling = GridModelling(
        npde.Survey(
            SOURCES, RECEIVERS, data=np.ones((2, 4, 16), complex), frequencies=FREQUENCIES, wavelet=1 + 0.5j
        ),
        ComputationalDomain.of(WAVES, 1.0),
        (1.0, 1.0),
        per_wavelength=16.0,
    )
    data = modelling.forward(true_speed(modelling.grid.points) ** -2.0).data
    return npde.Survey(SOURCES, RECEIVERS, data=data, frequencies=FREQUENCIES, wavelet=wavelet, noise=noise)


def velocity(**changes: Any) -> npde.Velocity:
    return npde.Velocity(
        **{
            "start": 1.0,
            "bounds": (0.9, 2.0),
            "window": WINDOW,
            "prior": npde.seismic.TotalVariation(weight=1e-4),
            **changes,
        }
    )


def invert(given: npde.Survey, method: Any = "irwri", **changes: Any) -> npde.seismic.Inversion:
    arguments = {"unknown": velocity(), "progress": False, **changes}
    return npde.invert(WAVES, given, method=method, **arguments)


def few(steps: int) -> npde.seismic.WavefieldReconstruction:
    return npde.seismic.WavefieldReconstruction(steps=steps, per_wavelength=16.0)


@pytest.mark.parametrize("wavelet", [1 + 0.5j, None], ids=["known", "unknown"])
def test_it_explains_the_data_down_to_their_noise_and_stops(wavelet: complex | None) -> None:
    inversion = invert(survey(0.006, wavelet), few(40))
    assert inversion.status is Status.CONVERGED
    assert inversion.history["relative residual"][-1] <= 0.006 < inversion.history["relative residual"][-2]
    assert inversion.residual < 0.008  # frequencies weigh alike in the first, by their energy in the second
    assert inversion.model_error(true_speed) < 0.8
    if wavelet is None:
        assert inversion.scales == pytest.approx(1 + 0.5j, rel=0.02)


def test_what_is_known_stays_as_it_was_and_the_bounds_hold() -> None:
    inversion = invert(survey(), few(3))
    grid = inversion.grid
    model = inversion.slowness_squared(grid.points)
    known = (np.abs(grid.points) > 0.3).any(axis=1)
    assert np.array_equal(model[known], np.ones(known.sum()))
    assert 0.25 <= model.min() < 0.95
    assert model.max() <= 0.9**-2.0


def test_without_a_window_only_the_edge_to_the_layer_is_held() -> None:
    inversion = invert(survey(), few(2), unknown=velocity(window=None))
    model = inversion.slowness_squared(inversion.grid.points)
    outer = (np.abs(inversion.grid.points) >= 0.5 - 1e-9).any(axis=1)
    assert np.array_equal(model[outer], np.ones(outer.sum()))
    assert (np.abs(model[~outer] - 1) > 1e-6).mean() > 0.8


@pytest.mark.parametrize("window", [WINDOW, None])
def test_the_predicted_data_are_those_of_the_velocity_found(window: npde.Box | None) -> None:
    inversion = invert(survey(), few(3), unknown=velocity(window=window))
    assert len(inversion.history) == 4
    observed = inversion.setting.survey.data
    errors, sizes = (np.linalg.norm(each, axis=(1, 2)) for each in (inversion.predicted - observed, observed))
    rms = float(np.sqrt(((errors / sizes) ** 2).mean()))
    assert rms == pytest.approx(inversion.history["relative residual"][-1], rel=1e-9)


def test_stages_go_on_from_the_model_of_the_stage_before() -> None:
    inversion = invert(
        survey(), few(3), frequencies=npde.seismic.Continuation([FREQUENCIES[0]], [FREQUENCIES[1]])
    )
    first, second = inversion.stages
    assert second.history["relative residual"][0] < 0.75 * first_misfit_at_the_start()
    assert first.frequencies == (FREQUENCIES[0],)


def first_misfit_at_the_start() -> float:
    alone = invert(survey(), few(1), frequencies=[FREQUENCIES[1]])
    return float(alone.history["relative residual"][0])


def test_a_run_stopped_and_resumed_is_the_run_not_stopped_bit_for_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = invert(survey(), few(4))
    stops = iter([False, True])
    monkeypatch.setattr(
        Interrupts, "asked", property(lambda self: next(stops), lambda self, value: None), raising=False
    )
    stopped = invert(survey(), few(4), out=tmp_path)
    monkeypatch.undo()
    assert stopped.status is Status.INTERRUPTED
    assert len(stopped.history) == 3
    rest = invert(survey(), few(4), out=tmp_path, resume=True)
    assert np.array_equal(rest.predicted, whole.predicted)
    assert np.array_equal(rest.history["relative residual"], whole.history["relative residual"])
    assert np.array_equal(rest.history.step, whole.history.step)


def test_it_can_be_saved_and_read_again(tmp_path: Path) -> None:
    inversion = invert(survey(), few(2))
    inversion.save(tmp_path / "found.h5")
    loaded = npde.seismic.Inversion.load(tmp_path / "found.h5")
    assert loaded.method == inversion.method
    points = np.random.default_rng(48271).uniform(-0.4, 0.4, (50, 2))
    assert_same_field(loaded(points), inversion(points))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"unknown": velocity(trial=npde.Siren(width=8, depth=1))},
            "inverts for values on a grid, but trial=",
        ),
        ({"misfit": npde.seismic.L1()}, r"works only with L2\(\)"),
        (
            {"unknown": velocity(prior=npde.seismic.Smoothness(weight=1.0))},
            "supports one prior, TotalVariation",
        ),
    ],
)
def test_what_it_cannot_do_is_refused_before_any_work(changes: dict, message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        invert(survey(), **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 0}, "steps=0: give a whole number"),
        ({"penalty": -1.0}, "penalty of WavefieldReconstruction"),
    ],
)
def test_settings_that_make_no_sense_are_refused(changes: dict, message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        npde.seismic.WavefieldReconstruction(**changes)
