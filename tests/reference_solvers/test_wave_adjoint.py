"""Waves for inversion: agreement with the forward solver and with Green's function, and an adjoint that is exact."""

import numpy as np
import pytest
from numpy.typing import NDArray

import neurapde as npde
from neurapde.reference_solvers.grids.band_limited import band_limited
from neurapde.reference_solvers.grids.grid import Grid
from neurapde.reference_solvers.operators.wave_layers import Absorbing, Mirror, Wall
from neurapde.reference_solvers.wave import WaveGrid, point_source
from neurapde.reference_solvers.wave_adjoint import ORDER, WaveShots

Array = NDArray[np.float64]

OPEN = (Absorbing(0.25), Absorbing(0.25))
SURFACE = (Wall(), Absorbing(0.25))
MIRRORED = (Mirror(), Absorbing(0.25))


def medium(grid: Grid) -> Array:
    x, y = grid.points.T
    return 1.0 / (1 + 0.3 * np.sin(3 * x) * np.cos(2 * y)) ** 2


def small(memory: float = 2e9, *, sides: object = (OPEN, SURFACE)) -> WaveShots:
    """Three shots, four receivers, 120 steps on 33 x 29 nodes; a free surface at y = 0."""
    grid = Grid((0, 0), (1.6, 1.4), (33, 29))
    times = 0.015 * np.arange(120)
    return WaveShots(
        grid,
        np.array([[0.41, 0.33], [0.8, 0.07], [1.22, 0.9]]),
        np.array([[0.5, 0.1], [0.733, 0.651], [1.1, 0.8], [1.3, 0.02]]),
        npde.Ricker(1.5, 0.6)(times),
        dt=0.015,
        sides=sides,  # type: ignore[arg-type]
        layer_speed=1.3,
        memory=memory,
    )


LITTLE = 1.8e6
"""Bytes that force `small` to keep checkpoints."""


@pytest.mark.parametrize("memory", [2e9, LITTLE])
@pytest.mark.parametrize("sides", [(OPEN, SURFACE), (OPEN, MIRRORED)])
def test_the_linearised_traces_and_the_gradient_are_each_other_s_transpose(
    memory: float, sides: object
) -> None:
    waves = small(memory, sides=sides)
    rng = np.random.default_rng(38461)
    run = waves.run(medium(waves.grid))
    change, cotangent = rng.normal(size=waves.grid.size), rng.normal(size=run.traces.shape)
    there = np.vdot(waves.born(run, change), cotangent)
    back = np.vdot(change, waves.gradient(run, cotangent))
    assert abs(there - back) < 1e-12 * np.linalg.norm(waves.born(run, change)) * np.linalg.norm(cotangent)


def test_the_gradient_of_the_misfit_leaves_a_remainder_of_second_order() -> None:
    waves = small()
    rng = np.random.default_rng(70139)
    m = medium(waves.grid)
    observed = waves.run(np.ones(waves.grid.size)).traces
    run = waves.run(m)

    def misfit(at: Array) -> float:
        return 0.5 * float(np.sum((waves.run(at).traces - observed) ** 2))

    gradient = waves.gradient(run, run.traces - observed)
    direction = rng.normal(size=m.size) * m
    sizes = [1e-3, 1e-4, 1e-5]
    remainders = [abs(misfit(m + s * direction) - misfit(m) - s * (gradient @ direction)) for s in sizes]
    slopes = np.diff(np.log10(remainders)) / np.diff(np.log10(sizes))
    assert slopes == pytest.approx(2.0, abs=0.05)
    assert remainders[-1] < 1e-4 * abs(sizes[-1] * (gradient @ direction))


def test_checkpoints_change_neither_traces_nor_gradient() -> None:
    whole, parted = small(), small(LITTLE)
    assert whole.plan.segments == 1
    assert parted.plan.segments > 5
    assert parted.plan.bytes < LITTLE < whole.plan.bytes
    m = medium(whole.grid)
    cotangent = np.random.default_rng(22867).normal(size=whole.run(m).traces.shape)
    np.testing.assert_allclose(whole.run(m).traces, parted.run(m).traces, rtol=1e-9, atol=1e-15)
    gradient = whole.gradient(whole.run(m), cotangent)
    np.testing.assert_allclose(
        parted.gradient(parted.run(m), cotangent), gradient, rtol=1e-9, atol=1e-12 * abs(gradient).max()
    )


