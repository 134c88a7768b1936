"""The paper's penalty for the wave equation: zero for exact waves, lowered by training, resumed exactly."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.assembly.scattering import Superposition
from neurapde.backgrounds.waves import OutgoingWave
from neurapde.core.errors import DeclarationError
from neurapde.core.interrupts import Interrupts
from neurapde.core.progress import Progress
from neurapde.fields.sources import GaussianSource
from neurapde.seismic.inversion.methods.method import Setting, Stage
from neurapde.seismic.inversion.methods.penalty_loss import AT_SOURCES, ELSEWHERE, PenaltyObjective
from neurapde.seismic.inversion.parametrisation import (
    GridParametrisation,
    Parametrisation,
    build_parametrisation,
)
from neurapde.seismic.modelling.computational_domain import ComputationalDomain
from neurapde.seismic.modelling.grid_modelling import GridModelling
from neurapde.training.run.method import Status
from neurapde.trials.base import TrialFunction
from support import assert_same_field, waves

SPEED, VARIANCE, AMPLITUDE = 2.0, 4e-3, 3 - 1j
BOX = npde.Box((-1, 1), (-1, 1))
WAVES = waves(BOX, npde.PML(width=0.5, strength=3.0))
SOURCES = np.array([[-0.3, 0.1], [0.25, -0.2]])
RECEIVERS = np.array([[0.4, 0.4], [-0.4, 0.35], [0.1, 0.42]])
FREQUENCY = 6 * SPEED / (2 * math.pi)


class Exact(TrialFunction):
    """The waves of both shots in the uniform medium."""

    def __init__(self, waves: Superposition) -> None:
        super().__init__(npde.Siren(8, 1), 2, 2, True)
        self.waves = waves
        self.anchor = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        return self.waves.jet(points.double(), 0).value

    def jet(self, points: torch.Tensor, order: int = 2, mixed: Any = ()) -> Any:
        return self.waves.jet(points.double(), order, mixed)


def exact(stretch: Any, size: float) -> Superposition:
    return Superposition(
        tuple(
            (OutgoingWave(GaussianSource(tuple(place), VARIANCE, AMPLITUDE / size), 6.0, stretch),)
            for place in SOURCES.tolist()
        )
    )


def survey(**changes: Any) -> npde.Survey:
    domain = ComputationalDomain.of(WAVES, 1.0)
    data = exact(domain.stretch(6.0), 1.0).jet(torch.from_numpy(RECEIVERS), 0).value.numpy().T[None]
    known = {"data": data, "wavelet": AMPLITUDE, "source_variance": VARIANCE}
    return npde.Survey(SOURCES, RECEIVERS, frequencies=[FREQUENCY], **{**known, **changes})


def objective_of(
    given: npde.Survey, before: int = 0, gridded: bool = True, **changes: Any
) -> PenaltyObjective:
    domain = ComputationalDomain.of(WAVES, 1.0)
    velocity = npde.Velocity(SPEED, (1.5, 3.0), **changes).on(domain.region)
    setting = Setting(given, domain, velocity, npde.seismic.L1(), (SPEED, SPEED))
    modelling = GridModelling(given, domain, (SPEED, SPEED), per_wavelength=8.0)
    unknown: Parametrisation = GridParametrisation(velocity, domain, modelling.grid)
    if not gridded:
        generator = torch.Generator().manual_seed(83621)
        unknown = build_parametrisation(
            velocity, domain, npde.Siren(8, 1, 3.0, 10.0), modelling.grid, generator
        )
    stage = Stage(setting, unknown, None, 9, Progress(False), lambda snapshot: None)
    return PenaltyObjective(modelling, stage, npde.Siren(16, 1, 8.0), 512, before)


def test_no_term_is_left_by_exact_waves_in_the_true_medium() -> None:
    objective = objective_of(survey())
    zero = objective().parts
    stretch = objective.unknown.domain.stretch(6.0)
    objective.networks = [Exact(exact(stretch, abs(AMPLITUDE)))]
    parts = objective().parts
    assert set(parts) == set(objective.names) == {AT_SOURCES, ELSEWHERE, "L1 misfit"}
    for name, value in parts.items():
        assert value < 1e-3 * zero[name], name
    assert objective.violation() < 1e-5


def test_exact_waves_in_another_medium_leave_the_equation_unmet_where_it_differs() -> None:
    objective = objective_of(survey())
    objective.networks = [Exact(exact(objective.unknown.domain.stretch(6.0), abs(AMPLITUDE)))]
    assert isinstance(objective.unknown, GridParametrisation)
    with torch.no_grad():
        objective.unknown.values.mul_(1.1)
    parts = objective().parts
    assert parts["L1 misfit"] < 1e-6 < 0.01 < parts[ELSEWHERE]
    assert objective.violation() == pytest.approx(0.1 / 1.1, rel=1e-3)


def test_before_the_velocity_moves_only_waves_are_told_to() -> None:
    objective = objective_of(survey(), before=1, gridded=False)
    for expected in (False, True):
        objective.unknown.zero_grad()
        objective().total.backward()
        moved = [p.grad is not None and bool(p.grad.abs().sum() > 0) for p in objective.unknown.parameters()]
        assert any(moved) is expected
        assert all(p.grad is not None for p in objective.networks[0].parameters())


def test_the_wavelet_is_estimated_where_it_is_unknown() -> None:
    objective = objective_of(survey(wavelet=None))
    objective.networks = [Exact(exact(objective.unknown.domain.stretch(6.0), abs(AMPLITUDE)))]
    value = objective()
    assert value.residual < 1e-6
    np.testing.assert_allclose(value.scales.numpy(), abs(AMPLITUDE), rtol=1e-6)


def test_point_sources_radiate_as_far_as_they_should() -> None:
    given = survey(source_variance=0.0)
    objective = objective_of(given)
    source = objective._shots(0)[0][0]
    far = source.amplitude * math.exp(-(6.0**2) * source.variance / 2)
    assert source.variance == pytest.approx(max(objective.modelling.grid.spacing) ** 2)
    assert far == pytest.approx(AMPLITUDE / abs(AMPLITUDE), rel=1e-12)


def test_a_free_surface_is_a_term_of_its_own() -> None:
    sides = npde.PML(width=dict.fromkeys(("left", "right", "bottom"), 0.5), strength=3.0)
    surface = npde.Dirichlet(0.0, on="top")
    inversion = invert(survey(), waves(BOX, surface, sides), method=few(2, 1))
    (name,) = (
        set(inversion.history.names)
        - {AT_SOURCES, ELSEWHERE}
        - set(invert(survey(), method=few(1, 0)).history.names)
    )
    assert "top" in name
    assert inversion.history[name].min() > 0


def few(steps: int, pretraining: int, **changes: Any) -> npde.seismic.Penalty:
    settings = {"waves": npde.Siren(24, 1, 8.0), "points": 128, "per_wavelength": 8.0, **changes}
    return npde.seismic.Penalty(
        pretraining=pretraining, descent=npde.seismic.AdamDescent(steps, 3e-3), **settings
    )


def invert(given: npde.Survey, problem: npde.Problem = WAVES, **changes: Any) -> npde.seismic.Inversion:
    velocity = npde.Velocity(
        2.1, (1.5, 3.0), trial=npde.Siren(8, 1, 3.0, 10.0), prior=npde.seismic.TotalVariation(1e-3)
    )
    arguments = {"unknown": velocity, "progress": False, **changes}
    return npde.invert(problem, given, **{"method": "penalty", **arguments})


@pytest.mark.slow
def test_training_lowers_every_term_that_it_is_told() -> None:
    inversion = invert(survey(), method=few(200, 100))
    history = inversion.history
    assert inversion.setting.misfit == npde.seismic.L1()
    assert np.array_equal(history.step, np.arange(301))
    for name in (AT_SOURCES, ELSEWHERE):
        assert history[name][80:100].mean() < 0.85 * history[name][:5].mean(), name
    assert history["L1 misfit"][-20:].mean() < 0.8 * history["L1 misfit"][:100].mean()
    assert history.loss[-20:].mean() < 0.85 * history.loss[101:111].mean()


def test_its_data_are_those_of_the_model_found_and_its_waves_the_networks_own() -> None:
    inversion = invert(survey(), method=few(2, 1))
    grid = inversion.grid
    engine = GridModelling(
        inversion.survey, inversion.setting.domain, inversion.setting.start, per_wavelength=8.0
    )
    data = engine.forward(inversion.unknown.sampler(grid.points, grid.spacing)().detach().numpy()).data
    np.testing.assert_allclose(inversion.predicted, data, rtol=1e-12)
    assert inversion.fields is not None
    assert inversion.fields.shape == (1, 2, *grid.shape)
    extras = inversion.stages[0].extras
    assert float(extras["violation of the equation"]) > 0.3  # nothing is learned in three steps
    assert float(extras["residual of the network's waves"]) > 0.3


@pytest.mark.parametrize("stop", [1, 4], ids=["before the velocity moves", "after"])
def test_a_run_stopped_and_resumed_is_the_run_not_stopped_bit_for_bit(
    stop: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = invert(survey(), method=few(4, 2))
    stops = iter([False] * (stop - 1) + [True])  # one look after each step
    monkeypatch.setattr(
        Interrupts, "asked", property(lambda self: next(stops), lambda self, value: None), raising=False
    )
    stopped = invert(survey(), method=few(4, 2), out=tmp_path)
    monkeypatch.undo()
    assert stopped.status is Status.INTERRUPTED
    assert stopped.history.step[-1] == stop
    rest = invert(survey(), method=few(4, 2), out=tmp_path, resume=True)
    assert np.array_equal(rest.history.step, whole.history.step)
    assert np.array_equal(rest.history.loss, whole.history.loss)
    assert np.array_equal(rest.predicted, whole.predicted)
    assert np.array_equal(rest.fields, whole.fields)


def test_it_can_be_saved_and_read_again(tmp_path: Path) -> None:
    inversion = invert(survey(), method=few(1, 1))
    inversion.save(tmp_path / "found.h5")
    loaded = npde.seismic.Inversion.load(tmp_path / "found.h5")
    assert loaded.method == inversion.method
    assert_same_field(loaded(RECEIVERS), inversion(RECEIVERS))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"points": 0}, "points=0: give a whole number of at least 1"),
        ({"pretraining": -1}, "pretraining=-1: give a whole number of at least 0"),
        ({"waves": 64}, r"waves=64: give npde.Siren"),
        ({"descent": npde.seismic.BoundedLBFGS(3)}, r"descent=BoundedLBFGS.*: give AdamDescent\(steps, lr\)"),
        ({"per_wavelength": 0.0}, "per_wavelength of Penalty"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        npde.seismic.Penalty(**settings)


def test_values_on_a_grid_are_refused_before_any_work() -> None:
    velocity = npde.Velocity(2.1, (1.5, 3.0), trial=npde.seismic.Gridded())
    with pytest.raises(DeclarationError, match="Penalty trains a network, but the velocity is Gridded"):
        invert(survey(), unknown=velocity)
