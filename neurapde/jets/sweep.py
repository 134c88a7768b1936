"""The forward sweep that carries a field's derivatives through a layered network, with closed-form gradients.

Channels (value, first derivatives, second derivatives; see `Layout`) are stacked into one tensor, so a linear
layer is one matrix product for all of them. An activation mixes channels by the chain rule,

    a = f(z),   a_i = f′ z_i,   a_ij = f′ z_ij + f″ z_i z_j,

and its transpose, written out in `kernels`, is the backward pass: no graph of derivatives is ever built. In the
first layer z_i is a constant of the layer (a column of its weight) and z_ij = 0, which saves that layer's
products. Gradients alone, of fewer outputs than axes, are cheaper from the outputs back: `reverse` has that sweep.

On a CPU points pass through all layers in blocks, forward and backward, so that what one layer wrote is still in the
cache when the next one reads it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from neurapde.jets.activations import Activation
from neurapde.jets.jet import Layout
from neurapde.jets.kernels import EAGER, Kernels
from neurapde.jets.reverse import ReverseSteps
from neurapde.jets.steps import Steps, product

BLOCK_BYTES = 2_621_440
"""Size of one layer's channels for a block of points on a CPU, about that of its second cache."""


def sweep(
    inputs: Tensor,
    layers: Sequence[tuple[Tensor, Tensor]],
    head: tuple[Tensor, Tensor] | None,
    activations: Sequence[Activation],
    layout: Layout,
    slope: float = 1.0,
    kernels: Kernels = EAGER,
) -> Tensor:
    """Channels (C, n, c) of W f_L(… f_1(x̂)) + b at inputs x̂ (n, d), with f_l(a) = f(ω_l(W_l a + b_l)).

    layers:  (W_l, b_l) of shapes (w, v) and (w,), the first from d inputs.
    head:    (W, b); None for the channels of the last layer.
    slope:   dx̂/dx, the factor by which coordinates were scaled to make the inputs; derivatives are with
             respect to x.
    kernels: what computes the elementwise part.
    """
    numbers = [inputs, *(number for layer in layers for number in layer), *(head or ())]
    plan = _Plan(tuple(activations), layout, slope, kernels, 0 if head is None else len(head[0]))
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in numbers):
        return _Sweep.apply(plan, *numbers)  # type: ignore[no-untyped-call]
    return plan.forward(numbers, None)


