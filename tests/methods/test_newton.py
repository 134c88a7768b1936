"""Linearity is decided at the size of the answer, and what is not linear there is solved by Newton's method on the head."""

import numpy as np
import pytest
import torch
from scipy.integrate import solve_bvp, solve_ivp
from scipy.optimize import brentq

import neurapde as npde
from neurapde.assembly.collocation.piecewise import is_linear
from neurapde.methods.choice import choose_method

LINE, SQUARE = npde.Interval(0, 1), npde.Box((0, 1), (0, 1))


def fin(unit: float = 1.0) -> npde.Problem:
    """A fin that radiates, in kelvins over `unit`."""
    c, ambient = 1e-8 * unit**3, 300.0 / unit
    return npde.Problem(
        "fin",
        LINE,
        npde.Equation(lambda x, u: u.d2(0) - c * (u.value**4 - ambient**4)),
        boundary=[npde.Dirichlet(1000.0 / unit, on="left"), npde.Dirichlet(300.0 / unit, on="right")],
    )


def error(solution: npde.Solution, truth: np.ndarray, x: np.ndarray) -> float:
    return float(np.linalg.norm(solution(x[:, None]) - truth) / np.linalg.norm(truth))


@pytest.mark.parametrize("method", [None, npde.Newton()], ids=["default", "newton"])
def test_radiation_in_kelvins_is_felt(method):
    x = np.linspace(0, 1, 400)
    guess = np.vstack([1000 * np.exp(-4 * x), -4000 * np.exp(-4 * x)])
    truth = solve_bvp(
        lambda x, y: np.vstack([y[1], 1e-8 * (y[0] ** 4 - 300.0**4)]),
        lambda a, b: np.array([a[0] - 1000, b[0] - 300]),
        x,
        guess,
        tol=1e-9,
        max_nodes=50000,
    ).sol(x)[0]
    solution = npde.solve(fin(), method=method)
    assert solution.status is npde.Status.CONVERGED
    assert error(solution, truth, x) < 1e-6


@pytest.mark.parametrize(("capacity", "start"), [(1e9, 2e8), (1e7, 1e3)])
def test_growth_in_people_ends_at_the_capacity(capacity, start):
    rate = 4.0
    problem = npde.Problem(
        "growth",
        LINE,
        npde.Equation(lambda x, u: u.d(0) - rate * u.value * (1 - u.value / capacity), order=1),
        boundary=npde.Dirichlet(start, on="left"),
    )
    x = np.linspace(0, 1, 200)
    solution = npde.solve(problem)
    assert error(solution, capacity / (1 + (capacity / start - 1) * np.exp(-rate * x)), x) < 1e-6


@pytest.mark.slow
def test_a_conductivity_that_grows_with_temperature_in_kelvins_has_its_kirchhoff_temperature():
    def kirchhoff(t: float) -> float:
        return t + 2e-7 * t**3 / 3

    def residual(x, u):
        slopes = u.d(0) ** 2 + u.d(1) ** 2
        return (1 + 2e-7 * u.value**2) * u.laplacian + 4e-7 * u.value * slopes

    def through(x):
        """A harmonic function of the plane, carried back to temperatures."""
        level = 1000.0 + 900.0 * x[:, 0] + 300.0 * (x[:, 0] ** 2 - x[:, 1] ** 2)
        t = level
        for _ in range(60):
            t = t - (t + 2e-7 * t**3 / 3 - level) / (1 + 2e-7 * t**2)
        return t

    square = npde.Problem("plate", SQUARE, npde.Equation(residual), boundary=npde.Dirichlet(through))
    solution = npde.solve(square)
    points = np.random.default_rng(50249).random((200, 2))
    np.testing.assert_allclose(solution(points), through(points), rtol=1e-6)
    rod = npde.Problem(
        "rod",
        LINE,
        npde.Equation(lambda x, u: (1 + 2e-7 * u.value**2) * u.d2(0) + 4e-7 * u.value * u.d(0) ** 2),
        boundary=[npde.Dirichlet(300.0, on="left"), npde.Dirichlet(2000.0, on="right")],
    )
    middle = (kirchhoff(300.0) + kirchhoff(2000.0)) / 2
    truth = brentq(lambda t: kirchhoff(t) - middle, 300.0, 2000.0)
    assert npde.solve(rod)(np.array([[0.5]]))[0] == pytest.approx(truth, rel=1e-6)


