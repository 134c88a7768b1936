"""Total variation against lengths of edges, denoising in closed form, and solvers that share nothing with it."""

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import lsq_linear, minimize

from neurapde.reference_solvers.grids.grid import Grid
from neurapde.reference_solvers.operators.total_variation import TotalVariation, minimise


def line(n: int) -> Grid:
    return Grid((0.0,), (1.0,), (n,))


def identity(grid: Grid) -> sparse.sparray:
    return sparse.eye_array(grid.size) * float(np.prod(grid.spacing))


def box(n: int, first: int, count: int) -> np.ndarray:
    values = np.zeros(n)
    values[first : first + count] = 1
    return values


def disk_of_means(grid: Grid, radius: float) -> np.ndarray:
    """The indicator of a disk about 0, its mean over each cell by 16² points."""
    result = np.zeros(grid.shape)
    offsets = (np.arange(16) + 0.5) / 16 - 0.5
    x, y = (coordinates.reshape(grid.shape) for coordinates in grid.points.T)
    for a in offsets * grid.spacing[0]:
        for b in offsets * grid.spacing[1]:
            result += np.hypot(x + a, y + b) < radius
    return result / 16**2


@pytest.mark.parametrize("slope", [(3.0, 0.0), (0.0, -2.0), (3.0, -4.0)])
def test_the_variation_of_a_plane_is_its_slope_times_the_area(slope: tuple[float, float]) -> None:
    grid = Grid((0, -1), (2, 3), (9, 24))
    plane = (grid.points @ np.array(slope)).reshape(grid.shape)
    assert TotalVariation(grid)(plane) == pytest.approx(np.hypot(*slope) * 8, rel=1e-12)


def test_on_a_line_the_variation_is_the_sum_of_the_rises_and_falls() -> None:
    values = np.array([0.0, 2.0, 2.0, -1.0, 0.5])
    assert TotalVariation(line(5))(values) == pytest.approx(2 + 3 + 1.5, rel=1e-12)


def test_it_has_the_symmetries_of_the_grid() -> None:
    grid = Grid((0, 0), (1, 1), (12, 12))
    values = np.random.default_rng(48271).standard_normal((12, 12))
    variation = TotalVariation(grid)
    for image in (values.T, values[::-1], values[:, ::-1], -values, values + 7):
        assert variation(image) == pytest.approx(variation(values), rel=1e-12)


def test_a_smooth_edge_converges_to_perimeter_times_jump_at_second_order() -> None:
    errors = []
    for n in (65, 129, 257):
        grid = Grid((-1, -1), (1, 1), (n, 2 * n - 1))
        radius = np.hypot(*grid.points.T).reshape(grid.shape)
        errors.append(abs(TotalVariation(grid)(1 + np.tanh((0.5 - radius) / 0.05)) / (2 * np.pi) - 1))
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert orders == pytest.approx(2, abs=0.1)
    assert errors[-1] < 1e-3


@pytest.mark.parametrize("stretched", [False, True])
def test_the_sharp_edge_of_a_disk_measures_seven_percent_more_than_its_length(stretched: bool) -> None:
    for n in (65, 129):
        grid = Grid((-1, -1), (1, 1), (n, 2 * n - 1 if stretched else n))
        assert TotalVariation(grid)(disk_of_means(grid, 0.5)) == pytest.approx(1.073 * np.pi, rel=0.005)


def test_a_box_shrinks_by_twice_the_weight_over_its_length_and_what_is_beside_it_rises() -> None:
    n, first, count, weight = 101, 30, 25, 0.01
    grid = line(n)
    h = grid.spacing[0]
    minimum = minimise(
        TotalVariation(grid), identity(grid), box(n, first, count), weight=weight, tolerance=1e-9
    )
    exact = box(n, first, count) * (1 - 2 * weight / (count * h))
    exact[:first] = weight / (first * h)
    exact[first + count :] = weight / ((n - first - count) * h)
    assert minimum.converged
    assert np.abs(minimum.values - exact).max() < 1e-6


