"""Poisson's equation on boxes in space, axis by axis: against closed forms, and what does not separate."""

from pathlib import Path

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.core.errors import DeclarationError, ResolutionWarning
from neurapde.methods.choice import choose_method
from neurapde.trials.fourier_extension import FourierExtension

BRICK = npde.Box((-1, 1), (0, 3), (0, 0.5))
CUBE = npde.Box((0, 1), (0, 1), (0, 1))
BALANCED = -1 / 12  # the slope at six unit squares that takes out what a source x gives
SIDES = {"left": (0, -1), "right": (0, 1), "bottom": (1, -1), "top": (1, 1), "front": (2, -1), "back": (2, 1)}


def exact(x: np.ndarray) -> np.ndarray:
    return npde.sin(2 * x[:, 0] + x[:, 1]) * npde.exp(x[:, 2]) + x[:, 0] * x[:, 1] ** 2


def slope(x: np.ndarray, axis: int) -> np.ndarray:
    wave, turned = (f(2 * x[:, 0] + x[:, 1]) * np.exp(x[:, 2]) for f in (np.sin, np.cos))
    return [2 * turned + x[:, 1] ** 2, turned + 2 * x[:, 0] * x[:, 1], wave][axis]


def source(x: np.ndarray) -> np.ndarray:
    """Of −1.3 Δu + 0.4 u = f."""
    wave = npde.sin(2 * x[:, 0] + x[:, 1]) * npde.exp(x[:, 2])
    return -1.3 * (-4 * wave + 2 * x[:, 0]) + 0.4 * exact(x)


def condition(kind: str, face: str) -> npde.Dirichlet | npde.Neumann | npde.Robin:
    axis, sign = SIDES[face]
    if kind == "D":
        return npde.Dirichlet(exact, on=face)
    if kind == "N":
        return npde.Neumann(lambda x: sign * slope(x, axis), on=face)
    return npde.Robin(2.0, 0.5, lambda x: 2 * exact(x) + sign * slope(x, axis) / 2, on=face)


def brick(kinds: str) -> npde.Problem:
    conditions = [condition(kind, face) for kind, face in zip(kinds, SIDES, strict=True)]
    return npde.Problem(
        "brick", BRICK, npde.Poisson(1.3, 0.4), source, boundary=conditions[::-1], exact=exact
    )


@pytest.mark.parametrize("kinds", ["DDDDDD", "NNNNNN", "RRRRRR", "DNRDNR"])
def test_smooth_fields_are_found_to_many_digits_under_every_condition(kinds: str) -> None:
    problem = brick(kinds)
    method, why = choose_method(problem, None)
    assert method == npde.Separable()
    assert "coefficients are constant and the domain is a box" in why
    solution = npde.solve(problem, progress=False)
    points = BRICK.sample(500, how="sobol", generator=torch.Generator().manual_seed(20479)).numpy()
    truth = exact(points)
    error = np.linalg.norm(np.asarray(solution(points)) - truth) / np.linalg.norm(truth)
    assert error < 1e-7
    assert error < 3 * float(solution.stages[-1].extras["error_estimate"])
    slopes = np.stack([slope(points, axis) for axis in range(3)], axis=1)
    assert np.linalg.norm(np.asarray(solution.gradient(points)) - slopes) < 1e-5 * np.linalg.norm(slopes)


def test_a_source_that_does_not_vanish_at_the_edges_is_told_to_be_unresolved() -> None:
    problem = npde.Problem("cube", CUBE, npde.Poisson(), lambda x: 1.0 + 0 * x[:, 0], npde.Dirichlet(0.0))
    with pytest.warns(ResolutionWarning, match=r"give Separable\(largest=48\)"):
        solution = npde.solve(problem, method=npde.Separable(largest=24), progress=False)
    points = CUBE.sample(400, how="grid").numpy()
    k = np.arange(1, 120, 2)
    sines = [np.sin(np.pi * np.outer(points[:, axis], k)) for axis in range(3)]
    squares = k[:, None, None] ** 2 + k[None, :, None] ** 2 + k[None, None, :] ** 2
    products = k[:, None, None] * k[None, :, None] * k[None, None, :]
    series = np.einsum("ijk,ni,nj,nk->n", 64 / np.pi**5 / products / squares, *sines, optimize=True)
    error = np.linalg.norm(np.asarray(solution(points)) - series) / np.linalg.norm(series)
    assert error < 3e-4
    assert error < 3 * float(solution.stages[-1].extras["error_estimate"])


def test_a_solution_is_saved_and_loaded(tmp_path: Path) -> None:
    solution = npde.solve(brick("DDDDDD"), method=npde.Separable(tolerance=1e-3), progress=False)
    loaded = npde.load(solution.save(tmp_path / "u.h5"))
    points = BRICK.sample(50, how="grid").numpy()
    assert np.array_equal(np.asarray(loaded(points)), np.asarray(solution(points)))


@pytest.mark.parametrize("complex", [False, True])
def test_a_lattice_summed_axis_by_axis_is_the_sum_of_its_features(complex: bool) -> None:
    generator = torch.Generator().manual_seed(31121)
    frame = FourierExtension((5, 4, 6)).build(([0, 0, 0], [1, 2, 1]), 2, complex, generator=generator)
    with torch.no_grad():
        frame.amplitudes.copy_(torch.rand(frame.amplitudes.shape, generator=generator, dtype=torch.float64))
    points = torch.rand(30, 3, generator=generator, dtype=torch.float64)
    features = frame.feature_jet(points, 2, ((0, 2),))
    amplitudes = torch.view_as_complex(frame.amplitudes) if complex else frame.amplitudes
    expected = features.channels.to(amplitudes.dtype) @ amplitudes
    found = frame.jet(points, 2, ((0, 2),))
    assert torch.allclose(found.channels, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"domain": npde.Box((0, 1), (0, 1))}, "for a Box of three axes"),
        ({"equation": npde.Poisson(lambda x: 1 + x[:, 0] ** 2)}, "its coefficients vary"),
        ({"equation": npde.Poisson(1.0, -30.0)}, "its reaction is negative"),
        ({"boundary": npde.Neumann(BALANCED)}, "up to a constant only"),
        ({"boundary": npde.Dirichlet(0.0, on="left")}, "nothing is said about right"),
        ({"boundary": npde.Robin(lambda x: 1 + x[:, 0], 1.0)}, "it has the condition"),
        (
            {
                "boundary": [
                    npde.Dirichlet(1.0, on="top"),
                    npde.Dirichlet(0.0, on=["left", "right", "bottom", "front", "back"]),
                ]
            },
            "differ at their edge",
        ),
    ],
)
def test_what_does_not_separate_is_refused_and_left_to_others_by_default(changes: dict, message: str) -> None:
    parts = {"domain": CUBE, "equation": npde.Poisson(), "boundary": npde.Dirichlet(0.0)} | changes
    problem = npde.Problem("other", sources=lambda x: x[:, 0], **parts)
    with pytest.raises(DeclarationError, match=message):
        npde.solve(problem, method=npde.Separable(), progress=False)
    assert choose_method(problem, None)[0] == npde.LeastSquares()


def test_settings_and_trials_that_make_no_sense_are_refused() -> None:
    with pytest.raises(DeclarationError, match="give a whole number of at least 12"):
        npde.Separable(largest=4)
    with pytest.raises(DeclarationError, match="places its own sines"):
        npde.solve(brick("DDDDDD"), npde.Siren(8), npde.Separable(), progress=False)
