"""Networks on fixed sines and cosines of the coordinates: positional encoding and random Fourier features.

The encoding is a first layer of sines that is not trained, a cosine being a sine a quarter turn ahead.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.jets.activations import ReLU, Sine
from neurapde.trials.base import Setting, Trial, check_size
from neurapde.trials.layered import LayeredTrial, linear, perceptron


@dataclass(frozen=True)
class Encoded(Trial, ABC):
    """A ReLU network of `1 + depth` hidden layers on an encoding of the coordinates, scaled into [−1, 1]."""

    width: int = 256
    depth: int = 3

    def __post_init__(self) -> None:
        check_size(self.width, self.depth)

    @abstractmethod
    def wavevectors(self, dimension: int, generator: torch.Generator) -> Tensor:
        """The rows w (m, d) of the encoding sin(w·x), cos(w·x)."""

    def draw(self, setting: Setting) -> LayeredTrial:
        waves = self.wavevectors(setting.dimension, setting.generator)
        weight = torch.cat([waves, waves])
        bias = torch.cat([torch.zeros(len(waves)), torch.full((len(waves),), math.pi / 2)])
        encoding = linear(weight, bias, setting).requires_grad_(False)
        sizes = [len(weight), *[self.width] * (self.depth + 1), setting.rows]
        *layers, head = perceptron(sizes, setting, lambda n_in, n_out: n_in)
        activations = [Sine(1.0), *[ReLU()] * (self.depth + 1)]
        return LayeredTrial(self, setting.bounds, [encoding, *layers], activations, head, setting.complex)


@dataclass(frozen=True)
class ReluPE(Encoded):
    """A ReLU network on the positional encoding sin(2ᵏπx), cos(2ᵏπx), k = 0 … octaves − 1, of each coordinate.

    width, depth: of the ReLU layers, `1 + depth` of them.
    octaves: the highest frequency is 2^(octaves − 1) periods in the length of the domain; 8 resolve 256 samples.
    Source: Mildenhall et al. (2020), NeRF, section 5.1; a baseline of Sitzmann et al. (2020). Weights as in `MLP`.
    """

    octaves: int = 8

    def __post_init__(self) -> None:
        super().__post_init__()
        if checks.whole(self.octaves, "octaves", 1, ", up to 20") > 20:
            raise DeclarationError(f"octaves={self.octaves!r}; give a whole number from 1 to 20")

    def wavevectors(self, dimension: int, generator: torch.Generator) -> Tensor:
        octaves = math.pi * 2.0 ** torch.arange(self.octaves, dtype=torch.float64)
        return torch.kron(torch.eye(dimension, dtype=torch.float64), octaves[:, None])


@dataclass(frozen=True)
class FourierFeatures(Encoded):
    """A ReLU network on sin(2πb·x), cos(2πb·x) with frequencies b drawn from a normal distribution, and then fixed.

    width, depth: of the ReLU layers, `1 + depth` of them.
    features: frequencies; twice as many inputs of the network.
    deviation: of each coordinate of b, in periods per half the length of the domain.
    Source: Tancik et al. (2020), Fourier features let networks learn high frequency functions, NeurIPS 33.
    """

    features: int = 256
    deviation: float = 10.0

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.whole(self.features, "features")
        checks.number(self.deviation, "deviation", lambda x: x > 0, "give a positive number, 10 for pictures")

    def wavevectors(self, dimension: int, generator: torch.Generator) -> Tensor:
        drawn = torch.empty((self.features, dimension), dtype=torch.float64, device=generator.device)
        return 2 * math.pi * drawn.normal_(0.0, self.deviation, generator=generator)