def test_a_box_between_held_nodes_shrinks_alone() -> None:
    n, first, count, weight = 101, 30, 25, 0.01
    grid = line(n)
    held = box(n, first, count) == 0
    minimum = minimise(
        TotalVariation(grid), identity(grid), box(n, first, count), weight=weight, held=held, tolerance=1e-9
    )
    assert (minimum.values[held] == 0).all()
    assert minimum.values[~held] == pytest.approx(1 - 2 * weight / (count * grid.spacing[0]), abs=1e-6)


def test_a_step_keeps_its_place_and_each_side_moves_by_the_weight_over_its_length() -> None:
    n, weight = 81, 0.02
    grid = line(n)
    step = box(n, 50, 31)
    minimiser = minimise(TotalVariation(grid), identity(grid), step, weight=weight, tolerance=1e-9).values
    assert minimiser[:50] == pytest.approx(weight / (50 * grid.spacing[0]), abs=1e-6)
    assert minimiser[50:] == pytest.approx(1 - weight / (31 * grid.spacing[0]), abs=1e-6)


def test_a_large_weight_leaves_the_mean() -> None:
    grid = Grid((0, 0), (2, 1), (11, 9))
    values = np.random.default_rng(48271).standard_normal(grid.shape)
    minimiser = minimise(TotalVariation(grid), identity(grid), values, weight=10.0, tolerance=1e-9).values
    assert np.abs(minimiser - values.mean()).max() < 1e-6


def test_on_a_line_it_agrees_with_the_dual_solved_by_bounded_least_squares() -> None:
    grid, weight = line(60), 0.05
    h = grid.spacing[0]
    noisy = np.random.default_rng(48271).standard_normal(60)
    minimiser = minimise(TotalVariation(grid), identity(grid), noisy, weight=weight, tolerance=1e-10).values
    differences = np.diff(np.eye(60), axis=0)
    dual = lsq_linear(differences.T, noisy * h, (-weight, weight), tol=1e-14).x
    assert np.abs(minimiser - (noisy - differences.T @ dual / h)).max() < 1e-6


def test_in_the_plane_it_agrees_with_the_dual_solved_by_sequential_quadratic_programming() -> None:
    rng = np.random.default_rng(60317)
    grid, weight = Grid((0, 0), (3, 1.5), (4, 4)), 0.3
    variation = TotalVariation(grid)
    noisy, diagonal = rng.standard_normal(16), rng.uniform(0.5, 2, 16)
    gradient = variation.gradient.toarray()
    largest = weight * variation.share
    half = len(gradient) // 2

    def field(dual: np.ndarray) -> np.ndarray:
        return noisy - gradient.T @ dual / diagonal

    result = minimize(
        lambda y: 0.5 * (diagonal * field(y) ** 2).sum(),
        np.zeros(2 * half),
        jac=lambda y: -gradient @ field(y),
        method="SLSQP",
        constraints={
            "type": "ineq",
            "fun": lambda y: largest**2 - y[:half] ** 2 - y[half:] ** 2,
            "jac": lambda y: -2 * np.hstack([np.diag(y[:half]), np.diag(y[half:])]),
        },
        options={"ftol": 1e-15, "maxiter": 1000},
    )
    minimum = minimise(
        variation, sparse.diags_array(diagonal), noisy.reshape(4, 4), weight=weight, tolerance=1e-9
    )
    assert np.abs(minimum.values.ravel() - field(result.x)).max() < 1e-4
    primal = 0.5 * (diagonal * (minimum.values.ravel() - noisy) ** 2).sum() + weight * variation(
        minimum.values
    )
    dual = 0.5 * (diagonal * noisy**2).sum() - result.fun
    assert primal == pytest.approx(dual, rel=1e-7)


