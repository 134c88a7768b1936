"""The closing check: a status is earned by what a field leaves of the declared constraints at points of its own."""

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.trials.fourier_extension import FourierExtension
from neurapde.verification.residual_left import field_sizes, residuals_left

LINE = npde.Interval(0, 1)
SMALL = npde.MLP(width=8, depth=1)


def without_solution(x, u):
    return u.d(0) ** 2 + 1.0


def pulled_apart(x, u):
    return u.d(0) + 0 * u.value


def two_ends() -> npde.Problem:
    return npde.Problem(
        "two ends",
        LINE,
        npde.Equation(pulled_apart, order=1),
        boundary=[npde.Dirichlet(0.0, on="left"), npde.Dirichlet(1.0, on="right")],
    )


NO_SLOPE = npde.Problem("no slope", LINE, npde.Equation(without_solution, order=1))


@pytest.mark.parametrize(
    ("problem", "method"),
    [
        (NO_SLOPE, npde.NaturalGradient(200, points=100)),
        (NO_SLOPE, npde.LBFGS(150, points=100)),
        (NO_SLOPE, npde.Adam(700, lr=1e-2, points=100, sampling=npde.training.Fixed())),
        (two_ends(), npde.NaturalGradient(200, points=100)),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.filterwarnings("ignore:the field found:neurapde.core.errors.DeclarationWarning")
def test_a_problem_without_solution_stalls(problem, method):
    with pytest.warns(npde.ResolutionWarning, match=rf"the training of {problem.name} has stalled.*equation"):
        solution = npde.solve(problem, SMALL, method, seed=83431)
    assert solution.status is npde.Status.STALLED
    assert any(note.startswith("Residual at fresh points") for note in solution.notes)


def test_a_training_that_meets_its_constraints_has_converged():
    problem = npde.Problem(
        "decay",
        LINE,
        npde.Equation(lambda x, u: u.d(0) + u.value, order=1),
        boundary=npde.Dirichlet(1.0, on="left"),
    )
    solution = npde.solve(problem, SMALL, npde.NaturalGradient(200, points=100, tolerance=0.5), seed=83437)
    assert solution.status is npde.Status.CONVERGED
    x = np.linspace(0, 1, 30)[:, None]
    np.testing.assert_allclose(solution(x), np.exp(-x[:, 0]), atol=1e-4)


def test_the_same_residual_counts_alike_in_every_unit():
    def relative(size: float, length: float) -> float:
        """Of u'' = −size sin(x)/length², met to a tenth."""
        problem = npde.Problem(
            "unit",
            npde.Interval(0, length),
            npde.Equation(lambda x, u: u.d2(0) + 1.1 * size / length**2 * npde.sin(x[:, 0] / length)),
            boundary=npde.Dirichlet(0.0, on="left"),
        )
        sine = FourierExtension((9,), margin=2 * np.pi - 1).build(
            problem.domain.bounds, generator=torch.Generator()
        )
        points = torch.linspace(0, length, 400, dtype=torch.float64)[:, None]
        features = sine.feature_jet(points, 0).value
        sine.set_amplitudes(torch.linalg.lstsq(features, size * torch.sin(points / length)).solution)
        generator = torch.Generator().manual_seed(83449)
        samples = {
            constraint.name: constraint.sample(200, how="sobol", generator=generator)
            for constraint in problem.constraints
        }
        return residuals_left(problem, sine, samples, field_sizes(problem, sine))["equation"].relative

    assert relative(1.0, 1.0) == pytest.approx(0.1 / (1 + 1.1**2) ** 0.5, rel=0.02)
    assert relative(1e6, 3600.0) == pytest.approx(relative(1.0, 1.0), rel=1e-3)


SQUARE = npde.Box((0, 1), (0, 1))


def peak(*at: float, width: float, height: float = 1.0):
    def values(x):
        square = sum((x[:, i] - c) ** 2 for i, c in enumerate(at))
        return height * npde.exp(-square / (2 * width**2))

    return values


def bubble(x):
    """Zero on the faces of the unit cube."""
    return x[:, 0] * (1 - x[:, 0]) * x[:, 1] * (1 - x[:, 1]) * x[:, 2] * (1 - x[:, 2])


def poisson(domain, sources=1.0, boundary=None, **coefficients) -> npde.Problem:
    condition = npde.Dirichlet(0.0) if boundary is None else boundary
    return npde.Problem("narrow", domain, npde.Poisson(**coefficients), sources, condition)


NARROW = {
    "known source": poisson(SQUARE, [1.0, npde.GaussianSource((0.37, 0.61), 1e-6)]),
    "known source in a disk": poisson(npde.Disk((0, 0), 1.0), [1.0, npde.GaussianSource((0.3, -0.2), 1e-6)]),
    "source": poisson(SQUARE, [1.0, peak(0.63, 0.31, width=2e-3, height=4e4)]),
    "source in a triangle": poisson(
        npde.Polygon([(0, 0), (1, 0), (0.2, 0.9)]), [1.0, peak(0.4, 0.3, width=2e-3, height=4e4)]
    ),
    "known source in a cube": poisson(
        npde.Box((0, 1), (0, 1), (0, 1)),
        [bubble, npde.GaussianSource((0.41, 0.3, 0.6), 1e-5)],
    ),
    "boundary values": poisson(
        SQUARE,
        boundary=[
            npde.Dirichlet(peak(0.437, width=5e-4, height=50.0), on="bottom"),
            npde.Dirichlet(0.0, on=("left", "right", "top")),
        ],
    ),
    "residual": npde.Problem(
        "narrow",
        SQUARE,
        npde.Equation(lambda x, u: u.laplacian + 1 + peak(0.63, 0.31, width=2e-3, height=4e4)(x)),
        boundary=npde.Dirichlet(0.0),
    ),
}


QUICK = ("known source",)


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in NARROW]
)
def test_what_falls_between_the_points_is_found_and_told(name):
    with pytest.warns(
        npde.ResolutionWarning,
        match="(?s)closing check of narrow.*at fresh points|estimated relative error|does not converge",
    ):
        solution = npde.solve(NARROW[name], method=npde.LeastSquares(), seed=83459)
    assert solution.status is npde.Status.UNRESOLVED
    assert solution.stages[-1].extras["error_estimate"] > 1e-3


