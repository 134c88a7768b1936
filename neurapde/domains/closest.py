"""The nearest point of a mesh of segments or triangles, and on which side of it one is.

Candidates come from a KD-tree over points spread evenly on all cells; to each candidate cell the distance is
exact. With h the spacing of those points, a cell is missed only from farther than some 4h, and only for one that
is nearer by less than h/8. The side is told by pseudonormals: of a face its normal, of an edge the sum of the
normals beside it, of a vertex their sum weighted by angle.
Source: Bærentzen, Aanæs (2005), IEEE Trans. Vis. Comput. Graph. 11(3), 243-253, for the pseudonormals.
"""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

CANDIDATES, MORE = 12, (32, 96)
SPREAD = 20_000  # points of the tree at least
CHUNK = 50_000
CURVE = 7  # bits of a place along each axis


class Closest:
    """Distances to a closed, consistently oriented mesh; vertices `(v, d)`, cells `(m, d)`, d = 2 or 3."""

    def __init__(self, vertices: Array, cells: Indices) -> None:
        self.vertices, self.cells = vertices, cells
        self.corners = vertices[cells]  # (m, d, d): cell, corner, axis
        self.normals, self.sizes = cell_normals(self.corners)

    @property
    def _side(self) -> float:
        """The longest side of the parts that the cells are cut into for the tree."""
        count = max(SPREAD, len(self.cells))
        return float(2.0 * (self.sizes.sum() / count) ** (1 / (self.vertices.shape[1] - 1)))

    @property
    def _reach(self) -> float:
        """How far at most a place of a part is from its middle: two thirds of a median."""
        return 2 / 3 * self._side

    @cached_property
    def _tree(self) -> tuple[cKDTree, Indices]:
        """A tree of points on all cells, and each point's cell."""
        d = self.vertices.shape[1]
        longest = np.max(np.linalg.norm(self.corners - np.roll(self.corners, 1, axis=1), axis=2), axis=1)
        parts = np.maximum(np.ceil(longest / self._side).astype(int), 1)
        points, owners = [], []
        for count in np.unique(parts):
            chosen = np.flatnonzero(parts == count)
            weights = _lattice(int(count), d)
            points.append(np.einsum("kc,mcx->mkx", weights, self.corners[chosen]).reshape(-1, d))
            owners.append(np.repeat(chosen, len(weights)))
        return point_tree(np.concatenate(points)), np.concatenate(owners)

    @cached_property
    def _pseudonormals(self) -> Array:
        """`(m, 2^d, d)`: by cell and by which corners' weights are positive, as bits."""
        m, d = self.cells.shape
        table = np.zeros((m, 2**d, d))
        table[:, -1] = self.normals
        at_vertex = np.zeros_like(self.vertices)
        for corner in range(d):
            weight = self._angles(corner)[:, None] if d == 3 else 1.0
            np.add.at(at_vertex, self.cells[:, corner], weight * self.normals)
        for corner in range(d):
            table[:, 1 << corner] = at_vertex[self.cells[:, corner]]
        if d == 3:
            starts, ends = edges_of(self.cells)
            _, edge = np.unique(edge_keys(starts, ends), return_inverse=True)
            total = np.zeros((int(edge.max()) + 1, 3))
            np.add.at(total, edge, np.tile(self.normals, (3, 1)))
            for i, corners in enumerate(np.split(edge, 3)):
                table[:, (1 << i) | (1 << (i + 1) % 3)] = total[corners]
        return table

    def _angles(self, corner: int) -> Array:
        """The angle of each triangle at one of its corners."""
        a, b, c = (self.corners[:, (corner + i) % 3] for i in range(3))
        cross = np.linalg.norm(np.cross(b - a, c - a), axis=1)
        return np.arctan2(cross, np.sum((b - a) * (c - a), axis=1))

    @cached_property
    def _summed(self) -> Array:
        return np.cumsum(self.sizes)

    def places(self, unit: Array) -> tuple[Array, Indices]:
        """The unit cube `(n, d − 1)` onto the cells, by their sizes: points `(n, d)`, and the cell of each `(n,)`."""
        position = unit[:, 0] * self._summed[-1]
        cell = np.minimum(np.searchsorted(self._summed, position, side="right"), len(self.cells) - 1)
        rest = np.clip(1 - (self._summed[cell] - position) / self.sizes[cell], 0.0, 1.0)
        if unit.shape[1] == 1:
            weights = np.stack([1 - rest, rest], axis=1)
        else:
            root = np.sqrt(rest)
            weights = np.stack([1 - root, root * (1 - unit[:, 1]), root * unit[:, 1]], axis=1)
        return np.einsum("nc,ncx->nx", weights, self.corners[cell]), cell

    def signed_distance(self, points: Array) -> Array:
        """Distance of points `(n, d)`, negative inside: `(n,)`."""
        return self.nearest(points)[0]

    def nearest(self, points: Array) -> tuple[Array, Indices]:
        """Signed distance `(n,)` of points `(n, d)`, and the cell that is nearest to each `(n,)`."""
        distances, cells = np.zeros(len(points)), np.zeros(len(points), dtype=np.int64)
        order = along_curve(points)
        for start in range(0, len(points), CHUNK):
            chosen = order[start : start + CHUNK]
            distances[chosen], cells[chosen] = self._signed(points[chosen])
        return distances, cells

    def _signed(self, points: Array) -> tuple[Array, Indices]:
        distance, side, cell, reached = self._among(points, CANDIDATES)
        for count in MORE:
            unsure = np.flatnonzero((reached < distance + self._reach) & (distance < 4 * self._reach))
            if len(unsure):
                result = self._among(points[unsure], count)
                distance[unsure], side[unsure], cell[unsure], reached[unsure] = result
        return np.where(side < 0, -1.0, 1.0) * distance, cell

    def _among(self, points: Array, count: int) -> tuple[Array, Array, Indices, Array]:
        """Distance, side and cell among those of the `count` nearest points of the tree, and how far these reach."""
        tree, owners = self._tree
        count = min(count, tree.n)
        far, vertices = tree.query(points, k=count)
        cells = owners[vertices.reshape(len(points), count)]
        corners = self.corners[cells.ravel()]
        weights = nearest_weights(np.repeat(points, count, axis=0), corners)
        nearest = np.einsum("nc,ncx->nx", weights, corners).reshape(len(points), count, -1)
        square = np.sum((points[:, None] - nearest) ** 2, axis=2)
        best = np.argmin(square, axis=1)
        rows = np.arange(len(points))
        code = (weights.reshape(len(points), count, -1)[rows, best] > 0) @ (1 << np.arange(points.shape[1]))
        normal = self._pseudonormals[cells[rows, best], code]
        side = np.sum((points - nearest[rows, best]) * normal, axis=1)
        reached = far.reshape(len(points), count)[:, -1] if count < tree.n else np.full(len(points), np.inf)
        return np.sqrt(square[rows, best]), side, cells[rows, best], reached


