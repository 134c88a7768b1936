"""Beams, plates and dispersive waves are said by their third and fourth derivatives, and solved as any other problem."""

import numpy as np
import pytest

import neurapde as npde
from tests.support import relative

LINE = npde.Interval(0, 1)


def test_a_beam_is_clamped_at_one_end_and_free_at_the_other():
    right = npde.face(LINE, "right")
    free = [
        npde.Constraint("moment", lambda s, u: u.d2(0), right, 2),
        npde.Constraint("shear", lambda s, u: u.d3(0), right, 3),
    ]
    clamped = [npde.Dirichlet(0.0, on="left"), npde.Neumann(0.0, on="left")]
    beam = npde.Problem(
        "beam", LINE, npde.Equation(lambda x, u: u.d4(0) + 1), boundary=clamped, constraints=free
    )
    x = np.linspace(0, 1, 40)[:, None]
    solution = npde.solve(beam)
    assert solution.status is npde.Status.CONVERGED
    assert relative(solution(x), (-(x**4) / 24 + x**3 / 6 - x**2 / 4)[:, 0]) < 1e-6


@pytest.mark.slow
def test_a_clamped_plate_bends_under_its_load():
    """Δ²u = f for u = sin² πx sin² πy."""
    square = npde.Box((0, 1), (0, 1))
    s, c = (
        lambda x, i: npde.sin(np.pi * x[:, i]) ** 2,
        lambda x, i: 2 * np.pi**2 * npde.cos(2 * np.pi * x[:, i]),
    )

    def residual(x, u):
        load = -4 * np.pi**2 * (c(x, 0) * s(x, 1) + s(x, 0) * c(x, 1)) + 2 * c(x, 0) * c(x, 1)
        return u.bilaplacian - load

    clamped = [npde.Dirichlet(0.0), npde.Neumann(0.0)]
    plate = npde.Problem("plate", square, npde.Equation(residual), boundary=clamped)
    x = square.sample(200, how="grid").numpy()
    assert relative(npde.solve(plate)(x), s(x, 0) * s(x, 1)) < 1e-6


@pytest.mark.slow
def test_a_soliton_runs_as_it_is():
    rod = npde.Interval(-10, 10).over(npde.Time(0, 0.3))

    def soliton(x, t):
        return 8 / (npde.exp(x - 4 * t) + npde.exp(4 * t - x)) ** 2

    kdv = npde.Problem(
        "kdv",
        rod,
        npde.Equation(lambda x, u: u.dt + 6 * u.value * u.d(0) + u.d3(0)),
        boundary=[npde.Periodic("x"), npde.InitialCondition(lambda x: soliton(x[:, 0], 0.0))],
    )
    x = rod.sample(300, how="grid").numpy()
    solution = npde.solve(kdv)
    assert solution.method.startswith("marching")
    assert relative(solution(x), soliton(x[:, 0], x[:, 1])) < 1e-6


def test_windows_say_which_derivatives_they_do_not_carry():
    bent = npde.Problem(
        "bent",
        LINE.over(npde.Time(0, 1)),
        npde.Equation(lambda x, u: u.dt + u.value * u.d4(0)),
        boundary=[npde.Dirichlet(0.0), npde.Neumann(0.0), npde.InitialCondition(0.0)],
    )
    assert "order 4, but elements have only two" in str(npde.TimeMarching().obstacle(bent))
    jerk = npde.Problem(
        "jerk",
        npde.Time(0, 1),
        npde.Equation(lambda x, u: u.d3(0) + u.value),
        boundary=npde.InitialCondition(1.0),
    )
    assert "order 3 in time" in str(npde.TimeMarching().obstacle(jerk))
