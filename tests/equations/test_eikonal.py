"""Signed distances and travel times: the constraints, the factored trial, the grid, and small solves."""

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.core.errors import DeclarationError
from neurapde.jets.jet import Jet
from neurapde.methods.choice import choose_method
from neurapde.problems import sdf_torus, travel_time_gradient, travel_time_layers
from neurapde.problems.eikonal import GradientSpeed, GradientTime
from neurapde.validation.annotations import annotations_of
from support import assert_same_field

SQUARE = npde.Box((-1, 1), (-1, 1))
DISK = npde.Disk((0.1, -0.05), 0.5)


def disk_problem(**settings: object) -> npde.Problem:
    return npde.Problem("disk", SQUARE, npde.Eikonal(surface=DISK, **settings))


def exact_jet(distance: npde.Domain, points: torch.Tensor) -> Jet:
    x = points.clone().requires_grad_()
    value = distance.signed_distance(x)
    (gradient,) = torch.autograd.grad(value.sum(), x)
    return Jet.of(value.detach(), gradient)


def test_the_constraints_are_the_paper_s_terms_and_the_distance() -> None:
    names = [constraint.name for constraint in disk_problem().constraints]
    assert names == ["surface", "normals", "off-surface", "eikonal", "distance"]
    paper = [constraint.name for constraint in disk_problem(distance=False).constraints]
    assert paper == [*names[:-1], "eikonal-on-surface"]


def test_the_exact_distance_leaves_no_residual_but_the_paper_s_repulsion() -> None:
    generator = torch.Generator().manual_seed(52387)
    for constraint in disk_problem().constraints:
        samples = constraint.sample(300, generator=generator)
        residual = constraint.residual(samples, exact_jet(DISK, samples.points))
        if constraint.name == "off-surface":
            expected = torch.exp(-100 * DISK.signed_distance(samples.points).abs())
            torch.testing.assert_close(residual, expected)
        else:
            assert residual.abs().max() < 1e-12, constraint.name


def test_another_field_leaves_the_residuals_it_should() -> None:
    by_name = {constraint.name: constraint for constraint in disk_problem().constraints}
    samples = by_name["normals"].sample(50, generator=torch.Generator().manual_seed(62347))
    field = Jet.of(torch.full((50,), 0.3).double(), 2 * samples.normals)
    torch.testing.assert_close(by_name["normals"].residual(samples, field), torch.full((50,), -1.0).double())
    torch.testing.assert_close(by_name["eikonal"].residual(samples, field), torch.ones(50).double())
    torch.testing.assert_close(by_name["surface"].residual(samples, field), torch.full((50,), 0.3).double())
    distance = by_name["distance"].residual(samples, field)
    torch.testing.assert_close(distance, torch.full((50,), 0.3).double(), atol=1e-7, rtol=0)


@pytest.mark.parametrize("gradient", [(0.5, -1.5), (0.0, 0.0), (0.0, 0.7)])
def test_the_time_in_a_linear_medium_obeys_its_equation(gradient: tuple[float, float]) -> None:
    medium = GradientSpeed(2.0, gradient)
    problem = npde.Problem("line", SQUARE, npde.Eikonal(speed=medium), sources=npde.PointSource((0.2, 0.1)))
    eikonal, source = problem.constraints
    samples = eikonal.sample(400, generator=torch.Generator().manual_seed(72337))
    x = samples.points.clone().requires_grad_()
    time = GradientTime(medium, (0.2, 0.1))(x)
    (slope,) = torch.autograd.grad(time.sum(), x)
    assert eikonal.residual(samples, Jet.of(time.detach(), slope)).abs().max() < 1e-11
    at = source.sample(1)
    assert GradientTime(medium, (0.2, 0.1))(at.points).abs().max() == 0


def test_each_source_of_several_has_the_time_zero_at_itself_only() -> None:
    shots = npde.Shots(npde.PointSource((0.2, 0.1)), npde.PointSource((-0.4, 0.3)))
    problem = npde.Problem("two", SQUARE, npde.Eikonal(), sources=shots)
    _, source = problem.constraints
    samples = source.sample(2)
    residual = source.residual(samples, Jet.of(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), dimension=2))
    assert residual.tolist() == [[1.0, 0.0], [0.0, 4.0]]


