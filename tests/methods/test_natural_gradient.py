"""The natural gradient: its Jacobian, both forms of its least squares, and what it makes of problems of every kind."""

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.conditions.constraints import Constraint, Samples
from neurapde.core import memory
from neurapde.core.errors import DeclarationError
from neurapde.problems import helmholtz_uniform
from neurapde.training.optimisation.jacobian import linearised, residuals
from neurapde.training.optimisation.normal import ByParameters, ByResiduals
from neurapde.training.run import journal
from neurapde.training.run.method import Status
from neurapde.training.weighted_residuals import WeightedResiduals
from neurapde.trials.ansatz import DistanceFactor
from neurapde.trials.base import Trial, TrialFunction
from support import assert_same_field, seeded, some_slow

LINE = npde.Interval(0, 1)
SQUARE = npde.Box((0, 1), (0, 1))
MIXED = ((0, 1),)


def bratu(samples: Samples, u: npde.Jet) -> torch.Tensor:
    return u.laplacian * u.value + u.d(0) * torch.exp(u.value) - samples.points[:, 1] * u.d2(0, 1)


def complex_residual(samples: Samples, u: npde.Jet) -> torch.Tensor:
    return torch.stack([u.d(0) * u.value, u.laplacian + 1j * u.value.conj()], dim=1)


def pair(samples: Samples, u: npde.Jet) -> torch.Tensor:
    return torch.stack([u[0].d(0) * u[1].value, u[1].laplacian - u[0].value ** 2], dim=1)


def by_autograd(
    trial: TrialFunction, constraint: Constraint, samples: Samples
) -> tuple[torch.Tensor, torch.Tensor]:
    """Residuals and Jacobian, a backward pass for each residual."""
    vector = residuals(trial, constraint, samples, MIXED)
    parameters = [p for p in trial.parameters() if p.requires_grad]
    rows = [
        torch.cat([g.reshape(-1) for g in torch.autograd.grad(number, parameters, retain_graph=True)])
        for number in vector.reshape(-1)
    ]
    return vector.detach(), torch.stack(rows).reshape(*vector.shape, -1)


