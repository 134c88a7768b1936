"""The wave solver: orders, energy, absorbing layers, sources, and what is refused."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import integrate
from scipy.interpolate import CubicSpline
from scipy.special import j0

import neurapde as npde
from neurapde.reference_solvers.convergence import observed_orders
from neurapde.reference_solvers.grids.grid import Grid
from neurapde.reference_solvers.grids.stencils import staggered_difference
from neurapde.reference_solvers.wave import (
    ORDER,
    Absorbing,
    Mirror,
    Source,
    Wall,
    WaveGrid,
    point_source,
)

Array = NDArray[np.float64]


def standing_error(nodes: int, dimension: int, time_order: int) -> tuple[float, float]:
    """Error of a standing wave with displacement and velocity at time 0, and how much its energy varied."""
    grid = Grid((0, 0)[:dimension], (1, 1.5)[:dimension], (nodes, nodes + 4)[:dimension])
    k, speed = (2 * np.pi, 4 * np.pi / 3)[:dimension], 1.3
    frequency = speed * float(np.linalg.norm(k))
    shape = np.prod(
        [np.sin(a * x) for a, x in zip(k, np.meshgrid(*grid.axes, indexing="ij"), strict=True)], axis=0
    )
    wave = WaveGrid(grid, speed, time_order=time_order)
    record = wave.run(0.7, displacement=shape, velocity=0.5 * frequency * shape)
    exact = shape * (np.cos(0.7 * frequency) + 0.5 * np.sin(0.7 * frequency))
    return float(abs(record.final - exact).max()), float(np.ptp(record.energy) / record.energy[0])


@pytest.mark.parametrize("dimension", [1, 2])
@pytest.mark.parametrize(("time_order", "bound"), [(2, 3e-4), (4, 3e-7)])
def test_standing_waves_reach_the_order_in_time_and_space(
    dimension: int, time_order: int, bound: float
) -> None:
    errors = [standing_error(n, dimension, time_order)[0] for n in (17, 33, 65, 129)]
    assert observed_orders(errors)[-1] == pytest.approx(time_order, abs=0.1)
    assert errors[-1] < bound


@pytest.mark.parametrize(("time_order", "bound"), [(2, 3e-4), (4, 3e-7)])
@pytest.mark.parametrize("sides", [(Mirror(), Mirror()), (Mirror(), Wall()), (Wall(), Mirror())])
def test_waves_between_mirrors_and_walls_reach_the_order(
    sides: tuple[Mirror | Wall, Mirror | Wall], time_order: int, bound: float
) -> None:
    """cos or sin along x, whole or quarter waves as the sides ask for; a whole one between walls along y."""
    low, high = (isinstance(side, Mirror) for side in sides)
    k = 2 * np.pi if low and high else 1.5 * np.pi
    speed, errors = 1.3, []
    frequency = speed * np.hypot(k, 4 * np.pi / 3)
    for n in (33, 65, 129):
        grid = Grid((0, 0), (1, 1.5), (n, n + 4))
        x, y = np.meshgrid(*grid.axes, indexing="ij")
        shape = (np.cos(k * x) if low else np.sin(k * x)) * np.sin(4 * np.pi / 3 * y)
        wave = WaveGrid(grid, speed, sides=[sides, (Wall(), Wall())], time_order=time_order)
        record = wave.run(0.7, displacement=shape, velocity=0.5 * frequency * shape)
        exact = shape * (np.cos(0.7 * frequency) + 0.5 * np.sin(0.7 * frequency))
        errors.append(float(abs(record.final - exact).max()))
        assert np.ptp(record.energy) < 1e-12 * record.energy[0]
    assert observed_orders(errors)[-1] == pytest.approx(time_order, abs=0.15)
    assert errors[-1] < bound


def test_a_mirror_is_the_image_of_the_other_half_layers_included() -> None:
    """A pulse and its image in the whole box, and the pulse alone in the half with a mirror: the same numbers."""
    whole, half = Grid((-1, 0), (1, 1), (81, 41)), Grid((0, 0), (1, 1), (41, 41))
    x, y = np.meshgrid(*whole.axes, indexing="ij")
    pair = sum(np.exp(-((x - a) ** 2 + (y - 0.5) ** 2) / 0.01) for a in (-0.4, 0.4))
    absorbing = (Absorbing(0.3), Absorbing(0.3))
    final = WaveGrid(whole, 1.0, sides=[absorbing, absorbing]).run(0.9, steps=90, displacement=pair).final
    mirrored = WaveGrid(half, 1.0, sides=[(Mirror(), absorbing[1]), absorbing])
    np.testing.assert_allclose(
        mirrored.run(0.9, steps=90, displacement=pair[40:]).final, final[40:], atol=1e-13
    )


@pytest.mark.parametrize("time_order", [2, 4])
def test_energy_is_kept_between_walls_in_a_medium_that_varies(time_order: int) -> None:
    assert standing_error(33, 2, time_order)[1] < 1e-12
    grid = Grid((0, 0), (1, 1), (41, 41))
    x, y = np.meshgrid(*grid.axes, indexing="ij")
    wave = WaveGrid(grid, np.where(np.hypot(x - 0.6, y - 0.5) < 0.2, 3.0, 1.0), time_order=time_order)
    energy = wave.run(3.0, displacement=np.exp(-((x - 0.3) ** 2 + (y - 0.4) ** 2) / 0.01)).energy
    assert np.ptp(energy) < 1e-11 * energy[0]


def test_the_space_stencil_alone_is_fourth_order() -> None:
    errors = []
    for n in (17, 33, 65):
        x = np.linspace(0, 1, n)
        G = staggered_difference(n, x[1])
        u = np.sin(3 * np.pi * x[1:-1])
        errors.append(float(abs(-G.T @ (G @ u) + 9 * np.pi**2 * u).max()))
    assert observed_orders(errors)[-1] == pytest.approx(ORDER, abs=0.05)
    assert errors[-1] < 1e-3


def plane_gaussian(radius: Array, time: float, variance: float) -> Array:
    """s^2 int k J0(k r) cos(k t) exp(-s^2 k^2 / 2) dk: the wave of exp(-r^2 / 2s^2) in the uniform plane."""
    k = np.linspace(0, 10 / np.sqrt(variance), 3001)
    at = np.linspace(0, radius.max(), 1500)
    integrand = j0(np.outer(at, k)) * k * np.cos(k * time) * np.exp(-variance * k**2 / 2)
    return CubicSpline(at, variance * integrate.simpson(integrand, x=k))(radius)


@pytest.mark.parametrize(("time_order", "bound"), [(2, 8e-3), (4, 5e-4)])
def test_a_gaussian_in_the_plane_spreads_as_the_hankel_integral_says(time_order: int, bound: float) -> None:
    errors = []
    for n in (65, 129, 257):
        grid = Grid((-1, -1), (1, 1), (n, n))
        radius = np.linalg.norm(grid.points, axis=1).reshape(n, n)
        record = WaveGrid(grid, 1.0, time_order=time_order).run(
            0.5, displacement=np.exp(-(radius**2) / 0.008)
        )
        exact = plane_gaussian(radius, 0.5, 0.004)
        errors.append(float(np.linalg.norm(record.final - exact) / np.linalg.norm(exact)))
    assert observed_orders(errors)[-1] == pytest.approx(time_order, abs=0.35)
    assert errors[-1] < bound


def test_forced_waves_reach_fourth_order() -> None:
    """u = (sin(3t) - 3t cos(w t)) sin(k x) made by a source, so u(0) = 0 and u_t(0) = 0."""
    errors, k, speed = [], 2 * np.pi, 0.8
    w = speed * k

    def amplitude(t: Array) -> Array:
        # a'' + w^2 a for a = sin(3t) - 3t cos(wt)
        return (w**2 - 9) * np.sin(3 * t) + 6 * w * np.sin(w * t)

    for n in (17, 33, 65, 129):
        grid = Grid((0,), (1,), (n,))
        shape = np.sin(k * grid.axes[0])
        record = WaveGrid(grid, speed).run(1.1, sources=[Source(shape, amplitude)])
        exact = (np.sin(3.3) - 3.3 * np.cos(1.1 * w)) * shape
        errors.append(float(abs(record.final - exact).max()))
    assert observed_orders(errors)[-1] == pytest.approx(ORDER, abs=0.1)
    assert errors[-1] < 1e-5


def test_a_point_source_in_one_dimension_sends_out_half_the_integral_of_its_series() -> None:
    """u_tt = c^2 u_xx + w(t) delta gives u = 1/(2c) int_0^{t - |x|/c} w."""
    grid, speed = Grid((-2,), (2,), (801,)), 1.5

    def series(t: Array) -> Array:
        return npde.Ricker(4.0, 0.4)(t)

    receivers = np.array([[0.3217], [-0.7]])
    record = WaveGrid(grid, speed).run(
        1.2, sources=[point_source(grid, (0.1003,), series)], receivers=receivers
    )
    t = record.times
    b = 2 * (np.pi * 4.0) ** 2  # w is the second derivative of -exp(-b t^2 / 2) / b
    for column, place in enumerate((0.3217, -0.7)):
        late = t - abs(place - 0.1003) / speed
        lag = late - 0.4
        exact = np.where(late > 0, lag * np.exp(-b * lag**2 / 2), 0.0) / (2 * speed)
        assert abs(record.traces[:, column] - exact).max() < 2e-4 * abs(exact).max()


def test_source_and_receiver_can_change_places() -> None:
    grid = Grid((0, 0), (1, 1), (61, 61))
    x, y = np.meshgrid(*grid.axes, indexing="ij")
    wave = WaveGrid(grid, 1 + 0.4 * np.sin(4 * x) * np.cos(3 * y), sides=Absorbing(0.2))
    one, two = np.array([0.31, 0.42]), np.array([0.64, 0.58])

    def trace(at: Array, to: Array) -> Array:
        source = point_source(grid, at, lambda t: npde.Ricker(5.0, 0.25)(t))
        speed = 1 + 0.4 * np.sin(4 * at[0]) * np.cos(3 * at[1])
        return wave.run(1.0, sources=[source], receivers=to[None]).traces[:, 0] * speed**2

    there, back = trace(one, two), trace(two, one)
    assert abs(there - back).max() < 1e-3 * abs(there).max()


@pytest.mark.parametrize("time_order", [2, 4])
def test_the_layers_return_less_than_a_ten_thousandth_of_the_energy(time_order: int) -> None:
    """The same source in a plane so large that nothing returns, seen within the layers: what differs was
    reflected."""

    def run(half: float, nodes: int) -> tuple[Array, float]:
        grid = Grid((-half, -half), (half, half), (nodes, nodes))
        source = point_source(grid, (-0.2, 0.1), lambda t: npde.Ricker(5.0, 0.25)(t))
        wave = WaveGrid(grid, 1.0, sides=Absorbing(0.3), time_order=time_order)
        record = wave.run(1.8, steps=220, sources=[source], snapshot_every=10)
        middle = slice((nodes - 71) // 2, (nodes + 71) // 2)  # |x| <= 0.7, where no layer is
        return record.snapshots[:, middle, middle], float(record.energy[-1] / record.energy.max())

    with_layers, left = run(1.0, 101)
    without, _ = run(1.6, 161)
    reflected = ((with_layers - without) ** 2).sum(axis=(1, 2)).max()
    assert reflected < 3e-5 * (without**2).sum(axis=(1, 2)).max()
    assert left < 1e-4


@pytest.mark.parametrize("time_order", [2, 4])
def test_nothing_grows_in_the_layers_over_a_long_time(time_order: int) -> None:
    grid = Grid((-1, -1), (1, 1), (41, 41))
    x, y = np.meshgrid(*grid.axes, indexing="ij")
    wave = WaveGrid(
        grid, np.where(np.hypot(x - 0.2, y) < 0.25, 2.0, 1.0), sides=Absorbing(0.3), time_order=time_order
    )
    record = wave.run(60.0, displacement=np.exp(-(x**2 + y**2) / 0.02))
    count = len(record.energy)
    assert record.energy[count // 4] < 1e-2 * record.energy[0]
    assert record.energy[-1] < record.energy[count // 2] < record.energy[count // 4]


def test_a_layer_in_one_dimension_swallows_a_pulse_and_a_wall_returns_it_upside_down() -> None:
    grid = Grid((0,), (3,), (601,))
    x = grid.axes[0]
    pulse = np.exp(-((x - 1) ** 2) / 0.005)
    record = WaveGrid(grid, 1.0, sides=[(Wall(), Absorbing(0.5))]).run(
        2.0, displacement=pulse, velocity=2 * (1 - x) / 0.005 * pulse, steps=800
    )
    # u = pulse(x + t): to the left, back from the wall with the other sign, at x = 1 again after t = 2
    assert abs(record.final + pulse).max() < 2e-4
    gone = WaveGrid(grid, 1.0, sides=[(Wall(), Absorbing(0.5))]).run(6.0, displacement=pulse)
    assert gone.energy[-1] < 1e-7 * gone.energy[0]


def test_snapshots_and_times_belong_together() -> None:
    grid = Grid((0,), (1,), (21,))
    shape = np.sin(np.pi * grid.axes[0])
    record = WaveGrid(grid, 1.0).run(
        1.0, displacement=shape, steps=40, snapshot_every=8, receivers=np.array([[0.5]])
    )
    np.testing.assert_allclose(record.snapshot_times, np.linspace(0, 1, 6), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(record.snapshots[:, 10], record.traces[::8, 0], rtol=1e-7, atol=1e-12)
    np.testing.assert_allclose(record.snapshots[-1], record.final, rtol=1e-7, atol=1e-12)
    assert record.traces.shape == (41, 1)
    assert len(record.energy) == 40


def test_what_cannot_run_is_refused_with_the_way_out() -> None:
    grid = Grid((0, 0), (1, 1), (21, 21))
    wave = WaveGrid(grid, 2.0)
    with pytest.raises(
        ValueError, match=r"3 steps of 0.3333 are unstable .*at most 0.\d+; use at least \d+ steps"
    ):
        wave.run(1.0, steps=3)
    with pytest.raises(ValueError, match="duration must be positive; got -1"):
        wave.run(-1.0)
    with pytest.raises(ValueError, match=r"displacement has shape \(4,\); give a number or \(21, 21\)"):
        wave.run(1.0, displacement=np.zeros(4))
    with pytest.raises(ValueError, match=r"point \[2.0, 0.5\] lies outside the grid"):
        wave.run(1.0, receivers=np.array([[2.0, 0.5]]))
    with pytest.raises(ValueError, match="speed must be positive; its smallest value is 0"):
        WaveGrid(grid, 0.0)
    with pytest.raises(ValueError, match="order in time must be 2 or 4; got 3"):
        WaveGrid(grid, 1.0, time_order=3)
    with pytest.raises(ValueError, match=r"layers of axis 0, 1.2 wide together, fill the grid of 1"):
        WaveGrid(grid, 1.0, sides=Absorbing(0.6))
    with pytest.raises(ValueError, match=r"2 spacings wide; use at least 4 spacings, 0\.2"):
        WaveGrid(grid, 1.0, sides=Absorbing(0.1))
    with pytest.raises(ValueError, match="absorbing layers need 1 or 2 dimensions, got 3"):
        WaveGrid(Grid((0, 0, 0), (1, 1, 1), (9, 9, 9)), 1.0, sides=Absorbing(0.1))
    with pytest.raises(ValueError, match="sides must be 2 pairs"):
        WaveGrid(grid, 1.0, sides=[(Wall(), Wall())])
    with pytest.raises(ValueError, match="positive width; got 0"):
        Absorbing(0.0)
    with pytest.raises(ValueError, match="reflection of a layer must lie between 0 and 1; got 2"):
        Absorbing(0.1, reflection=2.0)


def test_one_step_below_the_limit_is_stable_and_one_above_is_refused() -> None:
    grid = Grid((0, 0), (1, 1), (21, 21))
    noise = np.random.default_rng(61843).normal(size=(21, 21))
    for time_order in (2, 4):
        wave = WaveGrid(grid, 1.0, time_order=time_order)
        steps = int(np.ceil(20.0 / wave.stable_step))
        record = wave.run(20.0, steps=steps, displacement=noise)
        assert np.ptp(record.energy) < 1e-10 * record.energy[0]
        assert abs(record.final).max() < 50
        with pytest.raises(ValueError, match="unstable"):
            wave.run(20.0, steps=steps - 1)
