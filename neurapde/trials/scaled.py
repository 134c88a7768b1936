"""A network times a number, of points in other units: its own numbers are of the order of one, whatever the field's are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.jets.jet import Jet
from neurapde.trials.base import Bounds, Trial, TrialFunction


class ScaledTrial(TrialFunction):
    """u(x) = size · network(x / lengths). Only the network has parameters."""

    def __init__(self, spec: Scaled, network: TrialFunction) -> None:
        super().__init__(spec, network.dimension, network.outputs, network.complex)
        self.size = spec.size
        self.lengths = spec.lengths
        self.network = network

    def inner(self, points: Tensor) -> Tensor:
        """Points (n, d) in the units of the network."""
        points = self.inputs(points)
        return points if self.lengths is None else points / points.new_tensor(self.lengths)

    def forward(self, points: Tensor) -> Tensor:
        return self.size * self.network(self.inner(points))

    def jet(self, points: Tensor, order: int = 2, mixed: Sequence[tuple[int, int]] = ()) -> Jet:
        found = self.network.jet(self.inner(points), order, mixed) * self.size
        if self.lengths is None:
            return found
        layout, rates = found.layout, [1 / length for length in self.lengths]
        factors = [1.0, *rates[: layout.firsts], *(rates[i] * rates[j] for i, j in layout.pairs)]
        shape = (-1, *[1] * (found.channels.ndim - 1))
        return Jet(found.channels * found.channels.real.new_tensor(factors).reshape(shape), layout)


@dataclass(frozen=True)
class Scaled(Trial):
    """The trial u(x) = size · network(x / lengths).

    network: the specification of the network.
    size:    of the field, positive: a distance in a box of half width 100 is of the order of 100.
    lengths: of each axis, positive: seconds beside metres, so that one scale suits all axes. None: 1 each.

    Steps of a training are of one size for all parameters; a network that must grow to 100 first takes steps that are too
    long for its hidden layers.
    """

    network: Trial
    size: float
    lengths: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.network, Trial):
            raise DeclarationError(
                f"Scaled takes a network, such as Scaled(Siren(), 100.0); found {type(self.network).__name__}."
            )
        checks.amount(self.size, "size")
        if self.lengths is not None and (not isinstance(self.lengths, list | tuple) or not self.lengths):
            raise DeclarationError(f"lengths={checks.shown(self.lengths)}: give one for each axis, or None.")
        for length in self.lengths or ():
            checks.amount(length, "lengths", of="Scaled")

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
        if self.lengths is not None:
            if len(self.lengths) != len(bounds[0]):
                raise DeclarationError(
                    f"lengths={self.lengths} of Scaled, but the domain has {len(bounds[0])} axes; give one for each."
                )
            bounds = (np.divide(bounds[0], self.lengths), np.divide(bounds[1], self.lengths))
        network = self.network.build(
            bounds, outputs, complex, generator=generator, dtype=dtype, device=device
        )
        return ScaledTrial(self, network)

    def describe(self) -> str:
        units = (
            "" if self.lengths is None else f", axes in units of {', '.join(f'{x:g}' for x in self.lengths)}"
        )
        return f"{self.size:g} times {self.network.describe()}{units}"
