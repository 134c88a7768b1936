"""The training objective of a family: the error of its fields, and penalties on codes and weights."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from neurapde.core import checks
from neurapde.core.declaration import Declaration
from neurapde.learning.batches import Batch
from neurapde.learning.model import Model
from neurapde.trials.networks.batched import Weights, batched_values


@dataclass(frozen=True)
class Objective(Declaration, ABC):
    """A sum of named losses."""

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """Names of the losses, in order."""

    @abstractmethod
    def losses(
        self, model: Model, batch: Batch, codes: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, ...]:
        """The losses of a normalised batch whose fields have these codes; their sum is minimised."""


@dataclass(frozen=True)
class Supervised(Objective):
    """Mean square of u − v in variances of the data, + latent · mean z² + weights · mean θ².

    latent:  λ_latent of the paper (0.1 there, on pictures in [−1, 1]).
    weights: λ_weights of the paper (100 there).
    Source: Sitzmann et al. (2020), NeurIPS 33, section 4.4 and supplement 9; the means over a code and over all weights are
    those of the authors' code.
    """

    latent: float = 1e-3
    weights: float = 0.0

    def __post_init__(self) -> None:
        for name in ("latent", "weights"):
            checks.number(getattr(self, name), name, lambda x: x >= 0, "give a finite number, not negative")

    @property
    def names(self) -> tuple[str, ...]:
        return ("values", "latent", "weights")

    def losses(
        self, model: Model, batch: Batch, codes: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, ...]:
        weights = model.weights(codes)
        return (
            misfit(model, batch, weights),
            self.latent * codes.square().mean(),
            self.weights * mean_square(weights),
        )


def misfit(model: Model, batch: Batch, weights: Weights) -> Tensor:
    """The mean of |u − v|² over points, components and fields, for normalised values."""
    targets = batch.targets
    predicted = batched_values(model.space.network, weights, targets.points)
    return targets.mean((predicted - targets.values).abs().square()).mean()


def mean_square(weights: Weights) -> Tensor:
    """The mean of all squared weights of all fields."""
    fields = max(len(weight) for weight in weights.values())
    squares = torch.stack([weight.square().sum() * (fields / len(weight)) for weight in weights.values()])
    return squares.sum() / sum(weight.numel() * fields // len(weight) for weight in weights.values())
