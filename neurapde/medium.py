"""Fields given by the user: numbers, functions, values on a grid, pieces by region."""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch

from neurapde.core import checks
from neurapde.core.arrays import Array, check_shape, complex_dtype, full, namespace, to_numpy
from neurapde.core.errors import DeclarationError, DeclarationWarning
from neurapde.core.vocabulary import Declaration
from neurapde.core.wording import number, point
from neurapde.domains.base import Domain


@dataclass(frozen=True)
class Field(Declaration, ABC):
    """A function of the place: points `(n, d)` to values `(n,)` in kind, real or complex."""

    @abstractmethod
    def __call__(self, points: Array) -> Array:
        """Values `(n,)`."""

    @abstractmethod
    def describe(self) -> str:
        """A few words for `print(problem)`."""

    def on(self, domain: Domain, part: Domain | None = None) -> "Field":
        """The same field with everything it takes from the domain filled in, for use in all or a part of it."""
        return self

    def known_values(self) -> Iterator[tuple[str, np.ndarray]]:
        """Values that can be told without a point, each with where it holds (" in disk", or nothing)."""
        return iter(())

    @property
    def regions(self) -> Mapping[str, Domain]:
        """Regions that this field names."""
        return {}


@dataclass(frozen=True)
class Constant(Field):
    """The same number everywhere."""

    value: complex

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", checks.scalar(self.value, "the constant"))

    def __call__(self, points: Array) -> Array:
        return full(points, self.value)

    def describe(self) -> str:
        return number(self.value)

    def known_values(self) -> Iterator[tuple[str, np.ndarray]]:
        yield "", np.array([self.value])


