"""Sweeps as torch's compiler makes them for the machine at hand: each activation one fused loop between two products.

A sweep is compiled when it is first needed, once for a network's layers and the channels asked for, and serves any
number of points. CostEstimate what torch's compiler needs: on a CPU, a C++ compiler and Python's headers.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import cache
from types import FunctionType
from typing import Any

import torch
from torch import Tensor

from neurapde.jets.activations import Activation
from neurapde.jets.kernels import EAGER, Kernels
from neurapde.jets.layout import Layout


def best_kernels(device: torch.device) -> tuple[Kernels, str | None]:
    """Compiled kernels, or where this machine cannot compile: the eager ones and the reason in one line."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", DeprecationWarning
            )  # of torch about its own parts, at their import
            torch.compile(_probe, dynamic=True)(torch.ones(3, device=device))
    except RuntimeError as error:
        return EAGER, str(error).strip().splitlines()[0]
    return Compiled(), None


def _probe(x: Tensor) -> Tensor:
    return x.sin() * x


@cache
def _compiled(function: Any, owner: Hashable) -> Callable[..., Any]:
    """A method compiled under a code object of its own: torch allows a code object few compilations."""
    code = function.__code__.replace(co_name=f"{function.__name__}_{abs(hash(owner))}")
    method = FunctionType(code, function.__globals__, code.co_name)
    return torch.compile(method.__get__(owner), dynamic=True)


@dataclass(frozen=True)
class Compiled(Kernels):
    """The chain rule and its transpose, channel by channel, with nothing in place: loops are the compiler's work.

    Keeps the pair (f, f′), and rebuilds the channels of f: that takes less time than fetching them.
    """

    kept = 1

    def ready(self, function: Callable[..., Any], owner: Hashable) -> Callable[..., Any]:
        return _compiled(function, owner)

    def activate(
        self, stack: Tensor, bias: Tensor, activation: Activation, layout: Layout
    ) -> tuple[Tensor, list[Tensor]]:
        value, slope = activation.value_and_slope(stack[0] + bias)
        rows = _channels(stack, value, slope, activation, layout)
        return torch.stack(rows), [torch.stack((value, slope))]

    def pull(
        self,
        grad: Tensor,
        stack: Tensor,
        intermediates: Sequence[Tensor],
        activation: Activation,
        layout: Layout,
    ) -> tuple[Tensor, Tensor]:
        value, slope = intermediates[0][0], intermediates[0][1]
        second, third = activation.second(value, slope), activation.third(value, slope)
        rows = [grad[channel] * slope for channel in range(layout.count)]
        for i in range(layout.firsts):
            rows[0] = rows[0] + second * (grad[1 + i] * stack[1 + i])
        for channel, (i, j) in enumerate(layout.pairs, start=1 + layout.firsts):
            pull = grad[channel] * second
            rows[1 + i] = rows[1 + i] + pull * stack[1 + j]
            rows[1 + j] = rows[1 + j] + pull * stack[1 + i]
            rows[0] = rows[0] + pull * stack[channel] + grad[channel] * third * (stack[1 + i] * stack[1 + j])
        return torch.stack(rows), torch.stack(_channels(stack, value, slope, activation, layout))

    def activate_first(
        self, z: Tensor, directions: Tensor, activation: Activation, layout: Layout
    ) -> tuple[Tensor, list[Tensor]]:
        value, slope = activation.value_and_slope(z)
        rows = _first_channels(directions, value, slope, activation, layout)
        return torch.stack(rows), [torch.stack((value, slope))]

    def pull_first(
        self,
        grad: Tensor,
        directions: Tensor,
        intermediates: Sequence[Tensor],
        activation: Activation,
        layout: Layout,
    ) -> tuple[Tensor, Tensor, Tensor]:
        value, slope = intermediates[0][0], intermediates[0][1]
        second, third = activation.second(value, slope), activation.third(value, slope)
        to_z = grad[0] * slope
        columns = [torch.zeros_like(direction) for direction in directions]
        for i in range(layout.firsts):
            to_z = to_z + second * grad[1 + i] * directions[i]
            columns[i] = (grad[1 + i] * slope).sum(0)
        for channel, (i, j) in enumerate(layout.pairs, start=1 + layout.firsts):
            to_z = to_z + third * grad[channel] * (directions[i] * directions[j])
            column = (grad[channel] * second).sum(0)
            columns[i] = columns[i] + column * directions[j]
            columns[j] = columns[j] + column * directions[i]
        rows = _first_channels(directions, value, slope, activation, layout)
        return to_z, torch.stack(columns), torch.stack(rows)


def _channels(
    stack: Tensor, value: Tensor, slope: Tensor, activation: Activation, layout: Layout
) -> list[Tensor]:
    rows = [value, *(slope * stack[1 + i] for i in range(layout.firsts))]
    second = activation.second(value, slope)
    for channel, (i, j) in enumerate(layout.pairs, start=1 + layout.firsts):
        rows.append(slope * stack[channel] + second * (stack[1 + i] * stack[1 + j]))
    return rows


def _first_channels(
    directions: Tensor, value: Tensor, slope: Tensor, activation: Activation, layout: Layout
) -> list[Tensor]:
    second = activation.second(value, slope)
    rows = [value, *(slope * directions[i] for i in range(layout.firsts))]
    return rows + [second * (directions[i] * directions[j]) for i, j in layout.pairs]
