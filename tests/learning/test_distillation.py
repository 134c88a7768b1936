"""Distillation: a deep network follows the field of a direct method, and says how far it is from the solution."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

import neurapde as npde
from neurapde.problems import helmholtz_uniform
from neurapde.validation.exact import exact_solution
from support import assert_same_field

SEED = 50417
SQUARE = npde.Box((0, 1), (0, 1))


def sines(x):
    return npde.sin(np.pi * x[:, 0]) * npde.sin(np.pi * x[:, 1])


def poisson() -> npde.Problem:
    """Its solution is sin πx sin πy."""
    load = npde.FunctionSource(lambda x: 2 * np.pi**2 * sines(x))
    return npde.Problem("poisson", SQUARE, npde.Poisson(), sources=load, boundary=npde.Dirichlet(0.0))


def off(problem, solution, exact) -> float:
    """Relative L2 error at a grid of the physical region."""
    points = problem.domain.sample(40**2, how="grid").numpy()
    points = points[problem.physical(points)]
    truth = exact(points)
    known = np.isfinite(truth)
    return float(np.linalg.norm((solution(points) - truth)[known]) / np.linalg.norm(truth[known]))


def test_a_deep_network_becomes_the_wave_and_states_its_error():
    problem = helmholtz_uniform(wavenumber=8.0, pml_width=0.4, variance=1e-3)
    method = npde.Distillation(steps=400, lr=2e-3, batch=512, tolerance=0.04)
    solution = npde.solve(problem, npde.Siren(32, 2, 15.0), method, seed=SEED)
    assert solution.status is npde.Status.CONVERGED
    estimate = solution.stages[-1].extras["error_estimate"]
    assert off(problem, solution, exact_solution(problem)) < 1.5 * estimate <= 0.06
    assert len(solution.trial.layers) == 3


@pytest.mark.slow
def test_another_equation_is_followed_alike_and_a_finish_on_residuals_goes_further():
    problem, trial = poisson(), npde.Siren(16, 2, 4.0, 4.0)
    first = npde.Distillation(steps=300, lr=2e-3, batch=256, points=2048, tolerance=0.04)
    exact = sines
    followed = npde.solve(problem, trial, first, seed=SEED)
    finished = npde.solve(
        problem, trial, [first, npde.NaturalGradient(10, 400, weights={"dirichlet": 100.0})], seed=SEED
    )
    assert followed.status is npde.Status.CONVERGED
    assert off(problem, followed, exact) < 0.05
    assert off(problem, finished, exact) < 0.1 * off(problem, followed, exact)


def test_a_network_that_cannot_follow_is_told():
    with pytest.warns(
        npde.ResolutionWarning, match=r"after 10 steps the network for poisson differs by .* from its teacher"
    ):
        solution = npde.solve(
            poisson(), npde.Siren(8, 2), npde.Distillation(steps=10, batch=64, points=256), seed=SEED
        )
    assert solution.status is npde.Status.UNRESOLVED
    estimate = solution.stages[-1].extras["error_estimate"]
    assert 0.5 * estimate < off(poisson(), solution, sines) < 2 * estimate


@pytest.mark.slow
def test_a_resumed_run_is_the_uninterrupted_one(tmp_path, monkeypatch):
    trial = npde.Siren(8, 2, 4.0, 4.0)
    method = npde.Distillation(steps=60, batch=64, points=256, tolerance=1e-6, checkpoint_seconds=1e-9)
    with pytest.warns(npde.ResolutionWarning):
        whole = npde.solve(poisson(), trial, method, seed=SEED)
    plain, calls = npde.solution.files.write, []

    def stopped(*arguments):
        plain(*arguments)
        calls.append(None)
        if len(calls) == 55:
            raise KeyboardInterrupt

    monkeypatch.setattr("neurapde.solving.write", stopped)
    with pytest.raises(KeyboardInterrupt):
        npde.solve(poisson(), trial, method, seed=SEED, out=tmp_path)
    monkeypatch.setattr("neurapde.solving.write", plain)
    with pytest.warns(npde.ResolutionWarning):
        rest = npde.solve(poisson(), trial, method, seed=SEED, out=tmp_path, resume=True)
    points = SQUARE.sample(50, how="grid").numpy()
    assert_same_field(rest(points), whole(points))
    np.testing.assert_array_equal(rest.history.loss, whole.history.loss)


@pytest.mark.parametrize(
    ("problem", "settings", "match"),
    [
        (
            poisson(),
            {"teacher": npde.Adam(10)},
            "teacher=Adam.* is not a direct method; give a direct method",
        ),
        (poisson(), {"batch": 0}, "batch=0"),
        (
            npde.Problem("fit", SQUARE, npde.Fit(values=npde.at_points([[0.5, 0.5]], targets=[1.0]))),
            {},
            "no direct method can solve fit",
        ),
    ],
)
def test_what_cannot_be_followed_is_refused(problem, settings, match):
    with pytest.raises(npde.DeclarationError, match=match):
        npde.solve(problem, npde.Siren(8, 1), npde.Distillation(**settings), seed=SEED)


@dataclass(frozen=True)
class Silent(npde.LeastSquares):
    """A direct method that does not say how far it is off."""

    def run(self, task):
        outcome = super().run(task)
        extras = {name: value for name, value in outcome.extras.items() if name != "error_estimate"}
        return replace(outcome, extras=extras)

    def strong_tolerance(self):
        return None


def test_the_error_of_a_teacher_that_states_none_is_unknown():
    method = npde.Distillation(Silent(1e-4), steps=300, lr=2e-3, batch=256, points=2048, tolerance=0.1)
    with pytest.warns(npde.ResolutionWarning, match="the error of that field is unknown"):
        solution = npde.solve(poisson(), npde.Siren(16, 2, 4.0, 4.0), method, seed=SEED)
    assert solution.status is npde.Status.UNRESOLVED
    assert "error_estimate" not in solution.stages[-1].extras
    assert any("an unknown error" in note for note in solution.notes)