@pytest.mark.slow
def test_the_error_that_a_missed_source_makes_is_estimated():
    """16 % of a unit mass beside a smooth source, by the series of sines."""
    width, at = 0.004, (0.37, 0.61)
    smooth = npde.FunctionSource(
        lambda x: 2 * np.pi**2 * npde.sin(np.pi * x[:, 0]) * npde.sin(np.pi * x[:, 1])
    )
    problem = poisson(SQUARE, [smooth, npde.GaussianSource(at, width**2)])
    with pytest.warns(
        npde.ResolutionWarning,
        match=r"residual of 'poisson' is .* of its terms, most at \(0\.3[67]\d*, 0\.6[01]|estimated relative error",
    ):
        solution = npde.solve(problem, method=npde.LeastSquares())
    n = np.arange(1, 400)
    pairs = n[:, None] ** 2 + n[None] ** 2
    series = np.sin(np.pi * at[0] * n)[:, None] * np.sin(np.pi * at[1] * n)[None]
    series = series * np.exp(-((width * np.pi) ** 2) * pairs / 2)
    points = np.random.default_rng(83471).random((600, 2))
    sines = [np.sin(np.pi * np.outer(points[:, i], n)) for i in (0, 1)]
    truth = np.einsum("pi,ij,pj->p", sines[0], 4 * series / (np.pi**2 * pairs), sines[1], optimize=True)
    truth += np.sin(np.pi * points[:, 0]) * np.sin(np.pi * points[:, 1])
    error = np.linalg.norm(solution(points) - truth) / np.linalg.norm(truth)
    assert solution.status is npde.Status.UNRESOLVED
    checked = any(
        note.startswith("Closing check") for note in solution.notes
    )  # else the levels tell, more roughly
    assert error / 3 < solution.stages[-1].extras["error_estimate"] < (3 if checked else 30) * error


def test_a_slope_without_solution_is_no_zero_field():
    with (
        pytest.warns(npde.ResolutionWarning, match="closing check"),
        pytest.warns(npde.DeclarationWarning, match="zero everywhere"),
    ):
        solution = npde.solve(NO_SLOPE, method=npde.Newton())
    assert solution.status is npde.Status.UNRESOLVED


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:the field found:neurapde.core.errors.DeclarationWarning")
def test_a_training_that_is_nowhere_near_says_so():
    problem = npde.problems.helmholtz_uniform(wavenumber=10.0)
    solution = npde.solve(problem, npde.Siren(16, 2, 15.0), npde.Adam(110, points=128), seed=83443)
    points = (
        torch.rand(400, 2, generator=torch.Generator().manual_seed(83449), dtype=torch.float64).numpy() - 0.5
    )
    truth = npde.trials.OutgoingWave(problem.right_hand_sides[0][0], 10.0).values(points)
    true = float(np.linalg.norm(solution(points) - truth) / np.linalg.norm(truth))
    estimate = solution.stages[-1].extras["error_estimate"]
    assert solution.status is not npde.Status.CONVERGED
    assert 0.5 < true < 2 * estimate
    assert any("Closing check: the estimated relative error" in note for note in solution.notes)


@pytest.mark.parametrize("steps", [3, 8])
def test_the_error_of_a_training_is_estimated_beside_its_loss(steps):
    """Of −u″ = π² sin πx, whose solution is sin πx, at two lengths of a training."""
    load = npde.FunctionSource(lambda x: np.pi**2 * npde.sin(np.pi * x[:, 0]))
    problem = npde.Problem("string", LINE, npde.Poisson(), sources=load, boundary=npde.Dirichlet(0.0))
    solution = npde.solve(problem, SMALL, npde.NaturalGradient(5 + steps, points=64), seed=83459)
    x = np.linspace(0, 1, 50)[:, None]
    truth = np.sin(np.pi * x[:, 0])
    true = float(np.linalg.norm(solution(x) - truth) / np.linalg.norm(truth))
    assert true / 2 < solution.stages[-1].extras["error_estimate"] < 5 * true
