"""The declared inversions of disks: the paper's set-up, parameters that act, no inverse crime, the accuracy promised."""

import inspect
import math
from typing import Any

import numpy as np
import pytest

import neurapde as npde
from neurapde.problems import INVERSIONS, InversionCase
from neurapde.problems.inversions.fwi import fwi_disk, fwi_two_disks

DISKS = [case for case in INVERSIONS if case.name in ("fwi-disk", "fwi-two-disks")]
EVERY_CASE = pytest.mark.parametrize("case", INVERSIONS, ids=lambda case: case.name)
EVERY_DISK = pytest.mark.parametrize("case", DISKS, ids=lambda case: case.name)
OTHER: dict[str, Any] = {
    "wavenumber": 12.0,
    "wavenumbers": (9.0, 15.0),
    "speed": 1.5,
    "speeds": (1.5, 1.3),
    "center": (0.05, -0.02),
    "centers": ((-0.1, 0.0), (0.1, 0.0)),
    "radius": 0.12,
    "radii": (0.08, 0.09),
    "variance": 2e-4,
    "amplitude": 2.0,
    "noise": 0.05,
    "weight": 1e-2,
    "steps": 7,
    "seed": 90533,
}


@EVERY_CASE
def test_a_case_makes_the_inversion_of_its_name_by_keywords_with_defaults(case: InversionCase) -> None:
    assert case.factory().name == case.name
    for parameter in inspect.signature(case.factory).parameters.values():
        assert parameter.kind is inspect.Parameter.KEYWORD_ONLY
        assert parameter.default is not inspect.Parameter.empty


@EVERY_DISK
def test_every_parameter_acts_on_the_declaration_or_on_the_data(
    case: InversionCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(problem: npde.Problem, receivers: np.ndarray, **settings: Any) -> str:
        return f"{problem} {settings}"

    monkeypatch.setattr("neurapde.problems.inversions.fwi.Survey.simulate", told)
    default = case.factory()
    for name in inspect.signature(case.factory).parameters:
        other = case.factory(**{name: OTHER[name]})
        assert (str(other), other.survey) != (str(default), default.survey), name


def test_the_disk_is_surveyed_as_in_the_paper() -> None:
    problem = fwi_disk(wavenumber=8.0)
    survey = problem.survey
    assert survey.sources.shape == (5, 2)
    assert np.all(survey.sources[:, 1] == -0.347)
    assert survey.receivers.shape == (30, 2)
    assert np.max(np.abs(survey.receivers)) == 0.402
    assert survey.frequencies == pytest.approx([8.0 / (2 * math.pi)])
    low, high = problem.unknown.bounds or (0.0, 0.0)
    assert (low**-2.0, high**-2.0) == pytest.approx((1.2, 0.15))
    assert survey.noise == 0.01


@pytest.mark.parametrize("method", ["joint", "reduced", "adjoint", "irwri"])
def test_data_are_not_made_on_the_grid_that_inverts_them(method: str) -> None:
    problem = fwi_disk(wavenumber=8.0, steps=1)
    origin = problem.survey.origin
    assert origin is not None
    inversion = problem.invert(_one_step(method), progress=False)
    assert max(inversion.grid.spacing) > 1.3 * max(origin.spacing)


def _one_step(method: str) -> Any:
    return {
        "joint": npde.seismic.Joint(descent=npde.seismic.AdamDescent(1)),
        "reduced": npde.seismic.Reduced(descent=npde.seismic.AdamDescent(1)),
        "adjoint": npde.seismic.Adjoint(descent=npde.seismic.BoundedLBFGS(1)),
        "irwri": npde.seismic.WavefieldReconstruction(steps=1),
    }[method]


def test_two_disks_go_from_low_to_high_frequencies_each_stage_from_the_one_before() -> None:
    inversion = fwi_two_disks(wavenumbers=(8.0, 11.0), steps=12).invert(seed=20849, progress=False)
    frequencies = [stage.frequencies[0] for stage in inversion.stages]
    assert frequencies == pytest.approx([8.0 / (2 * math.pi), 11.0 / (2 * math.pi)])
    for stage in inversion.stages:
        assert stage.history.loss[-1] < stage.history.loss[0]
    assert len(inversion.history) == 2 * 13


@pytest.mark.slow
@EVERY_DISK
def test_the_default_method_meets_its_tolerance_and_beats_the_classical_one(case: InversionCase) -> None:
    problem = case.factory()
    inversion = problem.invert(seed=51551, progress=False)
    error = inversion.model_error(problem.truth)
    assert error < case.tolerance
    assert inversion.residual < 0.03
    assert error < problem.invert_classically(progress=False).model_error(problem.truth)
