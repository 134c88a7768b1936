"""Augmentation: new fields for the data set, made by random changes of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from neurapde.core import checks
from neurapde.core.declaration import Declaration
from neurapde.core.errors import DeclarationError
from neurapde.domains.base import Domain

if TYPE_CHECKING:
    from neurapde.learning.batches import PointSets


@dataclass(frozen=True)
class Augmentation(Declaration):
    """Random changes of each field of a batch before its points are drawn; none by default.

    mirror: axes along which every other field is mirrored about the middle of the domain.
    shift:  along each axis, in units of the coordinates: fields are shifted by this much to either side or not at all,
            each in a third of the cases. Parts outside the domain are lost. For fields on a grid give its spacing.
    gain:   largest relative change of the values about their mean, uniform.
    offset: largest change of the values, in their standard deviations, uniform.
    """

    mirror: Sequence[int] = ()
    shift: Sequence[float] = ()
    gain: float = 0.0
    offset: float = 0.0

    def __post_init__(self) -> None:
        for name in ("mirror", "shift"):
            if not isinstance(getattr(self, name), list | tuple):
                raise DeclarationError(
                    f"{name}={checks.shown(getattr(self, name))}: give a list, () for none"
                )
        for axis in self.mirror:
            checks.whole(axis, "mirror", 0)
        for name, value in (
            ("gain", self.gain),
            ("offset", self.offset),
            *(("shift", s) for s in self.shift),
        ):
            checks.number(value, name, lambda x: x >= 0, "give a finite number, not negative")

    def check(self, domain: Domain) -> None:
        """Refuse axes that the domain does not have."""
        if max(self.mirror, default=0) >= domain.dimension or len(self.shift) not in (0, domain.dimension):
            raise DeclarationError(
                f"mirror={tuple(self.mirror)}, shift={tuple(self.shift)}: {domain} has {domain.dimension} axes; name axes "
                "from 0 on, and give a shift for each"
            )

    def of(self, sets: PointSets, domain: Domain, generator: torch.Generator) -> PointSets:
        """Sets with normal values, changed."""
        fields = len(sets.points)

        def uniform(*shape: int) -> Tensor:
            drawn = torch.rand(fields, *shape, generator=generator, device=generator.device)
            return drawn.to(sets.points) * 2 - 1

        points, values, present = sets.points, sets.values, sets.present
        lower, upper = (torch.as_tensor(corner).to(points) for corner in domain.bounds)
        if self.mirror:
            points = points.clone()
        for axis in self.mirror:
            turned = lower[axis] + upper[axis] - points[..., axis]
            points[..., axis] = torch.where(uniform(1) > 0, turned, points[..., axis])
        if any(self.shift):
            steps = (1.5 * uniform(1, len(self.shift))).round()
            points = points + steps * torch.as_tensor(self.shift).to(points)
            room = 1e-6 * (upper - lower)
            inside = ((points >= lower - room) & (points <= upper + room)).all(-1)
            present = present * inside.to(present)
        if self.gain or self.offset:
            values = values * (1 + self.gain * uniform(1, 1)) + self.offset * uniform(1, 1)
        return type(sets)(points, values, present)
