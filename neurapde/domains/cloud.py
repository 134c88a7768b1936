"""A closed surface (or plane curve) known by points on it and their outward normals: scans, sampled meshes."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, connected_components, minimum_spanning_tree
from scipy.spatial import cKDTree
from torch.quasirandom import SobolEngine

from neurapde.core import checks
from neurapde.core.arrays import Array, as_points, to_numpy
from neurapde.core.errors import DeclarationError, StorageError
from neurapde.core.formatting import number
from neurapde.core.readers.isolated import isolated
from neurapde.core.readers.surfaces import read_surface
from neurapde.domains.base import BoundaryRows, Domain
from neurapde.domains.closest import Closest, point_tree
from neurapde.late import Late

read_points = Late("neurapde.core.readers.meshes", "read_points")

SEED = 46091
"""Of the points that are spread on the triangles of a file: the same at every reading."""
LEAST = 10
"""Points below which there is no surface to speak of."""
FLAT = 1e-9
"""A cloud thinner than this part of its width lies in a plane (or on a line)."""
NEIGHBOURS = 12
"""Of a point, through which the plane is laid that gives its normal."""
COUNT_FOR_MEASURE = 2**16
"""Sobol points by which the volume inside a cloud is counted."""


def in_kind(points: Array, function: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Array:
    """What a NumPy function answers at points of either kind, in their kind, precision and on their device."""
    values = function(to_numpy(points).astype(np.float64))
    if isinstance(points, torch.Tensor):
        return torch.from_numpy(values).to(points)
    return values.astype(points.dtype, copy=False)


@dataclass(frozen=True, repr=False, eq=False)
class InsidePoints(Domain):
    """What is inside a closed surface that points tell of; it has one face, of its own name."""

    points: Any

    @property
    def dimension(self) -> int:
        return int(self.points.shape[1])

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        return self.points.min(axis=0), self.points.max(axis=0)

    @property
    def faces(self) -> tuple[str, ...]:
        return (self.name,)


@dataclass(frozen=True, repr=False, eq=False)
class PointCloud(InsidePoints):
    """The inside of the closed surface on which the points lie.

    Args:
        points: `(n, d)`, d = 2 or 3, at least 10, spread over all of the surface.
        normals: `(n, d)`, outward, of any length; None to have them estimated from the points.

    The signed distance is that to the pieces of plane round the points, each as wide as the neighbouring points
    are apart: its error is of the second order in that distance. The sign is the nearest normal's, and at an edge that of
    the mean over the nearest.
    Raises: DeclarationError for NaN, too few points, wrong shapes, or normals without a direction.
    """

    normals: Any = None

    @classmethod
    def read(cls, path: str | os.PathLike[str], *, count: int = 100_000, name: str = "") -> Self:
        """A cloud from a file: `.xyz` (rows x y z, or x y z nx ny nz), or `.ply`, `.obj` and what else meshio reads.

        count: how many points are spread, by area, on the triangles of a file that has some; they need not be closed, as
            those of a `Mesh` must, and their textures are passed over. The normals are the triangles' own.
        Raises: StorageError for a file that cannot be read, FileNotFoundError for a missing one, and as the cloud itself.
        """
        checks.whole(count, "count", LEAST)
        points, normals = read_oriented(checks.path(path), count)
        return cls(points, normals, name=name)

    def __post_init__(self) -> None:
        super().__post_init__()
        shape = tuple(getattr(self.points, "shape", ()))
        if len(shape) != 2 or shape[1] not in (2, 3) or shape[0] < LEAST:
            raise DeclarationError(
                f"points of the {self.name} have the shape {shape}; give at least {LEAST} points (n, 2) or (n, 3)"
            )
        points = to_numpy(as_points(self.points, shape[1], f"points of the {self.name}")).astype(np.float64)
        if self.normals is None:
            normals = estimate_normals(points)
        else:
            normals = to_numpy(as_points(self.normals, shape[1], f"normals of the {self.name}"))
            normals = normals.astype(np.float64)
        length = np.linalg.norm(normals, axis=1)
        if len(normals) != shape[0] or not (length > 0).all():
            fault = f"{len(normals)} normals for {shape[0]} points"
            if len(normals) == shape[0]:
                fault = f"the normal of point {int(np.argmin(length))} is zero"
            raise DeclarationError(
                f"normals of the {self.name}: {fault}; give one of positive length for each point, or None to "
                "have them estimated"
            )
        _, index = np.unique(points, axis=0, return_index=True)
        index.sort()
        spread = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
        if len(index) < LEAST or spread[-1] < FLAT * spread[0]:
            raise DeclarationError(
                f"the {self.name} has {len(index)} different points, and its thickness is "
                f"{number(float(spread[-1] / spread[0]))} times its width, so it encloses no volume; give at least "
                f"{LEAST} points spread over a closed surface"
                if spread[0] > 0
                else f"the points of the {self.name} are all the same; give points spread over a closed surface"
            )
        object.__setattr__(self, "points", points[index])
        object.__setattr__(self, "normals", (normals / length[:, None])[index])

    @cached_property
    def _tree(self) -> cKDTree:
        return point_tree(self.points)

    @cached_property
    def _neighbour_distances(self) -> NDArray[np.float64]:
        """`(n, k)`, distances of each point to its nearest others, ascending."""
        count = min(NEIGHBOURS, len(self.points) - 1)
        return self._tree.query(self.points, k=count + 1)[0][:, 1:]

    @cached_property
    def spacing(self) -> float:
        """The mean distance between neighbouring points."""
        return float(self._neighbour_distances[:, 0].mean())

    @cached_property
    def measure(self) -> float:
        """Area or volume inside, counted on 2^16 Sobol points."""
        lower, upper = self.bounds
        engine = SobolEngine(self.dimension)  # type: ignore[no-untyped-call]
        unit = engine.draw(COUNT_FOR_MEASURE, dtype=torch.float64).numpy()
        inside = self.contains(lower + (upper - lower) * unit)
        return float(np.prod(upper - lower) * inside.mean())

    def boundary_size(self, faces: tuple[str, ...]) -> float:
        """Length or area of the surface, from the density of the points."""
        count = self._neighbour_distances.shape[1]
        reach = self._neighbour_distances[:, -1]
        return float(np.sum((2 * reach if self.dimension == 2 else np.pi * reach**2) / (count + 0.5)))

    def contains(self, points: Array) -> Array:
        return self.signed_distance(points) <= 0

    def signed_distance(self, points: Array) -> Array:
        return in_kind(as_points(points, self.dimension), self._distance)

    def _distance(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        _, nearest = self._tree.query(points)
        offset = points - self.points[nearest]
        across = np.sum(offset * self.normals[nearest], axis=1)
        along = np.sqrt(np.maximum(np.sum(offset**2, axis=1) - across**2, 0.0))
        beyond = np.maximum(along - self._neighbour_distances[nearest, self.dimension - 1], 0.0)
        edge = np.flatnonzero(beyond > np.abs(across))
        side = across.copy()
        side[edge] = self._facing(points[edge])
        return np.where(side < 0, -1.0, 1.0) * np.hypot(across, beyond)

    def _facing(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """The mean cosine `(n,)` between the normals of the nearest points and the ways from these to `points`.

        At an edge the nearest point may lie on the face that is seen from behind, at a small angle; the faces that are seen
        from the front, at a large one, outweigh it.
        """
        far, near = self._tree.query(points, k=min(NEIGHBOURS, len(self.points)))
        ways = points[:, None] - self.points[near]
        return np.mean(np.sum(ways * self.normals[near], axis=2) / far, axis=1)

    @property
    def _boundary_cube(self) -> int:
        return 1

    def _to_boundary(self, unit: torch.Tensor, faces: tuple[str, ...]) -> BoundaryRows:
        index = (unit[:, 0] * len(self.points)).long().clamp(max=len(self.points) - 1).cpu()
        rows = (torch.from_numpy(array)[index].to(unit) for array in (self.points, self.normals))
        return BoundaryRows.all(*rows)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PointCloud):
            return NotImplemented
        same = np.array_equal(self.points, other.points) and np.array_equal(self.normals, other.normals)
        return self.name == other.name and same

    def __hash__(self) -> int:
        return hash((self.name, self.points.tobytes()))

    def __str__(self) -> str:
        return f"inside of {len(self.points)} oriented points, {number(self.spacing)} apart"


def estimate_normals(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unit outward normals `(n, d)` at points `(n, d)` of a closed curve or surface, d = 2 or 3.

    Each is the direction in which the nearest neighbours spread least; signs spread along the minimum
    spanning tree of the neighbour graph, where an edge between parallel normals is short. In every connected
    part they start at the point farthest from its middle, where outward is away from it: a cavity
    that does not touch the outer surface would come out inside out.
    Source: Hoppe, DeRose, Duchamp, McDonald, Stuetzle (1992), SIGGRAPH 26(2), section 3.
    """
    count = len(points)
    _, index = cKDTree(points).query(points, k=min(NEIGHBOURS + 1, count))
    local = points[index] - points[index].mean(axis=1, keepdims=True)
    _, _, axes = np.linalg.svd(local, full_matrices=False)
    normals = axes[:, -1, :].copy()
    rows = np.repeat(np.arange(count, dtype=np.int32), index.shape[1] - 1)  # what every csgraph takes
    columns = index[:, 1:].ravel().astype(np.int32)
    agreement = np.abs(np.sum(normals[rows] * normals[columns], axis=1))
    graph = coo_array((1.0 + 1e-9 - agreement, (rows, columns)), shape=(count, count)).tocsr()
    tree = minimum_spanning_tree(graph.maximum(graph.T))
    _, labels = connected_components(tree, directed=False)
    for label in range(labels.max() + 1):
        members = np.flatnonzero(labels == label)
        away = points[members] - points[members].mean(axis=0)
        far = int(np.argmax(np.sum(away**2, axis=1)))
        root = members[far]
        if normals[root] @ away[far] < 0:
            normals[root] *= -1
        order, parents = breadth_first_order(tree, root, directed=False)
        for node in order[1:]:
            if normals[node] @ normals[parents[node]] < 0:
                normals[node] *= -1
    return normals


def read_oriented(path: Path, count: int) -> tuple[NDArray, NDArray | None]:
    """Points `(n, d)` of a file and normals `(n, d)`, None where it has none; of a file of triangles `count` points on them.

    The triangles need not be closed. Raises: StorageError, FileNotFoundError, DeclarationError.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    mesh = isolated(read_points, path, "points on a surface")
    if "triangle" not in mesh and "quad" not in mesh:
        return mesh["points"], mesh.get("normals")
    points, cells = read_surface(path)
    cells = np.asarray(cells, dtype=np.int64)
    if cells.min() < 0 or cells.max() >= len(points):
        raise StorageError(f"{path} has cells {cells.min()} to {cells.max()}, but {len(points)} points")
    surface = Closest(np.asarray(points, dtype=np.float64), cells)
    if not surface.sizes.sum() > 0:
        raise DeclarationError(
            f"all triangles of {path} have size 0; give a surface, or points without triangles"
        )
    places, on = surface.places(np.random.default_rng(SEED).random((count, points.shape[1] - 1)))
    return places, surface.normals[on]
