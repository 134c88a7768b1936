"""The forward sweep that carries a field's derivatives through a layered network, with closed-form gradients.

Channels (value, first derivatives, second derivatives; see `Layout`) are stacked into one tensor, so a linear
layer is one matrix product for all of them. An activation mixes channels by the chain rule,

    a = f(z),   a_i = f′ z_i,   a_ij = f′ z_ij + f″ z_i z_j,

and its transpose, written out below, is the backward pass: no graph of derivatives is ever built twice. In
the first layer z_i is a constant of the layer (a column of its weight) and z_ij = 0, which saves that layer's
products.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from neurapde.jets.activations import Activation
from neurapde.jets.jet import Layout


class _Activate(torch.autograd.Function):
    """a = f(z + bias) on stacked channels (C, n, w); the bias (w,) belongs to the value's channel alone."""

    @staticmethod
    def forward(ctx: Any, stack: Tensor, bias: Tensor, activation: Activation, layout: Layout) -> Tensor:
        value, slope = activation.value_and_slope(stack[0] + bias)
        out = torch.empty_like(stack)
        out[0] = value
        firsts = layout.firsts
        torch.mul(stack[1:], slope, out=out[1:])
        if layout.pairs:
            second = activation.second(value, slope)
            for channel, (i, j) in enumerate(layout.pairs, start=1 + firsts):
                out[channel].addcmul_(second * stack[1 + i], stack[1 + j])
        ctx.save_for_backward(stack, value, slope)
        ctx.activation, ctx.layout = activation, layout
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None, None]:
        stack, value, slope = ctx.saved_tensors
        activation, layout = ctx.activation, ctx.layout
        out = grad * slope
        firsts = layout.firsts
        if firsts:
            second = activation.second(value, slope)
            slope_moves = (grad[1:] * stack[1:]).sum(0)
            if layout.pairs:
                third = activation.third(value, slope)
            for channel, (i, j) in enumerate(layout.pairs, start=1 + firsts):
                pull = grad[channel] * second
                out[1 + i].addcmul_(pull, stack[1 + j])
                out[1 + j].addcmul_(pull, stack[1 + i])
                out[0].addcmul_(grad[channel] * third, stack[1 + i] * stack[1 + j])
            out[0].addcmul_(second, slope_moves)
        return out, out[0].sum(0), None, None


class _FirstActivate(torch.autograd.Function):
    """a = f(z) for z (n, w) whose derivatives z_i are `directions` (d, w), the same at every point."""

    @staticmethod
    def forward(ctx: Any, z: Tensor, directions: Tensor, activation: Activation, layout: Layout) -> Tensor:
        value, slope = activation.value_and_slope(z)
        out = z.new_empty((layout.count, *z.shape))
        out[0] = value
        firsts = layout.firsts
        for i in range(firsts):
            torch.mul(slope, directions[i], out=out[1 + i])
        if layout.pairs:
            second = activation.second(value, slope)
            for channel, (i, j) in enumerate(layout.pairs, start=1 + firsts):
                torch.mul(second, directions[i] * directions[j], out=out[channel])
        ctx.save_for_backward(directions, value, slope)
        ctx.activation, ctx.layout = activation, layout
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None, None]:
        directions, value, slope = ctx.saved_tensors
        activation, layout = ctx.activation, ctx.layout
        firsts = layout.firsts
        to_z = grad[0] * slope
        to_directions = torch.zeros_like(directions)
        if firsts:
            second = activation.second(value, slope)
            by_slope = torch.zeros_like(to_z)
            for i in range(firsts):
                by_slope.addcmul_(grad[1 + i], directions[i])
                to_directions[i] = (grad[1 + i] * slope).sum(0)
            to_z.addcmul_(by_slope, second)
        if layout.pairs:
            by_second = torch.zeros_like(to_z)
            for channel, (i, j) in enumerate(layout.pairs, start=1 + firsts):
                by_second.addcmul_(grad[channel], directions[i] * directions[j])
                column = (grad[channel] * second).sum(0)
                to_directions[i] += column * directions[j]
                to_directions[j] += column * directions[i]
            to_z.addcmul_(by_second, activation.third(value, slope))
        return to_z, to_directions, None, None


def first_layer(
    inputs: Tensor, weight: Tensor, bias: Tensor, activation: Activation, layout: Layout, slope: float = 1.0
) -> Tensor:
    """Channels (C, n, w) of f(ω(W x̂ + b)) at inputs x̂ (n, d), W (w, d), b (w,).

    slope: dx̂/dx, the factor by which coordinates were scaled to make the inputs; derivatives are with
           respect to x.
    """
    scaled = weight * activation.omega
    z = torch.nn.functional.linear(inputs, scaled, bias * activation.omega)
    return _FirstActivate.apply(  # type: ignore[no-untyped-call]
        z, scaled.T * slope, activation, layout
    )


def hidden_layer(
    stack: Tensor, weight: Tensor, bias: Tensor, activation: Activation, layout: Layout
) -> Tensor:
    """Channels (C, n, w) of f(ω(W a + b)) from the channels (C, n, v) of a, W (w, v), b (w,)."""
    z = torch.nn.functional.linear(stack, weight * activation.omega)
    return _Activate.apply(  # type: ignore[no-untyped-call]
        z, bias * activation.omega, activation, layout
    )


def linear_layer(stack: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Channels (C, n, c) of W a + b from the channels (C, n, v) of a, W (c, v), b (c,)."""
    out = torch.nn.functional.linear(stack, weight)
    shift = torch.cat((bias.unsqueeze(0), bias.new_zeros(stack.shape[0] - 1, bias.shape[0])))
    return out + shift.unsqueeze(1)
