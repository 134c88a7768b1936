"""Initial value problems of ordinary differential equations, window by window, against SciPy and exact formulas."""

import signal
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import neurapde as npde
from neurapde.methods.choice import choose_method
from support import assert_same_field

Rate = Callable[[float, np.ndarray], list[float]]


def start(*values: float) -> list[npde.InitialCondition]:
    return [npde.InitialCondition(value, component=i) for i, value in enumerate(values)]


def system(name: str, stop: float, rate: Callable[..., list], *values: float) -> npde.Problem:
    """u′ = rate(u) from values on."""

    def residual(x, u):
        parts = [u[i] for i in range(len(values))]
        return [
            component.dt - slope
            for component, slope in zip(parts, rate(*(component.value for component in parts)), strict=True)
        ]

    equation = npde.Equation(residual, order=1, outputs=len(values))
    return npde.Problem(name, npde.Time(0, stop), equation, boundary=start(*values))


def lorenz(a, b, c):
    return [10 * (b - a), a * (28 - c) - b, a * b - 8 / 3 * c]


def prey(a, b):
    return [1.5 * a - a * b, a * b - 3 * b]


def chemistry(a, b, c):
    """Robertson's reactions, whose rates span eleven orders of magnitude."""
    return [-0.04 * a + 1e4 * b * c, 0.04 * a - 1e4 * b * c - 3e7 * b * b, 3e7 * b * b]


def van_der_pol(mu: float, stop: float) -> npde.Problem:
    return npde.Problem(
        "van-der-pol",
        npde.Interval(0, stop),
        npde.Equation(lambda x, u: u.d2(0) - mu * (1 - u.value**2) * u.d(0) + u.value),
        boundary=[npde.Dirichlet(2.0, on="left"), npde.Neumann(0.0, on="left")],
    )


def errors(solution: npde.Solution, rate: Rate, values: list[float], method: str) -> np.ndarray:
    """Relative errors of the components, against SciPy's solvers at points that are dense where its steps are short."""
    (begin,), (end,) = solution.domain.bounds
    finest = 3e-13 if method == "DOP853" else 1e-9
    truth = solve_ivp(rate, (begin, end), values, method=method, rtol=finest, atol=1e-16)
    field = solution(truth.t[:, None]).reshape(len(truth.t), -1)
    weights = np.sqrt(np.gradient(truth.t))[:, None]
    wanted = truth.y.T[:, : field.shape[1]]
    return np.linalg.norm(weights * (field - wanted), axis=0) / np.linalg.norm(weights * wanted, axis=0)


@pytest.mark.parametrize(
    ("rate", "values", "stop", "method"),
    [
        (lorenz, [1.0, 1.0, 1.0], 3.0, "DOP853"),
        (prey, [10.0, 5.0], 10.0, "DOP853"),
        pytest.param(chemistry, [1.0, 0.0, 0.0], 40.0, "DOP853", marks=pytest.mark.slow),
    ],
    ids=["lorenz", "lotka-volterra", "robertson"],
)
def test_systems_are_solved_by_default_as_well_as_is_told(rate, values, stop, method):
    problem = system("system", stop, rate, *values)
    solution = npde.solve(problem)
    assert solution.status is npde.Status.CONVERGED
    assert "marching through time" in solution.notes[0]
    relative_errors = errors(solution, lambda t, y: rate(*y), values, method)
    bound = 1e-8 if rate is chemistry else 3 * solution.stages[0].extras["error_estimate"] + 1e-11
    assert relative_errors.max() < min(
        1e-8, bound
    )  # a small component, of chemistry, has an error in units of what balances it


