"""The closing check of weak forms: what lies between the nodes of their quadrature is found, and told."""

import numpy as np
import pytest
from scipy.linalg import eigh
from scipy.special import erf

import neurapde as npde
from neurapde.assembly.wave_missed import unseen_medium
from neurapde.assembly.wave_problem import WaveProblem
from neurapde.fields.medium import FunctionField
from neurapde.spectral.quadrature import interval_rule
from neurapde.spectral.unseen import common, unseen, unseen_in
from neurapde.spectral.weak import Piece
from support import some_slow

SQUARE = npde.Box((0, 1), (0, 1))
AT = (0.6371, 0.3113)


def peak(width, mass=1.0, at=AT):
    def values(x):
        square = sum((x[:, i] - c) ** 2 for i, c in enumerate(at))
        return mass / (2 * np.pi * width**2) ** (len(at) / 2) * npde.exp(-square / (2 * width**2))

    return values


def sine(x):
    return npde.sin(np.pi * x[:, 0]) * npde.sin(np.pi * x[:, 1])


RULE = interval_rule((0.0, 1.0), 100.0)
ENDS = [(0.0, 1.0)] * 2


@pytest.mark.parametrize(("width", "mass"), [(1e-3, 1.0), (1e-3, 1e-2), (5e-4, 1.0)])
def test_what_the_rule_sees_and_what_it_does_not_are_all(width, mass):
    def function(x):
        return sine(x) + peak(width, mass)(x)

    x, weights = RULE
    seen = function(np.stack(np.meshgrid(x, x, indexing="ij"), axis=-1).reshape(-1, 2)) @ np.kron(
        weights, weights
    )
    rest = unseen(function, [x, x], ENDS, SQUARE)
    [first, other] = rest.tested(1.0, [lambda x: np.ones((1, len(x)))] * 2)
    assert seen + (first + other).item() / 2 == pytest.approx(mass + 4 / np.pi**2, abs=0.1 * mass)


@pytest.mark.parametrize("function", [sine, lambda x: sine(x) * (1 + 2j), peak(0.1)])
def test_what_the_nodes_see_is_not_unseen(function):
    assert unseen(function, [RULE[0]] * 2, ENDS, SQUARE).part < 2e-5


@pytest.mark.parametrize("bandwidth", [0.5, 100.0])
def test_a_jump_between_panels_is_not_unseen(bandwidth):
    inner = (0.0, 0.4, 0.4081, 1.0)
    nodes = [RULE[0], interval_rule(inner, bandwidth)[0]]

    def layer(x):
        return npde.where((x[:, 1] > inner[1]) & (x[:, 1] < inner[2]), 1 + x[:, 0], 0.16)

    assert unseen(layer, nodes, [ENDS[0], inner], SQUARE).part < 1e-9
    assert unseen(layer, nodes, ENDS, SQUARE).part > 1e-3


def test_chance_is_not_common_to_both_halves():
    """A jump askew, where only the draw of the points differs, leaves less than one part in a thousand of its area."""
    rest = unseen(
        lambda x: 1.0 * ((x[:, 0] - 0.5) ** 2 + (x[:, 1] - 0.5) ** 2 < 0.09), [RULE[0]] * 2, ENDS, SQUARE
    )
    halves = rest.tested(1.0, [lambda x: np.sin(np.pi * np.outer(np.arange(1, 9), x))] * 2)
    assert common(halves) < 5e-3


def poisson(sources=1.0, boundary=None, **coefficients):
    condition = npde.Dirichlet(0.0) if boundary is None else boundary
    return npde.Problem("narrow", SQUARE, npde.Poisson(**coefficients), sources, condition)