def linear_layer(stack: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Channels (C, n, c) of W a + b from the channels (C, n, v) of a, W (c, v), b (c,)."""
    out = torch.nn.functional.linear(stack, weight)
    shift = torch.cat((bias.unsqueeze(0), bias.new_zeros(stack.shape[0] - 1, bias.shape[0])))
    return out + shift.unsqueeze(1)


class _Sweep(torch.autograd.Function):
    """The sweep as one operation with a closed-form gradient."""

    @staticmethod
    def forward(ctx: Any, plan: _Plan, *numbers: Tensor) -> Tensor:
        intermediates: list[Tensor] = []
        out = plan.forward(numbers, intermediates)
        ctx.plan, ctx.count = plan, len(numbers)
        ctx.save_for_backward(*numbers, *intermediates)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        saved = ctx.saved_tensors
        numbers, intermediates = saved[: ctx.count], saved[ctx.count :]
        return None, *ctx.plan.backward(grad, numbers, intermediates, ctx.needs_input_grad[1:])


@dataclass(frozen=True)
class _Plan:
    """What a sweep does besides its numbers: the inputs, W and b of every layer, and those of the head if it has one.

    outputs: of the head, 0 without one.
    """

    activations: tuple[Activation, ...]
    layout: Layout
    slope: float
    kernels: Kernels
    outputs: int

    def forward(self, numbers: Sequence[Tensor], intermediates: list[Tensor] | None) -> Tensor:
        """The channels; leaves in `intermediates` what `backward` needs, block by block."""
        inputs, steps = numbers[0], self._steps
        weights, biases = self._scaled(numbers)
        through = self.kernels.ready(type(steps).forward, steps)
        outs = []
        for block in self._blocks(inputs, weights):
            out, *rest = through(inputs[block], weights, biases, self._directions(weights))
            outs.append(out)
            if intermediates is not None:
                intermediates += rest
        return outs[0] if len(outs) == 1 else torch.cat(outs, dim=1)

    def backward(
        self, grad: Tensor, numbers: Sequence[Tensor], intermediates: Sequence[Tensor], wanted: Sequence[bool]
    ) -> list[Tensor | None]:
        """The gradients by the numbers that are wanted."""
        inputs, steps = numbers[0], self._steps
        weights, _ = self._scaled(numbers)
        back = self.kernels.ready(type(steps).backward, steps)
        sums: list[Tensor | None] = [
            torch.zeros_like(number) if want else None for number, want in zip(numbers, wanted, strict=True)
        ]
        turned = torch.zeros_like(self._directions(weights))
        by_weights = list(wanted[1::2])
        for index, block in enumerate(self._blocks(inputs, weights)):
            here = intermediates[index * steps.kept : (index + 1) * steps.kept]
            parts, by_directions, to_z = back(
                grad[:, block].contiguous(),
                inputs[block],
                weights,
                self._directions(weights),
                here,
                by_weights,
            )
            turned += by_directions
            for total, slope in zip(sums[1:], parts, strict=True):
                if total is not None and slope is not None:
                    total += slope
            if (by_inputs := sums[0]) is not None:
                by_inputs[block] = to_z @ weights[0]
        if (by_first := sums[1]) is not None:
            by_first += self.slope * turned.T
        for level, activation in enumerate(self.activations):
            for total in sums[1 + 2 * level : 3 + 2 * level]:
                if total is not None and activation.omega != 1:
                    total *= activation.omega
        return sums

    @property
    def _steps(self) -> Steps:
        forms = tuple(activation.form for activation in self.activations)
        if self.layout.order == 1 and 0 < self.outputs < self.layout.dimension:
            return ReverseSteps(forms)
        return ForwardSteps(forms, self.layout, self.kernels, self.outputs > 0)

    def _directions(self, weights: Sequence[Tensor]) -> Tensor:
        """The derivatives (d, w) of the first layer's z."""
        return (weights[0].T * self.slope).contiguous()

    def _scaled(self, numbers: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """ωW and ωb of every layer, and W and b of the head."""
        omegas = [*(activation.omega for activation in self.activations), 1.0]
        layers = numbers[1:]
        scaled = [
            number if omegas[index // 2] == 1 else number * omegas[index // 2]
            for index, number in enumerate(layers)
        ]
        return scaled[::2], scaled[1::2]

    def _blocks(self, inputs: Tensor, weights: Sequence[Tensor]) -> Iterator[slice]:
        """Ranges of points that pass through the layers together, of sizes as equal as can be."""
        n, count = len(inputs), 1
        if inputs.device.type == "cpu":
            width = max(len(weight) for weight in weights[: len(self.activations)])
            size = max(BLOCK_BYTES // (self._steps.channels * width * inputs.element_size()), 16)
            count = max(-(-n // size), 1)
        for index in range(count):
            yield slice(index * n // count, (index + 1) * n // count)


@dataclass(frozen=True)
class ForwardSteps(Steps):
    """All channels through every layer at once; keeps of all but the first those of z, and what the kernels keep."""

    forms: tuple[Activation, ...]
    layout: Layout
    kernels: Kernels
    headed: bool

    @property
    def kept(self) -> int:
        return (1 + self.kernels.kept) * len(self.forms) - 1

    @property
    def channels(self) -> int:
        return self.layout.count

    def forward(
        self, inputs: Tensor, weights: Sequence[Tensor], biases: Sequence[Tensor], directions: Tensor
    ) -> list[Tensor]:
        first, *rest = self.forms
        z = torch.addmm(biases[0], inputs, weights[0].T)
        stack, intermediates = self.kernels.activate_first(z, directions, first, self.layout)
        for level, form in enumerate(rest, start=1):
            before = torch.matmul(stack, weights[level].T)
            stack, stacks = self.kernels.activate(before, biases[level], form, self.layout)
            intermediates = [*intermediates, before, *stacks]
        if self.headed:
            stack = torch.matmul(stack, weights[-1].T)
            stack = torch.cat((stack[:1] + biases[-1], stack[1:]))
        return [stack, *intermediates]

    def backward(
        self,
        grad: Tensor,
        inputs: Tensor,
        weights: Sequence[Tensor],
        directions: Tensor,
        intermediates: Sequence[Tensor],
        by_weights: Sequence[bool],
    ) -> tuple[list[Tensor | None], Tensor, Tensor]:
        parts: list[Tensor | None] = [None] * (2 * len(by_weights))
        above: Tensor | None = None  # the gradient by what the layer above makes of this one's channels
        pulled = grad
        if self.headed:
            above, pulled = pulled, torch.matmul(pulled, weights[-1])
            parts[-1] = above[0].sum(0)
        for level in range(len(self.forms) - 1, 0, -1):
            end = (1 + self.kernels.kept) * (level + 1) - 1
            before, *stacks = intermediates[end - self.kernels.kept - 1 : end]
            pulled, stack = self.kernels.pull(pulled, before, stacks, self.forms[level], self.layout)
            if above is not None and by_weights[level + 1]:
                parts[2 * level + 2] = product(above, stack)
            parts[2 * level + 1] = pulled[0].sum(0)
            above, pulled = pulled, torch.matmul(pulled, weights[level])
        to_z, to_directions, stack = self.kernels.pull_first(
            pulled, directions, intermediates[: self.kernels.kept], self.forms[0], self.layout
        )
        if above is not None and by_weights[1]:
            parts[2] = product(above, stack)
        parts[0], parts[1] = to_z.T @ inputs, to_z.sum(0)
        return parts, to_directions, to_z
