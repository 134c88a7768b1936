"""A surface through the grid: images of a source in a tilted plane, a curved standing wave, the transpose, and the order."""

import numpy as np
import pytest
from scipy.special import hankel2

from neurapde.reference_solvers.grids.grid import Grid
from neurapde.reference_solvers.grids.surface import Surface
from neurapde.reference_solvers.helmholtz import HelmholtzGrid

K = 2 * np.pi
LOSSY = (1 - 2.5j / K) ** 2
"""m that damps waves of a wavelength 1 before they come back from the sides."""
SIDE = 8.0


def tilted(slope: float) -> Surface:
    x = np.linspace(-1, SIDE + 1, 4000)
    return Surface(np.stack([x, 0.5 + slope * (x - SIDE / 2)], axis=1), 1)


def lossy_scheme(surface: Surface, per_wavelength: int) -> HelmholtzGrid:
    nodes = int(SIDE * per_wavelength) + 1
    return HelmholtzGrid(Grid((0, -3.5), (SIDE, 4.5), (nodes, nodes)), K, LOSSY, surface=surface)


def error(slope: float, depth: float, per_wavelength: int, variance: float = 0.0) -> float:
    """Relative to the exact half-plane's field, at places from just below the surface to three wavelengths below it."""
    surface = tilted(slope)
    normal = np.array([-slope, 1.0]) / np.hypot(slope, 1.0)
    foot = np.array([SIDE / 2 + 0.013, 0.5 + slope * 0.013])
    source, image = foot + depth * normal, foot - depth * normal
    scheme = lossy_scheme(surface, per_wavelength)
    load = scheme.gaussian_load(source, variance) if variance else scheme.point_load(source[None])[..., 0]
    places = np.random.default_rng(40213).uniform((2.5, 0.3), (5.5, 3.0), (400, 2))
    below, away = surface.below(places), np.linalg.norm(places - source, axis=1)
    places = places[(below > 0.02) & (away > 0.7)]
    k = K * np.sqrt(LOSSY)
    waves = [hankel2(0, k * np.linalg.norm(places - place, axis=1)) for place in (source, image)]
    exact = 0.25j * (waves[0] - waves[1]) * np.exp(-(k**2) * variance / 2)
    return float(
        np.linalg.norm(scheme.receivers(places) @ scheme.solve(load).ravel() - exact) / np.linalg.norm(exact)
    )


@pytest.mark.parametrize("slope", [0.0, 0.3, -0.7])
def test_waves_below_a_tilted_surface_are_those_of_the_source_and_its_image_to_fourth_order(
    slope: float,
) -> None:
    coarse, fine = error(slope, 1.0, 8), error(slope, 1.0, 14)
    assert np.log(coarse / fine) / np.log(14 / 8) > 3.5
    assert fine < 4e-4


@pytest.mark.parametrize(("slope", "depth"), [(0.3, 0.05), (-0.7, 0.02), (0.3, 0.2)])
def test_a_source_less_than_a_cell_below_a_tilted_surface_has_its_exact_strength(
    slope: float, depth: float
) -> None:
    assert error(slope, depth, 12) < 3e-3


@pytest.mark.parametrize("variance", [0.03**2, 0.15**2])
def test_a_gaussian_below_a_tilted_surface_has_the_field_of_its_mass(variance: float) -> None:
    assert error(0.3, 0.6, 12, variance) < 1e-3


def test_a_surface_at_larger_y_is_the_same_upside_down() -> None:
    below, above = tilted(0.3), tilted(0.3)
    above = Surface(above.line * [1, -1], -1)
    place = np.array([[4.0, 1.1]])
    nodes = int(SIDE * 8) + 1
    fields = []
    for surface, sign in ((below, 1), (above, -1)):
        low, high = sorted((sign * -3.5, sign * 4.5))
        scheme = HelmholtzGrid(Grid((0, low), (SIDE, high), (nodes, nodes)), K, LOSSY, surface=surface)
        fields.append(scheme.solve(scheme.point_load(place * [1, sign]))[:, ::sign, 0])
    np.testing.assert_allclose(fields[0], fields[1], atol=1e-9 * np.abs(fields[0]).max())


def standing(per_wavelength: int, height: float) -> float:
    """The largest error of sin ky + a cos kx, which is zero on a curve, with its values given at the other sides."""
    nodes = 2 * per_wavelength + 1
    grid, x = Grid((0.0, -1.13), (2.0, 0.87), (nodes, nodes)), np.linspace(-0.3, 2.3, 4000)
    surface = Surface(np.stack([x, -np.arcsin(height * np.cos(K * x)) / K], axis=1), 1)
    scheme = HelmholtzGrid(grid, K, 1.0, surface=surface)
    exact = (np.sin(K * grid.points[:, 1]) + height * np.cos(K * grid.points[:, 0])).reshape(grid.shape)
    found = scheme.continued(scheme.solve(np.zeros(grid.shape), exact))
    ground = surface.below(grid.points).reshape(grid.shape) > 0
    return float(np.abs(found - exact)[ground].max())


@pytest.mark.parametrize("height", [0.3, 0.7])
def test_hills_of_a_quarter_of_a_wavelength_in_radius_keep_the_order(height: float) -> None:
    coarse, fine = standing(10, height), standing(32, height)
    assert np.log(coarse / fine) / np.log(3.2) > 3.0
    assert fine < 2e-4


