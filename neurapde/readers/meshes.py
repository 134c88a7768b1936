"""Vertices and cells of a mesh file. Run alone by `child`: it imports nothing of this package."""

from itertools import pairwise
from pathlib import Path

import meshio
import numpy as np
from numpy.typing import NDArray


def read_mesh(path: str) -> dict[str, NDArray]:
    """`points` `(v, d)`, and of the cells that there are `triangle`, `quad` and `line`, rows of vertices."""
    if Path(path).suffix.lower() == ".obj":
        return read_obj(path)
    with np.errstate(all="ignore"):
        read = meshio.read(path)
    cells = read.cells_dict
    return {"points": np.asarray(read.points), **{name: np.asarray(rows) for name, rows in cells.items()}}


def read_obj(path: str) -> dict[str, NDArray]:
    """Wavefront's text: `v` lines are vertices, `f` lines polygons, cut into triangles from their first corner.

    Texture and normals (`f 1/2/3`) are left out. Numbers below zero count back from the last vertex so far.
    Source: Wavefront Technologies, Advanced Visualizer manual, appendix B1, Object files.
    """
    points: list[list[float]] = []
    found: dict[str, list[list[int]]] = {"triangle": [], "line": []}
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            word, *rest = line.split() or [""]
            if word == "v":
                points.append([float(x) for x in rest[:3]])
            elif word in ("f", "l"):
                corners = [_vertex(text, len(points)) for text in rest]
                if word == "l":
                    found["line"] += [list(pair) for pair in pairwise(corners)]
                for second, third in pairwise(corners[1:]) if word == "f" else ():
                    found["triangle"].append([corners[0], second, third])
    cells = {name: np.array(rows, dtype=np.int64) for name, rows in found.items() if rows}
    return {"points": np.array(points, dtype=float).reshape(len(points), -1), **cells}


def _vertex(text: str, so_far: int) -> int:
    """The row of a vertex, from 0, of `7`, `7/1/2` or `-1`."""
    number = int(text.split("/")[0])
    if number == 0:
        raise ValueError(f"a face has the vertex {text!r}, but vertices are counted from 1")
    return number - 1 if number > 0 else so_far + number
