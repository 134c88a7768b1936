"""Spaces of functions: a network whose weights depend on a code, so that each code gives a field."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import singledispatch

import torch
from torch import Tensor

from neurapde.core import checks
from neurapde.core.declaration import Declaration
from neurapde.core.errors import DeclarationError
from neurapde.learning.batches import Scale
from neurapde.trials.base import Setting, TrialFunction
from neurapde.trials.networks.batched import Weights, as_weights, batched_values, shared_weights
from neurapde.trials.networks.hyper import Hypernetwork, HyperSiren
from neurapde.trials.networks.layered import LayeredTrial, linear, uniform
from neurapde.trials.networks.mlp import MLP
from neurapde.trials.networks.siren import Siren


@dataclass(frozen=True)
class ConditionedMLP(Declaration):
    """A perceptron whose input is the point and the code: the decoder of a conditional neural process.

    width, depth, activation: as in `MLP`. latent: numbers in a code.
    Source: Garnelo, Rosenbaum, Maddison, Ramalho, Saxton, Shanahan, Teh, Rezende, Eslami (2018), Conditional neural
    processes, ICML.
    """

    width: int = 128
    depth: int = 3
    latent: int = 128
    activation: str = "relu"

    def __post_init__(self) -> None:
        MLP(self.width, self.depth, self.activation)
        checks.whole(self.latent, "latent")


class FunctionSpace(torch.nn.Module, ABC):
    """Codes (fields, latent) to weights of `network`, whose form all fields share."""

    network: LayeredTrial

    def __init__(self, setting: Setting) -> None:
        super().__init__()
        self.setting = setting

    @property
    @abstractmethod
    def latent(self) -> int:
        """Numbers in a code."""

    def start(self, generator: torch.Generator) -> Tensor:
        """A code (latent,) to start from, on the device of the generator."""
        code = torch.empty(self.latent, dtype=torch.float64, device=generator.device)
        return code.normal_(generator=generator)

    @abstractmethod
    def weights(self, codes: Tensor) -> dict[str, Tensor]:
        """The weights of each field; shared weights have the length 1 for `fields`."""

    def values(self, codes: Tensor, points: Tensor) -> Tensor:
        """The fields of codes at points (n, d) or (fields, n, d): (fields, n, c), on the networks' own scale."""
        return batched_values(self.network, self.weights(codes), points)

    def field(self, code: Tensor, scale: Scale) -> TrialFunction:
        """The field of one code (latent,) as a network, on the scale of the data."""
        with torch.no_grad():
            weights = scaled(self.weights(code.unsqueeze(0)), scale)

        def layer(name: str) -> torch.nn.Linear:
            weight, bias = (weights[f"{name}.{kind}"][0].clone() for kind in ("weight", "bias"))
            return linear(weight, bias, self.setting)

        layers = [layer(f"layers.{level}") for level in range(len(self.network.layers))]
        spec, activations = self.network.spec, self.network.activations
        bounds, complex = self.setting.bounds, self.setting.complex
        return LayeredTrial(spec, bounds, layers, activations, layer("head"), complex)


def scaled(weights: Weights, scale: Scale) -> dict[str, Tensor]:
    """Weights of the same fields on the scale of the data: head · factor + shift."""
    shift, factor = scale.shift, scale.factor
    if shift.is_complex():
        shift, factor = torch.view_as_real(shift).flatten(), factor.repeat_interleave(2)
    head = {
        "head.weight": weights["head.weight"] * factor.unsqueeze(-1),
        "head.bias": weights["head.bias"] * factor + shift,
    }
    return {**weights, **head}


class HypernetworkSpace(FunctionSpace):
    """SIRENs whose weights a hypernetwork makes."""

    def __init__(self, hypernetwork: Hypernetwork, setting: Setting) -> None:
        super().__init__(setting)
        self.hypernetwork = hypernetwork

    @property
    def network(self) -> LayeredTrial:  # type: ignore[override]
        return self.hypernetwork.network

    @property
    def latent(self) -> int:
        return self.hypernetwork.latent

    def weights(self, codes: Tensor) -> dict[str, Tensor]:
        return self.hypernetwork.weights(codes)


class WeightSpace(FunctionSpace):
    """The code is the difference between the weights and the common start weights."""

    def __init__(self, network: LayeredTrial, setting: Setting) -> None:
        super().__init__(setting)
        self.network = network

    @property
    def latent(self) -> int:
        return self.network.parameter_count

    def start(self, generator: torch.Generator) -> Tensor:
        return torch.zeros(self.latent, dtype=torch.float64, device=generator.device)

    def weights(self, codes: Tensor) -> dict[str, Tensor]:
        moved = as_weights(self.network, codes)
        return {name: shared + moved[name] for name, shared in shared_weights(self.network).items()}


class ConcatenatedSpace(FunctionSpace):
    """The code is a further input: it shifts the biases of the first layer."""

    def __init__(self, network: LayeredTrial, entry: torch.nn.Linear, setting: Setting) -> None:
        super().__init__(setting)
        self.network, self.entry = network, entry

    @property
    def latent(self) -> int:
        return self.entry.in_features

    def weights(self, codes: Tensor) -> dict[str, Tensor]:
        return {**shared_weights(self.network), "layers.0.bias": self.entry(codes)}


@singledispatch
def space_of(spec: object, setting: Setting) -> FunctionSpace:
    """The space of functions of a specification, with drawn parameters.

    Raises: DeclarationError for a specification without such a space.
    """
    raise DeclarationError(
        f"trial={checks.shown(spec)} does not define a space of functions; use npde.HyperSiren(), npde.Siren() (whose "
        "weights are the code), or npde.learning.ConditionedMLP()."
    )


@space_of.register
def _(spec: HyperSiren, setting: Setting) -> FunctionSpace:
    if spec.codes != 1:
        raise DeclarationError(
            f"codes={spec.codes}: codes come from the encoder, one for each field of the data set; leave it at 1"
        )
    return HypernetworkSpace(spec.hypernetwork(spec.siren.draw(setting), setting), setting)


@space_of.register(Siren)
@space_of.register(MLP)
def _(spec: Siren | MLP, setting: Setting) -> FunctionSpace:
    return WeightSpace(spec.draw(setting), setting)


@space_of.register
def _(spec: ConditionedMLP, setting: Setting) -> FunctionSpace:
    network = MLP(spec.width, spec.depth, spec.activation).draw(setting)
    first = network.layers[0]
    assert isinstance(first, torch.nn.Linear)
    weight = uniform((spec.width, spec.latent), (3 / spec.latent) ** 0.5, setting.generator)
    entry = linear(weight, first.bias.detach().clone(), setting)
    first.bias.requires_grad_(False)
    return ConcatenatedSpace(network, entry, setting)