def test_what_is_not_linear_at_its_size_is_refused_by_least_squares_and_chosen_by_none():
    assert not is_linear(fin())
    assert isinstance(choose_method(fin(), None)[0], npde.SpectralElements)
    with pytest.raises(
        npde.DeclarationError, match=r"'equation' of fin is not linear in u at the size of the field.*Newton"
    ):
        npde.solve(fin(), method=npde.LeastSquares())


def test_what_is_linear_at_its_size_is_solved_as_such():
    """u'' = u² − 2e-18 for fields of 1e-18: the square is nothing, though not for a field of size 1."""
    problem = npde.Problem(
        "small",
        LINE,
        npde.Equation(lambda x, u: u.d2(0) - u.value**2 + 2e-18),
        boundary=npde.Dirichlet(0.0),
    )
    assert is_linear(problem)
    x = np.linspace(0, 1, 50)
    assert error(npde.solve(problem, method=npde.LeastSquares()), 1e-18 * x * (1 - x), x) < 1e-6


def predators(time: float) -> npde.Problem:
    """Predators and prey from (10, 5), in unit time."""

    def residual(x, u):
        prey, hunters = u[0].value, u[1].value
        return [
            u[0].d(0) - time * prey * (1.1 - 0.4 * hunters),
            u[1].d(0) - time * hunters * (0.1 * prey - 0.4),
        ]

    start = [npde.Dirichlet(value, on="left", component=i) for i, value in enumerate((10.0, 5.0))]
    return npde.Problem("predators", LINE, npde.Equation(residual, outputs=2, order=1), boundary=start)


def motion(rate, names, equation, start: float, length: float) -> tuple[npde.Problem, np.ndarray, np.ndarray]:
    """A second-order motion from rest: its problem, times, and what a Runge-Kutta method finds there."""
    x = np.linspace(0, length, 200)
    truth = solve_ivp(rate, (0, length), [start, 0.0], "DOP853", x, rtol=1e-11, atol=1e-12).y[0]
    begun = [npde.Dirichlet(start, on="left"), npde.Neumann(0.0, on="left")]
    return npde.Problem(names, npde.Interval(0, length), npde.Equation(equation), boundary=begun), x, truth


def pendulum():
    return motion(
        lambda t, y: [y[1], -np.sin(y[0])], "pendulum", lambda x, u: u.d2(0) + u.value.sin(), 2.0, 6.0
    )


def van_der_pol():
    return motion(
        lambda t, y: [y[1], (1 - y[0] ** 2) * y[1] - y[0]],
        "van der pol",
        lambda x, u: u.d2(0) - (1 - u.value**2) * u.d(0) + u.value,
        2.0,
        6.0,
    )


def bratu(factor: float = 1.0):
    """u″ + factor exp(u) = 0, which has two solutions up to a fold at 3.513830719, and none beyond."""
    x = np.linspace(0, 1, 200)
    angle = brentq(lambda a: a - np.sqrt(2 * factor) * np.cosh(a / 4), 0.1, 4.7987)
    truth = -2 * np.log(np.cosh((x - 0.5) * angle / 2) / np.cosh(angle / 4))
    equation = npde.Equation(lambda x, u: u.d2(0) + factor * u.value.exp())
    return npde.Problem("bratu", LINE, equation, boundary=npde.Dirichlet(0.0)), x, truth


@pytest.mark.parametrize(
    ("case", "method"),
    [(bratu, None), (pendulum, None), pytest.param(van_der_pol, npde.Newton(), marks=pytest.mark.slow)],
)
def test_a_smooth_equation_that_is_not_linear_is_solved_to_many_digits(case, method):
    problem, x, truth = case()
    solution = npde.solve(problem, method=method)
    assert solution.status is npde.Status.CONVERGED
    assert error(solution, truth, x) < 5e-6


def test_near_a_fold_the_estimate_covers_the_error():
    problem, x, truth = bratu(3.5138)
    solution = npde.solve(problem)
    assert error(solution, truth, x) < 3 * solution.stages[-1].extras["error_estimate"] < 3e-6


