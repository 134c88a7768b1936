"""Products of Legendre polynomials, one for each axis of a box, for separated solves; evaluated axis by axis."""

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from neurapde.core.errors import DeclarationError
from neurapde.trials.base import Setting, Trial, check_modes, corners
from neurapde.trials.sines import ProductFunction


@dataclass(frozen=True)
class LegendreProducts(Trial):
    """Products of Legendre polynomials of size 1 at the ends of each axis of a box.

    modes: number of polynomials along each axis, of degrees from 0.
    """

    modes: tuple[int, ...]

    default_dtype: ClassVar[torch.dtype] = torch.float64

    def __post_init__(self) -> None:
        check_modes(self.modes)

    def draw(self, setting: Setting) -> "LegendreFunction":
        lower, upper = corners(setting.bounds)
        if len(lower) != len(self.modes):
            raise DeclarationError(
                f"{self} has {len(self.modes)} axes, but the domain has {len(lower)}; give one number of modes for each "
                "axis"
            )
        return LegendreFunction(self, lower, upper, setting.amplitudes(*self.modes), setting.complex)

    def describe(self) -> str:
        return f"{' × '.join(map(str, self.modes))} Legendre polynomials"


class LegendreFunction(ProductFunction):
    """u = Σ a_ij… P_i(x) P_j(y) …."""

    def __init__(
        self, spec: LegendreProducts, lower: np.ndarray, upper: np.ndarray, amplitudes: Tensor, complex: bool
    ) -> None:
        super().__init__(spec, len(lower), amplitudes, complex)
        self.center, self.scale = ((lower + upper) / 2).tolist(), ((upper - lower) / 2).tolist()

    def tables(self, points: Tensor, order: int) -> list[list[Tensor]]:
        counts = self.amplitudes.shape[: self.dimension]
        return [
            polynomials(count, (points[:, axis] - self.center[axis]) / scale, scale, order)
            for axis, (count, scale) in enumerate(zip(counts, self.scale, strict=True))
        ]


def polynomials(count: int, t: Tensor, scale: float, order: int) -> list[Tensor]:
    """P_0 … P_(count−1) at t (n,) in [−1, 1] and their derivatives up to `order` by x = scale t, each (n, count)."""
    rows = [[torch.ones_like(t), t], [torch.zeros_like(t), torch.ones_like(t)]]
    rows.append([torch.zeros_like(t), torch.zeros_like(t)])
    for k in range(1, count - 1):
        rows[0].append(((2 * k + 1) * t * rows[0][k] - k * rows[0][k - 1]) / (k + 1))
        for lower, higher in pairwise(rows[: order + 1]):
            higher.append(higher[k - 1] + (2 * k + 1) * lower[k])
    return [
        torch.stack(values[:count], dim=1) / scale**degree for degree, values in enumerate(rows[: order + 1])
    ]
