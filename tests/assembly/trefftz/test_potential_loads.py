"""Loads that are functions of the place: smooth ones, singular ones at a corner, and those given in pieces."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.assembly.trefftz.potentials.loads import Medium
from neurapde.assembly.trefftz.potentials.polar import PolarRule, Sector, growth
from neurapde.assembly.trefftz.potentials.sines import sines_load, sines_on
from neurapde.jets.layout import Layout
from neurapde.problems import poisson_l_shape

L_SHAPE = npde.Polygon([(-1, -1), (0, -1), (0, 0), (1, 0), (1, 1), (-1, 1)])
DOMAINS = {
    "disk": npde.Disk((0.3, -0.2), 1.5),
    "triangle": npde.Polygon([(0, 0), (3, 0.2), (1, 2)]),
    "L": L_SHAPE,
    "hole": npde.Box((-1, 1), (-1, 1)) - npde.Disk((0.2, 0.1), 0.3),
}
ALL = Layout(2, 2, ((0, 1),))


def wave(x: Any) -> Any:
    """A field with Δu = −3.51 u."""
    return npde.exp(0.7 * x[:, 0]) * npde.sin(2 * x[:, 1])


def solved(problem: npde.Problem, exact: Any, tolerance: float = 1e-9) -> float:
    """The relative error of Trefftz, which must be at most three times what is stated."""
    solution = npde.solve(problem, method=npde.Trefftz(tolerance, seconds=900))
    points = problem.domain.sample(3000, how="sobol", generator=torch.Generator().manual_seed(61717))
    truth = exact(points).numpy()
    error = float(np.linalg.norm(solution(points).numpy() - truth) / np.linalg.norm(truth))
    assert error < 3 * float(solution.stages[-1].extras["error_estimate"])
    return error


@pytest.mark.parametrize("reaction", [0.0, 3.0, -5.0])
@pytest.mark.parametrize("domain", DOMAINS)
def test_a_smooth_load_has_its_field(domain: str, reaction: float) -> None:
    problem = npde.Problem(
        "smooth",
        DOMAINS[domain],
        npde.Poisson(2.0, reaction),
        [lambda x: (7.02 + reaction) * wave(x)],
        npde.Dirichlet(wave),
    )

    assert solved(problem, wave) < 1e-10


@pytest.mark.parametrize(
    ("opening", "turned"),
    [
        pytest.param(1.2, 0.7, marks=pytest.mark.slow),
        (1.5, -2.0),
        pytest.param(1.7, 3.0, marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize(
    "smooth",
    [pytest.param(0.0, marks=pytest.mark.slow), 1.0],
    ids=["singular", "and a smooth part"],
)
def test_a_load_that_is_singular_at_a_corner_has_its_field(
    opening: float, turned: float, smooth: float
) -> None:
    """u = cos y r^α sin αθ + smooth |x|²/4 in turned coordinates about a corner away from the origin."""
    at, turn, alpha = complex(0.37, -1.2), np.exp(1j * turned), 1 / opening

    def polar(x: Any) -> tuple[Any, Any, Any]:
        xp = np if isinstance(x, np.ndarray) else torch
        a, b = x[:, 0] - at.real, x[:, 1] - at.imag
        a, b = a * turn.real + b * turn.imag, b * turn.real - a * turn.imag
        angle = xp.arctan2(b, a)
        return (a**2 + b**2 + 1e-300) ** 0.5, xp.where(angle < -1e-9, angle + 2 * math.pi, angle), b

    def exact(x: Any) -> Any:
        r, angle, y = polar(x)
        return npde.cos(y) * r**alpha * npde.sin(alpha * angle) + smooth * r**2 / 4

    def load(x: Any) -> Any:
        r, angle, y = polar(x)
        singular = npde.cos(y) * r**alpha * npde.sin(alpha * angle)
        return singular + 2 * npde.sin(y) * alpha * r ** (alpha - 1) * npde.cos((alpha - 1) * angle) - smooth

    corners = [at, *(at + 1.3 * turn * np.exp(1j * np.linspace(0, math.pi * opening, 7)))]
    domain = npde.Polygon([(corner.real, corner.imag) for corner in corners])
    problem = npde.Problem("wedge", domain, npde.Poisson(), [load], npde.Dirichlet(exact))

    assert solved(problem, exact, 1e-7) < 1e-7


@pytest.mark.slow
def test_the_l_shape_is_left_to_functions_that_solve_the_equation_and_stored(tmp_path: Path) -> None:
    problem = poisson_l_shape()
    assert problem.exact is not None

    assert solved(problem, problem.exact) < 1e-9
    solution = npde.solve(problem)

    assert "Trefftz" in solution.notes[0]
    solution.save(tmp_path / "l.h5")
    points = problem.domain.sample(200, how="grid")
    loaded = npde.load(tmp_path / "l.h5")
    assert torch.allclose(loaded(points), solution(points), rtol=1e-12, atol=1e-12)


def test_a_load_that_is_given_in_pieces_has_its_field() -> None:
    """f = 4 in a disk of radius 1/2 within one of radius 1, and sin of the place on top of it elsewhere."""
    inner, outer = npde.Disk((0.0, 0.0), 0.5), npde.Disk((0.0, 0.0), 1.0)

    def exact(x: Any) -> Any:
        square = (x**2).sum(1)
        return npde.where(
            square < 0.25, 0.25 - square - 0.5 * math.log(0.5), -0.25 * npde.log(square + 1e-300)
        )

    problem = npde.Problem(
        "pieces",
        outer,
        npde.Poisson(),
        [npde.Piecewise(0.0, (inner, 4.0)), lambda x: 5 * npde.sin(2 * x[:, 0] + x[:, 1])],
        npde.Dirichlet(lambda x: npde.sin(2 * x[:, 0] + x[:, 1])),
    )

    assert solved(problem, lambda x: exact(x) + npde.sin(2 * x[:, 0] + x[:, 1])) < 1e-10


@pytest.mark.parametrize("medium", [Medium(2.0), Medium(2.0, 3.0), Medium(1.0, -40.0)])
def test_sines_have_the_load_they_are_fitted_to(medium: Medium) -> None:
    lower, upper = np.array([-1.0, 2.0]), np.array([0.5, 2.7])
    extension, points = sines_on(lower, upper, 24, medium)
    load = sines_load(np.exp(points[:, 0]) * np.cos(3 * points[:, 1]), extension, lower, upper)
    field = load.particular(medium)

    x = np.random.default_rng(60317).uniform(lower, upper, (50, 2))
    value, dx, dy, dxx, dyy, dxy = field.channels(x, ALL)

    density = np.exp(x[:, 0]) * np.cos(3 * x[:, 1])
    assert np.abs(medium.reaction * value - medium.coefficient * (dxx + dyy) - density).max() < 1e-9
    assert_derivatives(lambda p: field.channels(p, ALL)[0], x, (dx, dy), 1e-6)
    assert_derivatives(lambda p: field.channels(p, ALL)[1], x, (dxx, dxy), 1e-5)


def test_powers_at_a_corner_have_the_load_they_are_fitted_to() -> None:
    sector = Sector(0.2 - 0.3j, np.exp(0.4j), 2.0, 1.5)

    def density(p: np.ndarray) -> np.ndarray:
        r, angle = sector.polar(p)
        return np.asarray((1.5 * r) ** -0.4 * np.cos(angle + 0.3) * np.exp(p[:, 1]))

    rule = PolarRule.of(sector, -0.4, 20)
    load = rule.load(density(rule.points))
    field = load.particular(2.0)

    x = sector.places(np.array([0.1, 0.4, 0.9]), np.array([-0.9, 0.05, 0.7]))
    _, dx, dy, dxx, dyy, dxy = field.channels(x, ALL)
    assert np.abs(-2 * (dxx + dyy) - density(x)).max() < 1e-9
    assert_derivatives(lambda p: field.channels(p, ALL)[0], x, (dx, dy), 1e-6)
    assert_derivatives(lambda p: field.channels(p, ALL)[2], x, (dxy, dyy), 1e-5)


def test_the_growth_towards_a_corner_is_seen() -> None:
    radii, angles = 2.0 ** -np.arange(6.0, 15.0)[:, None], np.linspace(-1, 1, 9)

    exponent = growth(radii**-0.37 * (np.cos(angles) + radii * np.exp(angles) + radii**2))

    assert exponent == pytest.approx(-0.37, abs=1e-10)
    assert growth(radii**-0.37 + 30 * radii**0.2) is None


def assert_derivatives(value: Any, x: np.ndarray, slopes: tuple[Any, Any], near: float) -> None:
    for axis, slope in enumerate(slopes):
        step = 1e-5 * np.eye(2)[axis]
        assert np.abs((value(x + step) - value(x - step)) / 2e-5 - slope).max() < near * (
            1 + np.abs(slope).max()
        )
