"""Sums of waves in a periodic box whose amplitudes are polynomials in time, window after window."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.jets.jet import Jet, Layout
from neurapde.methods.marching.patches import EDGE, chebyshev
from neurapde.trials.base import Setting, Trial, TrialFunction

NUMBERS = 1_000_000
"""Numbers evaluated together: points times waves along an axis and coefficients in time."""
SHARED = 4
"""Points at a moment above which time is evaluated before space."""


@dataclass(frozen=True)
class WaveWindows(Trial):
    """Waves in a periodic box, with amplitudes that are polynomials of time in each window.

    waves: of each window, how many along each axis of the box, on both sides of the constant one; half of those along
        the last axis are stored. degree: of the polynomials.
    """

    waves: tuple[tuple[int, ...], ...]
    degree: int

    default_dtype: ClassVar[torch.dtype] = torch.float64

    def __post_init__(self) -> None:
        checks.whole(self.degree, "degree", 0, of="WaveWindows")
        if not self.waves or len({len(counts) for counts in self.waves}) != 1:
            raise DeclarationError(
                f"waves={self.waves} of WaveWindows: give the same number of counts for each window"
            )

    def draw(self, setting: Setting) -> "WaveWindowsFunction":
        if setting.dimension != len(self.waves[0]) + 1:
            raise DeclarationError(
                f"{self.describe()} have {len(self.waves[0])} axes and time, but the domain has {setting.dimension} axes"
            )
        return WaveWindowsFunction(self, setting)

    def describe(self) -> str:
        most = " × ".join(str(max(counts)) for counts in zip(*self.waves, strict=True))
        return f"up to {most} waves in {len(self.waves)} windows of time"

    def shape(self, window: int) -> tuple[int, ...]:
        """Of the amplitudes in a window: waves along each axis."""
        *others, last = self.waves[window]
        return (*(2 * count + 1 for count in others), last + 1)


class WaveWindowsFunction(TrialFunction):
    """u = Re Σ a_jk T_j(t) exp(iκ_k·x) in each window; NaN after the last of them.

    amplitudes: of all windows one after the other, each (degree + 1, *waves, columns, 2), real and imaginary parts, in one
    row. times: starts and the end of the windows (windows + 1,).
    """

    times: Tensor
    lower: Tensor
    lengths: Tensor

    def __init__(self, spec: WaveWindows, setting: Setting) -> None:
        super().__init__(spec, setting.dimension, setting.outputs, setting.complex)
        self.windows = spec
        self.columns = setting.rows
        sizes = [
            (spec.degree + 1) * int(torch.Size(spec.shape(window)).numel()) * self.columns * 2
            for window in range(len(spec.waves))
        ]
        self.offsets = [sum(sizes[:window]) for window in range(len(sizes) + 1)]
        here = torch.empty(0, dtype=setting.dtype, device=setting.device)
        self.amplitudes = torch.nn.Parameter(here.new_zeros(self.offsets[-1]))
        self.register_buffer("times", here.new_zeros(len(sizes) + 1))
        lower, upper = (torch.as_tensor(corner).to(here)[:-1] for corner in setting.bounds)
        self.register_buffer("lower", lower)
        self.register_buffer("lengths", upper - lower)

    def fill(self, times: Tensor, amplitudes: Sequence[Tensor]) -> None:
        """Take times and complex amplitudes (degree + 1, *waves, columns) of each window."""
        with torch.no_grad():
            self.times.copy_(times)
            self.amplitudes.copy_(
                torch.cat(
                    [torch.view_as_real(window_amplitudes).reshape(-1) for window_amplitudes in amplitudes]
                )
            )

    def jet(self, points: Tensor, order: int = 2, mixed: Sequence[tuple[int, ...]] = ()) -> Jet:
        points = self.inputs(points)
        layout = Layout(self.dimension, order, tuple(mixed))
        moments = points[:, -1].contiguous()
        mine = (torch.searchsorted(self.times, moments, right=True) - 1).clamp(0, len(self.windows.waves) - 1)
        order_of = torch.argsort(mine, stable=True)
        parts = [points.new_zeros((layout.count, 0, self.columns))]
        windows, counts = torch.unique_consecutive(mine[order_of], return_counts=True)
        for window, rows in zip(windows.tolist(), torch.split(order_of, counts.tolist()), strict=True):
            size = (self.windows.degree + 1) * max(self.windows.shape(window))
            for some in torch.split(rows, max(1, NUMBERS // size)):
                parts.append(self._channels(points[some], window, layout))
        channels = torch.cat(parts, dim=1)[:, torch.argsort(order_of)]
        return Jet(self.field(channels), layout)

    def _channels(self, points: Tensor, window: int, layout: Layout) -> Tensor:
        """(channels, n, columns) at points of one window; if many share a moment, time is evaluated first."""
        start, stop = self.times[window], self.times[window + 1]
        amplitudes = self.amplitudes[self.offsets[window] : self.offsets[window + 1]]
        shape = (self.windows.degree + 1, *self.windows.shape(window), self.columns, 2)
        amplitudes = torch.view_as_complex(amplitudes.reshape(shape))
        scale = 2 / (stop - start)
        places = scale * (points[:, -1] - start) - 1
        places = torch.where(points[:, -1] > stop + EDGE * (stop - start), torch.nan, places)
        moments, which = torch.unique(places, return_inverse=True)
        tables = chebyshev(moments, scale.expand(len(moments)), self.windows.degree, layout.order)
        phases = self._phases(points, self.windows.shape(window), layout.order)
        if len(moments) * SHARED > len(places):
            return _sums(amplitudes, [table[which] for table in tables], phases, layout)
        channels = points.new_zeros((layout.count, len(points), self.columns))
        for moment in range(len(moments)):
            rows = torch.nonzero(which == moment)[:, 0]
            here = torch.stack(
                [torch.tensordot(table[moment].to(amplitudes.dtype), amplitudes, 1) for table in tables]
            )
            unit = torch.eye(len(tables), dtype=points.dtype, device=points.device)
            ones = [unit[late].expand(len(rows), -1) for late in range(len(tables))]
            some = [[power[rows] for power in powers] for powers in phases]
            channels = channels.index_copy(1, rows, _sums(here, ones, some, layout))
        return channels

    def _phases(self, points: Tensor, shape: tuple[int, ...], order: int) -> list[list[Tensor]]:
        """exp(iκx) and its derivatives along each axis of the box, (n, waves) each."""
        phases = []
        for axis, count in enumerate(shape):
            last = axis == len(shape) - 1
            numbers = torch.arange(count, device=points.device)
            numbers = (numbers if last else numbers - count // 2).to(points.dtype)
            rate = 2 * torch.pi / self.lengths[axis] * numbers
            angle = (points[:, axis, None] - self.lower[axis]) * rate
            wave = torch.polar(torch.ones_like(angle), angle)
            phases.append([wave * (1j * rate) ** degree for degree in range(order + 1)])
        return phases


def _sums(amplitudes: Tensor, tables: list[Tensor], phases: list[list[Tensor]], layout: Layout) -> Tensor:
    """Σ a_jk T_j exp(iκ_k·x), its real part: (channels, n, columns). amplitudes a: (degree + 1, *waves, columns)."""
    lasts: dict[int, Tensor] = {}
    rows = []
    for degrees in layout.degrees:
        *others, last, late = degrees
        if last not in lasts:
            lasts[last] = torch.tensordot(phases[-1][last], amplitudes, dims=([1], [amplitudes.ndim - 2]))
        value = lasts[last]
        for powers, degree in zip(reversed(phases[:-1]), reversed(others), strict=True):
            value = torch.einsum("n...kc,nk->n...c", value, powers[degree])
        rows.append(torch.einsum("njc,nj->nc", value, tables[late].to(value.dtype)).real)
    return torch.stack(rows)
