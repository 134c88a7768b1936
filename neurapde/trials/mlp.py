"""Plain multilayer perceptrons with tanh, ReLU and others, to compare a SIREN with."""

from __future__ import annotations

from dataclasses import dataclass

from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.jets.activations import ELU, SELU, Activation, ReLU, Sigmoid, Softplus, Tanh
from neurapde.trials.base import Setting, Trial, check_size
from neurapde.trials.layered import LayeredTrial, perceptron

_ACTIVATIONS: dict[str, Activation] = {
    "tanh": Tanh(),
    "relu": ReLU(),
    "softplus": Softplus(),
    "sigmoid": Sigmoid(),
    "elu": ELU(),
    "selu": SELU,
}
_GLOROT, _LECUN = ("tanh", "sigmoid"), ("selu",)


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
        if not isinstance(self.activation, str) or self.activation not in _ACTIVATIONS:
            raise DeclarationError(
                f"activation={checks.shown(self.activation)} is not known to MLP; use one of "
                f"{', '.join(map(repr, _ACTIVATIONS))}, "
                "or Siren for sines."
            )

    def draw(self, setting: Setting) -> LayeredTrial:
        sizes = [setting.dimension, *[self.width] * (self.depth + 1), setting.rows]
        inward = 2 if self.activation in _LECUN else 1
        outward = 1 if self.activation in _GLOROT else 0
        *layers, head = perceptron(sizes, setting, lambda n_in, n_out: inward * n_in + outward * n_out)
        activations = [_ACTIVATIONS[self.activation]] * len(layers)
        return LayeredTrial(self, setting.bounds, layers, activations, head, setting.complex)
