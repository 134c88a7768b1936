"""Fields given by the user: numbers, functions, pieces by region."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch

from neurapde.core import checks
from neurapde.core.arrays import Array, full, namespace
from neurapde.core.declaration import Declaration, by_fields
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import number, point
from neurapde.domains.base import Domain

POINTS = 1024
"""Of a domain, and of each region in it, at which a field is looked at."""


@dataclass(frozen=True)
class Field(Declaration, ABC):
    """A function of space: points `(n, d)` to values `(n,)` in kind, real or complex."""

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
        values = self._answer(points)
        if isinstance(values, int | float | complex) and not isinstance(values, bool):
            return full(points, values)
        if isinstance(points, torch.Tensor) and isinstance(values, np.ndarray):
            if points.requires_grad:
                raise DeclarationError(
                    f"{self.describe()} returns a NumPy array for torch points, so it cannot be differentiated; write "
                    "it with npde.sin and similar functions, which work on both, or give a GridField"
                )
            values = torch.as_tensor(values, device=points.device)
        shape = tuple(getattr(values, "shape", ()))
        if isinstance(values, np.ndarray) and values.dtype.kind not in "biufc":
            raise DeclarationError(f"{self.describe()} returns values of type {values.dtype}; return numbers")
        if shape != (points.shape[0],):
            way = (
                "drop the last axis: f(x)[:, 0], or take columns as x[:, 0], not x[:, 0:1]"
                if shape == (points.shape[0], 1)
                else "return one number for each point"
            )
            raise DeclarationError(
                f"{self.describe()} returns {'the shape ' + str(shape) if shape else checks.shown(values)} for "
                "points "
                f"{tuple(points.shape)}, but must return ({points.shape[0]},); {way}"
            )
        xp = namespace(values)
        return xp.astype(values, points.dtype) if xp.isdtype(values.dtype, ("bool", "integral")) else values

    def _answer(self, points: Array) -> Any:
        """What the function returns, or an error that says of which function and points."""
        try:
            return self.function(points)
        except (
            RuntimeError,
            DeclarationError,
            MemoryError,
        ):  # torch's say what cannot be differentiated, or held
            raise
        except Exception as error:
            kind = "torch" if isinstance(points, torch.Tensor) else "NumPy"
            raise DeclarationError(
                f"{self.describe()} failed for {kind} points {tuple(points.shape)}: {type(error).__name__}: {error}; "
                "write a function of points (n, d) with npde.sin, npde.exp and similar functions, which work on both "
                "NumPy and torch"
            ) from error

    def describe(self) -> str:
        name = getattr(self.function, "__name__", type(self.function).__name__)
        return "f(x)" if name == "<lambda>" else f"{name}(x)"


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

    @by_fields
    def __init__(self, background: Any, *pieces: tuple[Domain, Any]) -> None:
        object.__setattr__(self, "background", as_field(background, "background of Piecewise"))
        declared = []
        for i, piece in enumerate(pieces):
            if not isinstance(piece, tuple | list) or len(piece) != 2 or not isinstance(piece[0], Domain):
                raise DeclarationError(
                    f"piece {i + 1} of Piecewise is {piece!r}; give a pair (region, value)"
                )
            declared.append((piece[0], as_field(piece[1], f"value of Piecewise in {piece[0].name}")))
        object.__setattr__(self, "pieces", tuple(declared))
        dimensions = {region.dimension for region, _ in declared}
        if len(dimensions) > 1:
            raise DeclarationError(
                f"regions of Piecewise have {sorted(dimensions)} axes; give regions of the same dimension"
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
                    f"region {name} has {region.dimension} axes, but {domain} has {domain.dimension}; give both the "
                    "same number of axes"
                )
            (a, b), (c, d) = region.bounds, domain.bounds
            if np.any(np.maximum(a, c) >= np.minimum(b, d)):
                raise DeclarationError(
                    f"region {name}, {region}, lies outside {domain}; move it inside or leave it out"
                )
        return Piecewise(
            self.background.on(domain), *((region, value.on(domain, region)) for region, value in self.pieces)
        )

    def __call__(self, points: Array) -> Array:
        values = self.background(points)
        plain = isinstance(points, np.ndarray)
        for region, value in self.pieces:
            here = value.value if plain and isinstance(value, Constant) else value(points)
            values = namespace(points).where(region.contains(points), here, values)
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


def check_positive(field: Field, domain: Domain | None, what: str) -> None:
    """Refuse a field that is not finite and positive (a complex one: of positive real part).

    Known values are checked as they are; with a domain, also points of it and of each region.
    """
    for where, known in field.known_values():
        bad = ~(np.isfinite(known) & (known.real > 0))
        if bad.any():
            raise DeclarationError(
                f"{what}{where} is {number(known[bad].ravel()[0])}, but must be positive; give values above 0"
            )
    if domain is None:
        return
    places = (domain, *field.regions.values())
    points = torch.cat([place.sample(POINTS, how="grid") for place in places]).numpy()
    points = points[domain.contains(points)]
    values = field(points)
    bad = ~(np.isfinite(values) & (values.real > 0))
    if bad.any():
        i = int(np.flatnonzero(bad)[0])
        raise DeclarationError(
            f"{what} is {number(values[i])} at {point(points[i].tolist())}, but must be finite and positive; give "
            "values above 0"
        )
