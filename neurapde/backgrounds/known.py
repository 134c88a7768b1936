"""A field given by a function of points, differentiated by torch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from neurapde.backgrounds.waves import Background
from neurapde.core.arrays import full
from neurapde.core.errors import DeclarationError
from neurapde.jets.autograd import jet_by_autograd
from neurapde.jets.jet import Jet
from neurapde.jets.layout import Layout


@dataclass(frozen=True)
class KnownFunction(Background):
    """A user's function: points (n, d), torch, to (n,), or (n, c) for c components."""

    function: Callable[[Any], Any]

    def jet(self, points: Tensor, order: int = 2, mixed: Sequence[tuple[int, ...]] = ()) -> Jet:
        layout = Layout(points.shape[1], order, tuple(mixed))
        keep = points.requires_grad and torch.is_grad_enabled()
        return jet_by_autograd(self._values, points, layout, keep_graph=keep)

    def _values(self, points: Tensor) -> Tensor:
        values = self.function(points)
        if isinstance(values, int | float | complex) and not isinstance(values, bool):
            return full(points, values)
        if not isinstance(values, Tensor) or values.ndim not in (1, 2) or len(values) != len(points):
            raise DeclarationError(
                f"{self.describe()} of the Ansatz returned {type(values).__name__} {tuple(getattr(values, 'shape', ()))} "
                f"for {len(points)} torch points; return (n,), or (n, c) for c components, by npde.sin and the like"
            )
        return values

    def describe(self) -> str:
        name = getattr(self.function, "__name__", type(self.function).__name__)
        return "f(x)" if name == "<lambda>" else f"{name}(x)"
