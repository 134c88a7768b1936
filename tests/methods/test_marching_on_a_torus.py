"""Evolutions that are periodic along all axes of space, marched through time by waves, against exact fields."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import neurapde as npde
from neurapde.methods.choice import choose_method


def error(values: NDArray, exact: NDArray) -> float:
    return float(np.linalg.norm(values - exact) / np.linalg.norm(exact))


def drawn(problem: npde.Problem, count: int = 1500) -> NDArray:
    lower, upper = problem.domain.bounds
    return lower + (upper - lower) * np.random.default_rng(40231).random((count, len(lower)))


def exact_soliton(x):
    return 2 / np.cosh(x[:, 0] - 4 * x[:, 1]) ** 2


@pytest.fixture(scope="module")
def soliton() -> npde.Solution:
    def start(x):
        grown = npde.exp(x[:, 0])
        return 8 / (grown + 1 / grown) ** 2

    def residual(x, u):
        v, w = u[0], u[1]
        return [v.dt + 6 * v.value * v.d(0) + w.d(0), w.value - v.d2(0)]

    problem = npde.Problem(
        "soliton",
        npde.Interval(-14, 18).over(npde.Time(0, 1)),
        npde.Equation(residual, outputs=2),
        boundary=[npde.Periodic("x"), npde.InitialCondition(start, component=0)],
    )
    return npde.solve(problem)


@pytest.mark.slow
def test_a_soliton_of_korteweg_and_de_vries_moves_on_with_its_third_derivative_as_a_component(soliton):
    points = drawn(soliton.problem)
    assert soliton.status is npde.Status.CONVERGED
    relative_error = error(soliton(points)[:, 0], exact_soliton(points))
    assert relative_error < 1e-6
    assert soliton.stages[-1].extras["error_estimate"] > relative_error / 3


@pytest.mark.slow
def test_a_field_of_waves_is_stored_and_read(soliton, tmp_path):
    points = drawn(soliton.problem, 40)
    soliton.save(tmp_path / "u.h5")
    loaded = npde.load(tmp_path / "u.h5", problem=soliton.problem)
    np.testing.assert_allclose(loaded.gradient(points), soliton.gradient(points), atol=1e-10)


@pytest.mark.slow
def test_a_soliton_of_schroedinger_is_a_complex_field():
    """i h_t + h_xx/2 + |h|² h = 0: sech(x − t) exp(ix)."""

    def start(x):
        grown = npde.exp(x[:, 0])
        return 2 / (grown + 1 / grown) * (npde.cos(x[:, 0]) + 1j * npde.sin(x[:, 0]))

    problem = npde.Problem(
        "bright soliton",
        npde.Interval(-5 * np.pi, 5 * np.pi).over(npde.Time(0, 1)),
        npde.Equation(
            lambda x, h: 1j * h.dt + h.d2(0) / 2 + (h.value.real**2 + h.value.imag**2) * h.value, complex=True
        ),
        boundary=[npde.Periodic("x"), npde.InitialCondition(start)],
    )
    solution = npde.solve(problem, method=npde.TimeMarching(tolerance=1e-5))
    points = drawn(problem)
    exact = np.exp(1j * points[:, 0]) / np.cosh(points[:, 0] - points[:, 1])
    assert error(solution(points), exact) < 1e-5


@pytest.mark.slow
def test_vortices_decay_in_two_axes_and_a_pressure_follows():
    """Taylor and Green: the pressure has no rate of change, and is known but for its mean."""
    viscosity = 0.1

    def residual(x, u):
        p = u[2]
        moved = [u[k].dt + u[0].value * u[k].d(0) + u[1].value * u[k].d(1) for k in range(2)]
        rubbed = [moved[k] + p.d(k) - viscosity * (u[k].d2(0) + u[k].d2(1)) for k in range(2)]
        return [*rubbed, u[0].d(0) + u[1].d(1)]

    tau = 2 * np.pi
    problem = npde.Problem(
        "vortices",
        npde.Box((0, tau), (0, tau)).over(npde.Time(0, 1)),
        npde.Equation(residual, outputs=3),
        boundary=[
            npde.Periodic("x"),
            npde.Periodic("y"),
            npde.InitialCondition(lambda x: npde.sin(x[:, 0]) * npde.cos(x[:, 1]), component=0),
            npde.InitialCondition(lambda x: -npde.cos(x[:, 0]) * npde.sin(x[:, 1]), component=1),
        ],
    )
    method, _ = choose_method(problem, None)
    assert isinstance(method, npde.TimeMarching)
    solution = npde.solve(problem)
    assert solution.status is npde.Status.CONVERGED
    points = drawn(problem, 300)
    x, y, t = points.T
    decay = np.exp(-2 * viscosity * t)
    assert error(solution(points)[:, 0], np.sin(x) * np.cos(y) * decay) < 1e-6
    pressure = (np.cos(2 * x) + np.cos(2 * y)) / 4 * decay**2
    assert error(solution(points)[:, 2], pressure) < 1e-5


@pytest.mark.slow
def test_a_coefficient_that_varies_in_space_is_taken_in():
    """u_t + (2 + sin x) u_x = 0 moves values on: sin of the time that characteristics take."""

    def clock(x):  # ∫ dx/(2 + sin x), from −π to π
        root = 3**0.5
        lib = torch if isinstance(x, torch.Tensor) else np
        half = lib.arctan((2 * lib.tan(x / 2) + 1) / root)
        return 2 / root * half

    whole = 2 * np.pi / 3**0.5

    def exact(x):
        return npde.sin(2 * np.pi / whole * (clock(x[:, 0]) - (x[:, 1] if x.shape[1] > 1 else 0)))

    problem = npde.Problem(
        "moved",
        npde.Interval(-np.pi, np.pi).over(npde.Time(0, 1)),
        npde.Equation(lambda x, u: u.dt + (2 + npde.sin(x[:, 0])) * u.d(0) + 0 * u.value**2, order=1),
        boundary=[npde.Periodic("x"), npde.InitialCondition(exact)],
    )
    solution = npde.solve(problem, method=npde.TimeMarching())
    points = drawn(problem)
    assert error(solution(points), exact(points)) < 1e-6


@pytest.mark.slow
def test_passes_say_up_to_which_time_they_agree():
    """Kuramoto and Sivashinsky's field is chaotic: at the last, no pass knows it."""

    def residual(x, u):
        v, w = u[0], u[1]
        return [v.dt + v.value * v.d(0) + w.value + w.d2(0), w.value - v.d2(0)]

    def start(x):
        angle = 2 * np.pi * x[:, 0] / 22
        return npde.cos(angle) + 0.3 * npde.sin(2 * angle)

    problem = npde.Problem(
        "flames",
        npde.Interval(0, 22).over(npde.Time(0, 400)),
        npde.Equation(residual, outputs=2),
        boundary=[
            npde.Periodic("x"),
            npde.InitialCondition(
                start,
                component=0,
            ),
        ],
    )
    with pytest.warns(
        npde.ResolutionWarning, match=r"passes agree within 10 times that tolerance up to t = \d+"
    ):
        solution = npde.solve(problem, method=npde.TimeMarching(tolerance=1e-2))
    assert solution.status is npde.Status.UNRESOLVED