def point_tree(points: Array) -> cKDTree:
    """A tree of points on a surface. Cells of space as they are, not shrunk to the points: five times as quick from afar."""
    return cKDTree(points, balanced_tree=False, compact_nodes=False)


def along_curve(points: Array) -> Indices:
    """An order of points `(n, d)` in which neighbours follow each other (Morton's): a tree is then walked in the cache."""
    if not len(points):
        return np.zeros(0, dtype=np.int64)
    low = points.min(axis=0)
    cells = ((points - low) / max(float(np.ptp(points, axis=0).max()), 1e-300) * (2**CURVE - 1)).astype(
        np.int64
    )
    d = points.shape[1]
    bits = [((cells[:, i] >> bit) & 1) << (d * bit + i) for bit in range(CURVE) for i in range(d)]
    return np.argsort(np.sum(bits, axis=0), kind="stable")


def edges_of(triangles: Indices) -> tuple[Indices, Indices]:
    """Where each edge of triangles `(m, 3)` starts and ends, `(3m,)`: the first edges of all, the second, the third."""
    return triangles.T.ravel(), np.roll(triangles, -1, axis=1).T.ravel()


def edge_keys(starts: Indices, ends: Indices) -> Indices:
    """One number for each edge, whichever way it runs."""
    return np.minimum(starts, ends) * (1 + max(starts.max(), ends.max())) + np.maximum(starts, ends)


