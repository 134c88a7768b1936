"""Weights found while training: balanced gradients, and times that wait for the earlier ones."""

from pathlib import Path

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.solution.solution import Solution
from neurapde.training.causal import Waiting
from neurapde.training.descent import Descent
from neurapde.training.weighting import Weighting

# Trainings of a few steps leave conditions unmet, and a diagnosis says so.
pytestmark = [
    pytest.mark.filterwarnings("ignore:the field found for:neurapde.DeclarationWarning"),
    pytest.mark.filterwarnings("ignore:constraint 'dirichlet' is dominated:neurapde.DeclarationWarning"),
]
TINY = npde.Siren(width=8, depth=1, omega_0=5.0)


def line(scale: float = 1000.0) -> npde.Problem:
    """scale · (u'' + sin) = 0 on (0, 1), zero at the ends: the condition is dominated by the equation."""

    def residual(x: torch.Tensor, u: npde.Jet) -> torch.Tensor:
        return scale * (u.laplacian + torch.sin(x[:, 0]))

    return npde.Problem(
        name="line",
        domain=npde.Interval(0.0, 1.0),
        equation=npde.Equation(residual),
        boundary=npde.Dirichlet(1.0),
    )


def evolution() -> npde.Problem:
    return npde.Problem(
        name="decay",
        domain=npde.Interval(0, 1).over(npde.Time(0, 2)),
        equation=npde.Equation(lambda x, u: u.dt + u.value, order=1),
        boundary=npde.InitialCondition(1.0),
    )


def descent(problem: npde.Problem, adam: npde.Adam) -> Descent:
    weighting = adam.weights if isinstance(adam.weights, Weighting) else None
    generator = torch.Generator().manual_seed(20983)
    trial = TINY.build(problem.domain.bounds, generator=generator, dtype=torch.float64)
    return Descent(adam.objective(problem), adam.sampling, weighting, adam.curriculum, trial, generator)


def gradient(run: Descent, step: int) -> torch.Tensor:
    run.gradient(step)
    return torch.cat([p.grad.flatten() for p in run.parameters])


def train(
    problem: npde.Problem, steps: int, seed: int = 30211, out: Path | None = None, **changes
) -> Solution:
    method = npde.Adam(
        steps=steps, lr=1e-3, points=32, record_every=1, loss=npde.training.MeanSquare(), **changes
    )
    return npde.solve(
        problem, TINY, method, device="cpu", progress=False, seed=seed, out=out, resume=out is not None
    )


def test_without_memory_every_constraint_pulls_equally_hard() -> None:
    adam = npde.Adam(
        steps=1,
        points=64,
        loss=npde.training.MeanSquare(),
        sampling=npde.training.Fixed(),
        weights=npde.training.GradientNorm(1, memory=0.0),
    )
    run = descent(line(), adam)
    run.gradient(0)
    pulls = []
    for index in range(2):
        alone = descent(line(), adam)
        alone.weighting = None
        alone.factors = torch.zeros_like(alone.factors)
        alone.factors[index] = run.factors[index]
        pulls.append(float(gradient(alone, 0).norm()))
    assert pulls[0] == pytest.approx(pulls[1], rel=1e-10)
    assert float(run.factors[1] / run.factors[0]) > 1e3


def test_the_gradient_of_a_balancing_step_is_that_of_the_balanced_sum() -> None:
    settings = {"points": 64, "loss": npde.training.MeanSquare(), "sampling": npde.training.Fixed()}
    run = descent(line(), npde.Adam(steps=1, weights=npde.training.GradientNorm(1), **settings))
    step_gradient = gradient(run, 0)
    fixed = dict(zip(("equation", "dirichlet"), run.factors.tolist(), strict=True))
    expected = gradient(descent(line(), npde.Adam(steps=1, weights=fixed, **settings)), 0)
    assert (step_gradient - expected).norm() < 1e-12 * expected.norm()


def test_memory_keeps_its_part_of_the_factors() -> None:
    gradients = [[torch.tensor([3.0, 4.0])], [torch.tensor([0.0, 1.0])]]
    factors = npde.training.GradientNorm(memory=0.75).balanced(torch.tensor([1.0, 1.0]), gradients)
    np.testing.assert_allclose(factors.numpy(), [0.75 + 0.25 * 6 / 5, 0.75 + 0.25 * 6], rtol=1e-6)


def test_a_constraint_without_a_gradient_keeps_its_factor() -> None:
    gradients = [[torch.tensor([3.0, 4.0])], [torch.tensor([0.0, 0.0])]]
    factors = npde.training.GradientNorm(memory=0.5).balanced(torch.tensor([1.0, 7.0]), gradients)
    np.testing.assert_allclose(factors.numpy(), [1.0, 7.0], rtol=1e-6)


@pytest.mark.slow
def test_a_condition_lost_beside_the_equation_is_met_when_gradients_are_balanced() -> None:
    plain = train(line(), 300)
    balanced = train(line(), 300, weights=npde.training.GradientNorm(10))
    ends = np.array([[0.0], [1.0]])
    assert np.abs(balanced(ends) - 1).max() < 0.5 * np.abs(plain(ends) - 1).max()


