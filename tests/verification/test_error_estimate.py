"""The estimate of a field's error, held against exact solutions: within a factor of three, trained or solved."""

import math

import numpy as np
import pytest
import torch

import neurapde as npde
from tests.support import assert_same_field, relative

LINE, SQUARE = npde.Interval(0, 1), npde.Box((0, 1), (0, 1))
SMALL = npde.MLP(width=16, depth=2)


def hump(x):
    return npde.sin(np.pi * x[:, 0])


def front(x, viscosity=0.1):
    """A steady front of Burgers' equation."""
    return -npde.tanh((x[:, 0] - 0.4) / (2 * viscosity))


def moving(x, viscosity=0.05):
    return 0.5 - 0.5 * npde.tanh((x[:, 0] - 0.3 - 0.5 * x[:, 1]) / (4 * viscosity))


def plane_wave(x):
    return npde.exp(6j * (0.6 * x[:, 0] + 0.8 * x[:, 1]))


def string() -> npde.Problem:
    load = npde.FunctionSource(lambda x: np.pi**2 * hump(x))
    return npde.Problem("string", LINE, npde.Poisson(), load, npde.Dirichlet(0.0), exact=hump)


def steady() -> npde.Problem:
    equation = npde.Equation(lambda x, u: u.value * u.d(0) - 0.1 * u.d2(0))
    return npde.Problem("steady", LINE, equation, boundary=npde.Dirichlet(front), exact=front)


def burgers() -> npde.Problem:
    return npde.Problem(
        "burgers",
        LINE.over(npde.Time(0, 0.8)),
        npde.Equation(lambda x, u: u.dt + u.value * u.d(0) - 0.05 * u.d2(0)),
        boundary=[npde.InitialCondition(lambda x: moving(torch_or_numpy(x))), npde.Dirichlet(moving)],
        exact=moving,
    )


def torch_or_numpy(x):
    """Points of space (n, 1) at time 0."""
    return torch.cat([x, 0 * x], 1) if isinstance(x, torch.Tensor) else np.concatenate([x, 0 * x], 1)


def waves() -> npde.Problem:
    boundary = npde.Dirichlet(plane_wave)
    return npde.Problem("waves", SQUARE, npde.Helmholtz(6.0), boundary=boundary, exact=plane_wave)


@pytest.mark.parametrize(
    ("problem", "method"),
    [
        (string(), npde.NaturalGradient(6, points=64)),
        pytest.param(string(), npde.Adam(300, lr=5e-3, points=64), marks=pytest.mark.slow),
        (string(), npde.LeastSquares(tolerance=1e-2)),
        (steady(), npde.NaturalGradient(12, points=64)),
        (steady(), npde.Newton(tolerance=1e-2)),
        pytest.param(burgers(), npde.NaturalGradient(10, points=300), marks=pytest.mark.slow),
        pytest.param(burgers(), npde.Newton(tolerance=1e-3), marks=pytest.mark.slow),
        pytest.param(waves(), npde.NaturalGradient(12, points=300), marks=pytest.mark.slow),
    ],
    ids=lambda value: value.name if isinstance(value, npde.Problem) else type(value).__name__,
)
def test_the_estimate_is_the_error(problem, method):
    trial = SMALL if isinstance(method, npde.Adam | npde.NaturalGradient) else None
    solution = npde.solve(problem, trial, method, seed=83537)
    estimate = npde.error_estimate(solution)
    points = problem.domain.sample(1000, how="sobol").numpy()
    true = relative(solution(points), problem.exact(points))
    assert true / 2 < estimate.value < 2 * true
    assert estimate.spread < 0.5
    assert estimate.corrected is not None
    assert relative(estimate.corrected(points), problem.exact(points)) < 0.1 * true


def test_a_training_on_a_problem_that_is_not_linear_states_its_error():
    solution = npde.solve(steady(), SMALL, npde.NaturalGradient(12, points=64), seed=83537)
    x = LINE.sample(400, how="grid").numpy()
    true = relative(solution(x), front(x))
    assert true / 3 < solution.stages[-1].extras["error_estimate"] < 3 * true
    assert any("the estimated relative error" in note for note in solution.notes)


def test_the_corrected_field_is_a_solution_that_can_be_stored(tmp_path):
    solution = npde.solve(string(), SMALL, npde.NaturalGradient(6, points=64), seed=83537)
    corrected = npde.error_estimate(solution).corrected
    assert corrected is not None
    loaded = npde.load(corrected.save(tmp_path / "u.h5"), problem=string())
    x = np.linspace(0, 1, 30)[:, None]
    assert_same_field(loaded(x), corrected(x))
    assert "Corrected" in str(loaded)


def test_a_field_from_which_newton_does_not_settle_has_no_estimate():
    """u″ + 10 e^u = 0 has no solution with u = 0 at both ends: the largest factor is 3.51."""
    problem = npde.Problem(
        "burnt",
        LINE,
        npde.Equation(lambda x, u: u.d2(0) + 10 * npde.exp(u.value)),
        boundary=npde.Dirichlet(0.0),
    )
    solution = npde.solve(problem, SMALL, npde.Adam(20, points=64), seed=83537)
    estimate = npde.error_estimate(solution)
    assert math.isnan(estimate.value)
    assert "does not converge" in str(estimate)


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (
            npde.Problem("five", npde.Box(*[(0, 1)] * 5), npde.Poisson(), 1.0, npde.Dirichlet(0.0)),
            "5 axes",
        ),
        (
            npde.Problem(
                "condensate",
                LINE,
                npde.Equation(lambda x, u: u.d2(0) - npde.abs(u.value) ** 2 * u.value, complex=True),
                boundary=npde.Dirichlet(1.0),
            ),
            "real and imaginary parts",
        ),
        (
            npde.Problem(
                "data", LINE, npde.Fit(npde.at_points(np.zeros((3, 1)), targets=np.array([0.0, 1.0, 2.0])))
            ),
            "noisy",
        ),
    ],
    ids=lambda value: value.name if isinstance(value, npde.Problem) else "",
)
def test_where_it_cannot_be_had_it_says_why(problem, reason):
    solution = npde.solve(problem, SMALL, npde.Adam(2, points=16), seed=83537)
    estimate = npde.error_estimate(solution)
    assert math.isnan(estimate.value)
    assert estimate.corrected is None
    assert reason in str(estimate)
