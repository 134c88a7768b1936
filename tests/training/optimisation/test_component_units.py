"""Systems whose components differ very much in size, or in units: each is solved to the digits that it has at size one."""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeAlias

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.training.optimisation.balance import Balance, balance_of
from neurapde.training.optimisation.scales import scales_of
from neurapde.training.run.method import Method

PI = np.pi
Declared: TypeAlias = tuple[npde.Problem, Callable[[Any], list[Any]]]


def reaction(length: float, amount: float, temperature: float, time: float) -> Declared:
    """A concentration that is used up, and the temperature that this gives."""
    diffusivity, rate, heat = length**2 / time, 3 / time, temperature / amount

    def exact(x: Any) -> list[Any]:
        s = x[:, 0] / length
        return [amount * npde.exp(-(3**0.5) * s), temperature * (1 + npde.sin(PI * s))]

    def residual(x: Any, u: Any) -> list[Any]:
        c, t = u[0], u[1]
        made = heat * rate * (c.value - exact(x)[0])
        cooled = 2 * diffusivity * (PI / length) ** 2 * temperature * npde.sin(PI * x[:, 0] / length)
        return [diffusivity * c.laplacian - rate * c.value, 2 * diffusivity * t.laplacian + made + cooled]

    ends = [npde.Dirichlet(lambda x, i=i: exact(x)[i], component=i) for i in (0, 1)]  # type: ignore[misc]
    equation = npde.Equation(residual, outputs=2)
    return npde.Problem("reaction", npde.Interval(0, length), equation, boundary=ends), exact


def second_order(length: float, amount: float, temperature: float, time: float) -> Declared:
    """A reaction of second order: not linear in the component that may be the smaller one."""
    diffusivity = length**2 / time
    rate = 2 / time / amount

    def exact(x: Any) -> list[Any]:
        s = x[:, 0] / length
        return [amount * (1 + s**2), temperature * (1 + npde.sin(PI * s))]

    def residual(x: Any, u: Any) -> list[Any]:
        c, t = u[0], u[1]
        first, second = exact(x)
        known = 2 * diffusivity * amount / length**2 - rate * first**2
        share = amount / temperature / time
        cooled = 2 * diffusivity * (PI / length) ** 2 * temperature * npde.sin(PI * x[:, 0] / length)
        return [
            diffusivity * c.laplacian - rate * c.value**2 - known - share * (t.value - second),
            2 * diffusivity * t.laplacian + cooled,
        ]

    ends = [npde.Dirichlet(lambda x, i=i: exact(x)[i], component=i) for i in (0, 1)]  # type: ignore[misc]
    equation = npde.Equation(residual, outputs=2)
    return npde.Problem("second order", npde.Interval(0, length), equation, boundary=ends), exact


def tube(length: float, pressure: float, velocity: float, time: float) -> Declared:
    """A standing wave of pressure and velocity, as a system of first order."""
    k, impedance = 2 / length, pressure / velocity

    def exact(x: Any) -> list[Any]:
        return [pressure * npde.cos(k * x[:, 0]), velocity * npde.sin(k * x[:, 0])]

    def residual(x: Any, u: Any) -> list[Any]:
        p, v = u[0], u[1]
        return [p.d(0) + k * impedance * v.value, v.d(0) - k / impedance * p.value]

    start = [npde.Dirichlet(size, component=i, on="left") for i, size in enumerate((pressure, 0.0))]
    equation = npde.Equation(residual, order=1, outputs=2)
    return npde.Problem("tube", npde.Interval(0, length), equation, boundary=start), exact


def creeping(length: float, pressure: float, velocity: float, time: float) -> Declared:
    """A viscous flow and its pressure in a square."""
    viscosity, k = pressure * length / velocity, 1 / length

    def exact(x: Any) -> list[Any]:
        s, t = k * x[:, 0], k * x[:, 1]
        across = -velocity * npde.cos(s) * npde.sin(t)
        return [velocity * npde.sin(s) * npde.cos(t), across, pressure * npde.cos(s) * npde.sin(t)]

    def residual(x: Any, u: Any) -> list[Any]:
        s, t = k * x[:, 0], k * x[:, 1]
        first, second, p = (u[i] for i in range(3))
        along, across, _ = exact(x)
        forces = [-pressure * k * npde.sin(s) * npde.sin(t), pressure * k * npde.cos(s) * npde.cos(t)]
        return [
            viscosity * (first.laplacian + 2 * k**2 * along) - p.d(0) + forces[0],
            viscosity * (second.laplacian + 2 * k**2 * across) - p.d(1) + forces[1],
            first.d(0) + second.d(1),
        ]

    walls = [npde.Dirichlet(lambda x, i=i: exact(x)[i], component=i) for i in (0, 1)]  # type: ignore[misc]
    level = npde.Dirichlet(lambda x: exact(x)[2], component=2, on="left")
    equation = npde.Equation(residual, outputs=3)
    domain = npde.Box((0, length), (0, length))
    return npde.Problem("creeping", domain, equation, boundary=[*walls, level]), exact


SIZES = {
    "si": (0.01, 1e5, 1e-3, 100.0),
    "millimetres": (10.0, 1e-7, 1e-6, 1e8),
    "faint": (1e4, 1e-12, 1e9, 1e-3),
}


