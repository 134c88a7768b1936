"""Training in other units: networks and their losses are of the order of one, whatever metres, seconds and kelvins are."""

from typing import Any

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.jets.jet import Layout
from neurapde.problems import CASES
from neurapde.problems._cases import EVOLUTION_CASES, SYSTEM_CASES
from neurapde.training.optimisation.parameter_jacobians import vector_jacobian_product
from neurapde.training.optimisation.scales import scales_of
from neurapde.training.run.method import Method

PI = np.pi

APART = (*EVOLUTION_CASES, *SYSTEM_CASES)
OTHER = ("poisson-darcy", "kovasznay", "sdf-room", *(case.name for case in APART))
"""Components that differ, a field of some thousandths, distances of metres; travel times have units of their own, too."""
MODERATE = [case for case in CASES if case.name not in OTHER and not case.name.startswith("travel-time")]


def heat(length: float, stop: float, size: float) -> tuple[npde.Problem, Any]:
    """A rod that cools by the same part in the time, whatever its units."""
    a = 0.1 * length**2 / stop

    def start(x: Any) -> Any:
        return size * npde.sin(PI * x[:, 0] / length)

    problem = npde.Problem(
        "rod",
        npde.Interval(0, length).over(npde.Time(0, stop)),
        npde.Equation(lambda x, u: u.dt - a * u.d2(0)),
        boundary=[npde.Dirichlet(0.0), npde.InitialCondition(start)],
    )
    return problem, lambda x: start(x) * npde.exp(-a * (PI / length) ** 2 * x[:, 1])


def growth(stop: float, capacity: float) -> tuple[npde.Problem, Any]:
    """Logistic growth from a fifth of the capacity."""
    rate = 2 / stop

    def residual(x: Any, u: Any) -> Any:
        return u.d(0) - rate * u.value * (1 - u.value / capacity)

    start = npde.Dirichlet(0.2 * capacity, on="left")
    problem = npde.Problem("growth", npde.Interval(0, stop), npde.Equation(residual, order=1), boundary=start)
    return problem, lambda x: capacity / (1 + 4 * npde.exp(-rate * x[:, 0]))


def plate(side: float, conductivity: float, size: float) -> tuple[npde.Problem, Any]:
    """A plate warmed inside, cold at its sides."""
    k = PI / side

    def exact(x: Any) -> Any:
        return size * npde.sin(k * x[:, 0]) * npde.sin(k * x[:, 1])

    equation = npde.Equation(lambda x, u: conductivity * (u.laplacian + 2 * k**2 * exact(x)))
    return npde.Problem(
        "plate", npde.Box((0, side), (0, side)), equation, boundary=npde.Dirichlet(0.0)
    ), exact


def error(declared: tuple[npde.Problem, Any], method: Method) -> float:
    problem, exact = declared
    torch.manual_seed(40483)
    solution = npde.solve(
        problem, npde.MLP(width=12, depth=2), method, dtype=torch.float64, seed=19009, progress=False
    )
    x = problem.domain.sample(500, how="grid").numpy()
    return float(np.linalg.norm(solution(x) - exact(x)) / np.linalg.norm(exact(x)))


POINTS = {"equation": 200, "dirichlet": 60, "dirichlet-left": 5, "initial-value": 60}


def trained(problem: npde.Problem) -> Method:
    return npde.NaturalGradient(
        12, points={constraint.name: POINTS[constraint.name] for constraint in problem.constraints}
    )


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("here", "there"),
    [
        pytest.param(heat(1.0, 1.0, 1.0), heat(0.1, 3600.0, 50.0), marks=pytest.mark.slow),
        pytest.param(heat(1.0, 1.0, 1.0), heat(1e4, 1e-6, 1e-5), marks=pytest.mark.slow),
        (growth(1.0, 1.0), growth(1e4, 1e6)),
        pytest.param(plate(1.0, 1.0, 1.0), plate(0.05, 400.0, 600.0), marks=pytest.mark.slow),
        pytest.param(plate(1.0, 1.0, 1.0), plate(2e3, 1e-6, 1e-5), marks=pytest.mark.slow),
    ],
    ids=["hour", "microsecond", "people", "metal", "faint"],
)
def test_natural_gradients_train_as_well_in_other_units(here: Any, there: Any) -> None:
    errors = [error(declared, trained(declared[0])) for declared in (here, there)]
    assert errors[1] < max(3 * errors[0], 0.01)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "method",
    [
        pytest.param(npde.Adam(steps=200, lr=5e-3, points=60), marks=pytest.mark.slow),
        npde.LBFGS(steps=40, points=100),
    ],
    ids=["adam", "lbfgs"],
)
def test_training_does_not_stall_in_other_units(method: Method) -> None:
    here, there = (error(declared, method) for declared in (heat(1.0, 1.0, 1.0), heat(0.1, 3600.0, 50.0)))
    assert there < 2 * here


@pytest.mark.parametrize("case", MODERATE, ids=lambda case: case.name)
def test_what_is_of_moderate_size_is_trained_as_declared(case: Any) -> None:
    scales = scales_of(case.factory())
    assert set(scales.sizes) == {1.0}
    assert {size for scale in scales.residuals.values() for size in scale} <= {1.0}


@pytest.mark.filterwarnings("ignore:`torch.jit")
def test_a_trial_in_other_units_has_the_derivatives_of_what_it_is() -> None:
    bounds, lengths = ((0.0, 0.0), (2.0, 7e3)), (1.0, 3600.0)
    spec = npde.trials.OutputScaling(npde.MLP(6, 2), 50.0, lengths)
    trial = spec.build(bounds, generator=torch.Generator().manual_seed(40127), dtype=torch.float64)
    points = torch.rand(7, 2, dtype=torch.float64) * torch.tensor([2.0, 7e3])
    jet = trial.jet(points, mixed=[(0, 1)])
    hessian = torch.stack([torch.func.hessian(lambda x: trial(x[None])[0])(x) for x in points])
    gradient = torch.stack([torch.func.grad(lambda x: trial(x[None])[0])(x) for x in points])
    torch.testing.assert_close(jet.gradient, gradient, rtol=1e-9, atol=1e-14)
    torch.testing.assert_close(jet.d2(0, 1), hessian[:, 0, 1], rtol=1e-9, atol=1e-14)
    torch.testing.assert_close(jet.d2(1), hessian[:, 1, 1], rtol=1e-9, atol=1e-14)
    layout = Layout(2, 2)
    weights = torch.rand(layout.count, 7, dtype=torch.float64)
    product = vector_jacobian_product(trial, points, layout)(weights)
    loss = (trial.jet(points).channels * weights).sum()
    expected = torch.cat(
        [gradient.flatten() for gradient in torch.autograd.grad(loss, list(trial.parameters()))]
    )
    torch.testing.assert_close(product.reshape(7, -1).sum(0), expected, rtol=1e-9, atol=1e-12)


def test_lengths_that_do_not_fit_the_domain_are_refused() -> None:
    spec = npde.trials.OutputScaling(npde.MLP(4, 1), 1.0, (1.0, 2.0, 3.0))
    with pytest.raises(npde.DeclarationError, match="the domain has 2 axes; give one for each"):
        spec.build(((0.0, 0.0), (1.0, 1.0)), generator=torch.Generator())
