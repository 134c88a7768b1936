"""Trial functions that vanish on sides of a box by construction: a network times a polynomial of the sides' distances."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from neurapde.core.errors import DeclarationError
from neurapde.jets.jet import Jet, Layout
from neurapde.trials.base import Bounds, Trial, TrialFunction

Sides = tuple[tuple[bool, bool], ...]
"""For each axis, whether the field vanishes at its (lower, upper) end."""


@dataclass(frozen=True)
class Vanishing(Trial):
    """The trial D(x) · network, D = Π over axes of 4(x − a)(b − x)/L², (x − a)/L or (b − x)/L, as sides ask for.

    network: the specification of the network. sides: where the field vanishes; None: on every side.
    """

    network: Trial
    sides: Sides | None = None

    def build(
        self,
        bounds: Bounds,
        outputs: int = 1,
        complex: bool = False,
        *,
        generator: torch.Generator,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> "VanishingTrial":
        network = self.network.build(
            bounds, outputs, complex, generator=generator, dtype=dtype, device=device
        )
        return self.around(network, bounds)

    def around(self, network: TrialFunction, bounds: Bounds) -> "VanishingTrial":
        """The same trial around a network that is already built."""
        lower, upper = (np.atleast_1d(np.asarray(corner, dtype=float)) for corner in bounds)
        sides = self.sides or ((True, True),) * len(lower)
        if len(sides) != len(lower):
            raise DeclarationError(
                f"sides names {len(sides)} axes, but the domain has {len(lower)}; give a pair each"
            )
        return VanishingTrial(self, network, tuple(lower), tuple(upper), sides)

    def describe(self) -> str:
        return (
            f"{self.network.describe()}, vanishing on {'every side' if self.sides is None else 'given sides'}"
        )


class VanishingTrial(TrialFunction):
    """D · network on a box from `lower` to `upper`; its features are D times the network's, its head the network's."""

    def __init__(
        self,
        spec: Vanishing,
        network: TrialFunction,
        lower: tuple[float, ...],
        upper: tuple[float, ...],
        sides: Sides,
    ) -> None:
        super().__init__(spec, network.dimension, network.outputs, network.complex)
        self.network = network
        self.lower, self.upper, self.sides = lower, upper, sides

    @property
    def head(self) -> torch.nn.Linear:
        return self.network.head

    def forward(self, points: Tensor) -> Tensor:
        points = self.inputs(points)
        values = self.network(points)
        return self._distances(points).reshape(-1, *[1] * (values.ndim - 1)) * values

    def features(self, points: Tensor) -> Tensor:
        points = self.inputs(points)
        return self._distances(points)[:, None] * self.network.features(points)

    def jet(self, points: Tensor, order: int = 2, mixed: Sequence[tuple[int, int]] = ()) -> Jet:
        points = self.inputs(points)
        return self._times(self.network.jet(points, order, mixed), points)

    def feature_jet(self, points: Tensor, order: int = 2, mixed: Sequence[tuple[int, int]] = ()) -> Jet:
        points = self.inputs(points)
        return self._times(self.network.feature_jet(points, order, mixed), points)

    def _times(self, jet: Jet, points: Tensor) -> Jet:
        factor = self._factor(points, jet.layout)
        return (Jet(factor.channels.unsqueeze(-1), jet.layout) if jet.channels.ndim == 3 else factor) * jet

    def _distances(self, points: Tensor) -> Tensor:
        """D at points (n, d): (n,)."""
        return torch.stack([self._axis(points[:, axis], axis)[0] for axis in range(self.dimension)]).prod(0)

    def _factor(self, points: Tensor, layout: Layout) -> Jet:
        """The jet of D at points (n, d)."""
        tables = [self._axis(points[:, axis], axis) for axis in range(self.dimension)]
        wanted = [(0,) * self.dimension]
        wanted += [tuple(int(axis == i) for axis in range(self.dimension)) for i in range(layout.firsts)]
        wanted += [
            tuple((axis == i) + (axis == j) for axis in range(self.dimension)) for i, j in layout.pairs
        ]
        rows = [
            torch.stack([tables[axis][degree] for axis, degree in enumerate(degrees)]).prod(dim=0)
            for degrees in wanted
        ]
        return Jet(torch.stack(rows), layout)

    def _axis(self, x: Tensor, axis: int) -> tuple[Tensor, Tensor, Tensor]:
        """One axis' factor of D with its first and second derivative, (n,) each."""
        a, b = self.lower[axis], self.upper[axis]
        length, one, zero = b - a, torch.ones_like(x), torch.zeros_like(x)
        at_lower, at_upper = self.sides[axis]
        if at_lower and at_upper:
            return 4 * (x - a) * (b - x) / length**2, 4 * (a + b - 2 * x) / length**2, -8 * one / length**2
        if at_lower:
            return (x - a) / length, one / length, zero
        if at_upper:
            return (b - x) / length, -one / length, zero
        return one, zero, zero
