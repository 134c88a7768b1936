"""SIRENs whose weights are the output of another network, so that many fields share their common part."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.jets.activations import Sine
from neurapde.jets.jet import Jet
from neurapde.trials.base import Setting, Trial, TrialFunction, check_size
from neurapde.trials.networks.batched import as_weights, batched_jet, batched_values
from neurapde.trials.networks.layered import LayeredTrial, linear
from neurapde.trials.networks.siren import Siren


class Hypernetwork(torch.nn.Module):
    """Codes to weights: θ(z) = θ_0 + W relu(V z + c) / hidden.

    network: the SIREN of θ_0. hidden: the layer V, c. spread: W (numbers of a SIREN, hidden).
    """

    def __init__(self, network: LayeredTrial, hidden: torch.nn.Linear) -> None:
        super().__init__()
        self.network = network
        self.hidden = hidden
        self.spread = torch.nn.Parameter(
            hidden.weight.new_zeros(network.parameter_count, hidden.out_features)
        )

    @property
    def latent(self) -> int:
        """Numbers in a code."""
        return self.hidden.in_features

    def weights(self, codes: Tensor) -> dict[str, Tensor]:
        """The weights of the SIRENs that codes (fields, latent) stand for; see `trials.batched`."""
        moved = torch.relu(self.hidden(codes)) @ self.spread.T / self.hidden.out_features
        shares = as_weights(self.network, moved)
        return {name: parameter + shares[name] for name, parameter in self.network.named_parameters()}


class HyperSirenTrial(TrialFunction):
    """u_k(x) = SIREN(x; θ(z_k)), one latent code z_k for each SIREN.

    codes: the z_k (codes, latent). hypernetwork: maps them to weights.
    """

    def __init__(
        self, spec: HyperSiren, hypernetwork: Hypernetwork, codes: Tensor, outputs: int, complex: bool
    ) -> None:
        super().__init__(spec, hypernetwork.network.dimension, outputs, complex)
        self.codes = torch.nn.Parameter(codes)
        self.hypernetwork = hypernetwork

    def forward(self, points: Tensor) -> Tensor:
        """The field at `points` by plain torch operations, differentiable by torch to any order."""
        hyper = self.hypernetwork
        fields = batched_values(hyper.network, hyper.weights(self.codes), self.inputs(points))
        return self._side_by_side(fields.movedim(0, -2))

    def jet(self, points: Tensor, order: int = 2, mixed: Sequence[tuple[int, ...]] = ()) -> Jet:
        hyper, points = self.hypernetwork, self.inputs(points)
        jet = batched_jet(hyper.network, hyper.weights(self.codes), points, order, mixed)
        channels = jet.channels.reshape(
            jet.layout.count, len(self.codes), len(points), hyper.network.outputs
        ).movedim(1, -2)
        return Jet(self._side_by_side(channels), jet.layout)

    def _side_by_side(self, fields: Tensor) -> Tensor:
        """The components of all SIRENs in one axis, from (…, codes, outputs)."""
        joined = fields.flatten(-2)
        return joined.squeeze(-1) if self.outputs == 1 else joined


@dataclass(frozen=True)
class HyperSiren(Trial):
    """SIRENs whose weights a ReLU network computes from latent codes; both are trained together.

    width, depth, omega_0, omega_hidden: of the SIRENs, as in `Siren`.
    codes:   number of SIRENs, each with its own code. They share the field's components, so that two pictures in the
             channels of one raster, or the waves of several shots, are fields of one family. `npde.learn` takes any
             number of fields, and codes from its encoder: leave it at 1 there.
    latent:  numbers in a code.
    hidden:  neurons of the ReLU network's hidden layer.

    It starts as the `Siren` of the same size: the ReLU network's last layer starts at its weights and does not depend
    on the code. Codes are standard normal, the hidden layer is N(0, 2/latent) with zero biases (He, Zhang, Ren, Sun 2015,
    equation 10); the mean of its outputs counts, so that a step of Adam changes a weight about as much as in a
    `Siren`. There are about `hidden` times as many parameters as in one SIREN, and no linear head.
    Source: Sitzmann, Martel, Bergman, Lindell, Wetzstein (2020), NeurIPS 33, section 4.4 and supplement 9, for a code
    for each picture; the scaling and the start at one SIREN are ours.
    """

    width: int = 64
    depth: int = 3
    omega_0: float = 30.0
    omega_hidden: float = 30.0
    codes: int = 1
    latent: int = 64
    hidden: int = 64

    def __post_init__(self) -> None:
        check_size(self.width, self.depth)
        Sine(self.omega_0), Sine(self.omega_hidden)
        for name in ("codes", "latent", "hidden"):
            checks.whole(getattr(self, name), name)

    @property
    def siren(self) -> Siren:
        """The specification of each SIREN."""
        return Siren(self.width, self.depth, self.omega_0, self.omega_hidden)

    def draw(self, setting: Setting) -> HyperSirenTrial:
        outputs, generator = setting.outputs, setting.generator
        if outputs % self.codes:
            raise DeclarationError(
                f"codes={self.codes} does not divide the field's {outputs} component(s); give a divisor of {outputs}"
            )
        network = self.siren.draw(replace(setting, outputs=outputs // self.codes))
        codes = torch.empty((self.codes, self.latent), dtype=torch.float64, device=generator.device)
        codes.normal_(generator=generator)
        hypernetwork = self.hypernetwork(network, setting)
        codes = codes.to(hypernetwork.spread)
        return HyperSirenTrial(self, hypernetwork, codes, outputs, setting.complex)

    def hypernetwork(self, network: LayeredTrial, setting: Setting) -> Hypernetwork:
        """The map from codes to weights like those of `network`, which it starts with."""
        generator = setting.generator
        weight = torch.empty((self.hidden, self.latent), dtype=torch.float64, device=generator.device)
        weight.normal_(0.0, math.sqrt(2 / self.latent), generator=generator)
        return Hypernetwork(network, linear(weight, torch.zeros(self.hidden), setting))
