"""The factored form: a known field times one plus a network, for fields whose kink or peak is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from neurapde.backgrounds.waves import Background
from neurapde.core.errors import DeclarationError
from neurapde.jets.jet import Jet
from neurapde.trials.base import Bounds, Trial, TrialFunction
from neurapde.trials.layered import LayeredTrial


class FactoredTrial(TrialFunction):
    """u = background · (1 + network). Only the network has parameters."""

    def __init__(self, spec: Trial, background: Background, network: TrialFunction) -> None:
        super().__init__(spec, network.dimension, network.outputs, network.complex)
        self.background = background
        self.network = network

    def forward(self, points: Tensor) -> Tensor:
        points = self.inputs(points)
        return self.background.jet(points, order=0).value * (1.0 + self.network(points))

    def jet(self, points: Tensor, order: int = 2, mixed: Sequence[tuple[int, int]] = ()) -> Jet:
        points = self.inputs(points)
        return self.background.jet(points, order, mixed) * (self.network.jet(points, order, mixed) + 1.0)


@dataclass(frozen=True)
class Factored(Trial):
    """The trial u = background · (1 + network): travel times as T = T₀τ, where T₀ knows the source's kink.

    background: a field known in closed form, such as `StraightRays`, of as many components as the problem has.
    network:    the specification of the network for τ − 1, which is smooth where T₀ takes the kink. A
                layered one starts with a head of zeros, so that u starts as the background and on its branch.
    Source: Fomel, Luo, Zhao (2009), J. Comput. Phys. 228, 6440-6455, for the factored eikonal equation.
    """

    background: Background
    network: Trial

    def __post_init__(self) -> None:
        if not isinstance(self.background, Background) or not isinstance(self.network, Trial):
            raise DeclarationError(
                "Factored takes a background and a network, such as Factored(StraightRays(…), Siren()); found "
                f"{type(self.background).__name__} and {type(self.network).__name__}."
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
    ) -> FactoredTrial:
        network = self.network.build(
            bounds, outputs, complex, generator=generator, dtype=dtype, device=device
        )
        probe = torch.as_tensor(bounds[1], dtype=torch.float64).reshape(1, -1)
        value = self.background.jet(probe, order=0).value
        found = value.shape[1] if value.ndim == 2 else 1
        if found != outputs or (value.is_complex() and not complex):
            raise DeclarationError(
                f"the background ({self.background.describe()}) has {found} component(s) of {value.dtype}, but the "
                f"field has {outputs}, {'complex' if complex else 'real'}; give one background for each."
            )
        if isinstance(network, LayeredTrial):
            torch.nn.init.zeros_(network.head.weight)
            torch.nn.init.zeros_(network.head.bias)
        return FactoredTrial(self, self.background, network)

    def describe(self) -> str:
        return f"{self.background.describe()}, times 1 + {self.network.describe()}"
