"""Plain multilayer perceptrons with tanh, softplus or ReLU, to compare a SIREN with."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch

from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.jets.activations import Activation, ReLU, Softplus, Tanh
from neurapde.trials.base import Bounds, Trial, check_size
from neurapde.trials.layered import LayeredTrial, linear, uniform

_ACTIVATIONS: dict[str, Activation] = {"tanh": Tanh(), "relu": ReLU(), "softplus": Softplus()}


@dataclass(frozen=True)
class MLP(Trial):
    """A perceptron of `1 + depth` hidden layers and a linear head, counted as in `Siren`.

    width:      neurons of each hidden layer.
    depth:      hidden layers after the first.
    activation: "tanh", "softplus" or "relu". The second derivatives of a ReLU network are zero, so it cannot
                satisfy a second-order PDE by its strong form.

    Weights are U(±√(6/(n_in + n_out))) for tanh (Glorot, Bengio 2010, equation 16) and U(±√(6/n_in)) for the
    others (He, Zhang, Ren, Sun 2015, equation 10); biases U(±1/√n_in), so that the layers' steps spread over
    the domain; the head's bias is zero.
    """

    width: int = 128
    depth: int = 3
    activation: str = "tanh"

    def __post_init__(self) -> None:
        check_size(self.width, self.depth)
        if not isinstance(self.activation, str) or self.activation not in _ACTIVATIONS:
            raise DeclarationError(
                f"activation={checks.shown(self.activation)} is not known to MLP; use one of "
                f"{', '.join(map(repr, _ACTIVATIONS))}, "
                "or Siren for sines."
            )

    def build(
        self,
        bounds: Bounds,
        outputs: int = 1,
        complex: bool = False,
        *,
        generator: torch.Generator,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> LayeredTrial:
        rows = outputs * (2 if complex else 1)
        sizes = [len(bounds[0]), *[self.width] * (self.depth + 1), rows]
        layers = []
        for n_in, n_out in pairwise(sizes):
            fan = n_in + n_out if self.activation == "tanh" else n_in
            weight = uniform((n_out, n_in), math.sqrt(6 / fan), generator)
            bias = uniform((n_out,), 1 / math.sqrt(n_in), generator)
            layers.append(linear(weight, bias, dtype, device))
        head = layers.pop()
        torch.nn.init.zeros_(head.bias)
        activations = [_ACTIVATIONS[self.activation]] * len(layers)
        return LayeredTrial(self, bounds, layers, activations, head, complex)
