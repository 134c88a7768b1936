"""A field given by its values on the nodes of a grid."""

from collections.abc import Iterator, Sequence
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
                f"values of the GridField are {values.dtype} of shape {values.shape}; give numbers on at "
                "least 2 nodes an axis"
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
                    f"bounds of the GridField are {checks.shown(self.bounds)}; give (lower, upper), a corner each"
                )
            lower, upper = (checks.coordinates(b, "bounds of the GridField", values.ndim) for b in pair)
            if any(a >= b for a, b in zip(lower, upper, strict=True)):
                raise DeclarationError(
                    f"bounds of the GridField are {lower}, {upper}, but must ascend on every axis"
                )
            object.__setattr__(self, "bounds", (lower, upper))

    def on(self, domain: Domain, part: Domain | None = None) -> "GridField":
        if domain.dimension != self.values.ndim:
            raise DeclarationError(
                f"values of the GridField have {self.values.ndim} axes, but {domain} has {domain.dimension}; "
                "give values[i, j, …] with one axis for each of the domain's"
            )
        if self.bounds is None:
            lower, upper = domain.bounds
            return GridField(self.values, (lower.tolist(), upper.tolist()))
        (a, b), (c, d) = self.bounds, (part or domain).bounds
        slack = 1e-9 * (d - c)
        if np.any(np.array(a) > c + slack) or np.any(np.array(b) < d - slack):
            warn(
                f"the GridField reaches from {point(a)} to {point(b)}, but {part or domain} further; "
                "its outermost values continue there: give it larger bounds=(lower, upper) if they should "
                "not",
                DeclarationWarning,
            )
        return self

    def __call__(self, points: Array) -> Array:
        if self.bounds is None:
            raise DeclarationError(
                "the GridField has no bounds yet; give bounds=(lower, upper), or use it in a Problem"
            )
        check_shape(points, self.values.ndim)
        xp = namespace(points)
        kind = complex_dtype(points) if self.values.dtype.kind == "c" else points.dtype
        if isinstance(points, torch.Tensor):
            values: Any = torch.tensor(self.values, dtype=kind, device=points.device)
        else:
            values = self.values.astype(kind)
        corners: list[tuple[Array, Array]] = [(0, 1.0)]  # flat index and weight, axis by axis
        for i, (a, b) in enumerate(zip(*self.bounds, strict=True)):
            nodes = self.values.shape[i]
            position = xp.clip((points[:, i] - a) * ((nodes - 1) / (b - a)), 0.0, nodes - 1.0)
            cell = xp.clip(xp.astype(xp.floor(position), xp.int64), 0, nodes - 2)
            right = position - xp.astype(cell, points.dtype)
            corners = [
                (index * nodes + cell + step, weight * (right if step else 1.0 - right))
                for index, weight in corners
                for step in (0, 1)
            ]
        flat = xp.reshape(values, (-1,))
        return sum(weight * flat[index] for index, weight in corners)

    def describe(self) -> str:
        where = "" if self.bounds is None else f" from {point(self.bounds[0])} to {point(self.bounds[1])}"
        low, high = (
            (np.min(self.values), np.max(self.values)) if self.values.dtype.kind != "c" else (None, None)
        )
        size = f", {number(low)} to {number(high)}" if low is not None and high is not None else ""
        nodes = "×".join(map(str, self.values.shape))
        return f"values on {nodes} nodes{where}, linear between, constant beyond{size}"

    def known_values(self) -> Iterator[tuple[str, np.ndarray]]:
        yield "", self.values

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, GridField):
            return NotImplemented
        return self.bounds == other.bounds and np.array_equal(self.values, other.values)

    def __hash__(self) -> int:
        return hash((self.bounds, self.values.shape, self.values.tobytes()))
