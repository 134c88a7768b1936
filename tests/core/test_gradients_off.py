"""Declaring, solving, inverting and evaluating inside `torch.no_grad()` and `torch.inference_mode()`: as outside."""

import numpy as np
import pytest
import torch

import neurapde as npde
from support import some_slow

SQUARE = npde.Box((0, 1), (0, 1))
X = np.random.default_rng(60427).random((7, 2))
GAUSSIAN = npde.GaussianSource((0.4, 0.6), 0.02)
VALUES = 1 + np.random.default_rng(60443).random((9, 9))


def declared(coefficient=1.0, condition=None, constraints=()) -> npde.Problem:
    boundary = npde.Dirichlet(0.0) if condition is None else condition
    return npde.Problem("off", SQUARE, npde.Poisson(coefficient), GAUSSIAN, boundary, constraints)


def measured() -> npde.Constraint:
    where = npde.at_points(X, targets=np.ones(len(X)))
    return npde.Constraint("measured", lambda samples, u: u.value - samples.targets, where)


def raised(x):
    return npde.sin(x[:, 0])


SMALL = npde.MLP(width=6, depth=1)
CASES = {
    "adam": lambda: npde.solve(declared(), SMALL, npde.Adam(4, points=40)),
    "lbfgs": lambda: npde.solve(declared(), SMALL, npde.LBFGS(4, points=40)),
    "natural gradient": lambda: npde.solve(declared(), SMALL, npde.NaturalGradient(4, points=40)),
    "hard": lambda: npde.solve(
        declared(condition=npde.Dirichlet(raised, hard=True)), SMALL, npde.Adam(4, points=40)
    ),
    "grid field": lambda: npde.solve(declared(npde.GridField(VALUES)), SMALL, npde.Adam(4, points=40)),
    "data": lambda: npde.solve(declared(constraints=measured()), SMALL, npde.Adam(4, points=40)),
    "foreign": lambda: npde.solve(
        declared(), npde.TorchModule(torch.nn.Sequential(torch.nn.Linear(2, 1))), npde.Adam(2, points=40)
    ),
    "varying": lambda: npde.solve(declared(lambda x: 1 + x[:, 0]), method=npde.LeastSquares(1e-3)),
    "galerkin": lambda: npde.solve(declared(npde.GridField(VALUES)), method=npde.Galerkin(0.3, 30.0)),
}


@pytest.mark.parametrize("off", [pytest.param(torch.no_grad, marks=pytest.mark.slow), torch.inference_mode])
@pytest.mark.parametrize("name", some_slow(CASES, "varying"))
def test_gradients_switched_off_outside_change_nothing(name, off):
    def found():
        torch.manual_seed(60457)
        solution = CASES[name]()
        x = torch.tensor(X)
        values = [solution(X), solution.gradient(X), solution.laplacian(X), solution.laplacian(x).numpy()]
        return solution, values

    _, outside = found()
    with off():
        solution, inside = found()
    for values, other in zip(outside, inside, strict=True):
        np.testing.assert_allclose(values, other, rtol=1e-9, atol=1e-12)
    x = torch.tensor(X).requires_grad_()
    (slope,) = torch.autograd.grad(solution(x).sum(), x)
    np.testing.assert_allclose(slope.numpy(), solution.gradient(X), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("off", [torch.no_grad, torch.inference_mode])
def test_a_solution_read_inside_can_be_differentiated_outside(tmp_path, off):
    path = npde.solve(declared(), SMALL, npde.Adam(2, points=40)).save(tmp_path / "u.h5")
    with off():
        solution = npde.load(path)
    x = torch.tensor(X).requires_grad_()
    (slope,) = torch.autograd.grad(solution(x).sum(), x)
    np.testing.assert_allclose(slope.numpy(), solution.gradient(X), rtol=1e-4, atol=1e-5)
