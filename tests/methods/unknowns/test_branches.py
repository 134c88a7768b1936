"""Branches are followed around their folds: the parameter is unknown, and the field's size is given."""

import numpy as np
import pytest

import neurapde as npde
from tests.support import relative

LINE = npde.Interval(0, 1)


@pytest.mark.parametrize(
    "height", [pytest.param(0.5, marks=pytest.mark.slow), 1.18, 3.0]
)  # below the fold, beside it, and on the upper branch
def test_a_height_has_one_strength_on_either_branch(height):
    """u″ + λ e^u = 0: u = −2 log(cosh((x − ½) θ/2) / cosh(θ/4)), with the height 2 log cosh(θ/4)."""
    strength = npde.Parameter("strength", start=1.0, bounds=(0, None))
    problem = npde.Problem(
        "bratu",
        LINE,
        npde.Equation(lambda x, u: u.d2(0) + strength * npde.exp(u.value)),
        boundary=npde.Dirichlet(0.0),
        constraints=npde.measured("height", [[0.5]], [height]),
    )
    solution = npde.solve(problem)
    theta = 4 * np.arccosh(np.exp(height / 2))
    x = np.linspace(0, 1, 30)[:, None]
    exact = -2 * np.log(np.cosh((x[:, 0] - 0.5) * theta / 2) / np.cosh(theta / 4))
    assert solution.status is npde.Status.CONVERGED
    assert solution.unknowns["strength"].value == pytest.approx(theta**2 / (2 * np.exp(height)), rel=1e-8)
    assert relative(solution(x), exact) < 1e-8
