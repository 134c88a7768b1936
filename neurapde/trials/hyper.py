"""A SIREN whose weights are the output of another network, so that several fields share what they have in common."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import torch
from torch import Tensor

from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.jets.activations import Sine
from neurapde.jets.jet import Jet, Layout
from neurapde.trials.base import Setting, Trial, TrialFunction, check_size
from neurapde.trials.layered import LayeredTrial, linear
from neurapde.trials.siren import Siren


class HyperSirenTrial(TrialFunction):
    """u_k(x) = SIREN(x; θ_k) with θ_k = θ_0 + W relu(V z_k + c) / hidden, one latent code z_k for each SIREN.

    codes:   the z_k (codes, latent).
    hidden:  the layer V, c.
    spread:  W (numbers of a SIREN, hidden).
    network: the SIREN of θ_0.
    """

    def __init__(
        self,
        spec: HyperSiren,
        network: LayeredTrial,
        codes: Tensor,
        hidden: torch.nn.Linear,
        outputs: int,
        complex: bool,
    ) -> None:
        super().__init__(spec, network.dimension, outputs, complex)
        self.codes = torch.nn.Parameter(codes)
        self.hidden = hidden
        self.spread = torch.nn.Parameter(codes.new_zeros(network.parameter_count, hidden.out_features))
        self._evaluation = _Evaluation(network)

    @property
    def network(self) -> LayeredTrial:
        return self._evaluation.network

    def weights(self, code: Tensor) -> dict[str, Tensor]:
        """The parameters of the SIREN that a code (latent,) stands for, by their names in `network`."""
        moved = self.spread @ torch.relu(self.hidden(code)) / self.hidden.out_features
        theta, start = {}, 0
        for name, parameter in self.network.named_parameters():
            part = moved[start : start + parameter.numel()]
            theta[name] = parameter + part.reshape(parameter.shape)
            start += parameter.numel()
        return theta

    def forward(self, points: Tensor) -> Tensor:
        """The field at `points` by plain torch operations, differentiable by torch to any order."""
        return self._joined([self._call(code, self.inputs(points), None) for code in self.codes])

    def jet(self, points: Tensor, order: int = 2, mixed: Sequence[tuple[int, int]] = ()) -> Jet:
        layout = Layout(self.dimension, order, tuple(mixed))
        points = self.inputs(points)
        return Jet(self._joined([self._call(code, points, layout) for code in self.codes]), layout)

    def _call(self, code: Tensor, points: Tensor, layout: Layout | None) -> Tensor:
        theta: dict[str, Any] = {f"network.{name}": value for name, value in self.weights(code).items()}
        return cast(Tensor, torch.func.functional_call(self._evaluation, theta, (points, layout)))

    def _joined(self, fields: list[Tensor]) -> Tensor:
        """The components of all SIRENs side by side."""
        if len(fields) == 1:
            return fields[0]
        single = self.outputs == len(fields)
        return torch.stack(fields, dim=-1) if single else torch.cat(fields, dim=-1)


class _Evaluation(torch.nn.Module):
    """A network's values, or its channels if a layout is given, as the forward of a module: what torch can call with
    other parameters."""

    def __init__(self, network: LayeredTrial) -> None:
        super().__init__()
        self.network = network

    def forward(self, points: Tensor, layout: Layout | None) -> Tensor:
        if layout is None:
            return cast(Tensor, self.network(points))
        return self.network.jet(points, layout.order, layout.mixed).channels


@dataclass(frozen=True)
class HyperSiren(Trial):
    """SIRENs whose weights are made by a ReLU network from latent codes, trained together with it.

    width, depth, omega_0, omega_hidden: of the SIRENs, as in `Siren`.
    codes:   number of SIRENs, each with a code of its own; the field's components are divided among them, so that two
             pictures in the channels of one raster, or the waves of several shots, are fields of one family.
    latent:  numbers in a code.
    hidden:  neurons of the ReLU network's hidden layer.

    It starts as the `Siren` of the same size: the ReLU network's last layer starts at its weights and does not depend
    on the code. Codes are standard normal, the hidden layer is N(0, 2/latent) with zero biases (He, Zhang, Ren, Sun 2015,
    equation 10); its outputs count by their mean, so that a step of Adam moves a weight about as far as in a `Siren`.
    There are some `hidden` times as many parameters as in one SIREN, and no linear head.
    Source: Sitzmann, Martel, Bergman, Lindell, Wetzstein (2020), NeurIPS 33, section 4.4 and supplement 9, of a code
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

    def draw(self, setting: Setting) -> HyperSirenTrial:
        outputs, generator = setting.outputs, setting.generator
        if outputs % self.codes:
            raise DeclarationError(
                f"codes={self.codes} does not divide the field's {outputs} component(s); give a divisor of {outputs}"
            )
        siren = Siren(self.width, self.depth, self.omega_0, self.omega_hidden)
        network = siren.draw(replace(setting, outputs=outputs // self.codes))
        codes, weight = (
            torch.empty(shape, dtype=torch.float64, device=generator.device).normal_(
                0.0, deviation, generator=generator
            )
            for shape, deviation in (
                ((self.codes, self.latent), 1.0),
                ((self.hidden, self.latent), math.sqrt(2 / self.latent)),
            )
        )
        hidden = linear(weight, torch.zeros(self.hidden), setting)
        return HyperSirenTrial(self, network, codes.to(hidden.weight), hidden, outputs, setting.complex)
