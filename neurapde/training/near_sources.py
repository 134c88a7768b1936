"""Points near Gaussian sources, where an equation is sampled more densely and has a larger weight."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import torch
from torch import Tensor

from neurapde.domains.base import Domain
from neurapde.fields.sources import GaussianSource, Source

SAMPLED_DEVIATIONS = 5.0
"""Radius, in standard deviations, of the ball round a Gaussian source in which its extra points are drawn."""
WEIGHTED_DEVIATIONS = 6.0
"""Radius, in standard deviations, where a Gaussian f counts as not zero: up to 1.5e-8 of its peak."""


@dataclass(frozen=True)
class NearSources:
    """The Gaussian sources of each right-hand side, in a domain."""

    domain: Domain
    sources: tuple[tuple[GaussianSource, ...], ...]

    @classmethod
    def of(cls, domain: Domain, right_hand_sides: Iterable[Iterable[Source]]) -> Self:
        """Those among the sources of right-hand sides that are Gaussian."""
        return cls(
            domain,
            tuple(
                tuple(source for source in side if isinstance(source, GaussianSource))
                for side in right_hand_sides
            ),
        )

    def __bool__(self) -> bool:
        return any(self.sources)

    @cached_property
    def _placed(self) -> dict[tuple[torch.dtype, torch.device], dict[GaussianSource, Tensor]]:
        """Centres of the sources, by the device on which they were needed."""
        return {}

    def centers(self, like: Tensor) -> dict[GaussianSource, Tensor]:
        """The centre `(d,)` of each Gaussian source, copied to the device of `like` the first time only."""
        key = like.dtype, like.device
        if key not in self._placed:
            every = dict.fromkeys(source for side in self.sources for source in side)
            self._placed[key] = {
                source: torch.as_tensor(source.at, dtype=like.dtype, device=like.device) for source in every
            }
        return self._placed[key]

    def joined(self, points: Tensor, count: int, generator: torch.Generator) -> Tensor:
        """Points `(n, d)` and `count` more near each source."""
        extra = [self._around(source, points, count, generator) for source in self.centers(points)]
        return torch.cat([points, *extra])

    def _around(self, source: GaussianSource, like: Tensor, count: int, generator: torch.Generator) -> Tensor:
        """Points uniform in the ball around a source; its centre for those outside the domain."""
        d, center = like.shape[1], self.centers(like)[source]
        normal = torch.empty(count, d, dtype=like.dtype, device=generator.device)
        direction = torch.nn.functional.normalize(normal.normal_(generator=generator), dim=1)
        unit = torch.empty(count, 1, dtype=like.dtype, device=generator.device).uniform_(generator=generator)
        radius = SAMPLED_DEVIATIONS * math.sqrt(source.variance) * unit ** (1 / d)
        drawn = center + (radius * direction).to(like.device)
        return torch.where(self.domain.contains(drawn)[:, None], drawn, center)

    def at(self, points: Tensor) -> Tensor:
        """The points at which the sources of each right-hand side act: bool `(n, sides)`."""
        centers, columns = self.centers(points), []
        for side in self.sources:
            near = torch.zeros(len(points), dtype=torch.bool, device=points.device)
            for source in side:
                squares = (points - centers[source]).square().sum(1)
                near |= squares <= WEIGHTED_DEVIATIONS**2 * source.variance
            columns.append(near)
        return torch.stack(columns, dim=1)

    def weights(self, points: Tensor, weight: float) -> Tensor:
        """`(n,)`, or `(n, sides)` of several right-hand sides: the weight at their sources, 1 elsewhere."""
        weights = torch.where(self.at(points), weight, 1.0).to(points.dtype)
        return weights[:, 0] if weights.shape[1] == 1 else weights