@pytest.mark.parametrize("order", [1, 2])
def test_straight_rays_have_the_derivatives_of_autograd(order: int) -> None:
    rays = npde.trials.StraightRays(((0.2, 0.1), (-0.3, 0.0)), (1.0, 0.5))
    points = torch.rand(20, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(82351))
    jet = rays.jet(points, order, mixed=[(0, 1)] if order == 2 else [])
    for column in range(2):
        x = points.clone().requires_grad_()
        (slope,) = torch.autograd.grad(rays.jet(x, 0).value[:, column].sum(), x, create_graph=True)
        torch.testing.assert_close(jet.gradient[:, column], slope, atol=1e-12, rtol=0)
        if order == 2:
            (row,) = torch.autograd.grad(slope[:, 0].sum(), x)
            torch.testing.assert_close(jet.d2(0)[:, column], row[:, 0], atol=1e-12, rtol=0)
            torch.testing.assert_close(jet.d2(0, 1)[:, column], row[:, 1], atol=1e-12, rtol=0)


def test_straight_rays_are_finite_at_the_source() -> None:
    jet = npde.trials.StraightRays(((0.2, 0.1),), (3.0,)).jet(torch.tensor([[0.2, 0.1]], dtype=torch.float64))
    assert jet.channels.abs().max() < 1e-12 or torch.isfinite(jet.channels).all()
    assert jet.value.item() == 0


def test_the_factored_trial_starts_as_its_background() -> None:
    rays = npde.trials.StraightRays(((0.2, 0.1),), (1.0,))
    trial = npde.trials.FactoredAnsatz(rays, npde.Siren(width=8, depth=1)).build(
        SQUARE.bounds, generator=torch.Generator().manual_seed(92357), dtype=torch.float64
    )
    points = torch.rand(10, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(20393))
    torch.testing.assert_close(trial(points), rays.jet(points, 0).value)


def test_the_factored_trial_multiplies_jets() -> None:
    rays = npde.trials.StraightRays(((0.2, 0.1),), (1.0,))
    trial = npde.trials.FactoredAnsatz(rays, npde.Siren(width=8, depth=1, omega_0=3)).build(
        SQUARE.bounds, generator=torch.Generator().manual_seed(30403), dtype=torch.float64
    )
    torch.nn.init.normal_(trial.network.head.weight, generator=torch.Generator().manual_seed(1 + 40427))
    x = torch.rand(
        10, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(50423)
    ).requires_grad_()
    (slope,) = torch.autograd.grad(trial(x).sum(), x)
    jet = trial.jet(x.detach(), order=1)
    torch.testing.assert_close(jet.value, trial(x))
    torch.testing.assert_close(jet.gradient, slope, atol=1e-11, rtol=0)


def test_a_background_of_another_number_of_sources_is_refused() -> None:
    rays = npde.trials.StraightRays(((0.2, 0.1), (0.0, 0.0)), (1.0, 1.0))
    with pytest.raises(DeclarationError, match=r"2 component\(s\)"):
        npde.trials.FactoredAnsatz(rays, npde.Siren(width=8)).build(
            SQUARE.bounds, generator=torch.Generator()
        )


def test_the_grid_s_times_are_exact_to_its_error_bar() -> None:
    problem = travel_time_gradient()
    grid = npde.reference(problem, shape=(61, 61))
    exact = problem.exact(grid.grid.points).reshape(61, 61)
    error = np.linalg.norm(grid.values - exact) / np.linalg.norm(exact)
    assert error < 5e-5
    assert grid.error_estimate is not None
    assert error / 5 < grid.error_estimate < 5 * error


def test_the_grid_s_distances_are_those_of_the_shape() -> None:
    problem = sdf_torus()
    grid = npde.reference(problem, shape=(21, 21, 21))
    np.testing.assert_allclose(grid.values.ravel(), problem.exact(grid.grid.points), atol=1e-12)


def test_travel_times_by_a_small_network_are_exact_to_a_thousandth() -> None:
    problem = travel_time_gradient()
    solution = npde.solve(
        problem,
        npde.trials.FactoredAnsatz(
            npde.trials.StraightRays(((0.3, -0.2),), (1 / 1.45,)),
            npde.Siren(width=12, depth=1, omega_0=3, omega_hidden=3),
        ),
        npde.NaturalGradient(steps=12, points={"eikonal": 500, "source": 1}),
        seed=60413,
        progress=False,
    )
    points = problem.domain.sample(2000, how="grid").numpy()
    exact = problem.exact(points)
    assert np.linalg.norm(solution(points) - exact) / np.linalg.norm(exact) < 1e-3
    assert abs(float(solution(np.array([[0.3, -0.2]]))[0])) < 1e-12


