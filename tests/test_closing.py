"""The closing check: a status is earned by what a field leaves of the declared constraints at points of its own."""

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.methods.residual_left import residuals_left
from neurapde.trials.frame import Frame

LINE = npde.Interval(0, 1)
SMALL = npde.MLP(width=8, depth=1)


def without_solution(x, u):
    return u.d(0) ** 2 + 1.0


def pulled_apart(x, u):
    return u.d(0) + 0 * u.value


def two_ends() -> npde.Problem:
    return npde.Problem(
        "two ends",
        LINE,
        npde.Equation(pulled_apart, order=1),
        boundary=[npde.Dirichlet(0.0, on="left"), npde.Dirichlet(1.0, on="right")],
    )


NO_SLOPE = npde.Problem("no slope", LINE, npde.Equation(without_solution, order=1))


@pytest.mark.parametrize(
    ("problem", "method"),
    [
        (NO_SLOPE, npde.NaturalGradient(200, points=100)),
        (NO_SLOPE, npde.LBFGS(150, points=100)),
        (NO_SLOPE, npde.Adam(700, lr=1e-2, points=100, sampling=npde.Fixed())),
        (two_ends(), npde.NaturalGradient(200, points=100)),
    ],
    ids=lambda part: type(part).__name__,
)
@pytest.mark.filterwarnings("ignore:the field found:neurapde.core.errors.DeclarationWarning")
def test_a_problem_without_solution_stalls(problem, method):
    with pytest.warns(npde.ResolutionWarning, match=rf"the training of {problem.name} has stalled.*equation"):
        solution = npde.solve(problem, SMALL, method, seed=83431)
    assert solution.status is npde.Status.STALLED
    assert any(note.startswith("Residual at fresh points") for note in solution.notes)


def test_a_training_that_meets_its_constraints_has_converged():
    problem = npde.Problem(
        "decay",
        LINE,
        npde.Equation(lambda x, u: u.d(0) + u.value, order=1),
        boundary=npde.Dirichlet(1.0, on="left"),
    )
    solution = npde.solve(problem, SMALL, npde.NaturalGradient(200, points=100, tolerance=0.5), seed=83437)
    assert solution.status is npde.Status.CONVERGED
    x = np.linspace(0, 1, 30)[:, None]
    np.testing.assert_allclose(solution(x), np.exp(-x[:, 0]), atol=1e-4)


def test_the_same_residual_counts_alike_in_every_unit():
    def relative(size: float, length: float) -> float:
        """Of u'' = −size sin(x)/length², met to a tenth."""
        problem = npde.Problem(
            "unit",
            npde.Interval(0, length),
            npde.Equation(lambda x, u: u.d2(0) + 1.1 * size / length**2 * npde.sin(x[:, 0] / length)),
            boundary=npde.Dirichlet(0.0, on="left"),
        )
        sine = Frame((9,), margin=2 * np.pi - 1).build(problem.domain.bounds, generator=torch.Generator())
        points = torch.linspace(0, length, 400, dtype=torch.float64)[:, None]
        features = sine.feature_jet(points, 0).value
        sine.set_amplitudes(torch.linalg.lstsq(features, size * torch.sin(points / length)).solution)
        generator = torch.Generator().manual_seed(83449)
        samples = {one.name: one.sample(200, how="sobol", generator=generator) for one in problem.constraints}
        return residuals_left(problem, sine, samples)["equation"].relative

    assert relative(1.0, 1.0) == pytest.approx(0.1 / (1 + 1.1**2) ** 0.5, rel=0.02)
    assert relative(1e6, 3600.0) == pytest.approx(relative(1.0, 1.0), rel=1e-3)
