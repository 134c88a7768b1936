"""Gauss-Newton: its Jacobian against differences, linear least squares in one step, and a nonlinear PDE."""

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.constraints import Samples
from neurapde.core.errors import DeclarationError
from neurapde.methods.jacobian import linearised, residuals

LINE = npde.Interval(0, 1)
SQUARE = npde.Box((0, 1), (0, 1))


def bratu(samples: Samples, u: npde.Jet) -> torch.Tensor:
    return u.laplacian * u.value + u.d(0) * torch.exp(u.value) - samples.points[:, 1] * u.d2(0, 1)


def complex_residual(samples: Samples, u: npde.Jet) -> torch.Tensor:
    return torch.stack([u.d(0) * u.value, u.laplacian + 1j * u.value.conj()], dim=1)


@pytest.mark.parametrize(("residual", "is_complex"), [(bratu, False), (complex_residual, True)])
@pytest.mark.parametrize(
    "spec", [npde.Siren(5, 1, 3.0, 3.0), npde.MLP(4, 1, "softplus")], ids=["siren", "mlp"]
)
def test_the_jacobian_is_that_of_central_differences(residual, is_complex: bool, spec: npde.Siren) -> None:
    trial = spec.build(
        SQUARE.bounds, 1, is_complex, generator=torch.Generator().manual_seed(21401), dtype=torch.float64
    )
    constraint = npde.Constraint("r", residual, npde.interior(SQUARE), order=2)
    samples = constraint.sample(7, generator=torch.Generator().manual_seed(31409))
    found, jacobian = linearised(trial, constraint, samples, ((0, 1),))
    torch.testing.assert_close(found, residuals(trial, constraint, samples, ((0, 1),)))
    step, column = 1e-6, 0
    for parameter in trial.parameters():
        flat = parameter.data.view(-1)
        for i in range(len(flat)):
            flat[i] += step
            up = residuals(trial, constraint, samples, ((0, 1),))
            flat[i] -= 2 * step
            down = residuals(trial, constraint, samples, ((0, 1),))
            flat[i] += step
            slope = (up - down) / (2 * step)
            torch.testing.assert_close(jacobian[..., column], slope, atol=2e-7, rtol=1e-6)
            column += 1
    assert column == jacobian.shape[-1]