@pytest.mark.parametrize(("mu", "stop"), [(5.0, 15.0), pytest.param(100.0, 200.0, marks=pytest.mark.slow)])
def test_relaxation_oscillations_that_are_stiff(mu, stop):
    solution = npde.solve(van_der_pol(mu, stop))

    def rate(t, y):
        return [y[1], mu * (1 - y[0] ** 2) * y[1] - y[0]]

    assert solution.status is npde.Status.CONVERGED
    assert errors(solution, rate, [2.0, 0.0], "DOP853" if mu < 10 else "Radau").max() < (
        1e-8 if mu < 10 else 1e-6
    )


@pytest.mark.parametrize("unit", [1.0, 1e9, 1e-15])
def test_growth_and_drag_have_their_formulas_in_any_units(unit):
    capacity, rate = 1e9 * unit, 4e-8
    growth = npde.Problem(
        "growth",
        npde.Time(0, 3e8),
        npde.Equation(lambda x, u: u.dt - rate * u.value * (1 - u.value / capacity), order=1),
        boundary=npde.InitialCondition(2e8 * unit),
    )
    t = np.linspace(0, 3e8, 300)
    wanted = capacity / (1 + 4 * np.exp(-rate * t))
    np.testing.assert_allclose(npde.solve(growth)(t[:, None]), wanted, rtol=1e-9)
    fall = npde.Problem(
        "fall",
        npde.Time(0, 10),
        npde.Equation(lambda x, u: u.dt - 9.81 * unit + 0.01 / unit * u.value**2, order=1),
        boundary=npde.InitialCondition(0.0),
    )
    t, final = np.linspace(0, 10, 300), np.sqrt(981.0)
    wanted = unit * final * np.tanh(9.81 * t / final)
    np.testing.assert_allclose(npde.solve(fall)(t[:, None]), wanted, rtol=1e-9, atol=1e-9 * unit * final)


def test_a_pendulum_keeps_its_energy_and_its_derivatives():
    problem = npde.Problem(
        "pendulum",
        npde.Time(0, 20),
        npde.Equation(lambda x, u: u.dtt + npde.sin(u.value)),
        boundary=npde.InitialCondition(2.0),
    )
    solution = npde.solve(problem)
    t = np.linspace(0, 20, 500)[:, None]
    u, rate = solution(t), solution.dt(t)
    np.testing.assert_allclose(rate**2 / 2 - np.cos(u), -np.cos(2.0), atol=1e-8)
    np.testing.assert_allclose(solution.dtt(t), -np.sin(u), atol=1e-6)
    assert errors(solution, lambda t, y: [y[1], -np.sin(y[0])], [2.0, 0.0], "DOP853").max() < 1e-8


def test_what_has_no_rate_of_its_own_follows_from_the_equation():
    """u′ + w = 0, w = u²."""

    def residual(x, u):
        return [u[0].dt + u[1].value, u[1].value - u[0].value ** 2]

    equation = npde.Equation(residual, order=1, outputs=2)
    problem = npde.Problem(
        "algebraic", npde.Time(0, 2), equation, boundary=npde.InitialCondition(1.0, component=0)
    )
    t = np.linspace(0, 2, 100)
    values = npde.solve(problem)(t[:, None])
    np.testing.assert_allclose(values, np.stack([1 / (1 + t), 1 / (1 + t) ** 2], axis=1), rtol=1e-9)


def test_a_complex_field_turns_by_its_own_size():
    problem = npde.Problem(
        "turning",
        npde.Time(0, 6),
        npde.Equation(lambda x, u: 1j * u.dt + abs(u.value) ** 2 * u.value, order=1, complex=True),
        boundary=npde.InitialCondition(1.5),
    )
    solution = npde.solve(problem)
    t = np.linspace(0, 6, 200)
    np.testing.assert_allclose(solution(t[:, None]), 1.5 * np.exp(2.25j * t), rtol=1e-8)


