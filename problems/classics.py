"""Classic boundary-value problems and a cooling rod, each with its exact field."""

import math

import numpy as np
from scipy.optimize import brentq

from neurapde.conditions import Dirichlet, InitialCondition
from neurapde.core.arrays import Array, cos, exp, log, sin, to_numpy
from neurapde.core.errors import DeclarationError
from neurapde.domains import Box, Interval, Time
from neurapde.jets.jet import Jet
from neurapde.problem.equation import Equation
from neurapde.problem.problem import Problem

FOLD = 3.5138307
"""The largest λ for which Bratu's problem has a solution."""


def heat(*, diffusivity: float = 0.1, stop: float = 1.0) -> Problem:
    """u_t = a u_xx on a rod whose ends are kept at 0, from sin πx + sin 3πx / 2.

    diffusivity: a. stop: the last time.
    """

    def exact(x: Array) -> Array:
        s, t = math.pi * x[:, 0], diffusivity * math.pi**2 * x[:, 1]
        return sin(s) * exp(-t) + sin(3 * s) * exp(-9 * t) / 2

    return Problem(
        name="heat",
        domain=Interval(0.0, 1.0).over(Time(0.0, stop)),
        equation=Equation(lambda x, u: u.dt - diffusivity * u.d2(0)),
        boundary=[
            Dirichlet(0.0),
            InitialCondition(lambda x: sin(math.pi * x[:, 0]) + sin(3 * math.pi * x[:, 0]) / 2),
        ],
        exact=exact,
    )


def boundary_layer(*, diffusivity: float = 0.01) -> Problem:
    """u′ = a u″ + 1 between walls at 0: the field has a layer of width a before the second wall.

    diffusivity: a, positive.
    """

    def exact(x: Array) -> Array:
        return x[:, 0] - (exp((x[:, 0] - 1) / diffusivity) - math.exp(-1 / diffusivity)) / (
            1 - math.exp(-1 / diffusivity)
        )

    return Problem(
        name="boundary-layer",
        domain=Interval(0.0, 1.0),
        equation=Equation(lambda x, u: u.d(0) - diffusivity * u.d2(0) - 1.0),
        boundary=Dirichlet(0.0),
        exact=exact,
    )


def bratu(*, strength: float = 3.0) -> Problem:
    """u″ + λ e^u = 0 between walls at 0, on the lower of its two branches: u = −2 log(cosh((x − ½) θ/2) / cosh(θ/4)).

    strength: λ, below 3.5138; above it there is no solution.
    """
    if not 0 < strength < FOLD:
        raise DeclarationError(
            f"strength={strength} of bratu: give λ between 0 and {FOLD}, where its branches meet"
        )
    theta = float(
        brentq(lambda theta: theta - math.sqrt(2 * strength) * math.cosh(theta / 4), 0.0, 4.7987, xtol=1e-15)
    )

    def cosh(x: Array) -> Array:
        return (exp(x) + exp(-x)) / 2

    return Problem(
        name="bratu",
        domain=Interval(0.0, 1.0),
        equation=Equation(lambda x, u: u.d2(0) + strength * exp(u.value)),
        boundary=Dirichlet(0.0),
        exact=lambda x: -2 * log(cosh((x[:, 0] - 0.5) * theta / 2) / math.cosh(theta / 4)),
    )


def kovasznay(*, reynolds: float = 20.0) -> Problem:
    """A steady flow behind a grid (Kovasznay 1948): velocities u and v and a pressure p, given at the sides.

    reynolds: number of the flow, of the grid's spacing.
    """
    rate = reynolds / 2 - math.hypot(reynolds / 2, 2 * math.pi)

    def along(x: Array) -> Array:
        return 1 - exp(rate * x[:, 0]) * cos(2 * math.pi * x[:, 1])

    def across(x: Array) -> Array:
        return rate / (2 * math.pi) * exp(rate * x[:, 0]) * sin(2 * math.pi * x[:, 1])

    def pressure(x: Array) -> Array:
        return (1 - exp(2 * rate * x[:, 0])) / 2

    def residual(x: Array, u: Jet) -> list[Array]:
        p = u[2]
        moved = [u[0].value * u[k].d(0) + u[1].value * u[k].d(1) for k in range(2)]
        forces = [moved[k] + p.d(k) - (u[k].d2(0) + u[k].d2(1)) / reynolds for k in range(2)]
        return [*forces, u[0].d(0) + u[1].d(1)]

    fields = along, across, pressure
    return Problem(
        name="kovasznay",
        domain=Box((-0.5, 0.5), (-0.5, 0.5)),
        equation=Equation(residual, outputs=3),
        boundary=[Dirichlet(field, component=i) for i, field in enumerate(fields)],
        exact=lambda x: np.stack([field(to_numpy(x)) for field in fields], axis=1),
    )
