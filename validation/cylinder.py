"""The Bessel-Hankel series of a disk, and cylinder functions of every order at once that do not over- or underflow.

Such a series multiplies J_n, which falls like n^-n, by H_n, which grows like n^n. Here each is relative to its own
size on a circle (the rim of a disk), by the recurrence in its stable direction: H upwards, J downwards (Miller). Only
the orders 0 and 1 come from a library. It serves the exact solutions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import hankel2, jv

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

_LARGE = 1e120  # a downward recurrence is scaled back past this; one step grows by 1e16 at most
_MOST_ORDERS = 20_000
_ROUNDING = 1e-17
_CHECKED = 16  # orders between checks of what still counts


@dataclass(frozen=True)
class HankelOnCircle:
    """H_n⁽²⁾ on a circle, z = wavenumber × radius > 0, orders 0 … count − 1.

    `step[n]` is H_{n+1}/H_n, `slope[n]` is H_n'/H_n; both stay of moderate size.
    """

    argument: float
    step: Complex
    slope: Complex

    @classmethod
    def up_to(cls, count: int, argument: float) -> HankelOnCircle:
        """The orders 0 … count − 1 by the upward recurrence of the ratio."""
        step: Complex = np.empty(count, dtype=np.complex128)
        step[0] = hankel2(1, argument) / hankel2(0, argument)
        for n in range(1, count):
            step[n] = 2 * n / argument - 1 / step[n - 1]
        return cls(argument, step, -step + np.arange(count) / argument)

    def relative(self, z: Complex) -> Complex:
        """`(count, n)` table H_k(z)/H_k(argument), z `(n,)`; it underflows to zero with the ratio."""
        orders = OutwardWaves(self, z, np.ones_like(z))
        return np.stack([orders.next() for _ in range(len(self.step))])


class OutwardWaves:
    """Yields E^n H_n(z)/H_n(argument) for n = 0, 1, …: one order of an outgoing wave at many points.

    The angular factor E = e^{±iθ} belongs inside the recurrence: at complex angles (stretched coordinates) it
    grows as fast as the ratio of Hankel functions falls.
    """

    def __init__(self, circle: HankelOnCircle, z: Complex, angular: Complex) -> None:
        self._circle = circle
        self._inverse = angular / z
        self._square = angular * angular
        self._order = 0
        self._now = hankel2(0, z) / hankel2(0, circle.argument)
        self._following = angular * hankel2(1, z) / hankel2(1, circle.argument)

    def next(self) -> Complex:
        """The wave of the present order, `(n,)`; the next call gives the following order."""
        present, n, step = self._now, self._order, self._circle.step
        if n + 2 <= len(step):
            # H_{n+2} = 2(n+1)/z H_{n+1} − H_n, each divided by its value on the circle.
            after = (2 * (n + 1) * self._inverse * self._following - self._square / step[n] * present) / step[
                n + 1
            ]
        else:
            after = self._following
        self._now, self._following, self._order = self._following, after, n + 1
        return present

    def keep(self, chosen: NDArray[np.bool_]) -> None:
        """Continue at these of the present points only."""
        self._inverse, self._square = self._inverse[chosen], self._square[chosen]
        self._now, self._following = self._now[chosen], self._following[chosen]


@dataclass(frozen=True)
class BesselOnCircle:
    """J_n on a circle, z = wavenumber × radius > 0, orders 0 … count − 1, relative to size_n.

    With size_n = hypot(J_n, J_{n+1}), `value[n]` is J_n, `slope[n]` is J_n' and `following[n]` is J_{n+1},
    each over size_n. The sizes themselves would underflow, so only `fall[n]` = size_n/size_{n−1} is stored, also for
    the orders above `count` where the downward recurrence begins.
    """

    argument: float
    value: Real
    following: Real
    slope: Real
    fall: Real
    first_size: float

    @classmethod
    def up_to(cls, count: int, argument: float) -> BesselOnCircle:
        """The orders 0 … count − 1 by the downward recurrence, begun well above `count` and `argument`."""
        start = _start(count, argument)
        value, following, fall = np.ones(start + 1), np.zeros(start + 1), np.ones(start + 1)
        for n in range(start, 0, -1):
            before = 2 * n / argument * value[n] - following[n]
            size = np.hypot(before, value[n])
            fall[n] = 1 / size
            value[n - 1], following[n - 1] = before / size, value[n] / size
        first_size = float(np.hypot(jv(0, argument), jv(1, argument)))
        # The recurrence knows J up to one sign, the same for every order.
        if value[0] * jv(0, argument) + following[0] * jv(1, argument) < 0:
            value, following = -value, -following
        value, following = value[:count], following[:count]
        slope = np.arange(count) / argument * value - following
        return cls(argument, value, following, slope, fall, first_size)

    def times_hankel(self, hankel: HankelOnCircle) -> Complex:
        """size_n H_n `(count,)` on the same circle, by the Wronskian J_n H_{n+1} − J_{n+1} H_n = 2i/(πz)."""
        return 2j / (np.pi * self.argument) / (hankel.step * self.value - self.following)

    def relative(self, z: float) -> Real:
        """`(count,)` table J_n(z)/size_n for 0 ≤ z ≤ argument."""
        unit = np.eye(len(self.value), dtype=complex)
        return np.real(self.sum(np.full(len(unit), z), lambda n: unit[n]))

    def sum(self, z: Real, coefficient: Callable[[int], Complex]) -> Complex:
        """Σ_n coefficient(n) J_n(z)/size_n over n < count.

        Args:
            z: `(n,)`, 0 ≤ z ≤ argument.
            coefficient: order → `(n,)`, the factor of that order at each point.

        Returns: `(n,)`.
        """
        count = len(self.value)
        inverse = 1 / np.maximum(z, 1e-12 * self.argument)
        total = np.zeros(len(z), dtype=complex)
        present, after = np.ones(len(z)), np.zeros(len(z))
        after_fall = 1.0
        for n in range(len(self.fall) - 1, 0, -1):
            if n < count:
                total += coefficient(n) * present
            present, after = self.fall[n] * (2 * n * inverse * present - after_fall * after), present
            after_fall = self.fall[n]
            shrink = np.where(np.abs(present) > _LARGE, 1 / _LARGE, 1.0)
            present, after, total = present * shrink, after * shrink, total * shrink
        total += coefficient(0) * present
        # Fit the one free factor to the orders 0 and 1, which have no common zero.
        after = after * after_fall
        exact0, exact1 = jv(0, 1 / inverse) / self.first_size, jv(1, 1 / inverse) / self.first_size
        return total * (exact0 * present + exact1 * after) / (present * present + after * after)


def _start(count: int, argument: float) -> int:
    """An order so far above `count` and `argument` that a start with J_{n+1} = 0 there causes no error."""
    base = max(float(count), argument)
    return int(base + 40 + 6 * base ** (1 / 3))


class DiskSeries:
    """The series matched at the rim of a disk at the origin, for an incident field H0⁽²⁾(k|x − source|)."""

    def __init__(self, source: NDArray, radius: float, k_out: float, k_in: float) -> None:
        self.k_out, self.k_in = k_out, k_in
        self._turning = max(k_out, k_in) * radius
        distance = float(np.hypot(*source))
        self.source_inside = distance < radius
        self._angle = float(np.arctan2(source[1], source[0]))
        count = _orders(distance, radius, max(k_out, k_in))
        H, J = HankelOnCircle.up_to(count, k_out * radius), BesselOnCircle.up_to(count, k_in * radius)
        self._hankel, self._bessel = H, J
        # D_n / (H_n · size_n), the determinant of the two conditions at the rim.
        determinant = k_out * H.slope * J.value - k_in * J.slope
        through = -2j / (np.pi * radius) / determinant
        if self.source_inside:
            Hi = HankelOnCircle.up_to(count, k_in * radius)
            back = J.times_hankel(Hi) * (k_in * Hi.slope - k_out * H.slope) / determinant
            inner_wave = J.relative(k_in * distance)
            self._inner, self._outer = back * inner_wave, through * inner_wave
        else:
            Jo = BesselOnCircle.up_to(count, k_out * radius)
            back = Jo.times_hankel(H) * (k_in * Jo.value * J.slope - k_out * Jo.slope * J.value) / determinant
            outer_wave = H.relative(np.array([k_out * distance + 0j]))[:, 0]
            self._inner, self._outer = through * outer_wave, back * outer_wave
        # Orders n and −n have equal coefficients.
        self._inner[1:] *= 2

    def inside(self, x: Real) -> Complex:
        """Σ_n inner_n J_n(k_in ρ) cos n(θ − θ_s), `(n,)`, at real offsets `(n, 2)` inside the disk."""
        angle = np.arctan2(x[:, 1], x[:, 0]) - self._angle
        k_rho = self.k_in * np.hypot(x[:, 0], x[:, 1])
        return self._bessel.sum(k_rho, lambda n: self._inner[n] * np.cos(n * angle))

    def outside(self, x: NDArray) -> Complex:
        """Σ_n outer_n H_n(k_out ρ̃) e^{in(θ̃ − θ_s)}, `(n,)`, at offsets `(n, 2)` outside, stretched or not."""
        rho = np.sqrt(np.sum(x * x, axis=1) + 0j)
        forward = (x[:, 0] + 1j * x[:, 1]) / rho * np.exp(-1j * self._angle)
        waves = OutwardWaves(self._hankel, self.k_out * rho, forward)
        mirrored = OutwardWaves(self._hankel, self.k_out * rho, 1 / forward)
        total = self._outer[0] * waves.next()
        mirrored.next()
        active = np.arange(len(x))
        for n, coefficient in enumerate(self._outer[1:], start=1):
            wave, other = waves.next(), mirrored.next()
            total[active] += coefficient * (wave + other)
            # Past the turning point every term falls: leave the points where they no longer count.
            if n > self._turning and n % _CHECKED == 0:
                counts = abs(coefficient) * (np.abs(wave) + np.abs(other)) > _ROUNDING * np.abs(total[active])
                active = active[counts]
                waves.keep(counts)
                mirrored.keep(counts)
        return total


def _orders(distance: float, radius: float, largest_wavenumber: float) -> int:
    """The number of orders that matter: beyond the turning point at n = kR, terms fall by the ratio of the two radii."""
    ratio = min(distance, radius) / max(distance, radius)
    z = largest_wavenumber * radius
    past = np.log(_ROUNDING) / np.log(max(ratio, 1e-3)) if ratio < 1 else np.inf
    count = z + 6 * z ** (1 / 3) + 10 + past
    if count > _MOST_ORDERS:
        raise ValueError(
            f"the source is {distance:.6g} from the centre of a disk of radius {radius:.6g}: its series "
            f"needs over {_MOST_ORDERS} orders. Move it away from the rim, by {1e-2 * radius:.3g} say."
        )
    return int(count)
