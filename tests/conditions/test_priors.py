"""Priors of a fit: their mean squares are what they say, and extra constraints may read mixed derivatives."""

import math

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.conditions.priors import hessian_norm, total_variation
from neurapde.jets.jet import Jet
from neurapde.training.optimisation.scales import scales_of

SQUARE = npde.Box((-1, 1), (-1, 1))


def quadratic(points: torch.Tensor) -> Jet:
    """u = x² + 3xy: ∇u = (2x + 3y, 3x), second derivatives 2, 0 and 3."""
    x, y = points.T
    gradient = torch.stack([2 * x + 3 * y, 3 * x], dim=1)
    second = torch.stack([torch.full_like(x, 2.0), torch.zeros_like(x)], dim=1)
    return Jet.of(x * x + 3 * x * y, gradient, second, {(0, 1): torch.full_like(x, 3.0)})


def mean_square(prior: npde.Constraint) -> float:
    samples = prior.sample(50_000, generator=torch.Generator().manual_seed(50413))
    return float(prior.residual(samples, quadratic(samples.points)).square().mean())


def test_the_mean_square_of_the_hessian_prior_is_its_frobenius_norm() -> None:
    assert mean_square(hessian_norm(SQUARE, 0.25)) == pytest.approx(0.25 * math.sqrt(4 + 2 * 9), rel=1e-6)


def test_the_mean_square_of_the_variation_is_the_mean_slope() -> None:
    nodes, weights = np.polynomial.legendre.leggauss(200)
    x, y = np.meshgrid(nodes, nodes, indexing="ij")
    mean = (weights[:, None] * weights * np.hypot(2 * x + 3 * y, 3 * x)).sum() / 4
    assert mean_square(total_variation(SQUARE, 0.5)) == pytest.approx(0.5 * mean, rel=0.02)


def test_gradients_of_the_priors_are_finite_for_a_constant_field() -> None:
    points = torch.zeros((3, 2), dtype=torch.float64)
    flat = torch.zeros((6, 3), dtype=torch.float64, requires_grad=True)
    for prior in (total_variation(SQUARE, 1.0), hessian_norm(SQUARE, 1.0)):
        layout = npde.Problem("flat", SQUARE, npde.Equation(lambda x, u: u.value), constraints=prior).layout(
            prior
        )
        residual = prior.residual(npde.Samples(points), Jet(flat[: layout.count], layout))
        (slope,) = torch.autograd.grad(residual.square().sum(), flat)
        assert torch.isfinite(slope).all()


def test_a_fit_with_a_prior_on_second_derivatives_is_smoother_than_one_without() -> None:
    rng = np.random.default_rng(71443)
    points = rng.uniform(-1, 1, (40, 2))
    data = npde.at_points(points, targets=np.sign(points[:, 0]))

    def bending(constraints: tuple[npde.Constraint, ...]) -> float:
        problem = npde.Problem("few", SQUARE, npde.Fit(values=data), constraints=constraints)
        solution = npde.solve(
            problem,
            npde.Siren(width=24, depth=1, omega_0=6, omega_hidden=6),
            npde.Adam(steps=60, lr=3e-3, points=200, loss=npde.training.MeanSquare()),
            device="cpu",
        )
        return float(np.abs(np.asarray(solution.laplacian(SQUARE.sample(400, how="grid").numpy()))).mean())

    assert bending((hessian_norm(SQUARE, 0.1),)) < 0.5 * bending(())


def test_mixed_derivatives_that_do_not_exist_are_refused() -> None:
    def residual(samples: npde.Samples, u: Jet) -> torch.Tensor:
        return u.d2(0, 1)

    with pytest.raises(npde.DeclarationError, match="has order 1; give order=2"):
        npde.Constraint("twist", residual, npde.interior(SQUARE), 1, mixed=((0, 1),))
    with pytest.raises(npde.DeclarationError, match="two different axes"):
        npde.Constraint("twist", residual, npde.interior(SQUARE), 2, mixed=((1, 1),))
    twist = npde.Constraint("twist", residual, npde.interior(SQUARE), 2, mixed=((0, 2),))
    data = npde.at_points([[0.0, 0.0]], targets=[1.0])
    with pytest.raises(npde.DeclarationError, match="the domain has the axes 0 to 1"):
        npde.Problem("twisted", SQUARE, npde.Fit(values=data), constraints=twist)


@pytest.mark.parametrize("weight", [0, -1.0, float("nan"), "much", True])
def test_a_weight_that_is_no_positive_number_is_refused(weight: object) -> None:
    for prior in (total_variation, hessian_norm):
        with pytest.raises(npde.DeclarationError, match="give a positive number"):
            prior(SQUARE, weight)  # type: ignore[arg-type]


def test_extra_constraints_on_a_mixed_derivative_that_contradict_one_another_are_refused() -> None:
    def twist(name: str, value: float) -> npde.Constraint:
        place = npde.at_points([[0.1, 0.2]])
        return npde.Constraint(name, lambda samples, u: u.d2(0, 1) - value, place, 2, mixed=((0, 1),))

    problem = npde.Problem(
        "saddle",
        SQUARE,
        npde.Equation(lambda x, u: u.laplacian),
        boundary=npde.Dirichlet(0.0),
        constraints=[twist("one", 1.0), twist("other", 3.0)],
    )
    with pytest.raises(npde.DeclarationError, match="'one' and 'other' contradict each other by 2"):
        npde.solve(problem, progress=False)


def test_scales_count_an_extra_constraint_on_a_mixed_derivative() -> None:
    size = 1e3
    box = npde.Box((0, size), (0, size))

    def residual(samples: npde.Samples, u: Jet) -> torch.Tensor:
        return u.d2(0, 1) - 1 / size**2

    twist = npde.Constraint("twist", residual, npde.interior(box), 2, mixed=((0, 1),))
    sides = npde.Dirichlet(lambda x: x[:, 0] * x[:, 1] / size**2)
    problem = npde.Problem(
        "saddle", box, npde.Equation(lambda x, u: u.laplacian), boundary=sides, constraints=twist
    )
    sizes = scales_of(problem).residuals
    assert sizes["twist"] == pytest.approx(sizes["equation"], rel=10)
