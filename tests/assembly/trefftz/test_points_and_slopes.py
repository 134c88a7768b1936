"""Potentials of points, of Gaussians where the reaction is negative, and what slopes alone determine."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.special import j0, k0, y0

import neurapde as npde

AT = np.array([0.2, -0.1])
Values = np.ndarray
BOX = npde.Box((-1, 1), (-1, 1))


def away(x: Values, at: Values = AT) -> Values:
    return np.asarray(np.hypot(*(np.asarray(x) - at).T))


def mirrored(x: Values) -> Values:
    """Green's function of the unit disk, by the source's image in the circle."""
    image = AT / (AT @ AT)
    return np.asarray(np.log(away(x, image) * np.hypot(*AT) / away(x)) / (2 * np.pi))


CASES = {
    "disk": (npde.Disk((0, 0), 1), npde.Poisson(), npde.PointSource(AT), None, mirrored),
    "screened": (BOX, npde.Poisson(2.0, 18.0), npde.PointSource(AT, 2.0), 1.0, lambda x: k0(3 * away(x)) / (2 * np.pi)),
    "standing": (BOX, npde.Poisson(2.0, -18.0), npde.PointSource(AT, 2.0), 1.0, lambda x: -y0(3 * away(x)) / 4),
    "Gaussian, standing": (
        BOX,
        npde.Poisson(2.0, -18.0),
        npde.GaussianSource(AT, 1e-3, 2.0),
        1.0,
        lambda x: -np.exp(-9e-3 / 2) * y0(3 * away(x)) / 4 + j0(3 * away(x)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_sources_have_their_potentials(name: str) -> None:
    domain, equation, source, given, truth = CASES[name]
    sides = npde.Dirichlet(0.0 if given is None else truth)
    solution = npde.solve(npde.Problem(name, domain, equation, [source], sides), method=npde.Trefftz())
    points = domain.sample(500, how="grid").numpy()
    points = points[away(points) > 0.4]
    values, exact = np.asarray(solution(points)), truth(points)
    error = np.linalg.norm(values - exact) / np.linalg.norm(exact)
    assert error < 3 * solution.stages[-1].extras["error_estimate"] + 1e-12
    assert error < 1e-5


def test_slopes_alone_determine_a_field_up_to_its_mean() -> None:
    domain = npde.Polygon([(-1, -1), (1, -1), (1, 0), (0, 0), (0, 1), (-1, 1)])
    normals = [(0, -1), (1, 0), (0, 1), (1, 0), (0, 1), (-1, 0)]

    def slope(x: Values, normal: tuple[int, int]) -> Values:
        return np.exp(x[:, 0]) * (normal[0] * np.cos(x[:, 1]) - normal[1] * np.sin(x[:, 1]))

    sides = [
        npde.Neumann(lambda x, normal=normal: slope(x, normal), on=face)
        for face, normal in zip(domain.faces, normals, strict=True)
    ]
    solution = npde.solve(npde.Problem("slopes", domain, npde.Poisson(), [], sides))
    points = domain.sample(4000, how="grid").numpy()
    values, exact = np.asarray(solution(points)), np.exp(points[:, 0]) * np.cos(points[:, 1])
    assert solution.method.startswith("Trefftz")
    assert abs(values.mean()) < 1e-9
    np.testing.assert_allclose(values, exact - exact.mean(), atol=1e-5)


def test_current_between_two_points_leaves_through_neither_side_nor_interface() -> None:
    """∮ a ∂u/∂n = −1 round the source alone, within the inclusion that it lies in and around it."""
    core = npde.Disk((-0.4, 0.1), 0.3)
    sources = [npde.PointSource((-0.4, 0.1)), npde.PointSource((0.5, -0.2), -1.0)]
    solution = npde.solve(
        npde.Problem("pair", BOX, npde.Poisson(npde.Piecewise(1.0, (core, 5.0))), sources, npde.Neumann(0.0))
    )
    turn = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    normal = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    for radius, a in ((0.2, 5.0), (0.4, 1.0)):
        slopes = np.asarray(solution.gradient(np.array([-0.4, 0.1]) + radius * normal))
        assert a * (slopes * normal).sum(1).mean() * 2 * np.pi * radius == pytest.approx(-1.0, abs=1e-5)


@pytest.mark.parametrize(
    ("domain", "at", "words"),
    [
        (BOX, (1.0, 0.2), "does not lie within"),
        (npde.Interval(0, 1), (0.5,), "in two or three dimensions"),
    ],
)
def test_points_without_a_known_potential_are_refused(
    domain: npde.Domain, at: tuple[float, ...], words: str
) -> None:
    with pytest.raises(npde.DeclarationError, match=words):
        npde.Problem("point", domain, npde.Poisson(), [npde.PointSource(at)], npde.Dirichlet(0.0))


@pytest.mark.parametrize(
    "solve",
    [
        lambda problem: npde.solve(problem, method=npde.Galerkin()),
        lambda problem: npde.solve(problem, method=npde.LeastSquares()),
        lambda problem: npde.solve(problem, method=npde.Adam(steps=1)),
        npde.reference,
    ],
)
def test_ways_that_ask_for_densities_name_the_one_that_does_not(
    solve: Callable[[npde.Problem], object],
) -> None:
    problem = npde.Problem("point", BOX, npde.Poisson(), [npde.PointSource((0.1, 0.2))], npde.Dirichlet(0.0))
    with pytest.raises(npde.DeclarationError, match="no density; use Trefftz"):
        solve(problem)
