"""Balls in a box, in a ball and in open space: series, images, fields made up beforehand, and poles as another way."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy import special

import neurapde as npde
from neurapde.assembly.trefftz.features.base import Features
from neurapde.assembly.trefftz.features.spherical import SphericalPotentials, SphericalWaves
from neurapde.assembly.trefftz.potentials.loads import Medium
from neurapde.assembly.trefftz.space.loads import SourceInSpace, polynomial_through
from neurapde.core.errors import DeclarationError
from neurapde.jets.layout import Layout
from neurapde.training.run.method import Status

ALL = Layout(3, 2, ((0, 1), (0, 2), (1, 2)))
CENTER = (0.1, 0.2, -0.1)
BOX = npde.Box((-1, 1), (-1, 1), (-1, 1))
OPEN = npde.PML(width=0.3, reflection=1e-9)


def places(count: int = 30, seed: int = 31517) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.8, 0.8, (count, 3))


def is_consistent(channels: Any, points: np.ndarray, step: float = 1e-5) -> None:
    """Derivatives are those of the values, and second ones those of the first, by differences."""
    here = channels(points)
    scale = np.abs(here).max(axis=tuple(range(1, here.ndim)))
    for i in range(3):
        move = step * np.eye(3)[i]
        change = (channels(points + move) - channels(points - move)) / (2 * step)
        np.testing.assert_allclose(change[0], here[1 + i], atol=1e-6 * scale[1 + i])
        for j in range(3):
            np.testing.assert_allclose(
                change[1 + j], here[ALL.second(i, j)], atol=1e-6 * scale[ALL.second(i, j)]
            )


WAVES = [
    SphericalWaves(CENTER, 0.7, 6, wavenumber, outside)
    for wavenumber in (5.0, 4.0 - 0.5j)
    for outside in (False, True)
]
POTENTIALS = [
    SphericalPotentials(CENTER, 0.7, 6, wavenumber, modified, outside)
    for wavenumber, modified in ((0.0, True), (3.0, True), (3.0, False))
    for outside in (False, True)
]


@pytest.mark.parametrize("features", [*WAVES, *POTENTIALS])
def test_features_solve_their_equation(features: Features) -> None:
    points = places()
    points = points[np.linalg.norm(points - CENTER, axis=1) > 0.4]
    if isinstance(features, SphericalWaves):
        square = -(features.wavenumber**2)
    else:
        assert isinstance(features, SphericalPotentials)
        square = features.wavenumber**2 * (1.0 if features.modified else -1.0)

    channels = features.channels(points, ALL)

    assert channels.shape == (10, len(points), 49)
    assert np.abs(channels[4:7].sum(0) - square * channels[0]).max() < 1e-12 * np.abs(channels[4:7]).max()
    is_consistent(lambda x: features.channels(x, ALL), points)


def test_orders_agree_with_another_way_to_bessel_functions() -> None:
    r = np.linspace(0.01, 1.0, 60)
    points = np.stack([0 * r, 0 * r, r], axis=1)
    for outside in (False, True):
        table = SphericalWaves((0.0, 0.0, 0.0), 1.0, 30, 20.0, outside).channels(points, Layout(3, 0))[0]
        for order in (0, 1, 7, 30):
            exact = special.spherical_jn(order, 20 * r).astype(complex)
            if outside:
                exact -= 1j * special.spherical_yn(order, 20 * r)
            column = table[:, order**2 + order]
            np.testing.assert_allclose(column / column[-1], exact / exact[-1], rtol=1e-9)


@pytest.mark.parametrize("reaction", [0.0, 3.0, 400.0, -9.0])
@pytest.mark.parametrize("variance", [None, 0.02])
def test_sources_have_their_fields(reaction: float, variance: float | None) -> None:
    source = npde.PointSource(CENTER) if variance is None else npde.GaussianSource(CENTER, variance)
    potential = SourceInSpace(source, 2.0, reaction)
    points = places(200)
    points = points[np.linalg.norm(points - CENTER, axis=1) > (0.3 if variance is None else 0.0)]

    field = potential.channels(points, ALL)

    load = 0.0 if isinstance(source, npde.PointSource) else np.asarray(source(points))
    size = 2 * np.abs(field[4:7]).max()
    assert np.abs(-2 * field[4:7].sum(0) + reaction * field[0] - load).max() < 1e-11 * size
    is_consistent(lambda x: potential.channels(x, ALL), points)


@pytest.mark.parametrize("reaction", [0.0, 2.0])
def test_polynomial_loads_have_polynomial_fields(reaction: float) -> None:
    points = places(300)
    values = 1 + points[:, 0] ** 2 * points[:, 1] - 3 * points[:, 2] ** 4
    load = polynomial_through(points, values, 4)
    assert load is not None

    field = load.particular(Medium(1.5, reaction)).channels(points, ALL)

    np.testing.assert_allclose(-1.5 * field[4:7].sum(0) + reaction * field[0], values, atol=1e-11)


def sphere_series(
    points: np.ndarray, k: float, radius: float, source: np.ndarray, speed: float | str
) -> np.ndarray:
    """The field of a point source outside a ball at the origin that is "soft", "hard", or has a speed of its own.

    Source: Bowman, Senior, Uslenghi (1969), Electromagnetic and Acoustic Scattering by Simple Shapes, ch. 10.
    """
    away, r = float(np.linalg.norm(source)), np.maximum(np.linalg.norm(points, axis=1), 1e-9)
    n = np.arange(40)[:, None]

    def h(x: Any, derivative: bool = False) -> Any:
        return special.spherical_jn(n, x, derivative) - 1j * special.spherical_yn(n, x, derivative)

    def j(x: Any, derivative: bool = False) -> Any:
        return special.spherical_jn(n, x, derivative)

    legendre = special.eval_legendre(n, (points @ source) / (r * away))
    free = 1j * k / (4 * math.pi) * (2 * n + 1) * h(k * away)
    rim, inside = k * radius, np.zeros_like(free)
    if speed == "soft":
        scattered = -free * j(rim) / h(rim)
    elif speed == "hard":
        scattered = -free * j(rim, True) / h(rim, True)
    else:
        within = k / float(speed)
        a, b = within * j(within * radius, True), j(within * radius)
        scattered = free * (a * j(rim) - k * j(rim, True) * b) / (k * h(rim, True) * b - a * h(rim))
        inside = (free * j(rim) + scattered * h(rim)) / b
    distance = np.linalg.norm(points - source, axis=1)
    with np.errstate(invalid="ignore", over="ignore"):
        outer = (scattered * h(k * np.maximum(r, radius)) * legendre).sum(0)
        inner = (
            0.0
            if isinstance(speed, str)
            else (inside * j(k / speed * np.minimum(r, radius)) * legendre).sum(0)
        )
    return np.where(r < radius, inner, outer - np.exp(-1j * k * distance) / (4 * math.pi * distance))


def relative(problem: npde.Problem, solution: Any, exact: Any, off: Any = None) -> float:
    """L2 error within the physical region, away from a source."""
    points = problem.domain.sample(1500, how="grid").numpy()
    points = points[problem.physical(points)]
    if off is not None:
        points = points[np.linalg.norm(points - off, axis=1) > 0.1]
    values = exact(points)
    return float(np.linalg.norm(np.asarray(solution(points)) - values) / np.linalg.norm(values))


@pytest.mark.parametrize("speed", ["soft", "hard", 2.0])
def test_a_ball_in_open_space_has_its_series(speed: float | str) -> None:
    source, ball = np.array([0.1, 0.0, -0.65]), npde.Ball((0, 0, 0), 0.25)
    if isinstance(speed, str):
        kind = npde.Dirichlet if speed == "soft" else npde.Neumann
        domain, medium, sides = BOX - ball, 1.0, [OPEN, kind(0.0, on="ball")]
    else:
        domain, medium, sides = BOX, npde.Piecewise(1.0, (ball, speed)), [OPEN]
    problem = npde.Problem(
        "ball", domain, npde.Helmholtz(4.0, medium), [npde.PointSource(source.tolist())], sides
    )

    solution = npde.solve(problem, method=npde.Trefftz(1e-4), progress=False)

    assert solution.status is Status.CONVERGED
    error = relative(problem, solution, lambda x: sphere_series(x, 4.0, 0.25, source, speed), source)
    assert error < 1e-4
    assert error < 3 * float(solution.stages[-1].extras["error_estimate"])


def test_the_default_chooses_it() -> None:
    problem = npde.Problem(
        "two",
        BOX - npde.Ball((0.4, 0, 0), 0.2) - npde.Ball((-0.4, 0, 0), 0.2),
        npde.Helmholtz(2.0),
        [npde.PointSource((0, 0.5, 0))],
        [OPEN, npde.Neumann(0.0, on=("ball", "ball-2"))],
    )

    assert npde.Trefftz().obstacle(problem) is None


def test_two_soft_balls_agree_with_poles() -> None:
    """Point waves within each ball, fitted at its surface: an other way that shares no functions."""
    k, source = 2.0, np.array([0.0, 0.5, 0.1])
    balls = [(np.array([0.35, 0.0, 0.0]), 0.15), (np.array([-0.3, -0.1, 0.0]), 0.2)]
    domain: Any = BOX
    for center, radius in balls:
        domain = domain - npde.Ball(center.tolist(), radius)
    problem = npde.Problem(
        "two",
        domain,
        npde.Helmholtz(k),
        [npde.PointSource(source.tolist())],
        [OPEN, npde.Dirichlet(0.0, on=("ball", "ball-2"))],
    )
    draw = np.random.default_rng(40111).normal(size=(4, 400, 3))
    draw /= np.linalg.norm(draw, axis=2, keepdims=True)
    poles = np.concatenate([c + 0.35 * r * draw[i, :130] for i, (c, r) in enumerate(balls)])
    rims = np.concatenate([c + r * draw[2 + i] for i, (c, r) in enumerate(balls)])

    def waves(points: np.ndarray, at: np.ndarray) -> np.ndarray:
        r = np.linalg.norm(points[:, None] - at, axis=2)
        return np.asarray(np.exp(-1j * k * r) / (4 * math.pi * r))

    strengths = np.linalg.lstsq(waves(rims, poles), waves(rims, source[None])[:, 0], rcond=1e-13)[0]

    solution = npde.solve(problem, method=npde.Trefftz(1e-4), progress=False)

    def other(points: np.ndarray) -> np.ndarray:
        return np.asarray(waves(points, poles) @ strengths - waves(points, source[None])[:, 0])

    assert relative(problem, solution, other, source) < 1e-4


def test_a_charge_in_a_grounded_sphere_has_its_image() -> None:
    at = np.array([0.4, 0.1, 0.0])
    image, share = at / (at @ at), 1 / np.linalg.norm(at)
    problem = npde.Problem(
        "image",
        npde.Ball((0, 0, 0), 1.0),
        npde.Poisson(),
        [npde.PointSource(at.tolist())],
        npde.Dirichlet(0.0),
    )

    solution = npde.solve(problem, progress=False)

    def exact(x: np.ndarray) -> np.ndarray:
        near, far = (np.linalg.norm(x - place, axis=1) for place in (at, image))
        return np.asarray((1 / near - share / far) / (4 * math.pi))

    assert "Trefftz" in " ".join(solution.notes)
    assert relative(problem, solution, exact, at) < 1e-6


@pytest.mark.parametrize("reaction", [0.0, 4.0])
def test_a_field_that_is_made_up_is_found_between_a_box_and_a_ball(reaction: float) -> None:
    kappa, at = math.sqrt(reaction), (0.15, 0.1, 0.1)

    def field(x: Any) -> Any:
        r = sum((x[:, i] - at[i]) ** 2 for i in range(3)) ** 0.5
        return (torch.exp(-kappa * r) if isinstance(x, torch.Tensor) else np.exp(-kappa * r)) / r

    problem = npde.Problem(
        "made up",
        npde.Box((-1, 1), (-1, 1.2), (-0.8, 1)) - npde.Ball((0.1, 0, 0.1), 0.4),
        npde.Poisson(reaction=reaction),
        [],
        npde.Dirichlet(field),
    )

    solution = npde.solve(problem, progress=False)

    assert "Trefftz" in " ".join(solution.notes)
    assert relative(problem, solution, field) < 1e-6


def test_a_load_in_layers_of_a_ball_has_its_radial_field(tmp_path: Path) -> None:
    inner = npde.Ball((0, 0, 0), 0.5, name="inner")
    problem = npde.Problem(
        "layers",
        npde.Ball((0, 0, 0), 1.0),
        npde.Poisson(npde.Piecewise(1.0, (inner, 10.0))),
        [1.0],
        npde.Dirichlet(0.0),
    )

    solution = npde.solve(problem, progress=False)

    def exact(x: np.ndarray) -> np.ndarray:
        square = (x**2).sum(1)
        return np.where(square > 0.25, (1 - square) / 6, 0.125 + (0.25 - square) / 60)

    assert relative(problem, solution, exact) < 1e-10
    solution.save(tmp_path / "layers.h5")
    again = npde.load(tmp_path / "layers.h5")
    points = problem.domain.sample(50, how="grid").numpy()
    np.testing.assert_allclose(np.asarray(again(points)), np.asarray(solution(points)), atol=1e-12)
    gradient = np.asarray(solution.gradient(points))
    slope = np.where((points**2).sum(1) > 0.25, -1 / 3, -1 / 30)
    np.testing.assert_allclose(gradient, slope[:, None] * points, atol=1e-9)


def test_slopes_alone_give_the_field_whose_mean_is_zero() -> None:
    problem = npde.Problem(
        "slopes",
        npde.Ball((0, 0, 0), 1.0),
        npde.Poisson(),
        [],
        npde.Neumann(lambda x: 2 * x[:, 0] * x[:, 1] + x[:, 2]),
    )

    solution = npde.solve(problem, progress=False)

    assert relative(problem, solution, lambda x: x[:, 0] * x[:, 1] + x[:, 2]) < 1e-6


@pytest.mark.parametrize(
    ("domain", "equation", "sides", "why"),
    [
        (
            BOX,
            npde.Helmholtz(2.0, npde.Piecewise(1.0, (npde.Box((-0.2, 0.2), (-0.2, 0.2), (-0.2, 0.2)), 2.0))),
            OPEN,
            "only balls",
        ),
        (
            BOX,
            npde.Helmholtz(
                2.0,
                npde.Piecewise(1.0, (npde.Ball((0, 0, 0), 0.3), 2.0), (npde.Ball((0.3, 0, 0), 0.3), 3.0)),
            ),
            OPEN,
            "cross",
        ),
        (BOX - npde.Ball((1, 0, 0), 0.3), npde.Poisson(), npde.Dirichlet(0.0), "cross"),
        (
            BOX - npde.Ball((0, 0, 0), 0.3),
            npde.Helmholtz(2.0),
            [
                npde.PML(0.3, reflection=1e-9, on=("left",)),
                npde.Dirichlet(0.0, on=("right", "bottom", "top", "front", "back", "ball")),
            ],
            "some faces",
        ),
    ],
)
def test_what_it_cannot_take_is_said(domain: Any, equation: Any, sides: Any, why: str) -> None:
    problem = npde.Problem("refused", domain, equation, [], sides)

    with pytest.raises(DeclarationError, match=why):
        npde.solve(problem, method=npde.Trefftz(), progress=False)