def test_times_of_two_sources_are_solved_together() -> None:
    medium = GradientSpeed(1.0, (0.0, 1.0))
    places = ((0.2, 0.1), (0.8, 0.5))
    problem = npde.Problem(
        "two",
        npde.Box((0, 1), (0, 1)),
        npde.Eikonal(speed=medium),
        sources=npde.Shots(*map(npde.PointSource, places)),
    )
    trial = problem.equation.around(npde.Siren(width=10, depth=1, omega_0=3, omega_hidden=3), problem)
    method = npde.NaturalGradient(steps=12, points={"eikonal": 400, "source": 2})
    solution = npde.solve(problem, trial, method, seed=70429, progress=False)
    points = problem.domain.sample(900, how="grid").numpy()
    for column, at in enumerate(places):
        exact = GradientTime(medium, at)(points)
        assert np.linalg.norm(solution(points)[:, column] - exact) / np.linalg.norm(exact) < 2e-3


def small_disk() -> npde.Solution:
    method = npde.NaturalGradient(
        steps=15,
        points={"surface": 150, "normals": 100, "off-surface": 1, "eikonal": 300, "distance": 500},
        weights={"surface": 10.0, "normals": 0.1, "off-surface": 0.0, "eikonal": 0.1, "distance": 10.0},
    )
    network = npde.Siren(width=12, depth=1, omega_0=4, omega_hidden=4)
    return npde.solve(disk_problem(), network, method, seed=80447, progress=False)


@pytest.fixture(scope="module")
def disk() -> npde.Solution:
    return small_disk()


def test_the_zero_set_of_a_disk_is_its_circle(disk: npde.Solution) -> None:
    zeros = npde.validation.zero_set(disk, nodes=101)
    assert np.abs(DISK.signed_distance(zeros.points)).max() < 0.03
    lengths = np.linalg.norm(np.diff(zeros.points[zeros.cells], axis=1)[:, 0], axis=1)
    assert lengths.sum() == pytest.approx(2 * np.pi * 0.5, rel=0.02)


def test_surface_errors_are_what_they_say(disk: npde.Solution) -> None:
    errors = npde.validation.surface_errors(disk, nodes=101)
    assert errors.chamfer <= errors.hausdorff < 0.03
    assert errors.distance_mean < 0.005
    assert errors.distance_mean <= errors.distance_max
    assert abs(errors.slope_mean - 1) < 0.05
    assert errors.network_kilobytes == pytest.approx(disk.trial.parameter_count * 8 / 1000)
    away = npde.validation.surface_errors(disk, npde.Disk((0.1, -0.05), 0.4), nodes=101)
    assert away.chamfer == pytest.approx(0.1, abs=0.01)
    assert away.hausdorff == pytest.approx(0.1, abs=0.03)


