"""Where a training's points lie: new in every step, kept, or placed where the residual is large."""

from pathlib import Path

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.solution.solution import Solution
from neurapde.training.descent import Descent
from neurapde.training.losses import MeanSquare
from neurapde.training.objective import Objective
from neurapde.training.sampling import Draws, Sampling
from support import hat_fit

# Trainings of a few steps leave the field near zero, and a diagnosis says so.
pytestmark = pytest.mark.filterwarnings("ignore:the field found for:neurapde.DeclarationWarning")
TINY = npde.Siren(width=8, depth=1, omega_0=5.0)


def draws(sampling: Sampling, points: int = 500) -> Draws:
    """A run on a trial that is zero."""
    problem = hat_fit()
    trial = TINY.build(
        problem.domain.bounds, generator=torch.Generator().manual_seed(60013), dtype=torch.float64
    )
    for parameter in trial.head.parameters():
        parameter.data.zero_()
    objective = Objective(problem, {"equation": points, "dirichlet": 2}, MeanSquare(), {}, 0, None)
    return Draws(sampling, objective, trial, torch.Generator().manual_seed(51239))


def constraints() -> tuple[npde.Constraint, ...]:
    return hat_fit().trained


def train(steps: int, sampling: Sampling, **options: object) -> Solution:
    method = npde.Adam(steps=steps, lr=1e-3, points=32, record_every=1, sampling=sampling)
    return npde.solve(hat_fit(), TINY, method, device="cpu", progress=False, seed=30211, **options)


def test_points_are_placed_in_proportion_to_the_residual_and_the_floor() -> None:
    equation, _ = constraints()
    for floor, expected in ((0.0, 1.0), (1.0, 0.5 + 0.5 * 0.2)):
        run = draws(npde.training.ResidualAdaptive(floor=floor, pool=40), points=2000)
        x = run.samples(equation, 0, 1.0).points[:, 0]
        assert float(((x - 0.8).abs() < 0.1).double().mean()) == pytest.approx(expected, abs=0.05)


def test_a_power_of_zero_is_uniform_sampling() -> None:
    equation, _ = constraints()
    x = (
        draws(npde.training.ResidualAdaptive(power=0.0, floor=0.0), points=4000)
        .samples(equation, 0, 1.0)
        .points[:, 0]
    )
    assert float(((x - 0.8).abs() < 0.1).double().mean()) == pytest.approx(0.2, abs=0.03)


def test_no_point_is_taken_twice() -> None:
    equation, _ = constraints()
    points = draws(npde.training.ResidualAdaptive(floor=0.0, pool=8)).samples(equation, 0, 1.0).points
    assert len(torch.unique(points)) == len(points) == 500


def test_adaptive_points_stay_between_two_draws_and_those_of_conditions_do_not() -> None:
    equation, side = constraints()
    run = draws(npde.training.ResidualAdaptive(every=3))
    at = [run.samples(equation, step, 1.0).points for step in range(4)]
    assert torch.equal(at[0], at[2])
    assert not torch.equal(at[0], at[3])
    assert run.sampling.keeps(equation)
    assert not run.sampling.keeps(side)


def test_fixed_points_are_a_quadrature_rule() -> None:
    equation, side = constraints()
    run = draws(npde.training.Fixed())
    x = run.samples(equation, 0, 1.0).points[:, 0]
    assert float((x**2).mean()) == pytest.approx(1 / 3, abs=1e-6)
    assert torch.equal(run.samples(equation, 7, 1.0).points[:, 0], x)
    assert torch.equal(run.samples(side, 7, 1.0).points, run.samples(side, 9, 1.0).points)


def test_sobol_points_integrate_better_than_independent_ones() -> None:
    equation, _ = constraints()
    error = {}
    for how in ("uniform", "sobol"):
        run = draws(npde.training.Fresh(how), points=512)
        means = [float(run.samples(equation, step, 1.0).points[:, 0].square().mean()) for step in range(20)]
        error[how] = np.sqrt(np.mean((np.array(means) - 1 / 3) ** 2))
    assert error["sobol"] < 0.1 * error["uniform"]
    assert error["uniform"] < 0.03


@pytest.mark.parametrize(
    "sampling",
    [npde.training.Fresh("sobol"), npde.training.Fixed("uniform"), npde.training.ResidualAdaptive(every=4)],
    ids=["sobol", "fixed", "adaptive"],
)
def test_a_resumed_training_is_the_uninterrupted_one_bitwise(tmp_path: Path, sampling: Sampling) -> None:
    straight = train(10, sampling)
    train(6, sampling, out=tmp_path)
    resumed = train(10, sampling, out=tmp_path, resume=True)
    pairs = zip(straight.trial.parameters(), resumed.trial.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    np.testing.assert_array_equal(straight.history.loss, resumed.history.loss)


def test_another_sampling_cannot_resume(tmp_path: Path) -> None:
    train(2, npde.training.Fixed(), out=tmp_path)
    with pytest.raises(npde.DeclarationError, match="sampling"):
        train(4, npde.training.Fresh(), out=tmp_path, resume=True)


def test_a_residual_that_is_not_finite_draws_uniformly() -> None:
    equation, _ = constraints()
    run = draws(npde.training.ResidualAdaptive())
    run.trial.head.bias.data.fill_(float("nan"))
    points = run.samples(equation, 0, 1.0).points
    assert len(points) == 500
    assert bool(torch.isfinite(points).all())


def test_adaptive_points_lie_in_the_open_part_of_the_time() -> None:
    seen = []

    def watch(x: torch.Tensor, u: npde.Jet) -> torch.Tensor:
        seen.append(float(x[:, 1].max()))
        return u.dt

    problem = npde.Problem(
        name="rest",
        domain=npde.Interval(0, 1).over(npde.Time(0, 2)),
        equation=npde.Equation(watch, order=1),
    )
    adam = npde.Adam(
        steps=4,
        points=64,
        sampling=npde.training.ResidualAdaptive(every=2),
        curriculum=npde.training.Curriculum(4, first=0.25),
    )
    generator = torch.Generator().manual_seed(61057)
    trial = TINY.build(problem.domain.bounds, generator=generator)
    run = Descent(adam.objective(problem), adam.sampling, None, adam.curriculum, trial, generator)
    latest = []
    for step in range(4):
        seen.clear()
        run.gradient(step)
        latest.append(max(seen))
    bounds = [2 * (0.25 + 0.75 * step / 4) for step in range(4)]
    assert all(0.8 * bound < time <= bound for time, bound in zip(latest, bounds, strict=True))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: npde.training.ResidualAdaptive(every=0), "every=0 of ResidualAdaptive"),
        (lambda: npde.training.ResidualAdaptive(pool=1), "pool=1 of ResidualAdaptive"),
        (lambda: npde.training.ResidualAdaptive(power=-1.0), "power=-1.0 of ResidualAdaptive"),
        (lambda: npde.training.ResidualAdaptive(floor=float("inf")), "floor=inf of ResidualAdaptive"),
        (lambda: npde.training.Fixed("everywhere"), "how='everywhere' is not a way of sampling"),
        (lambda: npde.Adam(steps=1, sampling="sobol"), "sampling='sobol': use"),
    ],
)
def test_knobs_out_of_range_are_refused(make, message: str) -> None:
    with pytest.raises(npde.DeclarationError, match=message):
        make()
