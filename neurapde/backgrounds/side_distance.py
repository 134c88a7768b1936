"""Distance to sides of a box, as a polynomial: what is multiplied by it vanishes there."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from neurapde.backgrounds.waves import Background
from neurapde.jets.jet import Jet, Layout

Sides = tuple[tuple[bool, bool], ...]
"""For each axis, whether the field vanishes at its (lower, upper) end."""


@dataclass(frozen=True)
class SideDistance(Background):
    """D = Π over axes of 4(x − a)(b − x)/L², (x − a)/L or (b − x)/L, as `sides` ask for, on a box from a to b of side L.

    lower, upper: corners of the box, `(d,)`. sides: where D vanishes.
    """

    lower: tuple[float, ...]
    upper: tuple[float, ...]
    sides: Sides

    def jet(self, points: Tensor, order: int = 2, mixed: Sequence[tuple[int, ...]] = ()) -> Jet:
        dimension = len(self.lower)
        layout = Layout(dimension, order, tuple(mixed))
        tables = [self._axis(points[:, axis], axis) for axis in range(dimension)]
        rows = [
            torch.stack([tables[axis][degree] for axis, degree in enumerate(degrees)]).prod(dim=0)
            for degrees in layout.degrees
        ]
        return Jet(torch.stack(rows), layout)

    def describe(self) -> str:
        held = sum(sum(ends) for ends in self.sides)
        return f"the distance to {held} sides" if held != 1 else "the distance to a side"

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
