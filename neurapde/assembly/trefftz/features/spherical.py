"""Spherical functions about a centre, features in three axes of Helmholtz', Laplace's and the screened Poisson equation.

ψ_lm = z_l(kr) Y_lm = Z_l(r²) A_lm(x, y, z) with solid harmonics A_lm, homogeneous polynomials of degree l, and
Z_l = z_l(kr)/r^l, whose slope by r² is a multiple of Z_{l+1}. Derivatives of A_lm are multiples of A_{l−1,m'}. So all of
ψ_lm are in closed form, at the centre too. They are functions of x, y, z, and in stretched coordinates x̃(x) they solve the
equation of the layer.
"""

import math
from abc import abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neurapde.assembly.trefftz.features.base import Array, Features
from neurapde.assembly.trefftz.features.cylinder import by_points, stretched
from neurapde.conditions.stretch import Stretch
from neurapde.jets.layout import Layout

Numbers = NDArray[Any]
BEYOND = 30
"""Orders above the argument and the last one wanted, at which the downward recurrence begins."""
FEW = 2**18
"""Numbers of one channel that are found together, so that they stay near the processor."""


class Radial(NamedTuple):
    """Z_l(q) (orders, n), q = r² in units of the radius, of size about 1 at q = 1; and the factors (orders − 1,) of slopes.

    dZ_l/dq = slopes_l Z_{l+1}.
    """

    values: Numbers
    slopes: Numbers


def outgoing(k: complex, q: Numbers, last: int) -> Radial:
    """h_l⁽²⁾(k√q)/√q^l up to an order, for the time factor e^{+iωt}."""
    logs = hankel_logs(k, last)
    r = np.sqrt(q)
    wave = np.exp(-1j * k * r)
    values = np.empty((last + 1, len(q)), dtype=complex)
    values[0] = 1j * wave / (k * r) * math.exp(-logs[0])
    values[1] = wave * (1j - k * r) / (k**2 * r * q) * math.exp(-logs[1])
    for n in range(1, last):
        first, second = np.exp(logs[n] - logs[n + 1]), np.exp(logs[n - 1] - logs[n + 1])
        values[n + 1] = first * (2 * n + 1) / (k * q) * values[n] - second / q * values[n - 1]
    return Radial(values, -k / 2 * np.exp(np.diff(logs)))


def standing(k: complex, q: Numbers, last: int) -> Radial:
    """j_l(k√q)/√q^l, in units of 1/|h_l|."""
    logs = hankel_logs(k, last)
    x = k * np.sqrt(q)
    start = np.where(x == 0, 1.0, np.sin(x) / np.where(x == 0, 1.0, x))
    quotients = _quotients(k**2 * q, last, -1.0)
    bend = np.where(np.abs(x) < 1, 1.0, np.sin(x) / np.where(x == 0, 1.0, x) - np.cos(x))
    values = np.empty((last + 1, len(q)), dtype=x.dtype)
    values[0] = start * math.exp(logs[0])
    # j_1 begins the orders above where j_0 is near a zero
    first = np.where(np.abs(start) < 0.1, k * bend / np.where(x == 0, 1.0, x**2), k * start * quotients[0])
    values[1] = first * math.exp(logs[1])
    for n in range(2, last + 1):
        values[n] = k * quotients[n - 1] * math.exp(logs[n] - logs[n - 1]) * values[n - 1]
    return Radial(values, -k / 2 * np.exp(-np.diff(logs)))


def growing(k: float, q: Array, last: int) -> Radial:
    """i_l(k√q)/√q^l, 1 at q = 1."""
    x = k * np.sqrt(q)
    safe = np.where(x == 0, 1.0, x)
    start = np.where(x == 0, 2.0, -np.expm1(-2 * safe) / safe) / (-math.expm1(-2 * k) / k) * np.exp(x - k)
    quotients = _quotients(k**2 * q, last, 1.0)
    rim = _quotients(np.array([k**2]), last, 1.0)
    values = start * np.cumprod(np.concatenate([np.ones((1, len(q))), quotients / rim]), axis=0)
    return Radial(values, k / 2 * k * rim[:, 0])


