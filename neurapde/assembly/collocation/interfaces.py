"""Interfaces between parts of a domain: points on the edges of regions, their two sides, and the jumps of a field."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from neurapde.conditions import beside
from neurapde.domains import Domain
from neurapde.problem.equation import Transmission
from neurapde.trials.base import TrialFunction

SIDESTEP = 1e-7
"""Of a region's thinnest side: how far from its edge the two sides are looked up."""
ROUNDING = 1e-14
"""Of the domain's size: the least such step."""


@dataclass(frozen=True)
class Interface:
    """Points of a region's edge inside the domain, the region's outward normals there, and the points' two sides.

    points, normals: `(n, d)`. ends: just inside the region and just outside, `(n, d)` each.
    """

    points: Tensor
    normals: Tensor
    ends: tuple[Tensor, Tensor]

    def flux(self, transmission: Transmission, slopes: Tensor, side: int, rows: Tensor) -> Tensor:
        """a ∂u/∂n of the points `rows` on a side from the derivatives along the axes (d, m, …): (m, …)."""
        normals, a = self.normals[rows], transmission.flux(self.ends[side][rows])
        slope = sum(beside(normals[:, i], slope) * slope for i, slope in enumerate(slopes))
        assert isinstance(slope, Tensor)
        return beside(a, slope) * slope

    def jumps(self, transmission: Transmission, field: TrialFunction) -> tuple[Tensor, Tensor]:
        """[u] and [a ∂u/∂n] of a field, inside minus outside, (n,) or (n, outputs)."""
        every = torch.arange(len(self.points), device=self.points.device)
        values, fluxes = [], []
        for side, end in enumerate(self.ends):
            with torch.no_grad():
                jet = field.jet(end, 1)
            slopes = torch.stack([jet.d(i) for i in range(jet.dimension)])
            values.append(jet.value)
            fluxes.append(self.flux(transmission, slopes, side, every))
        return values[0] - values[1], fluxes[0] - fluxes[1]


def interfaces(
    domain: Domain, transmission: Transmission, count: int, generator: torch.Generator, device: torch.device
) -> Iterator[Interface]:
    """The edge of every region, with `count` points each or a few more, without those outside the domain."""
    size = max(domain.extents)
    for region in transmission.regions:
        edge = region.sample_boundary(
            count, how="sobol", generator=generator, dtype=torch.float64, device=device
        )
        thinnest = float(np.min(np.subtract(*region.bounds[::-1])))
        step = max(SIDESTEP * thinnest, ROUNDING * size) * edge.normals
        inside = torch.as_tensor(domain.contains(edge.points + 10 * step))
        inside &= torch.as_tensor(domain.contains(edge.points - 10 * step))
        points, step = edge.points[inside], step[inside]
        yield Interface(points, edge.normals[inside], (points - step, points + step))
