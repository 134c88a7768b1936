"""Signed distances of a sphere, a torus, a mesh file and a room, and travel times for a speed that grows with depth.

|∇u| = 1/c. Source of the distances' loss: Sitzmann, Martel, Bergman, Lindell, Wetzstein (2020), Implicit Neural
Representations with Periodic Activation Functions, NeurIPS 33, section 4.2; the shapes and media are ours. The time in
a medium of constant gradient: Slotnick (1959), Lessons in Seismic Computing, section 39.
"""

import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import meshio
import numpy as np
import torch
from skimage.measure import marching_cubes

from neurapde.core.arrays import Array, full, namespace, safe_sqrt, tanh
from neurapde.core.declaration import Declaration
from neurapde.domains.base import Domain
from neurapde.domains.box import Box
from neurapde.domains.cloud import PointCloud
from neurapde.domains.disk import Ball
from neurapde.domains.mesh import Mesh
from neurapde.domains.torus import Torus
from neurapde.equations.eikonal import Eikonal
from neurapde.fields.medium import Field
from neurapde.fields.sources import PointSource
from neurapde.problem.problem import Problem
from neurapde.problems._room import room_points

SCAN = 36187
"""Seed of the points drawn from the mesh: the same problem every time."""

Place = tuple[float, float, float]


@dataclass(frozen=True)
class SurfaceDistance(Declaration):
    """The signed distance of a shape, as the exact solution of a problem."""

    surface: Domain

    def __call__(self, points: Array) -> Array:
        return self.surface.signed_distance(points)


@dataclass(frozen=True)
class GradientSpeed(Field):
    """c = speed + gradient · x."""

    speed: float
    gradient: Sequence[float]

    def __call__(self, points: Array) -> Array:
        return full(points, self.speed) + sum(g * points[:, i] for i, g in enumerate(self.gradient))

    def describe(self) -> str:
        terms = [f"{g:g} {axis}" for g, axis in zip(self.gradient, "xyz", strict=False) if g]
        return " + ".join([f"{self.speed:g}", *terms]).replace("+ -", "− ")


@dataclass(frozen=True)
class GradientTime(Declaration):
    """The time from `at` where c is linear: arcosh(1 + |g|² r² / (2 c(x) c(at))) / |g|, or r/c where g = 0."""

    medium: GradientSpeed
    at: Sequence[float]

    def __call__(self, points: Array) -> Array:
        square = sum((points[:, i] - a) ** 2 for i, a in enumerate(self.at))
        start = self.medium.speed + sum(g * a for g, a in zip(self.medium.gradient, self.at, strict=True))
        steep = math.hypot(*self.medium.gradient)
        if steep == 0:
            return safe_sqrt(square) / start
        z = steep**2 * square / (2 * start * self.medium(points))
        return namespace(points).log1p(z + safe_sqrt(z * (z + 2))) / steep


@dataclass(frozen=True)
class LayeredSpeed(Field):
    """c of layers, from the top down in −y; each changes to the next over about `transition` around their interface."""

    speeds: Sequence[float]
    depths: Sequence[float]
    transition: float

    def __call__(self, points: Array) -> Array:
        speed = full(points, self.speeds[0])
        for depth, above, below in zip(self.depths, self.speeds[:-1], self.speeds[1:], strict=True):
            speed = speed + (below - above) * (1 + tanh((-points[:, 1] - depth) / (self.transition / 2))) / 2
        return speed

    def describe(self) -> str:
        return f"{', '.join(f'{c:g}' for c in self.speeds)} in layers with depths {', '.join(f'{d:g}' for d in self.depths)}"


def sdf_sphere(*, center: Place = (0.0, 0.0, 0.0), radius: float = 0.5) -> Problem:
    """The signed distance of a sphere, in [−1, 1]³."""
    return _shape("sdf-sphere", Ball(center, radius, name="sphere"))


def sdf_torus(*, center: Place = (0.0, 0.0, 0.0), ring: float = 0.5, tube: float = 0.2) -> Problem:
    """The signed distance of a torus round the axis z, in [−1, 1]³."""
    return _shape("sdf-torus", Torus(center, ring, tube))


