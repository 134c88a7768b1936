"""What a domain is: a set with named faces, a measure, normals and a signed distance, that can be sampled."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
import torch

from neurapde.core import checks, pictures
from neurapde.core.arrays import Array
from neurapde.core.declaration import Declaration
from neurapde.core.errors import DeclarationError
from neurapde.domains.edges import Arc, Segment
from neurapde.domains.sampling import (
    Draw,
    How,
    cells_along,
    collect,
    collect_lattice,
    unit_cells,
    unit_sequence,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SPARSE, LATTICE_SEED = 0.1, 30253
"""Part of its box that a domain fills, and of its points that a lattice keeps, at least; seed of what else is used."""

On: TypeAlias = str | Sequence[str] | None
"""Faces by name: one, several, or None for the whole boundary."""


class BoundarySample(NamedTuple):
    """Points on a boundary `(n, d)` and the unit outward normals there `(n, d)`."""

    points: torch.Tensor
    normals: torch.Tensor


class BoundaryRows(NamedTuple):
    """Points and normals `(n, d)` of which only the rows `kept` `(n,)` lie on the boundary, by measure."""

    points: torch.Tensor
    normals: torch.Tensor
    kept: torch.Tensor

    @classmethod
    def all(cls, points: torch.Tensor, normals: torch.Tensor) -> "BoundaryRows":
        """Rows that all lie on the boundary."""
        return cls(points, normals, torch.ones_like(points[:, 0], dtype=torch.bool))


def axis_names(dimension: int) -> tuple[str, ...]:
    """x, y, z, and x4, x5, … beyond."""
    return ("x", "y", "z")[:dimension] + tuple(f"x{i + 1}" for i in range(3, dimension))


@dataclass(frozen=True, repr=False)
class Domain(Declaration, ABC):
    """A bounded set in d dimensions. `print` shows it as mathematics; `name` is its name in messages.

    Membership and distance take points `(n, d)`, NumPy or torch, and answer `(n,)` in kind.
    """

    name: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        name = type(self).__name__.lower() if isinstance(self.name, str) and not self.name else self.name
        object.__setattr__(self, "name", checks.name(name, f"name of the {type(self).__name__}"))

    @property
    @abstractmethod
    def dimension(self) -> int:
        """The number of axes d."""

    @property
    def axes(self) -> tuple[str, ...]:
        """Names of the axes, in the order of the columns of points: x, y, z, x4, …."""
        return axis_names(self.dimension)

    @property
    def spatial(self) -> "Domain":
        """The domain in space: itself, unless it lasts for a time."""
        return self

    @property
    @abstractmethod
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper corner `(d,)` of the smallest box around it (for combinations, of some box)."""

    @property
    def extents(self) -> tuple[float, ...]:
        """Length of the box of its `bounds` along each axis, `(d,)`."""
        lower, upper = self.bounds
        return tuple((upper - lower).tolist())

    @abstractmethod
    def contains(self, points: Array) -> Array:
        """Which points lie in the closed set: bool `(n,)`."""

    @abstractmethod
    def signed_distance(self, points: Array) -> Array:
        """Distance to the boundary, negative inside: `(n,)`."""

    @property
    @abstractmethod
    def measure(self) -> float:
        """Length, area or volume."""

    @property
    @abstractmethod
    def faces(self) -> tuple[str, ...]:
        """Names of the pieces of the boundary."""

    @property
    def edges(self) -> tuple[Segment | Arc, ...]:
        """Pieces of a plane shape's boundary; a combination's are those of its parts, whole."""
        raise DeclarationError(
            f"{self} has {self.dimension} axes; only plane shapes have edges; use signed_distance"
        )

    @abstractmethod
    def boundary_size(self, faces: tuple[str, ...]) -> float:
        """Length or area of the faces (for combinations, before those of one part are cut by the other)."""

    @property
    @abstractmethod
    def _boundary_cube(self) -> int:
        """Dimension of the unit cube that `_to_boundary` takes."""

    @abstractmethod
    def _to_boundary(self, unit: torch.Tensor, faces: tuple[str, ...]) -> BoundaryRows:
        """The unit cube `(n, k)` onto the faces, by measure, row by row."""

    @property
    def _cube(self) -> int:
        """Dimension of the unit cube that `_to_interior` takes."""
        return self.dimension

    @property
    def _cover(self) -> float:
        """Measure of what `_to_interior` maps the unit cube onto: the set and what it does not keep."""
        return math.prod(self.extents)

    def _to_interior(self, unit: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The unit cube `(n, k)` onto a cover of the set, by measure: points `(n, d)` and which lie in the set `(n,)`."""
        lower, upper = (torch.as_tensor(b, device=unit.device) for b in self.bounds)
        points = lower + (upper - lower) * unit
        return points, torch.as_tensor(self.contains(points))

    def _scattered(self, count: int, how: How, generator: torch.Generator | None) -> torch.Tensor:
        def mapped(unit: torch.Tensor) -> tuple[torch.Tensor]:
            points, inside = self._to_interior(unit)
            return (points[inside],)

        return collect(count, unit_sequence(self._cube, how, generator), mapped, str(self))[0]

    def sample(
        self,
        count: int,
        *,
        how: How = "uniform",
        generator: torch.Generator | None = None,
        dtype: torch.dtype = torch.float64,
        device: torch.device | str = "cpu",
    ) -> torch.Tensor:
        """Points of the set by measure, `(count, d)`.

        Args:
            count: how many; with "grid" at most so many.
            how: "uniform" (independent), "sobol" (low-discrepancy, scrambled) or "grid" (cell centres; where the domain is
                too thin, or has too many axes, for so many of them: the same low-discrepancy points at each call).
            generator: the randomness; without one the points differ from call to call. Not used by "grid".
            dtype, device: of the points. They are drawn in float64 on the generator's device.
        """
        return self.draw(Draw(count, how, generator, dtype, device))

    def draw(self, wanted: Draw) -> torch.Tensor:
        """Points of the set, as `sample` gives them."""
        if wanted.how == "grid":
            return wanted.placed(self._lattice(wanted.count))
        return wanted.placed(self._scattered(wanted.count, wanted.how, wanted.generator))

    @property
    def _lattice_extents(self) -> np.ndarray:
        """Sides `(d,)` of the box around it, in the unit of each axis in which a lattice's cells are cubes."""
        return np.asarray(self.extents)

    def _lattice(self, count: int) -> torch.Tensor:
        """A regular lattice of at most `count` points; scattered ones that never change where hardly any would be inside."""
        lower, upper = (torch.as_tensor(b) for b in self.bounds)
        extents = self._lattice_extents
        filled = self.measure / float(torch.prod(upper - lower))
        if filled >= SPARSE:
            spacing = (filled * float(np.prod(extents)) / count) ** (1 / self.dimension)
            while True:
                cells = cells_along(extents.tolist(), spacing, count)
                if math.prod(cells) <= 2 * count / filled:
                    points = lower + (upper - lower) * unit_cells(cells)
                    points = points[self.contains(points)]
                    if len(points) <= count:
                        break
                spacing *= 1.01
            if len(points) >= SPARSE * count:
                return points
        return self._scattered(count, "sobol", torch.Generator().manual_seed(LATTICE_SEED))

    def sample_boundary(
        self,
        count: int,
        *,
        on: On = None,
        how: How = "uniform",
        generator: torch.Generator | None = None,
        dtype: torch.dtype = torch.float64,
        device: torch.device | str = "cpu",
    ) -> BoundarySample:
        """Points `(count, d)` of the boundary, by length or area, and their outward normals.

        Args:
            count: how many; with "grid" at most so many.
            on: face name or names; None for the whole boundary.
            how, generator, dtype, device: as in `sample`.
        """
        return self.draw_boundary(Draw(count, how, generator, dtype, device), on)

    def draw_boundary(self, wanted: Draw, on: On) -> BoundarySample:
        """Points of faces and their normals, as `sample_boundary` gives them."""
        faces = self.check_faces(on, "sample_boundary")

        def mapped(unit: torch.Tensor) -> BoundarySample:
            points, normals, inside = self._to_boundary(unit, faces)
            return BoundarySample(points[inside], normals[inside])

        what = f"the boundary of {self}" if on is None else f"{' and '.join(faces)} of {self}"
        if wanted.how == "grid":
            columns = collect_lattice(wanted.count, self._boundary_cube, mapped, what)
        else:
            sequence = unit_sequence(self._boundary_cube, wanted.how, wanted.generator)
            columns = collect(wanted.count, sequence, mapped, what)
        return BoundarySample(*map(wanted.placed, columns))

    def check_faces(self, on: On, what: str) -> tuple[str, ...]:
        """The faces that `on` means, each checked to exist; `what` names who asks in the message."""
        if on is None:
            return self.faces
        wanted = (on,) if isinstance(on, str) else tuple(on) if isinstance(on, list | tuple) else ()
        if not wanted:
            raise DeclarationError(
                f"{what} is on {checks.shown(on)}; name one or several of the faces {', '.join(self.faces)}, or None"
            )
        for face in wanted:
            if face not in self.faces:
                raise DeclarationError(
                    f"{what} is on face {checks.shown(face)}, but {self} has the faces {', '.join(self.faces)}; use one "
                    "of these"
                )
        if len(set(wanted)) < len(wanted):
            raise DeclarationError(
                f"{what} is on {wanted!r}; name each face once, or None for the whole boundary"
            )
        return wanted

    def __repr__(self) -> str:
        plain = self.name == type(self).__name__.lower()
        return f"<{type(self).__name__}{'' if plain else f' {self.name!r}'} {self}>"

    def _repr_html_(self) -> str:
        rows = (("set", str(self)), ("axes", ", ".join(self.axes)), ("faces", ", ".join(self.faces)))
        return pictures.html.card(f"{type(self).__name__} {self.name}", rows)

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the domain with its faces, whose names conditions use; ax: axes of matplotlib, or None for a new figure."""
        return pictures.domains.draw(self, ax)


def choose(unit: torch.Tensor, sizes: Sequence[float]) -> tuple[torch.Tensor, torch.Tensor]:
    """Split `unit` `(n,)` in [0, 1] by sizes: the index chosen, and the rest, again uniform in [0, 1]."""
    total = torch.cumsum(torch.tensor(sizes, dtype=unit.dtype, device=unit.device), 0)
    position = unit * total[-1]
    index = torch.searchsorted(total, position.contiguous(), right=True).clamp(max=len(sizes) - 1)
    width = torch.as_tensor(sizes, dtype=unit.dtype, device=unit.device)[index]
    return index, ((position - (total[index] - width)) / width).clamp(0.0, 1.0)