@pytest.mark.parametrize(
    ("residual", "outputs", "is_complex"),
    [(bratu, 1, False), (complex_residual, 1, True), (pair, 2, False)],
    ids=["real", "complex", "two components"],
)
@pytest.mark.parametrize(
    "spec",
    [
        npde.Siren(5, 2, 3.0, 3.0),
        npde.MLP(4, 1, "softplus"),
        DistanceFactor(npde.MLP(4, 1)),
        npde.trials.OutputScaling(npde.MLP(4, 1), 3.0),
        None,
    ],
    ids=["siren", "mlp", "vanishing", "scaled", "foreign"],
)
@pytest.mark.parametrize("at_once", [1000, 3])
def test_the_jacobian_by_rows_is_that_of_autograd(
    residual, outputs: int, is_complex: bool, spec: Trial | None, at_once: int
) -> None:
    if spec is None:
        module = torch.nn.Sequential(
            torch.nn.Linear(2, 5), torch.nn.Tanh(), torch.nn.Linear(5, outputs * (1 + is_complex))
        )
        for parameter in module.parameters():
            torch.nn.init.uniform_(parameter, -1, 1, generator=seeded(21403))
        spec = npde.TorchModule(module)
    trial = spec.build(SQUARE.bounds, outputs, is_complex, generator=seeded(21401), dtype=torch.float64)
    constraint = npde.Constraint("r", residual, npde.interior(SQUARE), order=2)
    samples = constraint.sample(7, generator=seeded(31409))
    vector, jacobian = (
        torch.cat(parts)
        for parts in zip(*linearised(trial, constraint, samples, MIXED, at_once), strict=True)
    )
    expected, slow = by_autograd(trial, constraint, samples)
    torch.testing.assert_close(vector, expected, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(jacobian, slow, rtol=1e-12, atol=1e-12 * float(slow.abs().max()))


def test_rows_of_periodic_faces_join_their_two_points() -> None:
    values, slopes = npde.Periodic("x").constraints(SQUARE)
    trial = npde.Siren(5, 1, 3.0, 3.0).build(SQUARE.bounds, generator=seeded(21403), dtype=torch.float64)
    for constraint in (values, slopes):
        samples = constraint.sample(5, generator=seeded(31411))
        parts = [jacobian for _, jacobian in linearised(trial, constraint, samples, (), 2)]
        expected = by_autograd(trial, constraint, samples)[1]
        torch.testing.assert_close(torch.cat(parts), expected, rtol=1e-12, atol=1e-12)


def test_a_mean_over_all_points_is_one_row() -> None:
    def mean(samples: Samples, u: npde.Jet) -> torch.Tensor:
        return u.value.mean()[None] - 1.0

    constraint = npde.Constraint("mean", mean, npde.interior(SQUARE))
    trial = npde.MLP(4, 1).build(SQUARE.bounds, generator=seeded(21407), dtype=torch.float64)
    samples = constraint.sample(9, generator=seeded(31413))
    ((_, jacobian),) = linearised(trial, constraint, samples, ())
    torch.testing.assert_close(jacobian, by_autograd(trial, constraint, samples)[1], rtol=1e-12, atol=1e-14)


def test_rows_that_read_other_points_are_refused() -> None:
    def neighbours(samples: Samples, u: npde.Jet) -> torch.Tensor:
        return u.value - u.value.roll(1)

    constraint = npde.Constraint("neighbours", neighbours, npde.interior(SQUARE))
    trial = npde.MLP(4, 1).build(SQUARE.bounds, generator=seeded(21409), dtype=torch.float64)
    with pytest.raises(DeclarationError, match="cannot be computed row by row"):
        list(linearised(trial, constraint, constraint.sample(9, generator=seeded(31415)), ()))


def least_squares(rows: int, columns: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = seeded(41421)
    made = [
        torch.randn(shape, generator=generator).double() for shape in ((rows, columns), (rows,), (columns,))
    ]
    return made[0], made[1], made[2]


@pytest.mark.parametrize(("rows", "columns"), [(40, 12), (12, 40)])
def test_both_forms_take_the_step_of_momentum_written_out(rows: int, columns: int) -> None:
    jacobian, residual, toward = least_squares(rows, columns)
    blocks = [(residual[:7], jacobian[:7]), (residual[7:], jacobian[7:])]
    primal = ByParameters(blocks, columns, lambda v: jacobian.T @ v)
    dual = ByResiduals(blocks, rows, columns)
    assert dual.scale == pytest.approx(primal.scale, rel=1e-12)
    shift = 0.01 * primal.scale * torch.eye(columns, dtype=torch.float64)
    normal = jacobian.T @ jacobian + shift
    plain = toward - torch.linalg.solve(normal, jacobian.T @ (residual + jacobian @ toward))
    bend = -0.5 * torch.linalg.solve(normal, jacobian.T @ residual)
    fall = float(residual.square().sum() - (residual + jacobian @ plain).square().sum())
    for equations in (primal, dual):
        step = equations.step(0.01, toward)
        torch.testing.assert_close(step, plain, rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(equations.acceleration(residual), bend, rtol=1e-10, atol=1e-12)
        assert equations.predicted_reduction(step) == pytest.approx(fall, rel=1e-9)


def test_damping_turns_the_step_from_newtons_to_the_gradients() -> None:
    jacobian, residual, _ = least_squares(40, 12)
    equations = ByResiduals([(residual, jacobian)], 40, 12)
    nothing = torch.zeros(12, dtype=torch.float64)
    newton = torch.linalg.lstsq(jacobian, -residual[:, None]).solution[:, 0]
    primal = ByParameters([(residual, jacobian)], 12, lambda v: jacobian.T @ v)
    torch.testing.assert_close(primal.step(1e-14, nothing), newton, rtol=1e-9, atol=1e-9)
    far = equations.step(1e8, nothing) * 1e8 * equations.scale
    torch.testing.assert_close(far, -jacobian.T @ residual, rtol=1e-6, atol=1e-6)


def head_only(
    trial: npde.Siren, domain: npde.Domain, outputs: int = 1, is_complex: bool = False
) -> TrialFunction:
    """A trial function of which only the head moves."""
    made = trial.build(domain.bounds, outputs, is_complex, generator=seeded(41411), dtype=torch.float64)
    for layer in made.layers:
        layer.requires_grad_(False)
    return made


@pytest.mark.parametrize("points", [200, 5], ids=["by parameters", "by residuals"])
def test_a_linear_problem_is_solved_in_one_step(points: int) -> None:
    """The loss left is that of a least-squares solver, to 1e-10 of the loss at the start."""

    def residual(x: torch.Tensor, u: npde.Jet) -> torch.Tensor:
        return u.d(0) - npde.cos(3 * x[:, 0])

    sides = npde.Dirichlet(0.0, on="left")
    problem = npde.Problem("line", LINE, npde.Equation(residual, order=1), boundary=sides)
    trial = head_only(npde.Siren(12, 0, 4.0), LINE)
    method = npde.NaturalGradient(steps=1, points=points, damping=1e-14)
    solution = npde.solve(problem, trial, method, seed=51413, progress=False)
    generator = seeded(51414)
    rows, right = [], []
    for constraint in problem.constraints:
        samples = constraint.sample(points, how="sobol", generator=generator)
        count = len(samples.points)
        jet = trial.feature_jet(samples.points, order=1)
        order = 1 if constraint.order else 0
        constant = torch.full((count, 1), 1.0 - order, dtype=torch.float64)
        rows.append(torch.cat([jet.channels[order].detach(), constant], dim=1) / count**0.5)
        target = torch.cos(3 * samples.points[:, 0]) if order else torch.zeros(count, dtype=torch.float64)
        right.append(target / count**0.5)
    A, b = torch.cat(rows), torch.cat(right)
    best = float((A @ torch.linalg.lstsq(A, b, driver="gelsd").solution - b).square().sum())
    assert abs(solution.history.loss[-1] - best) <= 1e-10 * solution.history.loss[0]


def cubic() -> npde.Problem:
    """u = 1/(2 − x) solves u″ = 2u³."""
    sides = [npde.Dirichlet(0.5, on="left"), npde.Dirichlet(1.0, on="right")]
    equation = npde.Equation(lambda x, u: u.laplacian - 2 * u.value**3)
    return npde.Problem("cubic", LINE, equation, boundary=sides)


@pytest.mark.parametrize("momentum", some_slow([0.0, 0.5], 0.0))
@pytest.mark.parametrize("redraw", [None, 5])
def test_a_nonlinear_equation_with_several_constraints_is_solved(momentum: float, redraw: int | None) -> None:
    problem = cubic()
    counts = {constraint.name: 1 for constraint in problem.constraints} | {"equation": 60}
    method = npde.NaturalGradient(60, points=counts, momentum=momentum, redraw=redraw, tolerance=1e-9)
    solution = npde.solve(problem, npde.MLP(10, 0), method, seed=61417, progress=False)
    points = np.linspace(0, 1, 51)[:, None]
    assert np.abs(solution(points) - 1 / (2 - points[:, 0])).max() < 5e-6
    assert set(solution.history.names) == {constraint.name for constraint in problem.constraints}


def test_a_complex_wave_is_found() -> None:
    k = 4.0
    equation = npde.Equation(lambda x, u: u.laplacian + k**2 * u.value, complex=True)

    def wave(x: np.ndarray) -> np.ndarray:
        return npde.exp(1j * k * x[:, 0])

    problem = npde.Problem("wave", LINE, equation, boundary=npde.Dirichlet(wave), exact=wave)
    counts = {constraint.name: 2 for constraint in problem.constraints} | {"equation": 60}
    method = npde.NaturalGradient(30, points=counts)
    solution = npde.solve(problem, npde.Siren(10, 1, 4.0, 4.0), method, seed=61421, progress=False)
    points = np.linspace(0, 1, 51)[:, None]
    assert np.abs(solution(points) - wave(points)).max() < 1e-5


@pytest.mark.filterwarnings("ignore:the training of both has stalled")
def test_weights_say_which_of_two_contradicting_constraints_counts() -> None:
    extra = npde.Constraint("two", lambda s, u: u.value - 2.0, npde.interior(LINE))
    problem = npde.Problem(
        "both", LINE, npde.Equation(lambda x, u: u.value - 1.0, order=0), constraints=extra
    )

    def height(weight: float) -> float:
        method = npde.NaturalGradient(20, points=40, weights={"two": weight})
        solution = npde.solve(problem, head_only(npde.Siren(4, 0, 1.0), LINE), method, progress=False)
        return float(solution(np.array([[0.5]]))[0])

    assert height(0.0) == pytest.approx(1.0, abs=1e-6)
    assert height(1.0) == pytest.approx(1.5, abs=0.02)
    assert height(1e4) == pytest.approx(2.0, abs=1e-2)


def test_every_step_recorded_lowers_the_loss_or_leaves_it() -> None:
    problem = npde.Problem("disk", npde.Box((-1, 1), (-1, 1)), npde.Eikonal(surface=npde.Disk((0, 0), 0.5)))
    method = npde.NaturalGradient(steps=6, points=60)
    solution = npde.solve(problem, npde.Siren(8, 1, 4.0, 4.0), method, seed=71419, progress=False)
    assert (np.diff(solution.history.loss) <= 0).all()
    assert solution.history.loss[-1] < 0.1 * solution.history.loss[0]
    assert solution.history.names == ("surface", "normals", "off-surface", "eikonal", "distance")


@pytest.mark.parametrize(
    "cut",
    some_slow([2, 4, 5, 6], 2, 4),
    ids=["in Adam", "at the first step", "at the second", "in the middle"],
)
@pytest.mark.parametrize(
    "placed",
    [
        {"redraw": 2},
        pytest.param({"sampling": npde.training.ResidualAdaptive(every=2)}, marks=pytest.mark.slow),
        pytest.param({"sampling": npde.training.Fresh("sobol")}, marks=pytest.mark.slow),
    ],
)
def test_a_resumed_chain_is_the_uninterrupted_one(
    placed: dict, cut: int, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bit for bit, with momentum and with points redrawn, wherever in the two stages the run was stopped."""
    stages = [
        npde.Adam(4, lr=1e-3, points=40, record_every=1, checkpoint_seconds=1e-9),
        npde.NaturalGradient(6, points=40, momentum=0.7, checkpoint_seconds=1e-9, **placed),
    ]
    trial, points = npde.MLP(5, 1), np.linspace(0, 1, 9)[:, None]
    whole = npde.solve(cubic(), trial, stages, seed=3, progress=False)
    calls, plain = [], npde.solution.files.write

    def stopped(*arguments: object) -> None:
        plain(*arguments)
        calls.append(None)
        if len(calls) == cut + 1:
            raise KeyboardInterrupt

    monkeypatch.setattr("neurapde.solving.write", stopped)
    with pytest.raises(KeyboardInterrupt):
        npde.solve(cubic(), trial, stages, seed=3, out=tmp_path, progress=False)
    monkeypatch.setattr("neurapde.solving.write", plain)
    rest = npde.solve(cubic(), trial, stages, seed=3, out=tmp_path, resume=True, progress=False)
    assert_same_field(rest(points), whole(points))
    np.testing.assert_array_equal(rest.history.loss, whole.history.loss)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:the 24 points:neurapde.ResolutionWarning")
def test_points_follow_the_residual_to_a_front() -> None:
    """ε u″ = u − 1 with layers of width 0.02 at the ends: points that move there halve the error of points that stay."""
    width = 0.02
    equation = npde.Equation(lambda x, u: width**2 * u.d2(0) - u.value + 1.0)

    def exact(x: np.ndarray) -> np.ndarray:
        return 1 - (np.exp(-x[:, 0] / width) + np.exp((x[:, 0] - 1) / width)) / (1 + np.exp(-1 / width))

    problem = npde.Problem("layers", LINE, equation, boundary=npde.Dirichlet(0.0))
    counts = {"equation": 24, "dirichlet": 2}
    points, errors = np.linspace(0, 1, 401)[:, None], []
    for sampling in (npde.training.Fixed("sobol"), npde.training.ResidualAdaptive(every=2)):
        method = npde.NaturalGradient(40, counts, {"dirichlet": 10.0}, sampling=sampling, tolerance=1e-9)
        solution = npde.solve(problem, npde.MLP(8, 1), method, seed=61423, progress=False)
        errors.append(np.abs(solution(points) - exact(points)).max())
    assert errors[1] < 0.5 * errors[0]


def test_the_narrow_source_of_a_wave_is_seen() -> None:
    source = npde.GaussianSource(at=(0.1, 0.2), variance=1e-6)
    problem = npde.Problem(
        "source", npde.Box((-1, 1), (-1, 1)), npde.Helmholtz(2.0), [source], npde.Dirichlet(0.0)
    )
    solution = npde.solve(
        problem, npde.Siren(4, 0, 2.0), npde.NaturalGradient(1, points=64), seed=61427, progress=False
    )
    assert solution.history.loss[0] > 1e6


def test_ctrl_c_keeps_the_best_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    class Asked(journal.Interrupts):
        asked = property(lambda self: True, lambda self, value: None)

    monkeypatch.setattr(journal, "Interrupts", Asked)
    solution = npde.solve(cubic(), npde.MLP(5, 1), npde.NaturalGradient(6, points=40), progress=False)
    assert solution.status is Status.INTERRUPTED
    assert list(solution.history.step) == [0, 1]
    assert solution.history.loss[1] <= solution.history.loss[0]


def test_sizes_that_do_not_fit_are_refused_with_what_to_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda device: 10_000_000)
    small = npde.NaturalGradient(1, points=50)
    npde.solve(cubic(), npde.MLP(20, 1), small, progress=False)
    with pytest.raises(DeclarationError, match=r"0\.7 GB, but 10 MB are free; give fewer points="):
        npde.solve(cubic(), npde.MLP(60, 1), npde.NaturalGradient(1, points=3000), progress=False)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": 0}, "steps=0"),
        ({"points": {"equation": -1}}, "equation=-1"),
        ({"weights": {"equation": -1.0}}, "not negative"),
        ({"damping": 0.0}, "damping=0.0"),
        ({"momentum": 1.0}, "momentum=1.0"),
        ({"redraw": 0}, "redraw=0"),
        (
            {"redraw": 2, "sampling": npde.training.ResidualAdaptive()},
            "redraw=2 has no effect with ResidualAdaptive.*leave redraw out",
        ),
        ({"sampling": "sobol"}, "sampling='sobol': use"),
        ({"tolerance": float("inf")}, "tolerance=inf"),
    ],
)
def test_settings_without_meaning_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        npde.NaturalGradient(**settings)


def test_names_that_the_problem_lacks_are_refused() -> None:
    problem = npde.Problem("line", LINE, npde.Equation(lambda x, u: u.value - 1, order=0))
    with pytest.raises(DeclarationError, match="weights names 'side'"):
        npde.solve(problem, npde.MLP(3, 0), npde.NaturalGradient(weights={"side": 1.0}))
    with pytest.raises(DeclarationError, match="points names 'side'"):
        npde.solve(problem, npde.MLP(3, 0), npde.NaturalGradient(points={"side": 3, "equation": 3}))


def test_layers_count_as_divided_by_their_stretch_in_residuals_and_jacobian_alike() -> None:
    problem = helmholtz_uniform(wavenumber=8.0)
    trial = npde.Siren(6, 2, 5.0, 3.0).build(
        problem.domain.bounds, 1, True, generator=torch.Generator().manual_seed(83477), dtype=torch.float64
    )
    rows = WeightedResiduals(trial, problem, {})
    (constraint,) = problem.constraints
    samples = constraint.sample(80, how="sobol", generator=torch.Generator().manual_seed(83479))
    rows.place({constraint.name: samples})
    with torch.no_grad():
        plain = constraint.residual(samples, trial.jet(samples.points))
        stretch = torch.as_tensor(problem.equation.strong(problem).scale(samples.points)).abs()
        expected = torch.view_as_real(plain / stretch).reshape(-1) / 160**0.5
        torch.testing.assert_close(rows.vector(), expected, rtol=1e-12, atol=0.0)
    assert 5 < float(stretch.max())
    equations, vector = rows.linearise(), rows.vector()
    assert isinstance(equations, ByParameters)
    slopes = torch.autograd.grad(vector.square().sum() / 2, rows.parameters)
    torch.testing.assert_close(equations.slope, torch.cat([slope.reshape(-1) for slope in slopes]))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::neurapde.ResolutionWarning")
def test_a_potential_in_five_axes_is_found_by_default():
    def exact(x):
        return npde.sin(x[:, 0]) + npde.cos(x[:, 1]) * npde.sin(x[:, 2]) + 0.1 * x[:, 3] * x[:, 4]

    problem = npde.Problem(
        "five axes",
        npde.Box(*[(0, 1)] * 5),
        npde.Poisson(),
        sources=[lambda x: npde.sin(x[:, 0]) + 2 * npde.cos(x[:, 1]) * npde.sin(x[:, 2])],
        boundary=npde.Dirichlet(exact),
    )
    points = np.random.default_rng(51307).random((1000, 5))
    field = npde.solve(problem)(points)
    assert np.linalg.norm(field - exact(points)) < 1e-3 * np.linalg.norm(exact(points))
