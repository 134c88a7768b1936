"""Nonlinear ordinary differential equations, each compared with SciPy's integrators at their smallest tolerance."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from scipy.integrate import solve_ivp

from neurapde.conditions import InitialCondition
from neurapde.core.arrays import Array, to_numpy
from neurapde.domains import Time
from neurapde.jets.jet import Jet
from neurapde.problem.equation import Equation
from neurapde.problem.problem import Problem

Rates = Callable[[Sequence[Any]], Sequence[Any]]


def _system(name: str, rates: Rates, start: Sequence[float], stop: float, integrator: str) -> Problem:
    """u′ = rates(u) from a start, as a problem on a Time alone."""

    @lru_cache
    def reference() -> Any:
        solution = solve_ivp(
            lambda t, u: rates(u), (0, stop), start, integrator, dense_output=True, rtol=1e-12, atol=1e-13
        )
        return solution.sol

    def residual(x: Array, u: Jet) -> list[Array]:
        given = rates([u[i].value for i in range(len(start))])
        return [u[i].dt - rate for i, rate in enumerate(given)]

    return Problem(
        name=name,
        domain=Time(0.0, stop),
        equation=Equation(residual, outputs=len(start), order=1),
        boundary=[InitialCondition(value, component=i) for i, value in enumerate(start)],
        exact=lambda x: reference()(to_numpy(x)[:, 0]).T,
    )


def lotka_volterra(*, start: tuple[float, float] = (10.0, 5.0), stop: float = 15.0) -> Problem:
    """Prey grow and are eaten: a′ = 1.1 a − 0.4 a b, b′ = 0.1 a b − 0.4 b.

    start: numbers of prey and predators. stop: the last time.
    """

    def rates(u: Sequence[Any]) -> Sequence[Any]:
        return [1.1 * u[0] - 0.4 * u[0] * u[1], 0.1 * u[0] * u[1] - 0.4 * u[1]]

    return _system("lotka-volterra", rates, start, stop, "DOP853")


def lorenz(
    *, rho: float = 28.0, start: tuple[float, float, float] = (-8.0, 7.0, 27.0), stop: float = 3.0
) -> Problem:
    """Convection in three numbers, chaotic: x′ = 10 (y − x), y′ = x (ρ − z) − y, z′ = xy − 8z/3.

    rho: ρ. start: the three numbers. stop: the last time.
    """

    def rates(u: Sequence[Any]) -> Sequence[Any]:
        x, y, z = u
        return [10 * (y - x), x * (rho - z) - y, x * y - 8 / 3 * z]

    return _system("lorenz", rates, start, stop, "DOP853")


def van_der_pol(*, stiffness: float = 100.0, stop: float = 120.0) -> Problem:
    """An oscillator with slow and fast phases: x′ = y, y′ = μ (1 − x²) y − x from (2, 0).

    stiffness: μ. stop: the last time.
    """

    def rates(u: Sequence[Any]) -> Sequence[Any]:
        return [u[1], stiffness * (1 - u[0] ** 2) * u[1] - u[0]]

    return _system("van-der-pol", rates, (2.0, 0.0), stop, "DOP853")
