"""The set encoder: a network takes each point with its value, and a second network takes the mean of the results."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from neurapde.core import checks
from neurapde.learning.batches import PointSets
from neurapde.learning.encoders.encoder import Conditioner, Encoder
from neurapde.learning.spaces import FunctionSpace
from neurapde.trials.base import Bounds, Setting, box_scale
from neurapde.trials.networks.layered import perceptron


@dataclass(frozen=True)
class SetEncoder(Encoder):
    """z = ρ(mean over the points of φ(x, v)): any number of points in any order, anywhere.

    width:       neurons of φ and ρ, both of ReLU layers.
    depth:       hidden layers of φ after the first; ρ has one hidden layer.
    frequencies: sines and cosines of random wavevectors that φ takes together with the point; 0 for the point alone.
    bandwidth:   standard deviation of these wavevectors, in radians on the domain scaled to [−1, 1].

    Source: Garnelo et al. (2018), Conditional neural processes, ICML; Zaheer et al. (2017), Deep sets, NeurIPS 30; Tancik
    et al. (2020), NeurIPS 33, for the random frequencies, which the SIREN paper has as a first layer of sines.
    """

    width: int = 256
    depth: int = 1
    frequencies: int = 64
    bandwidth: float = 6.0

    def __post_init__(self) -> None:
        checks.whole(self.width, "width")
        checks.whole(self.depth, "depth", 0)
        checks.whole(self.frequencies, "frequencies", 0)
        checks.amount(self.bandwidth, "bandwidth")

    def build(self, seen: Setting, space: FunctionSpace, fields: int) -> Conditioner:
        shape = (seen.dimension, self.frequencies)
        waves = torch.empty(shape, dtype=torch.float64, device=seen.generator.device)
        waves.normal_(0.0, self.bandwidth, generator=seen.generator)
        entry = seen.dimension + 2 * self.frequencies + seen.rows
        each = relu_layers([entry, *[self.width] * (self.depth + 1)], seen)
        after = relu_layers([self.width, self.width, space.latent], seen)
        return _Sets(seen.bounds, waves.to(device=seen.device, dtype=seen.dtype), each, after)


class _Sets(Conditioner):
    center: Tensor
    waves: Tensor

    def __init__(
        self, bounds: Bounds, waves: Tensor, each: torch.nn.Sequential, after: torch.nn.Sequential
    ) -> None:
        super().__init__()
        center, self.half_extent = box_scale(bounds)
        self.register_buffer("center", torch.as_tensor(center).to(waves), persistent=False)
        self.register_buffer("waves", waves)
        self.each, self.after = each, after

    def codes(self, seen: PointSets, space: FunctionSpace) -> Tensor:
        field, point = seen.present.nonzero(as_tuple=True)
        x = (seen.points[field, point] - self.center) / self.half_extent
        phase = x @ self.waves
        rows = torch.cat((x, phase.sin(), phase.cos(), seen.features[field, point]), dim=-1)
        features = torch.relu(self.each(rows))
        sums = features.new_zeros(len(seen.points), features.shape[1]).index_add(0, field, features)
        return self.after(sums / seen.counts)


def relu_layers(sizes: Sequence[int], setting: Setting) -> torch.nn.Sequential:
    """Linear layers of these sizes with ReLU between them, weights U(±√(6/n)) (He, Zhang, Ren, Sun 2015)."""
    layers = perceptron(sizes, setting, lambda n_in, n_out: n_in)
    between = [module for layer in layers for module in (layer, torch.nn.ReLU())]
    return torch.nn.Sequential(*between[:-1])
