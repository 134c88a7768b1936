"""Products of polynomials on the elements of every axis of a box, for waves in a box."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from neurapde.assembly.boxes.trial import polynomials
from neurapde.core.errors import DeclarationError
from neurapde.trials.base import Setting, Trial, check_modes
from neurapde.trials.sines import ProductFunction


@dataclass(frozen=True)
class ElementProducts(Trial):
    """Products of Legendre polynomials on the elements of each axis.

    edges: of the elements of each axis, increasing. degrees: of the polynomials on each of them, at least 1.
    """

    edges: tuple[tuple[float, ...], ...]
    degrees: tuple[tuple[int, ...], ...]

    default_dtype: ClassVar[torch.dtype] = torch.float64

    def __post_init__(self) -> None:
        for edges, degrees in zip(self.edges, self.degrees, strict=True):
            check_modes(degrees)
            if len(edges) != len(degrees) + 1 or any(np.diff(edges) <= 0):
                raise DeclarationError(
                    f"edges={edges} do not bound {len(degrees)} elements; give one more than elements, increasing"
                )

    @property
    def modes(self) -> tuple[int, ...]:
        """Amplitudes along each axis."""
        return tuple(sum(p + 1 for p in degrees) for degrees in self.degrees)

    def draw(self, setting: Setting) -> "ElementFunction":
        return ElementFunction(self, setting.amplitudes(*self.modes), setting.complex)

    def describe(self) -> str:
        counts = " × ".join(str(len(degrees)) for degrees in self.degrees)
        degree = max(max(degrees) for degrees in self.degrees)
        return f"polynomials up to degree {degree} on {counts} elements"


class ElementFunction(ProductFunction):
    """u = Σ a_ij… P_i(x) P_j(y) …, each P a polynomial on one element of its axis and 0 outside."""

    def __init__(self, spec: ElementProducts, amplitudes: Tensor, complex: bool) -> None:
        super().__init__(spec, len(spec.edges), amplitudes, complex)
        self.edges, self.degrees = spec.edges, spec.degrees

    def tables(self, points: Tensor, order: int) -> list[list[Tensor]]:
        return [
            _tables(edges, degrees, points[:, axis], order)
            for axis, (edges, degrees) in enumerate(zip(self.edges, self.degrees, strict=True))
        ]


def _tables(edges: Sequence[float], degrees: Sequence[int], x: Tensor, order: int) -> list[Tensor]:
    """The functions of one axis and their derivatives up to `order` at x (n,), (n, Σ (degree + 1)) each."""
    inner = torch.as_tensor(edges[1:-1], dtype=x.dtype, device=x.device)
    element = torch.bucketize(x.detach().contiguous(), inner, right=True)
    parts = []
    for number, degree in enumerate(degrees):
        half = (edges[number + 1] - edges[number]) / 2
        t = (x - edges[number]) / half - 1
        inside = element == number
        table = polynomials(degree + 1, torch.where(inside, t, torch.zeros_like(t)), half, order)
        parts.append([inside[:, None] * values for values in table])
    return [torch.cat(columns, dim=1) for columns in zip(*parts, strict=True)]