def fading(k: float, q: Array, last: int) -> Radial:
    """k_l(k√q)/√q^l, 1 at q = 1."""
    r = np.sqrt(q)
    steps = [1 + 1 / k]  # k_{l+1}/k_l at q = 1
    for n in range(1, last):
        steps.append((2 * n + 1) / k + 1 / steps[-1])
    values = np.empty((last + 1, len(q)))
    values[0] = np.exp(-k * (r - 1)) / r
    values[1] = values[0] * (1 + 1 / (k * r)) / r / steps[0]
    for n in range(1, last):
        values[n + 1] = (values[n - 1] / (steps[n - 1] * q) + (2 * n + 1) / (k * q) * values[n]) / steps[n]
    return Radial(values, -k / 2 * np.array(steps))


def powers(q: Array, last: int, outside: bool) -> Radial:
    """1, or 1/√q^(2l + 1) outside."""
    if not outside:
        return Radial(np.ones((last + 1, len(q))), np.zeros(last))
    first = 1 / np.sqrt(q)
    values = first * np.cumprod(np.concatenate([np.ones((1, len(q))), np.tile(1 / q, (last, 1))]), axis=0)
    return Radial(values, -(np.arange(last) + 0.5))


def _quotients(square: Numbers, last: int, sign: float) -> Numbers:
    """z_l(x)/z_{l−1}(x)/x of the regular functions for l = 1 … last, at x² (n,); sign −1 for j, 1 for i."""
    quotient = np.zeros_like(square)
    values = np.empty((last, len(square)), dtype=square.dtype)
    for n in range(int(max(last, math.sqrt(np.max(np.abs(square), initial=0.0)))) + 1 + BEYOND, 0, -1):
        bottom = 2 * n + 1 + sign * square * quotient
        quotient = 1 / np.where(bottom == 0, 1e-300, bottom)
        if n <= last:
            values[n - 1] = quotient
    return values


def hankel_logs(k: complex, last: int) -> Array:
    """log |h_l⁽²⁾(k)| of the orders 0 … last ≥ 1."""
    first = abs(np.exp(-1j * k) / k)
    logs, quotient = [math.log(first)], 1 / k + 1j
    for n in range(1, last + 1):
        logs.append(logs[-1] + math.log(abs(quotient)))
        quotient = (2 * n + 1) / k - 1 / quotient
    return np.array(logs)


class Lowered(NamedTuple):
    """Derivatives of solid harmonics as multiples of others: ∂ A_j = Σ factors · A_at, of columns j."""

    degrees: NDArray[np.int64]
    orders: NDArray[np.int64]
    up: Array
    down: Array
    along: Array


@lru_cache(maxsize=64)
def lowered(last: int) -> Lowered:
    """Of A_lm in the order l² + l + m: factors of (∂x + i∂y), to m + 1, of (∂x − i∂y), to m − 1, and of ∂z, all to l − 1."""
    degrees = np.repeat(np.arange(last + 1), 2 * np.arange(last + 1) + 1)
    orders = np.concatenate([np.arange(-n, n + 1) for n in range(last + 1)])
    size = np.abs(orders)
    more = np.sqrt((degrees + size) * np.maximum(degrees + size - 1, 0))
    less = -np.sqrt((degrees - size) * np.maximum(degrees - size - 1, 0))
    along = np.sqrt(degrees**2 - size**2)
    return Lowered(degrees, orders, np.where(orders < 0, more, less), np.where(orders > 0, more, less), along)


def solid_harmonics(places: Numbers, last: int) -> Numbers:
    """A_lm = √((l − |m|)!/(l + |m|)!) r^l P_l^|m| e^{imφ} at places (n, 3), real or complex: (n, (last + 1)²)."""
    x, y, z = places.T
    q = (places**2).sum(axis=1)
    table = np.zeros((len(places), (last + 1) ** 2), dtype=complex)
    for sign in (1, -1):
        turn, diagonal = x + sign * 1j * y, np.ones(len(places), dtype=complex)
        for m in range(last + 1):
            if m:
                diagonal = diagonal * turn * math.sqrt((2 * m - 1) / (2 * m))
            before, here = np.zeros_like(diagonal), diagonal
            for n in range(m, last + 1):
                table[:, n**2 + n + sign * m] = here
                following = (2 * n + 1) * z * here - math.sqrt(n**2 - m**2) * q * before
                before, here = here, following / math.sqrt((n + 1) ** 2 - m**2)
    return table


