"""Distance to sides of a box, as a polynomial: what is multiplied by it vanishes there."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from neurapde.backgrounds.waves import Background
from neurapde.jets.jet import Jet, Layout

Sides = tuple[tuple[int, int], ...]
"""For each axis, to which power of the distance the field vanishes at its (lower, upper) end: 0 for not at all."""


@dataclass(frozen=True)
class SideDistance(Background):
    """D = Π over axes of 4(x − a)(b − x)/L², (x − a)/L, (b − x)/L or ((x − a)/L)², as `sides` ask for, on a box from a to b.

    lower, upper: corners of the box, `(d,)`, L apart. sides: where D vanishes, and to which power.
    """

    lower: tuple[float, ...]
    upper: tuple[float, ...]
    sides: Sides

    def jet(self, points: Tensor, order: int = 2, mixed: Sequence[tuple[int, ...]] = ()) -> Jet:
        dimension = len(self.lower)
        layout = Layout(dimension, order, tuple(mixed))
        tables = [self._axis(points[:, axis], axis, order) for axis in range(dimension)]
        rows = [
            torch.stack([tables[axis][degree] for axis, degree in enumerate(degrees)]).prod(dim=0)
            for degrees in layout.degrees
        ]
        return Jet(torch.stack(rows), layout)

    def describe(self) -> str:
        held = sum(bool(end) for ends in self.sides for end in ends)
        return f"the distance to {held} sides" if held != 1 else "the distance to a side"

    def _axis(self, x: Tensor, axis: int, order: int) -> list[Tensor]:
        """One axis' factor of D with its derivatives up to an order, (n,) each, by the product rule."""
        a, b = self.lower[axis], self.upper[axis]
        length, (below, above) = b - a, self.sides[axis]
        size = 4.0 if below and above else 1.0
        rows = []
        for degree in range(order + 1):
            row = torch.zeros_like(x)
            for taken in range(degree + 1):
                first = _power((x - a) / length, below, taken)
                second = _power((b - x) / length, above, degree - taken) * (-1.0) ** (degree - taken)
                row = row + math.comb(degree, taken) * first * second
            rows.append(size * row / length**degree)
        return rows


def _power(s: Tensor, power: int, derivative: int) -> Tensor:
    """The derivative of s^power."""
    if derivative > power:
        return torch.zeros_like(s)
    return math.perm(power, derivative) * s ** (power - derivative)
