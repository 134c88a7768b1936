"""Multilayer perceptrons for comparison with a SIREN: plain ones, and ReLU networks on fixed sines and cosines.

The encoding is a first layer of sines that is not trained; a cosine is a sine with a phase of π/2.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.jets.activations import ELU, SELU, Activation, ReLU, Sigmoid, Sine, Softplus, Tanh
from neurapde.trials.base import Setting, Trial, check_size
from neurapde.trials.networks.layered import LayeredTrial, linear, perceptron

ACTIVATIONS: dict[str, Activation] = {
    "tanh": Tanh(),
    "relu": ReLU(),
    "softplus": Softplus(),
    "sigmoid": Sigmoid(),
    "elu": ELU(),
    "selu": SELU,
}
_GLOROT, _LECUN = ("tanh", "sigmoid"), ("selu",)


def fan(activation: str) -> Callable[[int, int], int]:
    """n in the limit √(6/n) of the weights of a layer before this activation, from its inputs and outputs; see `MLP`."""
    inward = 2 if activation in _LECUN else 1
    outward = 1 if activation in _GLOROT else 0
    return lambda n_in, n_out: inward * n_in + outward * n_out


@dataclass(frozen=True)
class MLP(Trial):
    """A perceptron of `1 + depth` hidden layers and a linear head, counted as in `Siren`.

    width:      neurons of each hidden layer.
    depth:      hidden layers after the first.
    activation: "tanh", "softplus", "relu", "sigmoid", "elu" or "selu". The second derivatives of a ReLU network are
                zero, so it cannot satisfy a second-order PDE by its strong form.

    Weights are U(±√(6/(n_in + n_out))) for tanh and sigmoid (Glorot, Bengio 2010, equation 16), U(±√(3/n_in)) for SELU
    (LeCun's variance, which Klambauer et al. 2017 take) and U(±√(6/n_in)) for the
    others (He, Zhang, Ren, Sun 2015, equation 10); biases U(±1/√n_in), so that the layers' steps spread over
    the domain; the head's bias is zero.
    """

    width: int = 128
    depth: int = 3
    activation: str = "tanh"

    def __post_init__(self) -> None:
        check_size(self.width, self.depth)
        if not isinstance(self.activation, str) or self.activation not in ACTIVATIONS:
            raise DeclarationError(
                f"activation={checks.shown(self.activation)} is not known to MLP; use one of "
                f"{', '.join(map(repr, ACTIVATIONS))}, "
                "or Siren for sines."
            )

    def draw(self, setting: Setting) -> LayeredTrial:
        sizes = [setting.dimension, *[self.width] * (self.depth + 1), setting.rows]
        *layers, head = perceptron(sizes, setting, fan(self.activation))
        activations = [ACTIVATIONS[self.activation]] * len(layers)
        return LayeredTrial(self, setting.bounds, layers, activations, head, setting.complex)


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