@dataclass(frozen=True)
class FunctionField(Field):
    """A user's function of the points; what it returns is checked to be `(n,)`."""

    function: Callable[[Array], Array]

    def __call__(self, points: Array) -> Array:
        values = self.function(points)
        if isinstance(values, int | float | complex):
            return full(points, values)
        if isinstance(points, torch.Tensor) and isinstance(values, np.ndarray):
            if points.requires_grad:
                raise DeclarationError(
                    f"{self.describe()} returns a NumPy array for torch points whose derivatives are asked for; "
                    "write it with npde.sin and the like, which work on both, or give a GridField"
                )
            values = torch.as_tensor(values, device=points.device)
        shape = tuple(getattr(values, "shape", ()))
        if shape != (points.shape[0],):
            way = (
                "drop the last axis: f(x)[:, 0]"
                if shape == (points.shape[0], 1)
                else "return one number for each point"
            )
            raise DeclarationError(
                f"{self.describe()} returns {'the shape ' + str(shape) if shape else repr(values)} for "
                "points "
                f"{tuple(points.shape)}, but must return ({points.shape[0]},); {way}"
            )
        return values

    def describe(self) -> str:
        name = getattr(self.function, "__name__", type(self.function).__name__)
        return "a function of the place" if name == "<lambda>" else f"{name}(x)"


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
            lower, upper = (
                checks.coordinates(b, "bounds of the GridField", values.ndim) for b in self.bounds
            )
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
            warnings.warn(
                f"the GridField reaches from {point(a)} to {point(b)}, but {part or domain} further; "
                "its outermost values continue there: give it larger bounds=(lower, upper) if they should "
                "not",
                DeclarationWarning,
                stacklevel=2,
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


@dataclass(frozen=True, init=False)
class Piecewise(Field):
    """`Piecewise(background, (region, value), …)`: a background, and other values in regions; later ones win.

    Values are numbers, functions of points, or GridFields. A region is known by its name (disk, disk-2).

    >>> from neurapde.domains import Disk
    >>> Piecewise(1.0, (Disk((0, 0), 0.1), 2.0)).describe()
    '1; 2 in disk = {|(x, y) − (0, 0)| ≤ 0.1}'
    """

    background: Field
    pieces: tuple[tuple[Domain, Field], ...]

    def __init__(self, background: Any, *pieces: tuple[Domain, Any]) -> None:
        object.__setattr__(self, "background", as_field(background, "background of Piecewise"))
        found = []
        for i, piece in enumerate(pieces):
            if not isinstance(piece, tuple | list) or len(piece) != 2 or not isinstance(piece[0], Domain):
                raise DeclarationError(
                    f"piece {i + 1} of Piecewise is {piece!r}; give a pair (region, value)"
                )
            found.append((piece[0], as_field(piece[1], f"value of Piecewise in {piece[0].name}")))
        object.__setattr__(self, "pieces", tuple(found))
        dimensions = {region.dimension for region, _ in found}
        if len(dimensions) > 1:
            raise DeclarationError(
                f"regions of Piecewise have {sorted(dimensions)} axes; give regions of one dimension"
            )

    @classmethod
    def rebuild(cls, fields: Mapping[str, Any]) -> Self:
        return cls(fields["background"], *fields["pieces"])

    @property
    def regions(self) -> Mapping[str, Domain]:
        names = checks.numbered(region.name for region, _ in self.pieces)
        return {name: region for name, (region, _) in zip(names, self.pieces, strict=True)}

    def on(self, domain: Domain, part: Domain | None = None) -> "Piecewise":
        for name, region in self.regions.items():
            if region.dimension != domain.dimension:
                raise DeclarationError(
                    f"region {name} has {region.dimension} axes, but {domain} has {domain.dimension}; give "
                    "them the same"
                )
            (a, b), (c, d) = region.bounds, domain.bounds
            if np.any(np.maximum(a, c) >= np.minimum(b, d)):
                raise DeclarationError(
                    f"region {name}, {region}, lies outside {domain}; move it in or leave it out"
                )
        return Piecewise(
            self.background.on(domain), *((region, value.on(domain, region)) for region, value in self.pieces)
        )

    def __call__(self, points: Array) -> Array:
        values = self.background(points)
        for region, value in self.pieces:
            values = namespace(points).where(region.contains(points), value(points), values)
        return values

    def describe(self) -> str:
        parts = [
            f"{value.describe()} in {name} = {region}"
            for (name, region), (_, value) in zip(self.regions.items(), self.pieces, strict=True)
        ]
        return "; ".join([self.background.describe(), *parts])

    def known_values(self) -> Iterator[tuple[str, np.ndarray]]:
        yield from self.background.known_values()
        for name, (_, value) in zip(self.regions, self.pieces, strict=True):
            for where, values in value.known_values():
                yield f" in {name}{where}", values


def as_field(value: Any, what: str) -> Field:
    """A Field from a Field, a number, or a function of points; `what` names it in the message."""
    if isinstance(value, Field):
        return value
    if isinstance(value, np.ndarray | torch.Tensor) and value.ndim > 0:
        raise DeclarationError(
            f"{what} is an array of shape {tuple(value.shape)}; wrap it: GridField(values)"
        )
    if callable(value) and not isinstance(value, type):
        return FunctionField(value)
    if isinstance(value, int | float | complex | np.generic | np.ndarray | torch.Tensor) and not isinstance(
        value, bool
    ):
        return Constant(checks.scalar(value, what))
    raise DeclarationError(
        f"{what} is {value!r}; give a number, a function of points (n, d), a GridField or a Piecewise"
    )


def check_positive(field: Field, domain: Domain | None, what: str, count: int = 1024) -> None:
    """Refuse a field that is not finite and positive (a complex one: of positive real part).

    Known values are checked as they are; with a domain, also `count` points of it and of each region.
    """
    for where, known in field.known_values():
        bad = ~(np.isfinite(known) & (known.real > 0))
        if bad.any():
            raise DeclarationError(
                f"{what}{where} is {number(known[bad].ravel()[0])}, but must be positive; give it above 0"
            )
    if domain is None:
        return
    samples = [domain.sample(count, how="grid")]
    samples += [region.sample(count, how="grid") for region in field.regions.values()]
    points = torch.cat(samples).numpy()
    points = points[domain.contains(points)]
    values = field(points)
    bad = ~(np.isfinite(values) & (values.real > 0))
    if bad.any():
        i = int(np.flatnonzero(bad)[0])
        raise DeclarationError(
            f"{what} is {number(values[i])} at {point(points[i].tolist())}, but must be finite and "
            "positive; give it above 0"
        )
