"""Simple polygons in the plane."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from neurapde.core import checks
from neurapde.core.arrays import Array, check_shape, minimum, namespace, safe_sqrt
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import point
from neurapde.domains.base import BoundaryRows, choose
from neurapde.domains.combine import Shape
from neurapde.domains.edges import Segment

FLAT = 1e-12
"""An area smaller than this part of the extent's square is none."""
MOST_WRITTEN = 6
"""Vertices written out by print."""


@dataclass(frozen=True, repr=False)
class Polygon(Shape):
    """The inside of a closed path through `vertices` `(m, 2)`, in either orientation.

    Its faces are edge-1 (from the first vertex to the second), edge-2, …, edge-m, whatever its `name=`; `.faces` lists
    them.
    Raises: DeclarationError for fewer than three vertices, repeated ones, or a path that touches itself.
    """

    vertices: Sequence[Sequence[float]]

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.vertices, list | tuple | np.ndarray | torch.Tensor):
            raise DeclarationError(
                f"vertices of the {self.name} are {checks.shown(self.vertices)}; give points [(0, 0), (1, 0), (0, 1)]"
            )
        path = tuple(
            checks.coordinates(v, f"vertex {i + 1} of the {self.name}", 2)
            for i, v in enumerate(self.vertices)
        )
        if len(path) > 1 and path[0] == path[-1]:
            path = path[:-1]
        object.__setattr__(self, "vertices", path)
        if len(path) < 3:
            raise DeclarationError(f"the {self.name} has {len(path)} different vertices; give at least 3")
        _check_simple(np.array(path), self.name)
        if self.measure < FLAT * float(np.max(np.ptp(np.array(path), axis=0))) ** 2:
            raise DeclarationError(
                f"the {self.name} has the area {self.measure:.1g}: its vertices lie on a line; move one away from it"
            )

    @property
    def dimension(self) -> int:
        return 2

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        return np.min(self.vertices, axis=0), np.max(self.vertices, axis=0)

    @cached_property
    def _signed_area(self) -> float:
        x, y = np.array(self.vertices).T
        return float(0.5 * np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))

    @property
    def measure(self) -> float:
        return abs(self._signed_area)

    @property
    def faces(self) -> tuple[str, ...]:
        return tuple(f"edge-{i + 1}" for i in range(len(self.vertices)))

    @property
    def edges(self) -> tuple[Segment, ...]:
        loop = self.vertices if self._signed_area > 0 else self.vertices[::-1]
        points = [(float(x), float(y)) for x, y in loop]
        return tuple(Segment(a, b) for a, b in zip(points, points[1:] + points[:1], strict=True))

    def contains(self, points: Array) -> Array:
        return self.signed_distance(points) <= 0

    def signed_distance(self, points: Array) -> Array:
        check_shape(points, 2)
        xp = namespace(points)
        x, y = points[:, 0], points[:, 1]
        inside = xp.zeros_like(x, dtype=bool)
        nearest = xp.full_like(x, math.inf)
        for edge in self.edges:
            (x0, y0), (x1, y1) = edge.start, edge.end
            dx, dy = x1 - x0, y1 - y0
            along = xp.clip(((x - x0) * dx + (y - y0) * dy) / edge.length**2, 0.0, 1.0)
            nearest = minimum(nearest, (x - x0 - along * dx) ** 2 + (y - y0 - along * dy) ** 2)
            if dy != 0:  # the ray to the right crosses this edge
                inside = inside ^ (((y0 > y) != (y1 > y)) & (x < x0 + (y - y0) * (dx / dy)))
        distance = safe_sqrt(nearest)
        return xp.where(inside, -distance, distance)

    def boundary_size(self, faces: tuple[str, ...]) -> float:
        return sum(self._face_sizes(faces))

    def _face_sizes(self, faces: tuple[str, ...]) -> list[float]:
        return [math.dist(*self._ends(face)) for face in faces]

    def _ends(self, face: str) -> tuple[Sequence[float], Sequence[float]]:
        i = self.faces.index(face)
        return self.vertices[i], self.vertices[(i + 1) % len(self.vertices)]

    @property
    def _boundary_cube(self) -> int:
        return 1

    def _to_boundary(self, unit: torch.Tensor, faces: tuple[str, ...]) -> BoundaryRows:
        index, rest = choose(unit[:, 0], self._face_sizes(faces))
        ends = torch.tensor([self._ends(face) for face in faces], dtype=unit.dtype, device=unit.device)
        start, step = ends[index, 0], ends[index, 1] - ends[index, 0]
        right = torch.stack([step[:, 1], -step[:, 0]], dim=1) / step.norm(dim=1, keepdim=True)
        return BoundaryRows.all(start + rest[:, None] * step, math.copysign(1.0, self._signed_area) * right)

    def __str__(self) -> str:
        shown = [point(v) for v in self.vertices[:MOST_WRITTEN]]
        rest = len(self.vertices) - len(shown)
        return f"polygon {' '.join(shown)}{f' and {rest} more' if rest else ''}"


def _check_simple(path: np.ndarray, name: str) -> None:
    """Refuse a closed path `(m, 2)` two edges of which meet anywhere but at their common vertex."""
    start, end = path, np.roll(path, -1, axis=0)
    count = len(path)
    if repeated := [i for i in range(count) if np.array_equal(start[i], end[i])]:
        raise DeclarationError(f"vertex {repeated[0] + 1} of the {name} is repeated; give each vertex once")
    for i in range(count):
        others = np.arange(i + 1, count)
        adjacent = (others == i + 1) | ((i == 0) & (others == count - 1))
        meet = _segments_meet(start[i], end[i], start[others], end[others])
        step, next_step = end[i] - start[i], end[(i + 1) % count] - end[i]
        folds = _cross(step, next_step) == 0 and float(step @ next_step) < 0
        if folds or np.any(meet & ~adjacent):
            other = (i + 1) % count if folds else int(others[meet & ~adjacent][0])
            raise DeclarationError(
                f"edges {i + 1} and {other + 1} of the {name} meet; order the vertices along a path that does not touch "
                "itself, or join simple polygons with |"
            )


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


def _segments_meet(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> np.ndarray:
    """Whether the closed segment ab meets each of cd `(m, 2)`."""
    sides = [np.sign(_cross(q - p, r - p)) for p, q, r in ((a, b, c), (a, b, d), (c, d, a), (c, d, b))]
    boxes = np.all(
        np.maximum(np.minimum(a, b), np.minimum(c, d)) <= np.minimum(np.maximum(a, b), np.maximum(c, d)),
        axis=-1,
    )
    return (sides[0] * sides[1] <= 0) & (sides[2] * sides[3] <= 0) & boxes
