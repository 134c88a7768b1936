"""Compiled layers: the same numbers as uncompiled ones, and a clear word where nothing can be compiled."""

import dataclasses
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.jets.compiled import Compiled, best_kernels
from neurapde.jets.kernels import EAGER
from neurapde.training.losses import mean_loss
from neurapde.training.objective import CACHED_ROWS, Batch, Objective
from neurapde.trials.networks.layered import compiled
from support import absorbed_waves

TINY = npde.Siren(width=8, depth=2, omega_0=5.0)


@pytest.fixture(scope="module")
def compiler() -> None:
    """Skips where nothing can be compiled."""
    _, reason = best_kernels(torch.device("cpu"))
    if reason is not None:
        pytest.skip(f"nothing can be compiled here: {reason}")


def build(spec: npde.Siren | npde.MLP, dtype: torch.dtype):
    generator = torch.Generator().manual_seed(70121)
    return spec.build(([-1, -2], [1, 3]), 1, True, generator=generator, dtype=dtype)


def jet_and_gradient(trial, points, order, mixed):
    channels = trial.jet(points, order=order, mixed=mixed).channels
    weights = torch.linspace(-1.0, 2.0, channels.numel(), dtype=points.dtype).reshape(channels.shape)
    gradient = torch.autograd.grad(
        (weights * torch.view_as_real(channels).sum(-1)).sum(), list(trial.parameters())
    )
    return channels.detach(), torch.cat([gradient_of.flatten() for gradient_of in gradient])


def check(spec, dtype, tolerance, order, mixed) -> None:
    trial = build(spec, dtype)
    points = torch.rand(37, 2, generator=torch.Generator().manual_seed(30757), dtype=dtype)
    expected = jet_and_gradient(trial, points, order, mixed)
    with compiled(trial) as reason:
        computed = jet_and_gradient(trial, points, order, mixed)
    assert reason is None
    for ours, theirs in zip(computed, expected, strict=True):
        scale = theirs.abs().max()
        assert 0 < scale
        assert (ours - theirs).abs().max() < tolerance * scale


@pytest.mark.slow
@pytest.mark.parametrize(
    ("dtype", "tolerance"),
    [(torch.float64, 1e-12), pytest.param(torch.float32, 1e-5, marks=pytest.mark.slow)],
)
def test_compiled_jets_and_their_gradients_are_the_eager_ones(compiler, dtype, tolerance) -> None:
    check(TINY, dtype, tolerance, 2, ())


@pytest.mark.slow
@pytest.mark.parametrize(("order", "mixed"), [(2, ((0, 1),)), (1, ()), (0, ())])
@pytest.mark.parametrize("activation", ["tanh", "softplus", "sine"])
def test_every_compiled_layout_gives_the_eager_numbers(compiler, activation, order, mixed) -> None:
    spec = TINY if activation == "sine" else npde.MLP(width=8, depth=2, activation=activation)
    check(spec, torch.float64, 1e-12, order, mixed)


@pytest.mark.slow
def test_layers_are_compiled_inside_the_statement_alone(compiler) -> None:
    trial = build(TINY, torch.float64)
    with compiled(trial):
        assert isinstance(trial.kernels, Compiled)
    assert trial.kernels is EAGER


@pytest.mark.slow
def test_a_compiled_training_follows_the_uncompiled_one(compiler) -> None:
    eager = npde.Adam(steps=5, lr=1e-3, points=40, record_every=1)
    runs = [
        npde.solve(
            absorbed_waves(), TINY, method, dtype=torch.float64, device="cpu", progress=False, seed=90173
        )
        for method in (eager, dataclasses.replace(eager, compile=True))
    ]
    np.testing.assert_allclose(runs[1].history.loss, runs[0].history.loss, rtol=1e-10)
    assert not any("compile" in note for note in runs[1].notes)


def test_compiling_what_has_no_layers_is_refused() -> None:
    with pytest.raises(npde.DeclarationError, match="compile=True is for networks with layers"):
        npde.solve(
            absorbed_waves(), npde.RBF(count=9), npde.Adam(steps=1, points=9, compile=True), device="cpu"
        )


@pytest.mark.slow
def test_without_a_compiler_the_training_runs_and_says_so(tmp_path) -> None:
    script = """
import neurapde as npde
line = npde.Problem(name="line", domain=npde.Interval(0, 1), equation=npde.Equation(lambda x, u: u.laplacian + 1))
method = npde.Adam(steps=2, points=8, compile=True)
solution = npde.solve(line, npde.Siren(width=4, depth=1), method, device="cpu", progress=False)
print(solution.status.name, solution.notes)
"""
    environment = dict(
        os.environ, CXX="/nowhere/c++", TORCHINDUCTOR_CACHE_DIR=str(tmp_path), OMP_NUM_THREADS="1"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert "STEP_LIMIT" in done.stdout
    assert "compile=True had no effect" in done.stdout


def test_a_gradient_gathered_in_pieces_is_that_of_the_whole() -> None:
    problem = absorbed_waves()
    count = 2 * CACHED_ROWS // 5 + 3
    objective = Objective(problem, count, npde.training.MeanAbsolute(), {}, 10, None)
    trial = build(TINY, torch.float64)
    generator = torch.Generator().manual_seed(44753)
    [constraint] = problem.trained
    batch = objective.batch(constraint, objective.draw(constraint, trial, generator))
    assert [len(piece.samples.points) for (piece,) in objective.pieces([batch])] == [2054, 2055]
    [residual] = objective.residuals([batch], trial)
    whole = mean_loss(residual, objective.loss, batch.weights)
    expected = torch.autograd.grad(whole, list(trial.parameters()))
    [loss] = objective.descend([batch], trial, [1.0])
    assert (loss - whole.detach()).abs() < 1e-13 * whole.detach()
    for parameter, gradient in zip(trial.parameters(), expected, strict=True):
        assert (parameter.grad - gradient).abs().max() < 1e-12 * gradient.abs().max()


def test_pieces_keep_points_normals_targets_and_weights_together() -> None:
    numbers = torch.arange(7.0)
    samples = npde.Samples(numbers[:, None], numbers[:, None] + 10, numbers[:, None] + 20)
    [constraint] = absorbed_waves().trained
    pieces = list(Batch(constraint, samples, numbers + 30).split(3))
    assert [len(piece.samples.points) for piece in pieces] == [3, 4]
    for piece in pieces:
        here = piece.samples
        assert torch.equal(here.normals - here.points, torch.full_like(here.points, 10))
        assert torch.equal(here.targets - here.points, torch.full_like(here.points, 20))
        assert torch.equal(piece.weights - here.points[:, 0], torch.full((len(here.points),), 30.0))
