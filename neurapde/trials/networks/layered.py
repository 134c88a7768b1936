"""Networks of alternating linear layers and activations with a linear head, differentiated by a sweep."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor

from neurapde.core.errors import DeclarationError
from neurapde.jets.activations import Activation, Sine
from neurapde.jets.autograd import jet_by_autograd
from neurapde.jets.compiled import best_kernels
from neurapde.jets.jet import Jet, Layout
from neurapde.jets.kernels import EAGER, Kernels
from neurapde.jets.sweep import sweep
from neurapde.trials.base import Bounds, Setting, Trial, TrialFunction, box_scale


class LayeredTrial(TrialFunction):
    """u(x) = head(f_L(… f_1(x̂))) with f_l(a) = f(ω_l(W_l a + b_l)).

    The input x̂ is the point scaled into [−1, 1] by the domain's bounding box.

    layers:      the linear layers below the head, the first from d inputs.
    activations: one for each of them.
    head:        `torch.nn.Linear` from the last width to `outputs`, twice as many if complex: even rows give
                 the real parts, odd rows the imaginary parts.
    kernels:     kernels: the functions of the elementwise part of its sweeps; a method may compile them temporarily.
    """

    center: Tensor

    def __init__(
        self,
        spec: Trial,
        bounds: Bounds,
        layers: Sequence[torch.nn.Linear],
        activations: Sequence[Activation],
        head: torch.nn.Linear,
        complex: bool,
    ) -> None:
        outputs = head.out_features // 2 if complex else head.out_features
        super().__init__(spec, layers[0].in_features, outputs, complex)
        center, self.half_extent = box_scale(bounds)
        self.register_buffer("center", torch.as_tensor(center).to(head.weight), persistent=False)
        self.layers = torch.nn.ModuleList(layers)
        self.activations = tuple(activations)
        self.kernels: Kernels = EAGER
        self._modules["head"] = head  # under the read-only name that every trial function has

    @property
    def head(self) -> torch.nn.Linear:
        return cast(torch.nn.Linear, self._modules["head"])

    def forward(self, points: Tensor) -> Tensor:
        """The field at `points` by plain torch operations, differentiable by torch to any order."""
        return self.field(self.head(self.features(points)))

    def features(self, points: Tensor) -> Tensor:
        a = (self.inputs(points) - self.center) / self.half_extent
        for layer, activation in zip(self.layers, self.activations, strict=True):
            a = activation(layer(a) * activation.omega)
        return a

    def jet(self, points: Tensor, order: int = 2, mixed: Sequence[tuple[int, ...]] = ()) -> Jet:
        layout = Layout(self.dimension, order, tuple(mixed))
        if layout.higher:
            return jet_by_autograd(self, points, layout, keep_graph=torch.is_grad_enabled())
        return Jet(self.field(self._sweep(points, layout, self.head)), layout)

    def feature_jet(self, points: Tensor, order: int = 2, mixed: Sequence[tuple[int, ...]] = ()) -> Jet:
        layout = Layout(self.dimension, order, tuple(mixed))
        if layout.higher:
            return jet_by_autograd(self.features, points, layout, keep_graph=torch.is_grad_enabled())
        return Jet(self._sweep(points, layout, None), layout)

    def _sweep(self, points: Tensor, layout: Layout, head: torch.nn.Linear | None) -> Tensor:
        """The channels of the head's outputs (C, n, outputs), or without it of the last hidden layer (C, n, width)."""
        layers = [(layer.weight, layer.bias) for layer in cast(list[torch.nn.Linear], list(self.layers))]
        inputs = (self.inputs(points) - self.center) / self.half_extent
        last = None if head is None else (head.weight, head.bias)
        return sweep(inputs, layers, last, self.activations, layout, 1.0 / self.half_extent, self.kernels)


def linear(weight: Tensor, bias: Tensor, setting: Setting) -> torch.nn.Linear:
    """A linear layer with the given weight (out, in) and bias (out,), without drawing any number."""
    layer = torch.nn.Linear(weight.shape[1], weight.shape[0], device="meta")
    layer.weight = torch.nn.Parameter(weight.to(device=setting.device, dtype=setting.dtype))
    layer.bias = torch.nn.Parameter(bias.to(device=setting.device, dtype=setting.dtype))
    return layer


def perceptron(
    sizes: Sequence[int], setting: Setting, fan: Callable[[int, int], int]
) -> list[torch.nn.Linear]:
    """Linear layers between these sizes: weights U(±√(6/fan(n_in, n_out))), biases U(±1/√n_in), the last one's zero."""
    layers = []
    for n_in, n_out in pairwise(sizes):
        weight = uniform((n_out, n_in), math.sqrt(6 / fan(n_in, n_out)), setting.generator)
        bias = uniform((n_out,), 1 / math.sqrt(n_in), setting.generator)
        layers.append(linear(weight, bias, setting))
    torch.nn.init.zeros_(layers[-1].bias)
    return layers


def uniform(shape: tuple[int, ...], limit: float, generator: torch.Generator) -> Tensor:
    """Numbers drawn from U(−limit, limit) in float64, so that every dtype rounds the same draw."""
    numbers = torch.empty(shape, dtype=torch.float64, device=generator.device)
    return numbers.uniform_(-limit, limit, generator=generator)


def first_frequencies(trial: TrialFunction) -> dict[Tensor, float]:
    """The frequency ω of each first layer of sines in `trial`, by its weight and by its bias."""
    frequencies: dict[Tensor, float] = {}
    for module in trial.modules():
        if isinstance(module, LayeredTrial) and isinstance(module.activations[0], Sine):
            frequencies |= dict.fromkeys(module.layers[0].parameters(), module.activations[0].omega)
    return frequencies


@contextmanager
def compiled(trial: TrialFunction) -> Iterator[str | None]:
    """Compile the sweeps of every layered network in `trial` inside a with statement.

    Gives None, or the reason why this machine cannot compile; the network then runs uncompiled.
    Raises DeclarationError for a trial function without such a network.
    """
    layered = [module for module in trial.modules() if isinstance(module, LayeredTrial)]
    if not layered:
        raise DeclarationError(
            f"compile=True is for networks with layers, but {trial.spec.describe()} has none; leave it out."
        )
    kernels, reason = best_kernels(next(trial.parameters()).device)
    for network in layered:
        network.kernels = kernels
    try:
        yield None if reason is None else f"compile=True had no effect: {reason}"
    finally:
        for network in layered:
            network.kernels = EAGER
