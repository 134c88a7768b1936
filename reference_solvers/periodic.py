"""Evolution of periodic fields on a line: Fourier's method in space, exponential Runge–Kutta of fourth order in time.

Source: Kassam and Trefethen (2005), SIAM J. Sci. Comput. 26(4), 1214-1233, for the scheme and its coefficients as means
over a circle.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray
from scipy.fft import irfft, rfft, rfftfreq

Matrix = NDArray[np.float64]
Waves = NDArray[np.complex128]
CIRCLE = 32
"""Points of the mean."""
AT_ONCE = 2048
"""Places that a field is evaluated at together."""


@dataclass(frozen=True, eq=False)
class PeriodicField:
    """A field (components,) of x and t, from its waves (moments, components, modes) and their rates of change."""

    lower: float
    length: float
    amplitudes: scipy.interpolate.CubicHermiteSpline

    def __call__(self, x: Matrix, t: Matrix, derivative: int = 0) -> Matrix:
        """Its values, or those of a derivative along x, at places (n,) and times (n,): (n, components)."""
        values = []
        for start in range(0, len(x), AT_ONCE):
            chunk = slice(start, start + AT_ONCE)
            waves = self.amplitudes(t[chunk])
            rate = 2j * np.pi / self.length * np.arange(waves.shape[-1])
            phase = rate**derivative * np.exp(np.multiply.outer(x[chunk] - self.lower, rate))
            phase[:, 1:] *= 2
            values.append(np.einsum("nck,nk->nc", waves, phase).real)
        return np.concatenate(values)


def wavenumbers(count: int, length: float) -> Matrix:
    """Of the waves of `count` points on a period, (count // 2 + 1,)."""
    frequencies: Matrix = 2 * np.pi / length * rfftfreq(count, 1 / count)
    return frequencies


def evolve(
    start: Matrix,
    linear: Matrix | Waves,
    rest: Callable[[Matrix], Matrix],
    lower: float,
    length: float,
    stop: float,
    steps: int,
    divergence: bool = False,
) -> PeriodicField:
    """The field that starts from values at equidistant points with u_t = L u + rest(u), or L u + ∂x rest(u).

    start: (components, count). linear: the factor L of each wave (components, count // 2 + 1). rest: values from
    values.
    """
    count = start.shape[-1]
    step = stop / steps
    factor = 1j * wavenumbers(count, length) if divergence else 1.0

    def forced(waves: Waves) -> Waves:
        spectrum: Waves = factor * rfft(rest(irfft(waves, count, norm="forward")), norm="forward")
        return spectrum

    whole, half, q, f1, f2, f3 = _coefficients(np.asarray(linear), step)
    waves = rfft(start, norm="forward")
    every, rates = [waves], [linear * waves + forced(waves)]
    for _ in range(steps):
        n0 = forced(waves)
        a = half * waves + q * n0
        n1 = forced(a)
        n2 = forced(half * waves + q * n1)
        n3 = forced(half * a + q * (2 * n2 - n0))
        waves = whole * waves + f1 * n0 + 2 * f2 * (n1 + n2) + f3 * n3
        every.append(waves)
        rates.append(linear * waves + forced(waves))
    times = np.linspace(0, stop, steps + 1)
    return PeriodicField(
        lower, length, scipy.interpolate.CubicHermiteSpline(times, np.array(every), np.array(rates))
    )


def _coefficients(linear: NDArray[np.complex128], step: float) -> tuple[Waves, ...]:
    """exp(hL), exp(hL/2), and the weights of the stages."""
    z = step * linear
    around = z[..., None] + np.exp(2j * np.pi * (np.arange(CIRCLE) + 0.5) / CIRCLE)
    e = np.exp(around)
    q = step * ((np.exp(around / 2) - 1) / around).mean(axis=-1)
    f1 = step * ((-4 - around + e * (4 - 3 * around + around**2)) / around**3).mean(axis=-1)
    f2 = step * ((2 + around + e * (around - 2)) / around**3).mean(axis=-1)
    f3 = step * ((-4 - 3 * around - around**2 + e * (4 - around)) / around**3).mean(axis=-1)
    return np.exp(z), np.exp(z / 2), q, f1, f2, f3