NARROW = {
    "source": poisson([lambda x: 20 * sine(x), peak(1e-5, 0.1)]),
    "source on a line": npde.Problem(
        "narrow", npde.Interval(0, 1), npde.Poisson(), [1.0, peak(1e-5, at=(0.6371,))], npde.Dirichlet(0.0)
    ),
    "source of waves": npde.Problem(
        "narrow",
        SQUARE,
        npde.Helmholtz(20.0),
        [lambda x: 380 * sine(x), peak(4e-4, 50.0)],
        npde.Dirichlet(0.0),
    ),
}


@pytest.mark.parametrize("name", NARROW)
def test_what_falls_between_the_nodes_is_told_in_its_size(name):
    with pytest.warns(
        npde.ResolutionWarning, match="closing check of narrow finds an error that the quadrature has missed"
    ):
        solution = npde.solve(NARROW[name], method=npde.Galerkin())
    assert solution.status is npde.Status.UNRESOLVED
    assert solution.stages[-1].extras["error_estimate"] > 1e-2


def test_the_estimate_is_the_error_of_the_missed_source():
    """Against the sum of sines of the source."""
    with pytest.warns(npde.ResolutionWarning, match="closing check of narrow"):
        solution = npde.solve(NARROW["source"], method=npde.Galerkin())
    points = np.random.default_rng(83477).random((2000, 2))
    k = np.pi * np.arange(1, 400)
    loads = np.multiply.outer(*(2 * np.sin(k * a) * np.exp(-((1e-5 * k) ** 2) / 2) for a in AT))
    first, second = (np.sin(np.outer(coordinates, k)) for coordinates in points.T)
    truth = np.sum((first @ (0.1 * loads / np.add.outer(k**2, k**2))) * second, axis=1)
    truth += 20 * sine(points) / (2 * np.pi**2)
    error = np.linalg.norm(solution(points) - truth) / np.linalg.norm(truth)
    assert solution.stages[-1].extras["error_estimate"] == pytest.approx(error, rel=0.5)


@pytest.mark.parametrize("width", some_slow([1e-3, 1e-4], 1e-4))
@pytest.mark.filterwarnings(
    "ignore:the estimated relative error:neurapde.reference_solvers.grids.grid.ResolutionWarning"
)
def test_the_estimate_of_waves_counts_a_pulse_shorter_than_the_time_between_knots(width):
    """One sine, set in motion at once: its rate jumps where the quintics between knots are smooth."""
    start, line = 0.3113, npde.Interval(0, 1)

    def signal(t):
        return npde.exp(-((t - start) ** 2) / (2 * width**2)) / (width * np.sqrt(2 * np.pi))

    source = npde.PulsedSource(lambda x: npde.sin(np.pi * x[:, 0]), signal)
    still = npde.Dirichlet(0.0, on=line.faces)
    problem = npde.Problem("struck", line.over(npde.Time(0, 0.7)), npde.Wave(), source, still)
    solution = npde.solve(problem, method=npde.MethodOfLines())
    times = np.linspace(0, 0.7, 5000)
    values_found = solution(np.column_stack([np.full(5000, 0.5), times]))
    truth = np.where(times > start, np.sin(np.pi * (times - start)) / np.pi, 0.0)
    error = np.linalg.norm(values_found - truth) / np.linalg.norm(truth)
    assert error < 3 * solution.stages[-1].extras["error_estimate"]
    assert error < 4e-3 or solution.status is npde.Status.UNRESOLVED


def on_a_string(speed=1.0, sources=(), start=None, length=1.0):
    line = npde.Interval(0, length)
    beginning = [] if start is None else [npde.InitialCondition(start)]
    sides = [*beginning, npde.Dirichlet(0.0, on=line.faces)]
    return npde.Problem("string", line.over(npde.Time(0, length)), npde.Wave(speed), sources, sides)