def cell_normals(corners: Array) -> tuple[Array, Array]:
    """Unit normals `(m, d)` and sizes `(m,)` of cells `(m, d, d)`: right of a segment, right-handed of a triangle."""
    if corners.shape[1] == 2:
        along = corners[:, 1] - corners[:, 0]
        normals, half = np.stack([along[:, 1], -along[:, 0]], axis=1), 1.0
    else:
        normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        half = 0.5
    length = np.linalg.norm(normals, axis=1)
    return normals / np.maximum(length, 1e-300)[:, None], half * length


def nearest_weights(points: Array, corners: Array) -> Array:
    """Barycentric weights `(n, d)` of the point of cell `(n, d, d)` nearest to each point `(n, d)`."""
    if corners.shape[1] == 2:
        t = _along(points, corners[:, 0], corners[:, 1])
        return np.stack([1 - t, t], axis=1)
    weights, least = _inner(points, corners)
    for i in range(3):
        j = (i + 1) % 3
        t = _along(points, corners[:, i], corners[:, j])
        nearest = (1 - t)[:, None] * corners[:, i] + t[:, None] * corners[:, j]
        square = np.sum((points - nearest) ** 2, axis=1)
        closer = square < least
        on_edge = np.zeros_like(weights)
        on_edge[:, i], on_edge[:, j] = 1 - t, t
        weights[closer], least = on_edge[closer], np.minimum(least, square)
    return weights


def _along(points: Array, start: Array, end: Array) -> Array:
    """Where on the segment from 0 to 1 its point nearest to each point lies, `(n,)`."""
    step = end - start
    length = np.maximum(np.sum(step**2, axis=1), 1e-300)
    return np.clip(np.sum((points - start) * step, axis=1) / length, 0.0, 1.0)


def _inner(points: Array, corners: Array) -> tuple[Array, Array]:
    """Weights of the foot on the triangle's plane and its square distance; infinite where it falls outside."""
    a = corners[:, 0]
    u, v, w = corners[:, 1] - a, corners[:, 2] - a, points - a
    uu, uv, vv = np.sum(u * u, 1), np.sum(u * v, 1), np.sum(v * v, 1)
    wu, wv = np.sum(w * u, 1), np.sum(w * v, 1)
    area = np.maximum(uu * vv - uv * uv, 1e-300)
    s, t = (vv * wu - uv * wv) / area, (uu * wv - uv * wu) / area
    weights = np.stack([1 - s - t, s, t], axis=1)
    square = np.sum((w - s[:, None] * u - t[:, None] * v) ** 2, axis=1)
    return weights, np.where((weights > 0).all(axis=1), square, np.inf)


def _lattice(parts: int, d: int) -> Array:
    """Weights `(k, d)` of the middles of the parts when every side of a cell is cut into `parts`."""
    if d == 2:
        t = (np.arange(parts) + 0.5) / parts
        return np.stack([1 - t, t], axis=1)
    i, j = (index.ravel() for index in np.meshgrid(np.arange(parts), np.arange(parts), indexing="ij"))
    up, down = i + j < parts, i + j < parts - 1
    first = np.concatenate([i[up] + 1 / 3, i[down] + 2 / 3]) / parts
    second = np.concatenate([j[up] + 1 / 3, j[down] + 2 / 3]) / parts
    return np.stack([1 - first - second, first, second], axis=1)
