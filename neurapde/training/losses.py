"""How residual vectors become one number: means of their sizes or squares, weighted by point and by constraint name."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from neurapde.core import checks
from neurapde.core.declaration import Declaration
from neurapde.core.errors import DeclarationError
from neurapde.core.warn import warn


@dataclass(frozen=True)
class Loss(Declaration, ABC):
    """The measure of each entry of a residual; the loss is its mean.

    power: the power of the residual's size. short: its name in reports.
    """

    power: ClassVar[int]
    short: ClassVar[str]

    @abstractmethod
    def __call__(self, residual: Tensor) -> Tensor:
        """The measure of each entry, of the shape of `residual`."""


@dataclass(frozen=True)
class MeanAbsolute(Loss):
    """The mean of |r|; of a complex residual |Re r| + |Im r|, as in the SIREN paper."""

    power: ClassVar[int] = 1
    short: ClassVar[str] = "L1"

    def __call__(self, residual: Tensor) -> Tensor:
        if residual.is_complex():
            return torch.view_as_real(residual).abs().sum(-1)
        return residual.abs()


@dataclass(frozen=True)
class MeanSquare(Loss):
    """The mean of |r|²."""

    power: ClassVar[int] = 2
    short: ClassVar[str] = "L2"

    def __call__(self, residual: Tensor) -> Tensor:
        if residual.is_complex():
            return torch.view_as_real(residual).square().sum(-1)
        return residual.square()


OLD_NAMES: dict[str, type[Loss]] = {"l1": MeanAbsolute, "l2": MeanSquare}


def as_loss(value: Any) -> Loss:
    """The loss given as an object, or by its name in the previous release. Raises: DeclarationError."""
    if isinstance(value, Loss):
        return value
    if not isinstance(value, str) or value not in OLD_NAMES:
        raise DeclarationError(
            f"loss={checks.shown(value)} is not a loss; use npde.training.MeanSquare() or npde.training.MeanAbsolute()"
        )
    kind = OLD_NAMES[value]
    warn(
        f"loss={value!r} is loss=npde.{kind.__name__}() now; the next release removes the old name.",
        DeprecationWarning,
    )
    return kind()


def mean_loss(residual: Tensor, measure: Callable[[Tensor], Tensor], point_weights: Tensor | None) -> Tensor:
    """The mean over all entries of point weight times measure of the residual.

    residual: `(n,)` or `(n, c)`. point_weights: `(n,)`, `(n, c)` or None for 1. Returns a scalar.
    """
    size = measure(residual)
    if point_weights is None:
        return size.mean()
    if point_weights.ndim < size.ndim:
        point_weights = point_weights[:, None]
    return (point_weights * size).mean()
