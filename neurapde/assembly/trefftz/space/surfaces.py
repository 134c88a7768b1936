"""The boundaries of balls and boxes in three axes: whole spheres, and the six rectangles around a box."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from neurapde.assembly.trefftz.curves import Array
from neurapde.domains.base import Domain
from neurapde.domains.box import Box
from neurapde.domains.disk import Ball
from neurapde.spectral.quadrature import unit_rule

GOLDEN = math.pi * (3 - math.sqrt(5))
"""Of the full turn: the angle from one place on a sphere to the next."""


@dataclass(frozen=True)
class Places:
    """Places on a surface (n, 3), unit normals out of the shape, and the area of each (n,)."""

    points: Array
    normals: Array
    weights: Array


class Surface(ABC):
    """A smooth piece of the boundary of a shape."""

    @property
    @abstractmethod
    def area(self) -> float:
        """The total area."""

    @abstractmethod
    def places(self, count: float, turned: bool = False) -> Places:
        """About a given number of places, even enough for functions with as many parameters; others between them, if
        turned."""


@dataclass(frozen=True)
class Sphere(Surface):
    """All of a sphere."""

    center: tuple[float, float, float]
    radius: float

    @property
    def area(self) -> float:
        return 4 * math.pi * self.radius**2

    def places(self, count: float, turned: bool = False) -> Places:
        """Fibonacci's lattice: at equal steps of height, turned by the golden angle each.

        Source: González (2010), Mathematical Geosciences 42, 49–64.
        """
        n = math.ceil(count)
        height = 1 - (2 * np.arange(n) + 1) / n
        angle = GOLDEN * (np.arange(n) + (0.5 if turned else 0.0))
        across = np.sqrt(1 - height**2)
        normals = np.stack([across * np.cos(angle), across * np.sin(angle), height], axis=1)
        if turned:
            normals = normals[:, [2, 0, 1]]
        points = np.array(self.center) + self.radius * normals
        return Places(points, normals, np.full(n, self.area / n))


@dataclass(frozen=True)
class Rectangle(Surface):
    """The face of a box across an axis, at its lower (0) or its upper end (1)."""

    box: Box
    axis: int
    end: int

    @property
    def area(self) -> float:
        return math.prod(extent for i, extent in enumerate(self.box.extents) if i != self.axis)

    def places(self, count: float, turned: bool = False) -> Places:
        """Products of Gauss points."""
        lower, upper = self.box.bounds
        each = math.ceil(math.sqrt(count)) + (1 if turned else 0)
        nodes, weights = unit_rule(each)
        first, second = (i for i in range(3) if i != self.axis)
        points = np.empty((each**2, 3))
        points[:, self.axis] = (lower, upper)[self.end][self.axis]
        for i, column in zip((first, second), np.meshgrid(nodes, nodes, indexing="ij"), strict=True):
            points[:, i] = lower[i] + (upper - lower)[i] * column.ravel()
        normals = np.zeros_like(points)
        normals[:, self.axis] = 1.0 if self.end else -1.0
        return Places(points, normals, self.area * np.outer(weights, weights).ravel())


def surfaces_of(shape: Domain) -> dict[str, Surface] | None:
    """The surface of each face of a ball or box; None for other shapes."""
    if isinstance(shape, Ball):
        x, y, z = map(float, shape.center)
        return {shape.faces[0]: Sphere((x, y, z), shape.radius)}
    if isinstance(shape, Box):
        return {face: Rectangle(shape, *shape.face_axis(face)) for face in shape.faces}
    return None


def clearance(surface: Surface, other: Surface) -> float:
    """The distance of two surfaces: 0 if they touch or cross, infinite for concentric spheres and for faces of one box."""
    if isinstance(surface, Sphere) and isinstance(other, Sphere):
        away = math.dist(surface.center, other.center)
        if away < 1e-12 * max(surface.radius, other.radius):
            return math.inf if surface.radius != other.radius else 0.0
        apart = away - surface.radius - other.radius
        nested = abs(surface.radius - other.radius) - away
        return max(apart, nested, 0.0)
    if isinstance(surface, Rectangle) and isinstance(other, Rectangle):
        return math.inf
    sphere, face = (surface, other) if isinstance(surface, Sphere) else (other, surface)
    assert isinstance(sphere, Sphere)
    assert isinstance(face, Rectangle)
    plane = float(face.box.bounds[face.end][face.axis])
    return max(abs(plane - sphere.center[face.axis]) - sphere.radius, 0.0)
