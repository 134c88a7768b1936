"""Balls in any number of dimensions, and the disk as the ball in the plane."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from neurapde.core import checks
from neurapde.core.arrays import Array, check_shape, safe_sqrt
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import number, point
from neurapde.domains.base import BoundaryRows
from neurapde.domains.combine import Shape
from neurapde.domains.edges import Arc, Segment


@dataclass(frozen=True, repr=False)
class Ball(Shape):
    """The points at most `radius` from `center` `(d,)`.

    Its one face has its own name: ball, or what `name=` says. `.faces` lists it.

    Raises: DeclarationError for a radius that is not positive or a centre that is no point.
    """

    center: Sequence[float]
    radius: float

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "center", checks.coordinates(self.center, f"center of the {self.name}"))
        object.__setattr__(self, "radius", checks.positive(self.radius, f"radius of the {self.name}"))

    @property
    def dimension(self) -> int:
        return len(self.center)

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        return np.array(self.center) - self.radius, np.array(self.center) + self.radius

    @property
    def measure(self) -> float:
        d = self.dimension
        return math.pi ** (d / 2) / math.gamma(d / 2 + 1) * self.radius**d

    @property
    def faces(self) -> tuple[str, ...]:
        return (self.name,)

    @property
    def edges(self) -> tuple[Segment | Arc, ...]:
        if self.dimension != 2:
            return super().edges
        x, y = self.center
        return (Arc((x, y), self.radius, 0.0, 2 * math.pi),)

    def contains(self, points: Array) -> Array:
        return self._square_distance(points) <= self.radius**2

    def signed_distance(self, points: Array) -> Array:
        return safe_sqrt(self._square_distance(points)) - self.radius

    def _square_distance(self, points: Array) -> Array:
        check_shape(points, self.dimension)
        return sum((points[:, i] - c) ** 2 for i, c in enumerate(self.center))

    def boundary_size(self, faces: tuple[str, ...]) -> float:
        return self.measure * self.dimension / self.radius

    @property
    def _cube(self) -> int:
        return self._boundary_cube + 1

    @property
    def _boundary_cube(self) -> int:
        return max(self.dimension - 1, 1) if self.dimension <= 3 else self.dimension

    @property
    def _cover(self) -> float:
        return self.measure

    def _to_interior(self, unit: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        radius = self.radius * unit[:, :1] ** (1 / self.dimension)
        points = self._center(unit) + radius * self._directions(unit[:, 1:])
        return points, torch.ones_like(unit[:, 0], dtype=torch.bool)

    def _to_boundary(self, unit: torch.Tensor, faces: tuple[str, ...]) -> BoundaryRows:
        normals = self._directions(unit)
        return BoundaryRows.all(self._center(unit) + self.radius * normals, normals)

    def _center(self, unit: torch.Tensor) -> torch.Tensor:
        return torch.as_tensor(self.center, dtype=unit.dtype, device=unit.device)

    def _directions(self, unit: torch.Tensor) -> torch.Tensor:
        """Unit vectors `(n, d)`, uniform on the sphere for `unit` uniform in the cube."""
        if self.dimension == 1:
            return torch.where(unit < 0.5, -1.0, 1.0).to(unit.dtype)
        if self.dimension > 3:
            gaussian = torch.special.ndtri(unit.clamp(1e-12, 1 - 1e-12))
            gaussian[:, 0] += (gaussian == 0).all(dim=1)  # the middle of the cube has no direction
            return gaussian / gaussian.norm(dim=1, keepdim=True)
        angle = 2 * math.pi * unit[:, 0]
        plane = torch.stack([torch.cos(angle), torch.sin(angle)], dim=1)
        if self.dimension == 2:
            return plane
        height = 1 - 2 * unit[:, 1:]
        return torch.cat([torch.sqrt(1 - height**2) * plane, height], dim=1)

    def __str__(self) -> str:
        axes = "x" if self.dimension == 1 else f"({', '.join(self.axes)})"
        return f"{{|{axes} − {point(self.center)}| ≤ {number(self.radius)}}}"


@dataclass(frozen=True, repr=False)
class Disk(Ball):
    """The ball in the plane: `Disk(center=(0, 0), radius=0.1)`.

    Its one face has its own name: disk, or what `name=` says. In `Disk(…) - Disk(…)` the faces are disk and disk-2, and
    in `Disk(…, name="outer") - Disk(…, name="hole")` they are outer and hole; `.faces` lists them.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.dimension != 2:
            raise DeclarationError(
                f"center of the {self.name} is {self.center}; a disk lies in the plane; give two coordinates, or use "
                "Ball"
            )
