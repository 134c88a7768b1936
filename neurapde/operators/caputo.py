"""Caputo's fractional derivative along an axis, from the values of the field alone."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from neurapde.core import checks
from neurapde.domains.base import Domain
from neurapde.jets.jet import Jet
from neurapde.operators.base import Operator, Rule, Surroundings
from neurapde.operators.integrals import along, axis_of, check_axis_name, products
from neurapde.operators.quadrature import one_sided

AT_START = 1e-12
"""Fraction of an axis that counts as its start, where the derivative of a smooth field is 0."""


@dataclass(frozen=True)
class Caputo(Operator):
    """Caputo's derivative of fractional order along an axis, 1/Γ(m − α) ∫ₐᵗ (t − s)^(m−1−α) u⁽ᵐ⁾(s) ds, of an Equation.

        slow = npde.Caputo(0.5)
        npde.Equation(lambda x, u: slow(u) - u.d2(0))

    Args:
        alpha: α, between 0 and 1 (m = 1), which needs an initial value, or between 1 and 2 (m = 2), which needs a
        slope too.
        axis: by its name; None for time, or the last one.

    Integration by parts gives [(v(t) − v(a))/h^β + β ∫ (v(t) − v(s))/(t − s)^(1+β) ds]/Γ(1 − β) with h = t − a, with v
    = u and β = α, or v = ∂u/∂t and β = α − 1. The quadrature is Gauss–Jacobi at t, and has panels that shrink towards
    a, where u starts as a power.
    Source: Diethelm (2010), The Analysis of Fractional Differential Equations, section 3.
    """

    alpha: float
    axis: str | None = None

    def __post_init__(self) -> None:
        way = "give a number between 0 and 1, or between 1 and 2; of whole orders use u.dt, u.d(0), u.dtt, u.d2(0)"
        checks.number(self.alpha, "alpha", lambda a: 0 < a < 1 or 1 < a < 2, way, of="Caputo")
        check_axis_name(self.axis, "Caputo")

    @property
    def order(self) -> int:
        return 1 if self.alpha > 1 else 0

    def check(self, domain: Domain) -> None:
        axis_of(self, self.axis, domain)

    def rule(self, points: Tensor, domain: Domain, count: int) -> Rule:
        beta = self.alpha - self.order
        axis = axis_of(self, self.axis, domain)
        low, high = (float(end[axis]) for end in domain.bounds)
        elapsed = points[:, axis] - low
        z, w = one_sided(count, -beta, True)
        rule = along(points, axis, elapsed, elapsed, z, w / (1 - z), 0.0)
        begun = elapsed > AT_START * (high - low)
        scale = torch.where(begun, elapsed, 1.0) ** -beta / math.gamma(1 - beta) * begun
        weights = beta * torch.as_tensor(w / (1 - z)).to(points)[:, None] * scale
        start = points.clone()
        start[:, axis] = low
        return Rule(torch.cat([rule.nodes, start[None]]), torch.cat([weights, scale[None]]))

    def apply(self, u: Jet, around: Surroundings) -> Tensor:
        axis = self._axis(around)
        here, there = (jet.d(axis) if self.order else jet.value for jet in (u, around.jet))
        return around.summed(here.repeat(len(around.weights), *[1] * (here.ndim - 1)) - there)

    def _axis(self, around: Surroundings) -> int:
        """The axis of its nodes: the one along which they differ from the points."""
        apart = around.nodes.reshape(-1, *around.points.shape) - around.points
        return int(apart.abs().amax((0, 1)).argmax())

    def starts(self, domain: Domain) -> tuple[int, tuple[float, ...]]:
        return axis_of(self, self.axis, domain), products(self.alpha)

    def describe(self) -> str:
        return f"Caputo's derivative of order {self.alpha:g}"
