"""Separable where coefficients vary, where conditions are joined or mixed, for waves in a box, and for narrow sources."""

from typing import Any

import numpy as np
import pytest

import neurapde as npde
from neurapde.reference_solvers.grids.grid import ResolutionWarning
from neurapde.training.run.method import Status
from support import relative

BOX = npde.Box((-1, 1), (0, 2))
SIDES = {"left": (0, -1), "right": (0, 1), "bottom": (1, -1), "top": (1, 1)}


def found(problem: npde.Problem, method: npde.Separable | None = None) -> tuple[float, float]:
    """The error of a solution, and its estimate."""
    solution = npde.solve(problem, method=method or npde.Separable(), progress=False)
    points = problem.domain.sample(500, how="grid").numpy()
    assert problem.exact is not None
    error = relative(np.asarray(solution(points)), np.asarray(problem.exact(points)))
    return error, float(solution.stages[-1].extras["error_estimate"])


def exact(x: Any) -> Any:
    return npde.sin(2 * x[:, 0] + x[:, 1]) + x[:, 1] * x[:, 0] ** 2


def slope(x: Any, axis: int) -> Any:
    turned = npde.cos(2 * x[:, 0] + x[:, 1])
    return (2 * turned + 2 * x[:, 1] * x[:, 0], turned + x[:, 0] ** 2)[axis]


def varying(kinds: str, contrast: float, less: float = 0.0) -> npde.Problem:
    """−∇·(a∇u) + (1 + x² − less) u = f with a from 1/contrast to contrast."""
    b = np.log(contrast)

    def coefficient(x: Any) -> Any:
        return npde.exp(b * npde.sin(2 * x[:, 0] + x[:, 1]))

    def reaction(x: Any) -> Any:
        return 1 + x[:, 0] ** 2 - less

    def source(x: Any) -> Any:
        a, turned = coefficient(x), b * npde.cos(2 * x[:, 0] + x[:, 1])
        laplacian = -5 * npde.sin(2 * x[:, 0] + x[:, 1]) + 2 * x[:, 1]
        return -a * (laplacian + turned * (2 * slope(x, 0) + slope(x, 1))) + reaction(x) * exact(x)

    def condition(kind: str, face: str) -> Any:
        axis, sign = SIDES[face]
        if kind == "D":
            return npde.Dirichlet(exact, on=face)
        if kind == "N":
            return npde.Neumann(lambda x: sign * slope(x, axis), on=face)
        return npde.Robin(
            reaction, 2.0, lambda x: reaction(x) * exact(x) + 2 * sign * slope(x, axis), on=face
        )

    conditions = [condition(kind, face) for kind, face in zip(kinds, SIDES, strict=True)]
    return npde.Problem("varying", BOX, npde.Poisson(coefficient, reaction), source, conditions, exact=exact)


@pytest.mark.parametrize("kinds", ["DDDD", "DNRD", "NNNN"])
def test_smooth_coefficients_are_iterated_on(kinds: str) -> None:
    error, estimate = found(varying(kinds, 5.0))
    assert error < 1e-8
    assert error < estimate < 1e-8


def test_a_form_that_is_not_definite_is_iterated_on_too() -> None:
    error, estimate = found(varying("DNDD", 2.0, less=30.0))
    assert error < 3 * estimate
    assert estimate < 1e-8


def test_opposite_faces_are_joined() -> None:
    def turning(x: Any) -> Any:
        return npde.sin(np.pi * x[:, 0] + 0.4) * npde.exp(x[:, 1])

    conditions = [npde.Periodic("x"), npde.Dirichlet(turning, on=("bottom", "top"))]
    problem = npde.Problem(
        "ring", BOX, npde.Poisson(), lambda x: (np.pi**2 - 1) * turning(x), conditions, exact=turning
    )
    assert found(problem)[0] < 1e-8


