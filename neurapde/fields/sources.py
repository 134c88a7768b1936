"""Right-hand sides: where a field comes from, and how much of it."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from neurapde.core import checks
from neurapde.core.arrays import Array, check_shape, namespace
from neurapde.core.declaration import Declaration, by_fields
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import factor, number, point
from neurapde.domains.base import Domain
from neurapde.fields.medium import Field, as_field


@dataclass(frozen=True)
class Source(Declaration, ABC):
    """A term f of the right-hand side: points `(n, d)`, NumPy or torch, to the density `(n,)` in kind."""

    @abstractmethod
    def __call__(self, points: Array) -> Array:
        """The density f `(n,)`."""

    @abstractmethod
    def describe(self) -> str:
        """f as a formula, for `print(problem)`."""

    @property
    def center(self) -> tuple[float, ...] | None:
        """Where it sits, for a source that sits somewhere."""
        return None

    @property
    def reach(self) -> float:
        """How far from its centre it is felt (four standard deviations of a Gaussian)."""
        return 0.0

    def on(self, domain: Domain) -> "Source":
        """The same source with everything it takes from the domain filled in.

        Raises: DeclarationError for a source of another dimension than the domain.
        """
        if self.center is not None and len(self.center) != domain.dimension:
            raise DeclarationError(
                f"the source at {point(self.center)} has {len(self.center)} coordinates, but {domain} has "
                f"{domain.dimension} axes; "
                "give one coordinate for each"
            )
        return self


@dataclass(frozen=True)
class GaussianSource(Source):
    """A Gaussian of mass `amplitude`: f = amplitude (2πs²)^(−d/2) exp(−|x − at|² / 2s²), s² the variance.

    Args:
        at: `(d,)`.
        variance: s², in square units of length, positive.
        amplitude: the integral of f over all space, real or complex.
    """

    at: Sequence[float]
    variance: float
    amplitude: complex = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", checks.coordinates(self.at, "at of the GaussianSource"))
        object.__setattr__(self, "variance", checks.positive(self.variance, "variance of the GaussianSource"))
        object.__setattr__(
            self, "amplitude", checks.scalar(self.amplitude, "amplitude of the GaussianSource")
        )

    @property
    def center(self) -> tuple[float, ...]:
        return tuple(self.at)

    @property
    def reach(self) -> float:
        return 4 * math.sqrt(self.variance)

    def __call__(self, points: Array) -> Array:
        check_shape(points, len(self.at))
        square = sum((points[:, i] - c) ** 2 for i, c in enumerate(self.at))
        height = self.amplitude * (2 * math.pi * self.variance) ** (-len(self.at) / 2)
        return height * namespace(points).exp(-square / (2 * self.variance))

    def describe(self) -> str:
        place = f"at {point(self.at)}, variance {number(self.variance)}"
        return f"{factor(self.amplitude)}Gaussian of unit mass {place}"


@dataclass(frozen=True)
class PointSource(Source):
    """`amplitude` times Dirac's delta at a point `(d,)`: it has mass but no density, so a call raises an
    error."""

    at: Sequence[float]
    amplitude: complex = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", checks.coordinates(self.at, "at of the PointSource"))
        object.__setattr__(self, "amplitude", checks.scalar(self.amplitude, "amplitude of the PointSource"))

    @property
    def center(self) -> tuple[float, ...]:
        return tuple(self.at)

    def __call__(self, points: Array) -> Array:
        raise DeclarationError(
            f"the PointSource at {point(self.at)} has no values at points; use a method that integrates it "
            "(Trefftz, Galerkin), the scattered form (Ansatz), or a GaussianSource"
        )

    def describe(self) -> str:
        return f"{factor(self.amplitude)}δ at {point(self.at)}"


@dataclass(frozen=True)
class FunctionSource(Source):
    """A density given by a function of points `(n, d)` -> `(n,)`, a GridField or a number."""

    f: Any

    def __post_init__(self) -> None:
        object.__setattr__(self, "f", as_field(self.f, "f of the FunctionSource"))

    def on(self, domain: Domain) -> "FunctionSource":
        field: Field = self.f
        return FunctionSource(field.on(domain))

    def __call__(self, points: Array) -> Array:
        return self.f(points)

    def describe(self) -> str:
        return str(self.f.describe())


@dataclass(frozen=True, init=False)
class Shots(Declaration):
    """`Shots(source, [source, source], …)`: each entry is a right-hand side, and so a field, of its own.

    The sources of one entry radiate together.
    """

    entries: tuple[tuple[Source, ...], ...]

    @by_fields
    def __init__(self, *entries: Any) -> None:
        if not entries:
            raise DeclarationError("Shots() is empty; give at least one source, or a list of them")
        shots = tuple(as_sources(entry, f"shot {i + 1}") for i, entry in enumerate(entries))
        if empty := [i + 1 for i, entry in enumerate(shots) if not entry]:
            raise DeclarationError(f"shot {empty[0]} has no source; give at least one")
        object.__setattr__(self, "entries", shots)

    @classmethod
    def rebuild(cls, fields: Mapping[str, Any]) -> Self:
        return cls(*fields["entries"])

    def on(self, domain: Domain) -> "Shots":
        """The same shots with everything they take from the domain filled in."""
        return Shots(*(tuple(source.on(domain) for source in entry) for entry in self.entries))

    def __len__(self) -> int:
        return len(self.entries)


def as_source(value: Any, what: str) -> Source:
    """A Source from a Source, a function of points, a GridField or a number."""
    if isinstance(value, Source):
        return value
    if isinstance(value, Shots):
        raise DeclarationError(
            f"{what} contains Shots in a list; give Shots without a list: sources=Shots(…)"
        )
    if (
        value is None
        or isinstance(value, str | type)
        or not (callable(value) or isinstance(value, int | float | complex))
    ):
        raise DeclarationError(
            f"{what} is {value!r}; give a GaussianSource, a PointSource, a function of points (n, d), a "
            "GridField, or Shots of these"
        )
    return FunctionSource(value)


def as_sources(value: Any, what: str) -> tuple[Source, ...]:
    """Sources that radiate together, from one or a list."""
    if isinstance(value, list | tuple):
        return tuple(as_source(item, f"{what}[{i}]") for i, item in enumerate(value))
    return (as_source(value, what),)


def total(sources: Sequence[Source], points: Array) -> Array:
    """The density `(n,)` of sources that radiate together; zero for none."""
    values = [source(points) for source in sources]
    return sum(values[1:], start=values[0]) if values else namespace(points).zeros_like(points[:, 0])
