"""Polynomials on the elements of one axis, for waves in stretched coordinates: matrices, and eigenfunctions of both.

The basis is that of `spectral.legendre` on every element: hats at the edges of elements, bubbles between them. With the
stretch e of the axis its matrices are M = ∫ e ψψ and K = ∫ ψ′ψ′/e + β at the ends, complex and symmetric. Their
eigenvectors, K V = M V Λ with Vᵀ M V = 1, turn K ⊗ M ⊗ M + M ⊗ K ⊗ M + M ⊗ M ⊗ K + c M ⊗ M ⊗ M into a number for each
product. A layer makes them nearly dependent, so what they give is the first guess of an iteration and no solution.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.polynomial.legendre import legvander
from numpy.typing import NDArray
from scipy.linalg import block_diag, eig

from neurapde.conditions.stretch import AxisStretch
from neurapde.spectral.quadrature import gauss

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

STRETCHED = 6
"""Points of a quadrature on an element beyond those for products of its polynomials, since 1/e is none."""


@dataclass(frozen=True)
class ElementEnds:
    """What holds at the (lower, upper) end: a value where fixed, else ∂u/∂n + ratio u; or the two ends are one."""

    fixed: tuple[bool, bool] = (True, True)
    ratios: tuple[complex, complex] = (0.0, 0.0)
    periodic: bool = False


@dataclass(frozen=True)
class LocalBasis:
    """The polynomials of one element: hats of its two ends, then bubbles.

    places: of their amplitudes. rows: of its points in the quadrature of the axis. weights: there. products: of any two
    polynomials there, (points, n²). mass, stiffness: (n, n), with what happens at ends of the axis.
    """

    places: NDArray[np.int64]
    rows: slice
    weights: Array
    products: Array
    mass: Complex
    stiffness: Complex


class ElementAxis:
    """The polynomials of a degree on each element of an axis, continuous across its edges.

    edges: (m + 1,), increasing. degrees: (m,), at least 1. rules: points and weights (n,) of a quadrature on each element.
    count: amplitudes, those of the hats first. free: (count, n) from the unknown amplitudes to all of them.
    to_legendre: (Σ (degree + 1), count), to the amplitudes of Legendre polynomials on each element.
    x, weights: the quadrature. values: (points, count), the basis there.
    """

    def __init__(
        self,
        edges: Sequence[float],
        degrees: Sequence[int],
        rules: Sequence[tuple[Array, Array]],
        stretch: AxisStretch,
        ends: ElementEnds,
    ) -> None:
        self.edges, self.degrees, self.ends = np.asarray(edges, dtype=float), tuple(degrees), ends
        self.lower, self.upper = float(self.edges[0]), float(self.edges[-1])
        hats = len(self.edges)
        self.count = hats + sum(p - 1 for p in degrees)
        self.to_legendre = np.zeros((sum(p + 1 for p in degrees), self.count))
        row, column = 0, hats
        for element, p in enumerate(degrees):
            self.to_legendre[row : row + p + 1, element : element + 2] = _hats(p)
            self.to_legendre[row : row + p + 1, column : column + p - 1] = _bubbles(p)
            row, column = row + p + 1, column + p - 1
        self.x, self.weights, self.values, _ = self._tables(rules)
        exact = [
            gauss_on(a, b, p + STRETCHED)
            for a, b, p in zip(self.edges[:-1], self.edges[1:], degrees, strict=True)
        ]
        x, weights, values, slopes = self._tables(exact)
        e = np.asarray(stretch.factor(x))
        self.mass: Complex = values.T @ ((weights * e)[:, None] * values)
        self.stiffness: Complex = slopes.T @ ((weights / e)[:, None] * slopes)
        for end, index in enumerate((0, hats - 1)):
            if not ends.periodic and not ends.fixed[end]:
                self.stiffness[index, index] += ends.ratios[end]
        self.places = np.arange(self.count)
        if ends.periodic:
            self.places[hats - 1] = 0
        self.free = self._free()
        self._counts = [(len(rule[0]), len(other[0])) for rule, other in zip(rules, exact, strict=True)]
        self._exact = weights * e, weights / e, values, slopes

    def end(self, end: int) -> int:
        """The amplitude that is the value at the lower or the upper end."""
        return 0 if end == 0 else len(self.edges) - 1

    @cached_property
    def nodes(self) -> Array:
        """Points (count,) at which values determine the amplitudes: edges, and Chebyshev points of every element."""
        nodes = [self.edges]
        for a, b, p in zip(self.edges[:-1], self.edges[1:], self.degrees, strict=True):
            nodes.append((a + b) / 2 - (b - a) / 2 * np.cos(np.pi * np.arange(1, p) / p))
        return np.concatenate(nodes)

    @cached_property
    def interpolation(self) -> Array:
        """From values at the nodes to amplitudes, (count, count)."""
        return np.asarray(np.linalg.inv(self.at(self.nodes)))

    def at(self, x: Array) -> Array:
        """The basis at x (n,), (n, count)."""
        return np.asarray(legendre_tables(self.edges, self.degrees, x) @ self.to_legendre)

    @cached_property
    def eigen(self) -> tuple[Complex, Complex]:
        """Λ (n,), and V (n, n) of the unknown amplitudes."""
        mass, stiffness = (self.free.T @ matrix @ self.free for matrix in (self.mass, self.stiffness))
        size = 1 / np.sqrt(
            np.abs(np.diag(stiffness)) + np.abs(np.diag(mass)) / (self.upper - self.lower) ** 2
        )
        rates, vectors = eig(stiffness * np.outer(size, size), mass * np.outer(size, size))
        vectors = size[:, None] * vectors
        norms = np.sum(vectors * (mass @ vectors), axis=0)
        return np.asarray(rates), np.asarray(vectors / np.sqrt(norms))

    @cached_property
    def elements(self) -> list[LocalBasis]:
        """The same element by element."""
        mass, stiffness, values, slopes = self._exact
        elements, row, first, bubble = [], 0, 0, len(self.edges)
        for number, (p, (q, m)) in enumerate(zip(self.degrees, self._counts, strict=True)):
            numbers = np.concatenate(([number, number + 1], np.arange(bubble, bubble + p - 1)))
            rows, finer = slice(row, row + q), slice(first, first + m)
            at, steep = values[finer][:, numbers], slopes[finer][:, numbers]
            local = steep.T @ (stiffness[finer, None] * steep)
            for end, element in enumerate((0, len(self.degrees) - 1)):
                if number == element and not self.ends.periodic and not self.ends.fixed[end]:
                    local[end, end] += self.ends.ratios[end]
            elements.append(
                LocalBasis(
                    self.places[numbers],
                    rows,
                    self.weights[rows],
                    _products(self.values[rows][:, numbers]),
                    at.T @ (mass[finer, None] * at),
                    local,
                )
            )
            row, first, bubble = row + q, first + m, bubble + p - 1
        return elements

    def _tables(self, rules: Sequence[tuple[Array, Array]]) -> tuple[Array, Array, Array, Array]:
        """Points of all elements, weights, and the basis and its derivatives there."""
        values, slopes = [], []
        for a, b, p, (x, _) in zip(self.edges[:-1], self.edges[1:], self.degrees, rules, strict=True):
            half = (b - a) / 2
            t = (x - a) / half - 1
            values.append(legvander(t, p))
            slopes.append(_derivatives(t, p) / half)
        tables = [np.asarray(block_diag(*blocks) @ self.to_legendre) for blocks in (values, slopes)]
        x, weights = (np.concatenate(arrays) for arrays in zip(*rules, strict=True))
        return x, weights, tables[0], tables[1]

    def _free(self) -> Array:
        every, last = np.eye(self.count), len(self.edges) - 1
        free = list(range(self.count))
        if self.ends.periodic:
            every[last] += every[0]
            every[last, last] = 0.0
            free.remove(last)
            return every[:, free]
        for end, index in ((0, 0), (1, last)):
            if self.ends.fixed[end]:
                free.remove(index)
        return every[:, free]


def gauss_on(lower: float, upper: float, count: int) -> tuple[Array, Array]:
    """Gauss points between two ends and their weights, (count,) each."""
    unit, weights = gauss(count)
    half = (upper - lower) / 2
    return lower + half * (unit + 1), half * weights


def legendre_tables(edges: Array, degrees: Sequence[int], x: Array) -> Array:
    """Legendre polynomials of every element at x (n,), 0 outside it: (n, Σ (degree + 1))."""
    element = np.clip(np.searchsorted(edges, x, side="right") - 1, 0, len(degrees) - 1)
    tables = np.zeros((len(x), sum(p + 1 for p in degrees)))
    first = np.concatenate(([0], np.cumsum([p + 1 for p in degrees])))
    for number, p in enumerate(degrees):
        inside = element == number
        half = (edges[number + 1] - edges[number]) / 2
        tables[inside, first[number] : first[number + 1]] = legvander(
            (x[inside] - edges[number]) / half - 1, p
        )
    return tables


def _products(values: Array) -> Array:
    return (values[:, :, None] * values[:, None, :]).reshape(len(values), -1)


def _hats(degree: int) -> Array:
    matrix = np.zeros((degree + 1, 2))
    matrix[:2] = [[0.5, 0.5], [-0.5, 0.5]]
    return matrix


def _bubbles(degree: int) -> Array:
    """(P_j − P_{j−2})/√(2(2j − 1)) for j = 2 … degree, whose stiffness on [−1, 1] is 1."""
    j = np.arange(2, degree + 1)
    matrix = np.zeros((degree + 1, degree - 1))
    matrix[j, j - 2] = 1 / np.sqrt(2.0 * (2 * j - 1))
    matrix[j - 2, j - 2] = -matrix[j, j - 2]
    return matrix


def _derivatives(t: Array, degree: int) -> Array:
    """Of the Legendre polynomials at t (n,), (n, degree + 1)."""
    slope = np.zeros((degree + 1, degree + 1))
    for p in range(1, degree + 1):
        slope[p - 1 :: -2, p] = 2 * np.arange(p - 1, -1, -2) + 1
    return np.asarray(legvander(t, degree) @ slope)
