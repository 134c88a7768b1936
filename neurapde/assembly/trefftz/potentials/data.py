"""Data along a panel: their jumps and kinks, and the lengths of cells that resolve them."""

import math
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from neurapde.assembly.trefftz.curves import Array
from neurapde.assembly.trefftz.regions import Panel
from neurapde.core.arrays import to_numpy
from neurapde.fields.hidden import hidden_places
from neurapde.fields.medium import Constant, Field
from neurapde.spectral.quadrature import gauss

NODES, LOOKED = 10, 4096
"""Gauss points of a cell, and points of a whole panel at which their polynomial is held against the data."""
CLOSE = 1e-9
"""Of the largest value: how near it must be."""
SHORT = 1e-5
"""Of a panel's length: cells that are shorter and not resolved have a jump or a kink in them."""
JOINED = 8.0
"""Such cells that are no farther apart than so many of them have one place in common."""
CLOSER = 10.0 ** -np.arange(1.0, 9.0)
"""Of a panel's length: the distances from what is hidden at which cells end."""
HALVINGS = 40
BESIDE = 1e-12
"""Of a panel's length: how far from a jump, and from its ends, the data are asked."""
MOST = 8
"""Jumps and kinks of one panel that a method takes."""

Data = Callable[[Array], Array]
"""Values (n, fields) at fractions (n,) of a panel's length."""


def along(panel: Panel, field: Field, t: Array) -> Array:
    """Values (n,) of a field at fractions t (n,) of a panel's length; at its ends a little inside."""
    points = panel.curve.points(np.clip(t, BESIDE, 1 - BESIDE))
    return np.asarray(to_numpy(field(points)), dtype=float)


def largest(panel: Panel, field: Field) -> float:
    """The largest absolute value of a field along a panel."""
    return float(np.abs(along(panel, field, np.linspace(0, 1, LOOKED))).max())


def data_on(panel: Panel, fields: Sequence[tuple[Field, float]]) -> Data | None:
    """The fields along a panel that are not constant, each in units of a size, or None."""
    varying = [(field, size) for field, size in fields if not isinstance(field, Constant) and size > 0]
    if not varying:
        return None
    return lambda t: np.stack([along(panel, field, t) / size for field, size in varying], axis=1)


def resolved(data: Data, start: float = 0.0, stop: float = 1.0) -> tuple[Array, list[float]]:
    """The ends (m + 1,) of cells on which the data are polynomials, and the ends of cells where they jump or bend."""
    whole = stop - start
    ends = [start]
    rough: list[list[float]] = []
    waiting = list(pairwise(_hidden(data, start, stop)))[::-1]
    while waiting:
        low, high = waiting.pop()
        if _missed(data, low, high, whole) > CLOSE:
            if high - low > SHORT * whole:
                waiting += [((low + high) / 2, high), (low, (low + high) / 2)]
                continue
            if rough and low - rough[-1][1] < JOINED * SHORT * whole:
                rough[-1][1] = high
            elif len(rough) > MOST:
                break
            else:
                rough.append([low, high])
        ends.append(high)
    return np.array(ends), [_break(data, low, high) for low, high in rough]


def _hidden(data: Data, start: float, stop: float) -> list[float]:
    """The ends of cells that become shorter and shorter towards places where the data are hidden between points."""
    ends = np.array([[start], [stop]])
    places = hidden_places(lambda t: np.abs(data(t[:, 0])).sum(axis=1), *ends)[:MOST]
    steps = (stop - start) * CLOSER
    cut = np.concatenate([ends.ravel(), *(place + step for place in places for step in (-steps, steps))])
    return np.unique(np.clip(cut, start, stop)).tolist()


def _missed(data: Data, low: float, high: float, whole: float) -> float:
    """The error of a cell's polynomial in the data."""
    count = math.ceil(NODES + LOOKED * (high - low) / whole)
    nodes, fresh, matrix = _interpolation(min(count, LOOKED))
    values = data(low + (high - low) * np.concatenate([nodes, fresh]))
    return float(np.abs(matrix @ values[: len(nodes)] - values[len(nodes) :]).max())


@cache
def _interpolation(count: int) -> tuple[Array, Array, NDArray[np.float64]]:
    """Gauss points of (0, 1), other points, and the matrix that interpolates from the first to the others."""
    x, weights = gauss(NODES)
    fresh = np.sin(np.pi / 2 * np.linspace(-1, 1, count))
    barycentric = (-1.0) ** np.arange(NODES) * np.sqrt((1 - x**2) * weights)
    away = fresh[:, None] - x
    away = np.where(away == 0, 1e-300, away)
    matrix = barycentric / away
    return (1 + x) / 2, (1 + fresh) / 2, matrix / matrix.sum(axis=1, keepdims=True)


def _break(data: Data, low: float, high: float) -> float:
    """The place of a jump of the data in a cell, or else the place of a kink."""
    start, stop, step = low, high, high - low
    change = np.abs(np.diff(data(np.array([low, high])), axis=0)).max()
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        first, second = np.abs(np.diff(data(np.array([low, middle, high])), axis=0)).max(axis=1)
        low, high = (low, middle) if first >= second else (middle, high)
    if np.abs(np.diff(data(np.array([low, high])), axis=0)).max() > change / 3:
        return (low + high) / 2
    values = data(np.array([start - step, start, stop, stop + step]))
    left, right = (values[1] - values[0]) / step, (values[3] - values[2]) / step
    which = int(np.argmax(np.abs(left - right)))
    bend = float((left - right)[which])
    if bend == 0:
        return (start + stop) / 2
    rise = float((values[2] - values[1])[which])
    met = (rise + float(left[which]) * start - float(right[which]) * stop) / bend
    return float(np.clip(met, start, stop))