def test_where_each_step_leaves_most_of_the_error_the_estimate_covers_what_the_steps_to_come_add():
    """A root of order eight: a step takes an eighth of the error away, and is small long before the error is."""
    problem = npde.Problem(
        "root", LINE, npde.Equation(lambda x, u: (u.value - 2 - npde.sin(x[:, 0])) ** 8, order=0)
    )
    solution = npde.solve(problem, method=npde.Newton(tolerance=0.1, largest=60))
    x = np.linspace(0, 1, 100)
    assert error(solution, 2 + np.sin(x), x) < solution.stages[-1].extras["error_estimate"]


def test_too_few_features_to_settle_with_are_passed():
    x = np.linspace(0, 1, 200)
    truth = solve_ivp(
        lambda t, y: 8 * np.array([y[0] * (1.1 - 0.4 * y[1]), y[1] * (0.1 * y[0] - 0.4)]),
        (0, 1),
        [10.0, 5.0],
        "DOP853",
        x,
        rtol=1e-11,
        atol=1e-12,
    ).y.T
    solution = npde.solve(predators(8.0), method=npde.Newton())
    assert solution.status is npde.Status.CONVERGED
    assert error(solution, truth, x) < 5e-6


def test_an_unknown_factor_makes_a_problem_not_linear():
    """u' = -c u with c unknown, and a value of u: before anything is known c is zero, and its product with u is, too."""
    problem = npde.Problem(
        "factor",
        LINE,
        npde.Equation(lambda x, u: [u[0].d(0) + u[1].value * u[0].value, u[1].d(0)], outputs=2, order=1),
        boundary=npde.Dirichlet(1.0, on="left", component=0),
        constraints=npde.Constraint("data", lambda s, u: u[0].value - np.exp(-1.0), npde.at_points([[0.5]])),
    )
    assert not is_linear(problem)
    x = np.linspace(0, 1, 50)
    assert error(npde.solve(problem), np.stack([np.exp(-2 * x), np.full(50, 2.0)], axis=1), x) < 1e-5


@pytest.mark.slow
def test_an_iteration_that_does_not_settle_says_so():
    """Predators and prey over several generations: from u = 0 the steps lead nowhere."""

    def residual(x, u):
        prey, predators = u[0].value, u[1].value
        return torch.stack(
            [
                u[0].d(0) - 20 * (2 * prey - 8 * prey * predators),
                u[1].d(0) - 20 * (4 * prey - 1.06) * predators,
            ],
            dim=1,
        )

    problem = npde.Problem(
        "predators",
        LINE,
        npde.Equation(residual, outputs=2, order=1),
        boundary=[npde.Dirichlet(value, on="left", component=i) for i, value in enumerate((0.5, 0.075))],
    )
    with pytest.warns(npde.ResolutionWarning, match="NaturalGradient"):
        solution = npde.solve(problem, method=npde.Newton())
    assert solution.status is npde.Status.UNRESOLVED
    assert any("did not converge" in note for note in solution.notes)


def test_of_more_conditions_than_the_equation_takes_the_way_on_is_to_give_one_up():
    problem = npde.Problem(
        "pulled",
        LINE,
        npde.Equation(lambda x, u: u.d2(0) - u.value**3 - 1),
        boundary=[npde.Dirichlet(0.0), npde.Neumann(5.0, on="left")],
    )
    told = "give one of its conditions up, since along x 'dirichlet' and 'neumann-left' are 3 conditions, .* takes 2"
    with pytest.warns(npde.ResolutionWarning, match=told):
        solution = npde.solve(problem, method=npde.Newton(largest=30))
    assert solution.status is npde.Status.UNRESOLVED


@pytest.mark.slow
def test_what_the_conditions_leave_open_is_named_where_the_iteration_does_not_settle() -> None:
    def residual(x, u):  # the slope grows from 0 at one end, and is not 0 at the other
        return u.d2(0) + 0.1 * u.d(0) ** 2 - 1.0

    problem = npde.Problem("rod", LINE, npde.Equation(residual), boundary=npde.Neumann(0.0))
    with pytest.warns(npde.ResolutionWarning, match="sources and conditions that balance"):
        solution = npde.solve(problem, method=npde.Newton(), progress=False)
    assert solution.status is npde.Status.UNRESOLVED
    assert any("do not change when a constant is added" in note for note in solution.notes)
