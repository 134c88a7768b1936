"""One trial function for each part of a domain: fields with kinks or jumps where a coefficient jumps."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from neurapde.core.declaration import Declaration
from neurapde.core.errors import DeclarationError
from neurapde.domains.base import Domain
from neurapde.jets.jet import Jet, Layout
from neurapde.trials.base import Setting, Trial, TrialFunction


@dataclass(frozen=True)
class Part(Declaration):
    """The region of one trial function: inside every region of `within` and outside every one of `outside`."""

    within: tuple[Domain, ...]
    outside: tuple[Domain, ...]
    trial: Trial

    def contains(self, points: Tensor) -> Tensor:
        """Which points (n, d) lie in this part, (n,)."""
        inside = torch.ones(len(points), dtype=torch.bool, device=points.device)
        for region in self.within:
            inside = inside & region.contains(points)
        for region in self.outside:
            inside = inside & ~region.contains(points)
        return inside


@dataclass(frozen=True)
class PiecewiseTrial(Trial):
    """Parts that cover the domain, each with its own trial; on a shared edge the first one counts."""

    parts: tuple[Part, ...]

    default_dtype: ClassVar[torch.dtype] = torch.float64

    def __post_init__(self) -> None:
        if not self.parts:
            raise DeclarationError("PiecewiseTrial() has no parts; give at least one")

    def draw(self, setting: Setting) -> "PiecewiseFunction":
        return PiecewiseFunction(self, [part.trial.draw(setting) for part in self.parts])

    def describe(self) -> str:
        trials = [part.trial for part in self.parts]
        return trials[0].describe() if len(trials) == 1 else trials[0].describe_parts(trials)


class PiecewiseFunction(TrialFunction):
    """Evaluates each point in its own part."""

    def __init__(self, spec: PiecewiseTrial, trials: Sequence[TrialFunction]) -> None:
        super().__init__(spec, trials[0].dimension, trials[0].outputs, trials[0].complex)
        self.parts = spec.parts
        self.trials = nn.ModuleList(trials)

    def part_of(self, points: Tensor) -> Tensor:
        """The number of the part of each point (n, d): (n,); the last for points in none."""
        number = torch.full((len(points),), len(self.parts) - 1, device=points.device)
        for index in reversed(range(len(self.parts))):
            number[self.parts[index].contains(points)] = index
        return number

    def jet(self, points: Tensor, order: int = 2, mixed: Sequence[tuple[int, ...]] = ()) -> Jet:
        points = self.inputs(points)
        layout = Layout(self.dimension, order, tuple(mixed))
        number = self.part_of(points)
        shape = layout.shape(len(points), self.outputs)
        dtype = points.dtype.to_complex() if self.complex else points.dtype
        channels = torch.zeros(shape, dtype=dtype, device=points.device)
        for index, trial in enumerate(self.trials):
            chosen = torch.nonzero(number == index).squeeze(1)
            if len(chosen):
                local = trial.jet(points[chosen], order, mixed).channels  # type: ignore[operator]
                channels = channels.index_copy(1, chosen, local)
        return Jet(channels, layout)
