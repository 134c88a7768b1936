"""The behaviour of a field at a corner: the smallest α > 0 with u ~ r^α, from the angles and coefficients there."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MOST = 4.0
"""Exponents above this are as good as smooth."""
STEPS = 800
HALVINGS = 50
FLAT = 1e-9


def corner_exponent(
    angles: Sequence[float], coefficients: Sequence[float], ends: tuple[bool, bool] | None = None
) -> float:
    """The smallest α > 0 for which r^α times a function of the angle solves ∇·(a∇u) = 0 at a corner.

    Integers of a field without a corner are left out only if there is one full turn of one coefficient, which has no
    corner.

    Args:
        angles: of the sectors in turn, radians.
        coefficients: a in each.
        ends: for a corner on the boundary, whether the value (else the slope) is given on the first and the last side;
            None if the sectors fill a full turn.
    """
    alphas = np.linspace(0.0, MOST, STEPS + 1)[1:]
    values = _determinant(alphas, angles, coefficients, ends)
    turns = np.flatnonzero(values[1:] * values[:-1] <= 0)
    candidates = [MOST]
    if len(turns):
        low, high = alphas[turns[0]], alphas[turns[0] + 1]
        start = values[turns[0]]
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            same = _determinant(np.array([middle]), angles, coefficients, ends)[0] * start > 0
            low, high = (middle, high) if same else (low, middle)
        candidates.append((low + high) / 2)
    if ends is None:  # a double root touches zero without a change of sign
        inner = np.flatnonzero(
            (np.abs(values[1:-1]) < np.abs(values[:-2])) & (np.abs(values[1:-1]) <= np.abs(values[2:]))
        )
        near = [float(alphas[i + 1]) for i in inner if np.abs(values[i + 1]) < 1e-3]
        candidates += near[:1]
    return float(min(candidates))


def _determinant(
    alphas: NDArray[np.float64],
    angles: Sequence[float],
    coefficients: Sequence[float],
    ends: tuple[bool, bool] | None,
) -> NDArray[np.float64]:
    """The determinant that vanishes if a field r^α exists: a rotation in each sector maps (u, a u′/α) from side to side."""
    carried = np.broadcast_to(np.eye(2), (len(alphas), 2, 2))
    for angle, a in zip(angles, coefficients, strict=True):
        c, s = np.cos(alphas * angle), np.sin(alphas * angle)
        carried = np.array([[c, s / a], [-a * s, c]]).transpose(2, 0, 1) @ carried
    if ends is None:
        return np.asarray(2.0 - carried[:, 0, 0] - carried[:, 1, 1])
    row, column = (0 if ends[1] else 1), (1 if ends[0] else 0)
    return np.asarray(carried[:, row, column])
