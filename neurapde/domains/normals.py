"""Normals of a point cloud that came without: planes through neighbours, turned to agree with each other."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, connected_components, minimum_spanning_tree
from scipy.spatial import cKDTree

Array = NDArray[np.float64]

NEIGHBOURS = 12


def estimate_normals(points: Array, neighbours: int = NEIGHBOURS) -> Array:
    """Unit outward normals `(n, d)` at points `(n, d)` of a closed curve or surface, d = 2 or 3.

    Each is the direction in which the nearest `neighbours` spread least; signs spread along the minimum
    spanning tree of the neighbour graph, where an edge between parallel normals is short. In every connected
    part they start at the point farthest from its middle, where outward is away from it: a cavity
    that does not touch the outer surface would come out inside out.
    Source: Hoppe, DeRose, Duchamp, McDonald, Stuetzle (1992), SIGGRAPH 26(2), section 3.
    """
    count = len(points)
    _, index = cKDTree(points).query(points, k=min(neighbours + 1, count))
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