@pytest.mark.parametrize("length", [1.0, 1e-3])
def test_the_estimate_of_waves_counts_a_bead_between_the_nodes(length):
    """A bead of the mass of a tenth of the string, against sines whose mass matrix has it as a point."""
    width, mass, at = 1e-5, 0.1, AT[0]

    def speed(x):
        bead = (
            mass / (width * np.sqrt(2 * np.pi)) * npde.exp(-((x[:, 0] / length - at) ** 2) / (2 * width**2))
        )
        return 1 / npde.sqrt(1 + bead)

    problem = on_a_string(
        speed, start=lambda x: npde.exp(-(((x[:, 0] / length - 0.3) / 0.05) ** 2)), length=length
    )
    with pytest.warns(npde.ResolutionWarning, match="closing check of string"):
        solution = npde.solve(problem, method=npde.MethodOfLines(), progress=False)
    assert solution.status is npde.Status.UNRESOLVED
    k, grid = np.pi * np.arange(1, 301), (np.arange(3000) + 0.5) / 3000
    beaded = np.eye(300) + 2 * mass * np.outer(np.sin(k * at), np.sin(k * at))
    squares, vectors = eigh(np.diag(k**2), beaded)
    start = np.sqrt(2) * np.sin(np.outer(k, grid)) @ np.exp(-(((grid - 0.3) / 0.05) ** 2)) / 3000
    x, t = np.random.default_rng(83489).random((2, 800))
    heads = np.cos(np.outer(t, np.sqrt(squares))) * (vectors.T @ beaded @ start)
    truth = np.sum(np.sqrt(2) * np.sin(np.outer(x, k)) @ vectors * heads, axis=1)
    error = np.linalg.norm(solution(length * np.column_stack([x, t])) - truth) / np.linalg.norm(truth)
    assert solution.stages[-1].extras["error_estimate"] == pytest.approx(error, rel=0.5)


def test_the_estimate_of_waves_counts_a_shape_of_a_source_between_the_nodes():
    """Of the modes that the signal excites the narrow part has the share of a point."""
    mass, at = 0.25, AT[0]
    shape = peak(1e-5, mass, at=(at,))
    source = npde.PulsedSource(
        lambda x: npde.sin(np.pi * x[:, 0]) + shape(x), lambda t: npde.exp(-(((t - 0.4) / 0.1) ** 2))
    )
    with pytest.warns(npde.ResolutionWarning, match="closing check of string"):
        solution = npde.solve(on_a_string(sources=[source]), method=npde.MethodOfLines(), progress=False)
    k = np.pi * np.arange(1, 60)
    x = np.linspace(0, 1, 301)
    after = 0.1 * np.sqrt(np.pi) * np.exp(-((0.05 * k) ** 2)) * np.sin(k * (0.95 - 0.4)) / k
    narrow = 2 * mass * np.sin(k * at)
    truth = (after * (narrow + (k == np.pi))) @ np.sin(np.outer(k, x))
    missed = (after * narrow) @ np.sin(np.outer(k, x))
    error = np.linalg.norm(missed) / np.linalg.norm(truth)
    values_found = solution(np.column_stack([x, np.full(301, 0.95)]))
    assert np.linalg.norm(values_found - truth) / np.linalg.norm(truth) == pytest.approx(error, rel=0.02)
    assert error / 3 < solution.stages[-1].extras["error_estimate"] < 3 * error


@pytest.mark.parametrize("width", [1e-3, 5e-4])
def test_what_a_piece_holds_is_looked_at_in_the_piece_alone(width):
    """Of two narrow peaks, one within the disk and one within the box around it; the function has no value beyond."""
    disk = npde.Disk((0.6, 0.4), 0.2)
    beside = peak(width, 0.1, (0.77, 0.23))

    def function(x):
        away = (x[:, 0] - 0.6) ** 2 + (x[:, 1] - 0.4) ** 2
        return np.where(away < 0.09, peak(width, 0.1)(x) + beside(x) + 1.0, np.nan)

    rest = unseen_in(Piece((disk,), (), FunctionField(function)), function, ENDS, 100.0, SQUARE)
    assert disk.contains(rest.points[rest.values[:, 0] != 0]).all()
    left, other = rest.tested(1.0, [lambda x: np.ones((1, len(x)))] * 2)
    ends = [(0.4, 0.8), (0.2, 0.6)]
    (x, first), (y, second) = (interval_rule(end, 100.0) for end in ends)
    at_nodes = peak(width, 0.1)(np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2))
    seen = at_nodes @ np.kron(first, second)
    assert seen + (left + other).item() / 2 == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize("width", some_slow([3e-3, 5e-4], 5e-4))
