"""Closed forms of outgoing waves of point and Gaussian sources, as functions of the squared distance q = r².

They solve (Δ + k²)u = f in an unbounded uniform medium with the time factor e^{+iωt}, f = δ or the unit-mass
normal density of variance s². Written in q they are smooth at the source, and q may be complex: coordinates
stretched into a PML give the wave inside the layer. NumPy and SciPy only; `neurapde.backgrounds.waves` turns them
into fields.
"""

from __future__ import annotations

import cmath
import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[np.complexfloating] | NDArray[np.floating]

# Beyond r²/(2s²) = 72, twelve standard deviations, the normal density is below 1e-31 of its peak.
TAIL = 72.0
# Up to r²/(2s²) = 1 the wave is summed as a power series, in which the logarithms at r = 0 cancel exactly.
_CORE = 1.0
_CORE_TERMS = 26
# In space the same up to r²/(2s²) = 1/4: beyond, nothing cancels that matters.
_CORE_IN_SPACE = 0.25
# Distances squared that count as none: below, the derivatives of a point source's wave leave the range of floats.
_AT_SOURCE = 1e-60


class Radial(NamedTuple):
    """A function of q and its first and second derivatives with respect to q, `(n,)` complex each."""

    value: Array
    first: Array
    second: Array


def point_wave(wavenumber: complex, squared: Array, dimension: int) -> Radial:
    """The outgoing wave of a point source.

    u = i e^{−ikr}/(2k), (i/4) H₀⁽²⁾(kr) or −e^{−ikr}/(4πr) in 1, 2 or 3 dimensions.

    squared: q = r² `(n,)`, real and not negative, or complex with Im q ≤ 0. At q = 0, where the wave is infinite
             or (in one dimension) has a kink, what does not exist is NaN: all of it, there the derivatives.
    """
    k = wavenumber
    source = np.abs(squared) < _AT_SOURCE
    squared = np.where(source, 1.0, squared)
    r = np.sqrt(squared)
    if dimension == 2:
        h0, h1 = hankel_pair(k * r)
        first = -0.125j * k * h1 / r
        parts = [0.25j * h0, first, -(first + 0.125j * k**2 * h0 / 2) / squared]
    elif dimension == 1:
        wave = np.exp(-1j * k * np.where(source, 0.0, r))
        parts = [0.5j / k * wave, wave / (4 * r), -(1 + 1j * k * r) * wave / (8 * r * squared)]
    else:
        value = -np.exp(-1j * k * r) / (4 * math.pi * r)
        first = -(1 + 1j * k * r) * value / (2 * squared)
        parts = [value, first, (3 + 3j * k * r - k**2 * squared) * value / (4 * squared**2)]
    for channel in parts[1:] if dimension == 1 else parts:
        channel[source] = complex(math.nan, math.nan)
    return Radial(*parts)


def hankel_pair(z: Array) -> tuple[Array, Array]:
    """H₀⁽²⁾ and H₁⁽²⁾ at real or complex z ≠ 0, the fast real functions where z is real."""
    if not np.iscomplexobj(z):
        return special.j0(z) - 1j * special.y0(z), special.j1(z) - 1j * special.y1(z)
    stretched = z.imag != 0
    h0, h1 = hankel_pair(np.where(stretched, 1.0, z.real))
    scale = np.exp(-1j * z[stretched])
    h0[stretched] = special.hankel2e(0, z[stretched]) * scale
    h1[stretched] = special.hankel2e(1, z[stretched]) * scale
    return h0, h1


