"""Travel times against media whose times are known, their order, and what is refused."""

import numpy as np
import pytest
from numpy.typing import NDArray

from neurapde.reference_solvers.convergence import observed_orders
from neurapde.reference_solvers.eikonal import ORDER, solve_eikonal
from neurapde.reference_solvers.grids.grid import Grid

Array = NDArray[np.float64]

GRADIENT = (0.3, 0.8, 0.2)


def linear_medium(grid: Grid, source: Array) -> tuple[Array, Array]:
    """Slowness of speed 1 + g.x, and its travel times arccosh(1 + |g|^2 |x - s|^2 / (2 c(x) c(s))) / |g|."""
    g = np.array(GRADIENT[: grid.dimension])
    speed, at_source = 1 + grid.points @ g, 1 + source @ g
    distance = ((grid.points - source) ** 2).sum(axis=1)
    times = np.arccosh(1 + (g @ g) * distance / (2 * speed * at_source)) / np.sqrt(g @ g)
    return (1 / speed).reshape(grid.shape), times.reshape(grid.shape)


@pytest.mark.parametrize(("counts", "source", "bound"), [
    pytest.param((17, 33, 65, 129), (0.31, 0.27), 2e-6, marks=pytest.mark.slow),  # off the nodes
    ((17, 33, 65), (0.5, 0.0), 1e-5),  # on a side
    pytest.param((9, 17, 33), (0.31, 0.27, 0.5), 5e-5, marks=pytest.mark.slow),
])  # fmt: skip
def test_times_in_a_linear_medium_are_second_order(
    counts: tuple[int, ...], source: tuple[float, ...], bound: float
) -> None:
    largest, relative = [], []
    for n in counts:
        grid = Grid((0,) * len(source), (1,) * len(source), (n,) * len(source))
        slowness, times = linear_medium(grid, np.array(source))
        error = solve_eikonal(grid, slowness, np.array(source)) - times
        largest.append(float(abs(error).max()))
        relative.append(float(np.linalg.norm(error) / np.linalg.norm(times)))
    assert observed_orders(largest).min() > ORDER - 0.05  # the starting region is better still: up to 2.6
    assert observed_orders(relative).min() > ORDER - 0.05
    assert relative[-1] < bound


def test_times_in_a_constant_medium_are_exact_on_any_spacing() -> None:
    grid = Grid((0, -1), (1, 2), (31, 47))
    sources = np.array([[0.0, -1.0], [1.0, 2.0], [0.3, 0.77]])
    times = solve_eikonal(grid, 2.0, sources)
    distances = np.linalg.norm(grid.points[None] - sources[:, None], axis=2)
    np.testing.assert_allclose(times, 2 * distances.reshape(3, 31, 47), atol=1e-8)


def test_sources_together_are_the_same_as_one_by_one() -> None:
    grid = Grid((0, 0), (1, 1), (25, 30))
    sources = np.array([[0.2, 0.3], [0.9, 0.1]])
    slowness = 1 + 0.5 * np.sin(5 * grid.points[:, 0] + 3 * grid.points[:, 1]).reshape(25, 30)
    together = solve_eikonal(grid, slowness, sources)
    for source, times in zip(sources, together, strict=True):
        np.testing.assert_allclose(times, solve_eikonal(grid, slowness, source), atol=1e-7)


def test_times_are_reciprocal() -> None:
    grid = Grid((0, 0), (1, 1), (65, 65))
    slowness = np.exp(0.6 * np.sin(5 * grid.points[:, 0]) * np.cos(4 * grid.points[:, 1])).reshape(65, 65)
    there, back = solve_eikonal(grid, slowness, np.array([[0.125, 0.25], [0.75, 0.875]]))
    assert there[48, 56] == pytest.approx(back[8, 16], rel=2e-4)


def test_head_waves_of_a_faster_half_space_arrive_first_to_first_order() -> None:
    """Speed 1 below y = 1/2 and 3 above: the direct ray or, beyond the critical angle, along the
    interface."""
    errors, source = [], np.array([0.1, 0.2])
    for n in (17, 33, 65):
        grid = Grid((0, 0), (1, 1), (n, n))
        x, y = np.meshgrid(*grid.axes, indexing="ij")
        times = solve_eikonal(grid, np.where(y < 0.5, 1.0, 1 / 3), source)
        angle, offset, below = np.arcsin(1 / 3), abs(x - 0.1), y < 0.5
        head = offset / 3 + (0.3 + 0.5 - y) * np.cos(angle)
        late = offset < (0.3 + 0.5 - y) * np.tan(angle)
        direct = np.hypot(offset, y - 0.2)
        exact = np.where(late, direct, np.minimum(direct, head))
        errors.append(float(abs(times - exact)[below].max()))
    assert observed_orders(errors).min() > 0.8
    assert errors[-1] < 0.015


@pytest.mark.parametrize("seed", [18203, 33041])
def test_media_rough_from_node_to_node_still_settle(seed: int) -> None:
    generator = np.random.default_rng(seed)
    grid = Grid((0, 0), (1, 1.7), (30, 41))
    slowness = np.exp(1.5 * generator.normal(size=(30, 41)))
    times = solve_eikonal(grid, slowness, np.array([0.4, 1.1]))
    assert 0 <= times.min()
    assert times.max() < slowness.max() * 3


def test_what_has_no_travel_time_is_refused() -> None:
    grid, source = Grid((0, 0), (1, 1), (9, 9)), np.array([0.5, 0.5])
    with pytest.raises(ValueError, match=r"source \[1.5, 0.5\] lies outside the grid from \(0.0, 0.0\)"):
        solve_eikonal(grid, 1.0, np.array([1.5, 0.5]))
    with pytest.raises(ValueError, match="slowness must be finite and positive; its smallest value is 0"):
        solve_eikonal(grid, np.zeros((9, 9)), source)
    with pytest.raises(ValueError, match=r"slowness has shape \(3,\); give a number or \(9, 9\)"):
        solve_eikonal(grid, np.ones(3), source)
    with pytest.raises(ValueError, match=r"sources must be \(2,\) or \(n, 2\); got shape \(3,\)"):
        solve_eikonal(grid, 1.0, np.zeros(3))
    with pytest.raises(ValueError, match="2 or 3 axes of at least 5 nodes"):
        solve_eikonal(Grid((0,), (1,), (9,)), 1.0, np.array([0.5]))
    with pytest.raises(RuntimeError, match="still change after 1 rounds"):
        solve_eikonal(grid, 1 + grid.points[:, 0].reshape(9, 9), source, rounds=1)
