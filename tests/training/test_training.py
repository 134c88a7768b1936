"""The training objective: which points are drawn, and how the residuals there are weighed."""

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.jets.jet import Jet
from neurapde.training.objective import Objective

VARIANCE = 0.01


def wave(sources: object) -> npde.Problem:
    return npde.Problem("wave", npde.Box((-2, 2), (-2, 2)), npde.Helmholtz(5.0), sources, npde.PML(width=0.7))


def build(problem: npde.Problem) -> torch.nn.Module:
    generator = torch.Generator().manual_seed(61553)
    return npde.Siren(width=4, depth=1, omega_0=3.0).build(
        problem.domain.bounds,
        problem.outputs,
        problem.equation.complex,
        generator=generator,
        dtype=torch.float64,
    )


def objective(problem: npde.Problem, **changes: object) -> Objective:
    settings = {
        "points": 100,
        "loss": npde.training.MeanAbsolute(),
        "weights": {},
        "source_points": 40,
        "source_weight": None,
        **changes,
    }
    return Objective(problem, **settings)


def asked(
    problem: npde.Problem, target: Objective, monkeypatch: pytest.MonkeyPatch
) -> list[tuple[torch.Tensor, int]]:
    """Points and order of every evaluation of the trial during one evaluation of the objective."""
    trial, calls = build(problem), []
    jet = type(trial).jet

    def spy(
        self: object, points: torch.Tensor, order: int = 2, mixed: tuple[tuple[int, int], ...] = ()
    ) -> Jet:
        calls.append((points, order))
        return jet(self, points, order, mixed)

    monkeypatch.setattr(type(trial), "jet", spy)
    target.evaluate(trial, torch.Generator().manual_seed(50413))
    return calls


def test_extra_points_lie_within_five_deviations_of_every_source(monkeypatch: pytest.MonkeyPatch) -> None:
    centers = [(-0.5, 0.0), (0.5, 0.3)]
    problem = wave([npde.GaussianSource(at=at, variance=VARIANCE) for at in centers])
    ((points, order),) = asked(problem, objective(problem, source_points=2000), monkeypatch)
    assert points.shape == (4100, 2)
    assert order == 2
    for center, drawn in zip(centers, (points[100:2100], points[2100:]), strict=True):
        radius = np.linalg.norm(drawn.numpy() - center, axis=1) / np.sqrt(VARIANCE)
        assert radius.max() <= 5.0
        assert np.median(radius) == pytest.approx(5 / np.sqrt(2), abs=0.12)  # uniform in the disc


def test_points_round_a_source_stay_in_the_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    source = npde.GaussianSource(at=(0.9, 0.0), variance=VARIANCE)
    layers = npde.PML(width={"left": 0.7})
    with pytest.warns(npde.DeclarationWarning, match="extends"):
        problem = npde.Problem("edge", npde.Box((-2, 1), (-2, 2)), npde.Helmholtz(5.0), source, layers)
    ((points, _),) = asked(problem, objective(problem), monkeypatch)
    assert problem.domain.contains(points).all()


def test_the_trial_is_evaluated_once_per_constraint_at_the_order_that_it_reads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    square = npde.Problem(
        "square",
        npde.Box((0, 1), (0, 1)),
        npde.Equation(lambda x, u: u.laplacian),
        boundary=[npde.Dirichlet(0.0, on="left"), npde.Neumann(0.0, on="right")],
    )
    calls = asked(square, objective(square, points=7), monkeypatch)
    assert [order for _, order in calls] == [c.order for c in square.constraints] == [2, 0, 1]


def test_the_loss_weighs_points_at_a_source_by_the_papers_rule() -> None:
    source = npde.GaussianSource(at=(0.0, 0.0), variance=VARIANCE, amplitude=1 + 1j)
    problem = wave(source)
    trial, target = build(problem), objective(problem, points=3000, source_points=0)
    total, (loss,) = target.evaluate(trial, torch.Generator().manual_seed(50417))
    (constraint,) = problem.constraints
    samples = constraint.sample(3000, generator=torch.Generator().manual_seed(50417))
    residual = constraint.residual(samples, trial.jet(samples.points))
    near = samples.points.norm(dim=1) <= 6 * np.sqrt(VARIANCE)
    assert 50 < int(near.sum()) < 600
    expected = torch.where(near, 3.0, 1.0) * (residual.real.abs() + residual.imag.abs())
    assert loss.item() == pytest.approx(expected.mean().item(), rel=1e-12)
    assert total.item() == loss.item()


