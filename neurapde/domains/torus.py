"""The solid torus: a tube bent to a ring round an axis parallel to z."""

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


@dataclass(frozen=True, repr=False)
class Torus(Shape):
    """The points at most `tube` from a circle of radius `ring` round `center` in the plane of x and y.

    Args:
        center: `(x, y, z)`.
        ring: distance from the centre to the middle of the tube.
        tube: radius of the tube, less than `ring`.

    Raises: DeclarationError for radii that are not positive or a tube that closes the hole.
    """

    center: Sequence[float]
    ring: float
    tube: float

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "center", checks.coordinates(self.center, f"center of the {self.name}", 3))
        object.__setattr__(self, "ring", checks.positive(self.ring, f"ring of the {self.name}"))
        object.__setattr__(self, "tube", checks.positive(self.tube, f"tube of the {self.name}"))
        if self.tube >= self.ring:
            raise DeclarationError(
                f"tube of the {self.name} is {self.tube:g} and ring {self.ring:g}, so the torus has no hole; give a "
                "tube smaller than the ring"
            )

    @property
    def dimension(self) -> int:
        return 3

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        reach = np.array([self.ring + self.tube, self.ring + self.tube, self.tube])
        return np.array(self.center) - reach, np.array(self.center) + reach

    @property
    def measure(self) -> float:
        return 2 * math.pi**2 * self.ring * self.tube**2

    @property
    def faces(self) -> tuple[str, ...]:
        return (self.name,)

    def contains(self, points: Array) -> Array:
        return self._square_distance_to_circle(points) <= self.tube**2

    def signed_distance(self, points: Array) -> Array:
        return safe_sqrt(self._square_distance_to_circle(points)) - self.tube

    def _square_distance_to_circle(self, points: Array) -> Array:
        check_shape(points, 3)
        x, y, z = (points[:, i] - c for i, c in enumerate(self.center))
        return (safe_sqrt(x**2 + y**2) - self.ring) ** 2 + z**2

    def boundary_size(self, faces: tuple[str, ...]) -> float:
        return 4 * math.pi**2 * self.ring * self.tube

    @property
    def _boundary_cube(self) -> int:
        return 3

    def _to_boundary(self, unit: torch.Tensor, faces: tuple[str, ...]) -> BoundaryRows:
        """Angles round the axis and round the tube; rows of the inner side, whose area is less, are rejected."""
        around, across = 2 * math.pi * unit[:, 0], 2 * math.pi * unit[:, 1]
        radius = self.ring + self.tube * torch.cos(across)
        outward = torch.cos(across)
        normals = torch.stack(
            [outward * torch.cos(around), outward * torch.sin(around), torch.sin(across)], dim=1
        )
        circle = torch.stack([torch.cos(around), torch.sin(around), torch.zeros_like(around)], dim=1)
        center = torch.as_tensor(self.center, dtype=unit.dtype, device=unit.device)
        inside = unit[:, 2] * (self.ring + self.tube) <= radius
        return BoundaryRows(center + self.ring * circle + self.tube * normals, normals, inside)

    def __str__(self) -> str:
        return f"torus of ring {number(self.ring)} and tube {number(self.tube)} round {point(self.center)}"
