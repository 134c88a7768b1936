"""Encoded networks and Gaussians as trial functions, and L-BFGS as a method."""

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.jets.autograd import jet_by_autograd
from neurapde.training.run.method import Status
from neurapde.trials.base import Trial

BOUNDS = (np.array([-0.5, 0.2]), np.array([1.5, 1.0]))
TRIALS = [
    npde.ReluPE(width=12, depth=1, octaves=3),
    npde.FourierFeatures(width=12, depth=1, features=5, deviation=1.0),
    npde.RBF(count=9, sharpness=2.0),
    npde.RBF(count=9, sharpness=2.0, width=8, layers=2),
    npde.RBF(count=9, sharpness=2.0, width=8, layers=2, activation="tanh"),
]
EVERY_TRIAL = pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: type(trial).__name__)


@EVERY_TRIAL
@pytest.mark.parametrize(("outputs", "is_complex"), [(1, False), (2, False), (1, True)])
def test_the_jet_is_that_of_differentiation(trial: Trial, outputs: int, is_complex: bool) -> None:
    generator = torch.Generator().manual_seed(71933)
    made = trial.build(BOUNDS, outputs, is_complex, generator=generator, dtype=torch.float64)
    points = torch.rand(40, 2, generator=generator, dtype=torch.float64) * 0.8 + 0.2
    jet = made.jet(points, order=2, mixed=[(0, 1)])
    expected = jet_by_autograd(made, points, jet.layout, keep_graph=True)
    channels, truth = jet.channels.detach(), expected.channels.detach()
    scale = truth.abs().amax(dim=tuple(range(1, truth.ndim)), keepdim=True)
    assert float(((channels - truth).abs() / (scale + 1e-12)).max()) < 1e-10


@EVERY_TRIAL
def test_a_seed_gives_the_same_function_in_both_precisions(trial: Trial) -> None:
    points = torch.tensor([[0.1, 0.4], [1.2, 0.9]], dtype=torch.float64)
    values = [
        trial.build(BOUNDS, generator=torch.Generator().manual_seed(71933), dtype=dtype)(points).double()
        for dtype in (torch.float32, torch.float64)
    ]
    assert torch.allclose(values[0], values[1], atol=1e-4)


def test_the_encoding_is_not_trained_and_has_the_octaves() -> None:
    made = TRIALS[0].build(BOUNDS, generator=torch.Generator().manual_seed(71933), dtype=torch.float64)
    waves = made.layers[0].weight  # type: ignore[union-attr]
    assert not waves.requires_grad
    assert sorted({round(float(w) / np.pi, 6) for w in waves.flatten()}) == [0, 1, 2, 4]  # type: ignore[union-attr]


def quadratic(points: np.ndarray) -> np.ndarray:
    return points[:, 0] ** 2 - 0.5 * points[:, 1]


def problem() -> npde.Problem:
    samples = npde.data.Raster(np.zeros((9, 9)), (-1.0, -1.0), (1.0, 1.0)).sampled(quadratic)
    return npde.Problem("quadratic", samples.domain, npde.Fit(values=samples), exact=quadratic)


def test_lbfgs_fits_a_parabola_ever_better() -> None:
    solution = npde.solve(problem(), npde.MLP(8, 1), npde.LBFGS(200, points=81), seed=71933, progress=False)
    assert solution.history.loss[-1] < 1e-5
    assert np.all(np.diff(solution.history.loss) <= 0)
    points = np.random.default_rng(71933).uniform(-1, 1, (50, 2))
    assert np.abs(solution(points) - quadratic(points)).max() < 2e-2


def test_lbfgs_says_when_there_is_nothing_left_to_gain() -> None:
    flat = npde.data.Raster(np.zeros((5, 5)), (-1.0, -1.0), (1.0, 1.0))
    zero = npde.Problem("zero", flat.domain, npde.Fit(values=flat))
    solution = npde.solve(
        zero, npde.MLP(3, 0), npde.LBFGS(500, points=25, tolerance=1e-4), seed=71933, progress=False
    )
    assert solution.status is Status.CONVERGED
    assert solution.history.step[-1] < 500


def test_lbfgs_draws_new_points_when_asked() -> None:
    def losses(redraw: int | None) -> np.ndarray:
        method = npde.LBFGS(40, points=20, redraw=redraw)
        return npde.solve(problem(), npde.MLP(6, 1), method, seed=71933, progress=False).history.loss

    fixed, redrawn = losses(None), losses(20)
    np.testing.assert_allclose(redrawn[:2], fixed[:2])
    assert redrawn[2] != fixed[2]


def test_stages_go_on_from_adam_to_lbfgs() -> None:
    stages = [npde.Adam(20, lr=1e-2, points=81, loss=npde.training.MeanSquare()), npde.LBFGS(20, points=81)]
    solution = npde.solve(problem(), npde.MLP(8, 1), stages, seed=71933, progress=False)
    assert solution.history.step[-1] == 19 + 20
    assert solution.history.loss[-1] < 0.5 * solution.stages[0].history.loss[-1]


def test_lbfgs_resumes_from_its_checkpoint(tmp_path: object) -> None:
    trial, first = npde.MLP(8, 1), npde.LBFGS(20, points=81)
    npde.solve(problem(), trial, first, seed=71933, out=f"{tmp_path}", progress=False)
    continued = npde.solve(
        problem(),
        trial,
        npde.LBFGS(40, points=81),
        seed=71933,
        out=f"{tmp_path}",
        resume=True,
        progress=False,
    )
    assert continued.history.step[-1] == 40
    assert np.all(np.diff(continued.history.loss) <= 0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: npde.LBFGS(0), "steps=0"),
        (lambda: npde.LBFGS(5, loss="l3"), "loss='l3'"),
        (lambda: npde.LBFGS(5, memory=0), "memory=0"),
        (lambda: npde.LBFGS(5, tolerance=0.0), "tolerance=0.0"),
        (lambda: npde.ReluPE(octaves=0), "octaves=0"),
        (lambda: npde.FourierFeatures(deviation=-1.0), "deviation=-1.0"),
        (lambda: npde.RBF(sharpness=0.0), "sharpness=0.0"),
        (lambda: npde.RBF(layers=2, activation="sine"), "activation='sine'"),
    ],
)
def test_settings_out_of_range_are_refused(make: object, message: str) -> None:
    assert callable(make)
    with pytest.raises(npde.DeclarationError, match=message):
        make()
