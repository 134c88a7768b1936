"""The elementwise half of a layer's sweep, forward and backward, apart from the matrix products.

`Kernels` is what a sweep asks for; `EAGER` answers with torch's own operations, one after the other and in place
where that saves a pass over memory. `neurapde.jets.compiled` answers with one fused loop for each.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from neurapde.jets.activations import Activation
from neurapde.jets.layout import Layout


class Kernels(ABC):
    """a = f(z) on stacked channels by the chain rule, and its transpose; none of them records a graph."""

    @abstractmethod
    def activate(
        self, stack: Tensor, bias: Tensor, activation: Activation, layout: Layout
    ) -> tuple[Tensor, Tensor]:
        """The channels (C, n, w) of f(z + bias) from those of z, and the slope f′ (n, w); bias (w,)."""

    @abstractmethod
    def pull(
        self,
        grad: Tensor,
        stack: Tensor,
        value: Tensor,
        slope: Tensor,
        activation: Activation,
        layout: Layout,
    ) -> Tensor:
        """The gradient (C, n, w) by the channels of z from `grad` by those of f; value and slope are (n, w)."""

    @abstractmethod
    def activate_first(
        self, z: Tensor, directions: Tensor, activation: Activation, layout: Layout
    ) -> tuple[Tensor, Tensor]:
        """The channels (C, n, w) of f(z), z (n, w) having the constant derivatives (d, w), and the slope (n, w)."""

    @abstractmethod
    def pull_first(
        self,
        grad: Tensor,
        directions: Tensor,
        value: Tensor,
        slope: Tensor,
        activation: Activation,
        layout: Layout,
    ) -> tuple[Tensor, Tensor]:
        """The gradients by z (n, w) and by the directions (d, w) from `grad` (C, n, w)."""


@dataclass(frozen=True)
class Eager(Kernels):
    """By torch's operations, one at a time."""

    def activate(
        self, stack: Tensor, bias: Tensor, activation: Activation, layout: Layout
    ) -> tuple[Tensor, Tensor]:
        value, slope = activation.value_and_slope(stack[0] + bias)
        out = torch.empty_like(stack)
        out[0] = value
        torch.mul(stack[1:], slope, out=out[1:])
        if layout.pairs:
            second = activation.second(value, slope)
            for channel, (i, j) in enumerate(layout.pairs, start=1 + layout.firsts):
                out[channel].addcmul_(second * stack[1 + i], stack[1 + j])
        return out, slope

    def pull(
        self,
        grad: Tensor,
        stack: Tensor,
        value: Tensor,
        slope: Tensor,
        activation: Activation,
        layout: Layout,
    ) -> Tensor:
        out = grad * slope
        if not layout.firsts:
            return out
        second = activation.second(value, slope)
        slope_moves = (grad[1:] * stack[1:]).sum(0)
        if layout.pairs:
            third = activation.third(value, slope)
        for channel, (i, j) in enumerate(layout.pairs, start=1 + layout.firsts):
            pull = grad[channel] * second
            if i == j:
                out[1 + i].addcmul_(pull, stack[1 + i], value=2)
            else:
                out[1 + i].addcmul_(pull, stack[1 + j])
                out[1 + j].addcmul_(pull, stack[1 + i])
            torch.mul(stack[1 + i], stack[1 + j], out=pull)
            out[0].addcmul_(pull.mul_(grad[channel]), third)
        out[0].addcmul_(second, slope_moves)
        return out

    def activate_first(
        self, z: Tensor, directions: Tensor, activation: Activation, layout: Layout
    ) -> tuple[Tensor, Tensor]:
        value, slope = activation.value_and_slope(z)
        out = z.new_empty((layout.count, *z.shape))
        out[0] = value
        for i in range(layout.firsts):
            torch.mul(slope, directions[i], out=out[1 + i])
        if layout.pairs:
            second = activation.second(value, slope)
            for channel, (i, j) in enumerate(layout.pairs, start=1 + layout.firsts):
                torch.mul(second, directions[i] * directions[j], out=out[channel])
        return out, slope

    def pull_first(
        self,
        grad: Tensor,
        directions: Tensor,
        value: Tensor,
        slope: Tensor,
        activation: Activation,
        layout: Layout,
    ) -> tuple[Tensor, Tensor]:
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
        return to_z, to_directions


EAGER = Eager()
