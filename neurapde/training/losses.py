"""How residual vectors become one number: L1 or L2 means, weighed by point and by constraint name."""

from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

import torch
from torch import Tensor

LossName: TypeAlias = Literal["l1", "l2"]


def absolute(residual: Tensor) -> Tensor:
    """|r| entry by entry; of a complex residual |Re r| + |Im r|, as in the SIREN paper."""
    if residual.is_complex():
        return torch.view_as_real(residual).abs().sum(-1)
    return residual.abs()


def square(residual: Tensor) -> Tensor:
    """|r|² entry by entry."""
    if residual.is_complex():
        return torch.view_as_real(residual).square().sum(-1)
    return residual.square()


MEASURES: Mapping[LossName, Callable[[Tensor], Tensor]] = {"l1": absolute, "l2": square}


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