def test_without_weight_the_bounds_are_met_as_bounded_least_squares_meets_them() -> None:
    rng = np.random.default_rng(31513)
    grid = Grid((0, 0), (1, 1), (5, 4))
    root = rng.standard_normal((30, 20))
    slope = rng.standard_normal(20)
    minimum = minimise(
        TotalVariation(grid),
        sparse.csr_array(root.T @ root),
        np.zeros((5, 4)),
        weight=0.0,
        slope=slope.reshape(5, 4),
        lower=-0.03,
        upper=0.02,
        tolerance=1e-10,
    )
    target = -np.linalg.lstsq(root.T, slope, rcond=None)[0]
    exact = lsq_linear(root, target, (-0.03, 0.02), tol=1e-14).x
    assert (exact == -0.03).any() or (exact == 0.02).any() or np.isclose(exact, 0.02).any()
    assert minimum.values.min() >= -0.03
    assert minimum.values.max() <= 0.02
    assert np.abs(minimum.values.ravel() - exact).max() < 1e-7


def test_no_feasible_neighbour_is_better() -> None:
    rng = np.random.default_rng(72931)
    grid = Grid((0, 0), (1, 2), (9, 7))
    variation = TotalVariation(grid)
    centre, diagonal = rng.standard_normal(grid.shape), rng.uniform(0.2, 2, grid.size)
    held = rng.uniform(size=grid.shape) < 0.2

    def objective(values: np.ndarray) -> float:
        return 0.5 * (diagonal * (values - centre).ravel() ** 2).sum() + 0.4 * variation(values)

    minimum = minimise(
        variation,
        sparse.diags_array(diagonal),
        centre,
        weight=0.4,
        lower=-0.5,
        upper=0.6,
        held=held,
        tolerance=1e-9,
        iterations=20_000,
    )
    assert minimum.converged
    assert (minimum.values[held] == centre[held]).all()
    assert (np.abs(minimum.values - 0.05)[~held] <= 0.55 + 1e-15).all()
    for size in (1e-1, 1e-2, 1e-3):
        for _ in range(100):
            moved = np.where(
                held, centre, np.clip(minimum.values + size * rng.standard_normal(grid.shape), -0.5, 0.6)
            )
            assert objective(moved) >= objective(minimum.values) - 1e-9


def test_a_start_from_the_answer_ends_at_once() -> None:
    grid = Grid((0, 0), (1, 1), (15, 15))
    noisy = np.random.default_rng(48271).standard_normal(grid.shape)
    first = minimise(TotalVariation(grid), identity(grid), noisy, weight=0.01, lower=-1)
    repeated = minimise(
        TotalVariation(grid), identity(grid), noisy, weight=0.01, lower=-1, start=first.splitting
    )
    assert first.iterations > 10
    assert repeated.iterations <= 2


def test_too_few_steps_are_said_to_be_too_few() -> None:
    grid = Grid((0, 0), (1, 1), (15, 15))
    noisy = np.random.default_rng(48271).standard_normal(grid.shape)
    assert not minimise(TotalVariation(grid), identity(grid), noisy, weight=0.01, iterations=3).converged


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weight": -1.0}, r"weight is -1.0; it must be finite and not negative"),
        ({"lower": 1.0, "upper": 0.0}, "a lower bound is above the upper bound"),
        ({"held": np.ones((5, 4), bool)}, "every node is held"),
        ({"slope": np.zeros(20)}, r"slope must be \(5, 4\) on this grid; got the shape \(20,\)"),
        ({"hessian": sparse.csr_array((20, 20))}, "diagonal is 0.0; it must be positive"),
        (
            {"hessian": sparse.eye_array(4)},
            r"Hessian must be \(20, 20\) on this grid; got the shape \(4, 4\)",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(change: dict, message: str) -> None:
    grid = Grid((0, 0), (1, 1), (5, 4))
    arguments = {"hessian": sparse.eye_array(20), "weight": 0.1} | change
    with pytest.raises(ValueError, match=message):
        minimise(TotalVariation(grid), centre=np.zeros((5, 4)), **arguments)


def test_a_start_of_another_problem_is_refused() -> None:
    grid, finer = line(10), line(20)
    other = minimise(TotalVariation(finer), identity(finer), np.zeros(20), weight=0.1)
    with pytest.raises(ValueError, match=r"the start has \(20,\) free nodes"):
        minimise(TotalVariation(grid), identity(grid), np.zeros(10), weight=0.1, start=other.splitting)
