"""Tests of gradient, adjoint and waves pass what is right, for every engine, and fail what is not."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import neurapde as npde
from neurapde.seismic.modelling.base import Modelling
from neurapde.seismic.modelling.grid_modelling import GridModelling
from neurapde.seismic.modelling.lattice_modelling import LatticeModelling
from neurapde.seismic.modelling.time_modelling import TimeModelling
from support import waves

SOURCES = np.array([[250.0, 180.0], [760.0, 210.0]])
RECEIVERS = np.column_stack([np.linspace(215.0, 790.0, 5), np.full(5, 803.0)])
BOX = npde.Box((0, 1000), (0, 1000))
TIMES = 0.01 * np.arange(100)

WAVES = waves(BOX)
ENGINES: dict[str, tuple[Any, type[Modelling]]] = {
    "joint": (npde.seismic.Joint(), LatticeModelling),
    "reduced": (npde.seismic.Reduced(per_wavelength=8.0), GridModelling),
    "adjoint": (npde.seismic.Adjoint(per_wavelength=8.0), GridModelling),
    "time": (npde.seismic.TimeDomain(per_wavelength=3.5), TimeModelling),
}
PRIORS = {
    "none": (),
    "total variation": npde.seismic.TotalVariation(0.1),
    "smoothness": npde.seismic.Smoothness(0.1),
    "Tikhonov": npde.seismic.Tikhonov(1.0),
}


def survey(name: str, wavelet: Any = 1.0) -> npde.Survey:
    """Noise in place of data: a gradient must be right wherever it is taken."""
    rng = np.random.default_rng(50119)
    if name == "time":
        pulse = npde.Ricker(4.0, 0.25)(TIMES)
        traces = rng.standard_normal((2, 5, len(TIMES)))
        return npde.Survey(SOURCES, RECEIVERS, traces=traces, dt=0.01, wavelet=pulse)
    data = 0.2 * (rng.standard_normal((2, 2, 5)) + 1j * rng.standard_normal((2, 2, 5)))
    return npde.Survey(SOURCES, RECEIVERS, data=data, frequencies=[4.0, 5.0], wavelet=wavelet)


def velocity(**changes: Any) -> npde.Velocity:
    window = npde.Box((300, 700), (300, 700))
    return npde.Velocity(**{"start": 2000.0, "bounds": (1500.0, 2800.0), "window": window, **changes})


def place(name: str, **changes: Any) -> dict[str, Any]:
    method, _ = ENGINES[name]
    return {"unknown": velocity(**changes), "method": method, "seed": 40993}


@pytest.mark.parametrize("prior", PRIORS)
@pytest.mark.parametrize("name", ENGINES)
def test_the_taylor_remainder_of_every_method_is_of_second_order(name: str, prior: str) -> None:
    taylor = npde.validation.taylor_test(WAVES, survey(name), **place(name, prior=PRIORS[prior]))
    assert taylor.slope == pytest.approx(2.0, abs=0.05)
    assert taylor.passed
    assert "passed" in str(taylor)


@pytest.mark.parametrize(
    "misfit", [npde.seismic.L1(0.5), npde.seismic.Huber(0.5), npde.seismic.PhaseOnly()], ids=lambda m: m.name
)
@pytest.mark.parametrize("name", ["joint", "adjoint"])
def test_so_is_that_of_every_misfit_with_an_unknown_wavelet(name: str, misfit: Any) -> None:
    taylor = npde.validation.taylor_test(WAVES, survey(name, wavelet=None), misfit=misfit, **place(name))
    assert taylor.slope == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize("name", ENGINES)
def test_the_adjoint_of_every_engine_is_the_transpose_of_its_derivative(name: str) -> None:
    dot = npde.validation.dot_test(WAVES, survey(name), **place(name))
    assert dot.relative < 1e-10
    assert dot.passed
    assert "passed" in str(dot)


@pytest.mark.parametrize("name", ENGINES)
def test_shots_and_receivers_may_change_places(name: str) -> None:
    reciprocity = npde.validation.reciprocity(WAVES, survey(name), **place(name))
    assert reciprocity.pairs == 10
    assert reciprocity.difference < 0.02
    assert reciprocity.passed
    assert "passed" in str(reciprocity)


def spoil(
    monkeypatch: pytest.MonkeyPatch, kind: type[Modelling], by: Callable[[np.ndarray], np.ndarray]
) -> None:
    right = kind.backward
    monkeypatch.setattr(
        kind, "backward", lambda self, forward, cotangent: by(right(self, forward, cotangent))
    )


@pytest.mark.parametrize("name", ENGINES)
def test_a_gradient_wrong_by_a_percent_fails_taylor_and_dot_test(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(monkeypatch, ENGINES[name][1], lambda gradient: 1.01 * gradient)
    taylor, dot = (
        npde.validation.taylor_test(WAVES, survey(name), **place(name)),
        npde.validation.dot_test(WAVES, survey(name), **place(name)),
    )
    assert taylor.slope == pytest.approx(1.0, abs=0.1)
    assert dot.relative == pytest.approx(0.01, rel=0.02)
    for check in (taylor, dot):
        assert not check.passed
        assert "FAILED" in str(check)


@pytest.mark.parametrize("name", ["joint", "adjoint", "time"])
def test_an_adjoint_that_is_a_node_off_fails_the_dot_test(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spoil(monkeypatch, ENGINES[name][1], lambda gradient: np.roll(gradient, 1))
    assert not npde.validation.dot_test(WAVES, survey(name), **place(name)).passed


def test_a_forgotten_prior_fails_the_taylor_test(monkeypatch: pytest.MonkeyPatch) -> None:
    right = npde.seismic.Smoothness.integral
    rough = place(
        "adjoint", prior=npde.seismic.Smoothness(1.0), start=lambda x: 2000.0 + 0.5 * x[:, 1], window=None
    )
    assert npde.validation.taylor_test(WAVES, survey("adjoint"), **rough).passed
    monkeypatch.setattr(
        npde.seismic.Smoothness,
        "integral",
        lambda self, v, *rest: 0 * v.sum() + right(self, v.detach(), *rest),
    )
    assert not npde.validation.taylor_test(WAVES, survey("adjoint"), **rough).passed


def test_receivers_that_are_read_elsewhere_fail_reciprocity(monkeypatch: pytest.MonkeyPatch) -> None:
    right = GridModelling.__init__

    def moved(self: GridModelling, given: npde.Survey, *rest: Any) -> None:
        right(self, given.replace(receivers=given.receivers + np.array([40.0, 0.0])), *rest)

    monkeypatch.setattr(GridModelling, "__init__", moved)
    reciprocity = npde.validation.reciprocity(WAVES, survey("adjoint"), **place("adjoint"))
    assert not reciprocity.passed
    assert "FAILED" in str(reciprocity)


def test_a_method_without_a_gradient_of_the_data_has_none_to_test() -> None:
    with pytest.raises(npde.DeclarationError, match="uses no gradient of the misfit"):
        npde.validation.taylor_test(WAVES, survey("irwri"), **{**place("adjoint"), "method": "irwri"})


def test_places_too_near_each_other_have_nothing_to_compare() -> None:
    near = survey("adjoint").replace(receivers=SOURCES[:1] + np.linspace(5.0, 9.0, 5)[:, None], sources=SOURCES[:1] + 1.0,
        data=np.ones((2, 1, 5), complex), wavelet=1.0, weights=None)  # fmt: skip
    with pytest.raises(npde.DeclarationError, match="within 6 nodes of each other"):
        npde.validation.reciprocity(WAVES, near, **place("adjoint"))
