"""A layer that reflects means the declared layer, u = 0 behind it, to the solve and to the grid."""

import numpy as np
import pytest

import neurapde as npde

SOURCE = npde.GaussianSource(at=(-0.3, 0.1), variance=4e-4)


def problem(layer, source=SOURCE, k=12.0, speed=1.0):
    return npde.Problem("weak", npde.Box((-1, 1), (-1, 1)), npde.Helmholtz(k, speed), [source], layer)


@pytest.mark.parametrize(
    ("layer", "speed", "reflection"),
    [
        (npde.PML(width=0.4, strength=1.0), npde.Piecewise(1.0, (npde.Disk((0.1, 0.1), 0.2), 2.0)), 4.1e-2),
        (npde.PML(width=0.5, strength=0.4), 1.0, 0.202),
        (
            npde.PML(width=0.4, reflection=2e-3),
            npde.Piecewise(1.0, (npde.Box((0.1, 0.3), (-0.3, 0.0)), 0.7)),
            2e-3,
        ),
        (npde.PML(width={"left": 0.4, "right": 0.5, "bottom": 0.4, "top": 0.3}, strength=1.5), 1.0, 2.7e-2),
    ],
)
def test_solve_and_grid_agree_within_their_estimates_however_weak_the_layer(layer, speed, reflection) -> None:
    case = problem(layer, speed=speed)
    solution, grid = npde.solve(case, progress=False), npde.reference(case)
    points = np.random.default_rng(50413).uniform(-0.55, 0.55, (1000, 2))
    points = points[np.hypot(*(points - SOURCE.at).T) > 0.12]
    difference = np.linalg.norm(solution(points) - grid(points)) / np.linalg.norm(grid(points))
    assert difference < 2 * (solution.stages[-1].extras["error_estimate"] + grid.error_estimate)
    for notes in (solution.notes, grid.notes):
        assert any(f"|R| = {reflection:.1e}" in note for note in notes)


def test_a_layer_that_reflects_nothing_leaves_the_wave_in_open_space_alone() -> None:
    solution = npde.solve(problem(npde.PML(width=0.5, strength=5.0), k=20.0), progress=False)
    assert any("the known wave is the whole field" in note for note in solution.notes)


@pytest.mark.slow
def test_a_layer_on_a_line_is_the_declared_one_too() -> None:
    k, width, strength = 15.0, 0.5, 0.5
    case = npde.Problem(
        "line",
        npde.Interval(0, 2),
        npde.Helmholtz(k),
        [npde.GaussianSource(at=(0.6,), variance=1e-3)],
        [npde.PML(width=width, strength=strength, on="right"), npde.Dirichlet(0.0, on="left")],
    )
    solution, grid = npde.solve(case, progress=False), npde.reference(case)
    x = np.linspace(0.9, 1.45, 200)
    end = 2.0 - 1j * strength * width / 3  # the stretched end of the layer
    exact = np.sin(k * (end - x))
    for field in (solution, grid):
        values = field(x[:, None])
        scale = np.vdot(exact, values) / np.vdot(exact, exact)
        assert np.linalg.norm(values - scale * exact) < 2e-3 * np.linalg.norm(values)
