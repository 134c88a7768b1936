"""Polynomials of one axis that suit weak forms: two hats and bubbles, their integrals, and eigenfunctions of −∂².

The hats are (1 ∓ t)/2 and the bubbles integrals of Legendre polynomials, which vanish at both ends (Szabó and Babuška 1991).
Values at the ends are the amplitudes of the hats alone, so conditions on values are met by leaving hats out, and slopes
and mixed conditions by adding to the stiffness at the ends. The stiffness of the bubbles is the identity, so that
eigenvalues are as exact as rounding allows, whatever the degree.
"""

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.polynomial.legendre import legvander
from numpy.typing import NDArray

from neurapde.spectral.quadrature import gauss

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Ends:
    """What holds at the (lower, upper) end of an axis.

    fixed: whether values are given there. ratios: a/b of a u + b ∂u/∂n where they are not, n outward.
    periodic: whether the two ends are one, the rest then being of no account.
    """

    fixed: tuple[bool, bool] = (False, False)
    ratios: tuple[float, float] = (0.0, 0.0)
    periodic: bool = False


class LegendreAxis:
    """The polynomials of degree below `count` on [lower, upper], in the basis of hats and bubbles.

    to_legendre: (count, count), from amplitudes in this basis to those of Legendre polynomials of size 1 at the ends.
    mass, stiffness: ∫ ψ_i ψ_j and ∫ ψ_i′ ψ_j′, (count, count), without what happens at the ends.
    free: (count, n) from the unknown amplitudes to all of them.
    """

    def __init__(self, count: int, lower: float, upper: float, ends: Ends) -> None:
        self.count, self.ends = count, ends
        self.lower, self.upper, self.half = lower, upper, (upper - lower) / 2
        k = np.arange(2, count)
        size = np.sqrt(2.0 * (2 * k - 1))
        self.to_legendre = np.zeros((count, count))
        self.to_legendre[:2, :2] = [[0.5, 0.5], [-0.5, 0.5]]
        self.to_legendre[k, k], self.to_legendre[k - 2, k] = 1 / size, -1 / size
        weighed = self.to_legendre / (np.arange(count) + 0.5)[:, None]
        self.mass = self.half * (self.to_legendre.T @ weighed)
        self.stiffness = np.eye(count) / self.half
        self.stiffness[:2, :2] = np.array([[0.5, -0.5], [-0.5, 0.5]]) / self.half
        every = np.eye(count)
        if ends.periodic:
            self.free = np.column_stack((every[:, 0] + every[:, 1], every[:, 2:]))
        else:
            self.free = every[:, [*(end for end in (0, 1) if not ends.fixed[end]), *range(2, count)]]

    @property
    def robin(self) -> Array:
        """What the ends add to the stiffness where values and slopes are mixed, (count, count)."""
        matrix = np.zeros((self.count, self.count))
        if not self.ends.periodic:
            for end in (0, 1):
                matrix[end, end] = 0.0 if self.ends.fixed[end] else self.ends.ratios[end]
        return matrix

    def nodes(self, count: int) -> tuple[Array, Array]:
        """Gauss points of the axis and their weights, (count,) each."""
        unit, weights = gauss(count)
        return self.lower + self.half * (unit + 1), self.half * weights

    def values(self, x: Array) -> Array:
        """The basis at x (n,), (n, count)."""
        return np.asarray(legvander(self._unit(x), self.count - 1) @ self.to_legendre)

    def slopes(self, x: Array) -> Array:
        """Its derivatives at x (n,), (n, count)."""
        degree = np.arange(self.count - 1)
        slopes = legvander(self._unit(x), self.count - 2) * np.sqrt(degree + 0.5)
        slopes = np.concatenate([np.full((len(x), 1), -0.5), slopes], axis=1)
        slopes[:, 1] = 0.5
        return slopes / self.half

    def projection(self, x: Array, weights: Array) -> Array:
        """From values at x, the two ends and Gauss points between them, to amplitudes: (count, len(x)).

        Exact at the ends; in between the nearest polynomial. weights: of the Gauss points.
        """
        degree = np.arange(self.count)
        inner = legvander(self._unit(x[1:-1]), self.count - 1)
        legendre = (inner * weights[:, None] / self.half).T * (degree + 0.5)[:, None]
        projection = np.zeros((self.count, len(x)))
        projection[2:, 1:-1] = np.linalg.solve(self.to_legendre, legendre)[2:]
        projection[0, 0] = projection[1, -1] = 1.0
        return projection

    @cached_property
    def eigen(self) -> tuple[Array, Array]:
        """λ (n,) and amplitudes (count, n) of the orthonormal eigenfunctions of −∂² that meet the ends' conditions."""
        low, high = self.ends.ratios
        rates, vectors = _eigen(self.count, replace(self.ends, ratios=(low * self.half, high * self.half)))
        return rates / self.half**2, vectors / np.sqrt(self.half)

    def _unit(self, x: Array) -> Array:
        return (x - self.lower) / self.half - 1


@lru_cache(maxsize=64)
def _eigen(count: int, ends: Ends) -> tuple[Array, Array]:
    """The same on [−1, 1].

    Shifted by a multiple σ of the mass the stiffness is positive, and well conditioned in this basis; μ = 1/(λ + σ) are
    found, not λ, so that the slow ones are exact to rounding.
    """
    axis = LegendreAxis(count, -1.0, 1.0, ends)
    shift = 1.0 + sum(4 * ratio**2 - 2 * ratio for ratio in ends.ratios if ratio < 0)
    energy = axis.free.T @ (axis.stiffness + axis.robin + shift * axis.mass) @ axis.free
    inverse = np.linalg.inv(np.linalg.cholesky(energy))
    inner = inverse @ (axis.free.T @ axis.mass @ axis.free) @ inverse.T
    mu, vectors = np.linalg.eigh((inner + inner.T) / 2)
    mu, vectors = np.abs(mu[::-1]), vectors[:, ::-1]
    return 1 / mu - shift, axis.free @ (inverse.T @ vectors) / np.sqrt(mu)
