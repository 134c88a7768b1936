"""Galerkin on the lattice of sines, and on given features, against exact fields and the grid solver."""

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.assembly.helmholtz import LatticeProblem
from neurapde.methods.refinement import Level, bandwidths, estimated
from neurapde.validation.exact import exact_solution
from support import assert_same_field

BOX = npde.Box((-1, 1), (-1, 1))
GRID = np.stack(np.meshgrid(*[np.linspace(-0.49, 0.49, 61)] * 2, indexing="ij"), axis=-1).reshape(-1, 2)


def declared(k=20.0, speed=1.0, source=None, boundary=None, **options) -> npde.Problem:
    return npde.Problem(
        name="case",
        domain=BOX,
        equation=npde.Helmholtz(k, speed),
        sources=npde.GaussianSource((-0.35, 0.0), 1e-4, 1 + 1j) if source is None else source,
        boundary=npde.PML(0.5, 5.0) if boundary is None else boundary,
        **options,
    )


def disk(radius=0.1, speed=2.0, center=(0.0, 0.0)) -> npde.Piecewise:
    return npde.Piecewise(1.0, (npde.Disk(center, radius), speed))


def error(solution: npde.Solution, problem: npde.Problem) -> float:
    truth = exact_solution(problem)(GRID)
    known = np.isfinite(truth)
    assert known.mean() > 0.5
    return float(np.linalg.norm((solution(GRID) - truth)[known]) / np.linalg.norm(truth[known]))


@pytest.mark.parametrize(
    "problem",
    [
        declared(speed=disk()),
        declared(k=5.0, speed=disk(), boundary=npde.PML(0.5, reflection=1e-6)),
        declared(k=40.0, speed=disk()),
        declared(speed=disk(0.2, 0.7, (0.05, 0.1))),
        declared(speed=disk(), source=npde.PointSource((-0.35, 0.1), 2.0)),
        declared(speed=disk(0.25, 1.5), source=npde.GaussianSource((0.05, 0.1), 1e-4)),
        declared(speed=disk(), boundary=npde.PML(0.35, 8.0)),
    ],
    ids=["paper", "k=5", "k=40", "slow", "point", "source-inside", "thin-layer"],
)
def test_field_of_a_penetrable_disk_is_the_series_within_the_estimate(problem):
    solution = npde.solve(problem)
    assert solution.status is npde.Status.CONVERGED
    estimate = solution.stages[-1].extras["error_estimate"]
    assert estimate <= npde.Galerkin().tolerance
    assert error(solution, problem) < 1.5 * estimate + 1e-5


def test_error_falls_as_the_jump_of_the_medium_lets_it():
    problem = declared(speed=disk())
    bands = np.array([45.0, 70.0, 110.0])
    errors = [error(npde.solve(problem, method=npde.Galerkin(0.1, band)), problem) for band in bands]
    slopes = np.diff(np.log(errors)) / np.diff(np.log(bands))
    assert slopes == pytest.approx(-2.7, abs=0.6)
    assert errors[-1] < 5e-4


def test_uniform_medium_leaves_nothing_to_the_sines():
    problem = declared()
    solution = npde.solve(problem)
    assert error(solution, problem) < 1e-10
    assert any("known wave is the whole field" in note for note in solution.notes)


def test_without_a_known_wave_the_sines_alone_find_the_uniform_field():
    source = npde.GaussianSource((-0.1, 0.05), 4e-3, 1 + 1j)
    problem = declared(k=12.0, source=lambda x: source(x))
    truth = npde.trials.OutgoingWave(source, 12.0).values(GRID)
    field = npde.solve(problem)(GRID)
    assert np.linalg.norm(field - truth) < 1e-3 * np.linalg.norm(truth)


def test_closed_box_has_its_series_of_eigenfunctions():
    problem = declared(k=7.0, source=npde.GaussianSource((0.2, 0.1), 4e-4), boundary=npde.Dirichlet(0.0))
    n = np.arange(1, 400) * np.pi / 2
    shape = lambda x: np.sin(np.outer(x + 1, n))  # noqa: E731
    decay = np.exp(-2e-4 * n**2)
    weights = np.outer(shape(np.array([0.2]))[0] * decay, shape(np.array([0.1]))[0] * decay)
    weights /= 49.0 - (n[:, None] ** 2 + n**2)
    away = np.hypot(*(GRID - (0.2, 0.1)).T) > 0.1
    exact = np.einsum("qi,ij,qj->q", shape(GRID[:, 0]), weights, shape(GRID[:, 1]))[away]
    field = npde.solve(problem)(GRID)[away]
    assert np.linalg.norm(field - exact) < 1e-3 * np.linalg.norm(exact)


