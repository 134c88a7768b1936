"""A grid's cells cut into simplices, their parts where a level function is negative, and points in them.

Every cell of a grid falls into d! simplices (Kuhn), one for each order of the axes: its corners are those of the path
from the cell's lower corner to its upper one along the axes in that order. So every edge of a path is an edge of the
grid, and the differences along the path give the gradient of a linear function on the simplex.
"""

from collections.abc import Callable
from functools import cache
from itertools import combinations, permutations, product

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from neurapde.reference_solvers.grids.grid import Grid

FINER = {1: 64, 2: 16, 3: 4}  # parts of a cell along each axis, in 1, 2 and 3 dimensions
ROUNDING = 1e-9  # of a cell: what is nearer to the boundary lies on it

Array = NDArray[np.float64]


@cache
def paths(dimension: int) -> tuple[tuple[tuple[int, ...], tuple[tuple[int, ...], ...]], ...]:
    """For each simplex of a cell the order of its axes, and its d + 1 corners as offsets 0 or 1 along each axis."""
    simplices = []
    for order in permutations(range(dimension)):
        corners = [
            tuple(int(order.index(axis) < k) for axis in range(dimension)) for k in range(dimension + 1)
        ]
        simplices.append((order, tuple(corners)))
    return tuple(simplices)


def at_corner(values: NDArray, corner: tuple[int, ...]) -> NDArray:
    """The nodes' values at one corner of every cell, `(*shape - 1)`; a view."""
    return values[tuple(slice(k, n - 1 + k) for k, n in zip(corner, values.shape, strict=True))]


def inside_moments(grid: Grid, nodal: Array, level: Callable[[Array], Array]) -> list[Array]:
    """For each simplex of `paths` the integrals of its corners' hat functions inside, in units of the cell's volume.

    Cells near the boundary are cut into `FINER` parts along each axis, so that a corner of the domain between the nodes
    is cut off by little.

    Args:
        nodal: `grid.shape`, the level at the nodes. level: points `(n, d)` to the level `(n,)`, at most the
            distance to the boundary in size.

    Returns: d! arrays `(*shape - 1, d + 1)`.
    """
    d = grid.dimension
    simplices = paths(d)
    corners = np.stack([at_corner(nodal, corner) for corner in product((0, 1), repeat=d)], axis=-1)
    within = (corners < 0).all(axis=-1)
    near = abs(corners).min(axis=-1) <= float(np.linalg.norm(grid.spacing))
    results = [np.zeros((*within.shape, d + 1)) for _ in simplices]
    for result in results:
        result[within] = 1.0 / ((d + 1) * len(simplices))
    parts = FINER[d]
    cells = np.argwhere(near)
    fractions = np.stack(np.meshgrid(*[np.arange(parts + 1) / parts] * d, indexing="ij"), axis=-1)
    places = grid.lower + (cells[(slice(None), *[None] * d)] + fractions) * grid.spacing
    levels = np.asarray(level(places.reshape(-1, d))).reshape(places.shape[:-1])
    levels = np.where(abs(levels) <= ROUNDING * min(grid.spacing), 0.0, levels)
    totals = np.zeros((len(simplices), len(cells), d + 1))
    for _, path in simplices:
        at = [tuple(slice(k, parts + k) for k in corner) for corner in path]
        ends = np.stack([levels[(slice(None), *where)] for where in at], axis=-1).reshape(-1, d + 1)
        flat = np.flatnonzero((ends == 0).all(axis=1))  # in a corner of the domain: its middle tells
        middles = np.mean([places[(slice(None), *where)].reshape(-1, d)[flat] for where in at], axis=0)
        ends[flat] = np.asarray(level(middles))[:, None]
        small = moments(ends).reshape(len(cells), -1, d + 1) / (len(simplices) * parts**d)
        local = np.stack(
            [fractions[where].reshape(-1, d) for where in at], axis=1
        )  # (parts^d, corners, axes)
        order = np.argsort(-local.mean(axis=1), axis=1, kind="stable")
        for number, (axes, _) in enumerate(simplices):
            diagonal = (order == axes).all(axis=1)
            ladder = local[diagonal][:, :, axes]
            ones = np.ones((*ladder.shape[:2], 1))
            shares = -np.diff(np.concatenate([ones, ladder, 0 * ones], axis=2), axis=2)
            totals[number] += np.einsum("msc,sck->mk", small[:, diagonal], shares)
    for result, total in zip(results, totals, strict=True):
        result[near] = total
    return results


