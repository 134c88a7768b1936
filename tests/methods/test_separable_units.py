"""Separable in other units: the same digits in millimetres, kilometres and without units, on flat boxes too."""

from typing import Any

import numpy as np
import pytest

import neurapde as npde
from support import relative


def error(length: float, size: float, conductivity: float, flat: float) -> tuple[float, float]:
    """The error and its estimate of a field with values, slopes and both given on the faces."""
    k = np.array([2.0, 3.0, 1.5]) / length
    reaction = 2 * conductivity / length**2

    def exact(x: Any) -> Any:
        return size * npde.sin(k[0] * x[:, 0] + 0.3) * npde.cos(k[1] * x[:, 1]) * npde.exp(k[2] * x[:, 2])

    def across(x: Any) -> Any:
        return (
            size * k[0] * npde.cos(k[0] * x[:, 0] + 0.3) * npde.cos(k[1] * x[:, 1]) * npde.exp(k[2] * x[:, 2])
        )

    box = npde.Box((0, length), (0, 0.6 * length), (0, flat * length))
    left, right, front, back, bottom, top = box.faces
    problem = npde.Problem(
        "block",
        box,
        npde.Poisson(conductivity, reaction),
        [lambda x: (conductivity * (k[0] ** 2 + k[1] ** 2 - k[2] ** 2) + reaction) * exact(x)],
        [
            npde.Dirichlet(exact, on=(left, front, back)),
            npde.Neumann(across, on=right),
            npde.Neumann(lambda x: -k[2] * exact(x), on=bottom),
            npde.Robin(2 / length, 1.0, lambda x: (2 / length + k[2]) * exact(x), on=top),
        ],
    )
    points = box.sample(300, how="grid").numpy()
    assert npde.Separable().obstacle(problem) is None
    solution = npde.solve(problem, method=npde.Separable(tolerance=1e-4), progress=False)
    estimate = float(solution.stages[-1].extras["error_estimate"])
    return relative(np.asarray(solution(points)), exact(points)), estimate


@pytest.mark.parametrize("flat", [0.3, pytest.param(1e-2, marks=pytest.mark.slow)])
def test_a_box_is_solved_to_the_same_digits_in_other_units(flat: float) -> None:
    here, estimate = error(1.0, 1.0, 1.0, flat)
    assert here < estimate < 1e-4
    for sizes in [(0.02, 300.0, 400.0), (20.0, 300.0, 4e-4), (1e4, 1e-5, 1e-6)]:
        assert error(*sizes, flat)[1] == pytest.approx(estimate, rel=1e-3)
