"""Conditions on a side of a box for the grid solvers, as arrays of the side's nodes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurapde.reference_solvers.grids.grid import Grid

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Dirichlet:
    """u = value on the side, a number or an array of the side's nodes (the grid's shape without that axis)."""

    value: float | Array = 0.0


@dataclass(frozen=True)
class Neumann:
    """a du/dn = value on the side, n outward: a flux into the box, so multiply a slope du/dn by `a`."""

    value: float | Array = 0.0


@dataclass(frozen=True)
class Robin:
    """a du/dn + coefficient u = value on the side, n outward, `coefficient` at least 0."""

    coefficient: float | Array
    value: float | Array = 0.0


@dataclass(frozen=True)
class Periodic:
    """The last node of the axis equals the first one; both sides of the axis must have it."""


Side = Dirichlet | Neumann | Robin | Periodic
Sides = Side | Sequence[tuple[Side, Side]]

ZERO = Dirichlet(0.0)


def side_pairs(sides: Sides, grid: Grid) -> list[tuple[Side, Side]]:
    """One pair (lower, upper) an axis; ValueError for another number of pairs or one-sided periodicity."""
    pairs = [(sides, sides)] * grid.dimension if isinstance(sides, Side) else [(a, b) for a, b in sides]
    if len(pairs) != grid.dimension:
        raise ValueError(
            f"sides must be {grid.dimension} pairs (lower, upper), one for each axis; got {len(pairs)}."
        )
    for axis, pair in enumerate(pairs):
        if isinstance(pair[0], Periodic) != isinstance(pair[1], Periodic):
            raise ValueError(f"axis {axis} is periodic on only one side; give Periodic() on both.")
    return pairs


def on_side(values: float | Array, face: tuple[int, ...], axis: int) -> Array:
    """The data of a side of `axis` on its nodes `face`; ValueError for another shape or not finite values."""
    if np.shape(values) not in ((), face):
        raise ValueError(
            f"a side of axis {axis} has {face} nodes, but its data have shape {np.shape(values)}; give a number or "
            f"{face}."
        )
    if not np.isfinite(values).all():
        raise ValueError(f"the data of a side of axis {axis} have values that are not finite.")
    return np.broadcast_to(np.asarray(values, dtype=float), face)
