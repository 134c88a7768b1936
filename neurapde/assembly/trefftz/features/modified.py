"""Cylinder functions ψₙ = Cₙ(κr) e^{inθ} that are real up to the angle: features of Δu = κ²u, and of Δu = −κ²u.

With D = ∂x + i∂y and D̄ = ∂x − i∂y: Dψₙ = ακ ψₙ₊₁ and D̄ψₙ = βκ ψₙ₋₁. For the modified functions, Δψ = κ²ψ, I has α = β = 1
and K has α = β = −1; for Bessel's own, Δψ = −κ²ψ, J and Y have α = −1, β = 1.

Source: Abramowitz, Stegun (1964), 9.1.27 and 9.6.26.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import i0, i1, j0, j1, k0, k1, y0, y1

from neurapde.assembly.trefftz.features.base import Array, Features
from neurapde.assembly.trefftz.features.cylinder import quotients
from neurapde.assembly.trefftz.features.harmonic import as_complex
from neurapde.assembly.trefftz.features.krylov import Complex
from neurapde.jets.layout import Layout

FEW = 2**13
"""Pairs of a place and a pole that are looked at together, so that what they need stays near the processor."""


@dataclass(frozen=True)
class Kind:
    """A family of cylinder functions: the orders 0 … n at x (…), (…, n + 1), and the factors α and β of derivatives.

    odd: the sign of C₋ₙ/Cₙ where n is odd.
    """

    function: Callable[[int, Array], Array]
    up: float
    down: float
    odd: float


def _downward(
    zeroth: Callable[[Any], Any], first: Callable[[Any], Any], sign: float
) -> Callable[[int, Array], Array]:
    """By the quotients of neighbours, from whichever of the first two is the larger one."""

    def values_of(last: int, x: Array) -> Array:
        values, (begin, *rest) = [zeroth(x)], quotients(x, max(last, 1), sign)
        values.append(np.where(np.abs(values[0]) < np.abs(first(x)), first(x), values[0] * begin))
        for quotient in rest:
            values.append(values[-1] * quotient)
        return np.stack(values[: last + 1], axis=-1)

    return values_of


def _upward(
    zeroth: Callable[[Any], Any], first: Callable[[Any], Any], sign: float
) -> Callable[[int, Array], Array]:
    """By Cₙ₊₁ = 2n/x Cₙ + sign Cₙ₋₁, which loses nothing for functions that grow with n."""

    def values_of(last: int, x: Array) -> Array:
        values = [zeroth(x), first(x)]
        for n in range(1, last):
            values.append(2 * n / x * values[n] + sign * values[n - 1])
        return np.stack(values[: last + 1], axis=-1)

    return values_of


REGULAR = {
    True: Kind(_downward(i0, i1, 1.0), 1.0, 1.0, 1.0),
    False: Kind(_downward(j0, j1, -1.0), -1.0, 1.0, -1.0),
}
"""Finite at the centre; whether Δψ = κ²ψ, or else −κ²ψ."""
SINGULAR = {
    True: Kind(_upward(k0, k1, 1.0), -1.0, -1.0, 1.0),
    False: Kind(_upward(y0, y1, -1.0), -1.0, 1.0, -1.0),
}
"""Infinite there."""


def cylinder_channels(
    kind: Kind, wavenumber: float, away: Complex, orders: NDArray[np.int64], layout: Layout
) -> Complex:
    """ψₙ at places relative to the centre (…) for orders n ≥ 0 (m,), and derivatives: (layout.count, …, m)."""
    order = layout.order
    low, high = int(orders.min(initial=0)) - order, int(orders.max(initial=0)) + order
    radius = np.abs(away)
    turn = np.where(radius == 0, 1.0, away / np.where(radius == 0, 1.0, radius))
    every = np.arange(low, high + 1)
    values = kind.function(int(np.abs(every).max()), wavenumber * radius)[..., np.abs(every)]
    flip = np.where((every < 0) & (every % 2 == 1), kind.odd, 1.0)
    psi = values * flip * turn[..., None] ** every

    def moved(up: int, down: int) -> Complex:
        """D^up D̄^down ψ."""
        factor = kind.up**up * kind.down**down * wavenumber ** (up + down)
        return np.asarray(factor * psi[..., orders + up - down - low])

    channels = []
    for axes in layout.derivatives:
        if not axes:
            channels.append(moved(0, 0))
        elif len(axes) == 1:
            channels.append(
                (moved(1, 0) + moved(0, 1)) / 2 if axes == (0,) else (moved(1, 0) - moved(0, 1)) / 2j
            )
        elif axes == (0, 1):
            channels.append((moved(2, 0) - moved(0, 2)) / 4j)
        else:
            sign = 1.0 if axes == (0, 0) else -1.0
            channels.append((2 * moved(1, 1) + sign * (moved(2, 0) + moved(0, 2))) / 4)
    return np.stack(channels)


@dataclass(frozen=True, eq=False)
class BesselMultipoles(Features):
    """Both parts of ψ₀ … about a centre: regular ones of a region around it, singular ones of a hole.

    radius: where they have size 1: that of the farthest place of the region, or of the nearest if `outside`.
    modified: whether Δψ = κ²ψ, or else −κ²ψ. degree: the last order.
    """

    wavenumber: float
    modified: bool
    center: complex
    radius: float
    degree: int
    outside: bool

    @property
    def count(self) -> int:
        return 2 * self.degree + 1

    def channels(self, points: Array, layout: Layout) -> NDArray[Any]:
        kind = (SINGULAR if self.outside else REGULAR)[self.modified]
        orders = np.arange(self.degree + 1)
        away = as_complex(points) - self.center
        channels = cylinder_channels(kind, self.wavenumber, away, orders, layout)
        channels /= _sizes(kind, orders, self.wavenumber * self.radius)
        return np.concatenate([channels.real, channels.imag[..., 1:]], axis=2)


@dataclass(frozen=True, eq=False)
class _AtPoles(Features):
    """Singular functions of one order at poles (m,) outside the region, of size 1 at the distance size (m,)."""

    wavenumber: float
    modified: bool
    at: Complex
    sizes: Array

    order: ClassVar[int]

    @property
    def count(self) -> int:
        return (1 + self.order) * len(self.at)

    def channels(self, points: Array, layout: Layout) -> NDArray[Any]:
        kind, orders, poles = SINGULAR[self.modified], np.array([self.order]), len(self.at)
        scale = _sizes(kind, orders, self.wavenumber * self.sizes)[:, 0]
        places = as_complex(points)
        channels = np.empty((layout.count, len(places), self.count))
        step = max(1, FEW // poles)
        for start in range(0, len(places), step):
            rows = slice(start, start + step)
            away = places[rows, None] - self.at
            functions = cylinder_channels(kind, self.wavenumber, away, orders, layout)[..., 0] / scale
            channels[:, rows, :poles] = functions.real
            if self.order:
                channels[:, rows, poles:] = functions.imag
        return channels


@dataclass(frozen=True, eq=False)
class Dipoles(_AtPoles):
    """Both parts of ψ₁, which at a corner give fields of both parities about their line."""

    order: ClassVar[int] = 1


@dataclass(frozen=True, eq=False)
class Monopoles(_AtPoles):
    """ψ₀; along a curve they need half as many numbers."""

    order: ClassVar[int] = 0


def _sizes(kind: Kind, orders: NDArray[np.int64], x: Array | float) -> Array:
    """The sizes of cylinder functions at x (...): (..., orders); of oscillating ones together with a neighbour's."""
    values = np.abs(kind.function(int(orders.max()) + 1, np.asarray(x)))
    here = values[..., orders]
    return np.asarray(here if kind.odd > 0 else np.hypot(here, values[..., orders + 1]))
