"""Loads as sums of sines on a box twice as long, and their fields, for any function that is smooth around a region.

On the larger box the sines prescribe nothing at the rim of the smaller one, so their sums converge to a smooth
function faster than any power (Fourier extension; Adcock, Huybrechs, Martín-Vaquero 2014). They are products of
functions of one axis: two small singular value decompositions fit all of them at once. Each is an eigenfunction, so a
division gives its field.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from neurapde.assembly.trefftz.features.base import BATCH
from neurapde.assembly.trefftz.potentials.loads import Array, Medium, Potential
from neurapde.jets.layout import Layout
from neurapde.spectral.quadrature import gauss

CUT = 1e-13
"""Of the largest product of singular values: what is below it is none."""
LENGTHS = (2.0, 2.09, 2.19)
"""Of the larger box, in lengths of the smaller one: the one is taken whose frequencies are farthest from a resonance."""


@dataclass(frozen=True, eq=False)
class Frame:
    """cos(κ_j t) and sin(κ_j t), κ_j = jπ/length, on [−1, 1].

    nodes, roots: Gauss points and the roots of their weights, `(m,)`. left, sizes, right: the table's factors U s V.
    """

    frequencies: Array
    nodes: Array
    roots: Array
    left: Array
    sizes: Array
    right: Array


@lru_cache(maxsize=64)
def frame(order: int, length: float) -> Frame:
    """The frame of frequencies 0 … order, at twice as many Gauss points as functions."""
    frequencies: Array = np.arange(order + 1.0) * math.pi / length
    nodes, weights = gauss(2 * (2 * order + 1))
    roots = np.sqrt(weights)
    table: Array = waves(nodes, frequencies, 0) * roots[:, None]
    return Frame(frequencies, nodes, roots, *np.linalg.svd(table, full_matrices=False))


def waves(t: Array, frequencies: Array, order: int) -> Array:
    """cos(κ_j t) for all j and sin(κ_j t) for j > 0, or a derivative of them, at `(n,)`: `(n, 2j + 1)`."""
    turns = np.exp(1j * frequencies[1] * t)
    powers = np.cumprod(np.broadcast_to(turns[:, None], (len(t), len(frequencies) - 1)), axis=1)
    derivatives = powers * (1j * frequencies[1:]) ** order
    first = np.full((len(t), 1), 0.0 if order else 1.0)
    return np.concatenate([first, derivatives.real, derivatives.imag], axis=1)


def fitted(values: Array, first: tuple[Array, Array, Array], second: tuple[Array, Array, Array]) -> Array:
    """The coefficients of products of two tables, each given by its factors U s V, that fit values best."""
    (u, s, v), (x, t, y) = first, second
    sizes = s[:, None] * t
    divisors = np.where(sizes > CUT * sizes.max(), sizes, np.inf)
    return np.asarray(v.T @ ((u.T @ values @ x) / divisors) @ y)


@dataclass(frozen=True, eq=False)
class SinesPotential(Potential):
    """Σ cᵢⱼ φᵢ((x − x₀)/h) φⱼ((y − y₀)/k) + mean |x − x₀|².

    coefficients: c of cosines and sines, `(2m + 1, 2m + 1)`. frequencies: `(m + 1,)`. halves: (h, k).
    """

    coefficients: Array
    frequencies: Array
    center: Array
    halves: Array
    mean: float = 0.0

    def channels(self, points: Array, layout: Layout) -> Array:
        step = max(1, BATCH // len(self.coefficients))
        parts = [self._part(points[i : i + step], layout) for i in range(0, max(len(points), 1), step)]
        return np.concatenate(parts, axis=1)

    def _part(self, points: Array, layout: Layout) -> Array:
        scaled = (points - self.center) / self.halves
        tables = [
            [
                waves(scaled[:, i], self.frequencies, order) / self.halves[i] ** order
                for order in range(layout.order + 1)
            ]
            for i in range(2)
        ]
        sums = [table @ self.coefficients for table in tables[0]]
        channels = np.stack([np.einsum("ij,ij->i", sums[i], tables[1][j]) for i, j in layout.degrees])
        if self.mean:
            away = points - self.center
            for channel, axes in enumerate(layout.derivatives):
                if not axes:
                    channels[channel] += self.mean * (away**2).sum(axis=1)
                elif len(axes) == 1:
                    channels[channel] += 2 * self.mean * away[:, axes[0]]
                elif axes[0] == axes[1]:
                    channels[channel] += 2 * self.mean
        return channels

    def describe(self) -> str:
        return f"{len(self.coefficients)}×{len(self.coefficients)} sines"


@dataclass(frozen=True, eq=False)
class SinesLoad:
    """A load as a sum of sines: coefficients as in `SinesPotential`."""

    coefficients: Array
    frequencies: Array
    center: Array
    halves: Array

    def __call__(self, points: Array) -> Array:
        """Its density (n,) at points (n, 2)."""
        potential = SinesPotential(self.coefficients, self.frequencies, self.center, self.halves)
        return np.asarray(potential.channels(points, Layout(2, 0))[0])

    def particular(self, medium: Medium) -> SinesPotential:
        """Its field."""
        symbol = _symbol(self.frequencies, self.halves, medium)
        mean = 0.0
        coefficients = self.coefficients / np.where(symbol == 0, np.inf, symbol)
        if medium.reaction == 0:
            mean = -float(self.coefficients[0, 0]) / (4 * medium.coefficient)
        return SinesPotential(coefficients, self.frequencies, self.center, self.halves, mean)


def _symbol(frequencies: Array, halves: Array, medium: Medium) -> Array:
    """The factor of −aΔ + c for every product of sines."""
    every = np.concatenate([frequencies, frequencies[1:]])
    squares = (every[:, None] / halves[0]) ** 2 + (every / halves[1]) ** 2
    return np.asarray(medium.coefficient * squares + medium.reaction)


def sines_on(lower: Array, upper: Array, order: int, medium: Medium) -> tuple[Frame, Array]:
    """The frame for loads on a box, and its nodes as points (m², 2)."""
    halves = (upper - lower) / 2
    lengths = LENGTHS if medium.reaction < 0 else LENGTHS[:1]
    extension = max(
        (frame(order, length) for length in lengths),
        key=lambda candidate: float(np.abs(_symbol(candidate.frequencies, halves, medium)).min()),
    )
    x, y = ((lower[i] + upper[i]) / 2 + halves[i] * extension.nodes for i in range(2))
    return extension, np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)


def sines_load(values: Array, extension: Frame, lower: Array, upper: Array) -> SinesLoad:
    """The sum nearest to values (m²,) at the points of `sines_on`."""
    weighed = values.reshape(len(extension.nodes), -1) * extension.roots[:, None] * extension.roots
    factors = extension.left, extension.sizes, extension.right
    return SinesLoad(
        fitted(weighed, factors, factors), extension.frequencies, (lower + upper) / 2, (upper - lower) / 2
    )
