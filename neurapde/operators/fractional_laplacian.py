"""The fractional Laplacian of fields that are zero outside an interval, a disk or a ball, by rays from each point."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.domains.base import Domain
from neurapde.domains.box import Box
from neurapde.domains.disk import Ball
from neurapde.jets.jet import Jet
from neurapde.operators.base import Operator, Rule, Surroundings
from neurapde.operators.quadrature import one_sided

AT_SIDE = 1e-9
"""Fraction of the radius: smallest distance of points from the boundary, where the operator is unbounded."""


@dataclass(frozen=True)
class FractionalLaplacian(Operator):
    """(−Δ)^(α/2) u in space, of an Equation whose field is zero outside of an Interval, Disk or Ball: give `Dirichlet(0.0)`.

        spread = npde.FractionalLaplacian(1.5)
        npde.Equation(lambda x, u: spread(u) - 1, order=0)

    Args:
        alpha: α, between 0 and 2, where it is −Δ.

    It is an integral along rays of (2 u(x) − u(x + rθ) − u(x − rθ)) r^(−1−α): Gauss–Jacobi quadrature for r up to the
    nearer side, a rule in log r from there to the other, on panels that shrink towards both, and closed forms beyond.
    The trial has functions that vary as the distance to the boundary to the power α/2, like solutions for smooth data.
    Source: Lischke and others (2020), What is the fractional Laplacian?, J. Comput. Phys. 404, 109009, section 2.
    """

    alpha: float

    def __post_init__(self) -> None:
        way = "give a number between 0 and 2; of order 2 use u.laplacian"
        checks.number(self.alpha, "alpha", lambda a: 0 < a < 2, way, of="FractionalLaplacian")

    def check(self, domain: Domain) -> None:
        ball_of(domain, self.describe())

    def edge(self) -> float:
        return self.alpha / 2

    def rule(self, points: Tensor, domain: Domain, count: int) -> Rule:
        center, radius = ball_of(domain, self.describe())
        place = (points[:, : len(center)] - points.new_tensor(center)) / radius
        every = [self._ray(place, *ray, count) for ray in _directions(len(center), count)]
        factor = self._factor(len(center)) * radius**-self.alpha
        offsets = torch.cat([offset for offset, _, _ in every])
        nodes = points.repeat(len(offsets), 1, 1)
        nodes[:, :, : len(center)] += radius * offsets
        weights = factor * torch.cat([weight for _, weight, _ in every])
        return Rule(nodes, weights, factor * torch.stack([beyond for _, _, beyond in every]).sum(0))

    def _ray(
        self, place: Tensor, direction: np.ndarray, share: float, count: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Along both ways of a ray in the unit ball: offsets (m, n, d), weights (m, n), and the factor of u(x) for the
        part beyond (n,)."""
        theta = place.new_tensor(direction)
        ahead = place @ theta
        half = (ahead**2 + (1 - place.square().sum(1)).clamp(min=0)).sqrt()
        forth, back = (half - ahead).clamp(min=AT_SIDE), (half + ahead).clamp(min=AT_SIDE)
        near, far = torch.minimum(forth, back), torch.maximum(forth, back)
        sign = torch.where(forth >= back, 1.0, -1.0).to(place)
        z, w = (place.new_tensor(array)[:, None] for array in one_sided(count, 1 - self.alpha, True))
        r = near * (1 - z)
        weight = w / (1 - z) ** 2 * near**-self.alpha
        z, w = (place.new_tensor(array)[:, None] for array in one_sided(count, 0.0, True))
        span = torch.log(far / near)
        further = near * torch.exp(span * (1 - z))
        rest = w * span * further**-self.alpha
        offsets = [step[:, :, None] * theta for step in (r, -r, sign * further)]
        beyond = (near**-self.alpha + far**-self.alpha) / self.alpha
        return torch.cat(offsets), share * torch.cat([weight, weight, rest]), share * beyond

    def _factor(self, axes: int) -> float:
        """The factor of the integral of the second difference over half of all directions."""
        s = self.alpha / 2
        return 4**s * math.gamma(axes / 2 + s) / math.pi ** (axes / 2) / abs(math.gamma(-s))

    def apply(self, u: Jet, around: Surroundings) -> Tensor:
        here, there = u.value, around.jet.value
        assert around.own is not None
        own = around.own.reshape(-1, *[1] * (here.ndim - 1))
        apart = here.repeat(len(around.weights), *[1] * (here.ndim - 1)) - there
        return around.summed(apart) + own * here

    def describe(self) -> str:
        return f"(−Δ)^{self.alpha / 2:g} u, with u = 0 outside"


def ball_of(domain: Domain, what: str) -> tuple[tuple[float, ...], float]:
    """The centre and the radius of an Interval, a Disk or a Ball. Raises: DeclarationError for anything else."""
    space = domain.spatial
    if isinstance(space, Box) and space.dimension == 1:
        low, high = (float(end[0]) for end in space.bounds)
        return ((low + high) / 2,), (high - low) / 2
    if isinstance(space, Ball) and space.dimension <= 3:
        return tuple(float(x) for x in space.center), float(space.radius)
    raise DeclarationError(
        f"{what} is for an Interval, a Disk or a Ball, but the domain is {space}; take one of these"
    )


def _directions(axes: int, count: int) -> list[tuple[np.ndarray, float]]:
    """Directions over half of a sphere, with their shares of its measure."""
    if axes == 1:
        return [(np.ones(1), 1.0)]
    angles = np.pi * (np.arange(count) + 0.5) / count
    if axes == 2:
        return [(np.array([np.cos(a), np.sin(a)]), np.pi / count) for a in angles]
    heights, shares = np.polynomial.legendre.leggauss(count)
    return [
        (np.array([*((1 - h**2) ** 0.5 * np.array([np.cos(a), np.sin(a)])), h]), share * np.pi / count)
        for h, share in zip(heights, shares, strict=True)
        for a in angles
    ]
