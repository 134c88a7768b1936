"""Polynomials on patches of the line, or of space and time, each with its own Chebyshev coefficients.

They represent an evolution that was solved window by window: time is cut into windows, and space in each into
elements.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.jets.jet import Jet, Layout
from neurapde.methods.marching.radau import Matrix, Radau
from neurapde.trials.base import Setting, Trial, TrialFunction

AT_ONCE = 4096
"""Points evaluated together."""
EDGE = 1e-9
"""Fraction of a window's length that counts as rounding beyond the last one."""


@dataclass(frozen=True, eq=False)
class Patches:
    """The elements of a field in space at a moment; without a space there is one, without axes.

    lower, upper: corners (elements, axes). coefficients: Chebyshev coefficients from the values at the nodes (degree +
    1, nodes).
    nodes: numbers of the nodes of each element (elements, nodes).
    """

    lower: Matrix
    upper: Matrix
    coefficients: Matrix
    nodes: NDArray[np.int64]


@dataclass(frozen=True)
class ChebyshevPatches(Trial):
    """Polynomials of given degrees along each axis, on so many patches.

    patches: how many. degrees: of the polynomials, one for each axis, time last.
    """

    patches: int
    degrees: tuple[int, ...]

    default_dtype: ClassVar[torch.dtype] = torch.float64

    def __post_init__(self) -> None:
        checks.whole(self.patches, "patches", of="ChebyshevPatches")
        if len(self.degrees) not in (1, 2):
            raise DeclarationError(
                f"degrees={self.degrees} of ChebyshevPatches: give one for each axis, for one or two axes"
            )
        for degree in self.degrees:
            checks.whole(degree, "degrees", 0, of="ChebyshevPatches")

    def draw(self, setting: Setting) -> "PatchesFunction":
        if setting.dimension != len(self.degrees):
            raise DeclarationError(
                f"{self} has {len(self.degrees)} axes, but the domain has {setting.dimension}; give one degree for each"
            )
        return PatchesFunction(self, setting)

    def describe(self) -> str:
        degrees = " × ".join(map(str, self.degrees))
        return f"polynomials of degree {degrees} on {self.patches} patches"


class PatchesFunction(TrialFunction):
    """u = Σ a_jk T_j(x) T_k(t) on each patch; NaN after the last of them.

    amplitudes: (patches, degree_0 + 1, …, outputs), and for complex fields a last axis (real, imaginary).
    boxes: lower and upper corners (2, patches, d), window after window, in each by x without gaps.
    """

    boxes: Tensor

    def __init__(self, spec: ChebyshevPatches, setting: Setting) -> None:
        super().__init__(spec, setting.dimension, setting.outputs, setting.complex)
        self.degrees = spec.degrees
        counts = [degree + 1 for degree in spec.degrees]
        self.amplitudes = torch.nn.Parameter(setting.amplitudes(spec.patches, *counts))
        corners = torch.zeros(
            (2, spec.patches, setting.dimension), dtype=setting.dtype, device=setting.device
        )
        self.register_buffer("boxes", corners)

    def fill(self, boxes: Tensor, amplitudes: Tensor) -> None:
        """Take corners (2, patches, d) and amplitudes of a solve, real ones in pairs if the field is complex."""
        with torch.no_grad():
            self.boxes.copy_(boxes)
            self.amplitudes.copy_(amplitudes.reshape(self.amplitudes.shape))

    def jet(self, points: Tensor, order: int = 2, mixed: Sequence[tuple[int, ...]] = ()) -> Jet:
        points = self.inputs(points)
        layout = Layout(self.dimension, order, tuple(mixed))
        parts = [self._channels(batch, layout) for batch in torch.split(points, AT_ONCE)]
        return Jet(self.field(torch.cat(parts, dim=1)), layout)

    def _channels(self, points: Tensor, layout: Layout) -> Tensor:
        """(channels, n, columns) at a few points."""
        chosen = self._patch_of(points)
        lower, upper = self.boxes[0, chosen], self.boxes[1, chosen]
        scale = 2 / (upper - lower)
        places = scale * (points - lower) - 1
        late = points[:, -1] > upper[:, -1] + EDGE * (upper[:, -1] - lower[:, -1])
        places = torch.where(late[:, None], torch.nan, places)
        tables = [
            chebyshev(places[:, i], scale[:, i], degree, layout.order)
            for i, degree in enumerate(self.degrees)
        ]
        amplitudes = self.amplitudes[chosen].flatten(self.dimension + 1)
        rows = []
        for degrees in layout.degrees:
            value = amplitudes
            for table, degree in zip(tables, degrees, strict=True):
                value = torch.einsum("nk...,nk->n...", value, table[degree])
            rows.append(value)
        return torch.stack(rows)

    def _patch_of(self, points: Tensor) -> Tensor:
        """The number of the patch of each point (n, d): (n,); the nearest for points outside."""
        starts, window = torch.unique_consecutive(self.boxes[0, :, -1].contiguous(), return_inverse=True)
        mine = torch.searchsorted(starts, points[:, -1].contiguous(), right=True) - 1
        mine = mine.clamp(0, len(starts) - 1)
        if self.dimension == 1:
            return mine
        first, last = self.boxes[0, :, 0].min(), self.boxes[1, :, 0].max()
        places = ((points[:, 0] - first) / (last - first)).clamp(0, 1 - 1e-12)
        keys = window + (self.boxes[0, :, 0] - first) / (last - first)
        return (torch.searchsorted(keys, mine + places, right=True) - 1).clamp(0, len(keys) - 1)


