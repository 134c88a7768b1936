"""Products of Legendre polynomials, one for each axis of a box: what separated solves find, evaluated axis by axis."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from neurapde.core.errors import DeclarationError
from neurapde.jets.jet import Jet, Layout
from neurapde.trials.base import Setting, Trial, TrialFunction, check_modes, corners
from neurapde.trials.sines import contracted


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
                f"{self} has {len(self.modes)} axes, but the domain has {len(lower)}; give one number of modes each"
            )
        return LegendreFunction(self, lower, upper, setting.amplitudes(*self.modes), setting.complex)

    def describe(self) -> str:
        return f"{' × '.join(map(str, self.modes))} Legendre polynomials"


class LegendreFunction(TrialFunction):
    """u = Σ a_ij… P_i(x) P_j(y) …: amplitudes (n1, …, outputs), and for complex fields a last axis (real, imaginary).

    Evaluation sums one axis after the other, so n points cost n × (number of products).
    """

    def __init__(
        self, spec: LegendreProducts, lower: np.ndarray, upper: np.ndarray, amplitudes: Tensor, complex: bool
    ) -> None:
        super().__init__(spec, len(lower), amplitudes.shape[len(lower)], complex)
        self.center, self.scale = ((lower + upper) / 2).tolist(), ((upper - lower) / 2).tolist()
        self.amplitudes = torch.nn.Parameter(amplitudes)

    def set_coefficients(self, values: np.ndarray) -> None:
        """Take the coefficients (n1, …, outputs) of a solve, complex if the field is."""
        found = torch.as_tensor(values)
        with torch.no_grad():
            self.amplitudes.copy_(torch.view_as_real(found.contiguous()) if self.complex else found)

    def jet(self, points: Tensor, order: int = 2, mixed: Sequence[tuple[int, int]] = ()) -> Jet:
        layout = Layout(self.dimension, order, tuple(mixed))
        points = self.inputs(points)
        tables = [
            polynomials(count, (points[:, axis] - self.center[axis]) / scale, scale, order)
            for axis, (count, scale) in enumerate(
                zip(self.amplitudes.shape[: self.dimension], self.scale, strict=True)
            )
        ]
        sums = contracted(self.amplitudes.flatten(self.dimension), tables, layout.degrees)
        return Jet(self.field(sums), layout)


def polynomials(count: int, t: Tensor, scale: float, order: int) -> list[Tensor]:
    """P_0 … P_(count−1) at t (n,) in [−1, 1] and their derivatives up to `order` by x = scale t, each (n, count)."""
    rows = [[torch.ones_like(t), t], [torch.zeros_like(t), torch.ones_like(t)]]
    rows.append([torch.zeros_like(t), torch.zeros_like(t)])
    for k in range(1, count - 1):
        rows[0].append(((2 * k + 1) * t * rows[0][k] - k * rows[0][k - 1]) / (k + 1))
        for lower, higher in pairwise(rows[: order + 1]):
            higher.append(higher[k - 1] + (2 * k + 1) * lower[k])
    return [
        torch.stack(found[:count], dim=1) / scale**degree for degree, found in enumerate(rows[: order + 1])
    ]
