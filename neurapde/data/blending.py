"""Two pictures made one by their gradients: the data of gradient-domain editing."""

from collections.abc import Callable
from typing import Any

import numpy as np

from neurapde.core.errors import DeclarationError
from neurapde.data.raster import Raster


def blended_differences(
    first: Raster, second: Raster, *, alpha: float = 0.5, mask: Callable[[Any], Any] | None = None
) -> tuple[Raster, ...]:
    """The differences α ∂first + (1 − α) ∂second, at the middles of the edges along each axis.

    alpha: the share of the first picture.
    mask: points (n, d) to weights in [0, 1], or a domain: there alone the second picture is mixed in, and elsewhere
        the differences are the first picture's own.

    These need not be the differences of any picture; the one that fits them best solves a Poisson equation.
    Source: Pérez, Gangnet, Blake (2003), Poisson image editing; Sitzmann et al. (2020), section 4.1.
    """
    if first.values.shape != second.values.shape or first.domain != second.domain:
        raise DeclarationError(
            f"{first.describe()} and {second.describe()} do not lie on one grid; read both with the same size=…"
        )
    if not 0 <= alpha <= 1:
        raise DeclarationError(f"alpha={alpha:g}; give the share of the first picture, a number from 0 to 1")
    found = []
    for one, other in zip(first.differences(), second.differences(), strict=True):
        share = np.ones(one.shape)
        if mask is not None:
            share = np.asarray(mask(one.points), dtype=float).reshape(one.shape)
        share = (1 - alpha) * share.reshape(*one.shape, *[1] * (one.values.ndim - one.dimension))
        found.append(one.with_values((1 - share) * one.values + share * other.values))
    return tuple(found)