def test_a_field_of_one_sign_has_no_zero_set() -> None:
    solution = npde.solve(
        disk_problem(), npde.Siren(width=4, depth=0), npde.Adam(steps=1, points=8), progress=False
    )
    with torch.no_grad():
        solution.trial.head.bias += 10
    with pytest.raises(DeclarationError, match="there is no zero set"):
        npde.validation.zero_set(solution)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"equation": npde.Eikonal(), "sources": ()}, "need one PointSource for each field"),
        (
            {"equation": npde.Eikonal(), "sources": [npde.GaussianSource((0, 0), 1e-2)]},
            "need one PointSource",
        ),
        ({"equation": npde.Eikonal(), "sources": npde.PointSource((2, 0))}, "lies outside"),
        ({"equation": npde.Eikonal(), "sources": npde.PointSource((0, 0), 2.0)}, "amplitude=2"),
        ({"equation": npde.Eikonal(surface=DISK), "sources": npde.PointSource((0, 0))}, "takes no sources"),
        ({"equation": npde.Eikonal(surface=npde.Disk((0, 0), 2.0))}, "beyond the domain"),
        ({"equation": npde.Eikonal(surface=npde.Ball((0, 0, 0), 0.2))}, "has 3 axes, but the domain 2"),
        (
            {"equation": npde.Eikonal(surface=DISK), "boundary": npde.Dirichlet(0.0)},
            "takes no boundary conditions",
        ),
    ],
)
def test_a_problem_that_makes_no_sense_is_refused(settings: dict, message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        npde.Problem("wrong", SQUARE, **settings)


def test_a_speed_beside_a_surface_and_a_surface_that_is_none_are_refused() -> None:
    with pytest.raises(DeclarationError, match="leave speed out"):
        npde.Eikonal(speed=2.0, surface=DISK)
    with pytest.raises(DeclarationError, match="give a domain"):
        npde.Eikonal(surface="bunny.ply")
    with pytest.raises(DeclarationError, match="speed is −1"):
        npde.Eikonal(speed=-1.0)


def test_a_solution_of_an_eikonal_problem_is_saved_and_loaded(disk: npde.Solution, tmp_path) -> None:
    loaded = npde.load(disk.save(tmp_path / "disk.h5"))
    points = np.random.default_rng(90437).uniform(-1, 1, (20, 2))
    assert_same_field(loaded(points), disk(points))
    assert loaded.problem == disk.problem


def test_the_speed_of_layers_passes_from_one_to_the_next() -> None:
    speed = travel_time_layers().equation.speed
    speeds = speed(np.array([[0.5, 0.0], [0.5, -0.35], [0.5, -0.52], [0.5, -1.0]]))
    np.testing.assert_allclose(speeds, [1.0, 1.25, 1.5, 2.0], atol=2e-3)


def test_the_default_method_is_gauss_newton_and_a_given_network_is_trained() -> None:
    method, why = choose_method(disk_problem(), None)
    assert isinstance(method, npde.NaturalGradient)
    assert set(method.weights) == {constraint.name for constraint in disk_problem().constraints}
    assert "nonlinear" in why
    trained, _ = choose_method(disk_problem(distance=False), npde.Siren())
    assert isinstance(trained, npde.Adam)
    trained.check(disk_problem(distance=False))
    times, _ = choose_method(travel_time_layers(), None)
    assert isinstance(times, npde.NaturalGradient)
    times.check(travel_time_layers())


def test_adam_trains_travel_times_though_their_source_has_no_density() -> None:
    problem = travel_time_gradient()
    trial = problem.equation.around(npde.Siren(8, 1, 3.0, 3.0), problem)
    method = npde.Adam(steps=40, points=128, lr=1e-2, loss=npde.training.MeanSquare(), record_every=1)
    history = npde.solve(problem, trial, method, seed=20521, progress=False).history
    assert history.loss[-1] < 0.2 * history.loss[0]


def test_a_report_measures_the_surface_and_marks_it(disk: npde.Solution, tmp_path) -> None:
    report = npde.validate(disk, npde.reference(disk.problem, shape=41))
    assert any("Chamfer" in note and "network" in note for note in report.notes)
    assert report.annotations.contours == (0.0,)
    assert "zero set" in report.annotations.legend
    report.save(tmp_path)
    assert npde.validation.Report.load(tmp_path).annotations.contours == (0.0,)
    assert (tmp_path / "fields.png").stat().st_size > 10_000


def test_isochrones_are_marked_in_a_report_of_travel_times() -> None:
    assert annotations_of(travel_time_layers()).contours == tuple(i / 10 for i in range(1, 10))


def test_a_zero_set_is_written_and_read_as_a_mesh(disk: npde.Solution, tmp_path) -> None:
    path = npde.validation.zero_set(disk, nodes=61).save(tmp_path / "circle.vtk")
    mesh = npde.Mesh(path)
    assert mesh.dimension == 2
    assert mesh.measure == pytest.approx(np.pi * 0.25, rel=0.02)


def test_the_paper_s_terms_leave_its_loss_of_a_batch_half_on_the_surface() -> None:
    problem = disk_problem(distance=False)
    trial = npde.Siren(8, 1).build(
        SQUARE.bounds, generator=torch.Generator().manual_seed(10477), dtype=torch.float64
    )
    method = npde.Adam(1, points=40, weights=problem.equation.advice(problem, True).weights)
    total, _ = method.objective(problem).evaluate(trial, torch.Generator().manual_seed(20483))
    generator = torch.Generator().manual_seed(20483)
    on, off = (problem.constraints[i].sample(40, generator=generator) for i in (0, 2))
    x = torch.cat([on.points, off.points]).requires_grad_()
    y = trial(x)
    (gradient,) = torch.autograd.grad(y.sum(), x)
    y, first = y.detach(), torch.arange(80) < 40
    normals = torch.cat([on.normals, off.points])
    cosine = 1 - torch.nn.functional.cosine_similarity(gradient, normals, dim=1)
    expected = 3e3 * torch.where(first, y.abs(), 0.0).mean() + 1e2 * torch.where(first, cosine, 0.0).mean()
    expected += 1e2 * torch.where(first, 0.0, torch.exp(-100 * y.abs())).mean()
    expected += 5e1 * (gradient.norm(dim=1) - 1).abs().mean()
    torch.testing.assert_close(total.detach(), expected, rtol=1e-10, atol=0)


def test_uniform_points_come_with_their_distance_and_stay_in_the_domain() -> None:
    sampler = disk_problem().constraints[-1].sample
    sample = sampler(500, generator=torch.Generator().manual_seed(30491), dtype=torch.float64)
    torch.testing.assert_close(sample.targets, DISK.signed_distance(sample.points))
    repeated = sampler(500, generator=torch.Generator().manual_seed(30491), dtype=torch.float64)
    assert torch.equal(sample.points, repeated.points)
    assert bool(SQUARE.contains(sample.points).all())
    assert sample.points.mean(0).abs().max() < 0.1
    assert sampler(500, how="sobol", generator=torch.Generator().manual_seed(30491)).targets is None


class Sphere(torch.nn.Module):
    """The distance of a sphere round the origin, its radius to be trained."""

    def __init__(self) -> None:
        super().__init__()
        self.radius = torch.nn.Parameter(torch.tensor(0.5))

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        return torch.linalg.vector_norm(points, dim=1, keepdim=True) - self.radius


@pytest.mark.slow
def test_a_fine_zero_set_and_its_measures_are_those_of_a_sphere() -> None:
    ball = npde.Ball((0, 0, 0), 0.5)
    problem = npde.Problem("ball", npde.Box(*[(-1, 1)] * 3), npde.Eikonal(surface=ball))
    method = npde.Adam(steps=1, lr=1e-9, points=8)
    solution = npde.solve(problem, npde.TorchModule(Sphere()), method, progress=False)
    zeros = npde.validation.zero_set(solution, nodes=193)  # all but its neighbourhood from a coarse grid
    assert np.abs(np.linalg.norm(zeros.points, axis=1) - 0.5).max() < 1e-4
    assert (
        2 - len(zeros.points) + 3 * len(zeros.cells) / 2 - len(zeros.cells) == 0
    )  # Euler: one closed surface
    errors = npde.validation.surface_errors(solution, nodes=41)
    assert errors.normal_consistency > 0.998
    assert errors.wrong_sign == 0
    larger = npde.validation.surface_errors(solution, npde.Ball((0, 0, 0), 0.6), nodes=41)
    assert larger.wrong_sign == pytest.approx(4 / 3 * np.pi * (0.6**3 - 0.5**3) / 8, rel=0.1)
    assert larger.chamfer == pytest.approx(0.1, rel=0.01)


@pytest.mark.parametrize(
    "problem",
    [travel_time_gradient(), pytest.param(travel_time_layers(), marks=pytest.mark.slow)],
    ids=lambda problem: problem.name,
)
def test_travel_times_lie_within_the_bounds_of_fermat(problem):
    points = problem.domain.sample(900, how="grid").numpy()
    lower, upper = problem.equation.bounds(problem, points)
    times = npde.reference(problem, shape=(201, 201))(points).reshape(len(points), -1)
    assert lower.shape == upper.shape == times.shape
    assert (times > lower * 0.99 - 1e-3).all()
    assert (times < upper * 1.01 + 1e-3).all()
    assert np.median(lower / upper) > 0.3


def test_a_network_that_has_learnt_the_negative_time_is_told():
    """Of speed 1 on a line, whose residuals −|x| meets as well as |x| does."""
    problem = npde.Problem(
        "negative", npde.Interval(-1, 1), npde.Eikonal(speed=1.0), npde.PointSource((0.0,))
    )

    def trained(factor: float) -> npde.Solution:
        x = np.linspace(-1, 1, 201)[:, None]
        data = npde.Fit(npde.at_points(x, targets=factor * np.abs(x[:, 0])))
        small, method = npde.MLP(width=16, depth=1), npde.NaturalGradient(40, points=200)
        start = npde.solve(npde.Problem("fit", problem.domain, data), small, method, seed=50423)
        return npde.solve(problem, start.trial, npde.NaturalGradient(10, points=100), seed=50423)

    with pytest.warns(npde.ResolutionWarning, match="below the least that the solution may have"):
        solution = trained(-1.0)
    assert solution.status is npde.Status.UNRESOLVED
    assert solution.stages[-1].extras["error_estimate"] == pytest.approx(2.0, rel=0.1)
    assert "error_estimate" not in trained(1.0).stages[-1].extras
