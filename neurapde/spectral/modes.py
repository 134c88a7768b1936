"""Sines of one axis: the frequencies that meet the conditions at both ends, and integrals of their products.

On [lower, lower + L], with t = (x − lower)/L, the modes are sin(ω L t + β): the sine vanishes at an end where the field
does, and its slope where the slope does. All four combinations place ω on a lattice of spacing π/L. A product of two
modes is a sum of two cosines cos(pπt), so a coefficient enters any matrix of products through its cosine moments alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from neurapde.spectral.quadrature import FloatArray

BLOCK = 20_000  # scattered points at a time: tables of a few hundred modes stay within the cache's reach


@dataclass(frozen=True)
class AxisModes:
    """The first `count` modes of an axis.

    lower, upper: ends of the interval. count: number of modes.
    free:         (at lower, at upper): whether the slope vanishes there (Neumann) instead of the value (Dirichlet).
    """

    lower: float
    upper: float
    count: int
    free: tuple[bool, bool] = (False, False)

    @property
    def length(self) -> float:
        """L."""
        return self.upper - self.lower

    @cached_property
    def frequencies(self) -> FloatArray:
        """ω (count,), rad per unit length, increasing."""
        first = {(False, False): 1.0, (True, True): 0.0}.get(self.free, 0.5)
        return np.asarray(np.pi / self.length * (first + np.arange(self.count)))

    @property
    def phase(self) -> float:
        """β: 0 for sines that start at zero, π/2 for those that start at a crest."""
        return np.pi / 2 if self.free[0] else 0.0

    @property
    def bandwidth(self) -> float:
        """The largest frequency."""
        return float(self.frequencies[-1])

    @cached_property
    def norms(self) -> FloatArray:
        """∫ φ² of each mode (count,): half the length, and all of it for a constant one."""
        return np.where(self.frequencies > 0, self.length / 2, self.length)

    def values(self, x: FloatArray) -> FloatArray:
        """The modes at x (n,): (count, n)."""
        return np.sin(np.outer(self.frequencies, x - self.lower) + self.phase)

    def slopes(self, x: FloatArray) -> FloatArray:
        """Their derivatives at x (n,): (count, n)."""
        return self.frequencies[:, None] * np.cos(np.outer(self.frequencies, x - self.lower) + self.phase)

    @cached_property
    def grid(self) -> FloatArray:
        """Midpoints (2 count + 1,) that sum products of two modes and a coefficient of that many moments exactly."""
        nodes = 2 * self.count + 1
        return self.lower + self.length * (np.arange(nodes) + 0.5) / nodes

    @cached_property
    def on_grid(self) -> FloatArray:
        """The modes on the grid, (nodes, count)."""
        return np.ascontiguousarray(self.values(self.grid).T)

    def cosines(self, x: FloatArray) -> FloatArray:
        """cos(pπt) at x (n,), for p = 0 … 2 count: (2 count + 1, n)."""
        return np.cos(np.outer(np.arange(2 * self.count + 1) * np.pi / self.length, x - self.lower))

    @cached_property
    def synthesis(self) -> FloatArray:
        """Maps cosine moments to values on the grid that have these moments, (nodes, 2 count + 1)."""
        scale = np.full(2 * self.count + 1, 2 / self.length)
        scale[0] = 1 / self.length
        return self.cosines(self.grid).T * scale


def along(matrix: FloatArray, axis: int, array: np.ndarray) -> np.ndarray:
    """Multiply a real matrix (m, n) into one axis of an array, of length n there; complex arrays stay two real products."""
    moved = np.ascontiguousarray(np.moveaxis(array, axis, 0))
    flat = moved.reshape(moved.shape[0], -1)
    if np.iscomplexobj(flat):
        product = (matrix @ flat.view(np.float64)).view(np.complex128)
    else:
        product = matrix @ flat
    return np.moveaxis(product.reshape(matrix.shape[0], *moved.shape[1:]), 0, axis)


def along_all(matrices: Sequence[FloatArray], array: np.ndarray) -> np.ndarray:
    """Multiply one real matrix into each of the leading axes of an array."""
    for axis, matrix in enumerate(matrices):
        array = along(matrix, axis, array)
    return array


def project(
    tables: Sequence[Callable[[FloatArray], FloatArray]], points: FloatArray, values: np.ndarray
) -> np.ndarray:
    """Σ_q values[q] Π_axis tables[axis](points[q, axis]): integrals against products, from scattered points of the plane.

    tables: one function (n,) to (count, n) for each axis. points: (n, 2). values: (n,), weights included.
    Returns (count_0, count_1), complex. Works through the points in blocks. Neighbouring points with the same first
    coordinate, a chord of a rule, are summed along the second one before the tables are multiplied.
    """
    if len(points) == 0:
        return np.zeros([len(table(points[:, axis])) for axis, table in enumerate(tables)], dtype=complex)
    starts = np.flatnonzero(np.diff(points[:, 0], prepend=np.nan))  # of chords
    blocks = np.split(starts, np.flatnonzero(np.diff(starts // BLOCK)) + 1)
    total: np.ndarray | float = 0.0
    for chords, following in zip(blocks, [*(block[0] for block in blocks[1:]), len(points)], strict=True):
        block = slice(chords[0], following)
        first, second = tables[0](points[chords, 0]), tables[1](points[block, 1])
        parts = [second * values[block].real, second * values[block].imag]
        if len(chords) < second.shape[1]:
            parts = [np.add.reduceat(sums, chords - chords[0], axis=1) for sums in parts]
        weighted = first @ np.concatenate(parts).T
        total = total + weighted[:, : len(second)] + 1j * weighted[:, len(second) :]
    return np.asarray(total)
