"""Partial differential equations marched through time on elements in space, against exact fields."""

import numpy as np
import pytest
from numpy.typing import NDArray

import neurapde as npde
from neurapde.methods.choice import choose_method
from neurapde.methods.marching.mesh import Mesh


def error(solution: npde.Solution, exact, component: int | None = None) -> float:
    lower, upper = solution.domain.bounds
    points = lower + (upper - lower) * np.random.default_rng(40231).random((3000, 2))
    values = solution(points)
    values = values if component is None else values[:, component]
    return float(np.linalg.norm(values - exact(points)) / np.linalg.norm(exact(points)))


def cole_hopf(points: NDArray, viscosity: float) -> NDArray:
    """Burgers' field from −sin πx, by Gauss's and Hermite's quadrature of Cole's and Hopf's integrals."""
    x, t = points[:, :1], points[:, 1:]
    nodes, weights = np.polynomial.hermite.hermgauss(120)
    at = x - np.sqrt(4 * viscosity * t) * nodes
    shift = np.cos(np.pi * at) / (2 * np.pi * viscosity)
    factor = weights * np.exp(-shift + shift.min(axis=1, keepdims=True))
    return -(factor * np.sin(np.pi * at)).sum(axis=1) / factor.sum(axis=1)


@pytest.mark.slow
def test_burgers_front_is_followed_by_default():
    viscosity = 0.01 / np.pi
    problem = npde.Problem(
        "burgers",
        npde.Interval(-1, 1).over(npde.Time(0, 1)),
        npde.Equation(lambda x, u: u.dt + u.value * u.d(0) - viscosity * u.d2(0)),
        boundary=[npde.Dirichlet(0.0), npde.InitialCondition(lambda x: -npde.sin(np.pi * x[:, 0]))],
    )
    solution = npde.solve(problem)
    assert solution.status is npde.Status.CONVERGED
    assert error(solution, lambda x: cole_hopf(x, viscosity)) < 1e-6


@pytest.mark.slow
def test_a_kink_of_the_sine_gordon_equation_moves_between_values_that_change():
    speed = 0.6

    def exact(x):
        return 4 * np.arctan(np.exp((x[:, 0] - speed * x[:, 1]) / 0.8))

    def value(x):
        return 4 * (npde.exp((x[:, 0] - speed * x[:, 1]) / 0.8)).arctan() if hasattr(x, "dim") else exact(x)

    def at_start(x):
        grown = npde.exp(x[:, 0] / 0.8)
        return 4 * (grown.arctan() if hasattr(x, "dim") else np.arctan(grown))

    def velocity(x):
        grown = npde.exp(x[:, 0] / 0.8)
        return -4 * speed / 0.8 * grown / (1 + grown**2)

    problem = npde.Problem(
        "kink",
        npde.Interval(-4, 5).over(npde.Time(0, 2)),
        npde.Equation(lambda x, u: u.dtt - u.d2(0) + npde.sin(u.value)),
        boundary=[npde.Dirichlet(value), npde.InitialCondition(at_start, velocity)],
    )
    solution = npde.solve(problem, method=npde.TimeMarching(tolerance=1e-5))
    assert solution.status is npde.Status.CONVERGED
    assert error(solution, exact) < 1e-5


def test_where_waves_leave_nothing_need_be_said():
    """u_t + u u_x = 0 from u = x: x/(1 + t)."""
    problem = npde.Problem(
        "rarefaction",
        npde.Interval(0, 1).over(npde.Time(0, 2)),
        npde.Equation(lambda x, u: u.dt + u.value * u.d(0), order=1),
        boundary=[npde.Dirichlet(0.0, on="left"), npde.InitialCondition(lambda x: x[:, 0])],
    )
    solution = npde.solve(problem)
    assert error(solution, lambda x: x[:, 0] / (1 + x[:, 1])) < 1e-8


@pytest.mark.slow
def test_heat_is_followed_for_many_times_that_it_takes_to_settle():
    """From two sines, until all that is left is 1e-43."""
    problem = npde.Problem(
        "long",
        npde.Interval(0, 1).over(npde.Time(0, 10)),
        npde.Equation(lambda x, u: u.dt - u.d2(0)),
        boundary=[
            npde.Dirichlet(0.0),
            npde.InitialCondition(lambda x: npde.sin(np.pi * x[:, 0]) + npde.sin(3 * np.pi * x[:, 0])),
        ],
    )
    solution = npde.solve(problem)
    assert solution.status is npde.Status.CONVERGED

    def exact(x):
        return sum(np.sin(k * np.pi * x[:, 0]) * np.exp(-((k * np.pi) ** 2) * x[:, 1]) for k in (1, 3))

    assert error(solution, exact) < 1e-6


def test_a_side_of_which_nothing_is_said_is_refused():
    problem = npde.Problem(
        "open",
        npde.Interval(0, 1).over(npde.Time(0, 1)),
        npde.Equation(lambda x, u: u.dt - u.d2(0) - u.value**2),
        boundary=[npde.Dirichlet(0.0, on="left"), npde.InitialCondition(0.0)],
    )
    assert not isinstance(choose_method(problem, None)[0], npde.TimeMarching)
    with pytest.raises(npde.DeclarationError, match=r"it has 0 conditions on right for 1 real components"):
        npde.solve(problem, method=npde.TimeMarching())


def test_values_are_carried_exactly_to_elements_that_are_cut():
    mesh = Mesh(np.array([0.0, 0.3, 1.0]), 6)
    other = mesh.cut(np.array([1.0, 0.0]), 0.5)
    assert other is not None
    np.testing.assert_allclose(other.edges, [0.0, 0.15, 0.3, 1.0])

    def values(on: Mesh) -> NDArray:
        x = on.positions[:, None]
        return x**4 * (1 - x) ** 2

    np.testing.assert_allclose(mesh.carried(values(mesh), other), values(other), atol=1e-14)
    np.testing.assert_allclose(other.carried(values(other), mesh), values(mesh), atol=1e-14)


def test_elements_become_one_where_one_will_do_and_not_where_there_is_a_kink():
    mesh = Mesh(np.linspace(0, 1, 9), 8)
    smooth, kinked = mesh.positions**2, np.abs(mesh.positions - 0.25)
    for values, edges in ((smooth, [0, 0.25, 0.5, 0.75, 1]), (kinked, [0, 0.25, 0.5, 0.75, 1])):
        merged = mesh.merged(values[None, :, None], np.ones(1), 1e-6)
        assert merged is not None
        np.testing.assert_allclose(merged.edges, edges)
    shifted = np.abs(mesh.positions - 0.125)
    merged = mesh.merged(shifted[None, :, None], np.ones(1), 1e-6)
    assert merged is not None
    assert 0.125 in merged.edges