def test_the_transpose_is_the_transpose_below_a_surface() -> None:
    scheme = lossy_scheme(tilted(0.3), 6)
    rng = np.random.default_rng(51307)
    right = scheme.point_load([[4.0, 0.55], [3.0, 1.5]])
    read = scheme.receivers(rng.uniform((2.5, 1.2), (5.5, 2.0), (7, 2)))
    data = read @ scheme.solve(right).reshape(scheme.grid.size, -1)
    weights = rng.standard_normal(data.shape)
    back = scheme.solve_transposed((read.T @ weights).reshape(*scheme.grid.shape, -1))
    assert np.sum(weights * data) == pytest.approx(np.sum(back * right), rel=1e-9)


def test_the_air_is_not_computed_and_its_medium_does_not_matter() -> None:
    surface = tilted(0.3)
    scheme = lossy_scheme(surface, 6)
    below = surface.below(scheme.grid.points).reshape(scheme.grid.shape)
    other = scheme.with_medium(np.where(below < -3 * scheme.grid.spacing[0], 0.5, LOSSY))
    load = scheme.point_load([[4.0, 1.0]])
    np.testing.assert_array_equal(scheme.solve(load), other.solve(load))
    high = scheme.continued(scheme.solve(load))[below < -5 * scheme.grid.spacing[0]]
    assert np.isnan(high).all()


@pytest.mark.parametrize(
    ("grid", "words"),
    [
        (
            Grid((0, 0.4), (SIDE, 4.5), (65, 65)),
            "cells from the side of the grid; give a grid that reaches 6",
        ),
        (Grid((0, -5.0), (SIDE, -1.0), (65, 65)), "no node of the grid lies below the surface"),
    ],
)
def test_a_surface_that_does_not_fit_the_grid_is_refused(grid: Grid, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        HelmholtzGrid(grid, K, 1.0, surface=tilted(0.0))


@pytest.mark.parametrize(
    ("line", "ground", "words"),
    [
        ([[0, 0], [1, 0]], 1, r"finite points \(p, 2\), p at least 3"),
        ([[0, 0], [1, 0], [1, 1]], 1, "must ascend"),
        ([[0, 0], [1, 0], [2, 0]], 0, "ground is 0; give 1"),
    ],
)
def test_a_line_that_is_no_surface_is_refused(line: list[list[float]], ground: int, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Surface(np.array(line, float), ground)


def ridge(x: np.ndarray) -> np.ndarray:
    """A ridge of 0.3 wavelengths in radius over gentle hills."""
    return 0.5 - 0.8 * np.exp(-((x - 4.0) ** 2) / (2 * 0.5**2)) + 0.2 * np.sin(2 * x)


def by_elements(source: tuple[float, float], variance: float, places: np.ndarray) -> np.ndarray:
    """The field of a Gaussian under the ridge, by NGSolve's elements of order 6 on a curved mesh."""
    ngsolve, occ = pytest.importorskip("ngsolve"), pytest.importorskip("netgen.occ")
    points = [occ.Pnt(x, float(ridge(np.array(x))), 0) for x in np.linspace(0, SIDE, 201)]
    corners = [occ.Pnt(SIDE, 4.5, 0), occ.Pnt(0, 4.5, 0)]
    sides = [occ.Segment(a, b) for a, b in zip([points[-1], *corners], [*corners, points[0]], strict=True)]
    face = occ.Face(occ.Wire([occ.SplineApproximation(points, tol=1e-8), *sides]))
    face.edges.name = "held"
    mesh = ngsolve.Mesh(occ.OCCGeometry(face, dim=2).GenerateMesh(maxh=0.3))
    mesh.Curve(6)
    space = ngsolve.H1(mesh, order=6, complex=True, dirichlet="held")
    u, v = space.TnT()
    squared = (ngsolve.x - source[0]) ** 2 + (ngsolve.y - source[1]) ** 2
    density = ngsolve.exp(-squared / (2 * variance)) / (2 * np.pi * variance)
    form = ngsolve.BilinearForm(
        -ngsolve.grad(u) * ngsolve.grad(v) * ngsolve.dx + K**2 * LOSSY * u * v * ngsolve.dx
    ).Assemble()
    load = ngsolve.LinearForm(density * v * ngsolve.dx(bonus_intorder=8)).Assemble()
    field = ngsolve.GridFunction(space)
    field.vec.data = form.mat.Inverse(space.FreeDofs(), inverse="sparsecholesky") * load.vec
    return np.array([field(mesh(*place)) for place in places])


@pytest.mark.slow
def test_waves_under_a_ridge_are_those_of_finite_elements() -> None:
    source, variance = (3.6, 0.55), 0.1**2
    places = np.random.default_rng(30713).uniform((1.5, -0.3), (6.5, 3.0), (300, 2))
    away = np.linalg.norm(places - source, axis=1) > 0.6
    places = places[away & (places[:, 1] - ridge(places[:, 0]) > 0.03)]
    exact, x = by_elements(source, variance, places), np.linspace(-1, SIDE + 1, 8000)
    errors = []
    for per_wavelength in (8, 12, 16):
        scheme = lossy_scheme(Surface(np.stack([x, ridge(x)], axis=1), 1), per_wavelength)
        found = scheme.receivers(places) @ scheme.solve(scheme.gaussian_load(source, variance)).ravel()
        errors.append(np.linalg.norm(found - exact) / np.linalg.norm(exact))
    assert errors[1] < 1.5e-3
    assert np.log(errors[0] / errors[2]) / np.log(2) > 3.5