def test_each_shot_is_weighed_at_its_own_source() -> None:
    shots = npde.Shots(*(npde.GaussianSource(at=(x, 0.0), variance=VARIANCE) for x in (-0.5, 0.5)))
    problem = wave(shots)
    points = torch.tensor([[-0.5, 0.0], [0.5, 0.0], [0.0, 0.9]], dtype=torch.float64)
    weights = objective(problem).near_sources.weights(points, 7.0)
    np.testing.assert_array_equal(weights.numpy(), [[7, 1], [1, 7], [1, 1]])


def test_centres_of_sources_are_brought_to_the_points_once() -> None:
    target = objective(wave(npde.GaussianSource(at=(0.25, -0.5), variance=VARIANCE)))
    points = torch.zeros(3, 2, dtype=torch.float64)
    first = target.near_sources.centers(points)
    assert target.near_sources.centers(points + 1) is first
    (center,) = target.near_sources.centers(points.float()).values()
    assert (center.dtype, center.tolist()) == (torch.float32, [0.25, -0.5])


def test_the_gradient_of_the_loss_is_that_of_finite_differences() -> None:
    problem = wave(npde.GaussianSource(at=(0.0, 0.0), variance=VARIANCE))
    trial, target = (
        build(problem),
        objective(problem, points=20, source_points=5, loss=npde.training.MeanSquare()),
    )

    def loss() -> torch.Tensor:
        return target.evaluate(trial, torch.Generator().manual_seed(50423))[0]

    loss().backward()
    bias = trial.layers[1].bias
    slope, step = float(bias.grad[2]), 1e-5
    with torch.no_grad():
        bias[2] += step
        above = loss().item()
        bias[2] -= 2 * step
        below = loss().item()
    assert (above - below) / (2 * step) == pytest.approx(slope, rel=1e-5)


def test_constraints_of_one_sampler_and_as_many_points_are_evaluated_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    disk = npde.Disk((0, 0), 0.5)
    problem = npde.Problem("disk", npde.Box((-1, 1), (-1, 1)), npde.Eikonal(surface=disk, distance=False))
    calls = asked(problem, objective(problem, points=7), monkeypatch)
    assert [(len(points), order) for points, order in calls] == [(7, 1), (7, 1)]
    counts = {"surface": 5, "normals": 7, "off-surface": 9, "eikonal": 9, "eikonal-on-surface": 7}
    calls = asked(problem, objective(problem, points=counts), monkeypatch)
    assert [(len(points), order) for points, order in calls] == [(5, 0), (7, 1), (9, 1)]


def test_the_gradient_on_shared_points_is_the_sum_of_each_constraint_s_own() -> None:
    disk = npde.Disk((0, 0), 0.5)
    problem = npde.Problem("disk", npde.Box((-1, 1), (-1, 1)), npde.Eikonal(surface=disk))
    trial, target = build(problem), objective(problem, points=11, loss=npde.training.MeanSquare())
    generator = torch.Generator().manual_seed(30467)
    for group in target.shared:
        samples = target.draw(group[0], trial, generator)
        batches = [target.batch(constraint, samples) for constraint in group]
        factors = [0.5 + index for index in range(len(batches))]
        runs = []
        for parts in ([(batches, factors)], [([b], [f]) for b, f in zip(batches, factors, strict=True)]):
            trial.zero_grad()
            losses = [loss for some, factors in parts for loss in target.descend(some, trial, factors)]
            runs.append([*losses, *(parameter.grad.clone() for parameter in trial.parameters())])
        for together, apart in zip(*runs, strict=True):
            torch.testing.assert_close(together, apart, atol=1e-11, rtol=1e-11)
