"""Collocation at Radau points: a polynomial over a window of time meets an equation at points up to its end.

It is an implicit Runge–Kutta method that damps stiff components, and its order at a window's end is twice that between
(Hairer and Wanner 1996, Solving Ordinary Differential Equations II, section IV.5).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray
from scipy.special import roots_jacobi

Matrix = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Radau:
    """Points on a window of length 1, and operators on values there.

    points: the start and the stages (stages + 1,), in [0, 1]. slopes: of the polynomial through values at the points, at
    the stages, (stages, stages + 1). coefficients: its Chebyshev coefficients (stages + 1, stages + 1) from the values.
    """

    points: Matrix
    slopes: Matrix
    coefficients: Matrix

    @property
    def stages(self) -> int:
        """The number of collocation points."""
        return len(self.points) - 1

    @property
    def weights(self) -> Matrix:
        """Of a quadrature at the stages of a window of length 1, (stages,)."""
        powers = vander(2 * self.points[1:] - 1, self.stages - 1)[0]
        k = np.arange(self.stages)
        even = np.where(k % 2 == 0, 1 / (1.0 - np.where(k % 2 == 0, k, 0) ** 2), 0.0)
        weights: Matrix = np.linalg.solve(powers.T, even)
        return weights

    @property
    def backward(self) -> Matrix:
        """Weights for the value at the start of the polynomial through the stages alone, (stages,)."""
        places = 2 * self.points - 1
        coefficients: Matrix = np.linalg.solve(
            vander(places[1:], self.stages - 1)[0].T, vander(places[:1], self.stages - 1)[0, 0]
        )
        return coefficients

    def rates(self, length: float) -> Matrix:
        """Operators from values at start and stages to u, u′ and u″ at the stages, (3, stages, stages + 1).

        u″ is the slope of u′ through its values at the stages, as in a first-order system, which keeps the damping.
        The part of u′ at the start is missing: add `slopes[:, 0] / length` times u′.
        """
        once = self.slopes / length
        return np.stack([np.eye(self.stages, self.stages + 1, 1), once, once[:, 1:] @ once])

    def extrapolated(self, ratio: float) -> Matrix:
        """Values at the stages of the window after this one, `ratio` times as long, from those at the points of this one."""
        values: Matrix = (
            chebyshev.chebvander(1 + 2 * ratio * self.points[1:], self.stages) @ self.coefficients
        )
        return values


@lru_cache
def radau(stages: int) -> Radau:
    """The points of a number of stages."""
    inner = roots_jacobi(stages - 1, 1, 0)[0] if stages > 1 else []
    places = np.concatenate([[-1.0], inner, [1.0]])
    return Radau(
        (places + 1) / 2, 2 * slopes_at(places, places)[1:], np.linalg.inv(vander(places, stages)[0])
    )


def vander(places: Matrix, degree: int) -> Matrix:
    """Chebyshev polynomials and two of their derivatives at places (n,) of [−1, 1]: (3, n, degree + 1)."""
    unit = np.eye(degree + 1)
    table: Matrix = np.stack([chebyshev.chebval(places, chebyshev.chebder(unit, k)).T for k in range(3)])
    return table


def slopes_at(nodes: Matrix, places: Matrix, order: int = 1) -> Matrix:
    """Derivatives at places (m,) of the polynomial through values at nodes (n,), all in [−1, 1]: (m, n)."""
    degree = len(nodes) - 1
    slopes: Matrix = np.linalg.solve(vander(nodes, degree)[0].T, vander(places, degree)[order].T).T
    return slopes