def head_only(trial: npde.Siren, domain: npde.Domain, seed: int) -> torch.nn.Module:
    """A trial function of which only the head moves."""
    made = trial.build(domain.bounds, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    for layer in made.layers:
        layer.requires_grad_(False)
    return made


def test_a_linear_problem_is_solved_to_the_least_squares_solution() -> None:
    def residual(x: torch.Tensor, u: npde.Jet) -> torch.Tensor:
        return u.d(0) - npde.cos(3 * x[:, 0])

    problem = npde.Problem(
        "line", LINE, npde.Equation(residual, order=1), boundary=npde.Dirichlet(0.0, on="left")
    )
    trial = head_only(npde.Siren(12, 0, 4.0), LINE, 41411)
    method = npde.GaussNewton(steps=12, points=200, damping=1e-14, tolerance=1e-12)
    solution = npde.solve(problem, trial, method, seed=51413, progress=False)
    generator = torch.Generator().manual_seed(51414)
    rows, right = [], []
    for constraint in problem.constraints:
        samples = constraint.sample(200, how="sobol", generator=generator)
        jet = trial.feature_jet(samples.points, order=1)
        order = 1 if constraint.order else 0
        matrix = torch.cat([jet.channels[order], torch.full((200, 1), 1.0 - order)], dim=1) / 200**0.5
        rows.append(matrix)
        target = torch.cos(3 * samples.points[:, 0]) if order else torch.zeros(200)
        right.append(target.double() / 200**0.5)
    A, b = torch.cat(rows), torch.cat(right)
    best = float((A @ torch.linalg.lstsq(A, b, driver="gelsd").solution - b).square().sum())
    assert solution.history.loss[-1] <= best * (1 + 1e-6) + 1e-13
    points = np.linspace(0, 1, 101)[:, None]
    np.testing.assert_allclose(solution(points), np.sin(3 * points[:, 0]) / 3, atol=1e-4)


def test_a_nonlinear_equation_is_solved() -> None:
    exact = "u = 1/(2 - x) solves u'' = 2 u³"

    def residual(x: torch.Tensor, u: npde.Jet) -> torch.Tensor:
        return u.laplacian - 2 * u.value**3

    sides = [npde.Dirichlet(0.5, on="left"), npde.Dirichlet(1.0, on="right")]
    problem = npde.Problem("cubic", LINE, npde.Equation(residual), boundary=sides)
    counts = {constraint.name: 1 for constraint in problem.constraints} | {"equation": 60}
    method = npde.GaussNewton(steps=80, points=counts, tolerance=1e-6)
    solution = npde.solve(problem, npde.MLP(10, 0), method, seed=61417, progress=False)
    points = np.linspace(0, 1, 51)[:, None]
    error = np.abs(solution(points) - 1 / (2 - points[:, 0])).max()
    assert error < 1e-5, exact
    assert solution.history.loss[-1] < 1e-8


def test_every_step_recorded_lowers_the_loss_or_leaves_it() -> None:
    problem = npde.Problem("disk", npde.Box((-1, 1), (-1, 1)), npde.Eikonal(surface=npde.Disk((0, 0), 0.5)))
    network = npde.Siren(8, 1, 4.0, 4.0)
    solution = npde.solve(problem, network, npde.GaussNewton(steps=6, points=60), seed=71419, progress=False)
    assert (np.diff(solution.history.loss) <= 0).all()
    assert solution.history.loss[-1] < solution.history.loss[0]
    assert solution.history.names == ("surface", "normals", "off-surface", "eikonal", "distance")


def test_a_resumed_run_is_the_uninterrupted_one(tmp_path) -> None:
    problem = npde.Problem("disk", npde.Box((-1, 1), (-1, 1)), npde.Eikonal(surface=npde.Disk((0, 0), 0.5)))
    network, points = npde.Siren(6, 1, 4.0, 4.0), np.random.default_rng(81421).uniform(-1, 1, (9, 2))
    whole = npde.solve(problem, network, npde.GaussNewton(steps=6, points=40), seed=3, progress=False)
    npde.solve(problem, network, npde.GaussNewton(steps=3, points=40), seed=3, out=tmp_path, progress=False)
    rest = npde.solve(
        problem,
        network,
        npde.GaussNewton(steps=6, points=40),
        seed=3,
        out=tmp_path,
        resume=True,
        progress=False,
    )
    np.testing.assert_array_equal(rest(points), whole(points))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": 0}, "steps=0"),
        ({"points": {"equation": -1}}, "equation=-1"),
        ({"weights": {"equation": -1.0}}, "not negative"),
        ({"damping": 0.0}, "damping=0.0"),
        ({"tolerance": float("inf")}, "tolerance=inf"),
    ],
)
def test_settings_without_meaning_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        npde.GaussNewton(**settings)


def test_names_that_the_problem_lacks_and_networks_too_large_are_refused() -> None:
    problem = npde.Problem("line", LINE, npde.Equation(lambda x, u: u.value - 1, order=0))
    with pytest.raises(DeclarationError, match="weights names 'side'"):
        npde.solve(problem, npde.MLP(3, 0), npde.GaussNewton(weights={"side": 1.0}))
    with pytest.raises(DeclarationError, match="points names 'side'"):
        npde.solve(problem, npde.MLP(3, 0), npde.GaussNewton(points={"side": 3, "equation": 3}))
    with pytest.raises(DeclarationError, match="GaussNewton takes 1 to 4000"):
        npde.solve(problem, npde.Siren(80, 1), npde.GaussNewton())
