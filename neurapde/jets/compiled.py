"""The elementwise half of a layer's sweep as fused loops, which torch's compiler makes for the machine at hand.

A kernel is compiled when it is first needed, once for an activation and a layout of channels, and serves any number
of points. Needs what torch's compiler needs: on a CPU, a C++ compiler and Python's headers.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from types import FunctionType
from typing import Any

import torch
from torch import Tensor

from neurapde.jets.activations import Activation
from neurapde.jets.kernels import EAGER, Kernels
from neurapde.jets.layout import Layout


@dataclass(frozen=True)
class Compiled(Kernels):
    """By one fused loop for each."""

    def activate(
        self, stack: Tensor, bias: Tensor, activation: Activation, layout: Layout
    ) -> tuple[Tensor, Tensor]:
        return _loops(activation.form, layout).activate(*_bare(stack, bias))

    def pull(
        self,
        grad: Tensor,
        stack: Tensor,
        value: Tensor,
        slope: Tensor,
        activation: Activation,
        layout: Layout,
    ) -> Tensor:
        return _loops(activation.form, layout).pull(*_bare(grad, stack, value, slope))

    def activate_first(
        self, z: Tensor, directions: Tensor, activation: Activation, layout: Layout
    ) -> tuple[Tensor, Tensor]:
        return _loops(activation.form, layout).activate_first(*_bare(z, directions))

    def pull_first(
        self,
        grad: Tensor,
        directions: Tensor,
        value: Tensor,
        slope: Tensor,
        activation: Activation,
        layout: Layout,
    ) -> tuple[Tensor, Tensor]:
        return _loops(activation.form, layout).pull_first(*_bare(grad, directions, value, slope))


def _bare(*tensors: Tensor) -> list[Tensor]:
    """Tensors without their graph, into which the compiler would look."""
    return [tensor.detach() for tensor in tensors]


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


@dataclass(frozen=True)
class _Loops:
    activate: Callable[..., tuple[Tensor, Tensor]]
    pull: Callable[..., Tensor]
    activate_first: Callable[..., tuple[Tensor, Tensor]]
    pull_first: Callable[..., tuple[Tensor, Tensor]]


@cache
def _loops(activation: Activation, layout: Layout) -> _Loops:
    formulas = _Formulas(activation, layout.firsts, layout.pairs)
    name = f"{type(activation).__name__}_{layout.firsts}_" + "_".join(f"{i}{j}" for i, j in layout.pairs)
    return _Loops(
        _compiled(formulas.activate, name),
        _compiled(formulas.pull, name),
        _compiled(formulas.activate_first, name),
        _compiled(formulas.pull_first, name),
    )


def _compiled(method: Any, name: str) -> Any:
    """A bound method compiled under a code object of its own: torch allows a code object few compilations."""
    code = method.__func__.__code__.replace(co_name=f"{method.__name__}_{name}")
    own = FunctionType(code, method.__func__.__globals__, code.co_name)
    return torch.compile(own.__get__(method.__self__), dynamic=True)


@dataclass(frozen=True)
class _Formulas:
    """The chain rule and its transpose, channel by channel, with nothing in place: loops are the compiler's work."""

    activation: Activation
    firsts: int
    pairs: tuple[tuple[int, int], ...]

    def activate(self, stack: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        value, slope = self.activation.value_and_slope(stack[0] + bias)
        rows = [value, *(slope * stack[1 + i] for i in range(self.firsts))]
        second = self.activation.second(value, slope)
        for channel, (i, j) in enumerate(self.pairs, start=1 + self.firsts):
            rows.append(slope * stack[channel] + second * (stack[1 + i] * stack[1 + j]))
        return torch.stack(rows), slope

    def pull(self, grad: Tensor, stack: Tensor, value: Tensor, slope: Tensor) -> Tensor:
        second, third = self.activation.second(value, slope), self.activation.third(value, slope)
        rows = [grad[channel] * slope for channel in range(1 + self.firsts + len(self.pairs))]
        for i in range(self.firsts):
            rows[0] = rows[0] + second * (grad[1 + i] * stack[1 + i])
        for channel, (i, j) in enumerate(self.pairs, start=1 + self.firsts):
            pull = grad[channel] * second
            rows[1 + i] = rows[1 + i] + pull * stack[1 + j]
            rows[1 + j] = rows[1 + j] + pull * stack[1 + i]
            rows[0] = rows[0] + pull * stack[channel] + grad[channel] * third * (stack[1 + i] * stack[1 + j])
        return torch.stack(rows)

    def activate_first(self, z: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
        value, slope = self.activation.value_and_slope(z)
        second = self.activation.second(value, slope)
        rows = [value, *(slope * directions[i] for i in range(self.firsts))]
        rows += [second * (directions[i] * directions[j]) for i, j in self.pairs]
        return torch.stack(rows), slope

    def pull_first(
        self, grad: Tensor, directions: Tensor, value: Tensor, slope: Tensor
    ) -> tuple[Tensor, Tensor]:
        second, third = self.activation.second(value, slope), self.activation.third(value, slope)
        to_z = grad[0] * slope
        columns = [torch.zeros_like(direction) for direction in directions]
        for i in range(self.firsts):
            to_z = to_z + second * grad[1 + i] * directions[i]
            columns[i] = (grad[1 + i] * slope).sum(0)
        for channel, (i, j) in enumerate(self.pairs, start=1 + self.firsts):
            to_z = to_z + third * grad[channel] * (directions[i] * directions[j])
            column = (grad[channel] * second).sum(0)
            columns[i] = columns[i] + column * directions[j]
            columns[j] = columns[j] + column * directions[i]
        return to_z, torch.stack(columns)
