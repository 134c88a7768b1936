"""Samples of a field on a regular grid, in the package's own order: what fits are made from and compared with."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from neurapde.conditions.constraints import AtPoints, DrawnSampler, Samples, at_points
from neurapde.core import checks
from neurapde.core.arrays import to_numpy
from neurapde.core.declaration import Declaration
from neurapde.core.errors import DeclarationError
from neurapde.domains.box import Box
from neurapde.domains.sampling import Draw

Values = NDArray[np.floating]
BLOCK = 2**17
"""Nodes at which a field is evaluated at a time."""


@dataclass(frozen=True, eq=False)
class Raster(Declaration):
    """`values[i, j, …]` of a field at the nodes (x_i, y_j, …), the first and last of which are at `lower` and `upper`.

    Args:
        values: (n_1, …, n_d), or (n_1, …, n_d, c) for c channels; finite. Single precision stays single, and an array
            that is mapped from a file stays there; anything else becomes double.
        lower, upper: coordinates (d,) of the first and the last node.
        name: for reports.

    Pictures have their columns along x and their rows from the top against y, so `values[i, j]` is column i of the
    j-th row from below; `read_image` and `write_image` turn them.
    """

    values: Values
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    name: str = "samples"

    def __post_init__(self) -> None:
        checks.text(self.name, "name of the Raster")
        values = checks.array(self.values, f"values of the raster {self.name!r}", "buif")
        if values.dtype not in (np.float32, np.float64):
            values = values.astype(float)
        lower = checks.coordinates(self.lower, "lower of the Raster")
        upper = checks.coordinates(self.upper, "upper of the Raster")
        d = len(lower)
        if len(upper) != d or values.ndim not in (d, d + 1) or min(values.shape[:d]) < 2:
            raise DeclarationError(
                f"values of the shape {values.shape} do not fit a grid from {lower} to {upper}; give at least two along "
                "each axis, and one more axis for channels"
            )
        if not np.isfinite([values.min(), values.max()]).all():
            raise DeclarationError(
                f"{self.name} has {np.count_nonzero(~np.isfinite(values))} values that are not finite; leave these "
                "samples out and give the others as npde.at_points(points, targets=values)"
            )
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "lower", lower)
        object.__setattr__(self, "upper", upper)
        _ = self.domain  # refuses sides that are empty

    @property
    def dimension(self) -> int:
        """The number of axes d."""
        return len(self.lower)

    @property
    def shape(self) -> tuple[int, ...]:
        """Nodes along each axis, (d,)."""
        return self.values.shape[: self.dimension]

    @property
    def channels(self) -> int:
        """Values at each node."""
        return int(np.prod(self.values.shape[self.dimension :], dtype=int))

    @property
    def domain(self) -> Box:
        """The box from the first node to the last."""
        return Box(*zip(self.lower, self.upper, strict=True))

    @property
    def spacing(self) -> tuple[float, ...]:
        """Distance of neighbouring nodes along each axis."""
        return tuple((b - a) / (n - 1) for a, b, n in zip(self.lower, self.upper, self.shape, strict=True))

    @property
    def axes(self) -> tuple[Values, ...]:
        """Coordinates of the nodes along each axis."""
        return tuple(np.linspace(a, b, n) for a, b, n in zip(self.lower, self.upper, self.shape, strict=True))

    @property
    def points(self) -> Values:
        """All nodes (n, d), the last axis running fastest."""
        return np.stack(np.meshgrid(*self.axes, indexing="ij"), axis=-1).reshape(-1, self.dimension)

    @property
    def targets(self) -> Values:
        """The values at `points`: (n,), or (n, c) for several channels."""
        flat = self.values.reshape(int(np.prod(self.shape)), -1)
        return flat[:, 0] if self.channels == 1 else flat

    def samples(self) -> "Nodes":
        """The nodes with their values, as a constraint draws them."""
        return Nodes(self)

    def with_values(self, values: Any) -> Self:
        """Other values at the same nodes."""
        return replace(self, values=np.asarray(values))

    def sampled(self, field: Callable[[Values], Any]) -> Self:
        """Another field at the same nodes: of a solution, `image.sampled(solution)`."""
        nodes = self.samples()
        blocks = (np.arange(start, min(start + BLOCK, nodes.count)) for start in range(0, nodes.count, BLOCK))
        values = np.concatenate([to_numpy(field(nodes.points(block))) for block in blocks])
        return self.with_values(values.reshape(*self.shape, *values.shape[1:]))

    def every(self, step: int) -> Self:
        """Every `step`-th node along each axis, from the first one on."""
        if isinstance(step, bool) or not isinstance(step, int) or not 1 <= step < min(self.shape):
            raise DeclarationError(f"every({step!r}) of {self.shape} nodes; give a whole number from 1")
        values = self.values[(slice(None, None, step),) * self.dimension]
        last = [(n - 1) // step * step for n in self.shape]
        upper = tuple(a + i * h for a, i, h in zip(self.lower, last, self.spacing, strict=True))
        return replace(self, values=values, upper=upper)

    def held_out(self, step: int) -> AtPoints:
        """The nodes that `every(step)` leaves out, as far as they lie in its box, with their values."""
        thinned = self.every(step)
        index = np.stack(np.meshgrid(*map(np.arange, self.shape), indexing="ij"), axis=-1)
        index = index.reshape(-1, self.dimension)
        last = (np.array(thinned.shape) - 1) * step
        chosen = np.all(index <= last, axis=1) & np.any(index % step != 0, axis=1)
        return at_points(self.points[chosen], targets=self.targets[chosen])

    def differences(self) -> tuple[Self, ...]:
        """The first derivatives as differences of neighbours, ∂_i at the middles of the grid's edges along axis i.

        Returns one raster for each axis, one node shorter along it. The picture with these differences is the given
        one, up to a constant.
        """
        differences = []
        for axis, h in enumerate(self.spacing):
            shift = tuple(h / 2 if i == axis else 0.0 for i in range(self.dimension))
            if self.shape[axis] < 3:
                raise DeclarationError(
                    f"{self.shape} nodes are too few for differences; give at least 3 along each axis"
                )
            differences.append(
                replace(
                    self,
                    values=np.diff(self.values, axis=axis) / h,
                    lower=tuple(a + s for a, s in zip(self.lower, shift, strict=True)),
                    upper=tuple(b - s for b, s in zip(self.upper, shift, strict=True)),
                    name=f"∂{self.domain.axes[axis]} of {self.name}",
                )
            )
        return tuple(differences)

    def laplacian(self) -> Self:
        """The sum of second differences at every node, the field continued evenly beyond the border.

        Evenly: each border value is repeated outside, so that the slope across the border counts as zero.
        """
        total = np.zeros_like(self.values)
        for axis, h in enumerate(self.spacing):
            around = np.pad(
                self.values, [(1, 1) if i == axis else (0, 0) for i in range(self.values.ndim)], mode="edge"
            )
            total += np.diff(around, n=2, axis=axis) / h**2
        return replace(self, values=total, name=f"Δ of {self.name}")

    def describe(self) -> str:
        """One line: what, how many, how many channels."""
        channels = "" if self.channels == 1 else f" of {self.channels} channels"
        return f"{self.name}, {' × '.join(map(str, self.shape))} samples{channels}"


@dataclass(frozen=True, eq=False)
class Nodes(DrawnSampler):
    """Draws nodes of a raster with their values: all of them, or a random choice where fewer are asked for.

    A draw takes time and memory for the nodes that it gives, however many the raster has.
    """

    raster: Raster

    @property
    def count(self) -> int:
        """The number of nodes."""
        return math.prod(self.raster.shape)

    @cached_property
    def axes(self) -> tuple[Values, ...]:
        """Coordinates of the nodes along each axis."""
        return self.raster.axes

    def points(self, index: NDArray[np.integer]) -> Values:
        """The nodes (n, d) of these numbers, counted with the last axis running fastest."""
        places = np.unravel_index(index, self.raster.shape)
        return np.stack([axis[place] for axis, place in zip(self.axes, places, strict=True)], axis=-1)

    def draw(self, wanted: Draw) -> Samples:
        index = wanted.choice(self.count).numpy()
        values = self.raster.values[np.unravel_index(index, self.raster.shape)].reshape(len(index), -1)
        targets = values[:, 0] if self.raster.channels == 1 else values
        points, measured = (
            wanted.placed(torch.from_numpy(rows)) for rows in (self.points(index), np.asarray(targets))
        )
        return Samples(points, targets=measured)
