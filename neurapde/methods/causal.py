"""Causal weights: an evolution is learned from its start on, a later time when the earlier ones are met."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from neurapde.core.errors import DeclarationError
from neurapde.core.vocabulary import Declaration
from neurapde.domains.spacetime import SpaceTime
from neurapde.problem import Problem


@dataclass(frozen=True)
class Causal(Declaration):
    """Weigh the equation's points in window i of the time by exp(−tolerance · Σ_{k<i} L_k), L_k the mean |r|² of window k.

    windows:   into which the time is cut evenly.
    tolerance: ε; the larger it is, the smaller the residuals of all earlier windows before a window counts. Raising it
               through a few solves, 0.01 … 100, is the authors' way where one value does not do.

    The losses of the windows are those of the step before. Points are drawn in all of the time, and the weights say which
    of them count: a window whose weight is above 0.99 in the end has been learned.
    Source: Wang, Sankaranarayanan, Perdikaris (2024), Comput. Methods Appl. Mech. Eng. 421, 116813, equation 10.
    """

    windows: int = 32
    tolerance: float = 1.0

    def __post_init__(self) -> None:
        if isinstance(self.windows, bool) or not isinstance(self.windows, int) or self.windows < 2:
            raise DeclarationError(f"windows={self.windows!r} of Causal: give a whole number of at least 2.")
        if not 0 < self.tolerance < math.inf:
            raise DeclarationError(f"tolerance={self.tolerance!r} of Causal: give a positive, finite number.")

    def check(self, problem: Problem) -> None:
        """Refuse a problem without a time."""
        if not isinstance(problem.domain, SpaceTime):
            raise DeclarationError(
                f"Causal weighs times, but {problem.name} lives on {problem.domain}; use domain.over(Time(0, 1))."
            )

    def weights(self, losses: Tensor) -> Tensor:
        """The weight of each window from the losses (windows,) of all."""
        before = torch.cumsum(losses, 0) - losses
        return torch.exp(-self.tolerance * before)

    def window(self, points: Tensor, problem: Problem) -> Tensor:
        """The window (n,) in which each point (n, d) lies."""
        domain = problem.domain
        assert isinstance(domain, SpaceTime)
        part = (points[:, -1] - domain.time.start) / (domain.time.stop - domain.time.start)
        return (part * self.windows).long().clamp(0, self.windows - 1)

    def losses(self, windows: Tensor, sizes: Tensor, before: Tensor) -> Tensor:
        """The mean of `sizes` (n,) in each window; what it was `before` where no point fell."""
        sums = torch.zeros_like(before).index_add_(0, windows, sizes.to(before.dtype))
        counts = torch.bincount(windows, minlength=self.windows)
        return torch.where(counts > 0, sums / counts.clamp(min=1), before)