@pytest.mark.parametrize(
    "sides", [(OPEN, OPEN), (SURFACE, MIRRORED), ((Wall(), Wall()), (Mirror(), Mirror()))]
)
def test_the_steps_are_those_of_the_forward_solver(sides: object) -> None:
    waves = small(sides=sides)
    grid, at, receiver = waves.grid, np.array([0.8, 0.5]), np.array([[0.5, 0.45]])  # both are nodes
    wavelet = npde.Ricker(1.5, 1.1)(0.015 * np.arange(120))
    shots = WaveShots(grid, at[None], receiver, wavelet, dt=0.015, sides=sides, layer_speed=1.3)  # type: ignore[arg-type]
    speed = np.full(tuple(grid.shape), 1.3)
    source = point_source(grid, at, lambda t: 1.69 * npde.Ricker(1.5, 1.1)(t))
    other = WaveGrid(grid, speed, sides=sides, time_order=2)  # type: ignore[arg-type]
    record = other.run(1.8, steps=120, sources=[source], receivers=receiver)
    np.testing.assert_allclose(
        shots.run(np.full(grid.size, 1.3**-2)).traces[0, 0], record.traces[:, 0], rtol=0, atol=1e-13
    )


@pytest.mark.parametrize("side", [SURFACE, MIRRORED])
def test_a_shot_and_a_receiver_can_change_places(side: object) -> None:
    waves = small()
    places = np.array([[0.413, 0.33], [1.187, 0.071]])
    both = WaveShots(waves.grid, places, places, waves.wavelet, dt=0.015, sides=(OPEN, side), layer_speed=1.3)
    traces = both.run(medium(waves.grid)).traces
    assert abs(traces[0, 1] - traces[1, 0]).max() < 1e-12 * abs(traces[0, 1]).max()


def green(times: Array, distance: float, speed: float) -> Array:
    """1/(2 pi) int w(t - (r/c) cosh s) ds: a Ricker wavelet in the plane."""
    s = np.linspace(0, 4, 4001)
    late = times[:, None] - distance / speed * np.cosh(s)
    return np.trapezoid(npde.Ricker(1.0, 1.2)(late), s, axis=1) / (2 * np.pi)


