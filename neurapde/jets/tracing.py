"""Which derivatives a residual reads beside those that every jet carries: found by trying it."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch

from neurapde.jets.jet import Jet
from neurapde.jets.layout import Layout

SEED = 71993


@dataclass(frozen=True)
class _Tracing(Layout):
    """A layout that writes down which mixed, third and fourth derivatives are asked for, and gives the value for them."""

    found: dict[tuple[int, ...], None] = field(default_factory=dict, compare=False)

    def second(self, i: int, j: int) -> int:
        return super().second(i, j) if i == j else self.further((i, j))

    def further(self, axes: Any) -> int:
        wanted = tuple(sorted(axes))
        if 0 <= wanted[0] <= wanted[-1] < self.dimension:
            self.found[wanted] = None
        return 0


def derivatives_read(
    residual: Callable[[Jet], Any], dimension: int, points: int, outputs: int, complex: bool
) -> tuple[tuple[int, ...], ...]:
    """The axes of the mixed, third and fourth derivatives that a residual of the jet at so many points reads.

    One that fails tells those that it read before; what is wrong with it is said when it is checked.
    """
    derivatives: dict[tuple[int, ...], None] = {}
    generator = torch.Generator().manual_seed(SEED)
    for in_time in (False, True):
        layout = _Tracing(dimension, 2, (), in_time, derivatives)
        channels = 0.5 + torch.rand(layout.shape(points, outputs), generator=generator, dtype=torch.float64)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of NumPy's functions for tensors
            try:
                residual(Jet(channels.to(torch.complex128) if complex else channels, layout))
            except Exception:  # the user's own function
                continue
    return tuple(derivatives)
