"""The wave of a Gaussian that is let go in a uniform plane without end, in closed form but for one integral.

u(r, t) = s² ∫ κ J₀(κr) cos(κct) exp(−s²κ²/2) dκ over κ > 0, tabulated on lines of r and t by one product of matrices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
import torch
from scipy.special import j0

from neurapde.core.arrays import Array, to_numpy
from neurapde.core.declaration import Declaration

END = 8.0  # bandwidth that counts, in units of 1/s
PER_WIDTH = 8.0  # lines of the table in a width s: what lies between them is off by 1e-6
PER_TURN = 1.0  # nodes of the quadrature in a radian of the fastest oscillation, and some


@dataclass(frozen=True)
class SpreadingGaussian(Declaration):
    """The field in space–time of exp(−|x − at|²/2s²), at rest at `start`, at points (n, 3), the last column t.

    at: (x, y). variance: s². speed: c of the plane. start: the time at which it is let go.
    """

    at: tuple[float, float]
    variance: float
    speed: float = 1.0
    start: float = 0.0

    def __call__(self, points: Array) -> Array:
        x = to_numpy(points).astype(float)
        if not len(x):
            return points[:, 0]
        radius = np.hypot(x[:, 0] - self.at[0], x[:, 1] - self.at[1])
        way = self.speed * np.abs(x[:, 2] - self.start)
        values = self._table(float(radius.max()), float(way.max()))(radius, way, grid=False)
        if isinstance(points, torch.Tensor):
            return torch.from_numpy(values).to(points)
        return values

    def _table(self, radius: float, way: float) -> scipy.interpolate.RectBivariateSpline:
        width = self.variance**0.5
        lines = [
            np.linspace(0, top, 8 + int(PER_WIDTH * top / width)) for top in (radius or width, way or width)
        ]
        top = END / width
        nodes, weights = np.polynomial.legendre.leggauss(64 + int(PER_TURN * top * (radius + way) / 2))
        kappa, weights = top * (nodes + 1) / 2, top * weights / 2
        weights = self.variance * weights * kappa * np.exp(-self.variance * kappa**2 / 2)
        table = (j0(np.outer(lines[0], kappa)) * weights) @ np.cos(np.outer(kappa, lines[1]))
        return scipy.interpolate.RectBivariateSpline(*lines, table, kx=5, ky=5)
