"""Non-integer powers of the distance from the start of an axis, (t − start)^p, for fields with a memory."""

from dataclasses import dataclass

import torch
from torch import Tensor

from neurapde.core.declaration import Declaration
from neurapde.jets.layout import Layout
from neurapde.spectral.modes import AxisModes
from neurapde.trials.sines import outer, table

NEAR = 1e-6
"""Fraction of the length: nearer to the start, unbounded derivatives get their value here."""


@dataclass(frozen=True)
class StartPowers(Declaration):
    """((x_axis − start)/length)^p for exponents p, times the modes of the other axes."""

    axis: int
    start: float
    length: float
    exponents: tuple[float, ...]
    others: tuple[AxisModes, ...]

    @property
    def count(self) -> int:
        """Number of functions."""
        count = len(self.exponents)
        for modes in self.others:
            count *= modes.count
        return count

    def channels(self, points: Tensor, layout: Layout) -> Tensor:
        """The functions and their derivatives at points (n, d): (layout.count, n, count)."""
        others = iter(self.others)
        tables = [
            self._powers(points[:, axis], layout.order)
            if axis == self.axis
            else table(next(others), points[:, axis], layout.order)
            for axis in range(points.shape[1])
        ]
        return outer(tables, layout.degrees)

    def _powers(self, x: Tensor, order: int) -> list[Tensor]:
        """The powers and their derivatives at x (n,), each (n, exponents)."""
        p = torch.tensor(self.exponents, dtype=x.dtype, device=x.device)
        z = ((x[:, None] - self.start) / self.length).clamp(min=0.0)
        rows, factor = [z**p], torch.ones_like(p)
        for k in range(1, order + 1):
            factor = factor * (p - (k - 1)) / self.length
            rows.append(factor * torch.where(p > k, z, z.clamp(min=NEAR)) ** (p - k))
        return rows
