"""Fields on regular grids as VTU files, through meshio, and as XDMF."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neurapde.core import atomic, checks
from neurapde.core.errors import DeclarationError
from neurapde.core.memory import check_fits
from neurapde.domains.base import Domain
from neurapde.late import Late
from neurapde.storage import xdmf
from neurapde.storage.sampled import real_parts

if TYPE_CHECKING:
    import meshio
else:
    meshio = Late("meshio")

NODES = {1: 513, 2: 257, 3: 65}
"""Nodes per axis where none are asked for."""
CELLS = {1: "line", 2: "quad", 3: "hexahedron"}
NODE = 50.0
"""Bytes for a node and each corner of the cell beside it."""


def write_mesh(
    path: Path,
    domain: Domain,
    field: Callable[[np.ndarray], np.ndarray],
    shape: int | Sequence[int] | None = None,
) -> Path:
    """Write `field` on the cells of a regular grid that lie inside `domain`.

    path: ends in `.vtu` or `.xdmf`; the latter's numbers go beside it into `<stem>.data.h5`.
    field: points (n, d) to values (n,) or (n, c); complex values become `u_re`, `u_im` and `u_abs`.
    shape: nodes per axis, boundary included.
    Raises DeclarationError for a shape or dimension without meaning; OSError, naming the disk, where it cannot
    be written.
    """
    points, cells = grid_cells(domain, shape)
    data = real_parts("u", field(points))
    padded = np.zeros((len(points), 3))
    padded[:, : points.shape[1]] = points
    WRITERS[path.suffix](path, meshio.Mesh(padded, [(CELLS[domain.dimension], cells)], point_data=data))
    return path


def write_vtu(path: Path, mesh: meshio.Mesh) -> None:
    """Write a mesh and data at its nodes as binary VTU."""
    with atomic.replacing(path) as (temporary,):
        meshio.write(temporary, mesh, file_format="vtu", binary=True)


WRITERS = {".vtu": write_vtu, ".xdmf": xdmf.write}
"""What writes a mesh with data at its nodes, by the suffix."""


def grid_cells(domain: Domain, shape: int | Sequence[int] | None) -> tuple[np.ndarray, np.ndarray]:
    """Nodes `(n, d)` and cells `(m, 2^d)` (VTK's corner order): grid cells with all corners in the domain."""
    d = domain.dimension
    if d not in CELLS:
        raise DeclarationError(f"{domain} has {d} axes; only fields with 1, 2 or 3 axes can be exported.")
    counts = _node_counts(shape, d)
    check_fits(
        math.prod(counts) * NODE * 2**d,
        f"a grid of {' × '.join(map(str, counts))} nodes needs too much memory",
        "give a smaller shape=…",
    )
    lower, upper = domain.bounds
    axes = [np.linspace(a, b, n) for a, b, n in zip(lower, upper, counts, strict=True)]
    nodes = np.stack([x.ravel() for x in np.meshgrid(*axes, indexing="ij")], axis=1)
    numbers = np.arange(len(nodes)).reshape(counts)
    corners = [
        numbers[tuple(slice(o, o + n - 1) for o, n in zip(offset, counts, strict=True))].ravel()
        for offset in _corner_offsets(d)
    ]
    cells = np.stack(corners, axis=1)
    tolerance = 1e-9 * float(np.max(upper - lower))
    inside = np.asarray(domain.signed_distance(nodes)) <= tolerance
    cells = cells[inside[cells].all(axis=1)]
    if not len(cells):
        raise DeclarationError(f"no cell of {counts} nodes lies inside {domain}; use a finer shape.")
    used, cells_flat = np.unique(cells, return_inverse=True)
    return nodes[used], cells_flat.reshape(cells.shape)


def _corner_offsets(dimension: int) -> list[tuple[int, ...]]:
    """Corners of a cell in VTK's order: counter-clockwise in the first two axes, then along the third."""
    plane = [(0,), (1,)] if dimension == 1 else [(0, 0), (1, 0), (1, 1), (0, 1)]
    heights = itertools.product((0, 1), repeat=max(0, dimension - 2))
    return [corner + height for height in heights for corner in plane]


def _node_counts(shape: int | Sequence[int] | None, dimension: int) -> tuple[int, ...]:
    if shape is None:
        return (NODES[dimension],) * dimension
    counts = checks.node_counts(shape, dimension, 2)
    if counts is None:
        raise DeclarationError(
            f"shape={checks.shown(shape)}: give {dimension} numbers of nodes, at least 2 each, "
            f"such as {(NODES[dimension],) * dimension}."
        )
    return counts
