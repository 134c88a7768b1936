"""A surface that cuts through a grid, with u = 0 on it: nodes just above it get values by mirror images.

A node in the air that the scheme reads, a *ghost*, has the equation u(ghost) + u(image) = 0, the image being interpolated
as receivers are. Ghosts stay unknowns of the sparse matrix; all other nodes in the air are zero and couple to nothing.
"""

from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage, sparse

from neurapde.reference_solvers.grids.grid import Grid
from neurapde.reference_solvers.grids.sampling import NODES, interpolation
from neurapde.reference_solvers.grids.surface import Surface

Array = NDArray[np.float64]

MARGIN = NODES
"""Cells that a grid must reach above a surface."""
_READ = 4  # nodes per axis that an image is read from: six leave the same error, and fill the factors by a fifth more
_ON = 1e-6  # of a cell: a node so near the surface is on it


class Immersed:
    """The nodes of a grid of two dimensions as a surface cuts them.

    Raises: ValueError where the surface comes nearer than `MARGIN` cells to the grid's side in the air, or no node is below.
    """

    def __init__(self, grid: Grid, surface: Surface) -> None:
        if grid.dimension != 2:
            raise ValueError(f"a surface needs a grid of two dimensions; got {grid.dimension}.")
        self.grid, self.surface = grid, surface
        self._reach = max(grid.spacing)
        below = surface.below(grid.points).reshape(grid.shape)
        self.air: NDArray[np.bool_] = below <= _ON * self._reach
        """`(*shape)`, the nodes above the surface, or on it."""
        end = 0 if surface.ground > 0 else -1
        gap = -float(below[:, end].max()) / grid.spacing[1]
        if gap < MARGIN - 1e-6:
            raise ValueError(
                f"the surface comes to {gap:.3g} cells from the side of the grid; give a grid that reaches {MARGIN} cells "
                "above it."
            )
        if self.air.all():
            raise ValueError("no node of the grid lies below the surface; give a grid that reaches deeper.")

    @property
    def ghosts(self) -> NDArray[np.int64]:
        """`(g,)`, flat indices of the nodes in the air that have a value."""
        return self._known[0]

    @property
    def read(self) -> sparse.csr_array:
        """`(g, n)`, what reads a field at the images of the ghosts."""
        return self._known[1]

    @cached_property
    def conditions(self) -> sparse.csr_array:
        """`(n, n)`, what is zero at nodes in the air: u(ghost) + u(image), or u itself; rows of other nodes are empty."""
        size, air, count = self.grid.size, np.flatnonzero(self.air), len(self.ghosts)
        alone = sparse.csr_array((np.ones(len(air)), (air, air)), shape=(size, size))
        spread = sparse.csr_array((np.ones(count), (self.ghosts, np.arange(count))), shape=(size, count))
        return sparse.csr_array(alone + spread @ self.read)

    @cached_property
    def _known(self) -> tuple[NDArray[np.int64], sparse.csr_array]:
        """The ghosts and what reads at their images: the neighbours of the ground, and what these read of the air."""
        air = self.air.ravel()
        fresh = np.flatnonzero(ndimage.binary_dilation(~self.air, np.ones((3, 3))).ravel() & air)
        ghost = np.zeros(self.grid.size, bool)
        nodes, rows = [], []
        while len(fresh):
            ghost[fresh] = True
            nodes.append(fresh)
            rows.append(self._images(fresh))
            fresh = np.unique(rows[-1].indices)
            fresh = fresh[air[fresh] & ~ghost[fresh]]
        return np.concatenate(nodes), sparse.csr_array(sparse.vstack(rows))

    def _images(self, nodes: NDArray[np.int64]) -> sparse.csr_array:
        """The matrix that reads a field at the images of nodes in the air; nothing where an image is in the air, too."""
        images = self._reflected(nodes)
        sound = self.surface.below(images) > 0
        read = interpolation(self.grid, np.where(sound[:, None], images, self.grid.points[nodes]), _READ)
        read = sparse.csr_array(sparse.diags_array(sound.astype(float)) @ read)
        read.eliminate_zeros()
        return read

    @cached_property
    def reflected(self) -> Array:
        """`(g, 2)`, the images of the ghosts."""
        return self._reflected(self.ghosts)

    def _reflected(self, nodes: NDArray[np.int64]) -> Array:
        """The images of nodes, within the sides: beyond them a surface has no other."""
        images, _ = self.surface.images(self.grid.points[nodes], self._reach)
        return np.clip(images, self.grid.lower, self.grid.upper)

    def extended(self, matrix: sparse.csr_array) -> sparse.csr_array:
        """A matrix `(r, n)` that reads fields, with what it reads high in the air read at images instead."""
        known = ~self.air.ravel()
        known[self.ghosts] = True
        matrix = sparse.csr_array(matrix)
        for _ in range(NODES):
            high = np.unique(matrix.indices[~known[matrix.indices]])
            if not len(high):
                break
            matrix = matrix @ sparse.diags_array(known.astype(float)) - matrix[:, high] @ self._images(high)
            matrix.eliminate_zeros()
        return sparse.csr_array(matrix @ sparse.diags_array(known.astype(float)))

    @property
    def beyond(self) -> NDArray[np.int64]:
        """Flat indices of the nodes in the air that no point in the ground is read from."""
        return np.flatnonzero(self.air.ravel() & ~self._touched)

    @property
    def continuation(self) -> tuple[NDArray[np.int64], sparse.csr_array]:
        """Flat indices of the other nodes in the air that are no ghosts, and the matrix that gives values to them."""
        high = self.air.ravel() & self._touched
        high[self.ghosts] = False
        nodes = np.flatnonzero(high)
        alone = sparse.csr_array(
            (np.ones(len(nodes)), (np.arange(len(nodes)), nodes)), (len(nodes), self.grid.size)
        )
        return nodes, self.extended(alone) if len(nodes) else alone

    @cached_property
    def _touched(self) -> NDArray[np.bool_]:
        """Nodes that a kernel of a point in the ground may reach, and the ghosts."""
        width = 2 * (NODES // 2) + 1
        touched = ndimage.binary_dilation(~self.air, np.ones((width, width))).ravel()
        touched[self.ghosts] = True
        return np.asarray(touched)

    def mirrored(self, points: ArrayLike, amplitudes: ArrayLike) -> tuple[Array, NDArray[np.complex128]]:
        """The images `(n, 2)` of sources `(n, 2)`, and amplitudes `(n,)`, 0 for sources whose images are of no account."""
        points = np.asarray(points, float)
        images, distance = self.surface.images(points, self._reach)
        near = (distance < NODES * self._reach) & self.grid.contains(images)
        return np.where(near[:, None], images, points), near * np.broadcast_to(
            amplitudes, len(points)
        ).astype(complex)
