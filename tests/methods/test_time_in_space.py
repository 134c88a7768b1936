"""Waves in time on boxes of three axes: against standing and travelling closed forms, and against the grid."""

import numpy as np
import pytest

import neurapde as npde
from support import relative

BRICK = npde.Box((0, 1), (0, 1.2), (-0.5, 0.5))
TIME = npde.Time(0, 0.8)


def inside(problem: npde.Problem, count: int = 300) -> np.ndarray:
    lower, upper = problem.domain.bounds
    return np.random.default_rng(27183).uniform(lower, upper, (count, len(lower)))


def error(solution: npde.Solution) -> float:
    return float(solution.stages[-1].extras["error_estimate"])


@pytest.mark.slow
def test_a_standing_wave_keeps_its_shape_and_its_frequency() -> None:
    numbers = np.pi * np.array([2.0, 1 / 1.2, 3.0])

    def shape(x: np.ndarray) -> np.ndarray:
        first = npde.sin(numbers[0] * x[:, 0]) * npde.cos(numbers[1] * x[:, 1])
        return first * npde.sin(numbers[2] * (x[:, 2] + 0.5))

    boundary = [
        npde.InitialCondition(shape),
        npde.Dirichlet(0.0, on=("left", "right", "front", "back")),
        npde.Neumann(on=("bottom", "top")),
    ]
    problem = npde.Problem("standing", BRICK.over(TIME), npde.Wave(1.5), boundary=boundary)
    solution = npde.solve(problem, method=npde.MethodOfLines(seconds=900), progress=False)
    x = inside(problem)
    truth = shape(x) * np.cos(1.5 * np.linalg.norm(numbers) * x[:, 3])
    assert relative(solution(x), truth) < 2e-3
    assert solution.stages[0].method.startswith("method of lines")


def spreading(x: np.ndarray, width: float) -> np.ndarray:
    """A Gaussian ball of that standard deviation at rest, let go at c = 1: ((r + t) g(r + t) + (r − t) g(r − t))/2r."""
    r, t = np.linalg.norm(x[:, :3], axis=1), x[:, 3]
    ahead, behind = ((r + s * t) * np.exp(-((r + s * t) ** 2) / (2 * width**2)) for s in (1, -1))
    return (ahead + behind) / (2 * r)


def ball(width: float, boundary: object) -> npde.Problem:
    cube = npde.Box((-0.8, 0.8), (-0.8, 0.8), (-0.8, 0.8))
    start = npde.InitialCondition(lambda x: npde.exp(-(x**2).sum(1) / (2 * width**2)))
    return npde.Problem("ball", cube.over(npde.Time(0, 0.9)), npde.Wave(1.0), boundary=[start, boundary])


def test_a_ball_leaves_through_open_sides() -> None:
    problem = ball(0.15, npde.Absorbing())
    solution = npde.solve(problem, method=npde.MethodOfLines(seconds=900), progress=False)
    x = inside(problem)
    relative_error = relative(solution(x), spreading(x, 0.15))
    assert relative_error < 2e-3
    assert relative_error <= 3 * error(solution)


@pytest.mark.slow
def test_the_reference_lets_it_leave_too() -> None:
    problem = ball(0.15, npde.Absorbing())
    reference = npde.reference(problem, shape=(41, 41, 41, 19))
    x = inside(problem)
    relative_error = relative(reference(x), spreading(x, 0.15))
    assert relative_error < 2e-2
    assert relative_error <= 3 * reference.error_estimate


@pytest.mark.slow
def test_a_medium_that_varies_is_followed_as_the_grid_follows_it() -> None:
    start = npde.InitialCondition(lambda x: npde.exp(-((x - 0.5) ** 2).sum(1) / 0.045))
    cube = npde.Box((0, 1), (0, 1), (0, 1))
    speed = npde.Wave(lambda x: 1 + 0.4 * npde.sin(2 * x[:, 0] + x[:, 1]) * x[:, 2])
    problem = npde.Problem("medium", cube.over(npde.Time(0, 0.5)), speed, boundary=[start, npde.Neumann()])
    solution = npde.solve(problem, method=npde.MethodOfLines(tolerance=1e-2, seconds=900), progress=False)
    reference = npde.reference(problem, shape=(33, 33, 33, 17))
    x = inside(problem)
    assert relative(reference(x), solution(x)) < 3 * (reference.error_estimate + error(solution))
    assert relative(reference(x), solution(x)) < 3e-2


def test_a_grid_that_does_not_fit_is_refused() -> None:
    with pytest.raises(npde.DeclarationError, match="needs too much memory"):
        npde.reference(ball(0.15, npde.Absorbing()), shape=(2001, 2001, 2001, 9))
