"""A field given by its values on the nodes of a grid."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from neurapde.core import checks
from neurapde.core.arrays import Array, check_shape, complex_dtype, namespace, to_numpy
from neurapde.core.errors import DeclarationError, DeclarationWarning
from neurapde.core.formatting import number, point
from neurapde.core.warn import warn
from neurapde.domains.base import Domain
from neurapde.fields.medium import Field


@dataclass(frozen=True, eq=False)
class GridField(Field):
    """Values on the nodes of a regular grid, multilinear between them, constant beyond.

    Args:
        values: `(n1, …, nd)`, `values[i, j]` at the i-th node along x and the j-th along y, 2 or more each.
        bounds: (lower `(d,)`, upper `(d,)`), where the first and last node are; None for the domain's.

    Raises: DeclarationError for NaN, fewer than 2 nodes, or bounds that do not ascend.
    """

    values: np.ndarray
    bounds: tuple[Sequence[float], Sequence[float]] | None = None

    def __post_init__(self) -> None:
        values = to_numpy(self.values)
        if values.dtype.kind not in "iufc" or values.ndim == 0 or min(values.shape) < 2:
            raise DeclarationError(
                f"values of the GridField are {values.dtype} of shape {values.shape}; give numbers on at least 2 nodes "
                "along each axis"
            )
        values = np.array(values, dtype=complex if values.dtype.kind == "c" else float)
        if not np.isfinite(values).all():
            bad = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
            raise DeclarationError(f"values{list(bad)} of the GridField is {values[bad]}; give finite values")
        values.flags.writeable = False
        object.__setattr__(self, "values", values)
        if self.bounds is not None:
            pair = self.bounds if isinstance(self.bounds, list | tuple) else (self.bounds,)
            if len(pair) != 2:
                raise DeclarationError(
                    f"bounds of the GridField are {checks.shown(self.bounds)}; give (lower, upper), the two corners"
                )
            lower, upper = (checks.coordinates(b, "bounds of the GridField", values.ndim) for b in pair)
            if any(a >= b for a, b in zip(lower, upper, strict=True)):
                raise DeclarationError(
                    f"bounds of the GridField are {lower}, {upper}, but must increase on every axis"
                )
            object.__setattr__(self, "bounds", (lower, upper))

    def on(self, domain: Domain, part: Domain | None = None) -> "GridField":
        if domain.dimension != self.values.ndim:
            raise DeclarationError(
                f"values of the GridField have {self.values.ndim} axes, but {domain} has {domain.dimension}; give "
                "values[i, j, …] with one axis for each axis of the domain"
            )
        if self.bounds is None:
            lower, upper = domain.bounds
            return GridField(self.values, (lower.tolist(), upper.tolist()))
        (a, b), (c, d) = self.bounds, (part or domain).bounds
        slack = 1e-9 * (d - c)
        if np.any(np.array(a) > c + slack) or np.any(np.array(b) < d - slack):
            warn(
                f"the GridField covers {point(a)} to {point(b)}, but {part or domain} is larger; its outermost values "
                "continue there: give larger bounds=(lower, upper) if they should not",
                DeclarationWarning,
            )
        return self

    def __call__(self, points: Array) -> Array:
        return interpolated(points, self.values, self.bounds, lambda t: (1.0 - t, t))

    @property
    def placed(self) -> str:
        """How many nodes there are, and where, in words."""
        where = "" if self.bounds is None else f" from {point(self.bounds[0])} to {point(self.bounds[1])}"
        return f"values on {'×'.join(map(str, self.values.shape))} nodes{where}"

    def describe(self) -> str:
        size = ""
        if self.values.dtype.kind != "c":
            size = f", {number(float(self.values.min()))} to {number(float(self.values.max()))}"
        return f"{self.placed}, linear between, constant beyond{size}"

    def known_values(self) -> Iterator[tuple[str, np.ndarray]]:
        yield "", self.values

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, GridField):
            return NotImplemented
        return self.bounds == other.bounds and np.array_equal(self.values, other.values)

    def __hash__(self) -> int:
        return hash((self.bounds, self.values.shape, self.values.tobytes()))


def interpolated(
    points: Array,
    table: np.ndarray,
    bounds: tuple[Sequence[float], Sequence[float]] | None,
    weights: Callable[[Array], tuple[Array, ...]],
) -> Array:
    """Sums of a table's entries at points `(n, d)`, by products over the axes of weights; constant beyond the bounds.

    weights: of the entries from that of a cell on, at the part t in [0, 1] of the cell; an axis with two of them has one
        cell less than entries. bounds: of the first and the last cell. Raises: DeclarationError where there are none.
    """
    if bounds is None:
        raise DeclarationError(
            "the GridField has no bounds yet; give bounds=(lower, upper), or use it in a Problem"
        )
    check_shape(points, table.ndim)
    xp = namespace(points)
    kind = complex_dtype(points) if table.dtype.kind == "c" else points.dtype
    if isinstance(points, torch.Tensor):
        flat: Any = torch.tensor(table.ravel(), dtype=kind, device=points.device)
    else:
        flat = table.ravel().astype(kind)
    corners: list[tuple[Array, Array]] = [(0, 1.0)]  # flat index and weight, axis by axis
    for i, (a, b) in enumerate(zip(*bounds, strict=True)):
        count = table.shape[i]
        cells = count + 1 - len(weights(0.0))
        position = xp.clip((points[:, i] - a) * (cells / (b - a)), 0.0, float(cells))
        cell = xp.clip(xp.astype(xp.floor(position), xp.int64), 0, cells - 1)
        along = weights(position - xp.astype(cell, points.dtype))
        corners = [
            (index * count + cell + step, before * weight)
            for index, before in corners
            for step, weight in enumerate(along)
        ]
    return sum(weight * flat[index] for index, weight in corners)
