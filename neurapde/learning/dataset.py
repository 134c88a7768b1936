"""Data sets of fields: the interface for `npde.learn`, and fields on a common grid that are read when needed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from neurapde.core import checks
from neurapde.core.arrays import as_points, to_numpy
from neurapde.core.errors import DeclarationError
from neurapde.data.raster import Raster
from neurapde.domains.base import Domain


@dataclass(frozen=True, eq=False)
class Samples:
    """One field as a data set gives it.

    points: (n, d). values: (n,), or (n, c) for c components; real or complex.
    seen:   the observations for the field, if they are not its own values: points (m, e) and values (m,) or (m, b) of
            something else, such as a velocity or the data at receivers.
    """

    points: NDArray
    values: NDArray
    seen: tuple[NDArray, NDArray] | None = None


class Fields(Protocol):
    """A data set of fields on one domain; an item is read when needed, and may come from a file."""

    @property
    def domain(self) -> Domain:
        """Where every field lives."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Samples | Sequence[Any]:
        """Field number `index`: `Samples`, or its points and values."""
        ...


class Rasters:
    """Fields on one grid: `values[k]` holds those of `Raster.values` for field k.

    values: (fields, n_1, …, n_d[, c]), real or complex. Any object with a shape and `values[k]` works, so an HDF5
        array or a NumPy array on disk (`np.load(file, mmap_mode="r")`) is read field by field.
    like: a raster on the grid, or the lower and upper corner.
    """

    def __init__(self, values: Any, like: Raster) -> None:
        if not isinstance(like, Raster):
            raise DeclarationError(
                f"like={checks.shown(like)}: give a Raster on the grid of the fields, such as npde.data.Raster(values[0], "
                "(-1, -1), (1, 1))"
            )
        shape = tuple(getattr(values, "shape", ()))
        if len(shape) < 1 + like.dimension or shape[1 : 1 + like.dimension] != like.shape or not shape[0]:
            raise DeclarationError(
                f"values of the shape {shape} are not fields on a grid of {like.shape}; give (fields, "
                f"{', '.join(map(str, like.shape))}), and one more axis for channels"
            )
        self.values, self.like = values, like
        self.domain = like.domain
        self._points = like.points

    @classmethod
    def of(cls, rasters: Sequence[Raster]) -> "Rasters":
        """Rasters on one grid, pictures of one size, as a data set."""
        if not rasters or not all(isinstance(raster, Raster) for raster in rasters):
            raise DeclarationError(f"rasters={checks.shown(rasters)}: give at least one Raster")
        grids = {(raster.values.shape, raster.lower, raster.upper) for raster in rasters}
        if len(grids) > 1:
            raise DeclarationError(
                f"the rasters are on {len(grids)} different grids; give images of one size, for example with "
                "read_image(…, size=32)"
            )
        return cls(np.stack([raster.values for raster in rasters]), rasters[0])

    def __len__(self) -> int:
        return int(self.values.shape[0])

    def __getitem__(self, index: int) -> Samples:
        values = np.asarray(self.values[index])
        return Samples(self._points, values.reshape(len(self._points), *values.shape[self.like.dimension :]))


class SampledFields:
    """Fields given one by one, each at points of its own: a list of (points, values), of functions, of `Samples`.

    domain: of all fields. items: the fields. A function is called with a NumPy array `points` (n, d) when it is
    needed.
    """

    def __init__(
        self, domain: Domain, items: Sequence[Samples | Sequence[Any] | Callable], points: Any = None
    ) -> None:
        if not isinstance(domain, Domain):
            raise DeclarationError(
                f"domain={checks.shown(domain)}: give a Domain, such as npde.Box((-1, 1), (-1, 1))"
            )
        self.domain, self.items = domain, items
        self._points = None if points is None else to_numpy(as_points(points, domain.dimension))

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Samples | Sequence[Any]:
        item = self.items[index]
        if not callable(item):
            return item
        if self._points is None:
            raise DeclarationError(
                "fields given as functions need points at which they are evaluated; give points=…"
            )
        return Samples(self._points, checks.answer(item, self._points, f"items[{index}]"))


def item(data: Fields, index: int) -> Samples:
    """Field number `index`, checked: finite, values (n, c), points (n, d)."""
    given = data[index]
    samples = given if isinstance(given, Samples) else _pair(given, index)
    points, values = _checked(samples.points, samples.values, f"field {index}", data.domain.dimension)
    seen = samples.seen
    if seen is not None:
        what = f"the observation of field {index}"
        seen = _checked(*seen, what, np.asarray(seen[0]).shape[-1])
    return Samples(points, values, seen)


def _pair(given: Any, index: int) -> Samples:
    try:
        points, values = given
    except (TypeError, ValueError):
        raise DeclarationError(
            f"field {index} of the data set is {checks.shown(given)}; give its points (n, d) and its values (n,) or (n, c)"
        ) from None
    return Samples(points, values)


def _checked(points: Any, values: Any, what: str, dimension: int) -> tuple[NDArray, NDArray]:
    places = to_numpy(as_points(points, dimension, f"points of {what}"))
    numbers = checks.array(values, f"values of {what}", "buifc")
    numbers = numbers.reshape(len(numbers), -1) if numbers.ndim in (1, 2) else numbers
    if numbers.ndim != 2 or len(numbers) != len(places) or not len(places):
        raise DeclarationError(
            f"{what} has values of the shape {numbers.shape} at points {places.shape}; give one row for each point"
        )
    if not np.isfinite(numbers).all():
        raise DeclarationError(f"{what} has values that are not finite; leave these points out")
    return places, numbers
