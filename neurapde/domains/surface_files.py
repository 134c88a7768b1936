"""Surfaces from files: vertices with their cells, and points with their normals."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurapde.core.errors import DeclarationError, StorageError
from neurapde.core.readers.isolated import isolated
from neurapde.domains.closest import Closest
from neurapde.late import Late

read_mesh = Late("neurapde.core.readers.meshes", "read_mesh")
read_points = Late("neurapde.core.readers.meshes", "read_points")

SEED = 46091
"""Of the points that are spread on the triangles of a file: the same at every reading."""

CORNERS = {"triangle": 3, "quad": 4, "line": 2}


def read_surface(path: Path) -> tuple[NDArray, NDArray]:
    """Vertices and cells of the triangles of a file, or, of one without and flat in z, of its segments."""
    if not path.is_file():
        raise FileNotFoundError(f"there is no mesh file {path}")
    mesh = isolated(read_mesh, path, "a mesh")
    points = mesh.pop("points")
    if points.ndim != 2 or points.dtype.kind not in "iuf":
        raise StorageError(f"{path} has points {points.shape} of {points.dtype}; give coordinates (v, d)")
    for kind in CORNERS.keys() & mesh.keys():
        if mesh[kind].shape[1:] != (CORNERS[kind],):
            raise StorageError(f"{path} has {kind}s {mesh[kind].shape}; give each {CORNERS[kind]} corners")
    triangles = [mesh["triangle"]] if "triangle" in mesh else []
    if "quad" in mesh:
        triangles += [mesh["quad"][:, [0, 1, 2]], mesh["quad"][:, [0, 2, 3]]]
    if triangles:
        return points, np.concatenate(triangles)
    if "line" in mesh and (points.shape[1] == 2 or np.ptp(points[:, 2:]) == 0):
        return points[:, :2], mesh["line"]
    raise DeclarationError(
        f"{path} has {', '.join(mesh) or 'only points'}, but no triangles; give a surface mesh, or PointCloud(points) "
        "for a cloud"
    )


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
