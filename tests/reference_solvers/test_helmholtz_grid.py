"""The nine-point solver against fields known in closed form, and the algebra that inversion needs."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat
from scipy.special import hankel2

from neurapde.reference_solvers.convergence import observed_orders
from neurapde.reference_solvers.grids.averaging import cell_average
from neurapde.reference_solvers.grids.grid import Grid, ResolutionError, ResolutionWarning
from neurapde.reference_solvers.helmholtz import HelmholtzGrid
from neurapde.reference_solvers.operators.dispersion import Weights
from support import relative

K = 20.0
SOURCES = np.stack([np.linspace(-0.35, 0.35, 5), np.full(5, -0.35)], axis=1)


def layer(x: np.ndarray) -> np.ndarray:
    return 1 - 5j * (np.maximum(np.abs(x) - 0.5, 0) / 0.5) ** 2


def square(n: int) -> Grid:
    return Grid((-1, -1), (1, 1), (n, n))


def absorbing(grid: Grid, medium: np.ndarray | float = 1.0) -> HelmholtzGrid:
    return HelmholtzGrid(grid, K, medium, stretch=(layer, layer))


def outgoing(points: np.ndarray, source: np.ndarray) -> np.ndarray:
    return 0.25j * hankel2(0, K * np.linalg.norm(points - source, axis=1))


@pytest.fixture(scope="module")
def paper() -> dict[str, np.ndarray]:
    folder = Path(os.environ.get("NEURAPDE_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
    file = folder / "data_cylinder_5.mat"
    if not file.is_file():
        pytest.skip(f"no {file}: set NEURAPDE_DATA to the folder with the paper's receiver data")
    return loadmat(file)


def ring(count: int) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return 0.45 * np.stack([np.cos(angle), np.sin(angle)], axis=1)


@pytest.mark.parametrize(("n", "bound"), [(65, 1e-3), (115, 1e-4), (229, 1e-5)])
def test_a_point_source_radiates_the_hankel_field(n: int, bound: float) -> None:
    solver = absorbing(square(n))
    place = np.array([[0.0371, -0.0893]])
    field = solver.solve(solver.point_load(place))
    values = solver.receivers(ring(30)) @ field.ravel()
    assert relative(values, outgoing(ring(30), place[0])) < bound


def test_at_the_papers_receivers_the_error_is_below_the_papers_needs(paper: dict) -> None:
    solver = absorbing(square(229))
    sources, receivers = paper["source"], paper["receivers"]
    fields = solver.solve(solver.point_load(sources)).reshape(-1, len(sources))
    exact = np.stack([outgoing(receivers, source) for source in sources], axis=1)
    assert relative(solver.receivers(receivers) @ fields, exact) < 1e-5


def test_a_disk_of_speed_two_reproduces_the_papers_data(paper: dict) -> None:
    grid = square(161)
    medium = cell_average(lambda p: np.where(np.hypot(*p.T) < 0.1, 0.25, 1.0), grid)
    solver = absorbing(grid, medium)
    loads = [solver.gaussian_load(source, 1e-4, 1 + 1j) for source in paper["source"]]
    fields = solver.solve(np.stack(loads, axis=-1)).reshape(grid.size, -1)
    assert relative(solver.receivers(paper["receivers"]) @ fields, paper["rec_val"]) < 0.0176
    uniform = absorbing(grid)
    fields = uniform.solve(np.stack(loads, axis=-1)).reshape(grid.size, -1)
    assert relative(uniform.receivers(paper["receivers"]) @ fields, paper["rec_val"]) > 0.3


@pytest.mark.parametrize("variance", [1e-6, 1e-4, 1e-3])
def test_a_gaussian_radiates_less_than_a_point_by_its_width(variance: float) -> None:
    solver = absorbing(square(161))
    place = np.array([0.0371, -0.0193])
    field = solver.solve(solver.gaussian_load(place, variance, 1 + 1j))
    values = solver.receivers(ring(30)) @ field.ravel()
    exact = (1 + 1j) * np.exp(-(K**2) * variance / 2) * outgoing(ring(30), place)
    assert relative(values, exact) < 5e-5


def test_the_field_in_the_layer_is_the_stretched_hankel_field() -> None:
    grid = square(161)
    solver = absorbing(grid)
    field = solver.solve(solver.point_load([[0.0, 0.0]]))
    depth = np.maximum(np.abs(grid.points) - 0.5, 0)
    stretched = grid.points - 1j * np.sign(grid.points) * 5 * depth**3 / (3 * 0.5**2)
    distance = np.sqrt((stretched**2).sum(axis=1))
    counted = np.linalg.norm(grid.points, axis=1) > 0.1
    exact = 0.25j * hankel2(0, K * distance[counted])
    assert relative(field.ravel()[counted], exact) < 1e-3


def manufactured(
    stretched: bool,
) -> tuple[tuple[Callable, Callable], Callable, Callable, Callable]:
    """Stretch, medium, field and density of a smooth problem whose field is exp(i(3x − 4y)) cosh(x)."""
    a, b = (0.5j, 0.3j) if stretched else (0, 0)

    def e_x(x: np.ndarray) -> np.ndarray:
        return 1 - a * np.sin(x) ** 2

    def e_y(y: np.ndarray) -> np.ndarray:
        return 1 - b * y**2

    def medium(points: np.ndarray) -> np.ndarray:
        x, y = points.T
        return 1.2 + 0.4 * np.sin(3 * x + y) - 0.1j * np.cos(2 * y)

    def field(points: np.ndarray) -> np.ndarray:
        x, y = points.T
        return np.exp(1j * (3 * x - 4 * y)) * np.cosh(x)

    def density(points: np.ndarray) -> np.ndarray:
        x, y = points.T
        slope = 3j + np.tanh(x)
        u, u_x, u_xx = (
            field(points),
            field(points) * slope,
            field(points) * (3j * slope + 3j * np.tanh(x) + 1),
        )
        u_y, u_yy = -4j * u, -16 * u
        in_x = u_xx / e_x(x) ** 2 + u_x * (a * np.sin(2 * x)) / e_x(x) ** 3
        in_y = u_yy / e_y(y) ** 2 + u_y * (2 * b * y) / e_y(y) ** 3
        return in_x + in_y + 49 * medium(points) * u

    return (e_x, e_y), medium, field, density


@pytest.mark.parametrize(("stretched", "order", "bound"), [(True, 2, 1e-3), (False, 4, 1e-6)])
@pytest.mark.parametrize("ratio", [1, 2])
def test_smooth_media_are_solved_with_the_order_of_the_scheme(
    stretched: bool, order: float, bound: float, ratio: int
) -> None:
    stretch, medium, field, density = manufactured(stretched)
    errors = []
    for n in (25, 49, 97):
        grid = Grid((-1, -0.5), (1, 1.5), (n, (n - 1) // ratio * 2 + 1 if ratio == 2 else n))
        solver = HelmholtzGrid(grid, 7.0, medium(grid.points).reshape(grid.shape), stretch=stretch)
        exact = field(grid.points).reshape(grid.shape)
        solution = solver.solve(solver.load(density(grid.points).reshape(grid.shape)), exact)
        errors.append(relative(solution, exact))
    orders = observed_orders(errors)
    assert (orders > order - 0.1).all()
    assert errors[-1] < bound


@pytest.mark.parametrize("free", [((True, False), (False, True)), ((True, True), (True, True))])
def test_free_sides_have_no_flux(free: tuple) -> None:
    errors = []
    for n in (21, 41, 81):
        grid = Grid((0, 0), (1, 1), (n, n))
        x, y = grid.points.T.reshape(2, n, n)
        exact = np.cos(2 * np.pi * x) * np.cos(3 * np.pi * y) * (1 + 0.5j)
        medium = 1 + 0.2 * np.cos(np.pi * x)
        solver = HelmholtzGrid(grid, 8.0, medium, free=free)
        field = solver.solve(solver.load((64 * medium - 13 * np.pi**2) * exact), exact)
        errors.append(relative(field, exact))
    assert (observed_orders(errors) > 1.9).all()
    assert errors[-1] < 1e-4


def test_a_layer_ends_an_interval_without_reflection() -> None:
    grid = Grid((-1.0,), (1.0,), (201,))
    solver = HelmholtzGrid(grid, K, 1.0, stretch=(layer,))
    field = solver.solve(solver.point_load([[0.1037]]))[:, 0]
    x = grid.axes[0]
    counted = (np.abs(x) < 0.5) & (np.abs(x - 0.1037) > 0.05)
    exact = 0.5j / K * np.exp(-1j * K * np.abs(x - 0.1037))
    assert relative(field[counted], exact[counted]) < 1e-4


def rough_solver(free: tuple | None = None, stretch: tuple = (layer, layer)) -> HelmholtzGrid:
    generator = np.random.default_rng(52361)
    grid = Grid((-1, -1), (1, 1), (45, 57))
    medium = generator.uniform(0.3, 1.5, grid.shape) - 0.1j * generator.uniform(size=grid.shape)
    return HelmholtzGrid(grid, K, medium, stretch=stretch, free=free)


def noise(shape: tuple[int, ...], seed: int) -> np.ndarray:
    real, imaginary = np.random.default_rng(seed).normal(size=(2, *shape))
    return real + 1j * imaginary


@pytest.mark.parametrize("free", [None, ((False, True), (False, False))])
def test_the_adjoint_is_the_adjoint(free: tuple | None) -> None:
    solver = rough_solver(free)
    q, d = noise((*solver.grid.shape, 3), 60017), noise((*solver.grid.shape, 3), 60029)
    forward, backward = solver.solve(q), solver.solve_transposed(d.conj()).conj()
    gap = np.vdot(d, forward) - np.vdot(backward, q)
    assert abs(gap) < 1e-12 * np.linalg.norm(d) * np.linalg.norm(forward)
    gap = (d * forward).sum() - (solver.solve_transposed(d) * q).sum()
    assert abs(gap) < 1e-12 * np.linalg.norm(d) * np.linalg.norm(forward)


def test_solutions_satisfy_the_equations_of_the_operator() -> None:
    solver = rough_solver(((False, True), (False, False)))
    q = noise(solver.grid.shape, 71011) * ~solver.fixed
    field = solver.solve(q)
    assert relative(solver.operator @ field.ravel(), q.ravel()) < 1e-11
    assert relative(solver.operator.T @ solver.solve_transposed(q).ravel(), q.ravel()) < 1e-11
    assert (field[solver.fixed] == 0).all()


def test_the_operator_is_affine_in_the_medium_and_the_derivative_is_its_slope() -> None:
    solver = rough_solver()
    change = np.random.default_rng(83621).uniform(-0.2, 0.2, solver.grid.shape)
    field = noise(solver.grid.shape, 83639) * ~solver.fixed
    other = solver.with_medium(solver.slowness_squared + change)
    difference = (other.operator - solver.operator) @ field.ravel()
    assert relative(solver.derivative(field) @ change.ravel(), difference) < 1e-11
    assert abs(other.derivative(field) - solver.derivative(field)).max() == 0


def test_the_gradient_of_a_misfit_by_the_adjoint_has_taylor_slope_two() -> None:
    solver = rough_solver()
    grid, receivers = solver.grid, solver.receivers(ring(12))
    q = solver.point_load(SOURCES[:2])
    data = noise((12, 2), 90089) * 0.03

    def misfit(medium: np.ndarray) -> float:
        fields = solver.with_medium(medium).solve(q).reshape(grid.size, 2)
        return 0.5 * float(np.linalg.norm(receivers @ fields - data) ** 2)

    start = np.asarray(solver.slowness_squared.real)
    at_start = solver.with_medium(start)
    fields = at_start.solve(q)
    residuals = (receivers.T @ (receivers @ fields.reshape(grid.size, 2) - data)).reshape(fields.shape)
    adjoints = at_start.solve_transposed(residuals.conj()).conj()
    gradient = -sum(
        np.real(at_start.derivative(fields[..., s]).conj().T @ adjoints[..., s].ravel()) for s in range(2)
    )
    direction = np.random.default_rng(90107).uniform(-1, 1, grid.shape)
    rises = [misfit(start + t * direction) - misfit(start) for t in (1e-2, 5e-3, 2.5e-3)]
    steps = np.array([1e-2, 5e-3, 2.5e-3])
    errors = np.abs(np.array(rises) - steps * (gradient @ direction.ravel()))
    np.testing.assert_allclose(observed_orders(errors), 2, atol=0.1)


def test_source_and_receiver_can_be_exchanged_in_any_medium_without_layers() -> None:
    generator = np.random.default_rng(11719)
    grid = Grid((-1, -1), (1, 1), (41, 53))
    medium = generator.uniform(0.3, 1.5, grid.shape) - 0.2j
    solver = HelmholtzGrid(grid, K, medium, free=((False, True), (False, False)))
    places = np.array([[0.111, -0.317], [-0.423, 0.219]])
    fields = solver.solve(solver.point_load(places)).reshape(grid.size, 2)
    table = solver.receivers(places) @ fields
    assert table[0, 1] == pytest.approx(table[1, 0], rel=1e-10)


def test_source_and_receiver_can_be_exchanged_with_layers_to_the_error_of_the_scheme() -> None:
    grid = square(91)
    medium = 1 + 0.5 * np.exp(-4 * (grid.points**2).sum(axis=1)).reshape(grid.shape)
    solver = absorbing(grid, medium)
    places = np.array([[0.111, -0.317], [-0.423, 0.219]])
    table = solver.receivers(places) @ solver.solve(solver.point_load(places)).reshape(grid.size, 2)
    assert abs(table[0, 1] - table[1, 0]) < 1e-3 * abs(table[0, 1])


def test_shots_are_solved_as_one_by_one() -> None:
    solver = rough_solver()
    loads = solver.point_load(SOURCES, [1, 2, 3j, 4, 5])
    fields = solver.solve(loads)
    for shot in range(5):
        assert relative(solver.solve(loads[..., shot]), fields[..., shot]) < 1e-12


def test_a_coarse_grid_is_doubted_and_a_very_coarse_one_refused() -> None:
    with pytest.warns(ResolutionWarning, match=r"shape \(23, 23\) has 3\.46 nodes .* \(27, 27\) has 4"):
        HelmholtzGrid(square(23), K, 1.0)
    with pytest.raises(ResolutionError, match=r"Below 2\.5 the field would be meaningless"):
        HelmholtzGrid(square(15), K, 1.0)
    with pytest.raises(ResolutionError, match=r"shape \(31, 31\) has 2\.36"):  # twice as slow somewhere
        HelmholtzGrid(square(31), K, np.where(square(31).points[:, 0] > 0, 4.0, 1.0).reshape(31, 31))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"wavenumber": 0.0}, "finite and positive"),
        ({"wavenumber": np.nan}, "finite and positive"),
        ({"slowness_squared": np.ones((45, 44))}, r"a number or \(45, 45\) .* got the shape \(45, 44\)"),
        ({"slowness_squared": np.full((45, 45), np.inf)}, "2025 values of the medium are not finite"),
        ({"stretch": (layer,)}, "stretch has 1, free 2"),
        ({"stretch": (layer, lambda y: np.zeros_like(y))}, "stretch of axis 1 must return"),
        ({"weights": Weights((1.0,), (0.2,))}, "weights 1"),
        ({"grid": Grid((0, 0, 0), (1, 1, 1), (5, 5, 5))}, "one or two"),
    ],
)
def test_what_the_solver_cannot_take_is_refused(options: dict, message: str) -> None:
    arguments = {"grid": square(45), "wavenumber": K, "slowness_squared": 1.0} | options
    with pytest.raises(ValueError, match=message):
        HelmholtzGrid(**arguments)


def test_fields_of_another_shape_are_refused() -> None:
    solver = absorbing(square(45))
    with pytest.raises(ValueError, match=r"\(45, 45\) or \(\*\(45, 45\), shots\) .* got the shape \(45,\)"):
        solver.solve(np.zeros(45))
    with pytest.raises(ValueError, match="one field must be"):
        solver.derivative(np.zeros((45, 45, 2)))


@pytest.mark.slow
def test_on_a_fine_grid_only_the_layers_reflection_is_left() -> None:
    solver = absorbing(square(513))
    place = np.array([[0.0371, -0.0893]])
    values = solver.receivers(ring(30)) @ solver.solve(solver.point_load(place)).ravel()
    assert relative(values, outgoing(ring(30), place[0])) < 2e-7
