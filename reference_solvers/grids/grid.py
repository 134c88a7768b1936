"""Nodes of a box, the boundary included, for every grid solver, and the errors for a grid that is too coarse."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


class ResolutionError(ValueError):
    """The grid (or the set of features) is much too coarse for a result."""


class ResolutionWarning(UserWarning):
    """The grid (or the set of features) is coarse: do not trust the result without an error estimate."""


@dataclass(frozen=True)
class Grid:
    """A tensor grid on a box; `values[i, j]` belongs to the point `(axes[0][i], axes[1][j])`.

    Args:
        lower: `(d,)`, the lower corner.
        upper: `(d,)`, the upper corner.
        shape: `(d,)`, nodes per axis, both ends included, at least 3 each.

    Raises: ValueError for corners out of order or not finite, or fewer than 3 nodes on an axis.
    """

    lower: Sequence[float]
    upper: Sequence[float]
    shape: Sequence[int]

    def __post_init__(self) -> None:
        lower, upper = tuple(map(float, self.lower)), tuple(map(float, self.upper))
        if any(float(n) != int(n) for n in self.shape):
            raise ValueError(f"a grid needs whole numbers of nodes; got shape {tuple(self.shape)}.")
        shape = tuple(map(int, self.shape))
        if not len(lower) == len(upper) == len(shape) or not shape:
            raise ValueError(
                f"a grid needs a lower corner, an upper corner and a shape of equal length; got {lower}, {upper} and "
                f"{shape}."
            )
        if not (np.isfinite(lower).all() and np.isfinite(upper).all()):
            raise ValueError(f"the corners of a grid must be finite; got {lower} and {upper}.")
        if any(a >= b for a, b in zip(lower, upper, strict=True)):
            raise ValueError(
                f"the lower corner {lower} of a grid must lie below the upper corner {upper} on every axis."
            )
        if min(shape) < 3:
            raise ValueError(f"shape {shape} is too small: a grid has at least 3 nodes on each axis.")
        object.__setattr__(self, "lower", lower)
        object.__setattr__(self, "upper", upper)
        object.__setattr__(self, "shape", shape)

    @property
    def dimension(self) -> int:
        """Number of axes d."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of nodes."""
        return int(np.prod(self.shape))

    @property
    def spacing(self) -> tuple[float, ...]:
        """`(d,)`, distance between neighbouring nodes on each axis."""
        return tuple((b - a) / (n - 1) for a, b, n in zip(self.lower, self.upper, self.shape, strict=True))

    @property
    def steps(self) -> tuple[NDArray[np.float64], ...]:
        """d arrays `(n_i - 1,)`, the distances between neighbouring nodes on each axis."""
        return tuple(np.full(n - 1, h) for n, h in zip(self.shape, self.spacing, strict=True))

    @property
    def axes(self) -> tuple[NDArray[np.float64], ...]:
        """d arrays `(n_i,)`, the coordinates of the nodes on each axis."""
        return tuple(np.linspace(a, b, n) for a, b, n in zip(self.lower, self.upper, self.shape, strict=True))

    @property
    def points(self) -> NDArray[np.float64]:
        """`(size, d)`, every node; row `i` belongs to `values.ravel()[i]`."""
        return np.stack([axis.ravel() for axis in np.meshgrid(*self.axes, indexing="ij")], axis=1)

    @property
    def has_coarser(self) -> bool:
        """Whether every other node, ends included, is a grid again: odd numbers, at least 5, on each axis."""
        return all(n % 2 == 1 and n >= 5 for n in self.shape)

    def coarser(self) -> "Grid":
        """The grid of every other node; `fine[::2, ::2]` are its values.

        Raises: ValueError if an axis has an even number of nodes or fewer than 5.
        """
        if not self.has_coarser:
            odd = tuple(max(5, n + (n + 1) % 2) for n in self.shape)
            raise ValueError(
                f"shape {tuple(self.shape)} has no nested coarser grid; use odd numbers, e.g. {odd}."
            )
        return Grid(self.lower, self.upper, tuple((n - 1) // 2 + 1 for n in self.shape))

    def contains(self, points: NDArray[np.float64]) -> NDArray[np.bool_]:
        """`(n,)`, whether each of the `(n, d)` points lies in the closed box, up to round-off."""
        lower, upper = np.asarray(self.lower), np.asarray(self.upper)
        slack = 2e-7 * np.maximum(upper - lower, np.maximum(np.abs(lower), np.abs(upper)))  # single precision
        inside = (points >= lower - slack) & (points <= upper + slack)
        return inside.all(axis=1)

    def checked(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """The points (n, d) as floats; ValueError if they have another dimension or lie outside the box."""
        points = np.asarray(points, dtype=float)
        if points.ndim != 2 or points.shape[1] != self.dimension:
            raise ValueError(f"points must have shape (n, {self.dimension}); got {points.shape}.")
        outside = ~self.contains(points)
        if outside.any():
            first = points[outside][0].tolist()
            raise ValueError(f"point {first} lies outside the grid from {self.lower} to {self.upper}.")
        return points
