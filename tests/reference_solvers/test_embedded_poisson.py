"""The Poisson solver in domains cut out of a grid: disk, ball and L-shape."""

import numpy as np
import pytest
from numpy.typing import NDArray

from neurapde.reference_solvers.convergence import observed_orders
from neurapde.reference_solvers.embedded_poisson import ORDER, solve_embedded_poisson
from neurapde.reference_solvers.grids.grid import Grid, ResolutionError
from neurapde.reference_solvers.poisson import solve_poisson

Array = NDArray[np.float64]


def exact(points: Array) -> Array:
    return np.exp(points[:, 0]) * np.cos(2 * points[:, 1]) + points[:, -1] ** 2


def ball_error(nodes: int, dimension: int, *, continued: bool) -> float:
    """-div(a grad u) + u = f, a = 1.5 + sin(x) / 2, in a ball off the grid's centre."""
    grid = Grid((-1.1,) * dimension, (1.2,) * dimension, (nodes,) * dimension)
    points = grid.points
    x, u = points[:, 0], exact(points)
    wave = np.exp(x) * np.cos(2 * points[:, 1])
    source = -(1.5 + 0.5 * np.sin(x)) * (2 - 3 * wave) - 0.5 * np.cos(x) * wave + u
    level = np.linalg.norm(points - 0.05, axis=1) - 1
    solution = solve_embedded_poisson(
        grid,
        level.reshape(grid.shape),
        source.reshape(grid.shape),
        boundary=u.reshape(grid.shape) if continued else exact,
        coefficient=(1.5 + 0.5 * np.sin(x)).reshape(grid.shape),
        reaction=1.0,
    )
    assert (np.isnan(solution.ravel()) == (level > 1e-9)).all()
    return float(np.nanmax(abs(solution.ravel() - u)))


@pytest.mark.parametrize("continued", [False, True])
def test_a_disk_is_second_order_in_the_maximum_norm(continued: bool) -> None:
    counts = (17, 33, 65, 129, 257)
    errors = [ball_error(n, 2, continued=continued) for n in counts]
    slope = np.polyfit(np.log([1 / (n - 1) for n in counts]), np.log(errors), 1)[0]
    assert slope == pytest.approx(ORDER, abs=0.1)
    assert errors[-1] < 5e-5


def test_a_ball_is_second_order_in_the_maximum_norm() -> None:
    errors = [ball_error(n, 3, continued=False) for n in (9, 17, 33)]
    assert observed_orders(errors).mean() == pytest.approx(ORDER, abs=0.15)
    assert errors[-1] < 2e-3


def l_shape(nodes: int) -> tuple[Grid, Array]:
    """[-1, 1]^2 less its upper right quarter."""
    grid = Grid((-1, -1), (1, 1), (nodes, nodes))
    x, y = np.meshgrid(*grid.axes, indexing="ij")
    square = np.maximum(abs(x), abs(y)) - 1
    return grid, np.maximum(square, np.minimum(x, y))  # of the quarter x > 0, y > 0 the outside


def test_a_polynomial_is_exact_on_the_l_shape() -> None:
    grid, level = l_shape(17)
    x, y = np.meshgrid(*grid.axes, indexing="ij")
    u = x**3 - 2 * y**2 + x * y
    solution = solve_embedded_poisson(grid, level, -(6 * x - 4), boundary=u)
    assert np.nanmax(abs(solution - u)) < 1e-12
    assert np.isnan(solution[x * y + 0 * x > 0.01]).sum() == ((x > 0) & (y > 0)).sum()


def test_the_corner_of_the_l_shape_converges_at_its_own_order() -> None:
    errors = []
    for n in (17, 33, 65, 129):
        grid, level = l_shape(n)
        x, y = np.meshgrid(*grid.axes, indexing="ij")
        # r^(2/3) sin(2 (angle - pi/2) / 3): harmonic, zero on both sides of the corner
        angle = np.mod(np.arctan2(y, x) - np.pi / 2, 2 * np.pi)
        u = np.hypot(x, y) ** (2 / 3) * np.sin(2 / 3 * angle)
        solution = solve_embedded_poisson(grid, level, 0.0, boundary=u)
        inside = np.isfinite(solution)
        errors.append(float(np.linalg.norm((solution - u)[inside]) / np.linalg.norm(u[inside])))
    assert observed_orders(errors)[-1] == pytest.approx(4 / 3, abs=0.1)
    assert errors[-1] < 1e-3


def test_a_box_as_a_domain_gives_what_the_box_solver_gives() -> None:
    grid = Grid((0, 0), (1, 2), (20, 31))
    x, y = np.meshgrid(*grid.axes, indexing="ij")
    level = np.maximum(abs(x - 0.5) - 0.5, abs(y - 1) - 1)
    cells = np.random.default_rng(50413).uniform(1, 5, (19, 30))
    source = np.sin(3 * x + y)
    cut = solve_embedded_poisson(grid, level, source, coefficient=cells, reaction=1.5)
    np.testing.assert_allclose(cut, solve_poisson(grid, source, coefficient=cells, reaction=1.5), atol=1e-13)


def test_domains_off_the_grid_or_below_its_nodes_are_refused() -> None:
    grid = Grid((-1, -1), (1, 1), (10, 10))
    radius = np.linalg.norm(grid.points, axis=1).reshape(grid.shape)
    with pytest.raises(ValueError, match="extends beyond the grid"):
        solve_embedded_poisson(grid, radius - 1.2, 1.0)
    with pytest.raises(ResolutionError, match="no node of the grid"):
        solve_embedded_poisson(grid, radius - 0.1, 1.0)
    with pytest.raises(
        ValueError, match=r"level function must be finite with shape \(10, 10\); got shape \(9, 10\)"
    ):
        solve_embedded_poisson(grid, radius[1:], 1.0)
    with pytest.raises(ValueError, match=r"source has shape \(4,\)"):
        solve_embedded_poisson(grid, radius - 0.8, np.ones(4))
