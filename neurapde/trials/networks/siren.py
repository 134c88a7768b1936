"""SIREN: a network of sine layers whose pre-activations start as standard normal numbers at any depth."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from neurapde.jets.activations import Sine
from neurapde.trials.base import Setting, Trial, check_size
from neurapde.trials.networks.layered import LayeredTrial, linear, uniform


@dataclass(frozen=True)
class Siren(Trial):
    """A SIREN of `1 + depth` sine layers sin(ω(Wx + b)) and a linear head.

    width:        neurons of each sine layer.
    depth:        sine layers after the first; the paper's "256 × (1 + 3)" is width 256, depth 3.
    omega_0:      ω of the first layer; it starts with wavenumbers up to ω/d per axis on the domain scaled to
                  [−1, 1].
    omega_hidden: ω of the layers after it.

    Weights are the paper's: U(−1/d, 1/d) in the first layer and U(±√(6/n)/ω) in the others, the head included
    (the official code's choice). Biases are chosen so that the paper's theorem, pre-activations ω(Wx + b) ~
    N(0, 1) at every depth, holds as stated. First layer: U(±π/ω), a uniform phase, which makes its outputs
    arcsine-distributed with variance 1/2. Second layer: zero, since the weights alone then give variance 1.
    Deeper layers: normal of variance e⁻²/ω², because the sine of a standard normal has variance (1 − e⁻²)/2,
    not 1/2; without this the deviation falls to 0.89, and with torch's own U(±1/√n) it rises to 1.5 at
    n = 256. The head's bias is zero.
    Source: Sitzmann, Martel, Bergman, Lindell, Wetzstein (2020), NeurIPS 33, section 3.2 and supplement 1.
    """

    width: int = 256
    depth: int = 3
    omega_0: float = 30.0
    omega_hidden: float = 30.0

    def __post_init__(self) -> None:
        check_size(self.width, self.depth)
        Sine(self.omega_0), Sine(self.omega_hidden)

    def draw(self, setting: Setting) -> LayeredTrial:
        dimension, generator = setting.dimension, setting.generator
        weight = uniform((self.width, dimension), 1 / dimension, generator)
        bias = uniform((self.width,), math.pi / self.omega_0, generator)
        layers = [linear(weight, bias, setting)]
        limit = math.sqrt(6 / self.width) / self.omega_hidden
        for level in range(self.depth):
            weight = uniform((self.width, self.width), limit, generator)
            bias = torch.zeros(self.width, dtype=torch.float64, device=generator.device)
            if level > 0:
                bias.normal_(0.0, math.exp(-1) / self.omega_hidden, generator=generator)
            layers.append(linear(weight, bias, setting))
        weight = uniform((setting.rows, self.width), limit, generator)
        head = linear(weight, torch.zeros(setting.rows), setting)
        activations = [Sine(self.omega_0)] + [Sine(self.omega_hidden)] * self.depth
        return LayeredTrial(self, setting.bounds, layers, activations, head, setting.complex)
