"""A field at the nodes of a regular grid: what is drawn, put into a table or written to a file."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import listing, number
from neurapde.core.memory import check_fits
from neurapde.domains.base import Domain

NODES = {1: 513, 2: 257, 3: 65}
"""Nodes per axis where none are asked for, by the number of axes."""
INSIDE = 1e-9
"""Points this far outside, in units of the domain's largest extent, count as on its boundary."""
NODE = 60.0
"""Bytes for a node and each of its coordinates."""


@dataclass(frozen=True, eq=False)
class Sampled:
    """A field at the nodes of a grid.

    axes: coordinates of the nodes by the name of the axis, in the order of the values' axes.
    at: the axes that are held, each at one coordinate.
    values: `(*shape)`, or `(*shape, columns)` for several components; NaN outside the domain.
    names: all axes of the domain. points: the nodes `(n, d)` in their order, the last axis running fastest.
    inside: which of the points lie in the domain, `(n,)`.
    """

    axes: Mapping[str, NDArray[np.float64]]
    at: Mapping[str, float]
    values: NDArray
    names: tuple[str, ...]
    points: NDArray[np.float64]
    inside: NDArray[np.bool_]

    @property
    def shape(self) -> tuple[int, ...]:
        """Nodes of each axis."""
        return tuple(len(axis) for axis in self.axes.values())

    @property
    def columns(self) -> NDArray:
        """The values `(*shape, columns)`, one column for a field with one component."""
        return self.values.reshape(*self.shape, -1)

    @property
    def table(self) -> dict[str, NDArray]:
        """The nodes inside the domain, a row each: the coordinates, then the values as real numbers."""
        points = self.points[self.inside]
        values = self.values.reshape(len(self.points), *self.values.shape[len(self.axes) :])[self.inside]
        return {**dict(zip(self.names, points.T, strict=True)), **real_parts("u", values)}

    @property
    def where(self) -> str:
        """The axes that are held, as `t = 0.5, z = 0`; nothing where none is."""
        return ", ".join(f"{name} = {number(float(f'{value:.4g}'))}" for name, value in self.at.items())


def sampled(
    field: Callable[[NDArray], Any],
    domain: Domain,
    shape: int | Sequence[int] | None = None,
    at: Mapping[str, float] | float | None = None,
) -> Sampled:
    """A field of points `(n, d)` at the nodes of a grid over the box around its domain.

    shape: nodes of each axis that is not held; one number for all of them, or None for a choice by their number.
    at: coordinates to hold, `{"t": 0.5, "z": 0}`, or a number for the last axis.
    Raises: DeclarationError for an axis that there is not, a coordinate outside, or more than three axes left.
    """
    held = held_axes(domain, at)
    free = [name for name in domain.axes if name not in held]
    if not 1 <= len(free) <= max(NODES):
        raise DeclarationError(
            f"{len(free)} of the axes {listing(domain.axes)} are free; fix all but one, two or three of them, for "
            f"example with at={{{domain.axes[-1]!r}: {number(float(domain.bounds[1][-1]))}}}."
        )
    counts = (NODES[len(free)],) * len(free) if shape is None else checks.node_counts(shape, len(free), 2)
    if counts is None:
        raise DeclarationError(
            f"shape={checks.shown(shape)}: give {len(free)} whole numbers of nodes, at least 2 each, for {listing(free)}."
        )
    check_fits(
        math.prod(counts) * NODE * domain.dimension,
        f"a grid of {' × '.join(map(str, counts))} nodes needs too much memory",
        "give a smaller shape=…",
    )
    lower, upper = (dict(zip(domain.axes, corner.tolist(), strict=True)) for corner in domain.bounds)
    axes = {name: np.linspace(lower[name], upper[name], n) for name, n in zip(free, counts, strict=True)}
    mesh = dict(zip(free, np.meshgrid(*axes.values(), indexing="ij"), strict=True))
    columns = [
        mesh[name].ravel() if name in mesh else np.full(math.prod(counts), held[name]) for name in domain.axes
    ]
    points = np.stack(columns, axis=1)
    inside = np.asarray(domain.signed_distance(points)) <= INSIDE * max(domain.extents)
    if not inside.any():
        raise DeclarationError(
            f"no node of {' × '.join(map(str, counts))} lies inside {domain}; use a finer shape."
        )
    evaluated = np.asarray(field(points[inside]))
    values = np.full(
        (len(points), *evaluated.shape[1:]), np.nan, dtype=np.result_type(evaluated.dtype, np.float32)
    )
    values[inside] = evaluated
    return Sampled(axes, held, values.reshape(*counts, *evaluated.shape[1:]), domain.axes, points, inside)


def held_axes(domain: Domain, at: Any) -> dict[str, float]:
    """The coordinates that `at` holds, by axis. Raises: DeclarationError."""
    if at is None:
        return {}
    given = at if isinstance(at, Mapping) else {domain.axes[-1]: at}
    lower, upper = domain.bounds
    for name, value in given.items():
        if name not in domain.axes:
            raise DeclarationError(
                f"at={checks.shown(at)} fixes {name!r}, but the domain has the axes {listing(domain.axes)}; use one of "
                "these."
            )
        index = domain.axes.index(name)
        low, high = float(lower[index]), float(upper[index])
        checks.number(
            value,
            f"at: {name}",
            lambda x, low=low, high=high: low <= x <= high,  # type: ignore[misc]
            f"give a number from {number(low)} to {number(high)}, where the domain is",
        )
    return {name: float(value) for name, value in given.items()}


def real_parts(name: str, values: np.ndarray) -> Mapping[str, np.ndarray]:
    """Real columns of a field by name: a component gets its number, a complex one _re, _im and _abs."""
    if values.ndim > 1:
        columns = values.reshape(len(values), math.prod(values.shape[1:])).T
        parts = [real_parts(f"{name}_{index}", column) for index, column in enumerate(columns)]
        return {key: column for columns in parts for key, column in columns.items()}
    if not np.iscomplexobj(values):
        return {name: values}
    return {f"{name}_re": values.real.copy(), f"{name}_im": values.imag.copy(), f"{name}_abs": np.abs(values)}
