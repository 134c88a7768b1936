"""One step's gradient: draw points, balance weights, and pass the pieces of a batch through the network one by one.

`Descent` runs a training's declarations of points and weights. Gradient methods use it, and it stores what a
checkpoint needs of these declarations.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from neurapde.training.causal import Causal, Waiting
from neurapde.training.curriculum import Curriculum
from neurapde.training.objective import Batch, Objective
from neurapde.training.sampling import Draws, Sampling
from neurapde.training.self_adaptive import Adapting, SelfAdaptive
from neurapde.training.weighting import PointWeights, Weighting
from neurapde.trials.base import TrialFunction


class Descent:
    """Fills the gradients of a trial's parameters, step by step."""

    def __init__(
        self,
        objective: Objective,
        sampling: Sampling,
        weighting: Weighting | None,
        curriculum: Curriculum | Causal | None,
        trial: TrialFunction,
        generator: torch.Generator,
        adaptive: SelfAdaptive | None = None,
    ) -> None:
        self.objective, self.weighting, self.trial = objective, weighting, trial
        self.opening = curriculum if isinstance(curriculum, Curriculum) else None
        self.parameters = [p for p in trial.parameters() if p.requires_grad]
        self.draws = Draws(sampling, objective, trial, generator)
        fixed = [objective.weights.get(name, 1.0) for name in objective.names]
        real = self.parameters[0].dtype.to_real() if self.parameters else torch.float32
        self.factors = torch.tensor(fixed, dtype=real, device=generator.device)
        self.point_weights: list[PointWeights] = []
        if adaptive is not None:
            self.point_weights.append(Adapting(adaptive, objective, self.factors))
        if isinstance(curriculum, Causal):
            self.point_weights.append(Waiting(curriculum, objective, self.factors))
        _hold_on_to_memory()

    def gradient(self, step: int) -> tuple[Tensor, list[Tensor]]:
        """Store the gradient of the weighted sum in the parameters; return that sum and each constraint's loss."""
        reach = 1.0 if self.opening is None else self.opening.reach(step)
        apart = self.weighting is not None and self.weighting.due(step)
        self._clear()
        losses: dict[str, Tensor] = {}
        gradients: dict[str, list[Tensor]] = {}
        for group in self.draws.groups:
            samples = self.draws.samples(group[0], step, reach)
            batches = [self.objective.batch(constraint, samples, reach) for constraint in group]
            for some in [[batch] for batch in batches] if apart else [batches]:
                names = [batch.constraint.name for batch in some]
                losses |= zip(names, self._descend(some, apart), strict=True)
                if apart:
                    gradients[names[0]] = self._take()
        for weights in self.point_weights:
            weights.end_step()
        if self.weighting is not None and apart:
            ordered = [gradients[name] for name in self.objective.names]
            self.factors = self.weighting.balanced(self.factors, ordered)
            self._put(ordered)
        in_order = [losses[name] for name in self.objective.names]
        return (self.factors * torch.stack(in_order)).sum(), in_order

    def _descend(self, batches: Sequence[Batch], apart: bool) -> list[Tensor]:
        residuals: list[list[Tensor]] = [[] for _ in batches]
        weighed = list(batches)
        for weights in self.point_weights:
            weighed = [weights.weighed(batch) for batch in weighed]
        constraint_factors = [
            self.factors[self.objective.names.index(batch.constraint.name)] for batch in batches
        ]
        factors: Sequence[Tensor | float] = [1.0] * len(constraint_factors) if apart else constraint_factors
        losses = self.objective.descend(
            weighed, self.trial, factors, residuals if self.point_weights else None
        )
        for weights in self.point_weights:
            for batch, parts, factor in zip(batches, residuals, constraint_factors, strict=True):
                weights.see(batch, torch.cat(parts), factor)
        return losses

    def _clear(self) -> None:
        for parameter in self.parameters:
            parameter.grad = None

    def _take(self) -> list[Tensor]:
        """The present gradients, which are removed from the parameters."""
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in self.parameters]
        self._clear()
        return gradients

    def _put(self, gradients: Sequence[Sequence[Tensor]]) -> None:
        for parameter, *parts in zip(self.parameters, *gradients, strict=True):
            parameter.grad = torch.stack(
                [factor * gradient for factor, gradient in zip(self.factors, parts, strict=True)]
            ).sum(0)

    def extras(self) -> dict[str, float | int | str]:
        """The weights that were found, by constraint, and the causal ones."""
        numbers: dict[str, float | int | str] = {}
        if self.weighting is not None:
            for name, factor in zip(self.objective.names, self.factors.tolist(), strict=True):
                numbers[f"weight of {name}"] = factor
        for weights in self.point_weights:
            numbers |= weights.extras()
        return numbers

    def tensors(self) -> dict[str, Tensor]:
        """What a checkpoint must hold."""
        tensors = self.draws.tensors()
        if self.weighting is not None:
            tensors["factors"] = self.factors
        for weights in self.point_weights:
            tensors |= weights.tensors()
        return tensors

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """What a checkpoint held."""
        self.draws.restore(tensors)
        if self.weighting is not None:
            self.factors = tensors["factors"].to(self.factors)
        for weights in self.point_weights:
            weights.restore(tensors)


def _hold_on_to_memory() -> None:
    """Have the C library keep freed memory. Otherwise it returns memory to the system at every piece of a batch and
    takes it again page by page, until it has freed a block as large as this one once.
    """
    torch.empty(2**25 - 2**16, dtype=torch.uint8)
