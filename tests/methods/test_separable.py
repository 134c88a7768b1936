"""Poisson's equation on boxes in space, axis by axis: against closed forms, and what does not separate."""

from pathlib import Path

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.assembly.boxes.residual import residual_error
from neurapde.core.errors import DeclarationError
from neurapde.methods import separable
from neurapde.methods.choice import choose_method
from neurapde.reference_solvers.grids.grid import ResolutionWarning
from neurapde.training.run.method import Method
from support import assert_same_field, relative

BRICK = npde.Box((-1, 1), (0, 3), (0, 0.5))
CUBE = npde.Box((0, 1), (0, 1), (0, 1))
SQUARE = npde.Box((0, 1), (0, 1))
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


def test_a_source_that_does_not_vanish_at_the_edges_costs_polynomials_only() -> None:
    problem = npde.Problem("cube", CUBE, npde.Poisson(), lambda x: 1.0 + 0 * x[:, 0], npde.Dirichlet(0.0))
    solution = npde.solve(problem, method=npde.Separable(tolerance=1e-5), progress=False)
    points = CUBE.sample(400, how="grid").numpy()
    k = np.arange(1, 120, 2)
    sines = [np.sin(np.pi * np.outer(points[:, axis], k)) for axis in range(3)]
    squares = k[:, None, None] ** 2 + k[None, :, None] ** 2 + k[None, None, :] ** 2
    products = k[:, None, None] * k[None, :, None] * k[None, None, :]
    series = np.einsum("ijk,ni,nj,nk->n", 64 / np.pi**5 / products / squares, *sines, optimize=True)
    error = np.linalg.norm(np.asarray(solution(points)) - series) / np.linalg.norm(series)
    assert error < 3e-5
    assert float(solution.stages[-1].extras["error_estimate"]) < 1e-5
    with pytest.warns(ResolutionWarning, match=r"give Separable\(largest=32\)"):
        npde.solve(problem, method=npde.Separable(tolerance=1e-7, largest=16), progress=False)


def test_slopes_that_jump_at_corners_are_told_as_they_are() -> None:
    conditions = [
        npde.Dirichlet(0.0, on=("left", "right")),
        npde.Neumann(1.0, on="top"),
        npde.Neumann(0.0, on="bottom"),
    ]
    problem = npde.Problem("flux", SQUARE, npde.Poisson(), boundary=conditions)
    solution = npde.solve(problem, method=npde.Separable(tolerance=1e-5), progress=False)
    x, y = SQUARE.sample(500, how="grid").numpy().T
    exact = np.zeros_like(x)
    for k in range(1, 2001, 2):
        exact += (
            4
            / (np.pi * k) ** 2
            * np.sin(np.pi * k * x)
            * np.exp(np.pi * k * (y - 1))
            * ((1 + np.exp(-2 * np.pi * k * y)) / (1 - np.exp(-2 * np.pi * k)))
        )
    error = relative(np.asarray(solution(np.stack((x, y), axis=1))), exact)
    assert error < float(solution.stages[-1].extras["error_estimate"]) < 1e-5


def test_a_solution_is_saved_and_loaded(tmp_path: Path) -> None:
    solution = npde.solve(brick("DDDDDD"), method=npde.Separable(tolerance=1e-3), progress=False)
    loaded = npde.load(solution.save(tmp_path / "u.h5"))
    points = BRICK.sample(50, how="grid").numpy()
    assert_same_field(np.asarray(loaded(points)), np.asarray(solution(points)))


@pytest.mark.parametrize(
    ("changes", "message", "other"),
    [
        ({"domain": npde.Ball((0, 0, 0), 1.0)}, "on a Box of up to three axes", npde.Trefftz()),
        (
            {"equation": npde.Poisson(npde.Piecewise(1.0, (npde.Ball((0.5,) * 3, 0.2), 3.0)))},
            "are piecewise",
            npde.Trefftz(),
        ),
        (
            {"equation": npde.Poisson(1.0, -3 * np.pi**2)},
            "the negative of an eigenvalue",
            npde.LeastSquares(),
        ),
        ({"boundary": npde.Dirichlet(0.0, on="left")}, "has no condition on right", npde.LeastSquares()),
        ({"boundary": npde.Robin(1.0, lambda x: 1 + x[:, 0])}, "whose b varies", npde.LeastSquares()),
        (
            {
                "boundary": [
                    npde.Dirichlet(1.0, on="top"),
                    npde.Dirichlet(0.0, on=["left", "right", "bottom", "front", "back"]),
                ]
            },
            "differ at their edge",
            npde.LeastSquares(),
        ),
    ],
)
def test_what_does_not_separate_is_refused_and_left_to_others_by_default(
    changes: dict, message: str, other: Method
) -> None:
    parts = {"domain": CUBE, "equation": npde.Poisson(), "boundary": npde.Dirichlet(0.0)} | changes
    problem = npde.Problem("other", sources=lambda x: x[:, 0], **parts)
    with pytest.raises(DeclarationError, match=message):
        npde.solve(problem, method=npde.Separable(), progress=False)
    assert choose_method(problem, None)[0] == other


def test_sources_that_jump_on_a_line_are_left_to_elements_and_met_as_stated() -> None:
    def half(x):
        return npde.where(x[:, 0] < 0.37, 1.0 + 0 * x[:, 0], -1.0 + 0 * x[:, 0])

    problem = npde.Problem("half", npde.Interval(0, 1), npde.Poisson(), [half], npde.Dirichlet(0.0))
    solution, x = npde.solve(problem, progress=False), np.linspace(0, 1, 501)
    twice = np.where(x < 0.37, x**2 / 2, 0.37**2 / 2 + 0.37 * (x - 0.37) - (x - 0.37) ** 2 / 2)
    exact = x * (0.37**2 / 2 + 0.37 * 0.63 - 0.63**2 / 2) - twice
    assert solution.method.startswith("spectral elements")
    assert relative(solution(x[:, None]), exact) < 3 * solution.stages[-1].extras["error_estimate"] < 1e-8


@pytest.mark.slow
def test_what_polynomials_do_not_find_ends_after_a_few_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []

    def looked(*given):
        looks.append(residual_error(*given))
        return looks[-1]

    def steep(x):
        return npde.tanh(400 * (x[:, 0] - 0.37))

    monkeypatch.setattr(separable, "residual_error", looked)
    problem = npde.Problem("steep", npde.Box((0, 1), (0, 1)), npde.Poisson(), [steep], npde.Dirichlet(0.0))
    with pytest.warns(ResolutionWarning, match="above the tolerance"):
        solution = npde.solve(problem, method=npde.Separable(), progress=False)
    assert solution.status is npde.Status.UNRESOLVED
    assert 0 < len(looks) <= separable.MOST_LOOKS


def test_settings_and_trials_that_make_no_sense_are_refused() -> None:
    with pytest.raises(DeclarationError, match="give a whole number of at least 12"):
        npde.Separable(largest=4)
    with pytest.raises(DeclarationError, match="chooses its own sines"):
        npde.solve(brick("DDDDDD"), npde.Siren(8), npde.Separable(), progress=False)