def on_patches(
    setting: Setting, rule: Radau, times: Matrix, pieces: Sequence[tuple[Patches, Matrix]]
) -> PatchesFunction:
    """The field of values (stages + 1, nodes, components) on the patches of each window."""
    corners, amplitudes = [], []
    for (space, values), start, stop in zip(pieces, times, times[1:], strict=False):
        count = len(space.lower)
        sides = (space.lower, start), (space.upper, stop)
        corners.append([np.column_stack([corner, np.full(count, moment)]) for corner, moment in sides])
        coefficients = np.einsum("kj,jenc->eknc", rule.coefficients, values[:, space.nodes])
        coefficients = np.einsum("pn,eknc->epkc", space.coefficients, coefficients)
        amplitudes.append(coefficients if space.lower.shape[1] else coefficients[:, 0])
    boxes = np.concatenate(corners, axis=1)
    degrees = (*(len(space.coefficients) - 1,) * space.lower.shape[1], rule.stages)
    trial = ChebyshevPatches(boxes.shape[1], degrees).draw(setting)
    trial.fill(torch.from_numpy(boxes), torch.from_numpy(np.concatenate(amplitudes)))
    return trial


def resting_on(setting: Setting, space: Patches, values: Matrix) -> PatchesFunction:
    """The field of values (nodes, components) on the patches of an interval, without a time."""
    amplitudes = np.einsum("pn,enc->epc", space.coefficients, values[space.nodes])
    trial = ChebyshevPatches(len(space.lower), (len(space.coefficients) - 1,)).draw(setting)
    trial.fill(torch.from_numpy(np.stack([space.lower, space.upper])), torch.from_numpy(amplitudes))
    return trial


def chebyshev(places: Tensor, scale: Tensor, degree: int, order: int) -> list[Tensor]:
    """T_k and as many derivatives as `order` at places (n,) of [−1, 1], by the point (n, degree + 1) each.

    scale: (n,) of a place by a point.
    """
    one, zero = torch.ones_like(places), torch.zeros_like(places)
    rows = [[one, *[zero] * order], [places, one, *[zero] * order][: order + 1]]
    for _ in range(2, degree + 1):
        a, b = rows[-2], rows[-1]
        further = [2 * k * b[k - 1] + 2 * places * b[k] - a[k] for k in range(1, order + 1)]
        rows.append([2 * places * b[0] - a[0], *further])
    rows = rows[: degree + 1]
    return [torch.stack([row[k] for row in rows], dim=1) * scale[:, None] ** k for k in range(order + 1)]
