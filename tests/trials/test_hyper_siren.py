"""SIRENs made by a network from latent codes: their derivatives, their start, and what they share."""

from pathlib import Path

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.jets.autograd import jet_by_autograd
from neurapde.trials.networks.hyper import HyperSirenTrial
from support import assert_same_field, seeded

BOUNDS = ([-1.0, -2.0], [1.0, 3.0])
SMALL = npde.HyperSiren(8, 2, 6.0, 3.0, latent=3, hidden=5)
PAIR = npde.HyperSiren(10, 1, 5.0, 5.0, codes=2, latent=4, hidden=6)


def build(spec: npde.HyperSiren, outputs: int, complex: bool, seed: int = 51061) -> HyperSirenTrial:
    """A trial whose SIRENs depend on their codes, as after some training."""
    trial = spec.build(BOUNDS, outputs, complex, generator=seeded(seed), dtype=torch.float64)
    with torch.no_grad():
        trial.hypernetwork.spread.normal_(0.0, 0.3, generator=seeded(20143))
    return trial


def points(count: int = 9) -> torch.Tensor:
    return torch.rand(count, 2, dtype=torch.float64, generator=seeded(63347)) * 2 - 1


@pytest.mark.parametrize(
    ("spec", "outputs", "complex"),
    [(SMALL, 1, False), (SMALL, 2, True), (PAIR, 2, False), (PAIR, 2, True), (PAIR, 6, False)],
)
def test_the_jet_and_its_gradients_are_those_of_differentiation(spec, outputs, complex):
    trial, x = build(spec, outputs, complex), points()
    jet = trial.jet(x, 2, [(0, 1)])
    expected = jet_by_autograd(trial, x, jet.layout, keep_graph=True)
    size = float(expected.channels.detach().abs().max())
    torch.testing.assert_close(jet.channels, expected.channels, rtol=1e-12, atol=1e-12 * size)
    gradients = [
        torch.autograd.grad((result.laplacian.abs() ** 2).sum(), list(trial.parameters()))
        for result in (jet, expected)
    ]
    for gradient, truth in zip(*gradients, strict=True):
        torch.testing.assert_close(gradient, truth, rtol=1e-9, atol=1e-11 * float(truth.abs().max()))


def test_every_siren_starts_as_that_of_its_size_and_has_its_own_code_afterwards():
    trial = PAIR.build(BOUNDS, 2, generator=seeded(51061), dtype=torch.float64)
    alone = npde.Siren(10, 1, 5.0, 5.0).build(BOUNDS, generator=seeded(51061), dtype=torch.float64)
    x = points()
    for k in range(2):
        torch.testing.assert_close(trial(x)[:, k], alone(x), rtol=1e-12, atol=1e-12)
    moved = build(PAIR, 2, False)
    assert not torch.allclose(moved(x)[:, 0], moved(x)[:, 1], atol=1e-2)
    with torch.no_grad():
        moved.codes[1] = moved.codes[0]
    torch.testing.assert_close(moved(x)[:, 0], moved(x)[:, 1], rtol=1e-12, atol=1e-12)


def test_the_generator_is_the_only_randomness_in_either_precision():
    state = torch.get_rng_state()
    trials = [
        PAIR.build(BOUNDS, 2, generator=seeded(seed), dtype=dtype)
        for seed, dtype in ((71147, torch.float64), (71147, torch.float32), (71149, torch.float64))
    ]
    assert torch.equal(torch.get_rng_state(), state)
    for a, b in zip(trials[0].parameters(), trials[1].parameters(), strict=True):
        assert torch.equal(a.float(), b)
    assert not torch.equal(trials[0].codes, trials[2].codes)


def two_pictures() -> tuple[npde.Problem, np.ndarray]:
    axis = np.linspace(-1, 1, 13)
    x, y = np.meshgrid(axis, axis, indexing="ij")
    values = np.stack((np.sin(3 * x) * y, np.cos(2 * y + x)), axis=-1)
    raster = npde.data.Raster(values, (-1.0, -1.0), (1.0, 1.0))
    return npde.Problem("pair", raster.domain, npde.Fit(values=raster)), values


@pytest.mark.slow
def test_one_hypernetwork_learns_two_pictures_saves_and_comes_back(tmp_path: Path):
    problem, values = two_pictures()
    method = npde.Adam(
        400, lr=5e-3, points=169, loss=npde.training.MeanSquare(), schedule=npde.training.Cosine()
    )
    solution = npde.solve(problem, PAIR, method, seed=40427, progress=False)
    reached = solution(problem.equation.values.points).reshape(values.shape)
    for k in range(2):
        assert np.linalg.norm(reached[..., k] - values[..., k]) < 0.06 * np.linalg.norm(values[..., k])
    loaded = npde.load(solution.save(tmp_path / "pair.h5"))
    assert loaded.trial.spec == PAIR
    x = points().numpy()
    assert_same_field(loaded(x), solution(x))


def test_resumed_training_is_that_without_a_break(tmp_path: Path):
    problem, _ = two_pictures()

    def run(steps: int, folder: str, resume: bool = False) -> npde.Solution:
        method = npde.Adam(steps, lr=1e-3, points=50, loss=npde.training.MeanSquare())
        return npde.solve(
            problem, PAIR, method, seed=40427, progress=False, out=tmp_path / folder, resume=resume
        )

    whole = run(20, "whole")
    run(9, "parts")
    parts = run(20, "parts", resume=True)
    for a, b in zip(whole.trial.parameters(), parts.trial.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.slow
def test_a_differential_equation_is_solved_by_it():
    problem = npde.Problem(
        "rod",
        npde.Interval(0.0, 1.0),
        npde.Poisson(),
        [lambda x: np.pi**2 * npde.sin(np.pi * x[:, 0])],
        npde.Dirichlet(0.0, hard=True),
    )
    trial = npde.HyperSiren(16, 1, 3.0, 3.0, latent=4, hidden=8)
    method = npde.Adam(
        250, lr=5e-3, points=64, loss=npde.training.MeanSquare(), schedule=npde.training.Cosine()
    )
    solution = npde.solve(problem, trial, method, seed=52009, progress=False)
    x = np.linspace(0, 1, 101)[:, None]
    assert np.abs(solution(x) - np.sin(np.pi * x[:, 0])).max() < 0.03


def test_wrong_declarations_name_their_rule():
    with pytest.raises(npde.DeclarationError, match=r"codes=0: give a whole number of at least 1"):
        npde.HyperSiren(codes=0)
    with pytest.raises(npde.DeclarationError, match=r"width=0 .* at least 1"):
        npde.HyperSiren(width=0)
    with pytest.raises(npde.DeclarationError, match=r"codes=2 does not divide the field's 3"):
        PAIR.build(BOUNDS, 3, generator=seeded(51061))
    with pytest.raises(npde.DeclarationError, match="no linear head"):
        _ = build(SMALL, 1, False).head
