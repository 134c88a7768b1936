"""The compact scheme in space: its order against plane waves, layers and open sides against closed forms."""

import numpy as np
import pytest

from neurapde.conditions import PML
from neurapde.conditions.stretch import Stretch
from neurapde.domains import Box
from neurapde.reference_solvers.convergence import observed_orders
from neurapde.reference_solvers.grids.averaging import average_in_space
from neurapde.reference_solvers.grids.grid import Grid, ResolutionError
from neurapde.reference_solvers.grids.sampling import gaussian_density
from neurapde.reference_solvers.helmholtz_in_space import HelmholtzInSpace

K = 6.0
WAY = np.array([0.6, 0.48, 0.64])


def brick(n: int) -> Grid:
    return Grid((0, 0, 0), (1, 1.2, 0.8), (n, n + 2, n - 2))


def medium(x: np.ndarray) -> np.ndarray:
    return 1 + 0.3 * np.sin(2 * x[:, 0]) * x[:, 1]


@pytest.mark.parametrize("m", [lambda x: 1.0 + 0 * x[:, 0], medium], ids=["constant", "smooth"])
def test_it_is_of_fourth_order_in_any_smooth_medium(m: object) -> None:
    errors = []
    for n in (11, 21, 41):
        grid = brick(n)
        x = grid.points
        wave = np.exp(-1j * K * x @ WAY)
        solver = HelmholtzInSpace(grid, K, m(x).reshape(grid.shape))
        density = (K**2 * (m(x) - 1) * wave).reshape(grid.shape)
        field = solver.solve(solver.load(density), wave.reshape(grid.shape))
        errors.append(np.linalg.norm(field.ravel() - wave) / np.linalg.norm(wave))
    assert observed_orders(errors) == pytest.approx(4.0, abs=0.4)
    assert errors[-1] < 2e-6


def test_a_wave_leaves_through_an_open_side_without_an_echo() -> None:
    grid = Grid((0, 0, 0), (1, 0.3, 0.3), (25, 7, 7))
    free = [(False, True), (True, True), (True, True)]
    solver = HelmholtzInSpace(grid, K, 1.0, free=free, impedance=[(0.0, 1j * K), (0.0, 0.0), (0.0, 0.0)])
    boundary = np.zeros(grid.shape)
    boundary[0] = 1.0
    wave = np.exp(-1j * K * grid.points[:, 0]).reshape(grid.shape)
    assert np.abs(solver.solve(np.zeros(grid.shape), boundary) - wave).max() < 1e-4


def test_a_source_in_open_space_radiates_its_wave_into_the_layers() -> None:
    box = Box((-1, 1), (-1, 1), (-1, 1))
    stretch = Stretch(box, PML(0.4, reflection=1e-6).on_domain(box), K)
    at, errors = np.array([-0.2, 0.1, 0.0]), []
    for n in (25, 49):
        grid = Grid((-1,) * 3, (1,) * 3, (n,) * 3)
        solver = HelmholtzInSpace(grid, K, 1.0, stretch=[axis.factor for axis in stretch.axes])
        field = solver.solve(solver.load(gaussian_density(grid, at, 1e-3))).ravel()
        r = np.linalg.norm(grid.points - at, axis=1)
        counted = (np.abs(grid.points) < 0.59).all(axis=1) & (r > 0.2)
        truth = -np.exp(-(K**2) * 1e-3 / 2 - 1j * K * r[counted]) / (4 * np.pi * r[counted])
        errors.append(np.linalg.norm(field[counted] - truth) / np.linalg.norm(truth))
    assert errors[1] < errors[0] / 4
    assert errors[1] < 1e-3


def test_a_jump_is_averaged_over_the_cells_that_it_cuts() -> None:
    grid = Grid((-1,) * 3, (1,) * 3, (9,) * 3)
    values = average_in_space(lambda x: np.where(x[:, 0] < 0.05, 1.0, 3.0), grid)
    assert np.abs(values[4] - 1.6).max() < 0.15
    assert np.all(values[:3] == 1.0)
    assert np.all(values[6:] == 3.0)


def test_a_grid_that_resolves_no_wave_is_refused() -> None:
    with pytest.raises(ResolutionError, match=r"Below 2\.5"):
        HelmholtzInSpace(brick(11), 40.0, 1.0)