def gaussian_wave(
    wavenumber: complex, variance: float, squared: Array, physical: NDArray[np.bool_]
) -> Radial:
    """The outgoing wave in the plane of a unit-mass Gaussian source.

    With κ = k²s²/2, ρ = q/(2s²) and E_n the exponential integrals,

        u = e^{−κ} [ (i/4) H₀⁽²⁾(k√q) + (1/4π) Σ_{n≥0} κⁿ/n! E_{n+1}(ρ) ].

    The heat flow makes a Gaussian of a point: u_τ = e^{τΔ}u₀ obeys ∂_τ u = Δu = g_τ − k²u with g_τ the heat
    kernel, hence u_τ = e^{−k²τ}(u₀ + ∫₀^τ e^{k²t} g_t dt) with τ = s²/2; the series is that integral. Where
    ρ ≤ 1 both terms are expanded in powers of ρ, Σ_m a_m (−ρ)^m/m!, in which the logarithms cancel: with
    p_n = e^{−κ}κⁿ/n! and H_m harmonic numbers

        a_m = p_m (iπ + ln κ + γ − H_m)/(4π) + Σ_{n≠m} p_n/(n − m)/(4π).

    squared:  q `(n,)`, complex where stretched.
    physical: `(n,)`, False inside a layer: no source reaches there, so only the Hankel function is left.
    """
    kappa = wavenumber**2 * variance / 2
    rho = np.where(physical, np.real(squared), np.inf) / (2 * variance)
    core = rho <= _CORE
    near = (rho > _CORE) & (rho < TAIL)
    far = point_wave(wavenumber, np.where(core, 1.0, squared), 2)
    fainter = cmath.exp(-kappa)
    parts: list[Array] = [fainter * array for array in far]
    if near.any():
        for power, sums in enumerate(_tail_sums(kappa, rho[near])):
            parts[power][near] += sums / (2 * variance) ** power
    if core.any():
        for power, sums in enumerate(_core_sums(kappa, rho[core])):
            parts[power][core] = sums / (2 * variance) ** power
    return Radial(*parts)


def _poisson(kappa: complex) -> tuple[NDArray[np.integer], Array]:
    """The orders n at which p_n = e^{−κ}κⁿ/n! is not negligible against the largest, and p_n there."""
    middle = abs(kappa)
    spread = 12 * math.sqrt(middle) + 30
    n = np.arange(max(0, math.floor(middle - spread)), math.ceil(middle + spread))
    weights = np.exp(special.xlogy(n, kappa) - kappa - special.gammaln(n + 1))
    counted = np.abs(weights) > 1e-20 * np.abs(weights).max()
    return n[counted], weights[counted]


def _tail_sums(kappa: complex, rho: NDArray[np.floating]) -> list[Array]:
    """Σ p_n E_{n+1}(ρ)/4π and its first two derivatives in ρ, by E_n′ = −E_{n−1}."""
    orders, weights = _poisson(kappa)
    totals: list[Any] = [np.zeros(rho.shape, weights.dtype) for _ in range(3)]
    below, middle = _exponential_integral(orders[0] - 1, rho), _exponential_integral(orders[0], rho)
    for n, weight in zip(orders, weights / (4 * math.pi), strict=True):
        above = _exponential_integral(n + 1, rho)
        for total, term in zip(totals, (above, -middle, below), strict=True):
            total += weight * term
        below, middle = middle, above
    return totals


def _exponential_integral(n: int, x: NDArray[np.floating]) -> NDArray[np.floating]:
    """E_n(x) for n ≥ −1, x > 0."""
    if n > 0:
        return special.expn(n, x)
    return np.exp(-x) / x if n == 0 else np.exp(-x) * (1 + x) / x**2


def _core_sums(kappa: complex, rho: NDArray[np.floating]) -> list[Array]:
    """The whole wave near the source and its first two derivatives in ρ: Σ a_m (−ρ)^m/m!, see above."""
    n, weights = _poisson(kappa)
    m = np.arange(_CORE_TERMS + 2)
    gap = n - m[:, None]
    sums = np.where(gap == 0, 0.0, weights / np.where(gap == 0, 1, gap)).sum(1)
    harmonic = special.digamma(m + 1.0) + np.euler_gamma
    masses = np.exp(special.xlogy(m, kappa) - kappa - special.gammaln(m + 1))
    a = (masses * (1j * math.pi + np.log(kappa) + np.euler_gamma - harmonic) + sums) / (4 * math.pi)
    powers = (-rho[:, None]) ** m[:_CORE_TERMS] / special.factorial(m[:_CORE_TERMS])
    return [(-1) ** shift * powers @ a[shift : shift + _CORE_TERMS] for shift in range(3)]