@pytest.mark.parametrize(
    "region", [None, npde.Disk((0.6, 0.4), 0.2), npde.Box((0.4, 0.9), (0.1, 0.5))], ids=str
)
def test_a_bead_of_a_medium_in_the_plane_is_seen_by_its_rules_or_found_between_their_nodes(region, width):
    """∫ 1/c² over the square, of the moments and of what is missed, is 1 and the mass of the bead."""
    mass = 0.03
    bead = peak(width, mass)

    def speed(x):
        return 1 / npde.sqrt(1 + bead(x))

    medium = speed if region is None else npde.Piecewise(1.0, (region, speed))
    start = npde.InitialCondition(sine)
    problem = npde.Problem(
        "bead",
        SQUARE.over(npde.Time(0, 0.5)),
        npde.Wave(medium),
        boundary=[start, npde.Dirichlet(0.0)],
    )
    lattice = WaveProblem(problem).lattice(30.0, 16)
    halves = [
        rest.tested(1.0, [axis_modes.cosines for axis_modes in lattice.modes])
        for rest in unseen_medium(lattice)
    ]
    missed = sum(half.mean(axis=0)[0, 0] for half in halves)
    assert lattice.moments[0, 0] + missed == pytest.approx(1 + mass, abs=0.2 * mass)


@pytest.mark.parametrize("width", [6e-4, 1e-6])
def test_a_sharp_bead_of_any_width_is_found_between_nodes(width):
    mass, at = 0.05, AT

    def speed(x):
        inside = (x[:, 0] - at[0]) ** 2 + (x[:, 1] - at[1]) ** 2 < (width / 2) ** 2
        return npde.where(inside, 1 / np.sqrt(1 + mass / (np.pi * (width / 2) ** 2)), 1.0)

    sides = [npde.InitialCondition(sine), npde.Dirichlet(0.0)]
    problem = npde.Problem("bead", SQUARE.over(npde.Time(0, 0.5)), npde.Wave(speed), boundary=sides)
    lattice = WaveProblem(problem).lattice(30.0, 16)
    [rest] = unseen_medium(lattice)
    missed = rest.tested(1.0, [axis_modes.cosines for axis_modes in lattice.modes]).mean(axis=0)[0, 0]
    assert lattice.moments[0, 0] + missed == pytest.approx(1 + mass, abs=0.5 * mass)


@pytest.mark.parametrize("width", some_slow([1e-4, 1e-6], 1e-4))
def test_a_peak_between_any_points_is_told_by_default_too(width):
    """In a disk: 4 − 4r² of an even source, and the field of a point beside its image."""
    at, image = np.array([0.3, 0.2]), np.array([0.3, 0.2]) / 0.13
    disk = npde.Disk((0.0, 0.0), 1.0)
    problem = npde.Problem(
        "narrow", disk, npde.Poisson(), [lambda x: 4 + 0 * x[:, 0], peak(width, 0.5, at)], npde.Dirichlet(0.0)
    )
    with pytest.warns(npde.ResolutionWarning):
        solution = npde.solve(problem, progress=False)
    points = disk.sample(1500, how="grid").numpy()
    points = points[np.hypot(*(points - at).T) > 0.1]
    ratio = np.hypot(*(points - at).T) / (np.hypot(*(points - image).T) * np.sqrt(0.13))
    truth = 1 - (points**2).sum(axis=1) - 0.25 / np.pi * np.log(ratio)
    error = np.linalg.norm(solution(points) - truth) / np.linalg.norm(truth)
    assert error < 3 * solution.stages[-1].extras["error_estimate"]


