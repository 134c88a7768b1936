"""Priors of a model: functionals of m/m₀ on a grid, added to the misfit.

m = 1/c² is relative to the start model's mean, and lengths are relative to √area of the grid, so that a weight means
the same in metres and in kilometres. Every method uses the same functionals.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from neurapde.core import checks
from neurapde.core.declaration import Declaration

SMOOTHING = 1e-3
"""ε of √(|∇m|² + ε²), in units of one jump of m₀ over the length of the grid: keeps total variation differentiable."""


@dataclass(frozen=True)
class Prior(Declaration, ABC):
    """A functional of relative values on a grid, `weight` times a dimensionless integral."""

    weight: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "weight", checks.positive(self.weight, f"weight of {self.name}"))

    @property
    def name(self) -> str:
        """Its name in losses, history and report."""
        return type(self).__name__

    def __call__(self, values: Tensor, start: Tensor, spacing: Sequence[float]) -> Tensor:
        """The functional, a scalar.

        values, start: `(nx, ny)`, m/m₀ and its start model. spacing: `(2,)` between nodes, in units of length.
        """
        length = _length(values, spacing)
        return self.weight * self.integral(values, start, tuple(step / length for step in spacing))

    def majorant(self, values: Tensor, start: Tensor, spacing: Sequence[float]) -> Callable[[Tensor], Tensor]:
        """A quadratic functional of other values, with the gradient of this one at `values`, and never below it."""
        length = _length(values, spacing)
        steps = tuple(step / length for step in spacing)
        return lambda others: self.weight * self.quadratic(values.detach(), others, start, steps)

    def quadratic(self, values: Tensor, others: Tensor, start: Tensor, spacing: tuple[float, ...]) -> Tensor:
        """The majorant at `values` of the integral, at `others`; a constant may be missing."""
        return self.integral(others, start, spacing)

    @abstractmethod
    def integral(self, values: Tensor, start: Tensor, spacing: tuple[float, ...]) -> Tensor:
        """The integral over a grid of unit area."""


@dataclass(frozen=True)
class TotalVariation(Prior):
    """∫|∇m|: prefers few edges, of any height. Isotropic, by forward differences in each cell."""

    @property
    def name(self) -> str:
        return "total variation"

    def integral(self, values: Tensor, start: Tensor, spacing: tuple[float, ...]) -> Tensor:
        first, second = differences(values, spacing)
        size = torch.sqrt(first**2 + second**2 + SMOOTHING**2) - SMOOTHING
        return size.sum() * spacing[0] * spacing[1]

    def quadratic(self, values: Tensor, others: Tensor, start: Tensor, spacing: tuple[float, ...]) -> Tensor:
        """Lagged diffusivity. Source: Vogel and Oman (1996), SIAM J. Sci. Comput. 17(1)."""
        first, second = differences(values, spacing)
        size = torch.sqrt(first**2 + second**2 + SMOOTHING**2)
        first, second = differences(others, spacing)
        return 0.5 * ((first**2 + second**2) / size).sum() * spacing[0] * spacing[1]


@dataclass(frozen=True)
class Smoothness(Prior):
    """½∫|∇m|²: prefers no edges."""

    @property
    def name(self) -> str:
        return "smoothness"

    def integral(self, values: Tensor, start: Tensor, spacing: tuple[float, ...]) -> Tensor:
        first, second = differences(values, spacing)
        return 0.5 * (first**2 + second**2).sum() * spacing[0] * spacing[1]


@dataclass(frozen=True)
class Tikhonov(Prior):
    """½∫(m − m_start)²: prefers the start model."""

    @property
    def name(self) -> str:
        return "Tikhonov"

    def integral(self, values: Tensor, start: Tensor, spacing: tuple[float, ...]) -> Tensor:
        return 0.5 * ((values - start) ** 2).sum() * spacing[0] * spacing[1]


def differences(values: Tensor, spacing: Sequence[float]) -> tuple[Tensor, Tensor]:
    """Forward differences `(nx − 1, ny − 1)` of values `(nx, ny)` along both axes, in every cell."""
    corner = values[:-1, :-1]
    return (values[1:, :-1] - corner) / spacing[0], (values[:-1, 1:] - corner) / spacing[1]


def _length(values: Tensor, spacing: Sequence[float]) -> float:
    nx, ny = values.shape
    return float(((nx - 1) * spacing[0] * (ny - 1) * spacing[1]) ** 0.5)
