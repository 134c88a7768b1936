"""Exact fields of the Helmholtz problems that have one: a uniform medium, and one penetrable disk in it.

Closed forms and series on NumPy and SciPy alone, sharing no code with the trials that they judge. All follow
(Δ + k²/c²) u = +f with e^{+iωt}: waves leave as H⁽²⁾, and f = δ gives (i/4) H0⁽²⁾(kr). With the stretched
x̃ = ∫e_x dx in place of x they solve the equation inside perfectly matched layers as well.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import hankel2

from neurapde.validation.cylinder import BesselOnCircle, Complex, HankelOnCircle, OutwardWaves, Real

_MOST_ORDERS = 20_000
_ROUNDING = 1e-17
_CHECKED = 16  # orders between checks of what still counts


def outgoing(
    points: ArrayLike,
    source_at: ArrayLike,
    wavenumber: float,
    *,
    variance: float = 0.0,
    amplitude: complex = 1.0,
) -> Complex:
    """Field of one source in an unbounded uniform medium, outside the source's support.

    With r̃² = Σ (x̃_j − a_j)², and g = amplitude · exp(−k²s²/2) as a Gaussian radiates less than a point:
    g (i/2k) e^{−ik r̃} in 1-D, g (i/4) H0⁽²⁾(k r̃) in 2-D, −g e^{−ik r̃}/(4π r̃) in 3-D.

    Args:
        points: `(n, d)`, d = 1, 2, 3; complex where they are stretched.
        source_at: `(d,)`, real: a source stands outside the layers.
        wavenumber: k > 0 of the medium (ω/c).
        variance: s² ≥ 0 of the Gaussian; 0 is a point source. Within some 6 s the formula does not hold.
        amplitude: the source's mass.

    Returns: `(n,)` complex; NaN at the source itself in 2-D and 3-D.
    """
    offset = np.atleast_2d(np.asarray(points)) - np.asarray(source_at)
    dimension = offset.shape[1]
    _check(dimension in (1, 2, 3), f"outgoing waves are known in 1, 2 and 3 dimensions, not in {dimension}")
    _check(wavenumber > 0, f"the wavenumber is {wavenumber}; it must be positive")
    # In the layers Re · Im ≤ 0 of every offset: the principal root has Re r̃ > 0 and Im r̃ ≤ 0: outgoing.
    r = np.sqrt(np.sum(offset * offset, axis=1) + 0j)
    scale = amplitude * np.exp(-(wavenumber**2) * variance / 2)
    if dimension == 1:
        return scale * 0.5j / wavenumber * np.exp(-1j * wavenumber * r)
    r = np.where(r == 0, np.nan, r)
    if dimension == 2:
        return scale * 0.25j * hankel2(0, wavenumber * r)
    return -scale * np.exp(-1j * wavenumber * r) / (4 * np.pi * r)


def penetrable_disk(
    points: ArrayLike,
    source_at: ArrayLike,
    *,
    center: ArrayLike,
    radius: float,
    wavenumber: float,
    speed_inside: float,
    speed_outside: float = 1.0,
    amplitude: complex = 1.0,
    variance: float = 0.0,
) -> Complex:
    """Field of a line source beside or inside one disk of another speed, in the plane.

    u and ∂u/∂r are continuous at the rim (constant density). The incident field is closed; what the disk
    scatters or refracts is a series over angular orders (Graf's addition theorem), cut at rounding: its terms
    fall as (R²/ρρ_s)^n outside, so a source close to the rim costs more orders.

    Args:
        points: `(n, 2)`; complex where they are stretched (only outside the disk).
        source_at: `(2,)`, not on the rim. A Gaussian's formula holds if it is several s away from the rim.
        center, radius: the disk.
        wavenumber: k = ω, the wavenumber where the speed is 1.
        speed_inside, speed_outside: c > 0 in the disk and around it.
        amplitude: the source's mass.
        variance: s² of a Gaussian source; 0 is a point source.

    Returns: `(n,)` complex; NaN at the source itself.
    Raises: ValueError if the source is so close to the rim that the series is longer than 20 000 orders.
    Source: Abramowitz & Stegun 9.1.79 (Graf); the coefficients follow from the two conditions at the rim.
    """
    x = np.atleast_2d(np.asarray(points)) - np.asarray(center, dtype=float)
    start = np.asarray(source_at, dtype=float) - np.asarray(center, dtype=float)
    _check(
        x.shape[1] == 2 and start.shape == (2,), f"the disk's series is two-dimensional; points are {x.shape}"
    )
    for name, value in (("radius", radius), ("wavenumber", wavenumber), ("speed_inside", speed_inside)):
        _check(value > 0, f"{name} is {value}; it must be positive")
    _check(speed_outside > 0, f"speed_outside is {speed_outside}; it must be positive")
    rim = _Rim(start, radius, wavenumber / speed_outside, wavenumber / speed_inside)
    k_source = rim.k_in if rim.source_inside else rim.k_out
    inside = np.hypot(x[:, 0].real, x[:, 1].real) < radius
    field = np.empty(len(x), dtype=complex)
    field[inside], field[~inside] = rim.inside(np.real(x[inside])), rim.outside(x[~inside])
    field *= 0.25j * amplitude * np.exp(-(k_source**2) * variance / 2)
    direct = inside == rim.source_inside
    field[direct] += outgoing(x[direct], start, k_source, variance=variance, amplitude=amplitude)
    return field


class _Rim:
    """The series matched at the rim of a disk at the origin, for an incident field H0⁽²⁾(k|x − source|)."""

    def __init__(self, source: NDArray, radius: float, k_out: float, k_in: float) -> None:
        self.k_out, self.k_in = k_out, k_in
        self._turning = max(k_out, k_in) * radius
        self._inner: Complex
        self._outer: Complex
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
            one, other = waves.next(), mirrored.next()
            total[active] += coefficient * (one + other)
            # Past the turning point every term falls: leave the points where they no longer count.
            if n > self._turning and n % _CHECKED == 0:
                counts = abs(coefficient) * (np.abs(one) + np.abs(other)) > _ROUNDING * np.abs(total[active])
                active = active[counts]
                waves.keep(counts)
                mirrored.keep(counts)
        return total


def _orders(distance: float, radius: float, largest_wavenumber: float) -> int:
    """How many orders matter: past the turning point at n = kR, terms fall by the ratio of the two radii."""
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


def _check(condition: bool, otherwise: str) -> None:
    if not condition:
        raise ValueError(otherwise)
