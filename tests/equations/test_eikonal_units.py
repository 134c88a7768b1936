"""Travel times and distances by networks in other units: trained as they are in units of one."""

from typing import Any

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.training.run.method import Method
from support import relative

SIZES = [(2000.0, 1500.0), (2e6, 1.5), (1e-4, 1500.0)]


def times(length: float, speed: float, method: Method, trial: Any = None) -> np.ndarray:
    """In units of length/speed, at nodes: the speed grows downwards."""
    sources = [npde.PointSource([x * length, 0.4 * length]) for x in (0.3, 0.8)]
    equation = npde.Eikonal(lambda x: speed * (1 + x[:, 1] / length))
    box = npde.Box((0, length), (0, length))
    problem = npde.Problem("rays", box, equation, sources=npde.Shots(*sources))
    x = box.sample(200, how="grid").numpy()
    solution = npde.solve(problem, trial, method, seed=12347, progress=False, dtype=torch.float64)
    return np.asarray(solution(x)) * speed / length


def distances(length: float, method: Method, trial: Any = None) -> np.ndarray:
    """Of a disk, in units of the domain's half width."""
    box = npde.Box((-length, length), (-length, length))
    equation = npde.Eikonal(surface=npde.Disk((0.1 * length, 0.0), 0.5 * length))
    solution = npde.solve(
        npde.Problem("disk", box, equation), trial, method, seed=12347, progress=False, dtype=torch.float64
    )
    return np.asarray(solution(box.sample(200, how="grid").numpy())) / length


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("length", "speed"), SIZES)
@pytest.mark.parametrize("trial", [None, npde.MLP(8, 2)], ids=["factored", "network"])
def test_times_are_trained_alike_in_other_units(length: float, speed: float, trial: Any) -> None:
    method = npde.NaturalGradient(3, points=100)
    here = times(1.0, 1.0, method, trial)
    assert relative(times(length, speed, method, trial), here) < 1e-5


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("length", [2000.0, 1e-4, 5.0])
@pytest.mark.parametrize(
    ("method", "trial"),
    [
        (npde.NaturalGradient(3, points=100), None),
        (npde.LBFGS(steps=5, points=100), npde.MLP(8, 2)),
        (npde.Adam(steps=10, lr=1e-3, points=50), npde.MLP(8, 2)),
    ],
    ids=["natural gradient", "L-BFGS", "Adam"],
)
def test_distances_are_trained_alike_in_other_units(length: float, method: Method, trial: Any) -> None:
    assert relative(distances(length, method, trial), distances(1.0, method, trial)) < 1e-5
