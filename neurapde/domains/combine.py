"""Shapes and their algebra: union, intersection and difference by `|`, `&` and `-`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import torch
from torch.quasirandom import SobolEngine

from neurapde.core import checks
from neurapde.core.arrays import Array, maximum, minimum
from neurapde.core.errors import DeclarationError
from neurapde.domains.base import BoundaryRows, Domain, choose
from neurapde.domains.edges import Arc, Segment
from neurapde.domains.sampling import MOST_DRAWS
from neurapde.domains.spacetime import SpaceTime, Time

COUNT_FOR_MEASURE, FEW = 2**18, 2**10
"""Sobol points by which the measure of a combination is counted; more where it is so thin that it has fewer than a few."""


@dataclass(frozen=True, repr=False)
class Shape(Domain):
    """A domain that can be combined with others."""

    def __or__(self, other: "Shape") -> "Union":
        return Union(self, other)

    def __and__(self, other: "Shape") -> "Intersection":
        return Intersection(self, other)

    def __sub__(self, other: "Shape") -> "Difference":
        return Difference(self, other)

    def over(self, time: Time) -> SpaceTime:
        """This domain at all times of an interval, `over(Time(0, 1))`: points end with t."""
        return SpaceTime(self, time)


@dataclass(frozen=True, repr=False)
class _Combination(Shape):
    """Two shapes as one.

    Its faces are those of its parts, numbered where a name would occur twice (disk, disk-2). The signed
    distance has the right sign and zero set; its size is at most the distance, and less only where the
    nearest point of a part's boundary is no boundary of the combination. The measure is counted on 2^18 Sobol
    points (about four digits).
    """

    first: Shape
    second: Shape

    _second_normal: ClassVar[float] = 1.0
    """−1 where the second part's outside is the combination's inside."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for shape in (self.first, self.second):
            if not isinstance(shape, Shape):
                raise DeclarationError(
                    f"{shape!r} is not a shape; combine Box, Disk, Ball, Polygon and their combinations"
                )
        if self.first.dimension != self.second.dimension:
            raise DeclarationError(
                f"{self.first} has {self.first.dimension} axes and {self.second} has "
                f"{self.second.dimension}; "
                "combine shapes of one dimension"
            )

    @property
    def dimension(self) -> int:
        return self.first.dimension

    @property
    def edges(self) -> tuple[Segment | Arc, ...]:
        return self.first.edges + self.second.edges

    @cached_property
    def measure(self) -> float:
        engine = SobolEngine(self.dimension)  # type: ignore[no-untyped-call]
        hits = drawn = 0
        while hits < FEW and drawn < MOST_DRAWS:
            _, inside = self._to_interior(engine.draw(COUNT_FOR_MEASURE, dtype=torch.float64))
            hits, drawn = hits + int(inside.sum()), drawn + COUNT_FOR_MEASURE
        if not hits:
            raise DeclarationError(
                f"{self} is empty: none of {drawn} points tried in its bounding box lies in it; check how its parts "
                "overlap"
            )
        return self._cover * hits / drawn

    @cached_property
    def _face_table(self) -> Mapping[str, tuple[int, str]]:
        """Own face name -> which part (0 or 1), and the face's name there."""
        origins = [(i, face) for i, shape in enumerate((self.first, self.second)) for face in shape.faces]
        return dict(zip(checks.numbered(face for _, face in origins), origins, strict=True))

    @property
    def faces(self) -> tuple[str, ...]:
        return tuple(self._face_table)

    def _split(self, faces: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        origins = [self._face_table[face] for face in faces]
        return tuple(f for i, f in origins if i == 0), tuple(f for i, f in origins if i == 1)

    def boundary_size(self, faces: tuple[str, ...]) -> float:
        first, second = self._split(faces)
        return self.first.boundary_size(first) + self.second.boundary_size(second)

    @property
    def _boundary_cube(self) -> int:
        return max(self.first._boundary_cube, self.second._boundary_cube)

    def _to_boundary(self, unit: torch.Tensor, faces: tuple[str, ...]) -> BoundaryRows:
        """Points of the parts' boundaries that have the combination on one side and not on the other."""
        split = self._split(faces)
        sizes = [
            shape.boundary_size(faces) for shape, faces in zip((self.first, self.second), split, strict=True)
        ]
        index, rest = choose(unit[:, 0], sizes)
        step = 1e-7 * max(self.extents)
        points = unit.new_empty(len(unit), self.dimension)
        normals = torch.empty_like(points)
        inside = torch.zeros_like(unit[:, 0], dtype=torch.bool)
        for i, (shape, own_faces) in enumerate(zip((self.first, self.second), split, strict=True)):
            if not own_faces:
                continue
            chosen = torch.nonzero(index == i)[:, 0]
            cube = torch.cat([rest[chosen, None], unit[chosen, 1:]], dim=1)
            x, n, keep = shape._to_boundary(cube[:, : shape._boundary_cube], own_faces)
            n = n if i == 0 else self._second_normal * n
            keep = keep & self.contains(x - step * n) & ~self.contains(x + step * n)
            if i == 1 and split[0]:
                keep = keep & (self.first.signed_distance(x).abs() > 0.5 * step)  # a common face counts once
            points[chosen], normals[chosen], inside[chosen] = x, n, keep
        return BoundaryRows(points, normals, inside)


@dataclass(frozen=True, repr=False)
class Union(_Combination):
    """Points of either shape."""

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        (a, b), (c, d) = self.first.bounds, self.second.bounds
        return np.minimum(a, c), np.maximum(b, d)

    def contains(self, points: Array) -> Array:
        return self.first.contains(points) | self.second.contains(points)

    def signed_distance(self, points: Array) -> Array:
        return minimum(self.first.signed_distance(points), self.second.signed_distance(points))

    def __str__(self) -> str:
        return f"({self.first} ∪ {self.second})"


@dataclass(frozen=True, repr=False)
class Intersection(_Combination):
    """Points of both shapes."""

    def __post_init__(self) -> None:
        super().__post_init__()
        lower, upper = self.bounds
        if np.any(lower >= upper):
            raise DeclarationError(
                f"{self.first} and {self.second} do not overlap, so their intersection is empty"
            )

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        (a, b), (c, d) = self.first.bounds, self.second.bounds
        return np.maximum(a, c), np.minimum(b, d)

    def contains(self, points: Array) -> Array:
        return self.first.contains(points) & self.second.contains(points)

    def signed_distance(self, points: Array) -> Array:
        return maximum(self.first.signed_distance(points), self.second.signed_distance(points))

    def __str__(self) -> str:
        return f"({self.first} ∩ {self.second})"


@dataclass(frozen=True, repr=False)
class Difference(_Combination):
    """Points of the first shape that are not in the second."""

    _second_normal: ClassVar[float] = -1.0

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        return self.first.bounds

    def contains(self, points: Array) -> Array:
        return self.first.contains(points) & ~self.second.contains(points)

    def signed_distance(self, points: Array) -> Array:
        return maximum(self.first.signed_distance(points), -self.second.signed_distance(points))

    def __str__(self) -> str:
        return f"({self.first} ∖ {self.second})"


def leaves(domain: Domain) -> Iterator[Domain]:
    """The shapes that a domain is combined of."""
    if isinstance(domain, _Combination):
        yield from leaves(domain.first)
        yield from leaves(domain.second)
    else:
        yield domain


def faces_of(domain: Domain) -> dict[str, tuple[Domain, str]]:
    """Every face of a domain as the one of a shape that is no combination."""
    if not isinstance(domain, _Combination):
        return {face: (domain, face) for face in domain.faces}
    parts = [faces_of(shape) for shape in (domain.first, domain.second)]
    return {name: parts[which][face] for name, (which, face) in domain._face_table.items()}
