"""Least squares with groups of columns: a separate QR eliminates each group from its rows.

A region's features appear only on its rim, so most rows have one or two groups of columns. After the elimination of a
group the remaining rows have the columns of its neighbours. Weights ε on the amplitudes replace a rank decision: they
are near rounding, and keep the amplitudes of dependent features small.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

Array = NDArray[Any]
ROUNDING = 1e-14
"""ε, as a fraction of the length of a column."""


@dataclass(frozen=True, eq=False)
class Block:
    """Rows with some groups of columns: `parts` by group, (r, columns) each, and right-hand sides (r, shots)."""

    parts: dict[int, Array]
    sides: Array

    def left(self, amplitudes: Sequence[Array]) -> Array:
        """The residual of amplitudes (columns, shots) of every group, (r, shots)."""
        return np.asarray(
            sum((columns @ amplitudes[group] for group, columns in self.parts.items()), start=-self.sides)
        )


@dataclass(frozen=True, eq=False)
class _Front:
    """An eliminated group: R, and its rows of later groups and right-hand sides."""

    group: int
    triangle: Array
    others: dict[int, Array]
    sides: Array


def least_squares(blocks: Sequence[Block], counts: Sequence[int]) -> list[Array]:
    """The amplitudes (columns, shots) of every group with the given numbers of columns.

    Columns are scaled to length 1 first.
    """
    sizes = _sizes(blocks, counts)
    remaining = [
        Block({group: columns / sizes[group] for group, columns in block.parts.items()}, block.sides)
        for block in blocks
    ]
    fronts = []
    waiting = set(range(len(counts)))
    while waiting:
        group = min(waiting, key=lambda candidate: len(_neighbours(remaining, candidate)))
        waiting.remove(group)
        front, remaining = _eliminated(remaining, group, counts)
        fronts.append(front)
    shots = blocks[0].sides.shape[1]
    amplitudes: list[Array] = [np.zeros((count, shots), dtype=blocks[0].sides.dtype) for count in counts]
    for front in reversed(fronts):
        sides = front.sides - sum(columns @ amplitudes[other] for other, columns in front.others.items())
        amplitudes[front.group] = scipy.linalg.solve_triangular(front.triangle, sides, check_finite=False)
    return [scaled / size[:, None] for scaled, size in zip(amplitudes, sizes, strict=True)]


def _sizes(blocks: Sequence[Block], counts: Sequence[int]) -> list[Array]:
    """The lengths of all columns; 1 for those that are zero."""
    squares = [np.zeros(count) for count in counts]
    for block in blocks:
        for group, columns in block.parts.items():
            squares[group] += np.einsum("ij,ij->j", columns.conj(), columns).real
    return [np.sqrt(np.where(square > 0, square, 1.0)) for square in squares]


def _neighbours(blocks: Sequence[Block], group: int) -> set[int]:
    return {other for block in blocks if group in block.parts for other in block.parts} - {group}


def _eliminated(blocks: Sequence[Block], group: int, counts: Sequence[int]) -> tuple[_Front, list[Block]]:
    """The front of a group, and the blocks without it."""
    mine = [block for block in blocks if group in block.parts]
    rest = [block for block in blocks if group not in block.parts]
    others = sorted(_neighbours(mine, group))
    width, shots = counts[group], blocks[0].sides.shape[1]
    columns = np.cumsum([0, width, *(counts[other] for other in others), shots])
    heights = np.cumsum([0, width, *(len(block.sides) for block in mine)])
    front = np.zeros((heights[-1], columns[-1]), dtype=blocks[0].sides.dtype, order="F")
    front[:width, :width] = ROUNDING * np.eye(width)
    for block, start, stop in zip(mine, heights[1:], heights[2:], strict=False):
        front[start:stop, :width] = block.parts[group]
        front[start:stop, columns[-2] :] = block.sides
        for i, other in enumerate(others):
            if other in block.parts:
                front[start:stop, columns[i + 1] : columns[i + 2]] = block.parts[other]
    (triangle,) = scipy.linalg.qr(front, mode="r", overwrite_a=True, check_finite=False)
    parts = {other: slice(columns[i + 1], columns[i + 2]) for i, other in enumerate(others)}
    below = triangle[width : columns[-2]]
    reduced = Block({other: below[:, where] for other, where in parts.items()}, below[:, columns[-2] :])
    known = {other: triangle[:width, where] for other, where in parts.items()}
    done = _Front(group, triangle[:width, :width], known, triangle[:width, columns[-2] :])
    return done, [*rest, reduced] if others else rest
