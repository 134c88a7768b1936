"""Self-adaptive weights: the weight of a point grows while its residual is among the largest.

A `SelfAdaptive` is the user's declaration; an `Adapting` is one run of it, with the factor of each point.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from neurapde.core import checks
from neurapde.core.declaration import Declaration
from neurapde.training.objective import Batch, Objective
from neurapde.training.weighting import PointWeights


@dataclass(frozen=True)
class SelfAdaptive(Declaration):
    """Multiply the residual r at each point by λ, which every step sets to memory · λ + gain · |r| / max |r|.

    memory: fraction of λ that is kept; the last 1 / (1 − memory) steps count.
    gain:   λ at the start, and its increase in a step where the residual is largest; λ stays below gain / (1 −
            memory).

    The maximum is over the points of a constraint, each of which has its own. λ follows the residuals of the step before.
    Measured with Adam, two seeds each: it lowers the error of u_t = 20 u (1 − u) by factors of 20 and 19, and that of
    a Helmholtz problem by 3 and 5, or by 50 and 36 with `GradientNorm()`; on Burgers' front the error is 5 and 2 times
    as large. It needs fixed points: `sampling=Fixed("sobol")`.
    Source: Anagnostopoulos, Toscano, Stergiopulos, Karniadakis (2024), Comput. Methods Appl. Mech. Eng. 421, 116805;
    there λ is 0 at first and follows the residuals of the step itself. After McClenny, Braga-Neto (2023),
    J. Comput. Phys. 474, 111722, whose λ grow by gradient ascent, without a bound.
    """

    memory: float = 0.999
    gain: float = 0.01

    def __post_init__(self) -> None:
        way = "it must lie in 0 … 1, for example 0.999"
        checks.number(self.memory, "memory", lambda x: 0 <= x < 1, way, of="SelfAdaptive")
        checks.amount(self.gain, "gain", of="SelfAdaptive")

    def led(self, factors: Tensor, residual: Tensor) -> Tensor:
        """The factors λ (n,), or one for all, after a residual `(n,)` or `(n, c)`; the norm of components counts."""
        sizes = torch.linalg.vector_norm(residual.abs().reshape(len(residual), -1), dim=1).to(factors.dtype)
        largest = sizes.max().clamp(min=torch.finfo(sizes.dtype).tiny)
        return self.memory * factors + self.gain * sizes / largest


class Adapting(PointWeights):
    """One run of a SelfAdaptive: the factors λ (n,) of each constraint's points, by its name."""

    def __init__(self, declared: SelfAdaptive, objective: Objective, like: Tensor) -> None:
        self.declared, self.objective, self.like = declared, objective, like
        self.factors: dict[str, Tensor] = {}

    def weighed(self, batch: Batch) -> Batch:
        weights = self.objective.loss(self._of(batch))
        return Batch(batch.constraint, batch.samples, batch.times(weights))

    def see(self, batch: Batch, residual: Tensor, factor: Tensor) -> None:
        self.factors[batch.constraint.name] = self.declared.led(self._of(batch), residual)

    def end_step(self) -> None:
        """Nothing to do, because the points of one constraint do not depend on another's."""

    def _of(self, batch: Batch) -> Tensor:
        """The factors of a batch: before the first residual one for each point of an equation, whose batches are
        divided, and a single one otherwise, because rows may belong to pairs of points.
        """
        rows = len(batch.samples.points) if batch.constraint.name in self.objective.equation_names else 1
        start = self.like.new_tensor(self.declared.gain).expand(rows)
        return self.factors.get(batch.constraint.name, start)

    def tensors(self) -> dict[str, Tensor]:
        names = self.objective.names
        return {f"adapted.{i}": self.factors[name] for i, name in enumerate(names) if name in self.factors}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        for index, name in enumerate(self.objective.names):
            if (factors := tensors.get(f"adapted.{index}")) is not None:
                self.factors[name] = factors.to(self.like)
