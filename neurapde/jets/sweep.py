"""The forward sweep that carries a field's derivatives through a layered network, with closed-form gradients.

Channels (value, first derivatives, second derivatives; see `Layout`) are stacked into one tensor, so a linear
layer is one matrix product for all of them. An activation mixes channels by the chain rule,

    a = f(z),   a_i = f′ z_i,   a_ij = f′ z_ij + f″ z_i z_j,

and its transpose, written out in `kernels`, is the backward pass: no graph of derivatives is ever built twice. In
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
from neurapde.jets.kernels import EAGER, Kernels


class _Activate(torch.autograd.Function):
    """a = f(z + bias) on stacked channels (C, n, w); the bias (w,) belongs to the value's channel alone."""

    @staticmethod
    def forward(
        ctx: Any, stack: Tensor, bias: Tensor, activation: Activation, layout: Layout, kernels: Kernels
    ) -> Tensor:
        out, slope = kernels.activate(stack, bias, activation, layout)
        ctx.save_for_backward(stack, out, slope)
        ctx.setting = activation, layout
        ctx.kernels = kernels
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None, None, None]:
        stack, out, slope = ctx.saved_tensors
        pulled = ctx.kernels.pull(grad, stack, out[0], slope, *ctx.setting)
        return pulled, pulled[0].sum(0), None, None, None


class _FirstActivate(torch.autograd.Function):
    """a = f(z) for z (n, w) whose derivatives z_i are `directions` (d, w), the same at every point."""

    @staticmethod
    def forward(
        ctx: Any, z: Tensor, directions: Tensor, activation: Activation, layout: Layout, kernels: Kernels
    ) -> Tensor:
        out, slope = kernels.activate_first(z, directions, activation, layout)
        ctx.save_for_backward(directions, out, slope)
        ctx.setting = activation, layout
        ctx.kernels = kernels
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None, None, None]:
        directions, out, slope = ctx.saved_tensors
        to_z, to_directions = ctx.kernels.pull_first(grad, directions, out[0], slope, *ctx.setting)
        return to_z, to_directions, None, None, None


def first_layer(
    inputs: Tensor,
    weight: Tensor,
    bias: Tensor,
    activation: Activation,
    layout: Layout,
    slope: float = 1.0,
    kernels: Kernels = EAGER,
) -> Tensor:
    """Channels (C, n, w) of f(ω(W x̂ + b)) at inputs x̂ (n, d), W (w, d), b (w,).

    slope: dx̂/dx, the factor by which coordinates were scaled to make the inputs; derivatives are with
           respect to x.
    kernels: what computes the elementwise part.
    """
    scaled = weight * activation.omega
    z = torch.nn.functional.linear(inputs, scaled, bias * activation.omega)
    return _FirstActivate.apply(  # type: ignore[no-untyped-call]
        z, scaled.T * slope, activation, layout, kernels
    )


def hidden_layer(
    stack: Tensor,
    weight: Tensor,
    bias: Tensor,
    activation: Activation,
    layout: Layout,
    kernels: Kernels = EAGER,
) -> Tensor:
    """Channels (C, n, w) of f(ω(W a + b)) from the channels (C, n, v) of a, W (w, v), b (w,)."""
    z = torch.nn.functional.linear(stack, weight * activation.omega)
    return _Activate.apply(  # type: ignore[no-untyped-call]
        z, bias * activation.omega, activation, layout, kernels
    )


def linear_layer(stack: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Channels (C, n, c) of W a + b from the channels (C, n, v) of a, W (c, v), b (c,)."""
    out = torch.nn.functional.linear(stack, weight)
    shift = torch.cat((bias.unsqueeze(0), bias.new_zeros(stack.shape[0] - 1, bias.shape[0])))
    return out + shift.unsqueeze(1)
