"""Weights of the constraints' losses that are found while training, so that no constraint is lost beside another."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from neurapde.core.errors import DeclarationError
from neurapde.core.vocabulary import Declaration


class Weighting(Declaration, ABC):
    """Factors of the losses, one for each constraint, all 1 at first."""

    @abstractmethod
    def due(self, step: int) -> bool:
        """Whether the factors are to be found anew in this step, from each constraint's gradient alone."""

    @abstractmethod
    def balanced(self, factors: Tensor, gradients: Sequence[Sequence[Tensor]]) -> Tensor:
        """New factors (constraints,) from the present ones and each constraint's unweighted gradient."""


@dataclass(frozen=True)
class GradientNorm(Weighting):
    """Every constraint pulls equally hard: factors in inverse proportion to the norms of the losses' gradients.

    Every `every` steps the factor of constraint i is led to Σ_j ‖∇L_j‖ / ‖∇L_i‖, keeping the part `memory` of what it was.
    A step in which the factors are found costs the same as any other.

    Source: Wang, Teng, Perdikaris (2021), SIAM J. Sci. Comput. 43(5), A3055; with norms in the place of its largest and mean
    entries as in Wang, Sankaranarayanan, Wang, Perdikaris (2023), arXiv:2308.08468, algorithm 1.
    """

    every: int = 100
    memory: float = 0.9

    def __post_init__(self) -> None:
        if isinstance(self.every, bool) or not isinstance(self.every, int) or self.every < 1:
            raise DeclarationError(
                f"every={self.every!r} of GradientNorm: give a whole number of at least 1."
            )
        if not 0 <= self.memory < 1:
            raise DeclarationError(f"memory={self.memory!r} of GradientNorm: it must lie in 0 … 1, say 0.9.")

    def due(self, step: int) -> bool:
        return step % self.every == 0

    def balanced(self, factors: Tensor, gradients: Sequence[Sequence[Tensor]]) -> Tensor:
        norms = torch.stack([torch.stack(torch._foreach_norm(list(parts))).norm() for parts in gradients])
        wanted = norms.sum() / norms
        kept = self.memory * factors + (1 - self.memory) * wanted
        return torch.where(torch.isfinite(wanted), kept, factors)
