"""Problems with known solutions that benchmarks beside the paper's own are run on."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

import neurapde as npde

VISCOSITY = 0.01 / np.pi
SPEED = 30.0
RATE = 20.0


@dataclass(frozen=True)
class Case:
    """A problem, and points (n, d) with the exact values (n,) there."""

    problem: npde.Problem
    points: NDArray
    truth: NDArray

    def error(self, field) -> float:
        """Relative L2 error at the points."""
        return float(np.linalg.norm(field(self.points) - self.truth) / np.linalg.norm(self.truth))


def _lattice(problem: npde.Problem, count: int) -> NDArray:
    return problem.domain.sample(count, how="grid").numpy()


def manufactured_helmholtz() -> Case:
    """Δu + u = f on [−1, 1]² with u = sin(πx) sin(4πy), zero at the sides by the loss (Wang, Teng, Perdikaris 2021)."""

    def residual(x: torch.Tensor, u: npde.Jet) -> torch.Tensor:
        exact = torch.sin(np.pi * x[:, 0]) * torch.sin(4 * np.pi * x[:, 1])
        return u.laplacian + u.value - (1 - 17 * np.pi**2) * exact

    problem = npde.Problem(
        name="helmholtz-manufactured",
        domain=npde.Box((-1, 1), (-1, 1)),
        equation=npde.Equation(residual),
        boundary=npde.Dirichlet(0.0),
    )
    x = _lattice(problem, 101**2)
    return Case(problem, x, np.sin(np.pi * x[:, 0]) * np.sin(4 * np.pi * x[:, 1]))


def burgers() -> Case:
    """u_t + u u_x = ν u_xx on (−1, 1) × (0, 1), u = −sin(πx) at first, zero at the ends, ν = 0.01/π: a front at x = 0."""

    def residual(x: torch.Tensor, u: npde.Jet) -> torch.Tensor:
        return u.dt + u.value * u.d(0) - VISCOSITY * u.d2(0)

    problem = npde.Problem(
        name="burgers",
        domain=npde.Interval(-1.0, 1.0).over(npde.Time(0.0, 1.0)),
        equation=npde.Equation(residual),
        boundary=[npde.Dirichlet(0.0), npde.InitialCondition(lambda x: -npde.sin(np.pi * x[:, 0]))],
    )
    x = _lattice(problem, 128**2)
    return Case(problem, x, burgers_values(x[:, 0], x[:, 1]))


def burgers_values(x: NDArray, t: NDArray, nodes: int = 200) -> NDArray:
    """The solution at places and times (n,), t > 0, by Cole and Hopf's transformation and Gauss–Hermite quadrature.

    Source: Basdevant et al. (1986), Comput. Fluids 14(1), 23–41, section 2.
    """
    eta, weights = np.polynomial.hermite.hermgauss(nodes)
    y = x[:, None] - np.sqrt(4 * VISCOSITY * t)[:, None] * eta
    exponent = -np.cos(np.pi * y) / (2 * np.pi * VISCOSITY)
    kernel = weights * np.exp(exponent - exponent.max(axis=1, keepdims=True))
    return -(kernel * np.sin(np.pi * y)).sum(1) / kernel.sum(1)


def advection() -> Case:
    """u_t + 30 u_x = 0 on (0, 2π) × (0, 1), periodic, u = sin x at first (Krishnapriyan et al. 2021)."""

    def residual(x: torch.Tensor, u: npde.Jet) -> torch.Tensor:
        return u.dt + SPEED * u.d(0)

    problem = npde.Problem(
        name="advection",
        domain=npde.Interval(0.0, 2 * np.pi).over(npde.Time(0.0, 1.0)),
        equation=npde.Equation(residual, order=1),
        boundary=[npde.Periodic("x"), npde.InitialCondition(lambda x: npde.sin(x[:, 0]))],
    )
    x = _lattice(problem, 128**2)
    return Case(problem, x, np.sin(x[:, 0] - SPEED * x[:, 1]))


def reaction() -> Case:
    """u_t = 20 u (1 − u) on (0, 2π) × (0, 1), u = exp(−8 (x − π)²/π²) at first.

    u = 0 leaves nothing of the equation either, and networks like to find it (Krishnapriyan et al. 2021, with rates up
    to 10, and periodic: nothing travels in x, so that here nothing is asked at the ends).
    """

    def residual(x: torch.Tensor, u: npde.Jet) -> torch.Tensor:
        return u.dt - RATE * u.value * (1 - u.value)

    problem = npde.Problem(
        name="reaction",
        domain=npde.Interval(0.0, 2 * np.pi).over(npde.Time(0.0, 1.0)),
        equation=npde.Equation(residual, order=1),
        boundary=npde.InitialCondition(lambda x: npde.exp(-8 * (x[:, 0] / np.pi - 1) ** 2)),
    )
    x = _lattice(problem, 128**2)
    start, growth = np.exp(-8 * (x[:, 0] / np.pi - 1) ** 2), np.exp(RATE * x[:, 1])
    return Case(problem, x, start * growth / (1 - start + start * growth))
