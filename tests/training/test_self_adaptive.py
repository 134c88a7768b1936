"""Factors of single points, led by the residuals found there."""

from pathlib import Path

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.solution.solution import Solution
from neurapde.training.descent import Descent
from support import hat_fit

# Trainings of a few steps leave the field near zero, and a diagnosis says so.
pytestmark = pytest.mark.filterwarnings("ignore:the field found for:neurapde.DeclarationWarning")
TINY = npde.Siren(width=8, depth=1, omega_0=5.0)


def adam(steps: int = 1, **changes: object) -> npde.Adam:
    settings = {
        "lr": 1e-3,
        "points": 200,
        "loss": npde.training.MeanSquare(),
        "sampling": npde.training.Fixed(),
        "record_every": 1,
    } | changes
    return npde.Adam(steps, **settings)


def descent(method: npde.Adam) -> Descent:
    """A run on a trial that is zero."""
    problem, generator = hat_fit(), torch.Generator().manual_seed(60013)
    trial = TINY.build(problem.domain.bounds, generator=generator, dtype=torch.float64)
    for parameter in trial.head.parameters():
        parameter.data.zero_()
    weights = (method.objective(problem), method.sampling, None, method.curriculum)
    return Descent(*weights, trial, generator, method.point_weights)


def train(steps: int, out: Path | None = None, **changes: object) -> Solution:
    method = adam(steps, **{"point_weights": npde.training.SelfAdaptive(0.9, 0.1), "points": 32} | changes)
    return npde.solve(
        hat_fit(), TINY, method, device="cpu", progress=False, seed=30211, out=out, resume=out is not None
    )


def test_under_a_lasting_residual_factors_tend_to_its_part_of_the_largest() -> None:
    declared, residual = (
        npde.training.SelfAdaptive(0.9, 0.1),
        torch.tensor([4.0, -2.0, 0.0], dtype=torch.float64),
    )
    factors = torch.full((3,), 0.1, dtype=torch.float64)
    for _ in range(400):
        factors = declared.led(factors, residual)
    np.testing.assert_allclose(factors.numpy(), [1.0, 0.5, 0.0], atol=1e-12)


def test_several_components_count_by_their_norm() -> None:
    residual = torch.tensor([[3.0, 4.0], [0.0, 1.0]], dtype=torch.complex128)
    factors = npde.training.SelfAdaptive(0.5, 1.0).led(
        torch.tensor([1.0, 1.0], dtype=torch.float64), residual
    )
    np.testing.assert_allclose(factors.numpy(), [1.5, 0.7], rtol=1e-12)


def test_a_residual_of_zero_everywhere_lets_factors_fade() -> None:
    factors = npde.training.SelfAdaptive(0.5, 1.0).led(torch.tensor([1.0, 3.0]), torch.zeros(2))
    np.testing.assert_allclose(factors.numpy(), [0.5, 1.5], rtol=1e-9)


@pytest.mark.parametrize(
    ("loss", "power"), [(npde.training.MeanAbsolute(), 1), (npde.training.MeanSquare(), 2)]
)
def test_factors_multiply_the_residual_whatever_its_measure(loss: object, power: int) -> None:
    run = descent(adam(point_weights=npde.training.SelfAdaptive(0.5, 2.0), loss=loss))
    for _ in range(3):
        _, losses = run.gradient(1)
    equation = run.objective.problem.trained[0]
    x = run.draws.samples(equation, 1, 1.0).points[:, 0]
    hat = torch.relu(1 - 10 * (x - 0.8).abs())
    factors = 2 * 0.5**2 + (0.5 + 1.0) * 2 * hat / hat.max()
    assert float(losses[0]) == pytest.approx(float(((factors * hat) ** power).mean()), rel=1e-12)


def test_rows_of_pairs_of_points_have_factors_of_their_own() -> None:
    box = npde.Box((0, 1), (0, 1))
    problem = npde.Problem("p", box, npde.Equation(lambda x, u: u.laplacian - 1), boundary=npde.Periodic("x"))
    method = adam(3, points=9000, point_weights=npde.training.SelfAdaptive())
    generator = torch.Generator().manual_seed(60013)
    trial = TINY.build(box.bounds, generator=generator)
    run = Descent(
        method.objective(problem), method.sampling, None, None, trial, generator, method.point_weights
    )
    for step in range(3):
        run.gradient(step)
    (adapting,) = run.point_weights
    rows = {
        name: len(tensor)
        for name, tensor in zip(run.objective.names, adapting.tensors().values(), strict=True)
    }
    drawn = {first.name: len(run.draws.kept[first.name].points) for first, *_ in run.draws.groups}
    assert rows["equation"] == drawn["equation"] > 5000
    assert 2 * rows["periodic-x"] == drawn["periodic-x"]


def test_factors_act_beside_causal_weights() -> None:
    domain = npde.Interval(0, 1).over(npde.Time(0, 2))
    problem = npde.Problem(
        "decay",
        domain,
        npde.Equation(lambda x, u: u.dt + u.value, order=1),
        boundary=npde.InitialCondition(1.0),
    )
    method = adam(5, point_weights=npde.training.SelfAdaptive(), curriculum=npde.training.Causal(4))
    solution = npde.solve(problem, TINY, method, device="cpu", progress=False, seed=30211)
    assert solution.history.loss[0] < 1e-3  # the factors begin at 0.01
    assert 0 < solution.stages[0].extras["weight of the last window"] < 1


def test_a_resumed_training_is_the_uninterrupted_one_bitwise(tmp_path: Path) -> None:
    straight = train(10)
    train(6, out=tmp_path)
    resumed = train(10, out=tmp_path)
    pairs = zip(straight.trial.parameters(), resumed.trial.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    np.testing.assert_array_equal(straight.history.loss, resumed.history.loss)


@pytest.mark.parametrize(
    "sampling", [npde.training.Fresh(), npde.training.ResidualAdaptive()], ids=["fresh", "adaptive"]
)
def test_points_that_do_not_stay_are_refused(sampling: object) -> None:
    with pytest.raises(npde.DeclarationError, match="need points that stay the same, but sampling="):
        adam(point_weights=npde.training.SelfAdaptive(), sampling=sampling)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: npde.training.SelfAdaptive(memory=1.0), "memory=1.0 of SelfAdaptive"),
        (lambda: npde.training.SelfAdaptive(gain=0.0), "gain=0.0 of SelfAdaptive"),
        (lambda: adam(point_weights=2.0), "point_weights=2.0: use"),
    ],
)
def test_knobs_out_of_range_are_refused(make, message: str) -> None:
    with pytest.raises(npde.DeclarationError, match=message):
        make()
