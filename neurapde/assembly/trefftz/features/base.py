"""What a set of features is: functions with values and derivatives at points, that can be summed and stored."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurapde.core.declaration import Declaration
from neurapde.jets.layout import Layout

BATCH = 2**21
"""Numbers of one channel of features that are held at once."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Features(Declaration, ABC):
    """A number of functions of space, each a solution of one equation, real or complex."""

    @property
    @abstractmethod
    def count(self) -> int:
        """How many."""

    @abstractmethod
    def channels(self, points: Array, layout: Layout) -> NDArray[Any]:
        """The channels of `layout` for each, at points (n, d): (layout.count, n, count)."""

    def summed(self, points: Array, layout: Layout, amplitudes: NDArray[Any]) -> NDArray[Any]:
        """Their sums with amplitudes (count, fields), at points (n, d): (layout.count, n, fields)."""
        step = max(1, BATCH // max(self.count, 1))
        parts = [
            self.channels(points[i : i + step], layout) @ amplitudes
            for i in range(0, max(len(points), 1), step)
        ]
        return np.concatenate(parts, axis=1)
