"""One step's gradient: points placed, weights balanced, pieces of a batch passed through the network one by one.

`Descent` is the run of what a training declares about its points and weights. It serves methods that move the parameters
along a gradient, and keeps what a checkpoint must hold of these declarations.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from neurapde.methods.causal import Causal
from neurapde.methods.curriculum import Curriculum
from neurapde.methods.objective import Batch, Objective
from neurapde.methods.sampling import Draws, Sampling
from neurapde.methods.weighting import Weighting
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
    ) -> None:
        self.objective, self.weighting, self.trial = objective, weighting, trial
        self.opening = curriculum if isinstance(curriculum, Curriculum) else None
        self.causal = curriculum if isinstance(curriculum, Causal) else None
        self.parameters = [p for p in trial.parameters() if p.requires_grad]
        self.draws = Draws(sampling, objective, trial, generator)
        fixed = [objective.weights.get(name, 1.0) for name in objective.names]
        real = self.parameters[0].dtype.to_real() if self.parameters else torch.float32
        self.factors = torch.tensor(fixed, dtype=real, device=generator.device)
        windows = 0 if self.causal is None else self.causal.windows
        self.windows = torch.zeros(windows, dtype=real, device=generator.device)
        _hold_on_to_memory()

    def gradient(self, step: int) -> tuple[Tensor, list[Tensor]]:
        """Leave the gradient of the weighted sum in the parameters; returns that sum and each constraint's loss."""
        reach = 1.0 if self.opening is None else self.opening.reach(step)
        apart = self.weighting is not None and self.weighting.due(step)
        self._clear()
        losses, gradients = [], []
        for index, constraint in enumerate(self.objective.problem.trained):
            samples = self.draws.samples(constraint, step, reach)
            batch = self.objective.batch(constraint, samples, reach)
            losses.append(self._descend(batch, 1.0 if apart else self.factors[index]))
            if apart:
                gradients.append(self._take())
        if self.weighting is not None and apart:
            self.factors = self.weighting.balanced(self.factors, gradients)
            self._put(gradients)
        return (self.factors * torch.stack(losses)).sum(), losses

    def _descend(self, batch: Batch, factor: Tensor | float) -> Tensor:
        if self.causal is None or batch.constraint.name not in self.objective.equation_names:
            return self.objective.descend(batch, self.trial, factor)
        windows = self.causal.window(batch.samples.points, self.objective.problem)
        weights = self.causal.weights(self.windows)[windows]
        sizes: list[Tensor] = []
        weighted = Batch(batch.constraint, batch.samples, batch.times(weights))
        loss = self.objective.descend(weighted, self.trial, factor, sizes)
        squares = torch.cat(sizes).abs().square().reshape(len(windows), -1).sum(1)
        self.windows = self.causal.losses(windows, squares, self.windows)
        return loss

    def _clear(self) -> None:
        for parameter in self.parameters:
            parameter.grad = None

    def _take(self) -> list[Tensor]:
        """The gradients as they are, which the parameters then no longer have."""
        found = [torch.zeros_like(p) if p.grad is None else p.grad for p in self.parameters]
        self._clear()
        return found

    def _put(self, gradients: Sequence[Sequence[Tensor]]) -> None:
        for parameter, *parts in zip(self.parameters, *gradients, strict=True):
            parameter.grad = torch.stack(
                [factor * part for factor, part in zip(self.factors, parts, strict=True)]
            ).sum(0)

    def extras(self) -> dict[str, float | int | str]:
        """The weights that were found, by constraint, and the smallest causal one."""
        found: dict[str, float | int | str] = {}
        if self.weighting is not None:
            for name, factor in zip(self.objective.names, self.factors.tolist(), strict=True):
                found[f"weight of {name}"] = factor
        if self.causal is not None:
            found["weight of the last window"] = float(self.causal.weights(self.windows)[-1])
        return found

    def tensors(self) -> dict[str, Tensor]:
        """What a checkpoint must hold."""
        found = self.draws.tensors()
        if self.weighting is not None:
            found["factors"] = self.factors
        if self.causal is not None:
            found["windows"] = self.windows
        return found

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """What a checkpoint held."""
        self.draws.restore(tensors)
        if self.weighting is not None:
            self.factors = tensors["factors"].to(self.factors)
        if self.causal is not None:
            self.windows = tensors["windows"].to(self.windows)


def _hold_on_to_memory() -> None:
    """Have the C library keep what is freed: it gives memory back to the system at every piece of a batch, and takes it
    again page by page at the next, until it has once seen a block as large as this one come and go.
    """
    torch.empty(2**25 - 2**16, dtype=torch.uint8)
