"""Rules on the unit interval for integrands singular at its ends: Gauss–Jacobi at one, graded panels at the other."""

from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.special import roots_jacobi

GRADED, PANELS = 0.2, 6
"""Ratio of panels that shrink towards an end, and how many there are."""

FloatArray = NDArray[np.float64]


@lru_cache(maxsize=64)
def one_sided(count: int, power: float, graded: bool) -> tuple[FloatArray, FloatArray]:
    """Nodes z and weights for ∫₀¹ (1 − z)^power f(z) dz, f smooth; if graded, f may be z^a at 0, a > −1 not an
    integer.

    The panel at 1 has Gauss–Jacobi nodes; each panel has a share of `count` by its length, and at least half of
    `count`.
    Source: Davis and Rabinowitz (1984), Methods of Numerical Integration, sections 2.7 and 2.12.
    """
    edges = np.append(GRADED ** np.arange(PANELS + 1.0), 0.0)[::-1] if graded else np.array([0.0, 1.0])
    nodes, weights = [], []
    for lower, upper in pairwise(edges):
        last, half = upper == 1.0, (upper - lower) / 2
        size = max(count // 2, round(count * (upper - lower)))
        z, w = roots_jacobi(size, power if last else 0.0, 0.0)
        place = lower + half * (1 + z)
        nodes.append(place)
        weights.append(w * half ** (1 + power) if last else w * half * (1 - place) ** power)
    return np.concatenate(nodes), np.concatenate(weights)