def test_linear_problems_may_be_marched_through_too():
    """u′ = −1e6 (u − cos t): stiff, with a layer at the start."""
    problem = npde.Problem(
        "stiff",
        npde.Interval(0, 3),
        npde.Equation(lambda x, u: u.d(0) + 1e6 * (u.value - npde.cos(x[:, 0])), order=1),
        boundary=npde.Dirichlet(0.0, on="left"),
    )
    solution = npde.solve(problem, method=npde.TimeMarching())
    t = np.concatenate([np.geomspace(1e-9, 1e-4, 50), np.linspace(0, 3, 50)])
    k = 1e6
    exact = (k * k * np.cos(t) + k * np.sin(t) - k * k * np.exp(-k * t)) / (1 + k * k)
    np.testing.assert_allclose(solution(t[:, None]), exact, atol=1e-7)


@pytest.mark.slow
def test_a_solution_that_blows_up_is_known_up_to_there():
    problem = npde.Problem(
        "blow-up",
        npde.Time(0, 2),
        npde.Equation(lambda x, u: u.dt - u.value**2, order=1),
        boundary=npde.InitialCondition(1.0),
    )
    with pytest.warns(npde.ResolutionWarning, match=r"the solution ends at t = 1 of 2"):
        solution = npde.solve(problem)
    assert solution.status is npde.Status.UNRESOLVED
    assert solution.stages[0].extras["reached"] == pytest.approx(1.0, abs=1e-9)
    t = np.linspace(0, 0.99, 50)
    np.testing.assert_allclose(solution(t[:, None]), 1 / (1 - t), rtol=1e-6)
    assert np.isnan(solution(np.array([[1.5]]))).all()


@pytest.mark.slow
def test_where_chaos_ends_what_can_be_known_it_is_said():
    problem = system("chaos", 40.0, lorenz, 1.0, 1.0, 1.0)
    with pytest.warns(
        npde.ResolutionWarning, match=r"passes agree within 10 times that tolerance up to t = "
    ):
        solution = npde.solve(problem, method=npde.TimeMarching(tolerance=1e-6))
    assert solution.status is npde.Status.UNRESOLVED
    assert solution.stages[0].extras["error_estimate"] > 1e-6
    horizon = float(solution.notes[-1].split("up to t = ")[1].split(":")[0])
    assert 15 < horizon < 40
    truth = solve_ivp(
        lambda t, y: lorenz(*y),
        (0, 15),
        [1.0] * 3,
        method="DOP853",
        rtol=1e-13,
        atol=1e-13,
        dense_output=True,
    )
    t = np.linspace(0, 15, 400)
    np.testing.assert_allclose(solution(t[:, None]), truth.sol(t).T, atol=1e-3)


def test_a_pulse_between_the_points_is_missed_but_not_silently():
    def residual(x, u):
        return u.dt + u.value**2 - 1e3 * npde.exp(-(((x[:, 0] - 0.5) / 1e-4) ** 2))

    problem = npde.Problem(
        "pulse", npde.Time(0, 1), npde.Equation(residual, order=1), boundary=npde.InitialCondition(1.0)
    )
    with pytest.warns(npde.ResolutionWarning, match=r"finds an error that the method has missed"):
        assert npde.solve(problem).status is npde.Status.UNRESOLVED


@pytest.mark.slow
def test_errors_fall_with_the_tolerance():
    problem = system("prey", 10.0, prey, 10.0, 5.0)
    largest_errors = [
        errors(
            npde.solve(problem, method=npde.TimeMarching(tolerance)),
            lambda t, y: prey(*y),
            [10.0, 5.0],
            "DOP853",
        ).max()
        for tolerance in (1e-3, 1e-6, 1e-9)
    ]
    assert largest_errors[0] < 1e-3
    assert largest_errors[1] < min(1e-6, largest_errors[0])
    assert largest_errors[2] < min(1e-9, largest_errors[1])