def gaussian_wave_in_space(
    wavenumber: float, variance: float, squared: Array, physical: NDArray[np.bool_]
) -> Radial:
    """The outgoing wave in space of a unit-mass Gaussian source.

    With κ = k²s²/2, a = r/(√2 s), w Faddeeva's function and z = √κ + ia,

        u = −(e^{−κ−ikr} − e^{−a²} Re w(z)) / (4πr).

    Near the source it is summed in powers of ρ = q/(2s²), whose coefficients follow one another by the equation itself.

    squared, physical: as in `gaussian_wave`.
    """
    kappa = wavenumber**2 * variance / 2
    rho = np.where(physical, np.real(squared), np.inf) / (2 * variance)
    core, near = rho <= _CORE_IN_SPACE, (rho > _CORE_IN_SPACE) & (rho < TAIL)
    far = point_wave(wavenumber, np.where(core, 1.0, squared), 3)
    parts = [math.exp(-kappa) * array for array in far]
    if near.any():
        for channel, beside in zip(parts, _beside_in_space(wavenumber, variance, rho[near]), strict=True):
            channel[near] += beside
    if core.any():
        for power, sums in enumerate(_core_in_space(wavenumber, variance, rho[core])):
            parts[power][core] = sums / (2 * variance) ** power
    return Radial(*parts)


def _beside_in_space(k: float, variance: float, rho: NDArray[np.floating]) -> list[Array]:
    """v = e^{−a²} Re w(z)/(4πr), which solves v_rr + 2v_r/r + k²v = f, and its first two derivatives in q."""
    a, r = np.sqrt(rho), np.sqrt(2 * variance * rho)
    bell = np.exp(-rho)
    faded = bell * special.wofz(k * math.sqrt(variance / 2) + 1j * a)
    slope = k * faded.imag - math.sqrt(2 / (math.pi * variance)) * bell
    density = bell / (2 * math.pi * variance) ** 1.5
    value = faded.real / (4 * math.pi * r)
    along = (slope / (4 * math.pi) - value) / r
    bend = density - k**2 * value - 2 * along / r
    return [value, along / (2 * r), (bend - along / r) / (4 * r**2)]


def _core_in_space(k: float, variance: float, rho: NDArray[np.floating]) -> list[Array]:
    """The whole wave near the source and its first two derivatives in ρ.

    From 2ρ u″ + 3u′ = s² f(0) e^{−ρ} − 2κ u in ρ the coefficients obey
    (m + 1)(2m + 3) c_{m+1} = s² f(0) (−1)^m/m! − 2κ c_m.
    """
    kappa = k**2 * variance / 2
    peak = variance / (2 * math.pi * variance) ** 1.5
    slope = math.sqrt(2 / (math.pi * variance)) - k * float(special.wofz(math.sqrt(kappa)).imag)
    terms = _CORE_TERMS + math.ceil(4 * math.sqrt(kappa))
    c = np.zeros(terms + 2, dtype=complex)
    c[0] = -(slope - 1j * k * math.exp(-kappa)) / (4 * math.pi)
    source = peak
    for m in range(terms + 1):
        c[m + 1] = (source - 2 * kappa * c[m]) / ((m + 1) * (2 * m + 3))
        source /= -(m + 1)
    n = np.arange(terms + 2)
    factors = (c, c[1:] * n[1:], c[2:] * n[2:] * n[1:-1])
    return [np.polynomial.polynomial.polyval(rho, each) for each in factors]
