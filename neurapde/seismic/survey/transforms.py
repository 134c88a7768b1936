"""Time traces to complex spectra and back, by one convention: U(ω) = ∫ u(t) e^{−iωt} dt, fields vary as e^{+iωt}.

A pulse that arrives later by τ has a spectrum times e^{−iωτ}, and the Helmholtz fields of this package are
outgoing with e^{−ikr}. A time source w in m u_tt − Δu = w δ is the right-hand side f = −W(ω) of
(Δ + ω²m) U = f δ. Arrays in, arrays out; `Survey.at` and `Survey.to_time` call it.
"""

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]


def spectrum(
    traces: Real,
    dt: float,
    frequencies: Real,
    *,
    start_time: float = 0.0,
    taper: float = 0.0,
    damping: float = 0.0,
) -> Complex:
    """U(f) ≈ dt Σ_n u(t_n) e^{−2πi f t_n}, t_n = start_time + n dt, at any frequencies below 1/(2 dt).

    Args:
        traces: `(…, T)`.
        dt, start_time: sampling interval and time of the first sample, s.
        frequencies: `(F,)`, Hz, any of them.
        taper: length, s, of a half cosine that brings the ends of the traces to zero; 0 leaves them.
        damping: σ, 1/s, of e^{−σt} in the integral: U at the complex frequency ω − iσ.

    Returns: `(F, …)`. It equals the integral, to round-off, for a trace that is zero at its ends and has no energy
        beyond 1/(2 dt).
    """
    count = traces.shape[-1]
    times = start_time + dt * np.arange(count)
    kernel = dt * np.exp(-2j * np.pi * np.outer(times, frequencies))
    kernel *= weighing(count, dt, start_time, taper, damping)[:, None]
    spectra: Complex = np.asarray(traces @ kernel, dtype=complex)
    return np.moveaxis(spectra, -1, 0)


def weighing(samples: int, dt: float, start_time: float, taper: float, damping: float) -> Real:
    """The factors of the samples of a trace `(T,)` in `spectrum`: the taper at its ends, and e^{−σt}."""
    phase = (samples - 1 - np.arange(samples)) * dt / taper if taper > 0 else np.ones(samples)
    tapered: Real = 0.5 - 0.5 * np.cos(np.pi * np.clip(phase, 0.0, 1.0))
    return tapered * np.exp(-damping * (start_time + dt * np.arange(samples)))


def traces_of(
    spectra: Complex,
    frequencies: Real,
    dt: float,
    samples: int,
    *,
    start_time: float = 0.0,
    damping: float = 0.0,
) -> Real:
    """u(t_n) = 2 Δf Re Σ_j U(f_j) e^{2πi f_j t_n}: the trace of period 1/Δf with these spectra, and none beyond.

    Args:
        spectra: `(F, …)`.
        frequencies: `(F,)`, Hz, positive and equally spaced by Δf.
        damping: σ of the spectra: they give u(t) e^{−σt}, and this factor is removed.

    Returns: `(…, samples)`, with mean zero, because frequency 0 is missing.
    """
    times = start_time + dt * np.arange(samples)
    step = float(frequencies[1] - frequencies[0])
    kernel = 2 * step * np.exp(2j * np.pi * np.outer(frequencies, times))
    moved = np.moveaxis(spectra, 0, -1)
    traces: Real = moved.real @ kernel.real - moved.imag @ kernel.imag
    return traces * np.exp(damping * times)
