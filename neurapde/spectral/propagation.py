"""Oscillations as functions of an operator: what an initial state or a signal makes of u_tt = −A u, by Chebyshev.

For A with spectrum in [0, Λ] every field is a function of A applied to a vector: cos(t√A) u₀ for an initial value,
sin(t√A)/√A v₀ for an initial velocity, ∫ w(s) sin((t − s)√A)/√A ds g for a source g w(t). Each is a series of Chebyshev
polynomials in A, the same polynomials at all times; its coefficients come from the scalar oscillators λ at Chebyshev's
nodes. It converges faster than any power once the degree passes T√Λ/2, so time costs no accuracy. A long time is taken in
blocks, each from the last state of the one before: what is kept of a block alone grows as the square of its length.
Source: Tal-Ezer (1986), SIAM J. Numer. Anal. 23(1), 11-26; Kosloff, Queiroz Filho, Tessmer, Behle (1989), Geophys.
Prospecting 37, 383-394, for the wave equation.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.fft import dct

from neurapde.spectral.quadrature import FloatArray
from neurapde.spectral.time_rule import TimeRule

Operator = Callable[[FloatArray], FloatArray]
Signal = Callable[[FloatArray], FloatArray]

NEGLIGIBLE = 1e-11  # of the largest coefficient: where a series is cut
BLOCK = 48  # polynomials held at a time
STATES = 3  # u, u_t and u_tt
REACH = 2000.0  # radians that the fastest oscillation turns in a block of time, unless one interval has more


@dataclass(frozen=True)
class Driven:
    """A vector with its history: `value` or `rate` at the start, or a signal from then on."""

    vector: FloatArray
    signal: Signal | None = None
    value: float = 0.0
    rate: float = 0.0


@dataclass(frozen=True)
class Propagated:
    """States (3, n, *shape of a vector) at the knots, and how many polynomials they took."""

    states: FloatArray
    polynomials: int


def blocks_of(turn: float, intervals: int) -> int:
    """Into how many blocks so many intervals are split, in each of which the fastest oscillation turns by `turn` radians."""
    return math.ceil(intervals / max(1, int(REACH / turn)))


@dataclass(frozen=True)
class Oscillations:
    """The operator by its own vectors: squares λ of their frequencies, and maps to and from their coefficients."""

    squares: FloatArray
    into: Operator
    back: Operator


def oscillated(modes: Oscillations, times: FloatArray, driven: Sequence[Driven]) -> FloatArray:
    """The states that all vectors together make, one oscillation after the other: at any time, and as exact as its rule."""
    shape = modes.squares.shape
    total = np.zeros((STATES, len(times), modes.squares.size))
    for term in driven:
        history = oscillate(modes.squares.ravel(), times, term.signal, term.value, term.rate)
        total += history * modes.into(term.vector).ravel()
    return modes.back(total.reshape(*total.shape[:2], *shape))


def propagate_long(
    operator: Operator, largest: float, times: FloatArray, driven: Sequence[Driven]
) -> Propagated:
    """The states that all vectors together make at the knots `times` (n,), from 0 on, equally spaced; see `propagate`."""
    intervals = len(times) - 1
    blocks = blocks_of(np.sqrt(largest) * float(times[1] - times[0]), intervals)
    ends = np.linspace(0, intervals, blocks + 1).round().astype(int)
    states = np.empty((STATES, len(times), *driven[0].vector.shape))
    count, parts, tables = 0, list(driven), {}
    for start, stop in itertools.pairwise(ends):
        moments = times[: stop - start + 1]
        coefficients = []
        for term in parts:
            key = (len(moments), term.value, term.rate)
            if term.signal is not None:
                coefficients.append(
                    series(
                        largest, moments, _Shifted(term.signal, float(times[start])), term.value, term.rate
                    )
                )
                continue
            if key not in tables:  # of all blocks alike
                tables[key] = series(largest, moments, None, term.value, term.rate)
            coefficients.append(tables[key])
        count += sum(table.shape[-1] for table in coefficients)
        states[:, start : stop + 1] = propagate(
            operator, largest, [term.vector for term in parts], coefficients
        )
        reached = [Driven(states[0, stop], value=1.0), Driven(states[1, stop], rate=1.0)]
        parts = [*reached, *(Driven(term.vector, term.signal) for term in driven if term.signal is not None)]
    return Propagated(states, count)


@dataclass(frozen=True)
class _Shifted:
    """A signal by the time since a later start."""

    signal: Signal
    start: float

    def __call__(self, times: FloatArray) -> FloatArray:
        return self.signal(times + self.start)


def oscillate(
    square: FloatArray, times: FloatArray, start: Signal | None, value: float, rate: float
) -> FloatArray:
    """q, q' and q'' of q'' = −λ q + w(t) with q(0) = value, q'(0) = rate.

    square: λ (m,), not negative. times: (n,) from 0 on, equally spaced. start: w, or None for no force.
    Returns (3, n, m).
    """
    omega = np.sqrt(square)
    step = float(times[1] - times[0])
    cosine, sine = np.cos(omega * step), step * np.sinc(omega * step / np.pi)  # sin(ωh)/ω
    rule = None if start is None else TimeRule(start, times, float(omega.max()))
    states = np.empty((STATES, len(times), len(square)))
    q, p = np.full(len(square), value), np.full(len(square), rate)
    kernels: tuple[FloatArray, FloatArray] | None = None
    for j, t in enumerate(times):
        force = 0.0 if start is None else float(start(np.array([t]))[0])
        states[:, j] = q, p, force - square * q
        q, p = cosine * q + sine * p, cosine * p - square * sine * q
        if rule is not None and start is not None and j < len(times) - 1:
            nodes, weights = rule.nodes(j)
            plain = nodes is rule.plain[0]
            now = kernels if plain and kernels is not None else _kernels(omega, step - nodes)
            kernels = now if plain else kernels
            drive = weights * start(t + nodes)
            q, p = q + drive @ now[0], p + drive @ now[1]
    return states


def _kernels(omega: FloatArray, late: FloatArray) -> tuple[FloatArray, FloatArray]:
    """sin(ωs)/ω and cos(ωs) for the time s that is left, (n, m)."""
    angle = late[:, None] * omega
    return late[:, None] * np.sinc(angle / np.pi), np.cos(angle)


def series(largest: float, times: FloatArray, start: Signal | None, value: float, rate: float) -> FloatArray:
    """Coefficients (3, n, degree + 1) of Chebyshev's polynomials in 2A/Λ − 1 for the states of `oscillate`."""
    reach = np.sqrt(largest) * float(times[-1] - times[0])
    count = int(reach / 2 + 10 * np.cbrt(reach) + 40)
    angle = np.pi * (np.arange(count) + 0.5) / count
    values = oscillate(largest * (1 + np.cos(angle)) / 2, times, start, value, rate)
    coefficients = dct(values, axis=-1) / count
    coefficients[..., 0] /= 2
    size = np.abs(coefficients).max(axis=1)
    needed = (size > NEGLIGIBLE * size.max(axis=1, keepdims=True)).any(axis=0)
    return np.asarray(coefficients[..., : int(np.flatnonzero(needed).max(initial=0)) + 1])


def propagate(
    operator: Operator,
    largest: float,
    vectors: Sequence[FloatArray],
    coefficients: Sequence[FloatArray],
) -> FloatArray:
    """Σ over the vectors of Σ_k coefficients[…, k] T_k(2A/Λ − 1) vector: (3, n, *shape of a vector).

    operator: A. largest: Λ. coefficients: one (3, n, degree + 1) for each vector.
    """
    states, moments, _ = coefficients[0].shape
    total = np.zeros((states * moments, vectors[0].size))
    for vector, table in zip(vectors, coefficients, strict=True):
        flat = table.reshape(states * moments, -1)
        polynomials: list[FloatArray] = []
        older, old = vector, vector
        done = 0
        for k in range(flat.shape[1]):
            if k == 0:
                new = vector
            elif k == 1:
                new = 2 / largest * operator(vector) - vector
            else:
                new = 2 * (2 / largest * operator(old) - old) - older
            older, old = old, new
            polynomials.append(new.ravel())
            if len(polynomials) == BLOCK or k == flat.shape[1] - 1:
                total += flat[:, done : k + 1] @ np.stack(polynomials)
                done, polynomials = k + 1, []
    return total.reshape(states, moments, *vectors[0].shape)
