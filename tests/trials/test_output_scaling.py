"""Fields of known size: the trial that is scaled, and signed distances at every scale."""

import dataclasses

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.core.errors import DeclarationError
from neurapde.methods.choice import choose_method
from support import assert_same_field

POINTS = {"surface": 60, "normals": 30, "off-surface": 1, "eikonal": 60, "distance": 120}


def distance(scale: float, middle: tuple[float, float] = (0.0, 0.0)) -> npde.Problem:
    """A disk in a square, both `scale` times as large and moved to `middle`."""
    box = npde.Box(*[(m - scale, m + scale) for m in middle])
    disk = npde.Disk((middle[0] + 0.1 * scale, middle[1]), 0.5 * scale)
    return npde.Problem("disk", box, npde.Eikonal(surface=disk))


def test_a_scaled_trial_is_its_network_times_a_number() -> None:
    bounds, points = ((0.0, 0.0), (2.0, 1.0)), torch.rand(7, 2, dtype=torch.float64)
    plain, scaled = (
        trial.build(bounds, generator=torch.Generator().manual_seed(40127), dtype=torch.float64)
        for trial in (npde.Siren(8, 1), npde.trials.OutputScaling(npde.Siren(8, 1), 30.0))
    )
    torch.testing.assert_close(scaled(points), 30 * plain(points))
    torch.testing.assert_close(scaled.jet(points).channels, 30 * plain.jet(points).channels)


@pytest.mark.parametrize("scale", [100.0, 0.01])
def test_the_distance_of_a_scaled_shape_is_the_scaled_distance(scale: float) -> None:
    middle = (3 * scale, -7 * scale)
    unit = np.random.default_rng(73019).uniform(-1, 1, (50, 2))
    solutions = []
    for problem in (distance(1.0), distance(scale, middle)):
        method, _ = choose_method(problem, None)
        method = dataclasses.replace(method, steps=4, points=POINTS)
        solutions.append(npde.solve(problem, method=method, seed=20173, progress=False))
    np.testing.assert_allclose(
        solutions[1](middle + scale * unit), scale * solutions[0](unit), atol=1e-6 * scale
    )
    assert np.ptp(solutions[0](unit)) > 0.3


def test_a_scaled_distance_survives_its_file(tmp_path: object) -> None:
    method = npde.NaturalGradient(1, POINTS)
    solution = npde.solve(distance(100.0), method=method, seed=20173, progress=False)
    points = np.random.default_rng(73019).uniform(-100, 100, (9, 2))
    loaded = npde.load(solution.save(f"{tmp_path}/u.h5"))
    assert_same_field(loaded(points), solution(points))


def test_a_size_that_is_none_is_refused() -> None:
    with pytest.raises(DeclarationError, match=r"size=-1\.0: give a positive, finite number"):
        npde.trials.OutputScaling(npde.Siren(), -1.0)
    with pytest.raises(DeclarationError, match=r"network=.*: give one such as OutputScaling"):
        npde.trials.OutputScaling(3, 1.0)