def test_with_slopes_alone_the_mean_is_zero() -> None:
    problem = npde.Problem(
        "free",
        BOX,
        npde.Poisson(lambda x: 1 + x[:, 0] ** 2 / 2),
        lambda x: x[:, 0],
        npde.Neumann(0.0),
    )
    solution = npde.solve(problem, method=npde.Separable(), progress=False)
    x = np.linspace(-1, 1, 2001)
    flux = (1 - x**2) / 2 / (1 + x**2 / 2)
    integral = np.concatenate([[0.0], np.cumsum((flux[1:] + flux[:-1]) / 2)]) * (x[1] - x[0])
    middle = np.stack((x, np.full_like(x, 0.7)), axis=1)
    assert np.allclose(np.asarray(solution(middle)), integral - np.trapezoid(integral, x) / 2, atol=1e-6)


@pytest.mark.parametrize("wavenumber", [4.0, 21.0])
def test_standing_waves_of_several_shots_are_found_in_one_solve(wavenumber: float) -> None:
    p = np.array([np.pi / 2, np.pi])

    def mode(x: Any, first: int, second: int) -> Any:
        return npde.sin(first * p[0] * (x[:, 0] + 1)) * npde.cos(second * p[1] * x[:, 1])

    def source(first: int, second: int) -> npde.FunctionSource:
        rate = wavenumber**2 - (first * p[0]) ** 2 - (second * p[1]) ** 2
        return npde.FunctionSource(lambda x: rate * mode(x, first, second) * (1 + 2j))

    problem = npde.Problem(
        "modes",
        BOX,
        npde.Helmholtz(wavenumber),
        npde.Shots(source(1, 2), source(3, 0)),
        [npde.Dirichlet(0.0, on=("left", "right")), npde.Neumann(0.0, on=("bottom", "top"))],
    )
    solution = npde.solve(problem, progress=False)
    points = BOX.sample(300, how="grid").numpy()
    field = np.asarray(solution(points))
    for column, (first, second) in enumerate([(1, 2), (3, 0)]):
        assert relative(field[:, column], (1 + 2j) * mode(points, first, second)) < 1e-8


def test_a_lens_in_a_box_is_iterated_on_as_its_residual_tells() -> None:
    def speed(x: Any) -> Any:
        return 1 + 0.2 * npde.exp(-4 * (x[:, 0] ** 2 + (x[:, 1] - 1) ** 2))

    def field(x: Any) -> Any:
        return npde.sin(6 * x[:, 0]) * npde.cos(5 * x[:, 1])

    problem = npde.Problem(
        "lens",
        BOX,
        npde.Helmholtz(8.0, speed),
        lambda x: (64 / speed(x) ** 2 - 61) * field(x),
        npde.Dirichlet(field),
        exact=field,
    )
    error, estimate = found(problem)
    assert error < 3 * estimate
    assert estimate < 1e-8


@pytest.mark.slow
def test_a_source_between_the_points_of_the_first_levels_is_seen() -> None:
    width = 0.01

    def spot(x: Any) -> Any:
        return npde.exp(-((x[:, 0] - 0.137) ** 2 + (x[:, 1] - 0.731) ** 2) / (2 * width**2))

    def smooth(x: Any) -> Any:
        return npde.cos(np.pi * x[:, 0] / 2) * npde.sin(np.pi * x[:, 1] / 2)

    def combined(x: Any) -> Any:
        return smooth(x) + 0.3 * spot(x)

    def source(x: Any) -> Any:
        square = ((x[:, 0] - 0.137) ** 2 + (x[:, 1] - 0.731) ** 2) / width**2
        return np.pi**2 / 2 * smooth(x) - 0.3 * (square - 2) / width**2 * spot(x)

    problem = npde.Problem("spot", BOX, npde.Poisson(), source, npde.Dirichlet(0.0), exact=combined)
    with pytest.warns(ResolutionWarning, match="above the tolerance"):
        few = npde.solve(problem, method=npde.Separable(tolerance=1e-4, largest=40), progress=False)
    assert few.status is Status.UNRESOLVED
    error, estimate = found(problem, npde.Separable(tolerance=1e-3))
    points = npde.Box((0.1, 0.17), (0.7, 0.76)).sample(200, how="grid").numpy()
    solution = npde.solve(problem, method=npde.Separable(tolerance=1e-3), progress=False)
    assert relative(np.asarray(solution(points)), combined(points)) < 0.03
    assert error < 3 * estimate
