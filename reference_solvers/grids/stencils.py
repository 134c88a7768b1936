"""Difference matrices on one axis, their action on a grid, and interpolation at scattered points.

A matrix acts on `values.ravel()`. Products of one-axis matrices are Kronecker products in the order of the
axes.
"""

from collections.abc import Sequence
from functools import reduce
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from neurapde.reference_solvers.grids.grid import Grid


def forward_difference(nodes: int, spacing: float | NDArray[np.float64]) -> sparse.csr_array:
    """`(nodes - 1, nodes)`, u[i] -> (u[i+1] - u[i]) / h: second order at the half points; h may differ, `(nodes - 1,)`."""
    ones = np.broadcast_to(1.0 / np.asarray(spacing, dtype=float), (nodes - 1,))
    return sparse.diags_array([-ones, ones], offsets=[0, 1], shape=(nodes - 1, nodes), format="csr")


def central_difference(nodes: int, spacing: float) -> sparse.csr_array:
    """`(nodes, nodes)`, (u[i+1] - u[i-1]) / 2h, one-sided at the ends: what `numpy.gradient` does."""
    ones = np.full(nodes - 1, 0.5 / spacing)
    matrix = sparse.diags_array([-ones, ones], offsets=[-1, 1], shape=(nodes, nodes), format="lil")
    matrix[0, [0, 1]] = [-1.0 / spacing, 1.0 / spacing]
    matrix[-1, [-2, -1]] = [-1.0 / spacing, 1.0 / spacing]
    return matrix.tocsr()


def staggered_difference(
    nodes: int, spacing: float, mirrors: tuple[bool, bool] = (False, False)
) -> sparse.csr_array:
    """`(nodes - 1, unknowns)`, nodes -> half points, fourth order for a field that continues beyond the ends.

    (27 (u[i+1] - u[i]) - (u[i+2] - u[i-1])) / 24h. At an end without a mirror the field is zero and not an unknown,
    and continues as an odd function, like a solution of the wave equation at a wall with u = 0. At a mirror, where
    du/dn = 0, it is an unknown and continues as an even one. Minus the transpose, divided by one half at mirrors and
    by 1 elsewhere, is then the fourth-order divergence of the flux, back to the unknowns.
    """
    if nodes < 4:
        raise ValueError(f"{nodes} nodes are too few for a fourth-order difference; use at least 4.")
    near, far = np.full(nodes + 1, 27.0), np.ones(nodes + 1)
    wide = sparse.diags_array(
        [far, -near, near, -far], offsets=[0, 1, 2, 3], shape=(nodes - 1, nodes + 2), format="csc"
    )  # column j is u[j - 1]
    low, high = (1 if mirror else -1 for mirror in mirrors)
    inner = wide.tolil()
    inner[:, [2]] += low * wide[:, [0]]  # u[-1] = ± u[1]
    inner[:, [nodes - 1]] += high * wide[:, [nodes + 1]]
    unknowns = slice(1 if mirrors[0] else 2, nodes + 1 if mirrors[1] else nodes)
    return inner[:, unknowns].tocsr() / (24.0 * spacing)


def along(matrix: sparse.sparray, shape: Sequence[int], axis: int) -> sparse.csr_array:
    """The matrix of one axis acting along `axis` of an array of `shape`: I x ... x matrix x ... x I."""
    before, after = int(np.prod(shape[:axis])), int(np.prod(shape[axis + 1 :]))
    inner = sparse.kron(matrix, sparse.eye_array(after), format="csr")
    return sparse.kron(sparse.eye_array(before), inner, format="csr")


def outer(vectors: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """`(n1, ..., nd)`, the product v1[i] v2[j] ... of one vector an axis."""
    return reduce(np.multiply.outer, vectors)


def owned_lengths(steps: NDArray[np.float64]) -> NDArray[np.float64]:
    """`(n,)`, the length of the axis that belongs to each of n nodes: half of each of its `steps` `(n - 1,)`."""
    return (np.append(steps, 0.0) + np.append(0.0, steps)) / 2


def interpolation(grid: Grid, points: NDArray[np.float64], *, degree: int = 3) -> sparse.csr_array:
    """`(points, grid.size)`, the tensor-product Lagrange interpolation of node values at scattered points.

    The rows divided by the cell's volume are discrete deltas of unit mass whose moments up to `degree` are
    exact.

    Args:
        grid: the nodes; at least `degree + 1` on each axis.
        points: `(n, d)`, within the grid.
        degree: of the polynomial on each axis; the error is O(h^(degree + 1)).

    Raises: ValueError for points of another dimension or outside the grid, and for too few nodes.
    """
    points = grid.checked(points)
    if min(grid.shape) <= degree:
        raise ValueError(
            f"interpolation of degree {degree} needs {degree + 1} nodes along each axis; got {grid.shape}."
        )
    firsts, factors = [], []
    offsets = np.arange(degree + 1)
    for axis, (low, h, n) in enumerate(zip(grid.lower, grid.spacing, grid.shape, strict=True)):
        position = (points[:, axis] - low) / h
        first = np.clip(np.floor(position).astype(int) - (degree - 1) // 2, 0, n - 1 - degree)
        local = (position - first)[:, None] - offsets
        columns = [
            np.prod(np.delete(local, k, axis=1), axis=1) / np.prod(np.delete(k - offsets, k)) for k in offsets
        ]
        firsts.append(first)
        factors.append(np.stack(columns, axis=1))
    rows = np.arange(len(points))
    result = sparse.csr_array((len(points), grid.size))
    for corner in product(offsets, repeat=grid.dimension):
        node = np.ravel_multi_index([f + k for f, k in zip(firsts, corner, strict=True)], tuple(grid.shape))
        weight = np.prod([w[:, k] for w, k in zip(factors, corner, strict=True)], axis=0)
        result = result + sparse.csr_array((weight, (rows, node)), shape=result.shape)
    result.eliminate_zeros()
    return result