def test_a_solution_is_saved_and_loaded(tmp_path):
    problem = van_der_pol(5.0, 15.0)
    solution = npde.solve(problem)
    solution.save(tmp_path / "u.h5")
    loaded = npde.load(tmp_path / "u.h5", problem=problem)
    t = np.linspace(0, 15, 100)[:, None]
    assert_same_field(loaded(t), solution(t))
    assert_same_field(loaded.gradient(t), solution.gradient(t))


def test_an_interruption_keeps_the_windows_done():
    seen = []

    def rate(a, b, c):
        seen.append(None)
        if len(seen) == 400:
            signal.raise_signal(signal.SIGINT)
        return lorenz(a, b, c)

    problem = system("interrupted", 30.0, rate, 1.0, 1.0, 1.0)
    seen.clear()
    solution = npde.solve(problem, method=npde.TimeMarching())
    reached = solution.stages[0].extras["reached"]
    assert solution.status is npde.Status.INTERRUPTED
    assert 0 < reached < 30
    assert np.isfinite(solution(np.array([[0.99 * reached]]))).all()
    assert np.isnan(solution(np.array([[0.5 * (reached + 30)]]))).all()


def test_too_little_time_ends_it_with_what_it_has():
    problem = system("slow", 1e4, lorenz, 1.0, 1.0, 1.0)
    with pytest.warns(
        npde.ResolutionWarning, match=r"the windows reached t = .* give TimeMarching\(seconds=1\)"
    ):
        solution = npde.solve(problem, method=npde.TimeMarching(seconds=0.1))
    assert 0 < solution.stages[0].extras["reached"] < 1e4


@pytest.mark.parametrize(
    ("boundary", "match"),
    [
        (npde.Dirichlet(1.0), "does not hold only at the start"),
        (npde.Neumann(0.0, on="left"), "do not determine its value"),
        ([], "it has no initial condition"),
    ],
)
def test_what_is_no_initial_value_problem_is_refused(boundary, match):
    problem = npde.Problem(
        "other", npde.Interval(0, 1), npde.Equation(lambda x, u: u.d2(0) + u.value**2), boundary=boundary
    )
    assert not isinstance(choose_method(problem, None)[0], npde.TimeMarching)
    with pytest.raises(npde.DeclarationError, match=match):
        npde.solve(problem, method=npde.TimeMarching())


def test_a_velocity_that_is_missing_is_asked_for_on_an_interval():
    problem = npde.Problem(
        "open",
        npde.Interval(0, 1),
        npde.Equation(lambda x, u: u.d2(0) + u.value**2),
        boundary=npde.Dirichlet(1.0, on="left"),
    )
    with pytest.raises(npde.DeclarationError, match="do not determine its rate there"):
        npde.solve(problem, method=npde.TimeMarching())


def test_a_component_that_does_not_spread_needs_no_condition_at_the_sides() -> None:
    """a(x, t) = exp(−t) cos πx spreads, b = t a is remembered at each point: the form of FitzHugh and Nagumo's equations."""

    def residual(x: Any, u: npde.Jet) -> Any:
        a, b, t = u[0], u[1], x[:, 1]
        spreads = a.dt - 0.3 * a.d2(0) + (1 - 0.3 * np.pi**2) * a.value + b.value**2 - (t * a.value) ** 2
        return [spreads, b.dt + b.value - a.value]

    problem = npde.Problem(
        "memory",
        npde.Interval(0, 1).over(npde.Time(0, 1)),
        npde.Equation(residual, outputs=2),
        boundary=[
            npde.Neumann(0.0, component=0),
            npde.InitialCondition(lambda x: npde.cos(np.pi * x[:, 0]), component=0),
            npde.InitialCondition(0.0, component=1),
        ],
    )
    solution = npde.solve(problem, progress=False)
    assert solution.method.startswith("marching")
    points = problem.domain.sample(500).numpy()
    a = np.exp(-points[:, 1]) * np.cos(np.pi * points[:, 0])
    np.testing.assert_allclose(solution(points), np.stack([a, points[:, 1] * a], axis=1), atol=1e-6)
