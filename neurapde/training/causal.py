"""Causal weights: an evolution is learned from its start on, a later time after the earlier ones.

A `Causal` is the user's declaration; a `Waiting` is one run of it, with the losses of the windows of time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from neurapde.conditions.constraints import Face
from neurapde.core import checks
from neurapde.core.declaration import Declaration
from neurapde.core.errors import DeclarationError
from neurapde.domains.spacetime import INITIAL, SpaceTime
from neurapde.problem.problem import Problem
from neurapde.training.objective import Batch, Objective
from neurapde.training.weighting import PointWeights

LEARNED = 0.99
"""Weight of the last window above which the whole time counts as learned."""


@dataclass(frozen=True)
class Causal(Declaration):
    """Weight the equation's points in window i of the time by exp(−ε (L_0 + Σ_{k<i} L_k)).

    L_k is the mean |r|² of window k, L_0 that of the initial conditions, each times its own weight.

    windows:   number of equal parts of the time.
    tolerance: ε, or several that rise: the next one is taken when the weight of the last window is above 0.99. The
               larger ε is, the smaller all earlier losses must be before a window counts; the weights change where ε ·
               L_k is about 1.

    The losses are those of the previous step. Points are drawn in the whole time, and the weights say which of them
    count. Measured on u_t = 20 u (1 − u), two seeds, 2000 steps of Adam: the errors are 0.04 and 0.33, and 0.98 with
    all times at once, the false solution u = 0. It did not help on a wave that crosses the domain nearly five times,
    u_t + 30 u_x = 0.
    Source: Wang, Sankaranarayanan, Perdikaris (2024), Comput. Methods Appl. Mech. Eng. 421, 116813, equation 10 and
    algorithm 1.
    """

    windows: int = 32
    tolerance: float | Sequence[float] = (0.01, 0.1, 1.0, 10.0, 100.0)

    def __post_init__(self) -> None:
        checks.whole(self.windows, "windows", 2, of="Causal")
        way = "give a positive, finite number, or several in increasing order"
        several = self.tolerance if isinstance(self.tolerance, list | tuple) else (self.tolerance,)
        tolerances = tuple(
            checks.number(number, "tolerance", lambda x: x > 0, way, of="Causal") for number in several
        )
        if not tolerances or any(a >= b for a, b in pairwise(tolerances)):
            raise DeclarationError(f"tolerance={self.tolerance!r} of Causal: {way}.")
        if isinstance(self.tolerance, list):
            object.__setattr__(self, "tolerance", tolerances)

    @property
    def tolerances(self) -> tuple[float, ...]:
        """All values of ε in order."""
        return (float(self.tolerance),) if isinstance(self.tolerance, int | float) else tuple(self.tolerance)

    def check(self, problem: Problem) -> None:
        """Refuse a problem without a time."""
        if not isinstance(problem.domain, SpaceTime):
            raise DeclarationError(
                f"Causal weights times, but the domain of {problem.name} is {problem.domain}; use domain.over(Time(0, "
                "1))."
            )

    def window(self, points: Tensor, problem: Problem) -> Tensor:
        """The window (n,) in which each point (n, d) lies."""
        domain = problem.domain
        assert isinstance(domain, SpaceTime)
        elapsed = (points[:, -1] - domain.time.start) / (domain.time.stop - domain.time.start)
        return (elapsed * self.windows).long().clamp(0, self.windows - 1)


class Waiting(PointWeights):
    """One run of a Causal: the losses (constraints, 1 + windows) of the start and of each window, and the tolerance."""

    def __init__(self, causal: Causal, objective: Objective, like: Tensor) -> None:
        self.causal, self.objective = causal, objective
        self.losses = like.new_zeros(len(objective.names), 1 + causal.windows)
        self.tolerances = like.new_tensor(causal.tolerances)
        self.stage = torch.zeros((), dtype=torch.long, device=like.device)

    @property
    def tolerance(self) -> Tensor:
        """ε of the present step."""
        return self.tolerances[self.stage]

    def weights(self) -> Tensor:
        """The weight of each window (windows,)."""
        return torch.exp(-self.tolerance * torch.cumsum(self.losses.sum(0), 0)[:-1])

    def weighed(self, batch: Batch) -> Batch:
        if not self._is_equation(batch):
            return batch
        windows = self.causal.window(batch.samples.points, self.objective.problem)
        return Batch(batch.constraint, batch.samples, batch.times(self.weights()[windows]))

    def see(self, batch: Batch, residual: Tensor, factor: Tensor) -> None:
        if not self._is_start(batch) and not self._is_equation(batch):
            return
        row = self.losses[self.objective.names.index(batch.constraint.name)]
        squares = residual.abs().square().reshape(len(residual), -1).sum(1).to(row.dtype)
        if self._is_start(batch):
            row[0] = factor * squares.mean()
            return
        windows = self.causal.window(batch.samples.points, self.objective.problem)
        sums = torch.zeros_like(row[1:]).index_add_(0, windows, squares)
        counts = torch.bincount(windows, minlength=self.causal.windows)
        row[1:] = torch.where(counts > 0, sums / counts.clamp(min=1), row[1:])

    def end_step(self) -> None:
        """Take the next tolerance if the whole time has been learned with this one."""
        learned = self.weights()[-1] > LEARNED
        self.stage = (self.stage + learned).clamp(max=len(self.tolerances) - 1)

    def _is_equation(self, batch: Batch) -> bool:
        return batch.constraint.name in self.objective.equation_names

    def _is_start(self, batch: Batch) -> bool:
        sample = batch.constraint.sample
        return isinstance(sample, Face) and sample.on == (INITIAL,)

    def extras(self) -> dict[str, float | int | str]:
        return {
            "weight of the last window": float(self.weights()[-1]),
            "causal tolerance": float(self.tolerance),
        }

    def tensors(self) -> dict[str, Tensor]:
        return {"causal.losses": self.losses, "causal.stage": self.stage}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        self.losses = tensors["causal.losses"].to(self.losses)
        self.stage = tensors["causal.stage"].to(self.stage)