@cache
def errors(declare: Callable[..., Declared], sizes: tuple[float, ...], method: Method) -> list[float]:
    problem, exact = declare(*sizes)
    solution = npde.solve(problem, method=method, progress=False)
    assert solution.status is npde.Status.CONVERGED
    x = problem.domain.sample(500, how="grid").numpy()
    pairs = zip(solution(x).T, exact(x), strict=True)
    return [float(np.linalg.norm(values - other) / np.linalg.norm(other)) for values, other in pairs]


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize(
    ("declared", "method"),
    [
        (reaction, npde.LeastSquares(tolerance=1e-4)),
        (tube, npde.LeastSquares(tolerance=1e-4)),
        pytest.param(second_order, npde.Newton(tolerance=1e-4), marks=pytest.mark.slow),
        pytest.param(creeping, npde.LeastSquares(tolerance=1e-5), marks=pytest.mark.slow),
    ],
    ids=["reaction", "tube", "second-order", "creeping"],
)
def test_each_component_has_the_digits_that_it_has_at_size_one(
    declared: Callable[..., Declared], method: Method, sizes: tuple[float, ...]
) -> None:
    here, there = errors(declared, (1.0,) * 4, method), errors(declared, sizes, method)
    for error, other in zip(here, there, strict=True):
        assert other < min(2e-4, 2 * error + 1e-8)


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("declared", [reaction, second_order, tube, creeping])
def test_balanced_sizes_change_as_the_components_do(
    declared: Callable[..., Declared], sizes: tuple[float, ...]
) -> None:
    _, first, second, _ = sizes
    here, there = (balance_of(declared(*factors)[0]).sizes for factors in ((1.0,) * 4, sizes))
    expected = np.array([second, second, first] if declared is creeping else [first, second])
    ratio = there / here / expected
    assert ratio / ratio[0] == pytest.approx(1.0, rel=1e-6)


def test_the_error_of_a_field_is_that_of_its_worst_component() -> None:
    balance = Balance(np.array([1e-3, 1e5, 1e5]), np.array([0, 0, 1]))
    field = np.array([[1e-3, 1e5, 0.0]]).repeat(4, axis=0)
    change = np.array([[1e-5, 1e2, 0.0]]).repeat(4, axis=0)
    tensors = [torch.as_tensor(array) for array in (change, field)]
    assert balance.relative(*tensors) == pytest.approx(1e-2)
    assert balance.relative(tensors[0], 1e-3 * tensors[1]) == pytest.approx(10.0)
    nearly_zero = field * [[1e-9, 1.0, 1.0]]
    assert balance.relative(
        torch.as_tensor(change * [[1.0, 0.0, 0.0]]), torch.as_tensor(nearly_zero)
    ) == pytest.approx(1.0)


def trained(declared: Declared, method: Method) -> list[float]:
    problem, exact = declared
    torch.manual_seed(40483)
    solution = npde.solve(problem, npde.MLP(8, 2), method, dtype=torch.float64, seed=19009, progress=False)
    x = problem.domain.sample(300, how="grid").numpy()
    pairs = zip(solution(x).T, exact(x), strict=True)
    return [float(np.linalg.norm(values - other) / np.linalg.norm(other)) for values, other in pairs]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "method",
    [
        npde.NaturalGradient(8, points=40),
        pytest.param(npde.LBFGS(steps=60, points=100), marks=pytest.mark.slow),
        pytest.param(npde.Adam(steps=400, lr=5e-3, points=60), marks=pytest.mark.slow),
    ],
    ids=["natural gradient", "L-BFGS", "Adam"],
)
@pytest.mark.parametrize("declared", [pytest.param(reaction, marks=pytest.mark.slow), tube])
def test_components_of_any_size_are_trained_alike(declared: Callable[..., Declared], method: Method) -> None:
    plain = trained(declared(1.0, 1.0, 1.0, 1.0), method)
    each = [trained(declared(*SIZES[name]), method) for name in ("si", "faint")]
    assert max(max(errors) for errors in each) < max(5 * max(plain), 5e-3)


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
def test_scales_follow_the_units_of_components_and_equations(sizes: tuple[float, ...]) -> None:
    _, pressure, velocity, _ = sizes
    here, there = scales_of(tube(*SIZES["si"])[0]), scales_of(tube(*sizes)[0])
    ratio = np.divide(there.sizes, here.sizes)
    expected = np.divide([pressure, velocity], SIZES["si"][1:3])
    assert ratio == pytest.approx(expected, rel=1e-6)
    shares = [
        np.divide(each, max(each)) for each in (here.residuals["equation"], there.residuals["equation"])
    ]
    moved = shares[1] / shares[0] / (expected / expected.max())
    assert moved / moved[0] == pytest.approx([1.0, 1.0], rel=1e-6)


def test_sizes_that_are_not_those_of_the_components_are_refused() -> None:
    with pytest.raises(npde.DeclarationError, match="the field has 3 components; give one for each"):
        npde.trials.OutputScaling(npde.MLP(4, 1), (1.0, 2.0)).build(
            ((0.0,), (1.0,)), 3, generator=torch.Generator()
        )
