"""The waves of poles, and their sums at many points.

Many points are summed cell by cell: about the middle of a cell the waves of all distant poles are one series of
regular waves, J_n(kr) e^{inθ} Σ_p a_p H_n⁽²⁾(kρ_p) e^{−inφ_p} (Graf's addition theorem); only near poles remain.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from neurapde.assembly.trefftz.features.base import BATCH, Array, Features
from neurapde.assembly.trefftz.features.cylinder import Outgoing, Regular, by_points, stretched
from neurapde.backgrounds.outgoing import hankel_pair
from neurapde.conditions.stretch import Stretch
from neurapde.jets.layout import Layout

CELL, POINT = 3000.0, 20.0
"""What a cell, and a point in one, cost in units of the wave of one pole at one point."""
EACH, WAVES = 250, 2.0
"""Points of a cell, about, and the widest cell in radians of the wave."""
FAR, ORDER = 3.0, 25
"""A pole is far from a cell of which it is so many radii away; the series' last order, 3^(-25) = 1e-12."""
VALUE = Layout(2, 0)


@dataclass(frozen=True)
class Poles(Features):
    """(i/4) H₀⁽²⁾(k|x − p|) of poles p outside the region, `at` (m, 2)."""

    wavenumber: complex
    at: tuple[tuple[float, float], ...]
    stretch: Stretch | None = None

    @property
    def count(self) -> int:
        return len(self.at)

    def summed(self, points: Array, layout: Layout, amplitudes: NDArray[Any]) -> NDArray[Any]:
        cells = _Cells(self)
        if not cells.pay(points):
            return super().summed(points, layout, amplitudes)
        return cells.summed(points, layout, amplitudes)

    def channels(self, points: Array, layout: Layout) -> NDArray[Any]:
        k, at = self.wavenumber, np.array(self.at)
        if self.stretch is None or (self.stretch.physical(points).all() and self.stretch.physical(at).all()):
            shift = points[:, None] - at
            factors, slopes = np.ones_like(points), np.zeros_like(points)
        else:
            moved, factors, slopes = stretched(points, np.zeros(2), self.stretch)
            shift = (moved + self.stretch.coordinates(np.zeros((1, 2))))[:, None] - self.stretch.coordinates(
                at
            )
        x, y = shift[..., 0], shift[..., 1]
        r = np.sqrt(x**2 + y**2)
        z = k * r
        if not layout.order and not np.iscomplexobj(z):
            return (0.25 * special.y0(z) + 0.25j * special.j0(z))[None]
        h0, h1 = hankel_pair(z)
        value = 0.25j * h0
        if not layout.order:
            return value[None]
        slope = -0.25j * k * h1 / r  # of the value by r, over r

        def first(i: int) -> NDArray[Any]:
            return slope * shift[..., i]

        def second(i: int, j: int) -> NDArray[Any]:
            mixed = -(k**2 * value + 2 * slope) * shift[..., i] * shift[..., j] / r**2
            return mixed + slope if i == j else mixed

        return by_points(layout, value, first, second, factors, slopes)


@dataclass(frozen=True)
class _Cells:
    """Sums of the waves of poles by cells of the points."""

    poles: Poles

    @cached_property
    def places(self) -> NDArray[Any]:
        """Of the poles, in stretched coordinates, (m, 2)."""
        return self._stretched(np.array(self.poles.at))[0]

    def _stretched(self, points: Array) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Stretched coordinates of points, with factors and slopes, (n, 2) each."""
        stretch = self.poles.stretch
        if stretch is None:
            return points, np.ones_like(points), np.zeros_like(points)
        moved, factors, slopes = stretched(points, np.zeros(2), stretch)
        return (
            moved + (stretch.coordinates(np.zeros((1, 2))) if np.iscomplexobj(moved) else 0.0),
            factors,
            slopes,
        )

    def width(self, points: Array) -> tuple[float, float]:
        """The width of cells for points, and their largest number."""
        area = float(np.prod(np.maximum(np.ptp(points, axis=0), 1e-9)))
        width = min(math.sqrt(area * EACH / len(points)), WAVES / abs(self.poles.wavenumber))
        return width, min(area / width**2 + 1, len(points))

    def pay(self, points: Array) -> bool:
        """Whether cells are cheaper than the sum over all poles at every point."""
        if len(points) < EACH:
            return False
        return CELL * self.width(points)[1] + POINT * len(points) < len(points) * self.poles.count

    def summed(self, points: Array, layout: Layout, amplitudes: NDArray[Any]) -> NDArray[Any]:
        """See `Features.summed`."""
        lower, (width, _) = points.min(axis=0), self.width(points)
        index = np.floor((points - lower) / width).astype(np.int64)
        number = index[:, 0] * (index[:, 1].max() + 1) + index[:, 1]
        order = np.argsort(number, kind="stable")
        starts = np.flatnonzero(np.diff(number[order], prepend=-1))
        sums = np.empty((layout.count, len(points), amplitudes.shape[1]), dtype=complex)
        local = Regular(self.poles.wavenumber, (0.0, 0.0), width / 2, ORDER)
        most = max(1, BATCH // (4 * local.count))
        for group in _groups(starts, len(points), most):
            rows = order[group[0] : group[-1]]
            moved, factors, slopes = self._stretched(points[rows])
            ends = np.asarray(group) - group[0]
            middles = lower + (index[rows[ends[:-1]]] + 0.5) * width
            centers = self._stretched(middles)[0]
            shift = moved - np.repeat(centers, np.diff(ends), axis=0)
            table = local.moved(shift, factors, slopes, layout)
            for cell, center in enumerate(centers):
                mine = slice(ends[cell], ends[cell + 1])
                far, series = self._series(center, shift[mine], local, amplitudes)
                field = table[:, mine] @ series
                if not far.all():
                    near = Poles(
                        self.poles.wavenumber,
                        tuple(pole for pole, away in zip(self.poles.at, far, strict=True) if not away),
                        self.poles.stretch,
                    )
                    field = field + near.channels(points[rows[mine]], layout) @ amplitudes[~far]
                sums[:, rows[mine]] = field
        return sums

    def _series(
        self, center: NDArray[Any], shift: NDArray[Any], local: Regular, amplitudes: NDArray[Any]
    ) -> tuple[NDArray[np.bool_], NDArray[Any]]:
        """The poles far from a cell, and the coefficients (orders, fields) of their waves about its centre."""
        away = self.places - center
        reach = max(float(np.abs(shift @ null).max()) for null in NULL)
        far = np.minimum(*(np.abs(away @ null) for null in NULL)) > FAR * max(reach, local.radius / 2)
        if not far.any():
            return far, np.zeros((local.count, amplitudes.shape[1]))
        unit = np.ones((int(far.sum()), 2))
        waves = Outgoing(local.wavenumber, local.center, local.radius, local.order)
        table = waves.moved(away[far], unit, 0 * unit, VALUE)[0]
        signs = (-1.0) ** np.arange(-local.order, local.order + 1)
        return far, 0.25j * signs[:, None] * (table[:, ::-1].T @ amplitudes[far])


NULL = (np.array([1.0, 1.0j]), np.array([1.0, -1.0j]))
"""The directions in which a complex displacement, however long, may have the distance 0."""


def _groups(starts: NDArray[Any], total: int, most: int) -> list[list[int]]:
    """Cells, by their starts, in groups of a number of points; each group with its end."""
    groups, group = [], [int(starts[0])]
    for start in (*starts[1:].tolist(), total):
        group.append(start)
        if start - group[0] >= most or start == total:
            groups.append(group)
            group = [start]
    return groups
