"""What a sweep asks of a block of points: once through all layers, and back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from torch import Tensor


class Steps(ABC):
    """One block of points through all layers and back, with weights ωW and biases ωb; what is handed in stays as it is."""

    @property
    @abstractmethod
    def kept(self) -> int:
        """How many tensors the way forward leaves for the way back."""

    @property
    @abstractmethod
    def channels(self) -> int:
        """How many numbers a neuron of a layer holds at a point, of those that are at work together."""

    @abstractmethod
    def forward(
        self, inputs: Tensor, weights: Sequence[Tensor], biases: Sequence[Tensor], directions: Tensor
    ) -> list[Tensor]:
        """The channels (C, n, c), then what is kept. inputs (n, d); directions (d, w): the derivatives of the first z."""

    @abstractmethod
    def backward(
        self,
        grad: Tensor,
        inputs: Tensor,
        weights: Sequence[Tensor],
        directions: Tensor,
        intermediates: Sequence[Tensor],
        by_weights: Sequence[bool],
    ) -> tuple[list[Tensor | None], Tensor, Tensor]:
        """The gradients by weights and biases, by the directions, and by the first layer's z (n, w), from `grad` (C, n, c).

        by_weights: of which weights.
        """


def product(grad: Tensor, stack: Tensor) -> Tensor:
    """Σ grad (…, w) stack (…, v): (w, v)."""
    return grad.flatten(0, -2).T @ stack.flatten(0, -2)