def sdf_mesh(
    *, file: str | None = None, bumps: float = 0.12, count: int = 20_000, half_width: float = 1.0
) -> Problem:
    """The signed distance of a cloud of `count` points with normals, drawn from a mesh file.

    file:       ply, obj, stl, vtk; scaled and moved to fill 0.8 of the box. None: a bumpy ball, written to a file and
                read back.
    bumps:      height of the bumps of that ball, whose mean radius is 0.6.
    half_width: a of the box [−a, a]³.
    """
    if file is None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "bumpy-ball.ply"
            write_bumpy_ball(path, bumps)
            mesh = Mesh(path, name="mesh")
    else:
        mesh = Mesh(file, name="mesh")
    lower, upper = mesh.bounds
    scale = 1.6 * half_width / float(np.max(upper - lower))
    cloud = Mesh((mesh.points - (lower + upper) / 2) * scale, mesh.cells, name="cloud").cloud(
        count, generator=torch.Generator().manual_seed(SCAN)
    )
    box = Box(*[(-half_width, half_width)] * 3)
    return Problem("sdf-mesh", box, Eikonal(surface=cloud))


def sdf_room(*, file: str | None = None, count: int = 40_000) -> Problem:
    """The signed distance of an open scene: floor, walls and furniture of a room of 5 m × 4 m × 2.6 m, positive in its air.

    file:  points with normals, `.xyz`, `.ply` or `.obj`, or triangles on which `count` points are spread; None: the room of
           `problems/_room.py`. The box is larger by 0.2 half widths on every side.
    """
    if file is None:
        cloud = PointCloud(*room_points(count), name="room")
    else:
        cloud = PointCloud.read(file, count=count, name="room")
    lower, upper = cloud.bounds
    margin = 0.1 * float(np.max(upper - lower))
    sides = zip((lower - margin).tolist(), (upper + margin).tolist(), strict=True)
    return Problem("sdf-room", Box(*sides), Eikonal(surface=cloud))


def write_bumpy_ball(path: Path, bumps: float = 0.12, nodes: int = 65) -> None:
    """A ball with bumps in a row along each axis, as a triangle mesh by marching cubes."""
    axis = np.linspace(-1, 1, nodes)
    x, y, z = np.meshgrid(axis, axis, axis, indexing="ij")
    waves = np.sin(6 * x) * np.sin(6 * y) + np.sin(6 * y) * np.sin(6 * z) + np.sin(6 * z) * np.sin(6 * x)
    level = np.sqrt(x**2 + y**2 + z**2) - 0.6 - bumps * waves / 1.5
    vertices, triangles, _, _ = marching_cubes(level, 0.0)  # type: ignore[no-untyped-call]
    meshio.write(path, meshio.Mesh(-1 + 2 * vertices / (nodes - 1), [("triangle", triangles)]))


def travel_time_gradient(
    *,
    source_at: tuple[float, float] = (0.3, -0.2),
    speed: float = 1.0,
    gradient: tuple[float, float] = (0.5, -1.5),
) -> Problem:
    """Times from a point in a square with c = speed + gradient · x; rays are arcs of circles."""
    medium = GradientSpeed(speed, gradient)
    return Problem(
        "travel-time-gradient",
        Box((0.0, 1.0), (-1.0, 0.0)),
        Eikonal(speed=medium),
        sources=PointSource(source_at),
        exact=GradientTime(medium, source_at),
    )


def travel_time_layers(
    *,
    source_at: tuple[float, float] = (0.3, -0.1),
    speeds: tuple[float, ...] = (1.0, 1.5, 2.0),
    depths: tuple[float, ...] = (0.35, 0.7),
    transition: float = 0.1,
) -> Problem:
    """Times from a point in a square of layers, faster with depth: waves through deeper layers overtake the others."""
    return Problem(
        "travel-time-layers",
        Box((0.0, 1.0), (-1.0, 0.0)),
        Eikonal(speed=LayeredSpeed(speeds, depths, transition)),
        sources=PointSource(source_at),
    )


def _shape(name: str, surface: Domain) -> Problem:
    box = Box((-1.0, 1.0), (-1.0, 1.0), (-1.0, 1.0))
    return Problem(name, box, Eikonal(surface=surface), exact=SurfaceDistance(surface))
