"""Skewed arrays, where nodes with the same sum of indices lie in one plane and neighbours are slices."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Kind = TypeVar("Kind", bound=np.generic)


class Skewed:
    """S[p + PAD, i + PAD, ...] = A[i, ..., p - i - ...]: the last axis of A is replaced by the plane p.

    Args:
        shape: of A, without any trailing axes, which stay where they are.
        flips: for each axis but the last, whether it runs backwards: with both directions of the planes this
               makes
            all 2^d orders in which a grid can be swept.
    """

    PAD = 2

    def __init__(self, shape: Sequence[int], flips: Sequence[bool]) -> None:
        self.shape, self.flips = tuple(shape), tuple(flips)
        self.planes = sum(self.shape) - len(self.shape) + 1
        index = np.indices(self.shape).reshape(len(self.shape), -1)
        turned = [
            n - 1 - i if flip else i for i, n, flip in zip(index[:-1], self.shape[:-1], flips, strict=True)
        ]
        plane = index.sum(axis=0) - index[:-1].sum(axis=0) + sum(turned)
        self.place = tuple(k + self.PAD for k in (plane, *turned))
        self.full = (self.planes + 2 * self.PAD, *(n + 2 * self.PAD for n in self.shape[:-1]))
        self.windows = {  # where the neighbours `step` nodes along `axis` of the nodes of a plane lie in S
            (plane, step, axis): self._window(plane, step, axis)
            for plane in range(self.planes)
            for step in range(-self.PAD, self.PAD + 1)
            for axis in range(len(self.shape))
        }

    def turn(self, values: NDArray[Kind], fill: float) -> NDArray[Kind]:
        """A -> S, `fill` where S has no node."""
        result = np.full(self.full + values.shape[len(self.shape) :], fill, dtype=values.dtype)
        result[self.place] = values.reshape(-1, *values.shape[len(self.shape) :])
        return result

    def back(self, skewed: NDArray[Kind]) -> NDArray[Kind]:
        """S -> A."""
        return skewed[self.place].reshape(*self.shape, *skewed.shape[len(self.shape) :])

    def _window(self, plane: int, step: int, axis: int) -> tuple[slice | int, ...]:
        lead = len(self.shape) - 1
        low = max(0, plane - sum(self.shape[1:]) + lead)  # only rows of the first axis that hold nodes
        high = min(self.shape[0], plane + 1)
        spans = [(low, high), *((0, n) for n in self.shape[1:-1])]
        shift = [step * (k == axis) + self.PAD for k in range(lead)]
        return (
            plane + step + self.PAD,
            *(slice(a + s, b + s) for (a, b), s in zip(spans, shift, strict=True)),
        )
