"""Waves in media that jump, end at sides and in layers, and beside points that radiate: true errors and what is stated."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.integrate import quad

import neurapde as npde
from neurapde.assembly.wave_problem import WaveProblem
from neurapde.spectral.near_field import NearField
from neurapde.spectral.propagation import oscillate
from neurapde.spectral.time_rule import TimeRule
from support import assert_same_field, some_slow

Array = np.ndarray
WIDTH, START, INTERFACE, FIRST, SECOND, STOP = 0.1, -0.3, 0.2, 1.0, 2.5, 0.9


def two_half_spaces(x: Array, t: Array) -> Array:
    """D'Alembert's solution of a Gaussian at rest, with what the interface reflects and lets on."""

    def shape(z: Array) -> Array:
        return np.exp(-((z - START) ** 2) / (2 * WIDTH**2)) / 2

    back, on = (SECOND - FIRST) / (FIRST + SECOND), 2 * SECOND / (FIRST + SECOND)
    left = shape(x - FIRST * t) + shape(x + FIRST * t) + back * shape(2 * INTERFACE - x - FIRST * t)
    right = on * shape(INTERFACE + (x - INTERFACE) * FIRST / SECOND - FIRST * t)
    return np.where(x < INTERFACE, left, right)


def strip(speed: object, ends: list[object]) -> npde.Problem:
    start = npde.InitialCondition(lambda x: npde.exp(-((x[:, 1] - START) ** 2) / (2 * WIDTH**2)))
    return npde.Problem(
        "strip",
        npde.Box((-0.2, 0.2), (-0.9, 1)).over(npde.Time(0, STOP)),
        npde.Wave(speed),
        boundary=[start, npde.Neumann(0.0, on=("left", "right")), *ends],  # type: ignore[list-item]
    )


def off(solution: npde.Solution, points: Array, truth: Array) -> tuple[float, float]:
    """The true relative error and the estimated one."""
    error = np.linalg.norm(np.asarray(solution(points)) - truth) / np.linalg.norm(truth)
    return float(error), float(solution.stages[-1].extras["error_estimate"])


def region(end: float) -> npde.Piecewise:
    return npde.Piecewise(FIRST, (npde.Box((-0.2, 0.2), (INTERFACE, end)), SECOND))


@pytest.mark.parametrize(
    ("speed", "ends"),
    [
        (region(1.0), [npde.Absorbing(on=("bottom", "top"))]),
        (region(5.0), [npde.Absorbing(on=("bottom", "top"))]),
        (region(1.0), [npde.PML({"bottom": 0.2, "top": 0.3})]),
        (region(0.8), [npde.PML({"bottom": 0.2, "top": 0.3})]),
        (lambda x: npde.where(x[:, 1] < INTERFACE, FIRST, SECOND), [npde.Absorbing(on=("bottom", "top"))]),
    ],
    ids=["to the side", "beyond it", "through the layer", "into the layer", "a function"],
)
def test_a_half_space_goes_on_beyond_the_side_or_layer_that_it_reaches(
    speed: object, ends: list[object]
) -> None:
    problem = strip(speed, ends)
    rng = np.random.default_rng(50413)
    points = rng.uniform((-0.2, -0.7, 0), (0.2, 0.7, STOP), (2000, 3))
    error, estimate = off(npde.solve(problem), points, two_half_spaces(points[:, 1], points[:, 2]))
    assert error < 2e-3
    assert error < 3 * estimate


@pytest.mark.slow
def test_a_thin_slow_slab_is_as_good_as_stated_declared_or_as_a_function() -> None:
    """Against the same slab at a tenth of the tolerance."""
    slab = npde.Interval(0.2, 0.24)
    start = npde.InitialCondition(lambda x: npde.exp(-((x[:, 0] + 0.3) ** 2) / 0.02))

    def problem(speed: object) -> npde.Problem:
        domain = npde.Interval(-1, 1).over(npde.Time(0, 1.2))
        return npde.Problem("slab", domain, npde.Wave(speed), boundary=[start, npde.Absorbing()])

    declared = problem(npde.Piecewise(1.0, (slab, 0.4)))
    points = np.random.default_rng(70207).uniform((-1, 0), (1, 1.2), (3000, 2))
    truth = np.asarray(npde.solve(declared, method=npde.MethodOfLines(tolerance=2e-4))(points))
    as_function = problem(lambda x: npde.where((x[:, 0] > 0.2) & (x[:, 0] < 0.24), 0.4, 1.0))
    for declaration in (declared, as_function):
        error, estimate = off(npde.solve(declaration), points, truth)
        assert error < 2e-3
        assert error < 3 * estimate


@pytest.mark.parametrize("dimension", [1, 2])
def test_a_near_field_is_a_power_of_the_frequency_from_where_its_radius_is_resolved(dimension: int) -> None:
    near = NearField([(0.3,) * dimension], [1.0], 0.8, 3)
    kappa = np.array([30.0, 60.0, 120.0]) / 0.8
    scaled = near.transform(kappa) * kappa[:, None] ** (2.0 + 2 * np.arange(3))
    np.testing.assert_allclose(scaled, 1, atol=2e-4)
    far = np.full((1, dimension), 0.3 + 0.81)
    assert all(float(row[0]) == 0 for row in near.table(far, [(0,) * dimension])[0])


@pytest.mark.parametrize("dimension", [1, 2])
def test_the_derivatives_of_a_near_field_are_those_of_torch(dimension: int) -> None:
    near = NearField([(0.3,) * dimension, (-0.4,) * dimension], [1.0, -1.0], 0.9, 3)
    generator = torch.Generator().manual_seed(33391)
    points = torch.rand(30, dimension, generator=generator, dtype=torch.float64).requires_grad_()
    units = [tuple(int(i == axis) for i in range(dimension)) for axis in range(dimension)]
    twice = [tuple(a + b for a, b in zip(units[0], unit, strict=True)) for unit in units]
    value, slope, *bends = near.table(points, [(0,) * dimension, units[0], *twice])
    for j in range(3):
        (gradient,) = torch.autograd.grad(value[j].sum(), points, create_graph=True)
        assert torch.allclose(gradient[:, 0], slope[j], atol=1e-10)
        (second,) = torch.autograd.grad(gradient[:, 0].sum(), points, retain_graph=True)
        for axis in range(dimension):
            assert torch.allclose(second[:, axis], bends[axis][j], atol=1e-9)


FREQUENCY, DELAY, AT = 6.0, 1.5 / 6.0, -0.1


def integrated_ricker(t: Array) -> Array:
    return np.where(t > 0, (t - DELAY) * np.exp(-((np.pi * FREQUENCY * (t - DELAY)) ** 2)), 0.0)


@pytest.mark.parametrize(
    ("ends", "images"),
    [
        ([npde.Absorbing()], []),
        ([npde.Absorbing(on="right"), npde.Neumann(0.0, on="left")], [(-0.3, 1.0)]),
        ([npde.Absorbing(on="right"), npde.Dirichlet(0.0, on="left")], [(-0.3, -1.0)]),
    ],
    ids=["open", "near a mirror", "near a wall"],
)
def test_a_ricker_wavelet_of_a_point_is_d_alembert_s_beside_it_and_far(
    ends: list[object], images: list[tuple[float, float]]
) -> None:
    problem = npde.Problem(
        "ricker",
        npde.Interval(-0.2, 1).over(npde.Time(0, 1.2)),
        npde.Wave(1.0),
        npde.RickerSource((AT,), FREQUENCY),
        ends,  # type: ignore[arg-type]
    )
    points = np.random.default_rng(50413).uniform((-0.2, 0), (1, 1.2), (3000, 2))
    sources = [(AT, 1.0), *images]
    truth = sum(
        sign * integrated_ricker(points[:, 1] - np.abs(points[:, 0] - at)) / 2 for at, sign in sources
    )
    error, estimate = off(npde.solve(problem), points, np.asarray(truth))
    assert error < 1e-5
    assert error < 3 * estimate


def test_a_point_of_the_plane_is_right_up_to_its_logarithm() -> None:
    """1/2π ∫ w(t − r cosh s) ds for w(t) δ in the uniform plane."""
    problem = npde.Problem(
        "ricker",
        npde.Box((-0.5, 0.5), (-0.4, 0.4)).over(npde.Time(0, 1)),
        npde.Wave(1.0),
        npde.RickerSource((0.1, 0.05), 3.0),
        npde.Absorbing(),
    )
    signal = npde.Ricker(3.0)
    rng = np.random.default_rng(10709)
    radius, angle, times = 10 ** rng.uniform(-3, -0.5, 60), rng.uniform(0, 6.3, 60), rng.uniform(0.3, 1, 60)
    points = np.column_stack([0.1 + radius * np.cos(angle), 0.05 + radius * np.sin(angle), times])
    truth = np.array(
        [
            quad(lambda s, r=r, t=t: float(signal(t - r * np.cosh(s))), 0, np.arccosh(1 + 2 / r), limit=200)[
                0
            ]
            for r, t in zip(radius, times, strict=True)
        ]
    ) / (2 * np.pi)
    error, estimate = off(npde.solve(problem), points, truth)
    assert error < 1e-3
    assert error < 3 * estimate


@pytest.mark.parametrize(
    "signal",
    [
        lambda t: np.where((t > 0.31) & (t < 0.47), 1.0, 0.0),
        lambda t: np.exp(-((t - 0.4321) ** 2) / (2 * 2e-4**2)) * 1e3,
        lambda t: np.sin(40 * t),
    ],
    ids=["a box", "a burst", "a hum"],
)
def test_a_signal_is_integrated_wherever_its_changes_fall(signal: Callable[[Array], Array]) -> None:
    times = np.linspace(0, 1, 9)
    integral = oscillate(np.array([25.0]), times, signal, 0.0, 0.0)[0, -1, 0]
    s = np.linspace(0, 1, 2_000_001)
    exact = np.trapezoid(signal(s) * np.sin(5 * (1 - s)) / 5, s)
    assert integral == pytest.approx(exact, rel=3e-6)
    assert TimeRule(signal, times, 5.0).left < 1e-6


def test_a_side_that_absorbs_is_moved_out_by_the_speed_that_goes_on_there() -> None:
    slow, fast = (
        WaveProblem(strip(npde.Piecewise(FIRST, (npde.Box((-0.2, 0.2), (0.2, end)), SECOND)), ends))
        for end, ends in (
            (0.8, [npde.Absorbing(on=("bottom", "top"))]),
            (0.8, [npde.PML({"bottom": 0.2, "top": 0.3})]),
        )
    )
    assert slow.medium.speed(np.array([[0.0, 3.0]])) == pytest.approx(FIRST)
    assert fast.medium.speed(np.array([[0.0, 3.0]])) == pytest.approx(SECOND)


def test_a_rough_spectrum_that_goes_up_and_down_is_not_taken_for_its_troughs() -> None:
    """A hammer as wide as 0.2 on a line without end: half the length of it within x ± t."""
    low, high = -0.4, -0.2
    problem = npde.Problem(
        "hammer",
        npde.Interval(-1, 1).over(npde.Time(0, 1.2)),
        npde.Wave(1.0),
        boundary=[
            npde.InitialCondition(0.0, lambda x: npde.where((x[:, 0] > low) & (x[:, 0] < high), 1.0, 0.0)),
            npde.Absorbing(),
        ],
    )
    x, t = np.random.default_rng(50413).uniform((-1, 0), (1, 1.2), (4000, 2)).T
    truth = np.maximum(np.minimum(x + t, high) - np.maximum(x - t, low), 0) / 2
    error, estimate = off(npde.solve(problem), np.column_stack([x, t]), truth)
    assert error < 3 * estimate
    assert estimate < 2e-3


def test_a_start_that_no_lattice_holds_is_said_not_to_be_resolved() -> None:
    problem = npde.Problem(
        "torn",
        npde.Interval(-1, 1).over(npde.Time(0, 0.5)),
        npde.Wave(1.0),
        boundary=[
            npde.InitialCondition(lambda x: npde.where((x[:, 0] > -0.4) & (x[:, 0] < -0.2), 1.0, 0.0)),
            npde.Absorbing(),
        ],
    )
    x, t = np.random.default_rng(70207).uniform((-1, 0), (1, 0.5), (4000, 2)).T
    truth = sum(np.where((x + s * t > -0.4) & (x + s * t < -0.2), 0.5, 0.0) for s in (-1, 1))
    with pytest.warns(npde.ResolutionWarning, match="above the tolerance"):
        solution = npde.solve(problem)
    error, estimate = off(solution, np.column_stack([x, t]), np.asarray(truth))
    assert error < 3 * estimate


@pytest.mark.parametrize("half", some_slow([0.02, 0.2], 0.02))
def test_a_strip_is_as_good_as_stated_however_narrow(half: float) -> None:
    box = npde.Box((-half, half), (INTERFACE, 1))
    problem = npde.Problem(
        "strip",
        npde.Box((-half, half), (-0.9, 1)).over(npde.Time(0, STOP)),
        npde.Wave(npde.Piecewise(FIRST, (box, SECOND))),
        boundary=[
            npde.InitialCondition(lambda x: npde.exp(-((x[:, 1] - START) ** 2) / (2 * WIDTH**2))),
            npde.Neumann(0.0, on=("left", "right")),
            npde.Absorbing(on=("bottom", "top")),
        ],
    )
    points = np.random.default_rng(50413).uniform((-half, -0.9, 0), (half, 1, STOP), (2000, 3))
    error, estimate = off(npde.solve(problem), points, two_half_spaces(points[:, 1], points[:, 2]))
    assert error < 3 * estimate
    assert estimate < 2e-3


@pytest.mark.slow
def test_the_field_beside_a_point_is_saved_with_the_rest(tmp_path: Path) -> None:
    problem = npde.Problem(
        "shots",
        npde.Box((-0.5, 0.5), (-0.4, 0.4)).over(npde.Time(0, 0.6)),
        npde.Wave(1.0),
        npde.Shots(npde.RickerSource((0.1, 0.05), 3.0), npde.RickerSource((-0.2, 0.0), 3.0)),
        npde.Absorbing(),
    )
    solution = npde.solve(problem)
    points = np.random.default_rng(18311).uniform((-0.5, -0.4, 0), (0.5, 0.4, 0.6), (50, 3))
    values = np.asarray(solution(points))
    assert values.shape == (50, 2)
    assert_same_field(np.asarray(npde.load(solution.save(tmp_path / "u.h5"))(points)), values)
    swapped = npde.Problem(
        "one",
        npde.Box((-0.5, 0.5), (-0.4, 0.4)).over(npde.Time(0, 0.6)),
        npde.Wave(1.0),
        npde.RickerSource((-0.2, 0.0), 3.0),
        npde.Absorbing(),
    )
    alone = np.asarray(npde.solve(swapped)(points))
    assert np.linalg.norm(values[:, 1] - alone) < 1e-3 * np.linalg.norm(alone)


def test_the_notes_say_how_fine_functions_were_looked_at_and_nothing_of_what_is_declared() -> None:
    domain = npde.Interval(-1, 1).over(npde.Time(0, 0.3))

    def looked(speed: object, sources: object = ()) -> list[str]:
        start = npde.InitialCondition(0.0)
        problem = npde.Problem("looked", domain, npde.Wave(speed), sources, [start, npde.Absorbing()])
        notes = npde.solve(problem, method=npde.MethodOfLines(tolerance=0.05), progress=False).notes
        return [note for note in notes if note.startswith("Functions were sampled")]

    source = npde.RickerSource((0.1,), 4.0, variance=0.01)
    assert len(looked(lambda x: 1 + 0.1 * npde.sin(x[:, 0]), source)) == 1
    assert looked(npde.Piecewise(1.0, (npde.Interval(0.2, 0.5), 1.2)), source) == []
