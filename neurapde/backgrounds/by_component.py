"""A field of several components, each of them known by itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import torch
from torch import Tensor

from neurapde.backgrounds.lift import Lift
from neurapde.backgrounds.waves import Background
from neurapde.core.formatting import listing
from neurapde.jets.jet import Jet


@dataclass(frozen=True)
class ByComponent(Background):
    """The fields `parts`, of one component each, side by side."""

    parts: tuple[Background, ...]

    def jet(self, points: Tensor, order: int = 2, mixed: Sequence[tuple[int, ...]] = ()) -> Jet:
        jets = [part.jet(points, order, mixed) for part in self.parts]
        kind = reduce(torch.promote_types, (jet.channels.dtype for jet in jets))
        return Jet(torch.stack([jet.channels.to(kind) for jet in jets], dim=-1), jets[0].layout)

    @property
    def complex(self) -> bool:
        """Whether one of the fields is complex."""
        return any(isinstance(part, Lift) and part.complex for part in self.parts)

    def describe(self) -> str:
        return listing(f"u[{i}]: {part.describe()}" for i, part in enumerate(self.parts))
