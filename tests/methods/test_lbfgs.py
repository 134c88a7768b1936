"""L-BFGS: its memory outlives an interruption, and it goes on where torch's own would stop."""

from functools import cache

import numpy as np
import pytest
import torch

import neurapde as npde
from support import assert_same_field, some_slow

LINE = npde.Interval(0, 1)


def sine() -> npde.Problem:
    equation = npde.Equation(lambda x, u: u.laplacian + 9 * npde.sin(3 * x[:, 0]))
    return npde.Problem("sine", LINE, equation, boundary=npde.Dirichlet(lambda x: npde.sin(3 * x[:, 0])))


@cache
def trained(steps: int, redraw: int | None, **where: object) -> npde.Solution:
    method = npde.LBFGS(steps, points=30, memory=7, redraw=redraw)
    return npde.solve(sine(), npde.MLP(6, 1), method, seed=71933, progress=False, **where)


@pytest.mark.parametrize("redraw", some_slow([None, 15], None))
@pytest.mark.parametrize(
    "first", [pytest.param(1, marks=pytest.mark.slow), 20, pytest.param(27, marks=pytest.mark.slow)]
)
def test_a_resumed_run_is_the_uninterrupted_one(first: int, redraw: int | None, tmp_path) -> None:
    points, whole = np.linspace(0, 1, 9)[:, None], trained(40, redraw)
    trained(first, redraw, out=tmp_path)
    rest = trained(40, redraw, out=tmp_path, resume=True)
    assert_same_field(rest(points), whole(points))
    assert rest.history.loss[-1] == whole.history.loss[-1]


def test_curvature_is_kept_where_the_loss_is_small() -> None:
    """A quadratic bowl in the head's weights, down to a loss that torch's threshold of 1e-10 would stall at."""
    small = npde.Problem(
        "small", LINE, npde.Equation(lambda x, u: u.value - 1e-5 * npde.cos(3 * x[:, 0]), order=0)
    )
    trial = npde.Siren(8, 0, 4.0).build(
        LINE.bounds, generator=torch.Generator().manual_seed(81935), dtype=torch.float64
    )
    for layer in trial.layers:
        layer.requires_grad_(False)
    with torch.no_grad():
        trial.head.weight.mul_(1e-5)
    method = npde.LBFGS(200, points=100, tolerance=1e-16)
    solution = npde.solve(small, trial, method, seed=81937, progress=False)
    points = np.linspace(0, 1, 33)[:, None]
    assert np.abs(solution(points) - 1e-5 * np.cos(3 * points[:, 0])).max() < 1e-8
