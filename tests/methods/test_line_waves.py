"""Waves along a line with absorbing layers, solved by default: against closed forms and the grid."""

from collections.abc import Callable

import numpy as np
import pytest

import neurapde as npde
from support import relative

SOURCE = npde.GaussianSource(at=(-0.3,), variance=1.5e-3)
LINE = npde.Interval(-1, 1)


def away() -> np.ndarray:
    """Points of the physical region beyond six standard deviations of the source."""
    x = np.linspace(-0.6, 0.6, 401)
    return x[abs(x + 0.3) > 0.24][:, None]


@pytest.mark.slow
def test_the_wave_of_a_source_on_a_uniform_line_is_the_greens_function() -> None:
    k = 20.0
    problem = npde.Problem("line", LINE, npde.Helmholtz(k), SOURCE, npde.PML(width=0.4))
    solution = npde.solve(problem, progress=False)
    x = away()
    exact = np.exp(-(k**2) * 1.5e-3 / 2) * 1j / (2 * k) * np.exp(-1j * k * abs(x[:, 0] + 0.3))
    assert solution.stages[-1].extras["features"] < 1000
    assert relative(np.asarray(solution(x)), exact) < 1e-6


@pytest.mark.parametrize(
    "speed",
    [
        pytest.param(npde.Piecewise(1.0, (npde.Interval(0.2, 0.4), 2.0)), marks=pytest.mark.slow),
        pytest.param(
            npde.Piecewise(1.5, (npde.Interval(0.3, 1.0), 1.0), (npde.Interval(0.4, 0.45), 2.0)),
            marks=pytest.mark.slow,
        ),
        pytest.param(lambda x: 1 + 0.3 * npde.sin(3 * x[:, 0]), marks=pytest.mark.slow),
    ],
    ids=["a layer", "layers that reach into the absorbing one", "smooth"],
)
def test_media_on_a_line_agree_with_the_grid(speed: npde.Piecewise | Callable) -> None:
    problem = npde.Problem(
        "line", LINE, npde.Helmholtz(15.0, speed), SOURCE, npde.PML(width=0.4, reflection=1e-5)
    )
    solution = npde.solve(problem, progress=False)
    reference = npde.reference(problem, 4001)
    assert relative(np.asarray(solution(away())), reference(away())) < 2e-5


def test_a_wave_that_is_sent_in_at_one_end_leaves_through_the_layer_at_the_other() -> None:
    problem = npde.Problem(
        "line",
        npde.Interval(0, 2),
        npde.Helmholtz(10.0),
        boundary=[npde.PML({"right": 1.0}), npde.Dirichlet(1.0, on="left")],
    )
    solution = npde.solve(problem, progress=False)
    x = np.linspace(0, 1, 201)
    assert relative(np.asarray(solution(x[:, None])), np.exp(-10j * x)) < 1e-6
