"""Two pictures made one by their gradients: the data of gradient-domain editing."""

from collections.abc import Callable
from typing import Any

import numpy as np

from neurapde.core import checks
from neurapde.core.arrays import to_numpy
from neurapde.core.errors import DeclarationError
from neurapde.data.raster import Raster
from neurapde.fields.medium import as_field


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
    for raster, what in ((first, "first"), (second, "second")):
        if not isinstance(raster, Raster):
            raise DeclarationError(
                f"{what}={checks.shown(raster)}: give a Raster, such as npde.data.read_image(…)"
            )
    if first.values.shape != second.values.shape or first.domain != second.domain:
        raise DeclarationError(
            f"{first.describe()} and {second.describe()} are on different grids; read both with the same size=…"
        )
    way = "give the weight of the first image, a number from 0 to 1"
    checks.number(alpha, "alpha", lambda x: 0 <= x <= 1, way)
    differences = []
    for difference, other in zip(first.differences(), second.differences(), strict=True):
        share = np.ones(difference.shape)
        if mask is not None:
            share = to_numpy(as_field(mask, "mask")(difference.points)).reshape(difference.shape)
            if np.iscomplexobj(share) or not (share.min() >= 0 and share.max() <= 1):
                raise DeclarationError(
                    f"mask={checks.shown(mask)}: give weights between 0 and 1, as a function of points (n, d), such as "
                    "disk.contains"
                )
        share = (1 - alpha) * share.reshape(
            *difference.shape, *[1] * (difference.values.ndim - difference.dimension)
        )
        differences.append(difference.with_values((1 - share) * difference.values + share * other.values))
    return tuple(differences)
