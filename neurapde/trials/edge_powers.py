"""Functions that vary as a power of the distance to the boundary of a ball, like solutions of fractional equations."""

from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from torch import Tensor

from neurapde.core.declaration import Declaration
from neurapde.core.errors import DeclarationError
from neurapde.jets.layout import Layout
from neurapde.spectral.modes import AxisModes
from neurapde.trials.sines import table


@dataclass(frozen=True)
class EdgePowers(Declaration):
    """(1 − |x − center|²/radius²)^power times the Chebyshev polynomials up to a degree, and the modes of a time."""

    center: tuple[float, ...]
    radius: float
    power: float
    degree: int
    time: AxisModes | None = None

    @property
    def degrees(self) -> list[tuple[int, ...]]:
        """Of each polynomial along each axis."""
        every = product(range(self.degree + 1), repeat=len(self.center))
        return [degrees for degrees in every if sum(degrees) <= self.degree]

    @property
    def count(self) -> int:
        """Number of functions."""
        return len(self.degrees) * (1 if self.time is None else self.time.count)

    def channels(self, points: Tensor, layout: Layout) -> Tensor:
        """The functions and their derivatives at points (n, d): (layout.count, n, count)."""
        space = len(self.center)
        place = (points[:, :space] - points.new_tensor(self.center)) / self.radius
        tables = [_polynomials(place[:, axis], self.degree, layout.order) for axis in range(space)]
        clock = None if self.time is None else table(self.time, points[:, -1], layout.order)
        rows = []
        for axes in layout.derivatives:
            along = tuple(axis for axis in axes if axis < space)
            row = self._product(place, tables, along) / self.radius ** len(along)
            if clock is not None:
                row = (row[:, :, None] * clock[len(axes) - len(along)][:, None, :]).flatten(1)
            rows.append(row)
        return torch.stack(rows)

    def _product(self, place: Tensor, tables: list[list[Tensor]], axes: tuple[int, ...]) -> Tensor:
        """∂ of weight times polynomials along some axes of the unit ball, by the product rule: (n, polynomials)."""
        total = place.new_zeros(())
        for chosen in product((True, False), repeat=len(axes)):
            first = tuple(axis for axis, mine in zip(axes, chosen, strict=True) if mine)
            other = [axis for axis, mine in zip(axes, chosen, strict=True) if not mine]
            term = self._weight(place, first)[:, None]
            for axis, rows in enumerate(tables):
                columns = [degrees[axis] for degrees in self.degrees]
                term = term * rows[other.count(axis)][:, columns]
            total = total + term
        return total

    def _weight(self, place: Tensor, axes: tuple[int, ...]) -> Tensor:
        """∂ of (1 − |x|²)^power along up to two axes, (n,)."""
        s, w = self.power, (1 - place.square().sum(1)).clamp(min=torch.finfo(place.dtype).tiny ** 0.25)
        inside = (place.square().sum(1) < 1).to(place)
        if not axes:
            return inside * w**s
        if len(axes) == 1:
            return -2 * s * w ** (s - 1) * place[:, axes[0]]
        if len(axes) > 2:
            raise DeclarationError("functions of a boundary carry second derivatives; use a lower order")
        bent = 4 * s * (s - 1) * w ** (s - 2) * place[:, axes[0]] * place[:, axes[1]]
        return bent - 2 * s * w ** (s - 1) * (axes[0] == axes[1])


def _polynomials(x: Tensor, degree: int, order: int) -> list[Tensor]:
    """Chebyshev's polynomials and their derivatives at x (n,), each (n, degree + 1)."""
    each = np.eye(degree + 1)
    places = x.detach().cpu().numpy()
    rows = []
    for k in range(order + 1):
        coefficients = np.polynomial.chebyshev.chebder(each, k) if k else each
        values = np.polynomial.chebyshev.chebvander(places, max(len(coefficients) - 1, 0))
        rows.append(torch.as_tensor(values @ coefficients).to(x))
    return rows