def converging_error(n: int) -> float:
    """At a receiver in the uniform plane, layers included, with the time step as the spacing squared."""
    grid = Grid((-2, -2), (2, 2), (n, n))
    steps = 3 * ((n - 1) // 8) ** 2
    dt = 3.6 / steps
    waves = WaveShots(
        grid,
        np.array([[-0.5, 0.21]]),
        np.array([[0.52, -0.33]]),
        npde.Ricker(1.0, 1.2)(dt * np.arange(steps)),
        dt=dt,
        sides=((Absorbing(0.8), Absorbing(0.8)),) * 2,
        layer_speed=1.0,
    )
    trace = waves.run(np.ones(grid.size)).traces[0, 0]
    exact = green(dt * np.arange(steps + 1), float(np.hypot(1.02, 0.54)), 1.0)
    return float(np.linalg.norm(trace - exact) / np.linalg.norm(exact))


def test_a_ricker_wavelet_in_the_plane_arrives_as_green_s_function_says_and_at_fourth_order() -> None:
    sizes = (41, 57, 81)
    errors = [converging_error(n) for n in sizes]
    slopes = np.diff(np.log(errors)) / -np.diff(np.log([n - 1 for n in sizes]))
    assert slopes == pytest.approx(ORDER, abs=0.15)
    assert errors[-1] < 3e-3


def test_a_layer_swallows_a_shot_on_a_line_and_a_wall_returns_it_upside_down() -> None:
    """u = 1/(2 sqrt m) int_0^(t - sqrt(m) r) w, and the same from beyond the wall with the other sign."""
    grid, m = Grid((0,), (3,), (301,)), 0.25
    b = 2 * (np.pi * 3.0) ** 2  # w = d/dt of lag exp(-b lag^2 / 2)
    times = 0.001 * np.arange(1400)
    waves = WaveShots(
        grid,
        np.array([[1.0031]]),
        np.array([[1.7]]),
        npde.Ricker(3.0, 0.4)(times),
        dt=0.001,
        sides=[(Wall(), Absorbing(0.5))],
        layer_speed=2.0,
    )
    trace = waves.run(np.full(grid.size, m)).traces[0, 0, :-1]

    def arrival(distance: float) -> Array:
        lag = times - 0.5 * distance - 0.4
        return np.where(times > 0.5 * distance, lag * np.exp(-b * lag**2 / 2), 0.0)

    exact = arrival(0.6969) - arrival(2.7031)
    assert abs(trace - exact).max() < 2e-4 * abs(exact).max()


def test_band_limited_points_read_plane_waves() -> None:
    grid = Grid((-1, 0), (1, 3), (33, 49))  # 16 nodes a unit
    points = np.random.default_rng(90031).uniform((-0.6, 0.4), (0.6, 2.6), size=(50, 2))
    read = band_limited(grid, points)
    for nodes_per_wavelength, bound in ((8, 1.2e-4), (4, 5e-4)):
        k = 2 * np.pi * 16 / nodes_per_wavelength * np.array([0.6, 0.8])
        error = abs(read @ np.exp(1j * grid.points @ k) - np.exp(1j * points @ k))
        assert error.max() < bound
    np.testing.assert_allclose(
        band_limited(grid, grid.points[[400]]).toarray()[0], np.eye(grid.size)[400], rtol=1e-12, atol=1e-10
    )


def test_band_limited_points_take_a_field_for_odd_at_a_wall_and_for_even_at_a_mirror() -> None:
    grid = Grid((0,), (1,), (33,))
    points = np.array([[0.004], [0.01], [0.991]])
    read = band_limited(grid, points, mirrors=[(False, True)]) @ np.sin(4.5 * np.pi * grid.axes[0])
    np.testing.assert_allclose(read, np.sin(4.5 * np.pi * points[:, 0]), atol=1e-4)


@pytest.mark.parametrize("deviation", [0.02, 0.06, 0.3])
def test_a_gaussian_round_a_point_damps_a_plane_wave_as_its_transform_says(deviation: float) -> None:
    grid = Grid((-4, -4), (4, 4), (129, 129))
    k = np.array([4.0, -7.0])
    point = np.array([[0.117, -0.231]])
    value = (band_limited(grid, point, variance=deviation**2) @ np.exp(1j * grid.points @ k))[0]
    exact = np.exp(1j * point[0] @ k - 65 * deviation**2 / 2)
    assert abs(value - exact) < 1e-4


def test_memory_is_estimated_before_and_refused_when_short() -> None:
    waves = small(LITTLE)
    run = waves.run(medium(waves.grid))
    stored = sum(now.nbytes + before.nbytes for now, before in run.states) + run.traces.nbytes
    assert stored < waves.plan.bytes
    with pytest.raises(
        ValueError,
        match=r"120 steps of 3 shots on 33 x 29 nodes take 0.0\d+ GB with checkpoints, "
        "more than memory = 0.0001 GB; take fewer shots",
    ):
        small(1e5)


def test_what_cannot_run_is_refused_with_the_way_out() -> None:
    waves = small()
    with pytest.raises(
        ValueError, match=r"step of 0.015 is unstable .*\(CFL\) at the speed 3: at most 0.00\d+; shorten"
    ):
        waves.run(np.full(waves.grid.size, 1 / 9))
    with pytest.raises(ValueError, match=r"m has shape \(4,\); give \(957,\)"):
        waves.run(np.ones(4))
    with pytest.raises(ValueError, match="m = 1/c\\^2 must be positive and finite; its smallest value is 0"):
        waves.run(np.zeros(waves.grid.size))
    grid = waves.grid
    given = {"dt": 0.01, "sides": (OPEN, OPEN), "layer_speed": 1.0}
    inside, wavelet = np.array([[0.5, 0.5]]), np.ones(10)
    with pytest.raises(ValueError, match=r"point \[3.0, 0.5\] lies outside the grid"):
        WaveShots(grid, np.array([[3.0, 0.5]]), inside, wavelet, **given)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"wavelet has shape \(10, 1\); give \(steps,\)"):
        WaveShots(grid, inside, inside, wavelet[:, None], **given)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="step and layer speed must be positive; got -1"):
        WaveShots(grid, inside, inside, wavelet, **(given | {"dt": -1}))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="sides must be 2 pairs"):
        WaveShots(grid, inside, inside, wavelet, **(given | {"sides": [OPEN]}))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="variance must not be negative; got -1"):
        band_limited(grid, inside, variance=-1.0)
    with pytest.raises(ValueError, match=r"points must have shape \(n, 2\); got \(2,\)"):
        band_limited(grid, np.zeros(2))
    with pytest.raises(ValueError, match="need 6 nodes along each axis"):
        band_limited(Grid((0,), (1,), (4,)), np.array([[0.5]]))
