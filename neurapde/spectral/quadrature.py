"""Gauss–Legendre rules on intervals, as fine as a bandwidth asks for and broken where a coefficient has a kink.

An integrand of bandwidth κ (rad per unit length) needs about κh/2 nodes on an interval of length h, and a few more
for the digits; longer intervals are cut into panels.
"""

import itertools
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import roots_legendre

FloatArray = NDArray[np.float64]

SAFETY = (
    14  # nodes beyond half the bandwidth–length product: for the digits, and for cuts near the turn of an arc
)
LARGEST_PANEL = 48  # nodes; beyond it a panel is halved, so the table of rules stays small


@lru_cache(maxsize=256)
def gauss(count: int) -> tuple[FloatArray, FloatArray]:
    """Gauss–Legendre nodes on [−1, 1] and their weights, (count,) each."""
    nodes, weights = roots_legendre(count)
    return nodes, weights


def unit_rule(count: int) -> tuple[FloatArray, FloatArray]:
    """The same on [0, 1]."""
    nodes, weights = gauss(count)
    return (nodes + 1) / 2, weights / 2


def panels(length: float, bandwidth: float) -> tuple[FloatArray, FloatArray]:
    """Nodes and weights on [0, 1], for an integrand of `bandwidth` on an interval of `length`; each (n,)."""
    half = bandwidth * length / 2
    pieces = max(1, int(np.ceil(half / (LARGEST_PANEL - SAFETY))))
    nodes, weights = unit_rule(int(np.ceil(half / pieces)) + SAFETY)
    starts = np.arange(pieces)[:, None]
    return ((starts + nodes) / pieces).ravel(), np.tile(weights / pieces, pieces)


def interval_rule(breaks: Sequence[float], bandwidth: float) -> tuple[FloatArray, FloatArray]:
    """Nodes and weights over [breaks[0], breaks[-1]], exact across the kinks at the inner breaks.

    breaks:    increasing coordinates (m,), m ≥ 2.
    bandwidth: of the integrand, rad per unit length.
    Returns    nodes (n,) increasing and weights (n,).
    """
    nodes, weights = [], []
    for start, stop in itertools.pairwise(breaks):
        unit, weight = panels(stop - start, bandwidth)
        nodes.append(start + (stop - start) * unit)
        weights.append((stop - start) * weight)
    return np.concatenate(nodes), np.concatenate(weights)