def test_free_surface_is_the_image_of_the_source():
    at, k = (-0.1, 0.7), 15.0
    sides = npde.PML(0.4, 6.0, on=("left", "right", "bottom"))
    for condition, sign in ((npde.Dirichlet(0.0, on="top"), -1), (npde.Neumann(0.0, on="top"), 1)):
        problem = declared(k=k, source=npde.PointSource(at), boundary=[sides, condition])
        x = GRID[:, :1] * [[1.0, 0.0]] + [[0.0, 0.25]] + GRID[:, 1:] * [[0.0, 1.0]]
        x = x[np.hypot(*(x - at).T) > 0.1]
        image = npde.trials.OutgoingWave(npde.PointSource((at[0], 2 - at[1])), k)
        exact = npde.trials.OutgoingWave(npde.PointSource(at), k).values(x) + sign * image.values(x)
        assert np.linalg.norm(npde.solve(problem)(x) - exact) < 2e-3 * np.linalg.norm(exact)


@pytest.mark.parametrize(
    "problem",
    [
        pytest.param(
            declared(speed=npde.Piecewise(1.0, (npde.Box((-1, 1), (-1, -0.1)), 1.5))), marks=pytest.mark.slow
        ),
        pytest.param(
            declared(
                speed=npde.Piecewise(
                    1.0,
                    (npde.Disk((0.1, 0.1), 0.2) - npde.Disk((0.2, 0.1), 0.15), 0.7),
                    (npde.Polygon([(-0.3, -0.3), (-0.1, -0.35), (-0.2, -0.1)]), 1.8),
                )
            ),
            marks=pytest.mark.slow,
        ),
        declared(speed=lambda x: 1 + 0.2 * npde.sin(3 * x[:, 0]) * npde.cos(2 * x[:, 1])),
        declared(speed=npde.GridField(1 + 0.2 * np.random.default_rng(11071).random((9, 9)))),
        declared(speed=disk(), source=lambda x: npde.exp(-((x[:, 0] + 0.2) ** 2 + x[:, 1] ** 2) / 0.005)),
        declared(
            speed=disk(), source=npde.Shots(npde.PointSource((0.3, 0.3)), npde.PointSource((0.0, -0.3)))
        ),
    ],
    ids=["half-space", "crescent-and-triangle", "smooth", "grid", "density", "shots"],
)
def test_field_agrees_with_the_grid_solver(problem):
    solution, reference = npde.solve(problem), npde.reference(problem)
    report = npde.validate(solution, reference)
    bound = solution.stages[-1].extras["error_estimate"] + 2 * reference.error_estimate
    assert report.metrics["physical"]["relative_l2"] < 1.5 * bound
    assert bound < 3e-3


def test_shots_are_solved_as_if_alone():
    medium = disk()
    sources = [npde.GaussianSource(at, 1e-4) for at in ((-0.35, 0.0), (0.3, 0.2))]
    method = npde.Galerkin(0.1, 60.0)
    together = npde.solve(declared(speed=medium, source=npde.Shots(*sources)), method=method)(GRID)
    for shot, source in enumerate(sources):
        alone = npde.solve(declared(speed=medium, source=source), method=method)(GRID)
        np.testing.assert_allclose(together[:, shot], alone, atol=1e-6 * np.abs(alone).max())


def test_solution_survives_saving_bit_for_bit(tmp_path):
    solution = npde.solve(declared(speed=disk()), method=npde.Galerkin(0.1, 40.0))
    loaded = npde.load(solution.save(tmp_path / "u.h5"))
    assert_same_field(loaded(GRID), solution(GRID))
    assert loaded.problem == solution.problem


@pytest.mark.slow
def test_medium_beyond_the_largest_lattice_is_told_before_and_after():
    problem = declared(k=40.0, speed=disk(0.2, 0.1))
    with pytest.warns(npde.ResolutionWarning) as caught:
        solution = npde.solve(problem, method=npde.Galerkin(largest=60))
    messages = [str(warning.message) for warning in caught]
    assert "the largest local wavenumber of case is 400" in messages[0]
    assert "give Galerkin a largest=" in messages[0]
    assert "estimated relative error" in messages[-1]
    assert solution.status is npde.Status.UNRESOLVED


