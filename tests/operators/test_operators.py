"""Integrals with a kernel and fractional derivatives in a user's own equation."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.special import erfcx, gamma
from torch import Tensor

import neurapde as npde
from neurapde.jets.layout import Layout
from neurapde.methods.choice import choose_method
from neurapde.operators.base import Operator, Surrounded
from neurapde.operators.quadrature import one_sided
from neurapde.trials.edge_powers import EdgePowers

LINE = npde.Interval(0, 2)


def applied(operator: Operator, field: Callable[[Tensor], Tensor], count: int = 40) -> tuple[Tensor, Tensor]:
    """Places x (n,) and what an operator makes of a field of one axis there; its derivative is taken by torch."""
    problem = npde.Problem("plain", LINE, npde.Equation(lambda x, u: operator(u) + 0 * u.value, order=1))
    (constraint,) = problem.constraints
    samples = constraint.sample(count, how="grid")
    assert isinstance(samples, Surrounded)
    x = samples.points[:, 0].clone().requires_grad_()
    values = field(x)
    (slope,) = torch.autograd.grad(values.sum(), x)
    jet = npde.Jet.of(values.detach(), slope[:, None])
    return samples.points[: samples.count, 0], constraint.residual(samples, jet)


def off(operator: Operator, field: Callable[[Tensor], Tensor], exact: Callable[[Tensor], Tensor]) -> float:
    x, values = applied(operator, field)
    return float((values - exact(x)).abs().max())


def test_a_rule_integrates_roots_at_both_ends() -> None:
    z, w = one_sided(20, -0.5, True)
    assert w @ np.sqrt(z) == pytest.approx(np.pi / 2, rel=1e-10)  # the Beta function B(3/2, 1/2)
    assert w @ z**3 == pytest.approx(gamma(4) * gamma(0.5) / gamma(4.5), rel=1e-13)


@pytest.mark.parametrize("alpha", [0.3, 0.9, 1.4])
@pytest.mark.parametrize("power", [2.0, 2.5, 3.0])
def test_caputos_derivative_of_a_power_is_a_power(alpha: float, power: float) -> None:
    factor = gamma(power + 1) / gamma(power + 1 - alpha)
    error = off(npde.Caputo(alpha), lambda x: x**power, lambda x: factor * x ** (power - alpha))
    assert error < 1e-10


def test_caputos_derivative_of_a_constant_is_nothing() -> None:
    assert off(npde.Caputo(0.5), lambda x: 3 + 0 * x, lambda x: 0 * x) < 1e-12


def test_an_abel_integral_of_a_power_is_a_power() -> None:
    factor = gamma(0.25) * gamma(3.0) / gamma(3.25)
    assert off(npde.Volterra(power=-0.75), lambda x: x**2, lambda x: factor * x**2.25) < 1e-10


def test_a_kernel_and_an_integrand_are_those_of_the_points_and_nodes() -> None:
    memory = npde.Volterra(
        lambda x, t: x[:, 0] * npde.exp(t[:, 0]), integrand=lambda t, u: t[:, 0] * u.value**2
    )
    assert off(memory, lambda x: torch.exp(-x), lambda x: x * (1 - (1 + x) * torch.exp(-x))) < 1e-12


def test_a_kernel_that_is_singular_or_bent_at_the_point_is_integrated_over_all_of_the_line() -> None:
    whole = npde.Fredholm(power=-0.5)
    assert off(whole, lambda x: 1 + 0 * x, lambda x: 2 * (x.sqrt() + (2 - x).sqrt())) < 1e-10
    bent = npde.Fredholm(lambda x, t: abs(x[:, 0] - t[:, 0]))
    assert off(bent, lambda x: 1 + 0 * x, lambda x: (x**2 + (2 - x) ** 2) / 2) < 1e-12


def solved(
    problem: npde.Problem,
    truth: Callable[[np.ndarray], np.ndarray],
    method: npde.LeastSquares | None = None,
) -> tuple[npde.Solution, float]:
    solution = npde.solve(problem, method=method, progress=False)
    x = problem.domain.sample(200, how="grid").numpy()
    return solution, float(np.linalg.norm(solution(x) - truth(x)) / np.linalg.norm(truth(x)))


def test_an_abel_equation_is_solved_within_its_estimate() -> None:
    memory = npde.Volterra(power=-0.5)
    equation = npde.Equation(lambda x, u: u.value + memory(u) - 1, order=0)
    problem = npde.Problem("abel", LINE, equation)
    solution, error = solved(problem, lambda x: erfcx(np.sqrt(np.pi * x[:, 0])), npde.LeastSquares(1e-4))
    assert solution.status is npde.Status.CONVERGED
    assert error < min(1e-4, 3 * solution.stages[-1].extras["error_estimate"])


@pytest.mark.slow
def test_slow_relaxation_is_mittag_lefflers_function() -> None:
    slow = npde.Caputo(0.5)
    problem = npde.Problem(
        "relaxation",
        npde.Time(0, 2),
        npde.Equation(lambda t, u: slow(u) + u.value, order=0),
        boundary=npde.InitialCondition(1.0),
    )
    assert isinstance(choose_method(problem, None)[0], npde.LeastSquares)
    solution, error = solved(problem, lambda t: erfcx(np.sqrt(t[:, 0])), npde.LeastSquares(1e-4))
    assert error < min(1e-4, 3 * solution.stages[-1].extras["error_estimate"])


@pytest.mark.slow
def test_an_integral_equation_that_is_not_linear_is_solved_by_newton() -> None:
    squares = npde.Volterra(integrand=lambda t, u: u.value**2)
    equation = npde.Equation(lambda x, u: u.value - squares(u) - x[:, 0], order=0)
    problem = npde.Problem("tangent", npde.Interval(0, 1), equation)
    solution, error = solved(problem, lambda x: np.tan(x[:, 0]), npde.Newton(1e-4))
    assert error < min(1e-4, 3 * solution.stages[-1].extras["error_estimate"])


@pytest.mark.slow
def test_a_kernel_finer_than_the_first_rules_is_resolved_or_told() -> None:
    wave = npde.Fredholm(lambda x, t: npde.cos(60 * (x[:, 0] - t[:, 0])))
    problem = npde.Problem(
        "waves", npde.Interval(0, 1), npde.Equation(lambda x, u: u.value - wave(u) - 1, order=0)
    )
    # u = 1 + a cos 60x + b sin 60x: two unknown moments
    c, s = np.sin(60.0) / 60, (1 - np.cos(60.0)) / 60
    cc, ss, cs = 0.5 + np.sin(120.0) / 240, 0.5 - np.sin(120.0) / 240, np.sin(60.0) ** 2 / 120
    a, b = np.linalg.solve(np.eye(2) - np.array([[cc, cs], [cs, ss]]), [c, s])
    solution, error = solved(problem, lambda x: 1 + a * np.cos(60 * x[:, 0]) + b * np.sin(60 * x[:, 0]))
    assert error < 3 * solution.stages[-1].extras["error_estimate"]
    assert error < 1e-5


def test_operators_stand_in_one_component_of_a_system() -> None:
    memory = npde.Volterra(lambda x, t: npde.exp(t[:, 0] - x[:, 0]))
    equation = npde.Equation(
        lambda x, u: [u[0].dt - u[1].value, u[1].value - memory(u[0])], order=1, outputs=2
    )
    problem = npde.Problem(
        "system", npde.Time(0, 1), equation, boundary=npde.InitialCondition(1.0, component=0)
    )
    assert problem.equation.operators == (memory,)
    assert "∫ K(x, t) u(t) dt" in str(problem)


def test_a_memory_does_not_hide_derivatives_from_the_declaration() -> None:
    memory = npde.Volterra()
    equation = npde.Equation(lambda x, u: memory(u) + u.dtt + u.d2(0, 1))
    problem = npde.Problem(
        "wave", npde.Interval(0, 1).over(npde.Time(0, 1)), equation, boundary=npde.InitialCondition(1.0, 0.0)
    )
    assert problem.equation.second_in_time(problem.domain)
    assert problem.mixed == ((0, 1),)


def test_what_reaches_beyond_a_window_is_left_to_others() -> None:
    memory = npde.Volterra()
    problem = npde.Problem(
        "memory",
        npde.Time(0, 1),
        npde.Equation(lambda t, u: u.dt + memory(u), order=1),
        boundary=npde.InitialCondition(1.0),
    )
    reason = npde.TimeMarching().obstacle(problem)
    assert reason is not None
    assert "reaches beyond a window" in reason


def test_an_operator_where_it_means_nothing_is_refused() -> None:
    memory = npde.Volterra()
    with pytest.raises(npde.DeclarationError, match="make it once, outside of the residual"):
        npde.Problem("twice", LINE, npde.Equation(lambda x, u: npde.Volterra(lambda x, t: 1.0)(u)))
    with pytest.raises(npde.DeclarationError, match="in the residual of an Equation"):
        memory(npde.Jet.of(torch.ones(3), dimension=1))
    along = npde.Caputo(0.5, axis="t")
    with pytest.raises(npde.DeclarationError, match=r"axis 't', but .* has the axes x"):
        npde.Problem("axis", LINE, npde.Equation(lambda x, u: along(u)))
    with pytest.raises(npde.DeclarationError, match="for an Interval, a Box or a time"):
        npde.Problem("disk", npde.Disk((0, 0), 1.0), npde.Equation(lambda x, u: memory(u) + u.value))


@pytest.mark.parametrize("alpha", [0.6, 1.5])
@pytest.mark.parametrize("domain", [npde.Interval(-1, 1), npde.Disk((0, 0), 1.0)], ids=["line", "disk"])
def test_a_fractional_laplacian_of_a_bubble_is_constant(alpha: float, domain: npde.Domain) -> None:
    """(−Δ)^s of (1 − |x|²)^s is 4^s Γ(1 + s) Γ(d/2 + s)/Γ(d/2) (Dyda, Kuznetsov and Kwaśnicki, 2017)."""
    spread, s, half = npde.FractionalLaplacian(alpha), alpha / 2, domain.dimension / 2
    problem = npde.Problem("bubble", domain, npde.Equation(lambda x, u: spread(u) + 0 * u.value, order=0))
    (constraint,) = problem.constraints
    samples = constraint.sample(20, how="grid")
    field = (1 - samples.points.square().sum(1)).clamp(min=0) ** s
    values = constraint.residual(samples, npde.Jet(field[None], problem.layout(constraint)))
    exact = 4**s * gamma(1 + s) * gamma(half + s) / gamma(half)
    assert float((values / exact - 1).abs().max()) < 1e-7


def test_functions_of_an_edge_have_their_derivatives() -> None:
    points = torch.tensor([[0.3, -0.4], [1.2, 0.5]], dtype=torch.float64)
    functions = EdgePowers((0.5, 0.1), 1.5, 0.7, 3)
    layout = Layout(2, 2)
    channels = functions.channels(points, layout)

    def values(x: Tensor) -> Tensor:
        return functions.channels(x, Layout(2, 0))[0]

    for axis in range(2):
        step = 1e-5 * torch.eye(2, dtype=torch.float64)[axis]
        first = (values(points + step) - values(points - step)) / 2e-5
        second = (values(points + 10 * step) - 2 * values(points) + values(points - 10 * step)) / 1e-8
        assert torch.allclose(channels[1 + axis], first, atol=1e-8)
        assert torch.allclose(channels[3 + axis], second, atol=1e-5)


@pytest.mark.slow
def test_a_fractional_poisson_problem_on_a_line_is_solved_to_rounding() -> None:
    spread, s = npde.FractionalLaplacian(0.8), 0.4
    factor = 4**s * gamma(2 + s) * gamma(0.5 + s) / gamma(0.5)
    equation = npde.Equation(lambda x, u: spread(u) - factor * (1 - 1.8 * x[:, 0] ** 2), order=0)
    problem = npde.Problem("fractional", npde.Interval(-1, 1), equation, boundary=npde.Dirichlet(0.0))
    solution, error = solved(problem, lambda x: np.maximum(1 - x[:, 0] ** 2, 0) ** 1.4)
    assert solution.status is npde.Status.CONVERGED
    assert error < 1e-9


def test_a_fractional_laplacian_on_a_box_is_refused() -> None:
    spread = npde.FractionalLaplacian(1.0)
    with pytest.raises(npde.DeclarationError, match="for an Interval, a Disk or a Ball"):
        npde.Problem("box", npde.Box((0, 1), (0, 1)), npde.Equation(lambda x, u: spread(u) - 1, order=0))
