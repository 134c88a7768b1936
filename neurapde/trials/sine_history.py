"""Products of sines with coefficients that depend on time: a SIREN of one hidden layer whose head is a function of t.

The coefficients, their rates and their accelerations are stored at equally spaced moments, with quintics between them.
So the field is twice continuously differentiable in time, and its jets are the exact derivatives of its values.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.domains.box import Box
from neurapde.jets.jet import Jet, Layout
from neurapde.spectral.modes import AxisModes
from neurapde.spectral.near_field import NearField
from neurapde.trials.base import Bounds, Setting, Trial, TrialFunction, check_ends, check_modes, corners
from neurapde.trials.sines import axis_modes, table

FEW = 8  # distinct times up to which the head is formed for each, instead of at the knots around the points
SHARED = (
    2  # knots of lines that are summed at once, for each point: what grids have and scattered points have not
)
ROWS = 8192  # points handled at a time there
KNOT = 3  # numbers kept at a knot: value, rate, acceleration


@dataclass(frozen=True)
class SineHistory(Trial):
    """Products of sines on the lattice of a box, with coefficients that are functions of time.

    modes:   number of modes along each axis in space.
    moments: knots in time, from the first to the last instant of the domain.
    box:     (lower, upper) of each axis of the lattice, if it is larger than the domain; None for that of the domain.
    free:    for each axis, whether the slope (instead of the value) vanishes at its (lower, upper) end.
    near:    fields near radiating points, each with amplitudes that are functions of time too.
    """

    modes: tuple[int, ...]
    moments: int
    box: tuple[tuple[float, float], ...] | None = None
    free: tuple[tuple[bool, bool], ...] | None = None
    near: tuple[NearField, ...] = ()

    default_dtype: ClassVar[torch.dtype] = torch.float64

    def __post_init__(self) -> None:
        if len(check_modes(self.modes)) > 3:
            raise DeclarationError(f"modes={self.modes}: give the modes of one to three axes in space.")
        checks.whole(self.moments, "moments", 2)
        check_ends(self.free, len(self.modes))
        if not isinstance(self.near, tuple) or not all(isinstance(field, NearField) for field in self.near):
            raise DeclarationError(f"near={checks.shown(self.near)}: give a tuple of NearField, or ().")
        if self.box is not None and (
            not isinstance(self.box, list | tuple) or len(self.box) != len(self.modes)
        ):
            raise DeclarationError(
                f"box={checks.shown(self.box)}: give (lower, upper) for each axis, or None."
            )
        if self.box is not None:
            Box(*self.box)

    def axes(self, bounds: Bounds) -> tuple[AxisModes, ...]:
        """The modes of each axis in space, for a space–time domain with these corners (d + 1,), (d + 1,)."""
        lower, upper = corners(bounds)
        if len(lower) != len(self.modes) + 1:
            raise DeclarationError(
                f"{self} has {len(self.modes)} axes in space, but the domain has {len(lower)} with time; give one "
                "number of modes for each axis but the last"
            )
        sides = self.box or tuple(zip(lower[:-1].tolist(), upper[:-1].tolist(), strict=True))
        return axis_modes(sides, self.modes, self.free)

    def draw(self, setting: Setting) -> "HistoryFunction":
        if setting.complex:
            raise DeclarationError("SineHistory is a real field; train another trial for a complex one")
        lower, upper = corners(setting.bounds)
        beside = setting.amplitudes(self.moments, KNOT, sum(field.orders for field in self.near))
        amplitudes = setting.amplitudes(self.moments, KNOT, *self.modes)
        return HistoryFunction(self, self.axes((lower, upper)), (lower[-1], upper[-1]), amplitudes, beside)

    def describe(self) -> str:
        count = " × ".join(map(str, self.modes))
        return f"{count} products of sines, their coefficients quintics between {self.moments} moments"


class HistoryFunction(TrialFunction):
    """u(x, t) = Σ a_ij…(t) φ_i(x) φ_j(y) … + Σ c_k(t) Ψ_k(x, …), a_ij… and c_k quintic between knots.

    amplitudes: the parameters, (moments, 3, count_0, …, outputs): a, a' and a'' at each knot.
    beside:     those of the near fields, (moments, 3, parts, outputs); no parameter if there are none.
    """

    def __init__(
        self,
        spec: SineHistory,
        axes: Sequence[AxisModes],
        span: tuple[float, float],
        amplitudes: Tensor,
        beside: Tensor,
    ) -> None:
        super().__init__(spec, len(axes) + 1, amplitudes.shape[-1], False)
        self.near = spec.near
        self.axes = tuple(axes)
        self.start, self.stop = span
        self.amplitudes = torch.nn.Parameter(amplitudes)
        self.beside = torch.nn.Parameter(beside) if self.near else None

    @property
    def _rows(self) -> int:
        """Number of points at a time: with three axes each takes a plane of amplitudes."""
        return ROWS if len(self.axes) < 3 else max(1, ROWS * FEW // self.axes[2].count)

    @property
    def step(self) -> float:
        """Time between two knots."""
        return (self.stop - self.start) / (len(self.amplitudes) - 1)

    def jet(self, points: Tensor, order: int = 2, mixed: Sequence[tuple[int, ...]] = ()) -> Jet:
        layout = Layout(self.dimension, order, tuple(mixed))
        points = self.inputs(points)
        cells = ((points[:, -1] - self.start) / self.step).floor().clamp(0, len(self.amplitudes) - 2).long()
        channels = self._sines(points, cells, layout.degrees)
        if self.beside is not None:
            channels = channels + self._near(points, cells, layout.degrees, self.beside)
        return Jet(channels.squeeze(-1) if self.outputs == 1 else channels, layout)

    def _near(
        self, points: Tensor, cells: Tensor, wanted: Sequence[tuple[int, ...]], beside: Tensor
    ) -> Tensor:
        """Derivatives of the given degrees of the fields near radiating points: (len(wanted), n, outputs)."""
        knots = torch.cat([beside[:-1], beside[1:]], dim=1)[cells]  # (n, 6, parts, outputs)
        heads = [
            torch.einsum("nk,nkpo->npo", self._quintics(points[:, -1], cells, degree), knots)
            for degree in range(3)
        ]
        spatial = list(dict.fromkeys(degrees[:-1] for degrees in wanted))
        tables = zip(*(field.table(points[:, :-1], spatial) for field in self.near), strict=True)
        parts = {
            degrees: torch.stack([tensor for table in of_all for tensor in table], dim=1)
            for degrees, of_all in zip(spatial, tables, strict=True)
        }
        return torch.stack(
            [torch.einsum("np,npo->no", parts[degrees[:-1]], heads[degrees[-1]]) for degrees in wanted]
        )

    def _sines(self, points: Tensor, cells: Tensor, wanted: Sequence[tuple[int, ...]]) -> Tensor:
        """Derivatives of the given degrees of the sum of sines: (len(wanted), n, outputs)."""
        followed = torch.is_grad_enabled() and points.requires_grad  # by torch, point by point
        if not followed:
            lines, which = torch.unique(points[:, 0], return_inverse=True)
            if len(lines) * self.amplitudes.shape[0] * KNOT <= SHARED * len(points):
                return self._on_lines(points, cells, lines, which, wanted)
        moments = torch.unique(points[:, -1].detach())
        alone = len(moments) <= FEW and not followed
        groups = torch.searchsorted(moments, points[:, -1].contiguous()) if alone else cells
        order_of = torch.argsort(groups, stable=True)
        parts = []
        for group in torch.split(order_of, torch.unique(groups, return_counts=True)[1].tolist()):
            for rows in torch.split(group, self._rows) if len(self.axes) > 2 else (group,):
                parts.append(self._in_cell(points[rows], int(cells[rows[0]]), wanted, alone, followed))
        back = torch.empty_like(order_of)
        back[order_of] = torch.arange(len(order_of), device=back.device)
        return torch.cat(parts, dim=1)[:, back] if parts else points.new_zeros(len(wanted), 0, self.outputs)

    def _on_lines(
        self, points: Tensor, cells: Tensor, lines: Tensor, which: Tensor, wanted: Sequence[tuple[int, ...]]
    ) -> Tensor:
        """Derivatives of the given degrees at many points of few lines, at any times: (len(wanted), n, outputs)."""
        first, knots = table(self.axes[0], lines), self.amplitudes.flatten(0, 1)
        heads = {d: torch.tensordot(first[d], knots, dims=([1], [1])) for d in {w[0] for w in wanted}}
        parts = []
        for rows in torch.split(torch.arange(len(points), device=points.device), self._rows):
            block, cell = points[rows], cells[rows]
            near = which[rows][:, None], KNOT * cell[:, None] + torch.arange(2 * KNOT, device=cell.device)
            others = [table(basis, block[:, axis]) for axis, basis in enumerate(self.axes[1:], start=1)]
            weights = [self._quintics(block[:, -1], cell, degree) for degree in range(3)]
            derivatives = []
            for degrees in wanted:
                values = heads[degrees[0]][near]  # (n, 6, rest…, outputs)
                for other, degree in zip(others, degrees[1:-1], strict=True):
                    values = torch.einsum("nb,nkb...->nk...", other[degree], values)
                derivatives.append(torch.einsum("nk,nko->no", weights[degrees[-1]], values))
            parts.append(torch.stack(derivatives))
        return torch.cat(parts, dim=1)

    def _in_cell(
        self, points: Tensor, cell: int, wanted: Sequence[tuple[int, ...]], alone: bool, followed: bool
    ) -> Tensor:
        """Derivatives of the given degrees at points between two knots: (len(wanted), n, outputs).

        alone: whether all have one time. followed: whether torch must differentiate by the points.
        """
        t = points[:, -1]
        tables = [table(self.axes[axis], points[:, axis]) for axis in range(self.dimension - 1)]
        which = torch.arange(len(points), device=t.device)
        first = tables[0]
        if not followed:  # points of a grid share their lines
            lines, which = torch.unique(points[:, 0], return_inverse=True)
            first = table(self.axes[0], lines)
        weights = [self._quintics(t[:1] if alone else t, cell, degree) for degree in range(3)]
        knots = self.amplitudes[cell : cell + 2].flatten(0, 1)  # (6, count_0, …, outputs)
        derivatives, heads = [], {}
        for degrees in wanted:
            head = knots if not alone else torch.einsum("k,k...->...", weights[degrees[-1]][0], knots)[None]
            key = (degrees[0], degrees[-1] if alone else 0)
            if key not in heads:  # (lines, 1 or 6, rest…, outputs)
                heads[key] = torch.einsum("la,ka...->lk...", first[degrees[0]], head)
            rows = heads[key][which]
            for other, degree in zip(tables[1:], degrees[1:-1], strict=True):
                rows = torch.einsum("nb,nkb...->nk...", other[degree], rows)
            derivatives.append(
                rows[:, 0] if alone else torch.einsum("nk,nko->no", weights[degrees[-1]], rows)
            )
        return torch.stack(derivatives)

    def _quintics(self, t: Tensor, cell: int | Tensor, degree: int) -> Tensor:
        """Hermite's quintics of a cell, or a derivative: weights (n, 6) of a, a', a'' at its two knots."""
        h = self.step
        s = (t - self.start) / h - cell
        powers = torch.stack([_power(s, k, degree) for k in range(6)], dim=1)
        table = torch.tensor(_QUINTICS, dtype=t.dtype, device=t.device)
        scale = torch.tensor([1.0, h, h * h] * 2, dtype=t.dtype, device=t.device)
        return powers @ table * scale / h**degree


def _power(s: Tensor, k: int, degree: int) -> Tensor:
    """The derivative of s^k."""
    factor = float(np.prod([k - i for i in range(degree)])) if degree else 1.0
    return factor * s ** max(k - degree, 0) if k >= degree else torch.zeros_like(s)


def _hermite() -> list[list[float]]:
    """Columns: coefficients of 1, s, … s⁵ of the quintic with one of f, f', f'' at 0 and 1 being 1, the others 0."""
    rows = np.zeros((6, 6))
    for end in range(2):
        for degree in range(3):
            for k in range(degree, 6):
                factor = float(np.prod([k - i for i in range(degree)])) if degree else 1.0
                rows[3 * end + degree, k] = factor if end or k == degree else 0.0
    return np.round(np.linalg.inv(rows), 12).tolist()


_QUINTICS = _hermite()
