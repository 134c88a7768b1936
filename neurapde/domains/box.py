"""Boxes along the axes, in any number of dimensions, and the interval as the box on a line."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch

from neurapde.core import checks
from neurapde.core.arrays import Array, check_shape, maximum, minimum, namespace, safe_sqrt
from neurapde.core.declaration import by_fields
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import number
from neurapde.domains.base import BoundaryRows, Domain, axis_names, choose
from neurapde.domains.combine import Difference, Shape
from neurapde.domains.edges import Arc, Segment

THIN = 1e-12
"""Sides shorter than this part of their distance from the origin have no inside to speak of."""
FACES = (("left", "right"), ("bottom", "top"), ("front", "back"))


@dataclass(frozen=True, repr=False, init=False)
class Box(Shape):
    """`Box((x0, x1), (y0, y1), …)`: a product of intervals, one for each axis.

    Faces: left, right (x), bottom, top (y), front, back (z), then x4-, x4+, ….
    Raises: DeclarationError for intervals that are no pairs, not finite, or not in ascending order.

    >>> Box((-1, 1), (0, 2)).measure
    4.0
    """

    sides: tuple[tuple[float, float], ...]

    @by_fields
    def __init__(self, *sides: Sequence[float], name: str = "") -> None:
        if not sides:
            raise DeclarationError(
                "Box() has no sides; give one interval for each axis: Box((-1, 1), (-1, 1))"
            )
        intervals = tuple(
            _interval(side, axis) for side, axis in zip(sides, axis_names(len(sides)), strict=True)
        )
        object.__setattr__(self, "sides", intervals)
        object.__setattr__(self, "name", name)
        self.__post_init__()

    @classmethod
    def rebuild(cls, fields: Mapping[str, Any]) -> Self:
        return cls(*fields["sides"], name=fields["name"])

    @property
    def dimension(self) -> int:
        return len(self.sides)

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        lower, upper = np.array(self.sides).T
        return lower.copy(), upper.copy()

    @property
    def measure(self) -> float:
        return math.prod(self.extents)

    @property
    def faces(self) -> tuple[str, ...]:
        beyond = tuple((f"{axis}-", f"{axis}+") for axis in self.axes[3:])
        return tuple(face for pair in FACES[: self.dimension] + beyond for face in pair)

    def face_axis(self, face: str) -> tuple[int, int]:
        """The axis that a face lies across, and 0 for its lower or 1 for its upper end."""
        return divmod(self.faces.index(self.check_faces(face, "the condition")[0]), 2)

    @property
    def edges(self) -> tuple[Segment | Arc, ...]:
        if self.dimension != 2:
            return super().edges
        (a, b), (c, d) = self.sides
        corners = ((a, c), (b, c), (b, d), (a, d))
        return tuple(Segment(corners[i], corners[(i + 1) % 4]) for i in range(4))

    def contains(self, points: Array) -> Array:
        check_shape(points, self.dimension)
        inside = namespace(points).ones_like(points[:, 0], dtype=bool)
        for i, (a, b) in enumerate(self.sides):
            inside = inside & (points[:, i] >= a) & (points[:, i] <= b)
        return inside

    def signed_distance(self, points: Array) -> Array:
        check_shape(points, self.dimension)
        excess = [abs(points[:, i] - 0.5 * (a + b)) - 0.5 * (b - a) for i, (a, b) in enumerate(self.sides)]
        outside = sum(maximum(q, 0.0) ** 2 for q in excess)
        nearest = excess[0]
        for q in excess[1:]:
            nearest = maximum(nearest, q)
        return safe_sqrt(outside) + minimum(nearest, 0.0)

    def boundary_size(self, faces: tuple[str, ...]) -> float:
        return sum(self._face_sizes(faces))

    def _face_sizes(self, faces: tuple[str, ...]) -> list[float]:
        return [self.measure / self.extents[self.face_axis(face)[0]] for face in faces]

    @property
    def _boundary_cube(self) -> int:
        return max(self.dimension - 1, 1)

    def _to_interior(self, unit: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        lower, upper = (torch.as_tensor(b, device=unit.device) for b in self.bounds)
        return lower + (upper - lower) * unit, torch.ones_like(unit[:, 0], dtype=torch.bool)

    def _to_boundary(self, unit: torch.Tensor, faces: tuple[str, ...]) -> BoundaryRows:
        index, rest = choose(unit[:, 0], self._face_sizes(faces))
        along = torch.cat([rest[:, None], unit[:, 1:]], dim=1)[:, : self.dimension - 1]
        points = unit.new_empty(len(unit), self.dimension)
        normals = torch.zeros_like(points)
        lower, upper = (torch.as_tensor(b, device=unit.device) for b in self.bounds)
        for i, face in enumerate(faces):
            axis, end = self.face_axis(face)
            chosen = index == i
            others = [j for j in range(self.dimension) if j != axis]
            rows = unit.new_empty(int(chosen.sum()), self.dimension)
            rows[:, axis] = self.sides[axis][end]
            rows[:, others] = lower[others] + (upper - lower)[others] * along[chosen]
            points[chosen] = rows
            normals[chosen, axis] = 2.0 * end - 1.0
        return BoundaryRows.all(points, normals)

    def __str__(self) -> str:
        return " × ".join(f"[{number(a)}, {number(b)}]" for a, b in self.sides)


@dataclass(frozen=True, repr=False, init=False)
class Interval(Box):
    """`Interval(a, b)`: a piece of a line, with the faces left and right."""

    @by_fields
    def __init__(self, a: float, b: float, *, name: str = "") -> None:
        super().__init__((a, b), name=name)

    @classmethod
    def rebuild(cls, fields: Mapping[str, Any]) -> Self:
        """From its sides, and from `a` or `b` in place of an end of them."""
        if len(fields["sides"]) != 1:
            raise DeclarationError(
                f"an Interval has one pair of ends, but sides is {fields['sides']!r}; give ((a, b),)"
            )
        ((a, b),) = fields["sides"]
        return cls(fields.get("a", a), fields.get("b", b), name=fields["name"])


def outer_box(domain: Domain) -> Box | None:
    """The box that a domain is, or that it is cut out of by `-`; None for others."""
    while isinstance(domain, Difference):
        domain = domain.first
    return domain if isinstance(domain, Box) else None


def _interval(side: Any, axis: str) -> tuple[float, float]:
    a, b = checks.coordinates(side, f"side {axis} of the box", 2)
    if a >= b:
        raise DeclarationError(
            f"side {axis} of the box is ({a:g}, {b:g}), but must increase; "
            + (f"give ({b:g}, {a:g})" if a > b else "give it a positive length")
        )
    if b - a < max(THIN * max(abs(a), abs(b)), checks.LEAST):
        raise DeclarationError(
            f"side {axis} of the box is ({a!r}, {b!r}), {b - a:.1g} long, less than the rounding error of its ends; "
            "move the origin nearer, or use other units"
        )
    return a, b