@dataclass(frozen=True)
class _AboutBallCenter(Features):
    """ψ_lm of orders l ≤ `order` about a centre; each is of size 1 at about `radius`."""

    center: tuple[float, ...]
    radius: float
    order: int

    @property
    def count(self) -> int:
        return (self.order + 1) ** 2

    def channels(self, points: Array, layout: Layout) -> Numbers:
        step = max(1, FEW // self.count)
        parts = [self._part(points[i : i + step], layout) for i in range(0, max(len(points), 1), step)]
        return np.concatenate(parts, axis=1)

    @abstractmethod
    def _part(self, points: Array, layout: Layout) -> Numbers:
        """The channels at few points."""

    @abstractmethod
    def _radial(self, q: Numbers, last: int) -> Radial:
        """Z_l up to an order ≥ 1 at q (n,)."""

    def _moved(self, shift: Numbers, factors: Numbers, slopes: Numbers, layout: Layout) -> Numbers:
        """Complex channels at displacements from the centre, with the stretch's factors and slopes, (n, 3) each."""
        places, unit = shift / self.radius, 1 / self.radius
        q = (places**2).sum(axis=1)
        by_degree = self._radial(q, self.order + max(layout.order, 1))
        harmonics, table = lowered(self.order), solid_harmonics(places, self.order)
        degrees = harmonics.degrees

        def radial(more: int) -> Numbers:
            """The derivative of Z_l by q, so often."""
            factor = np.prod([by_degree.slopes[degrees + i] for i in range(more)], axis=0)
            return by_degree.values[degrees + more].T * factor

        def differentiated(columns: Numbers, axis: int) -> Numbers:
            """∂_axis of the harmonics whose values, or derivatives already taken, these are."""
            if axis == 2:
                return harmonics.along * _taken(columns, harmonics, 0)
            up = harmonics.up * _taken(columns, harmonics, 1)
            down = harmonics.down * _taken(columns, harmonics, -1)
            return (up + down) / 2 if axis == 0 else (up - down) / 2j

        values = radial(0)
        if not layout.order:
            return (values * table)[None]
        steep = radial(1)
        firsts = [differentiated(table, axis) for axis in range(3)]

        def first(i: int) -> Numbers:
            return unit * (2 * places[:, i, None] * steep * table + values * firsts[i])

        def second(i: int, j: int) -> Numbers:
            x, y = places[:, i, None], places[:, j, None]
            total = 4 * x * y * radial(2) * table + 2 * steep * (x * firsts[j] + y * firsts[i])
            total += values * differentiated(firsts[i], j)
            return unit**2 * (total + 2 * steep * table if i == j else total)

        return by_points(layout, values * table, first, second, factors, slopes)


def _taken(columns: Numbers, harmonics: Lowered, by: int) -> Numbers:
    """Of every column l, m that of l − 1, m + by; any other where there is none, and the factor is zero."""
    degrees, orders = harmonics.degrees - 1, harmonics.orders + by
    at = np.where(np.abs(orders) <= degrees, degrees**2 + degrees + orders, 0)
    return np.asarray(columns[:, at])


@dataclass(frozen=True)
class SphericalWaves(_AboutBallCenter):
    """j_l(kr) Y_lm, or h_l⁽²⁾(kr) Y_lm if `outside`: the waves within a sphere, and those that leave it."""

    wavenumber: complex
    outside: bool
    stretch: Stretch | None = None

    def _part(self, points: Array, layout: Layout) -> Numbers:
        return self._moved(*stretched(points, np.array(self.center), self.stretch), layout)

    def _radial(self, q: Numbers, last: int) -> Radial:
        return (outgoing if self.outside else standing)(self.wavenumber * self.radius, q, last)


@dataclass(frozen=True)
class SphericalPotentials(_AboutBallCenter):
    """Real ones of Δψ = κ²ψ, or of Δψ = −κ²ψ if they are not modified: regular, or singular at the centre if `outside`.

    r^l and r^{−l−1} where κ = 0, else i_l and k_l, or j_l and y_l.
    """

    wavenumber: float
    modified: bool
    outside: bool

    def _part(self, points: Array, layout: Layout) -> Numbers:
        unstretched = np.ones_like(points), np.zeros_like(points)
        channels = self._moved(points - np.array(self.center), *unstretched, layout)
        orders = lowered(self.order).orders
        return np.concatenate([channels.real[..., orders >= 0], channels.imag[..., orders > 0]], axis=2)

    def _radial(self, q: Numbers, last: int) -> Radial:
        k = self.wavenumber * self.radius
        if k == 0:
            return powers(q, last, self.outside)
        if self.modified:
            return (fading if self.outside else growing)(k, q, last)
        if not self.outside:
            return standing(k, q, last)
        values, slopes = outgoing(k, q, last)
        return Radial(values.imag, slopes)
