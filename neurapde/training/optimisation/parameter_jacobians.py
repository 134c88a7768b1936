"""Derivatives of a field's jet by a trial function's parameters, point by point, for the Jacobian of residuals.

Layered networks have them in closed form: if G is the gradient at a layer's pre-activations and A the layer's input,
point n's derivative by the weight is Σ over channels of G[n] ⊗ A[n]. Trials around a network pass the gradient on to
it. `torch.func` does any other trial, and takes some ten times as long.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from functools import singledispatch
from typing import TypeAlias, cast

import torch
from torch import Tensor
from torch.func import functional_call, jacrev, vjp, vmap

from neurapde.core.errors import DeclarationError
from neurapde.jets.activations import Activation
from neurapde.jets.jet import Jet, Layout
from neurapde.trials.ansatz import AnsatzTrial
from neurapde.trials.base import TrialFunction
from neurapde.trials.networks.layered import LayeredTrial

VectorJacobianProduct: TypeAlias = Callable[[Tensor], Tensor]
"""Takes weights of the channels `(channels, n, …)`, real (complex ones as pairs), to Σ weight · ∂channel/∂θ: `(n, p)`."""


@singledispatch
def vector_jacobian_product(trial: TrialFunction, points: Tensor, layout: Layout) -> VectorJacobianProduct:
    """The vector_jacobian_product of a trial's jet at points (n, d), parameters that require grad in their order.

    Raises: DeclarationError, when called, for a trial that `torch.func` cannot differentiate.
    """
    parameters = {name: p.detach() for name, p in trial.named_parameters() if p.requires_grad}

    def at_point(point: Tensor, weight: Tensor) -> Tensor:
        product = vjp(lambda theta: _channels(trial, theta, point, layout), parameters)[1]
        (gradients,) = product(weight)
        return torch.cat([gradient.reshape(-1) for gradient in gradients.values()])

    def every(weights: Tensor) -> Tensor:
        try:
            return vmap(at_point)(points, weights.movedim(1, 0))
        except RuntimeError as error:
            if "functorch" not in str(error) and "vmap" not in str(error):
                raise
            raise DeclarationError(
                f"torch.func cannot differentiate {trial.spec.describe()} by its parameters; use Siren, MLP, FactoredAnsatz "
                "or TorchModule, or train it with Adam."
            ) from error

    return every


@vector_jacobian_product.register
def _(trial: LayeredTrial, points: Tensor, layout: Layout) -> VectorJacobianProduct:
    if layout.higher:
        return vector_jacobian_product.dispatch(TrialFunction)(trial, points, layout)
    stack = _inputs(trial, points, layout)
    given, sums = [stack], []
    with torch.enable_grad():
        for module, activation in zip(trial.layers, trial.activations, strict=True):
            layer = cast(torch.nn.Linear, module)
            z = stack @ (layer.weight.detach() * activation.omega).T
            z = torch.cat([z[:1] + layer.bias.detach() * activation.omega, z[1:]])
            if not z.requires_grad:
                z.requires_grad_()
            stack = _activated(z, activation, layout)
            sums.append(z)
            given.append(stack)

    def product(weights: Tensor) -> Tensor:
        top = weights.reshape(layout.count, len(points), -1)
        below = torch.autograd.grad(stack, sums, top @ trial.head.weight.detach(), retain_graph=True)
        scales = [activation.omega for activation in trial.activations]
        gradients = [gradient * scale for gradient, scale in zip(below, scales, strict=True)]
        layers = [*(cast(torch.nn.Linear, module) for module in trial.layers), trial.head]
        return _by_parameters(layers, [*gradients, top], given)

    return product


def _by_parameters(
    layers: Sequence[torch.nn.Linear], gradients: Sequence[Tensor], given: Sequence[Tensor]
) -> Tensor:
    """The derivatives `(n, p)` by weights and biases from the layers' inputs and gradients."""
    parts = []
    for layer, gradient, below in zip(layers, gradients, given, strict=True):
        if layer.weight.requires_grad:
            outer = gradient.permute(1, 2, 0) @ below.detach().permute(1, 0, 2)
            parts.append(outer.reshape(len(outer), -1))
        if layer.bias.requires_grad:
            parts.append(gradient[0])
    return torch.cat(parts, dim=1)


def _inputs(trial: LayeredTrial, points: Tensor, layout: Layout) -> Tensor:
    """The channels (C, n, d) of the coordinates that are the input of a layered network."""
    scaled = (trial.inputs(points) - trial.center) / trial.half_extent
    stack = scaled.new_zeros(layout.count, *scaled.shape)
    stack[0] = scaled
    for i in range(layout.firsts):
        stack[layout.first(i), :, i] = 1 / trial.half_extent
    return stack


def _activated(z: Tensor, activation: Activation, layout: Layout) -> Tensor:
    """The chain rule on channels (C, n, w), in operations that torch differentiates."""
    value, slope = activation.value_and_slope(z[0])
    rows = [value[None], slope * z[1 : 1 + layout.firsts]]
    if layout.pairs:
        second = activation.second(value, slope)
        seconds = slope * z[1 + layout.firsts :]
        rows.append(seconds + second * torch.stack([z[1 + i] * z[1 + j] for i, j in layout.pairs]))
    return torch.cat(rows)


@vector_jacobian_product.register(AnsatzTrial)
def _(trial: AnsatzTrial, points: Tensor, layout: Layout) -> VectorJacobianProduct:
    network, places = trial.network, trial.inner(points)
    inner = vector_jacobian_product(network, places, layout)
    with torch.no_grad():
        channels = network.jet(places, layout.order, layout.mixed).channels
    is_complex = channels.is_complex()
    leaf = (torch.view_as_real(channels) if is_complex else channels).clone().requires_grad_()
    known = _Known(network, Jet(torch.view_as_complex(leaf) if is_complex else leaf, layout))
    around = copy(trial)
    around._modules = {**trial._modules, "network": known}
    with torch.enable_grad():
        outer = around.jet(points, layout.order, layout.mixed).channels
    outer = torch.view_as_real(outer) if outer.is_complex() else outer

    def product(weights: Tensor) -> Tensor:
        return inner(torch.autograd.grad(outer, leaf, weights, retain_graph=True)[0])

    return product


class _Known(TrialFunction):
    """A network whose jet at the present points is known."""

    def __init__(self, network: TrialFunction, known: Jet) -> None:
        super().__init__(network.spec, network.dimension, network.outputs, network.complex)
        self.known = known

    def jet(self, points: Tensor, order: int = 2, mixed: Sequence[tuple[int, ...]] = ()) -> Jet:
        return self.known.restricted(Layout(self.dimension, order, tuple(mixed)))


def _channels(
    trial: TrialFunction, parameters: Mapping[str, Tensor], point: Tensor, layout: Layout
) -> Tensor:
    """The channels of `layout` at one point `(d,)`, real: `(channels, …)`."""

    def value(x: Tensor) -> Tensor:
        values = functional_call(trial, dict(parameters), (x[None],))[0]
        return torch.view_as_real(values) if values.is_complex() else values

    every, function = [value(point)], value
    for _ in range(max(map(len, layout.derivatives))):
        function = jacrev(function)
        every.append(function(point))
    rows = []
    for axes in layout.derivatives:
        row = every[len(axes)]
        for axis in axes:
            row = row.select(-1, axis)
        rows.append(row)
    return torch.stack(rows)