def moments(levels: Array) -> Array:
    """Σ-normalised integrals of the corners' hat functions over the negative part of simplices.

    Args:
        levels: `(m, d + 1)`, a linear function at the corners of m simplices.

    Returns: `(m, d + 1)`, ∫ φ_i over {level < 0} divided by the simplex's volume; a row adds up to the part of the
        simplex that is inside.
    """
    count = levels.shape[1]
    result = np.zeros(levels.shape)
    negative = levels < 0
    result[negative.all(axis=1)] = 1.0 / count
    for size in range(1, count):
        for inside in combinations(range(count), size):
            outside = [k for k in range(count) if k not in inside]
            rows = negative[:, inside].all(axis=1) & ~negative[:, outside].any(axis=1)
            if rows.any():
                result[rows] = _cut(levels[rows], list(inside), outside)
    return result


def _cut(levels: Array, inside: list[int], outside: list[int]) -> Array:
    """The moments `(m, d + 1)` of simplices whose corners `inside` are negative and `outside` are not.

    The inner part is a product of two simplices, with the corners (i, i) = i and (i, o), where the edge from i to o is
    cut. The monotone paths through the table of these corners divide it into simplices.
    """
    m, count = levels.shape
    table: dict[tuple[int, int], Array] = {}
    for row, i in enumerate(inside):
        for column, o in enumerate([i, *outside]):
            corner = np.zeros((m, count))
            fraction = np.zeros(m) if o == i else levels[:, i] / (levels[:, i] - levels[:, o])
            corner[:, o] = fraction
            corner[:, i] = 1.0 - fraction if o != i else 1.0
            table[row, column] = corner
    total = np.zeros((m, count))
    rights, downs = len(outside), len(inside) - 1
    for steps in combinations(range(rights + downs), downs):
        row = column = 0
        path = [table[0, 0]]
        for k in range(rights + downs):
            row, column = (row + 1, column) if k in steps else (row, column + 1)
            path.append(table[row, column])
        corners = np.stack(path, axis=1)
        total += abs(np.linalg.det(corners))[:, None] * corners.mean(axis=1)
    return total


def probes(grid: Grid, points: Array, normals: Array) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Matrices `(m, grid.size)` that give a field, linear on every simplex, and its slope along `normals`, at
    `points`.

    A point on an edge of simplices uses the one against the normal, inside.
    """
    spacing = np.asarray(grid.spacing)
    shape = np.asarray(grid.shape)
    place = (points - grid.lower) / spacing
    cell = np.clip(np.floor(place - 1e-6 * normals).astype(int), 0, shape - 2)
    local = place - cell
    order = np.argsort(-(local - 1e-6 * normals), axis=1, kind="stable")
    sorted_local = np.take_along_axis(local, order, axis=1)
    m, d = points.shape
    shares = -np.diff(np.concatenate([np.ones((m, 1)), sorted_local, np.zeros((m, 1))], axis=1), axis=1)
    slopes = np.take_along_axis(normals / spacing, order, axis=1)
    strides = np.array([int(np.prod(shape[k + 1 :])) for k in range(d)])
    nodes = np.cumsum(np.concatenate([(cell @ strides)[:, None], strides[order]], axis=1), axis=1)
    rows = np.arange(m)
    ends = np.zeros((m, 1))
    values = np.concatenate([ends, slopes], axis=1) - np.concatenate([slopes, ends], axis=1)
    return (
        sparse.csr_array((shares.ravel(), (np.repeat(rows, d + 1), nodes.ravel())), shape=(m, grid.size)),
        sparse.csr_array((values.ravel(), (np.repeat(rows, d + 1), nodes.ravel())), shape=(m, grid.size)),
    )
