"""Integral operators with a kernel along an axis: Volterra's up to a point, and Fredholm's over all of the domain."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from neurapde.core import checks
from neurapde.core.arrays import Array
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import number
from neurapde.domains.base import Domain
from neurapde.domains.box import Box
from neurapde.domains.spacetime import SpaceTime
from neurapde.jets.jet import Jet
from neurapde.operators.base import Operator, Rule, Surroundings
from neurapde.operators.quadrature import one_sided

Kernel = Callable[[Array, Array], Array]
"""Points x (n, d) and t (n, d) to K(x, t) (n,)."""


@dataclass(frozen=True)
class IntegralOperator(Operator):
    """The common part of Volterra and Fredholm operators."""

    kernel: Kernel | float = 1.0
    axis: str | None = None
    power: float = 0.0
    integrand: Callable[..., Any] | None = None

    def __post_init__(self) -> None:
        name = type(self).__name__
        if not callable(self.kernel) or isinstance(self.kernel, type):
            way = "give a function K(x, t) of points, or a finite number"
            checks.number(self.kernel, "kernel", math.isfinite, way, of=name)
        check_axis_name(self.axis, name)
        way = "give a number above −1, such as −0.5 for 1/√(x − t)"
        checks.number(self.power, "power", lambda p: -1 < p <= checks.MOST, way, of=name)
        if self.integrand is not None and (not callable(self.integrand) or isinstance(self.integrand, type)):
            raise DeclarationError(
                f"integrand={checks.shown(self.integrand)} of {name}: give a function of points and a Jet, "
                "lambda t, u: u.value**2, or None for u"
            )

    def check(self, domain: Domain) -> None:
        axis_of(self, self.axis, domain)

    def apply(self, u: Jet, around: Surroundings) -> Tensor:
        values = around.jet.value if self.integrand is None else self.integrand(around.nodes, around.jet)
        if not callable(self.kernel):
            return self.kernel * around.summed(values)
        points = around.points.repeat(len(around.weights), 1)
        kernel = torch.as_tensor(self.kernel(points, around.nodes))
        return around.summed(kernel.reshape(len(kernel), *[1] * (values.ndim - 1)) * values)

    @property
    def _singular(self) -> bool:
        return not float(self.power).is_integer()

    def _kernel_text(self, distance: str) -> str:
        kernel = "K(x, t) " if callable(self.kernel) else f"{number(self.kernel)} "
        return kernel + (f"{distance}^{number(self.power)} " if self.power else "")


@dataclass(frozen=True)
class Volterra(IntegralOperator):
    """∫ₐˣ (x − t)^power K(x, t) u(t) dt along an axis, from its start a: a memory, of an Equation.

        memory = npde.Volterra(lambda x, t: npde.exp(t[:, 0] - x[:, 0]))
        npde.Equation(lambda x, u: u.dt + u.value - memory(u))

    Args:
        kernel: K(x, t) of points x and t (n, d), smooth; or a number.
        axis: by its name; None for time, or the last one.
        power: above −1, of a kernel that is singular where t = x.
        integrand: a function of points and a Jet instead of u, `lambda t, u: u.value**2`.

    The quadrature is Gauss–Jacobi, and grows with the number of functions of the trial. So its error is part of the
    change between two numbers of functions, which gives the error estimate.
    """

    def rule(self, points: Tensor, domain: Domain, count: int) -> Rule:
        axis = axis_of(self, self.axis, domain)
        z, w = one_sided(count, float(self.power), self._singular)
        start = float(domain.bounds[0][axis])
        return along(points, axis, points[:, axis] - start, points[:, axis] - start, z, w, self.power)

    def describe(self) -> str:
        return f"∫ {self._kernel_text('(x − t)')}u(t) dt up to x"

    def starts(self, domain: Domain) -> tuple[int, tuple[float, ...]]:
        powers = products(1 + self.power) if self._singular else ()
        return axis_of(self, self.axis, domain), powers


@dataclass(frozen=True)
class Fredholm(IntegralOperator):
    """∫ |x − t|^power K(x, t) u(t) dt along an axis of a box, over all of it, of an Equation.

        mean = npde.Fredholm(lambda x, t: x[:, 0] * t[:, 0])
        npde.Equation(lambda x, u: u.value - mean(u) - 1, order=0)

    Args:
        kernel: K(x, t) of points x and t (n, d), smooth but at t = x; or a number.
        axis: by its name; None for the first one.
        power: above −1, of a kernel that is singular where t = x.
        integrand: a function of points and a Jet instead of u, `lambda t, u: u.value**2`.
    """

    def rule(self, points: Tensor, domain: Domain, count: int) -> Rule:
        axis = axis_of(self, self.axis, domain, first=True)
        z, w = one_sided(count, float(self.power), self._singular)
        start, stop = (float(end[axis]) for end in domain.bounds)
        before = points[:, axis] - start
        after = stop - points[:, axis]
        rules = [
            along(points, axis, before, before, z, w, self.power),
            along(points, axis, -after, after, z, w, self.power),
        ]
        return Rule(torch.cat([rule.nodes for rule in rules]), torch.cat([rule.weights for rule in rules]))

    def describe(self) -> str:
        return f"∫ {self._kernel_text('|x − t|')}u(t) dt"


def along(points: Tensor, axis: int, offset: Tensor, length: Tensor, z: Any, w: Any, power: float) -> Rule:
    """Nodes on the line from each point back by an offset (n,), which is at z = 0, to the point itself, at z = 1."""
    places, weights = (torch.as_tensor(array).to(points)[:, None] for array in (z, w))
    nodes = points.repeat(len(places), 1, 1)
    nodes[:, :, axis] = nodes[:, :, axis] - (1 - places) * offset
    return Rule(nodes, weights * length.clamp(min=0.0) ** (1 + power))


def products(step: float, most: float = 8.5, count: int = 30) -> tuple[float, ...]:
    """The lowest non-integers i · step + j up to `most`, i and j integers."""
    every = {round(i * step + j, 9) for i in range(1, int(most / step) + 1) for j in range(int(most) + 1)}
    return tuple(sorted(p for p in every if p <= most and abs(p - round(p)) > 1e-6))[:count]


def check_axis_name(axis: Any, what: str) -> None:
    """Refuse an axis that is not a name."""
    if axis is not None and (not isinstance(axis, str) or not axis.strip()):
        raise DeclarationError(f"axis={checks.shown(axis)} of {what}: give its name, such as 't', or None")


def axis_of(operator: Operator, name: str | None, domain: Domain, *, first: bool = False) -> int:
    """The number of an axis by its name: the last one, or the first, for None. Raises: DeclarationError if there is
    none.

    Along an axis of space the domain must be a box, so that all lines along it have the same length.
    """
    names = domain.axes
    if name is not None and name not in names:
        raise DeclarationError(
            f"{operator.describe()} is along the axis {name!r}, but {domain} has the axes {', '.join(names)}; use one of "
            "these"
        )
    axis = names.index(name) if name is not None else 0 if first else len(names) - 1
    time = isinstance(domain, SpaceTime) and axis == len(names) - 1
    if not time and not isinstance(domain.spatial, Box):
        raise DeclarationError(
            f"{operator.describe()} is along the axis {names[axis]!r} of {domain}, and such integrals are for an "
            "Interval, a Box or a time; take one of these"
        )
    return axis
