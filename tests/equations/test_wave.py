"""The wave equation: its declaration, its solution by moving sines, and its grid reference."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import j0

import neurapde as npde
from neurapde.assembly.wave_problem import WaveProblem
from neurapde.backgrounds.expanding_gaussian import SpreadingGaussian
from neurapde.jets.jet import Layout
from neurapde.problems.wave import Bump, wave_string, wave_uniform
from neurapde.spectral.propagation import oscillate, propagate, series
from support import assert_same_field, jet_of_coordinates, relative

SQUARE = npde.Box((-1, 1), (-1, 1))


def bump(variance: float = 0.01, at: tuple[float, float] = (0.0, 0.0)) -> Bump:
    return Bump(at, variance)


def in_the_plane(points: np.ndarray, variance: float) -> np.ndarray:
    """The wave of a Gaussian at rest in a uniform plane, s² ∫ κ J₀(κr) cos(κt) exp(−s²κ²/2) dκ."""
    nodes, weights = np.polynomial.legendre.leggauss(400)
    top = 8 / np.sqrt(variance)
    kappa, weights = top * (nodes + 1) / 2, top * weights / 2
    r, t = np.hypot(points[:, 0], points[:, 1])[:, None], points[:, 2:]
    integrand = kappa * j0(kappa * r) * np.cos(kappa * t) * np.exp(-variance * kappa**2 / 2)
    return np.asarray(variance * integrand @ weights)


def somewhere(problem: npde.Problem, count: int = 1500) -> np.ndarray:
    return problem.domain.sample(count, generator=torch.Generator().manual_seed(70207)).numpy()


def test_a_plane_wave_leaves_no_residual_and_leaves_by_the_side_it_runs_to() -> None:
    problem = npde.Problem(
        "p", SQUARE.over(npde.Time(0, 1)), npde.Wave(speed=2.0), boundary=npde.Absorbing(on="right")
    )
    constraints = {c.name: c for c in problem.constraints}
    assert list(constraints) == ["wave", "initial-value", "initial-velocity", "absorbing-right"]
    for name, order in (("wave", 2), ("absorbing-right", 1)):
        samples = constraints[name].sample(50, generator=torch.Generator().manual_seed(40009))
        x, _, t = jet_of_coordinates(samples.points, Layout(3, order))
        right = (x - 2.0 * t) * (x - 2.0 * t)
        wrong = (x - 1.0 * t) * (x - 1.0 * t)
        assert constraints[name].residual(samples, right).abs().max() < 1e-12
        assert constraints[name].residual(samples, wrong).abs().max() > 0.1


def test_a_ricker_wavelet_has_its_peak_at_its_delay_and_no_mass() -> None:
    times = np.linspace(-1, 2, 20_001)
    values = npde.Ricker(5.0, delay=0.4)(times)
    assert times[values.argmax()] == pytest.approx(0.4, abs=1e-3)
    assert values.max() == pytest.approx(1.0, abs=1e-5)
    assert abs(values.sum()) * (times[1] - times[0]) < 1e-12


def test_the_series_is_the_oscillator() -> None:
    times, largest = np.linspace(0, 1.5, 13), 90.0**2
    square = np.array([0.0, 4.0, 900.0, 8100.0])

    def force(t: np.ndarray) -> np.ndarray:
        return np.sin(3 * t) * t

    for start, value, rate in ((None, 1.0, 0.0), (None, 0.0, 1.0), (force, 0.0, 0.0)):
        table = series(largest, times, start, value, rate)
        exact = oscillate(square, times, start, value, rate)
        states = propagate(lambda x: square * x, largest, [np.ones(4)], [table])
        assert np.abs(states - exact).max() < 1e-9 * np.abs(exact).max()


def test_a_force_moves_an_oscillator_as_its_particular_solution() -> None:
    times = np.linspace(0, 2, 9)
    displacement = oscillate(np.array([25.0]), times, lambda t: np.cos(3 * t), 0.0, 0.0)[0, :, 0]
    assert displacement == pytest.approx((np.cos(3 * times) - np.cos(5 * times)) / 16, abs=1e-12)


def test_a_string_is_followed_to_the_accuracy_asked_for() -> None:
    problem = wave_string()
    points = somewhere(problem)
    assert problem.exact is not None
    errors = [
        relative(npde.solve(problem, method=npde.MethodOfLines(tolerance=t))(points), problem.exact(points))
        for t in (1e-3, 1e-6)
    ]
    assert errors[0] < 1e-3
    assert errors[1] < 1e-6


def test_a_velocity_starts_a_string() -> None:
    problem = npde.Problem(
        "struck",
        npde.Interval(0, 2).over(npde.Time(1, 2)),
        npde.Wave(speed=0.5),
        boundary=[npde.InitialCondition(0.0, lambda x: npde.cos(np.pi * x[:, 0])), npde.Neumann(0.0)],
    )
    points = somewhere(problem)
    omega = 0.5 * np.pi
    exact = np.cos(np.pi * points[:, 0]) * np.sin(omega * (points[:, 1] - 1)) / omega
    assert relative(npde.solve(problem)(points), exact) < 1e-3


def test_a_wave_between_a_mirror_and_an_open_side_is_the_same_by_sines_and_grid() -> None:
    problem = npde.Problem(
        "rigid",
        npde.Box((0, 1), (0, 1)).over(npde.Time(0, 0.8)),
        npde.Wave(speed=lambda x: 1 + 0.3 * x[:, 1]),
        boundary=[
            npde.InitialCondition(bump(0.01, (0.3, 0.5))),
            npde.Neumann(0.0, on=("left", "bottom")),
            npde.Dirichlet(0.0, on="top"),
            npde.Absorbing(on="right"),
        ],
    )
    solution, grid = npde.solve(problem), npde.reference(problem, shape=(81, 81, 41), error=False)
    points = somewhere(problem)
    assert relative(grid(points), solution(points)) < 4e-3
    side = problem.domain.sample_boundary(300, on=("left", "bottom"), how="sobol")[0].numpy()
    assert relative(grid(side), solution(side)) < 4e-3


@pytest.mark.slow
def test_a_string_that_is_driven_at_its_ends_is_solved_in_space_and_time_at_once() -> None:
    def running(x: np.ndarray) -> np.ndarray:
        return npde.sin(2 * (x[:, 1] - x[:, 0]))

    start = npde.InitialCondition(lambda x: -npde.sin(2 * x[:, 0]), lambda x: 2 * npde.cos(2 * x[:, 0]))
    problem = npde.Problem(
        "driven",
        npde.Interval(0, 1).over(npde.Time(0, 1)),
        npde.Wave(),
        boundary=[npde.Dirichlet(running), start],
        exact=running,
    )
    solution, points = npde.solve(problem), somewhere(problem)
    assert "in space and time at once" in solution.notes[0]
    assert relative(solution(points), running(points)) < 1e-5
    with pytest.raises(npde.DeclarationError, match="compare with an exact solution"):
        npde.reference(problem)


def test_a_gaussian_s_exact_wave_is_the_integral_at_any_place_speed_and_start() -> None:
    wave = SpreadingGaussian((0.2, -0.1), 0.003, speed=1.5, start=0.5)
    points = np.random.default_rng(10709).uniform((-1, -1, 0.5), (1, 1, 1.5), (300, 3))
    there = (points - [0.2, -0.1, 0.5]) * [1, 1, 1.5]
    np.testing.assert_allclose(wave(points), in_the_plane(there, 0.003), atol=2e-6)
    np.testing.assert_allclose(wave(torch.tensor(points)).numpy(), wave(points), atol=1e-12)
    begin = np.where([False, False, True], 0.5, points)
    np.testing.assert_allclose(wave(begin), bump(0.003, (0.2, -0.1))(begin[:, :2]), atol=2e-6)
    assert wave(points[:0]).shape == (0,)


def test_the_sines_meet_the_wave_of_the_plane() -> None:
    problem = wave_uniform(variance=0.01, stop=1.5)
    solution = npde.solve(problem)
    points = somewhere(problem, 400)
    assert relative(solution(points), in_the_plane(points, 0.01)) < 2e-3
    assert solution.status is npde.Status.CONVERGED


@pytest.mark.slow
def test_the_papers_narrow_gaussian_meets_the_wave_of_the_plane() -> None:
    problem = wave_uniform()
    points = somewhere(problem, 2000)
    assert relative(npde.solve(problem)(points), in_the_plane(points, 5e-4)) < 5e-3


def with_disk(stop: float = 0.4) -> npde.Problem:
    disk = npde.Disk((0, 0), 0.25)
    return npde.Problem(
        "disk",
        SQUARE.over(npde.Time(0, stop)),
        npde.Wave(speed=npde.Piecewise(1.0, (disk, 2.0))),
        boundary=[npde.InitialCondition(bump(0.02, (-0.4, 0.1))), npde.Absorbing()],
    )


@pytest.mark.slow
def test_sines_and_leapfrog_agree_beside_a_jump_of_the_medium() -> None:
    problem = with_disk()
    solution, reference = npde.solve(problem), npde.reference(problem)
    report = npde.validate(solution, reference)
    assert reference.error_estimate is not None
    assert report.relative_l2 < 3e-3
    assert "at t = 0.4" in report.metrics
    assert report.metrics["disk"]["points"] > 0
    assert set(report.pictures()) >= {"fields.png", "error.png"}


@pytest.mark.slow
def test_a_source_in_a_point_is_heard_as_the_grid_hears_it_and_then_it_is_quiet() -> None:
    problem = npde.Problem(
        "ricker",
        SQUARE.over(npde.Time(0, 4)),
        npde.Wave(),
        sources=npde.RickerSource(at=(-0.1, 0.1), peak_frequency=2.0),
        boundary=npde.PML(width=0.4),
    )
    solution, reference = npde.solve(problem), npde.reference(problem, error=False)
    receivers, times = np.array([[0.3, 0.2], [-0.5, -0.5]]), np.linspace(0, 4, 120)
    ours, grid = (npde.seismic.seismogram(field, receivers, times) for field in (solution, reference))
    assert ours.shape == (120, 2)
    assert relative(ours, grid) < 0.01
    axis = np.linspace(-0.6, 0.6, 41)
    plane = np.stack([x.ravel() for x in np.meshgrid(axis, axis, indexing="ij")], axis=-1)
    energies = []
    for moment in np.linspace(0.2, 4, 20):
        gradient = solution.gradient(np.column_stack([plane, np.full(len(plane), moment)]))
        energies.append(float((gradient**2).sum()))
    assert energies[-1] < 1e-4 * max(energies)


def test_a_source_that_does_not_separate_is_the_sum_of_those_that_do() -> None:
    def moving(points: np.ndarray) -> np.ndarray:
        x, t = points[:, 0], points[:, 1]
        return npde.sin(np.pi * x) * npde.sin(2 * t) + npde.sin(2 * np.pi * x) * t

    def problem(sources: object) -> npde.Problem:
        domain = npde.Interval(0, 1).over(npde.Time(0, 1))
        return npde.Problem("driven", domain, npde.Wave(), sources=sources, boundary=npde.Dirichlet(0.0))

    parts = [
        npde.PulsedSource(lambda x: npde.sin(np.pi * x[:, 0]), lambda t: npde.sin(2 * t)),
        npde.PulsedSource(lambda x: npde.sin(2 * np.pi * x[:, 0]), lambda t: t),
    ]
    whole, sum_of = npde.solve(problem(moving)), npde.solve(problem(parts))
    points = somewhere(problem(parts))
    assert relative(whole(points), sum_of(points)) < 1e-4


def test_shots_are_fields_of_their_own() -> None:
    sources = [npde.RickerSource((x,), 2.0, variance=0.01) for x in (-0.3, 0.4)]
    domain = npde.Interval(-1, 1).over(npde.Time(0, 1))
    both = npde.Problem("two", domain, npde.Wave(), sources=npde.Shots(*sources), boundary=npde.Absorbing())
    points = somewhere(both)
    fields = npde.solve(both)(points)
    for column, source in enumerate(sources):
        single = npde.Problem("one", domain, npde.Wave(), sources=source, boundary=npde.Absorbing())
        assert relative(fields[:, column], npde.solve(single)(points)) < 1e-3


def test_absorbing_sides_are_moved_out_of_reach_and_others_stay() -> None:
    problem = npde.Problem(
        "open",
        SQUARE.over(npde.Time(0, 2)),
        npde.Wave(),
        boundary=[
            npde.InitialCondition(bump()),
            npde.Absorbing(on="left"),
            npde.Dirichlet(0.0, on=("right", "bottom", "top")),
        ],
    )
    (left, right), side = WaveProblem(problem).box.sides
    assert (right, side) == (1.0, (-1.0, 1.0))
    assert -2.0 < left < -1.5


def test_a_solution_is_saved_with_everything(tmp_path: Path) -> None:
    problem = wave_uniform(variance=0.02, stop=1.0)
    solution = npde.solve(problem)
    loaded = npde.load(solution.save(tmp_path / "u.h5"))
    points = somewhere(problem, 50)
    assert_same_field(loaded(points), solution(points))
    assert str(loaded.required_problem) == str(problem)
    assert solution.export(tmp_path / "u.vtu", shape=9).exists()
    picture = npde.validation.animate(solution, problem.domain, tmp_path / "u.gif", frames=3, pixels=17)  # type: ignore[arg-type]
    assert picture.read_bytes()[:4] == b"GIF8"


def test_training_lowers_the_loss_and_takes_no_layers() -> None:
    problem = wave_uniform(variance=0.05)
    solution = npde.solve(problem, npde.Siren(width=32, depth=1), npde.Adam(steps=60, lr=1e-3, points=256))
    assert solution.history.loss[-1] < 0.8 * solution.history.loss[0]
    layered = npde.Problem("l", SQUARE.over(npde.Time(0, 1)), npde.Wave(), boundary=npde.PML(0.3))
    for method in (npde.Adam(steps=1), npde.LBFGS(steps=1), npde.NaturalGradient(steps=1)):
        with pytest.raises(npde.DeclarationError, match="layers of a PML need more fields"):
            npde.solve(layered, method=method)


def test_a_curriculum_opens_the_time_evenly_and_leaves_given_points_alone() -> None:
    curriculum = npde.training.Curriculum(steps=100, first=0.2)
    assert [curriculum.reach(step) for step in (0, 50, 100, 500)] == pytest.approx([0.2, 0.6, 1.0, 1.0])
    given = torch.tensor([[0.0, 0.0, 0.4]], dtype=torch.float64)
    seen: dict[str, torch.Tensor] = {}

    def watch(name: str) -> object:
        def residual(samples: npde.Samples, u: npde.Jet) -> torch.Tensor:
            if len(samples.points) <= 400:  # the training's, not the diagnosis'
                seen[name] = samples.points
            return u.value

        return residual

    domain = SQUARE.over(npde.Time(0, 0.5))
    opposite = npde.Periodic("x").constraints(domain)[0].sample
    problem = npde.Problem(
        "p",
        domain,
        npde.Wave(),
        constraints=[
            npde.Constraint("inside", watch("inside"), npde.interior(domain)),  # type: ignore[arg-type]
            npde.Constraint("given", watch("given"), npde.at_points(given)),  # type: ignore[arg-type]
            npde.Constraint("pairs", watch("pairs"), opposite),  # type: ignore[arg-type]
        ],
    )
    method = npde.Adam(steps=1, curriculum=npde.training.Curriculum(steps=10, first=0.3), points=200)
    npde.solve(problem, npde.Siren(width=8, depth=0), method)
    for name in ("inside", "pairs"):
        assert 0.1 < seen[name][:, -1].max() <= 0.15 + 1e-6
    assert torch.allclose(seen["given"].double(), given)


def test_a_curriculum_without_a_time_is_refused() -> None:
    problem = npde.Problem("p", SQUARE, npde.Equation(lambda x, u: u.value))
    with pytest.raises(npde.DeclarationError, match="extends time"):
        npde.solve(problem, method=npde.Adam(steps=1, curriculum=npde.training.Curriculum(5)))


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"domain": SQUARE}, "needs a time"),
        ({"sources": npde.PointSource((0, 0, 0.5))}, "at only one time"),
        ({"sources": npde.RickerSource((2.0, 0.0), 5.0)}, "lies outside"),
        (
            {"sources": npde.RickerSource((0.9, 0.0), 5.0), "boundary": npde.PML(0.3)},
            "in the absorbing layer",
        ),
        ({"equation": npde.Wave(speed=lambda x: x[:, 0])}, "must be finite and positive"),
        ({"boundary": [npde.InitialCondition(0.0), npde.InitialCondition(1.0)]}, "two InitialConditions"),
    ],
)
def test_a_problem_that_cannot_be_is_refused(settings: dict[str, object], match: str) -> None:
    fields = {"domain": SQUARE.over(npde.Time(0, 1)), "equation": npde.Wave()} | settings
    with pytest.raises(npde.DeclarationError, match=match):
        npde.Problem("p", **fields)  # type: ignore[arg-type]


@pytest.mark.filterwarnings("ignore::neurapde.DeclarationWarning")  # of the jump at the start
@pytest.mark.parametrize(
    ("boundary", "match"),
    [
        ([npde.Absorbing(on="left")], "has no condition on right, bottom and top"),
        ([npde.Dirichlet(1.0)], "is not zero"),
    ],
)
def test_sides_that_the_sines_do_not_know_are_refused(boundary: list[object], match: str) -> None:
    problem = npde.Problem("p", SQUARE.over(npde.Time(0, 1)), npde.Wave(), boundary=boundary)  # type: ignore[arg-type]
    with pytest.raises(npde.DeclarationError, match=match):
        npde.solve(problem, method=npde.MethodOfLines())
