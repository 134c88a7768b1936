"""The elementwise half of a layer's sweep, forward and backward, apart from the matrix products.

`Kernels` is what a sweep asks for; `EAGER` answers with torch's own operations, one after the other and in place
where that saves a pass over memory. `neurapde.jets.compiled` answers with formulas that a compiler fuses.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from neurapde.jets.activations import Activation
from neurapde.jets.layout import Layout


class Kernels(ABC):
    """a = f(z) on stacked channels by the chain rule, and its transpose; none of them records a graph.

    What is kept of f for the way back is a matter of the kernels: `kept` tensors for every layer.
    """

    kept: int

    @abstractmethod
    def ready(self, function: Callable[..., Any], owner: Hashable) -> Callable[..., Any]:
        """The method `function` of `owner`, which calls these kernels on tensors, in the form in which it runs best."""

    @abstractmethod
    def activate(
        self, stack: Tensor, bias: Tensor, activation: Activation, layout: Layout
    ) -> tuple[Tensor, list[Tensor]]:
        """The channels (C, n, w) of f(z + bias) from those of z, and what is kept; bias (w,)."""

    @abstractmethod
    def pull(
        self,
        grad: Tensor,
        stack: Tensor,
        intermediates: Sequence[Tensor],
        activation: Activation,
        layout: Layout,
    ) -> tuple[Tensor, Tensor]:
        """The gradient (C, n, w) by the channels of z from `grad` by those of f, and the latter once more."""

    @abstractmethod
    def activate_first(
        self, z: Tensor, directions: Tensor, activation: Activation, layout: Layout
    ) -> tuple[Tensor, list[Tensor]]:
        """The channels (C, n, w) of f(z), z (n, w) having the constant derivatives (d, w), and what is kept."""

    @abstractmethod
    def pull_first(
        self,
        grad: Tensor,
        directions: Tensor,
        intermediates: Sequence[Tensor],
        activation: Activation,
        layout: Layout,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The gradients by z (n, w) and by the directions (d, w) from `grad` (C, n, w), and the channels of f."""


@dataclass(frozen=True)
class Eager(Kernels):
    """By torch's operations, one at a time; keeps the channels of f and its slope."""

    kept = 2

    def ready(self, function: Callable[..., Any], owner: Hashable) -> Callable[..., Any]:
        return partial(function, owner)

    def activate(
        self, stack: Tensor, bias: Tensor, activation: Activation, layout: Layout
    ) -> tuple[Tensor, list[Tensor]]:
        value, slope = activation.value_and_slope(stack[0] + bias)
        out = torch.empty_like(stack)
        out[0] = value
        torch.mul(stack[1:], slope, out=out[1:])
        if layout.pairs:
            second = activation.second(value, slope)
            for channel, (i, j) in enumerate(layout.pairs, start=1 + layout.firsts):
                out[channel].addcmul_(second * stack[1 + i], stack[1 + j])
        return out, [out, slope]

    def pull(
        self,
        grad: Tensor,
        stack: Tensor,
        intermediates: Sequence[Tensor],
        activation: Activation,
        layout: Layout,
    ) -> tuple[Tensor, Tensor]:
        channels, slope = intermediates
        value = channels[0]
        out = grad * slope
        if not layout.firsts:
            return out, channels
        second = activation.second(value, slope)
        moved = grad[1] * stack[1]  # Σ g_c z_c, by which f′ moves
        for channel in range(2, layout.count):
            moved.addcmul_(grad[channel], stack[channel])
        out[0].addcmul_(second, moved)
        if layout.pairs:
            bent = moved.zero_()  # Σ g_ij z_i z_j, by which f″ moves
            for channel, (i, j) in enumerate(layout.pairs, start=1 + layout.firsts):
                pull = grad[channel] * stack[1 + j]
                bent.addcmul_(pull, stack[1 + i])
                out[1 + i].addcmul_(second, pull, value=2 if i == j else 1)
                if i != j:
                    torch.mul(grad[channel], stack[1 + i], out=pull)
                    out[1 + j].addcmul_(second, pull)
            out[0].addcmul_(activation.third(value, slope), bent)
        return out, channels

    def activate_first(
        self, z: Tensor, directions: Tensor, activation: Activation, layout: Layout
    ) -> tuple[Tensor, list[Tensor]]:
        value, slope = activation.value_and_slope(z)
        out = z.new_empty((layout.count, *z.shape))
        out[0] = value
        for i in range(layout.firsts):
            torch.mul(slope, directions[i], out=out[1 + i])
        if layout.pairs:
            second = activation.second(value, slope)
            for channel, (i, j) in enumerate(layout.pairs, start=1 + layout.firsts):
                torch.mul(second, directions[i] * directions[j], out=out[channel])
        return out, [out, slope]

    def pull_first(
        self,
        grad: Tensor,
        directions: Tensor,
        intermediates: Sequence[Tensor],
        activation: Activation,
        layout: Layout,
    ) -> tuple[Tensor, Tensor, Tensor]:
        channels, slope = intermediates
        value = channels[0]
        to_z = grad[0] * slope
        to_directions = torch.zeros_like(directions)
        if layout.firsts:
            by_slope = torch.zeros_like(to_z)
            for i in range(layout.firsts):
                by_slope.addcmul_(grad[1 + i], directions[i])
                to_directions[i] = (grad[1 + i] * slope).sum(0)
            second = activation.second(value, slope)
            to_z.addcmul_(by_slope, second)
        if layout.pairs:
            by_second = torch.zeros_like(to_z)
            for channel, (i, j) in enumerate(layout.pairs, start=1 + layout.firsts):
                by_second.addcmul_(grad[channel], directions[i] * directions[j])
                column = (grad[channel] * second).sum(0)
                to_directions[i] += column * directions[j]
                to_directions[j] += column * directions[i]
            to_z.addcmul_(by_second, activation.third(value, slope))
        return to_z, to_directions, channels


EAGER = Eager()
