"""Weights that are found during training: of the constraints, so that none is neglected, and of single points.

A `Weighting` is the user's declaration for the constraints; `PointWeights` is one run of a declaration for points.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from neurapde.core import checks
from neurapde.core.declaration import Declaration
from neurapde.training.objective import Batch


class Weighting(Declaration, ABC):
    """Factors of the losses, one for each constraint, all 1 at first."""

    @abstractmethod
    def due(self, step: int) -> bool:
        """Whether this step computes new factors, from each constraint's separate gradient."""

    @abstractmethod
    def balanced(self, factors: Tensor, gradients: Sequence[Sequence[Tensor]]) -> Tensor:
        """New factors (constraints,) from the present ones and each constraint's unweighted gradient."""


@dataclass(frozen=True)
class GradientNorm(Weighting):
    """Balance the constraints: factors in inverse proportion to the norms of the losses' gradients.

    Every `every` steps the factor of constraint i moves towards Σ_j ‖∇L_j‖ / ‖∇L_i‖, and keeps the fraction `memory`
    of its value. A step that computes the factors costs the same as any other.

    Source: Wang, Teng, Perdikaris (2021), SIAM J. Sci. Comput. 43(5), A3055; with norms instead of its largest and
    mean entries, as in Wang, Sankaranarayanan, Wang, Perdikaris (2023), arXiv:2308.08468, algorithm 1.
    """

    every: int = 100
    memory: float = 0.9

    def __post_init__(self) -> None:
        checks.whole(self.every, "every", of="GradientNorm")
        way = "it must lie in 0 … 1, for example 0.9"
        checks.number(self.memory, "memory", lambda x: 0 <= x < 1, way, of="GradientNorm")

    def due(self, step: int) -> bool:
        return step % self.every == 0

    def balanced(self, factors: Tensor, gradients: Sequence[Sequence[Tensor]]) -> Tensor:
        norms = torch.stack([torch.stack(torch._foreach_norm(list(parts))).norm() for parts in gradients])
        wanted = norms.sum() / norms
        smoothed = self.memory * factors + (1 - self.memory) * wanted
        return torch.where(torch.isfinite(wanted), smoothed, factors)


class PointWeights(ABC):
    """Weights of points that follow from their residuals, with the data for a checkpoint."""

    @abstractmethod
    def weighed(self, batch: Batch) -> Batch:
        """A batch with its points' weights times those of this step."""

    @abstractmethod
    def see(self, batch: Batch, residual: Tensor, factor: Tensor) -> None:
        """Use the residual `(n,)` or `(n, c)` at a batch; factor: the weight of its constraint."""

    @abstractmethod
    def end_step(self) -> None:
        """End the step after all constraints."""

    def extras(self) -> dict[str, float | int | str]:
        """The weights for a solution's record."""
        return {}

    @abstractmethod
    def tensors(self) -> dict[str, Tensor]:
        """What a checkpoint must hold."""

    @abstractmethod
    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """What a checkpoint held."""
