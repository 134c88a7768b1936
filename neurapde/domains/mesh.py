"""What a closed mesh encloses: triangles in space, segments in the plane, from arrays or from a file."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from neurapde.core import checks
from neurapde.core.arrays import Array, as_points, to_numpy
from neurapde.core.errors import DeclarationError
from neurapde.core.readers.surfaces import read_surface
from neurapde.domains.base import BoundaryRows
from neurapde.domains.closest import Closest, cell_normals, edge_keys, edges_of
from neurapde.domains.cloud import InsidePoints, PointCloud, in_kind

FLAT = 1e-12
"""An inside smaller than this part of the extent's cube is none."""
LARGEST = 1e100
"""Coordinates beyond this have volumes that are no numbers."""
MERGED = 1e-9
"""Vertices nearer than this part of the extent are one (STL repeats them for every triangle)."""


@dataclass(frozen=True, repr=False, eq=False)
class Mesh(InsidePoints):
    """The inside of a closed mesh: `Mesh("bunny.ply")`, or `Mesh(points, cells)`.

    Args:
        points: `(v, d)` vertices, d = 2 or 3, or the path of a file that meshio reads: ply, obj, stl, vtk, ….
        cells: `(m, d)` vertices of each segment or triangle; all turn the same way round their outside.

    A mesh that is turned inside out is turned back. Quadrilaterals of a file are cut in two.
    Raises: DeclarationError for a mesh with a rim, cells that disagree about the outside, or no cells;
        StorageError for a file that cannot be read, FileNotFoundError for a missing one.
    """

    cells: Any = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.points, str | os.PathLike):
            file = checks.path(self.points, "points")
            what = f"{self.name} {file.name}"
            points, cells = read_surface(file)
        elif self.cells is None:
            raise DeclarationError(
                f"cells of the {self.name} are missing; give Mesh(points, cells), Mesh('file.ply'), or "
                "PointCloud(points)"
            )
        else:
            what, points, cells = self.name, to_numpy(self.points), to_numpy(self.cells)
        points, cells = _checked(points, cells, what)
        if _determinants(points, cells) < 0:
            cells = cells[:, ::-1].copy()
        object.__setattr__(self, "points", points)
        object.__setattr__(self, "cells", cells)

    @classmethod
    def rebuild(cls, fields: Mapping[str, Any]) -> Self:
        """From its points and cells, and never from a file that they name."""
        if isinstance(fields.get("points"), str):
            raise DeclarationError(
                f"a stored mesh contains its points, but this one names a file, {fields['points']!r}; load a file that "
                "neurapde saved"
            )
        return super().rebuild(fields)

    @cached_property
    def _closest(self) -> Closest:
        return Closest(self.points, self.cells)

    @cached_property
    def measure(self) -> float:
        """Area or volume inside, by the divergence theorem."""
        return _determinants(self.points, self.cells) / (2 if self.dimension == 2 else 6)

    def boundary_size(self, faces: tuple[str, ...]) -> float:
        return float(self._closest.sizes.sum())

    def contains(self, points: Array) -> Array:
        return self.signed_distance(points) <= 0

    def signed_distance(self, points: Array) -> Array:
        return in_kind(as_points(points, self.dimension), self._closest.signed_distance)

    def cloud(self, count: int, *, generator: torch.Generator | None = None) -> PointCloud:
        """Points on the mesh, by area, with its normals: what a scan of it would give."""
        sample = self.sample_boundary(count, how="sobol", generator=generator)
        return PointCloud(sample.points.numpy(), sample.normals.numpy(), name=self.name)

    @property
    def _boundary_cube(self) -> int:
        return self.dimension - 1

    def _to_boundary(self, unit: torch.Tensor, faces: tuple[str, ...]) -> BoundaryRows:
        points, cells = self._closest.places(unit.cpu().numpy())
        normals = self._closest.normals[cells]
        return BoundaryRows.all(*(torch.from_numpy(array).to(unit) for array in (points, normals)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mesh):
            return NotImplemented
        same = np.array_equal(self.points, other.points) and np.array_equal(self.cells, other.cells)
        return self.name == other.name and same

    def __hash__(self) -> int:
        return hash((self.name, self.points.tobytes(), self.cells.tobytes()))

    def __str__(self) -> str:
        kind = "segments" if self.dimension == 2 else "triangles"
        return f"inside of {len(self.cells)} {kind}"


def _checked(points: NDArray, cells: NDArray, name: str) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Vertices without repetition and the cells that have a size, of a closed and oriented mesh."""
    d = points.shape[1] if points.ndim == 2 else 0
    if d not in (2, 3) or cells.ndim != 2 or cells.shape[1] != d or len(cells) == 0:
        raise DeclarationError(
            f"the {name} has points {points.shape} and cells {cells.shape}; give vertices (v, 2) with segments "
            "(m, 2), or (v, 3) with triangles (m, 3)"
        )
    if cells.dtype.kind not in "iu" or cells.min() < 0 or cells.max() >= len(points):
        raise DeclarationError(
            f"cells of the {name} are {cells.dtype} from {cells.min()} to {cells.max()}; give whole numbers, "
            f"rows of its {len(points)} points"
        )
    points = to_numpy(as_points(points, d, f"points of the {name}")).astype(np.float64)
    if (largest := float(np.max(np.abs(points)))) > LARGEST:
        raise DeclarationError(
            f"the points of the {name} reach {largest:.3g}, and the volume overflows; keep them below {LARGEST:g}"
        )
    extent = float(np.max(np.ptp(points, axis=0)))
    if extent == 0:
        raise DeclarationError(f"the points of the {name} are all the same; give those of a closed surface")
    step = MERGED * extent
    first, merged = _merged(np.round(points / step))
    points, cells = points[first], merged[cells]
    _, sizes = cell_normals(points[cells])
    cells = cells[sizes > 0]
    if not len(cells):
        raise DeclarationError(
            f"all cells of the {name} have size 0: its points lie on a line; give a closed surface"
        )
    used, cells = np.unique(cells, return_inverse=True)
    points, cells = points[used], cells.reshape(-1, d)
    _check_closed(cells, d, name)
    if not abs(_determinants((points - points[0]) / extent, cells)) >= FLAT:  # nor where it is no number
        raise DeclarationError(
            f"the {name} encloses no volume: its cells lie on each other or in a plane; give a closed surface"
        )
    return points, cells


def _merged(places: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A row of each place `(v, d)`, in the order of the places, and by row which of them it is."""
    order = np.lexsort(places.T[::-1])
    new = np.ones(len(places), dtype=bool)
    new[1:] = (places[order[1:]] != places[order[:-1]]).any(axis=1)
    which = np.empty(len(places), dtype=np.int64)
    which[order] = np.cumsum(new) - 1
    return order[new], which


def _determinants(points: NDArray[np.float64], cells: NDArray[np.int64]) -> float:
    """What a closed surface encloses, times 2 in the plane and 6 in space; pivots of damaged files may be any number."""
    with np.errstate(all="ignore"):
        return float(np.sum(np.linalg.det(points[cells])))


def _check_closed(cells: NDArray[np.int64], d: int, name: str) -> None:
    """Refuse a rim, and cells that run through the edge (or vertex) between them in the same direction."""
    if d == 2:
        starts, ends = (np.bincount(cells[:, i], minlength=cells.max() + 1) for i in (0, 1))
        rim, twice = int(np.sum(starts + ends == 1)), int(np.sum((starts != ends) & (starts + ends > 1)))
        what = "vertices"
    else:
        starts, ends = edges_of(cells)
        _, counts = np.unique(starts * (1 + cells.max()) + ends, return_counts=True)
        _, uses = np.unique(edge_keys(starts, ends), return_counts=True)
        rim, twice = int(np.sum(uses % 2 == 1)), int(np.sum(counts > 1))
        what = "edges"
    if rim:
        raise DeclarationError(
            f"the {name} is not closed: {rim} {what} belong to only one cell; fill its holes, or use PointCloud(points, "
            "normals)"
        )
    if twice:
        raise DeclarationError(
            f"cells of the {name} have opposite orientations at {twice} {what}; orient them consistently (mesh tools "
            "call it reorient), or use PointCloud(points)"
        )
