"""A medium on the points of a quadrature; near jumps its mean over the cell of each point."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from neurapde.assembly.boxes.element_form import Array, on_grid
from neurapde.spectral.elements import ElementAxis

ROUGH = 0.01
"""Of the largest value: what a point may differ from the mean about it before its cell is looked at."""
PARTS = 6
"""Of a cell along each axis."""
CHUNK = 1 << 18
"""Values asked for at a time."""


def on_cells(field: Callable[[Array], NDArray], axes: Sequence[ElementAxis], jumps: bool) -> NDArray:
    """A field at the products of the axes' points, (n1, …, nd).

    The cells of Gauss points are as long as their weights, which add up to the axis. With the mean over a cell that a jump
    cuts, integrals against smooth functions are of second order, and change evenly as cells shrink.
    """
    values = on_grid(field, [axis.x for axis in axes])
    if not jumps:
        return values
    apart = np.abs(values - ndimage.uniform_filter(values.real, size=3, mode="nearest"))
    rough = ndimage.binary_dilation(apart > ROUGH * np.abs(values).max(), np.ones([3] * len(axes)))
    edges = [axis.lower + np.concatenate(([0.0], np.cumsum(axis.weights))) for axis in axes]
    unit = (np.arange(PARTS) + 0.5) / PARTS
    parts = np.stack(np.meshgrid(*[unit] * len(axes), indexing="ij"), axis=-1).reshape(-1, len(axes))
    chosen = np.argwhere(rough)
    for some in np.array_split(chosen, len(chosen) * len(parts) // CHUNK + 1):
        low, high = (
            np.stack([edge[some[:, k] + end] for k, edge in enumerate(edges)], axis=1) for end in (0, 1)
        )
        places = low[:, None] + parts * (high - low)[:, None]
        sampled = field(places.reshape(-1, len(axes))).reshape(len(some), len(parts))
        values[tuple(some.T)] = sampled.mean(axis=1)
    return values
