"""A network times a number: fields whose size is known, so that the network's own numbers are of the order of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.jets.jet import Jet
from neurapde.trials.base import Bounds, Trial, TrialFunction


class ScaledTrial(TrialFunction):
    """u = size · network. Only the network has parameters."""

    def __init__(self, spec: Trial, size: float, network: TrialFunction) -> None:
        super().__init__(spec, network.dimension, network.outputs, network.complex)
        self.size = size
        self.network = network

    def forward(self, points: Tensor) -> Tensor:
        return self.size * self.network(points)

    def jet(self, points: Tensor, order: int = 2, mixed: Sequence[tuple[int, int]] = ()) -> Jet:
        return self.network.jet(points, order, mixed) * self.size


@dataclass(frozen=True)
class Scaled(Trial):
    """The trial u = size · network.

    network: the specification of the network.
    size:    of the field, positive: a distance in a box of half width 100 is of the order of 100.

    Steps of a training are of one size for all parameters; a network that must grow to 100 first takes steps that are too
    long for its hidden layers.
    """

    network: Trial
    size: float

    def __post_init__(self) -> None:
        if not isinstance(self.network, Trial):
            raise DeclarationError(
                f"Scaled takes a network, such as Scaled(Siren(), 100.0); found {type(self.network).__name__}."
            )
        checks.amount(self.size, "size")

    def build(
        self,
        bounds: Bounds,
        outputs: int = 1,
        complex: bool = False,
        *,
        generator: torch.Generator,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> ScaledTrial:
        network = self.network.build(
            bounds, outputs, complex, generator=generator, dtype=dtype, device=device
        )
        return ScaledTrial(self, self.size, network)

    def describe(self) -> str:
        return f"{self.size:g} times {self.network.describe()}"