def test_values_on_a_side_that_are_narrow_are_seen():
    """A peak on the rim of a disk, of a width that is as good as a point: Poisson's kernel."""
    width, disk = 1e-5, npde.Disk((0.0, 0.0), 1.0)

    def values(x):
        return 1 + 0.2 / (width * np.sqrt(2 * np.pi)) * npde.exp(
            -((x[:, 0] - 0.6) ** 2 + (x[:, 1] - 0.8) ** 2) / (2 * width**2)
        )

    points = disk.sample(1500, how="grid").numpy()
    away = np.hypot(points[:, 0] - 0.6, points[:, 1] - 0.8)
    points, away = points[away > 0.2], away[away > 0.2]
    problem = npde.Problem("rim", disk, npde.Poisson(), [], npde.Dirichlet(values))
    solution = npde.solve(problem, method=npde.Trefftz(), progress=False)
    truth = 1 + 0.1 / np.pi * (1 - (points**2).sum(axis=1)) / away**2
    error = np.linalg.norm(solution(points) - truth) / np.linalg.norm(truth)
    assert error < max(1e-4, 3 * solution.stages[-1].extras["error_estimate"])


@pytest.mark.parametrize(("width", "lasting"), [(1e-3, 0.05), (0.02, 2e-3)])
def test_a_source_of_space_and_time_is_seen_where_it_is_narrow(width, lasting):
    at, begun, stop = 0.123, 0.2, 0.5

    def density(x):
        beside, after = (x[:, 0] - at) / width, (x[:, 1] - begun) / lasting
        return npde.exp(-(beside**2 + after**2) / 2) / (width * lasting)

    problem = npde.Problem(
        "flash",
        npde.Interval(-0.3, 0.5).over(npde.Time(0, stop)),
        npde.Wave(1.0),
        [npde.FunctionSource(density)],
        [npde.Absorbing()],
    )
    solution = npde.solve(problem, method=npde.MethodOfLines(bandwidth=250.0), progress=False)
    points = np.random.default_rng(50423).uniform((-0.3, 0.25), (0.5, stop), (400, 2))
    x, t = points.T
    moments = begun + lasting * np.linspace(-8, 8, 4001)
    weights = np.exp(-(((moments - begun) / lasting) ** 2) / 2) * (moments[1] - moments[0]) / lasting
    reach = np.maximum(t[:, None] - moments, 0)
    ends = [erf((x[:, None] - at + sign * reach) / (width * 2**0.5)) for sign in (1, -1)]
    truth = ((ends[0] - ends[1]) @ weights) * np.sqrt(np.pi / 2) / 2
    error = np.linalg.norm(solution(points) - truth) / np.linalg.norm(truth)
    assert error < 0.02
    assert error < 3 * solution.stages[-1].extras["error_estimate"]


@pytest.mark.slow
def test_a_source_too_narrow_for_any_moment_is_told():
    def density(x):
        return npde.exp(-(((x[:, 0] - 0.1) / 1e-5) ** 2 + ((x[:, 1] - 0.2) / 1e-5) ** 2))

    problem = npde.Problem(
        "flash",
        npde.Box((-1, 1), (-1, 1)).over(npde.Time(0, 0.3)),
        npde.Wave(1.0),
        [npde.FunctionSource(lambda x: density(x[:, ::2]) * npde.exp(-((x[:, 1] / 1e-5) ** 2)))],
        [npde.Absorbing()],
    )
    with pytest.warns(npde.ResolutionWarning, match="flash"):
        solution = npde.solve(problem, method=npde.MethodOfLines(bandwidth=40.0), progress=False)
    assert solution.status is npde.Status.UNRESOLVED
