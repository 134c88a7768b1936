"""Cylinder functions about a centre, features of Helmholtz' equation in the plane; `poles` has those at poles.

C_n(kr) e^{inθ} with C = J is regular, with C = H⁽²⁾ outgoing for the time factor e^{+iωt}. With ψ_n one of them,
(∂x + i∂y) ψ_n = −k ψ_{n+1} and (∂x − i∂y) ψ_n = k ψ_{n−1}, so orders up to two higher give all derivatives. In stretched
coordinates x̃(x) they solve the equation of the layer.
"""

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from neurapde.assembly.trefftz.features.base import Array, Features
from neurapde.backgrounds.outgoing import hankel_pair
from neurapde.conditions.stretch import Stretch
from neurapde.jets.layout import Layout

BEYOND = 30
"""Orders above the argument and the last one wanted, at which the downward recurrence of J begins."""


def stretched(
    points: Array, at: Array, stretch: Stretch | None
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Displacements x̃ − x̃(at), the factors e_i and their slopes e_i′, (n, 2) each."""
    if stretch is None or stretch.physical(points).all():
        return points - at, np.ones_like(points), np.zeros_like(points)
    slopes = np.stack([axis.derivative(points[:, i]) for i, axis in enumerate(stretch.axes)], axis=1)
    moved = stretch.coordinates(points) - stretch.coordinates(np.atleast_2d(at))
    return moved, np.stack(stretch.factors(points), axis=1), slopes


def by_points(
    layout: Layout, value: NDArray[Any], first: Any, second: Any, factors: NDArray[Any], slopes: NDArray[Any]
) -> NDArray[Any]:
    """Derivatives by the points, of derivatives by stretched coordinates: `first(i)` and `second(i, j)`, each (n, m)."""
    rows = [value, *(factors[:, i, None] * first(i) for i in range(layout.firsts))]
    for i, j in layout.pairs:
        row = (factors[:, i] * factors[:, j])[:, None] * second(i, j)
        rows.append(row + slopes[:, i, None] * first(i) if i == j else row)
    return np.stack(rows)


@dataclass(frozen=True)
class _AboutCenter(Features):
    """ψ_n of orders −order … order about a centre; each is of size 1 at about `radius`."""

    wavenumber: complex
    center: tuple[float, ...]
    radius: float
    order: int
    stretch: Stretch | None = None

    @property
    def count(self) -> int:
        return 2 * self.order + 1

    def channels(self, points: Array, layout: Layout) -> NDArray[Any]:
        return self.moved(*stretched(points, np.array(self.center), self.stretch), layout)

    def moved(
        self, shift: NDArray[Any], factors: NDArray[Any], slopes: NDArray[Any], layout: Layout
    ) -> NDArray[Any]:
        """The channels at stretched displacements from the centre, with the stretch's factors and slopes, (n, 2) each."""
        last = self.order + layout.order
        logs = hankel_logs(self.wavenumber * self.radius, last)
        r = np.sqrt(shift[:, 0] ** 2 + shift[:, 1] ** 2)
        upper = self._radial(self.wavenumber * r, logs)  # (last + 1, n)
        safe = np.where(r == 0, 1.0, r)
        turn = np.where(r == 0, 1.0, (shift[:, 0] + 1j * shift[:, 1]) / safe)
        back = np.where(r == 0, 1.0, (shift[:, 0] - 1j * shift[:, 1]) / safe)
        scaled = np.empty((2 * last + 1, len(shift)), dtype=complex)
        scaled[last] = upper[0]
        for half, sign, way in ((1, 1.0, turn), (-1, -1.0, back)):
            power, factor = np.ones(len(shift), dtype=complex), 1.0
            for n in range(1, last + 1):
                power, factor = power * way, factor * sign
                scaled[last + half * n] = upper[n] * power * factor
        orders = np.abs(np.arange(-self.order, self.order + 1))
        return self._derived(scaled.T, layout, orders, logs * self._grows, factors, slopes)

    def _derived(
        self, scaled: NDArray[Any], layout: Layout, orders: Any, logs: Array, factors: Any, slopes: Any
    ) -> NDArray[Any]:
        """The channels, of (n, 2 last + 1) values in units of exp(logs) of their orders."""
        if not layout.order:
            return scaled[None]
        k, edge = self.wavenumber, layout.order
        signed = np.arange(-self.order, self.order + 1)

        def shifted(by: int) -> NDArray[Any]:
            ratio = np.exp(logs[np.abs(signed + by)] - logs[orders])
            return scaled[:, edge + by : scaled.shape[1] - edge + by] * ratio

        def first(i: int) -> NDArray[Any]:
            if i == 0:
                return k / 2 * (shifted(-1) - shifted(1))
            return 0.5j * k * (shifted(1) + shifted(-1))

        def second(i: int, j: int) -> NDArray[Any]:
            if i != j:
                return 0.25j * k**2 * (shifted(-2) - shifted(2))
            sign = 1.0 if i == 0 else -1.0
            return 0.25 * k**2 * (sign * (shifted(-2) + shifted(2)) - 2 * shifted(0))

        return by_points(layout, shifted(0), first, second, factors, slopes)

    _grows = 1.0

    @abstractmethod
    def _radial(self, z: NDArray[Any], logs: Array) -> NDArray[Any]:
        """C_n(z) relative to its size at the radius, for all orders: (orders, n). logs: of |H_n| at the radius."""


@dataclass(frozen=True)
class Outgoing(_AboutCenter):
    """H_n⁽²⁾(kr) e^{inθ}: the waves that leave a circle, outside it."""

    def _radial(self, z: NDArray[Any], logs: Array) -> NDArray[Any]:
        ratios = np.exp(logs[:-1] - logs[1:])  # of order n to n + 1
        values = np.empty((len(logs), len(z)), dtype=complex)
        values[0], values[1] = hankel_pair(z)
        values[:2] *= np.exp(-logs[:2, None])
        for n in range(1, len(logs) - 1):
            values[n + 1] = ratios[n] * (2 * n / z * values[n] - ratios[n - 1] * values[n - 1])
        return values


@dataclass(frozen=True)
class Regular(_AboutCenter):
    """J_n(kr) e^{inθ}: the waves within a circle."""

    _grows = -1.0

    def _radial(self, z: NDArray[Any], logs: Array) -> NDArray[Any]:
        if np.iscomplexobj(z):
            j0, j1 = special.jv(0, z), special.jv(1, z)
        else:
            j0, j1 = special.j0(z), special.j1(z)
        values = np.empty((len(logs), len(z)), dtype=z.dtype)
        values[1:] = quotients(z, len(logs) - 1, -1.0)
        ratios = np.exp(np.diff(logs))
        second = np.where(np.abs(j0) < np.abs(j1), j1, j0 * values[1])
        values[0], values[1] = j0 * math.exp(logs[0]), second * math.exp(logs[1])
        for n in range(2, len(logs)):
            values[n] *= values[n - 1] * ratios[n - 1]
        return values


def quotients(z: NDArray[Any], last: int, sign: float) -> NDArray[Any]:
    """C_n/C_{n−1} of the regular functions at z (...), for n = 1 … last: (last, ...); sign −1 for J, 1 for I.

    From above, by C_{n−1} = 2n/z C_n + sign C_{n+1}.
    """
    values = np.empty((last, *z.shape), dtype=z.dtype)
    quotient = np.zeros_like(z)
    for n in range(int(max(last, np.max(np.abs(z), initial=0.0))) + 1 + BEYOND, 0, -1):
        bottom = 2 * n + sign * z * quotient
        quotient = z / np.where(bottom == 0, 1e-300, bottom)
        if n <= last:
            values[n - 1] = quotient
    return values


def hankel_logs(z: complex, last: int) -> Array:
    """log |H_n⁽²⁾(z)| of the orders 0 … last ≥ 1."""
    h0, h1 = (complex(value[0]) for value in hankel_pair(np.array([z])))
    logs = [math.log(abs(h0)), math.log(abs(h1))]
    quotient = h1 / h0
    for n in range(1, last):
        quotient = 2 * n / z - 1 / quotient
        logs.append(logs[-1] + math.log(abs(quotient)))
    return np.array(logs[: last + 1])
