"""The field beside a point that radiates: what no lattice of sines holds, in closed form.

For w(t) δ(x − x₀) in u_tt = Δu/m + …, a mode of frequency κ follows q'' = −(κ²/m) q + w. Beyond the bandwidth of the waves
q κ² is a smooth function of 1/κ², so the field's modes of high frequency are those of Σ_j C_j(t) Ψ_j(x − x₀), where Ψ_j
has the transform κ^(−2−2j): ln r, r² ln r, … in the plane, |x|, |x|³, … on a line, made to vanish beyond a radius by a
polynomial in r², which has no high frequencies. The sines keep what is left when the Ψ_j are taken away from them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy
from scipy.special import j0

from neurapde.core.arrays import Array, maximum, namespace
from neurapde.core.declaration import Declaration
from neurapde.spectral.quadrature import FloatArray, panels

SMOOTH = 12  # derivatives in r² that are continuous at the radius
TINY = 1e-20  # (r/R)² of a point that counts as the source's own
FACTORS = {1: (-1 / 2, 1 / 12, -1 / 240), 2: (-1 / (4 * math.pi), 1 / (16 * math.pi), -1 / (256 * math.pi))}
"""Of |x|^(2j + 1), and of r^(2j) ln r²."""
ORDERS = 3


@dataclass(frozen=True)
class NearField(Declaration):
    """Ψ_j about a point and its images, for j = 0 … orders − 1.

    at: images of the point in the sides, each `(d,)`. signs: of each. radius: beyond which nothing is left.
    """

    at: Sequence[Sequence[float]]
    signs: Sequence[float]
    radius: float
    orders: int

    @property
    def dimension(self) -> int:
        """Axes of space."""
        return len(self.at[0])

    def table(self, points: Array, wanted: Sequence[Sequence[int]]) -> list[list[Array]]:
        """Derivatives at points (n, d), NumPy or torch: for each of the degrees wanted, (n,) for each j."""
        table: list[list[Any]] = [[0.0] * self.orders for _ in wanted]
        for at, sign in zip(self.at, self.signs, strict=True):
            offsets = [points[:, i] - a for i, a in enumerate(at)]
            t = maximum(sum(x * x for x in offsets) / self.radius**2, TINY)
            for j in range(self.orders):
                profile = [sign * number for number in self._profile(t, j)]
                for row, degrees in enumerate(wanted):
                    table[row][j] = table[row][j] + self._derivative(profile, offsets, degrees)
        return table

    def _derivative(self, profile: list[Array], offsets: list[Array], degrees: Sequence[int]) -> Array:
        """A derivative in space of a function of t = r²/R², from its first three in t."""
        axes = [axis for axis, degree in enumerate(degrees) for _ in range(degree)]
        if not axes:
            return profile[0]
        slopes = [2 * offsets[axis] / self.radius**2 for axis in axes]
        if len(axes) == 1:
            return profile[1] * slopes[0]
        bend = profile[2] * slopes[0] * slopes[1]
        return bend + profile[1] * 2 / self.radius**2 if axes[0] == axes[1] else bend

    def _profile(self, t: Array, order: int) -> list[Array]:
        """Ψ_j and its first two derivatives in t, each (n,)."""
        xp = namespace(t)
        factor = FACTORS[self.dimension][order] * self.radius ** (2 * order + (self.dimension == 1))
        inside = xp.where(t < 1, t, 0.0 * t + 1.0)
        parts = zip(_singular(xp, self.dimension, order, inside), self._polynomials(order), strict=True)
        values = [singular - _horner(taylor, inside - 1.0) for singular, taylor in parts]
        return [factor * xp.where(t < 1, value, 0.0 * t) for value in values]

    def _polynomials(self, order: int) -> list[FloatArray]:
        """Taylor's polynomial at t = 1 of the singular function, and its first two derivatives: coefficients of t − 1."""
        if self.dimension == 1:
            power = order + 0.5
            series = np.cumprod([1.0, *((power - k) / (k + 1) for k in range(SMOOTH))])
        else:
            logarithm = np.array([0.0, *((-1) ** (k + 1) / k for k in range(1, SMOOTH + 1))])
            binomial = [math.comb(order, k) for k in range(order + 1)]
            series = np.convolve(logarithm, binomial)[: SMOOTH + 1]
        first = np.polynomial.polynomial.polyder(series)
        return [series, first, np.polynomial.polynomial.polyder(first)]

    @cached_property
    def _nodes(self) -> tuple[FloatArray, FloatArray]:
        unit, weights = panels(1.0, 200.0)
        return self.radius * unit**3, 3 * self.radius * weights * unit**2

    def transform(self, frequencies: FloatArray) -> FloatArray:
        """∫ Ψ_j e^{−iκx} for κ of any shape: (*shape, orders)."""
        r, weights = self._nodes
        profile = np.stack([self._profile((r / self.radius) ** 2, j)[0] for j in range(self.orders)], axis=1)
        most = float(frequencies.max(initial=0.0))
        knots = np.linspace(0, most or 1.0, 64 + math.ceil(24 * most * self.radius))
        if self.dimension == 1:
            kernel = 2 * np.cos(np.outer(knots, r)) * weights
        else:
            kernel = 2 * math.pi * j0(np.outer(knots, r)) * weights * r
        return np.asarray(scipy.interpolate.CubicSpline(knots, kernel @ profile)(frequencies))


def _singular(xp: Any, dimension: int, order: int, t: Array) -> list[Array]:
    """t^(j + 1/2), or t^j ln t, and its first two derivatives."""
    if dimension == 1:
        p = order + 0.5
        return [t**p, p * t ** (p - 1), p * (p - 1) * t ** (p - 2)]
    j, log = order, xp.log(t)
    first = j * t ** (j - 1) * log + t ** (j - 1)
    second = j * (j - 1) * t ** (j - 2) * log + (2 * j - 1) * t ** (j - 2)
    return [t**j * log, first, second]


def _horner(coefficients: FloatArray, s: Array) -> Array:
    value = 0.0 * s
    for coefficient in coefficients[::-1]:
        value = value * s + float(coefficient)
    return value