def causal_run(causal: npde.training.Causal, weight: float = 3.0) -> Descent:
    settings = {
        "points": 64,
        "loss": npde.training.MeanSquare(),
        "sampling": npde.training.Fixed(),
        "weights": {"initial-value": weight},
    }
    return descent(evolution(), npde.Adam(steps=1, curriculum=causal, **settings))


def causal_of(run: Descent) -> Waiting:
    (weights,) = run.point_weights
    assert isinstance(weights, Waiting)
    return weights


def mean_squares(run: Descent) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """|r|² (n,) of the equation, the window (n,) of each point, and the mean |r|² of the start."""
    equation, start = run.objective.problem.trained
    samples = run.draws.samples(equation, 1, 1.0)
    windows = causal_of(run).causal.window(samples.points, run.objective.problem)
    beginning = run.draws.sizes(start, run.draws.samples(start, 1, 1.0), 1.0).square().mean()
    return run.draws.sizes(equation, samples, 1.0).square(), windows, beginning


def test_a_window_waits_for_the_start_and_the_earlier_windows() -> None:
    run = causal_run(npde.training.Causal(4, 2.0))
    squares, windows, start = mean_squares(run)
    run.gradient(0)
    losses = [3.0 * float(start), *(float(squares[windows == k].mean()) for k in range(3))]
    np.testing.assert_allclose(causal_of(run).weights().numpy(), np.exp(-2 * np.cumsum(losses)), rtol=1e-10)
    assert min(losses) > 1e-5


def test_points_fall_into_their_windows_of_the_time() -> None:
    points = torch.tensor(
        [[0.5, 0.0], [0.5, 0.49], [0.5, 0.51], [0.1, 1.999], [0.1, 2.0]], dtype=torch.float64
    )
    assert npde.training.Causal(windows=4).window(points, evolution()).tolist() == [0, 0, 1, 3, 3]


def test_a_window_without_a_point_keeps_its_loss() -> None:
    run = causal_run(npde.training.Causal(4, 2.0))
    run.gradient(0)
    before = causal_of(run).losses.clone()
    equation = run.objective.problem.trained[0]
    points = torch.tensor([[0.5, 0.1], [0.5, 0.2], [0.5, 1.9]], dtype=torch.float64)
    batch = run.objective.batch(equation, npde.Samples(points))
    causal_of(run).see(batch, torch.tensor([1.0, 3.0, 7.0], dtype=torch.float64), torch.tensor(1.0))
    expected = [0.0, 5.0, before[0, 2], before[0, 3], 49.0]
    np.testing.assert_allclose(causal_of(run).losses[0].numpy(), expected, rtol=1e-10)


def test_a_causal_step_weighs_the_points_by_the_losses_before_it() -> None:
    run = causal_run(npde.training.Causal(8, 5.0))
    _, first = run.gradient(0)
    _, second = run.gradient(1)
    squares, windows, _ = mean_squares(run)
    expected = (causal_of(run).weights()[windows] * squares).mean()
    assert float(first[0]) == pytest.approx(float(squares.mean()), rel=1e-12)
    assert float(second[0]) == pytest.approx(float(expected), rel=1e-12)
    assert float(second[0]) < 0.9 * float(first[0])


def test_the_tolerance_rises_where_the_last_window_has_been_learned_and_no_further_than_the_last() -> None:
    run = causal_run(npde.training.Causal(4, (1e-6, 1e-5, 1e3)))
    tolerances = []
    for step in range(4):
        run.gradient(step)
        tolerances.append(float(causal_of(run).tolerance))
    assert tolerances == [1e-5, 1e3, 1e3, 1e3]


@pytest.mark.parametrize(
    ("problem", "changes"),
    [
        (line(), {"weights": npde.training.GradientNorm(4)}),
        (evolution(), {"curriculum": npde.training.Causal(4, (1e-6, 0.1, 1.0))}),
    ],
    ids=["gradient norm", "causal"],
)
def test_a_resumed_training_is_the_uninterrupted_one_bitwise(tmp_path: Path, problem, changes) -> None:
    straight = train(problem, 10, **changes)
    train(problem, 6, out=tmp_path, **changes)
    resumed = train(problem, 10, out=tmp_path, **changes)
    pairs = zip(straight.trial.parameters(), resumed.trial.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    np.testing.assert_array_equal(straight.history.loss, resumed.history.loss)


def test_causal_weights_need_a_time() -> None:
    with pytest.raises(npde.DeclarationError, match="Causal weights times, but the domain of line is"):
        train(line(), 1, curriculum=npde.training.Causal())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: npde.training.GradientNorm(every=0), "every=0 of GradientNorm"),
        (lambda: npde.training.GradientNorm(memory=1.0), "memory=1.0 of GradientNorm"),
        (lambda: npde.training.Causal(windows=1), "windows=1 of Causal"),
        (lambda: npde.training.Causal(tolerance=0.0), "tolerance=0.0 of Causal"),
        (lambda: npde.training.Causal(tolerance=()), r"tolerance=\(\) of Causal"),
        (lambda: npde.training.Causal(tolerance=(1.0, 0.1)), r"tolerance=\(1.0, 0.1\) of Causal"),
        (lambda: npde.Adam(steps=1, curriculum=3), "curriculum=3: use"),
    ],
)
def test_knobs_out_of_range_are_refused(make, message: str) -> None:
    with pytest.raises(npde.DeclarationError, match=message):
        make()
