"""Vertices and cells of a mesh file. Run alone by `child`: it imports nothing of this package."""

from itertools import pairwise
from pathlib import Path

import meshio
import numpy as np
from numpy.typing import NDArray

HEADER = 1_000_000
"""Bytes that the header of a PLY may have."""


def read_mesh(path: str) -> dict[str, NDArray]:
    """`points` `(v, d)`, and of the cells that there are `triangle`, `quad` and `line`, rows of vertices."""
    if Path(path).suffix.lower() == ".obj":
        return read_obj(path)
    if Path(path).suffix.lower() == ".ply":
        _check_header(path)
    with np.errstate(all="ignore"):
        read = meshio.read(path)
    cells = read.cells_dict
    return {"points": np.asarray(read.points), **{name: np.asarray(rows) for name, rows in cells.items()}}


def _check_header(path: str) -> None:
    """ValueError for a PLY whose header has no end, which meshio would seek for ever."""
    with open(path, "rb") as file:
        if b"end_header" not in file.read(HEADER):
            raise ValueError("its header has no end_header")


def read_points(path: str) -> dict[str, NDArray]:
    """As `read_mesh`, and `normals` of the points where the file has one for each; rows of numbers where it ends in .xyz."""
    if Path(path).suffix.lower() == ".xyz":
        rows = np.loadtxt(path, ndmin=2)
        if rows.shape[1] not in (3, 6):
            raise ValueError(f"its rows have {rows.shape[1]} numbers, not x y z, or x y z nx ny nz")
        return {"points": rows[:, :3], **({"normals": rows[:, 3:]} if rows.shape[1] == 6 else {})}
    mesh = read_mesh(path)
    if "triangle" not in mesh and "quad" not in mesh:
        mesh |= _normals(path, len(mesh["points"]))
    return mesh


def _normals(path: str, count: int) -> dict[str, NDArray]:
    """The normals of the points of a file without faces: `nx ny nz` of each vertex, in .obj as many `vn` as `v` lines."""
    if Path(path).suffix.lower() == ".obj":
        with open(path, encoding="utf-8", errors="replace") as file:
            rows = [line.split()[1:4] for line in file if line.startswith("vn ")]
        return {"normals": np.array(rows, dtype=float)} if rows and len(rows) == count else {}
    data = meshio.read(path).point_data
    if all(name in data for name in ("nx", "ny", "nz")):
        return {"normals": np.stack([data[name] for name in ("nx", "ny", "nz")], axis=1)}
    return {}


def read_obj(path: str) -> dict[str, NDArray]:
    """Wavefront's text: `v` lines are vertices, `f` lines polygons, cut into triangles from their first corner.

    Texture and normals (`f 1/2/3`) are left out. Numbers below zero count back from the last vertex so far.
    Source: Wavefront Technologies, Advanced Visualizer manual, appendix B1, Object files.
    """
    points: list[list[float]] = []
    corners_of: dict[str, list[list[int]]] = {"triangle": [], "line": []}
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            word, *rest = line.split() or [""]
            if word == "v":
                points.append([float(x) for x in rest[:3]])
            elif word in ("f", "l"):
                corners = [_vertex(text, len(points)) for text in rest]
                if word == "l":
                    corners_of["line"] += [list(pair) for pair in pairwise(corners)]
                for second, third in pairwise(corners[1:]) if word == "f" else ():
                    corners_of["triangle"].append([corners[0], second, third])
    cells = {name: np.array(rows, dtype=np.int64) for name, rows in corners_of.items() if rows}
    return {"points": np.array(points, dtype=float).reshape(len(points), -1), **cells}


def _vertex(text: str, so_far: int) -> int:
    """The row of a vertex, from 0, of `7`, `7/1/2` or `-1`."""
    number = int(text.split("/")[0])
    if number == 0:
        raise ValueError(f"a face has the vertex {text!r}, but vertices are counted from 1")
    return number - 1 if number > 0 else so_far + number
