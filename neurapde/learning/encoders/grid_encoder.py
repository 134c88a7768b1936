"""The convolutional encoder: observations are put on a grid, with a mask of their nodes, and read as a picture."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.learning.batches import PointSets
from neurapde.learning.encoders.encoder import Conditioner, Encoder
from neurapde.learning.encoders.set_encoder import relu_layers
from neurapde.learning.spaces import FunctionSpace
from neurapde.trials.base import Setting, corners
from neurapde.trials.networks.layered import uniform

CONVOLUTIONS = {1: torch.nn.Conv1d, 2: torch.nn.Conv2d, 3: torch.nn.Conv3d}
KERNEL = 3


@dataclass(frozen=True)
class GridEncoder(Encoder):
    """z = a small residual network of the masked picture: for points in one to three dimensions.

    shape:    nodes along each axis, from one side of the domain to the other: those of the pictures.
    channels: of the convolutions, one entry a level; each level after the first has half the nodes along each axis.
    width:    neurons of the layer between the last level and the code.

    A value belongs to the node nearest to its point; a node with several values takes their mean. The mask, 1 at nodes
    with observations, is a separate channel.
    Source: Sitzmann et al. (2020), NeurIPS 33, supplement, section 9, whose encoder has four residual blocks of 256
    channels on the full grid; Gordon et al. (2020), Convolutional conditional neural processes, ICLR, for the density.
    """

    shape: Sequence[int]
    channels: Sequence[int] = (32, 64, 64)
    width: int = 256

    def __post_init__(self) -> None:
        for name in ("shape", "channels"):
            if not isinstance(getattr(self, name), list | tuple) or not getattr(self, name):
                raise DeclarationError(
                    f"{name}={checks.shown(getattr(self, name))}: give whole numbers, (32, 32)"
                )
        for nodes in self.shape:
            checks.whole(nodes, "shape", 2)
        for count in self.channels:
            checks.whole(count, "channels")
        checks.whole(self.width, "width")

    def build(self, seen: Setting, space: FunctionSpace, fields: int) -> Conditioner:
        dimension = seen.dimension
        if dimension not in CONVOLUTIONS or len(self.shape) != dimension:
            raise DeclarationError(
                f"shape={tuple(self.shape)}: points have {dimension} coordinates; give the number of nodes along each "
                "axis, for at most three axes, or use SetEncoder()"
            )
        return _Grid(self, seen, space.latent)


class _Grid(Conditioner):
    lower: Tensor
    spacing: Tensor

    def __init__(self, spec: GridEncoder, seen: Setting, latent: int) -> None:
        super().__init__()
        self.shape = tuple(spec.shape)
        lower, upper = corners(seen.bounds)
        spacing = (upper - lower) / (np.array(self.shape) - 1)
        for name, numbers in (("lower", lower), ("spacing", spacing)):
            here = torch.as_tensor(numbers).to(device=seen.device, dtype=seen.dtype)
            self.register_buffer(name, here, persistent=False)
        first, *_ = channels = tuple(spec.channels)

        def convolution(n_in: int, n_out: int, stride: int = 1) -> torch.nn.Module:
            return _convolution(n_in, n_out, stride, seen)

        self.entry = convolution(seen.rows + 1, first)
        self.levels = torch.nn.ModuleList([_Block(convolution(n, n), convolution(n, n)) for n in channels])
        self.steps = torch.nn.ModuleList([convolution(n, m, 2) for n, m in pairwise(channels)])
        nodes = math.prod(-(-n // 2 ** (len(channels) - 1)) for n in self.shape)
        self.after = relu_layers([channels[-1] * nodes, spec.width, latent], seen)

    def codes(self, seen: PointSets, space: FunctionSpace) -> Tensor:
        a = torch.relu(self.entry(self.picture(seen)))
        for level, block in enumerate(self.levels):
            a = block(torch.relu(self.steps[level - 1](a)) if level else a)
        return self.after(torch.relu(a).flatten(1))

    def picture(self, seen: PointSets) -> Tensor:
        """The mean of the observations at each node and the mask, (fields, c + 1, *shape)."""
        place = ((seen.points - self.lower) / self.spacing).round().long()
        node = torch.zeros_like(place[..., 0])
        for axis, nodes in enumerate(self.shape):
            node = node * nodes + place[..., axis].clamp(0, nodes - 1)
        both = seen.means_at(node, math.prod(self.shape))
        return both.movedim(-1, 1).reshape(len(both), -1, *self.shape)


class _Block(torch.nn.Module):
    """a + C(relu(C(relu(a))))."""

    def __init__(self, first: torch.nn.Module, second: torch.nn.Module) -> None:
        super().__init__()
        self.first, self.second = first, second

    def forward(self, a: Tensor) -> Tensor:
        return a + self.second(torch.relu(self.first(torch.relu(a))))


def _convolution(n_in: int, n_out: int, stride: int, setting: Setting) -> torch.nn.Module:
    """A convolution with zero padding, weights U(±√(6/n)) and biases zero."""
    layer = CONVOLUTIONS[setting.dimension](n_in, n_out, KERNEL, stride, padding=1, device="meta")
    limit = math.sqrt(6 / (n_in * KERNEL**setting.dimension))
    weight = uniform(tuple(layer.weight.shape), limit, setting.generator)
    layer.weight = torch.nn.Parameter(weight.to(device=setting.device, dtype=setting.dtype))
    layer.bias = torch.nn.Parameter(torch.zeros(n_out, device=setting.device, dtype=setting.dtype))
    return layer
