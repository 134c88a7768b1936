"""Radial basis functions with trained centres and widths, to compare networks with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from neurapde.core import checks
from neurapde.jets.activations import Activation
from neurapde.jets.jet import Jet, Layout
from neurapde.jets.sweep import linear_layer
from neurapde.trials.base import Bounds, Setting, Trial, TrialFunction, box_scale
from neurapde.trials.networks.layered import perceptron, uniform
from neurapde.trials.networks.mlp import ACTIVATIONS, MLP, fan


@dataclass(frozen=True)
class RBF(Trial):
    """u = Σ a_j φ_j + b, φ_j = exp(−σ_j² |x̂ − c_j|²), x̂ the point scaled into [−1, 1] by the domain's bounding box.

    count: Gaussians; the paper's baseline has 1024.
    sharpness: σ_j at the start, the same for all; 10 as in the official code. Centres start uniform in the box.
    layers: between the Gaussians and the head; the paper's baseline for pictures, sounds and films has 4.
    width, activation: their neurons, "relu" or another activation of `MLP`. All of these are trained. The layers start
    as those of `MLP`.
    Source: a baseline of Sitzmann, Martel, Bergman, Lindell, Wetzstein (2020), NeurIPS 33.
    """

    count: int = 1024
    sharpness: float = 10.0
    width: int = 256
    layers: int = 0
    activation: str = "relu"

    def __post_init__(self) -> None:
        checks.whole(self.count, "count")
        MLP(self.width, activation=self.activation)
        checks.whole(self.layers, "layers", 0, ", 0 for none")
        checks.number(
            self.sharpness, "sharpness", lambda x: x > 0, "give a positive number, 10 as in the paper"
        )

    def draw(self, setting: Setting) -> RBFTrial:
        generator = setting.generator
        center, half = box_scale(setting.bounds)
        reach = (torch.as_tensor(setting.bounds[1], dtype=torch.float64) - torch.as_tensor(center)) / half
        centers = uniform((self.count, len(reach)), 1.0, generator) * reach.to(generator.device)
        sizes = [self.count, *[self.width] * self.layers, setting.rows]
        *layers, head = perceptron(sizes, setting, fan(self.activation))
        return RBFTrial(self, setting.bounds, centers.to(head.weight), layers, head, setting.complex)


class RBFTrial(TrialFunction):
    """The sum of Gaussians, or of neurons on them; derivatives are closed forms.

    centers: (count, d) in scaled coordinates.
    """

    center: Tensor

    def __init__(
        self,
        spec: RBF,
        bounds: Bounds,
        centers: Tensor,
        layers: Sequence[torch.nn.Linear],
        head: torch.nn.Linear,
        complex: bool,
    ) -> None:
        outputs = head.out_features // 2 if complex else head.out_features
        super().__init__(spec, centers.shape[1], outputs, complex)
        center, self.half_extent = box_scale(bounds)
        self.register_buffer("center", torch.as_tensor(center).to(centers), persistent=False)
        self.centers = torch.nn.Parameter(centers)
        self.sharpness = torch.nn.Parameter(torch.full_like(centers[:, 0], spec.sharpness))
        self.layers = torch.nn.ModuleList(layers)
        self.activation = ACTIVATIONS[spec.activation]
        self._modules["head"] = head  # under the read-only name that every trial function has

    @property
    def head(self) -> torch.nn.Linear:
        return cast(torch.nn.Linear, self._modules["head"])

    def jet(self, points: Tensor, order: int = 2, mixed: Sequence[tuple[int, ...]] = ()) -> Jet:
        features = self.feature_jet(points, order, mixed)
        out = linear_layer(features.channels, self.head.weight, self.head.bias)
        return Jet(self.field(out), features.layout)

    def feature_jet(self, points: Tensor, order: int = 2, mixed: Sequence[tuple[int, ...]] = ()) -> Jet:
        layout = Layout(self.dimension, order, tuple(mixed))
        x = (self.inputs(points) - self.center) / self.half_extent
        steep = self.sharpness.square()
        away = [x[:, i : i + 1] - self.centers[:, i] for i in range(self.dimension)]
        bell = torch.exp(-steep * torch.stack([a.square() for a in away]).sum(0))
        # ∂_i of the exponent is −2σ²(x̂ − c)_i dx̂/dx, and ∂_ii of it −2σ² (dx̂/dx)².
        slopes = [-2 * steep / self.half_extent * a for a in away[: layout.firsts]]
        rows = [bell, *(bell * slope for slope in slopes)]
        for i, j in layout.pairs:
            bend = 2 * steep / self.half_extent**2 if i == j else 0.0
            rows.append(bell * (slopes[i] * slopes[j] - bend))
        channels = torch.stack(rows)
        for layer in cast(list[torch.nn.Linear], list(self.layers)):
            channels = _activated(linear_layer(channels, layer.weight, layer.bias), self.activation, layout)
        return Jet(channels, layout)


def _activated(channels: Tensor, f: Activation, layout: Layout) -> Tensor:
    """Channels (C, n, w) of f(z) from those of z, by plain torch operations: f′ z_i and f′ z_ij + f″ z_i z_j."""
    z, slopes = channels[0], channels[1 : 1 + layout.firsts]
    value, slope = f.value_and_slope(z)
    second = f.second(value, slope)
    rows = [value, *(slope * each for each in slopes)]
    for row, (i, j) in zip(channels[1 + layout.firsts :], layout.pairs, strict=True):
        rows.append(slope * row + second * slopes[i] * slopes[j])
    return torch.stack(rows)
