"""The kernel between nodes and points: receivers, sources of exact mass, averages of a field with jumps."""

from collections.abc import Callable

import numpy as np
import pytest

from neurapde.reference_solvers.convergence import observed_orders
from neurapde.reference_solvers.grids.averaging import cell_average
from neurapde.reference_solvers.grids.grid import Grid
from neurapde.reference_solvers.grids.sampling import (
    gaussian_density,
    interpolate,
    interpolation,
    point_density,
    volumes,
)

GRID = Grid((-1, -0.5), (1, 0.7), (41, 31))


def points_in(grid: Grid, count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(grid.lower, grid.upper, (count, grid.dimension))


def moment(density: np.ndarray, powers: tuple[int, int]) -> complex:
    x, y = GRID.points.T.reshape(2, *GRID.shape)
    return complex((density * volumes(GRID) * x ** powers[0] * y ** powers[1]).sum())


def test_interpolation_is_exact_for_fifth_powers_everywhere() -> None:
    def polynomial(points: np.ndarray) -> np.ndarray:
        x, y = points.T
        return (x**5 - 2 * x) * y**5 + 1j * y

    places = np.concatenate([points_in(GRID, 50, 31847), [GRID.lower, GRID.upper]])
    values = polynomial(GRID.points)
    np.testing.assert_allclose(interpolation(GRID, places) @ values, polynomial(places), atol=1e-12)
    field = np.stack([values, 2 * values], axis=-1).reshape(*GRID.shape, 2)
    np.testing.assert_allclose(interpolate(GRID, field, places)[:, 1], 2 * polynomial(places), atol=1e-12)


def test_interpolation_is_of_sixth_order() -> None:
    places = points_in(GRID, 200, 40903)
    errors = []
    for n in (21, 41, 81):
        grid = Grid(GRID.lower, GRID.upper, (n, n))
        wave = np.exp(1j * grid.points @ [9, 5]).reshape(grid.shape)
        errors.append(np.abs(interpolate(grid, wave, places) - np.exp(1j * places @ [9, 5])).max())
    assert observed_orders(errors)[-1] > 5.7
    assert errors[-1] < 1e-5


def test_a_small_grid_is_interpolated_with_the_nodes_it_has() -> None:
    grid = Grid((0.0,), (1.0,), (4,))
    np.testing.assert_allclose(interpolate(grid, grid.axes[0] ** 3, np.array([[0.37]])), 0.37**3, rtol=1e-12)


@pytest.mark.parametrize("powers", [(0, 0), (1, 0), (0, 1), (2, 1), (3, 0), (5, 4)])
def test_a_point_source_between_nodes_has_its_moments(powers: tuple[int, int]) -> None:
    place = np.array([[0.123, -0.077]])
    density = point_density(GRID, place, 2 - 1j)[..., 0]
    expected = (2 - 1j) * place[0, 0] ** powers[0] * place[0, 1] ** powers[1]
    assert moment(density, powers) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("variance", [1e-8, 1e-4, 2.5e-3])
def test_a_gaussian_has_its_mass_and_variance_however_narrow(variance: float) -> None:
    density = gaussian_density(GRID, (0.123, -0.077), variance, 1 + 1j)
    assert moment(density, (0, 0)) == pytest.approx(1 + 1j, rel=1e-12)
    assert moment(density, (2, 0)) == pytest.approx((1 + 1j) * (variance + 0.123**2), rel=1e-9)
    assert moment(density, (1, 1)) == pytest.approx((1 + 1j) * 0.123 * -0.077, rel=1e-9)


def test_a_resolved_gaussian_is_its_own_density() -> None:
    grid = Grid((-1, -1), (1, 1), (161, 161))
    exact = np.exp(-(grid.points**2).sum(1) / (2 * 0.01)) / (2 * np.pi * 0.01)
    density = gaussian_density(grid, (0, 0), 0.01).ravel()
    assert np.abs(density - exact).max() < 1e-5 * exact.max()


@pytest.mark.parametrize(
    ("function", "mass"),
    [
        (lambda p: np.where(np.hypot(p[:, 0], p[:, 1] - 0.1) < 0.3, 2.0, 0.0), 2 * np.pi * 0.09),
        (lambda p: np.where(np.abs(p - [0.03, 0.1]).max(axis=1) < 0.2813, 1j, 0.0), 4j * 0.2813**2),
        (lambda p: np.where(p @ [0.6, 0.8] < 0.1, 0.0, 1.0) * (np.hypot(*p.T) < 0.4), None),
    ],
    ids=["disk", "square", "cut disk"],
)
def test_the_average_of_a_jump_keeps_its_mass(function: Callable, mass: complex | None) -> None:
    if mass is None:  # a circular segment: r² acos(d/r) − d √(r² − d²)
        mass = 0.16 * np.arccos(0.25) - 0.1 * np.sqrt(0.16 - 0.01)
    average = cell_average(function, GRID)
    assert moment(average, (0, 0)) == pytest.approx(mass, rel=3e-4)


def test_the_place_of_a_jump_is_found_far_below_the_spacing() -> None:
    for place in (0.1, 0.1003, 0.11719, 0.1499):
        average = cell_average(lambda p, at=place: np.where(p[:, 0] < at, 1.0, 3.0), GRID)
        assert (average * volumes(GRID)).sum() / 1.2 == pytest.approx((place + 1) + 3 * (1 - place), abs=1e-5)


def test_a_smooth_field_is_its_own_average() -> None:
    def smooth(points: np.ndarray) -> np.ndarray:
        return 1 + 0.3 * np.sin(2 * points[:, 0]) * np.cos(points[:, 1])

    average = cell_average(smooth, GRID)
    exact = smooth(GRID.points).reshape(GRID.shape)
    assert np.abs(average - exact)[3:-3, 3:-3].max() < 1e-4
    np.testing.assert_array_equal(cell_average(lambda p: np.full(len(p), 0.25), GRID), 0.25)


def test_an_interval_is_averaged_as_well() -> None:
    line = Grid((0.0,), (1.0,), (41,))
    average = cell_average(lambda p: np.where(p[:, 0] < 0.3137, 4.0, 1.0), line)
    assert (average * volumes(line)).sum() == pytest.approx(4 * 0.3137 + 0.6863, abs=1e-5)


def test_what_cannot_be_sampled_is_refused() -> None:
    with pytest.raises(ValueError, match=r"1 of 2 points are not in the box .* the first is \(1\.5, 0\.0\)"):
        interpolation(GRID, [[0, 0], [1.5, 0]])
    with pytest.raises(ValueError, match=r"points must be \(n, 2\)"):
        point_density(GRID, [0.0, 0.0])
    with pytest.raises(ValueError, match="not in the box"):
        interpolation(GRID, [[np.nan, 0]])
    with pytest.raises(ValueError, match="positive variance"):
        gaussian_density(GRID, (0, 0), 0.0)
    with pytest.raises(ValueError, match=r"must return \(\d+,\) for \d+ points; got \(\d+, 1\)"):
        cell_average(lambda p: p[:, :1], GRID)
