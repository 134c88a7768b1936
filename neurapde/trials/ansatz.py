"""The scattered form: a known background field plus a network for what is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from neurapde.backgrounds.waves import Background
from neurapde.core.errors import DeclarationError
from neurapde.jets.jet import Jet
from neurapde.trials.base import Bounds, Trial, TrialFunction


class AnsatzTrial(TrialFunction):
    """u = background + network. Only the network has parameters; `features` and `head` are the network's."""

    def __init__(self, spec: Trial, background: Background, network: TrialFunction) -> None:
        super().__init__(spec, network.dimension, network.outputs, network.complex)
        self.background = background
        self.network = network

    @property
    def head(self) -> torch.nn.Linear:
        """The head of the network: it combines features to the field less the background."""
        return self.network.head

    def forward(self, points: Tensor) -> Tensor:
        points = self.inputs(points)
        return (
            self.background.jet(points, order=0) + Jet.of(self.network(points), dimension=self.dimension)
        ).value

    def jet(self, points: Tensor, order: int = 2, mixed: Sequence[tuple[int, int]] = ()) -> Jet:
        points = self.inputs(points)
        return self.background.jet(points, order, mixed) + self.network.jet(points, order, mixed)

    def features(self, points: Tensor) -> Tensor:
        return self.network.features(points)

    def feature_jet(self, points: Tensor, order: int = 2, mixed: Sequence[tuple[int, int]] = ()) -> Jet:
        return self.network.feature_jet(points, order, mixed)


@dataclass(frozen=True)
class Ansatz(Trial):
    """The trial u = background + network, which leaves to the network only what the background does not know.

    background: a field known in closed form, such as `OutgoingWave`.
    network:    the specification of the network.
    Raises      DeclarationError at `build` when the background is complex or has components and the field has
    not.
    """

    background: Background
    network: Trial

    def __post_init__(self) -> None:
        if not isinstance(self.background, Background) or not isinstance(self.network, Trial):
            raise DeclarationError(
                f"Ansatz takes a background and a network, such as Ansatz(OutgoingWave(source, k), Siren()); "
                f"found {type(self.background).__name__} and {type(self.network).__name__}."
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
    ) -> AnsatzTrial:
        network = self.network.build(
            bounds, outputs, complex, generator=generator, dtype=dtype, device=device
        )
        probe = torch.as_tensor(bounds[1], dtype=torch.float64).reshape(1, -1)
        value = self.background.jet(probe, order=0).value
        found = value.shape[1] if value.ndim == 2 else 1
        if value.is_complex() and not complex:
            raise DeclarationError(
                f"the background ({self.background.describe()}) is complex, but the field is real; "
                "use it with a complex equation such as Helmholtz."
            )
        if found != outputs:
            raise DeclarationError(
                f"the background ({self.background.describe()}) has {found} component(s), but the field "
                f"has {outputs}; "
                "give one background for each."
            )
        return AnsatzTrial(self, self.background, network)

    def describe(self) -> str:
        return f"{self.network.describe()} on the background {self.background.describe()}"