def test_estimate_bounds_the_error_at_every_level():
    problem = declared(speed=disk())
    lattice = LatticeProblem(problem, problem.equation)
    truth = exact_solution(problem)(lattice.probes)
    known = np.isfinite(truth)
    solved = (lattice.solve(band, 1e-7) for band in bandwidths(40.0, 120.0))
    for step in list(estimated(Level(level, level.features, lattice.field(level)) for level in solved))[2:]:
        field = step.field[:, 0]
        off = np.linalg.norm((field - truth)[known]) / np.linalg.norm(truth[known])
        assert off < 1.5 * step.estimate < 10 * off


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"boundary": npde.PML(0.4, on="left")}, "has no condition on right, bottom and top"),
        (
            {"constraints": npde.Constraint("data", lambda s, u: u.value, npde.interior(BOX))},
            "additional constraint 'data'",
        ),
    ],
)
def test_problems_it_cannot_take_are_refused_with_the_reason(change, message):
    problem = declared(**change)
    assert message in npde.Galerkin().obstacle(problem)
    with pytest.raises(npde.DeclarationError, match=message):
        npde.solve(problem, method=npde.Galerkin())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tolerance": 0.0}, "tolerance=0.0"),
        ({"bandwidth": -1.0}, "bandwidth=-1.0"),
        ({"largest": 2}, "largest=2"),
        ({"steps": -1}, "steps=-1"),
        ({"lr": 0.0}, "lr=0.0"),
    ],
)
def test_bad_settings_are_refused(arguments, message):
    with pytest.raises(npde.DeclarationError, match=message):
        npde.Galerkin(**arguments)


def test_head_of_a_network_is_found_by_the_strong_form_in_a_smooth_medium():
    bump = lambda x: 1 + 0.2 * npde.exp(-(x[:, 0] ** 2 + x[:, 1] ** 2) / 0.05)  # noqa: E731
    problem = declared(k=6.0, speed=bump, boundary=npde.PML(0.5, reflection=1e-5))
    trial = npde.Siren(width=500, depth=0, omega_0=50)
    with_network = npde.solve(problem, trial, npde.Galerkin(), seed=70117)
    assert "strong form" in with_network.notes[-1]
    truth = npde.solve(problem)(GRID)
    away = np.hypot(*(GRID - (-0.35, 0)).T) > 0.06
    difference = np.linalg.norm((with_network(GRID) - truth)[away]) / np.linalg.norm(truth[away])
    assert difference < 2e-3


@pytest.mark.slow
def test_head_of_a_network_is_found_by_the_weak_form_across_a_jump():
    problem = declared(k=6.0, speed=disk(0.2), boundary=npde.PML(0.5, reflection=1e-5))
    solution = npde.solve(problem, npde.Siren(width=500, depth=0, omega_0=50), npde.Galerkin(), seed=70117)
    assert "weak form" in solution.notes[-1]
    assert error(solution, problem) < 2e-2


@pytest.mark.slow
def test_training_the_hidden_layers_lowers_what_the_head_leaves():
    problem = declared(k=6.0, speed=disk(0.2), boundary=npde.PML(0.5, reflection=1e-5))
    trial = npde.Siren(width=60, depth=1, omega_0=20, omega_hidden=5)
    with pytest.warns(npde.ResolutionWarning, match="they cannot represent its field"):
        frozen = npde.solve(problem, trial, npde.Galerkin(), seed=81439)
    with pytest.warns(npde.ResolutionWarning, match="they cannot represent its field"):
        trained = npde.solve(problem, trial, npde.Galerkin(steps=15, lr=1e-2), seed=81439)
    before, after = (solution.stages[-1].extras["relative_residual"] for solution in (frozen, trained))
    assert after < 0.8 * before
    assert error(trained, problem) < error(frozen, problem)
    assert trained.history.loss[-1] < trained.history.loss[0]


def test_trial_with_a_given_head_vanishes_where_the_problem_says_so():
    problem = declared(k=4.0, source=npde.GaussianSource((0.1, 0.1), 0.01), boundary=npde.Dirichlet(0.0))
    solution = npde.solve(problem, npde.Siren(width=300, depth=0, omega_0=40), npde.Galerkin(), seed=24019)
    edge = torch.tensor([[1.0, 0.3], [-1.0, 0.2], [0.4, 1.0], [-0.7, -1.0]], dtype=torch.float64)
    torch.testing.assert_close(solution(edge), torch.zeros(4, dtype=torch.complex128), atol=1e-10, rtol=0)


@pytest.mark.parametrize(
    ("problem", "method"),
    [
        (declared(speed=disk()), npde.Galerkin(bandwidth=25.0)),
        (
            npde.Problem(
                "spike",
                npde.Box((0, 1), (0, 1)),
                npde.Poisson(),
                npde.GaussianSource((0.4, 0.6), 4e-4),
                npde.Dirichlet(0.0),
            ),
            npde.Galerkin(bandwidth=25.0),
        ),
        (npde.problems.wave_string(), npde.MethodOfLines(bandwidth=9.0)),
    ],
    ids=["helmholtz", "poisson", "wave"],
)
def test_a_bandwidth_that_is_given_is_held_against_the_tolerance(problem, method):
    with pytest.warns(npde.ResolutionWarning, match=rf"bandwidth={2 * method.bandwidth:g}"):
        solution = npde.solve(problem, method=method)
    assert solution.stages[-1].extras["error_estimate"] > method.tolerance
    assert solution.status is npde.Status.UNRESOLVED
