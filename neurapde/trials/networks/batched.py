"""One network with many sets of weights: batched matrix products give all its fields, or their jets, at once."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from neurapde.jets.activations import Activation
from neurapde.jets.jet import Jet
from neurapde.jets.layout import Layout
from neurapde.trials.networks.layered import LayeredTrial

Weights = Mapping[str, Tensor]
"""Parameters of many networks of one kind, by the names of `named_parameters`: (fields, *shape) each."""


def shared_weights(network: LayeredTrial) -> dict[str, Tensor]:
    """A network's own parameters as the weights of one field."""
    return {name: parameter.unsqueeze(0) for name, parameter in network.named_parameters()}


def as_weights(network: LayeredTrial, numbers: Tensor) -> dict[str, Tensor]:
    """Rows (fields, parameter_count) as weights, in the order of `named_parameters`."""
    weights, start = {}, 0
    for name, parameter in network.named_parameters():
        values = numbers[:, start : start + parameter.numel()]
        weights[name] = values.reshape(-1, *parameter.shape)
        start += parameter.numel()
    return weights


def batched_values(network: LayeredTrial, weights: Weights, points: Tensor) -> Tensor:
    """The fields (fields, n, outputs) at points (n, d), or (fields, n, d) where each has its own.

    By plain torch operations, differentiable to any order by weights and points.
    """
    a = (points - network.center) / network.half_extent
    for level, activation in enumerate(network.activations):
        a = activation(_affine(a, weights, f"layers.{level}", activation.omega))
    return _combined(network, _affine(a, weights, "head"))


def batched_jet(
    network: LayeredTrial,
    weights: Weights,
    points: Tensor,
    order: int = 2,
    mixed: Sequence[tuple[int, ...]] = (),
) -> Jet:
    """The jet of all fields, its rows the points of one field after another: channels (C, fields · n, outputs).

    points: (n, d), or (fields, n, d); derivatives are by their coordinates. The last axis is missing of a single output.
    """
    layout = Layout(network.dimension, order, tuple(mixed))
    slope = 1.0 / network.half_extent
    z = _affine((points - network.center) * slope, weights, "layers.0", network.activations[0].omega)
    omega = network.activations[0].omega
    directions = weights["layers.0.weight"].movedim(-1, 0)[:, :, None, :] * (omega * slope)
    rows = [z, *(direction.expand_as(z) for direction in directions[: layout.firsts])]
    rows += [torch.zeros_like(z)] * len(layout.pairs)
    channels = _activated(torch.stack(rows), network.activations[0], layout)
    for level, activation in enumerate(network.activations[1:], start=1):
        channels = _activated(
            _affine(channels, weights, f"layers.{level}", activation.omega), activation, layout
        )
    combined = _combined(network, _affine(channels, weights, "head")).flatten(1, 2)
    return Jet(combined.squeeze(-1) if network.outputs == 1 else combined, layout)


def _affine(a: Tensor, weights: Weights, layer: str, omega: float = 1.0) -> Tensor:
    """ω(W a + b) of rows a (n, v) or (fields, n, v); of channels (C, fields, n, v) b moves the first alone."""
    weight, bias = weights[f"{layer}.weight"], weights[f"{layer}.bias"].unsqueeze(1)
    if omega != 1.0:
        weight, bias = weight * omega, bias * omega
    turned = weight.transpose(-1, -2)
    if a.ndim < 4:
        return torch.matmul(a, turned) + bias
    out = torch.matmul(a, turned)
    return torch.cat((out[:1] + bias, out[1:]))


def _activated(z: Tensor, activation: Activation, layout: Layout) -> Tensor:
    """The channels (C, fields, n, w) of f(z): a_i = f′ z_i, a_ij = f′ z_ij + f″ z_i z_j."""
    value, slope = activation.value_and_slope(z[0])
    rows = [value, *(slope * z[1 + i] for i in range(layout.firsts))]
    if layout.pairs:
        second = activation.second(value, slope)
        for channel, (i, j) in enumerate(layout.pairs, start=1 + layout.firsts):
            rows.append(slope * z[channel] + second * z[1 + i] * z[1 + j])
    return torch.stack(rows)


def _combined(network: LayeredTrial, out: Tensor) -> Tensor:
    """Fields (…, outputs), complex where the network's are, from the numbers of the head."""
    if network.complex:
        return torch.view_as_complex(out.reshape(*out.shape[:-1], network.outputs, 2))
    return out
