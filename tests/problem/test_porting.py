"""Slips that people make who come from other packages are named where the Problem is made, with the way out."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde import DeclarationError

SQUARE = npde.Box((0, 1), (0, 1))


def problem(residual: Callable[..., Any], **settings: Any) -> npde.Problem:
    equation = npde.Equation(residual, **settings)
    return npde.Problem("square", SQUARE, equation, boundary=npde.Dirichlet(0.0))


SLIPS: dict[str, tuple[Callable[[], object], str]] = {
    "numpy of u": (lambda: problem(lambda x, u: u.laplacian - np.sin(u.value)), "use npde.sin, npde.exp"),
    "npde.sin of a jet": (lambda: problem(lambda x, u: npde.sin(u)), r"was given a Jet; .*u\.value"),
    "column": (lambda: problem(lambda x, u: u.laplacian - x[:, 0:1]), r"\(17, 17\) .*x\[:, 0\], not x\[:, 0:1\]"),
    "column alone": (lambda: npde.Problem("p", SQUARE, npde.Poisson(), lambda x: x[:, 0:1]), r"not x\[:, 0:1\]"),
    "columns in a list": (lambda: problem(lambda x, u: [u.laplacian, u.value - x[:, :1]]), r"\[1\] returned .*x\[:, 0\]"),
    "empty list": (lambda: problem(lambda x, u: []), "returned a list; return a torch tensor"),
    "a jet": (lambda: problem(lambda x, u: u * 2), "returned a Jet; return a torch tensor"),
    "nothing": (lambda: problem(lambda x, u: None), "returned a NoneType"),
    "a mean": (lambda: problem(lambda x, u: (u.laplacian**2).mean()), r"the shape \(\) for 17 points"),
    "a comparison": (lambda: problem(lambda x, u: u.value > 0), "values of type torch.bool"),
    "without u": (lambda: problem(lambda x, u: torch.sin(x[:, 0])), "does not depend on u"),
    "detached": (lambda: problem(lambda x, u: u.value.detach()), r"lost the dependence through \.detach\(\)"),
    "an array": (lambda: problem(lambda x, u: u.value.detach().numpy()), "returned a ndarray"),
    "one argument": (lambda: problem(lambda x: x), "takes 1 positional argument"),
    "three arguments": (lambda: problem(lambda x, u, f: u.value), "missing 1 required positional argument"),
    "own derivatives": (
        lambda: problem(lambda x, u: torch.autograd.grad(u.value.sum(), x)[0][:, 0]),
        "residual of 'equation' failed at 17 points",
    ),
    "component of a scalar": (lambda: problem(lambda x, u: u.value[:, 0]), r"u\.value is \(n,\), or \(n, c\)"),
    "several components": (lambda: problem(lambda x, u: u.value * x[:, 0], outputs=2), r"u\.value is \(n,\), or \(n, c\)"),
    "complex": (lambda: problem(lambda x, u: u.laplacian + 1j * u.value), "complex=True"),
    "order": (lambda: problem(lambda x, u: u.laplacian, order=1), "order=2"),
    "mixed": (lambda: problem(lambda x, u: u.d2(0, 2)), r"axes \(0, 2\) do not exist"),
    "fifth": (lambda: problem(lambda x, u: u.d4(0, 0)), r"d4\(0, 0\) names 2 axes; give one, or 4"),
    "time": (lambda: problem(lambda x, u: u.dt), r"domain\.over\(npde\.Time"),
    "an unknown word": (lambda: problem(lambda x, u: u.dx), "'Jet' object has no attribute 'dx'"),
    "math in a source": (
        lambda: npde.Problem("p", SQUARE, npde.Poisson(), lambda x: math.sin(x[:, 0])),
        "failed for NumPy points .*npde.sin",
    ),
    "numpy in a coefficient": (
        lambda: npde.solve(
            npde.Problem("p", SQUARE, npde.Poisson(lambda x: np.exp(np.asarray(x[:, 0]))), 1.0, npde.Dirichlet(0.0)),
            method=npde.LeastSquares(),
            progress=False,
        ),
        "cannot be differentiated .*npde.sin",
    ),
    "two arguments of a value": (
        lambda: npde.Problem("p", SQUARE, npde.Poisson(), boundary=npde.Dirichlet(lambda x, on: x[:, 0])),
        "missing 1 required positional argument",
    ),
}  # fmt: skip


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_named_with_the_way_out(slip: str) -> None:
    make, message = SLIPS[slip]
    with pytest.raises(DeclarationError, match=message):
        make()


def test_a_list_of_residuals_is_a_system() -> None:
    def system(x: torch.Tensor, u: npde.Jet) -> list[torch.Tensor]:
        return [u[0].d(0) - u[1].value, u[1].d(0) + u[0].value]

    begins = [npde.Dirichlet(0.0, on="left", component=0), npde.Dirichlet(1.0, on="left", component=1)]
    turning = npde.Problem(
        "turning", npde.Interval(0, 2), npde.Equation(system, order=1, outputs=2), boundary=begins
    )
    x = np.linspace(0, 2, 9)[:, None]
    solution = npde.solve(turning, progress=False)
    np.testing.assert_allclose(solution(x), np.stack([np.sin(x[:, 0]), np.cos(x[:, 0])], axis=1), atol=1e-5)


NOWHERE: dict[str, tuple[Callable[[], object], str]] = {
    "waves too short": (lambda: helmholtz(npde.Helmholtz(1e30)), "radians across .*rounding"),
    "waves too slow": (lambda: helmholtz(npde.Helmholtz(3.0, 1e-30)), "radians across .*rounding"),
    "waves too long": (lambda: helmholtz(npde.Helmholtz(1e-30)), "k² is negligible.*use Poisson"),
    "wall of a layer": (lambda: npde.PML(0.2, strength=1e9), "PML strength is 1e9, so steep"),
    "source far outside": (lambda: source_at((3.0, 3.0)), "too far to have an effect; move the source inside"),
    "source beside a line": (
        lambda: npde.Problem(
            "w", npde.Interval(0, 1).over(npde.Time(0, 1)), npde.Wave(), npde.GaussianSource((3.0, 0.5), 0.01)
        ),
        "too far to have an effect",
    ),
    "source not finite": (lambda: npde.Problem("p", SQUARE, npde.Poisson(), lambda x: x[:, 0] * np.nan), "not finite"),
    "value not finite": (
        lambda: npde.Problem("p", SQUARE, npde.Poisson(), boundary=npde.Dirichlet(lambda x: x[:, 0] * np.nan)),
        "value of the condition .* is nan at",
    ),
    "exact not finite": (lambda: with_exact(lambda x: x[:, 0] * np.nan), r"exact\(x\) is nan at"),
    "exact of points": (lambda: with_exact(lambda x: x), r"exact\(x\) returned the shape \(17, 2\)"),
    "exact number": (lambda: with_exact(lambda x: 1.0), r"exact\(x\) returned the shape \(\)"),
    "exact of nothing": (lambda: with_exact(lambda: 1.0), r"exact\(x\) failed"),
    "flat polygon": (lambda: npde.Polygon([(0, 0), (1, 0), (0.5, 1e-18)]), "vertices lie on a line"),
    "crossing polygon": (lambda: npde.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)]), "order the vertices"),
    "box lost in rounding": (lambda: npde.Box((1e20, 1e20 + 65536), (0, 1)), "less than the rounding error"),
    "box too small": (lambda: npde.Box((0, 1e-200), (0, 1)), "less than the rounding error"),
    "points beyond numbers": (
        lambda: npde.Mesh(1e200 * np.eye(4, 3), [[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]]),
        "reach 1e\\+200.* keep them below",
    ),
    "two triangles": (lambda: npde.Mesh(np.eye(3), [[0, 1, 2], [0, 2, 1]]), "encloses no volume"),
    "one triangle": (lambda: npde.Mesh(np.eye(3), [[0, 1, 2]]), "is not closed"),
    "one point": (lambda: npde.Mesh(np.zeros((4, 3)), [[0, 1, 2], [0, 2, 3]]), "are all the same"),
    "cloud of one point": (lambda: npde.PointCloud(np.ones((20, 3)), np.ones((20, 3))), "are all the same"),
    "flat cloud": (
        lambda: npde.PointCloud(np.random.default_rng(38291).random((20, 3)) * [1, 1, 0], np.ones((20, 3))),
        "encloses no volume",
    ),
}  # fmt: skip


def helmholtz(equation: npde.Helmholtz) -> npde.Problem:
    return npde.Problem("h", SQUARE, equation, boundary=npde.Dirichlet(0.0))


def source_at(place: tuple[float, float]) -> npde.Problem:
    return npde.Problem("p", SQUARE, npde.Poisson(), npde.GaussianSource(place, 0.01), npde.Dirichlet(0.0))


def with_exact(exact: Callable[..., Any]) -> npde.Problem:
    return npde.Problem("p", SQUARE, npde.Poisson(), 1.0, npde.Dirichlet(0.0), exact=exact)


@pytest.mark.parametrize("case", NOWHERE)
def test_what_has_no_meaning_is_refused(case: str) -> None:
    make, message = NOWHERE[case]
    with pytest.raises(DeclarationError, match=message):
        make()


def test_a_source_whose_tail_alone_reaches_in_is_warned_of() -> None:
    with pytest.warns(npde.DeclarationWarning, match="only its tail lies inside"):
        source_at((1.05, 0.5))


def test_repeated_points_of_a_cloud_count_once() -> None:
    angles = np.linspace(0, 6, 30)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    twice = npde.PointCloud(np.repeat(circle, 2, axis=0), np.repeat(circle, 2, axis=0))
    assert twice == npde.PointCloud(circle, circle)
