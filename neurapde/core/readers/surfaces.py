"""Surfaces from files: vertices with their cells."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurapde.core.errors import DeclarationError, StorageError
from neurapde.core.readers.isolated import isolated
from neurapde.late import Late

read_mesh = Late("neurapde.core.readers.meshes", "read_mesh")

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
