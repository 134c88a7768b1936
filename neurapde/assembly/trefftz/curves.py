"""The boundaries of plane shapes cut into panels: smooth pieces with one region, or none, on either side."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from neurapde.core.declaration import Declaration
from neurapde.domains.edges import Arc, Segment

Array = NDArray[np.float64]
Edge = Segment | Arc
SAME = 1e-9
"""Fraction of the domain's extent: nearer places count as one."""


@dataclass(frozen=True)
class Curve(Declaration):
    """The part of an edge from `start` to `stop`, as fractions of its length."""

    edge: Edge
    start: float = 0.0
    stop: float = 1.0

    @property
    def length(self) -> float:
        """Arc length."""
        return self.edge.length * (self.stop - self.start)

    @cached_property
    def closed(self) -> bool:
        """Whether it is a full circle."""
        if not isinstance(self.edge, Arc) or (self.start, self.stop) != (0.0, 1.0):
            return False
        return math.isclose(abs(self.edge.stop_angle - self.edge.start_angle), 2 * math.pi)

    @property
    def radius(self) -> float:
        """Of curvature; infinite for a straight one."""
        return self.edge.radius if isinstance(self.edge, Arc) else math.inf

    def points(self, t: Array) -> Array:
        """The places (n, 2) at fractions t (n,) of the curve's length."""
        return place_on(self.edge, self.start + (self.stop - self.start) * np.asanyarray(t, dtype=float))

    def normals(self, t: Array) -> Array:
        """Unit normals (n, 2) to the right of the curve's direction."""
        s = self.start + (self.stop - self.start) * np.asarray(t, dtype=float)
        if isinstance(self.edge, Segment):
            (x0, y0), (x1, y1) = self.edge.start, self.edge.end
            right = np.array([y1 - y0, x0 - x1]) / self.edge.length
            return np.broadcast_to(right, (len(s), 2)).copy()
        angle = self.edge.start_angle + (self.edge.stop_angle - self.edge.start_angle) * s
        turns = math.copysign(1.0, self.edge.stop_angle - self.edge.start_angle)
        return turns * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def place_on(edge: Edge, s: Array) -> Array:
    """The places (n, 2) at fractions s (n,) of an edge's length."""
    if isinstance(edge, Segment):
        start, end = np.array(edge.start), np.array(edge.end)
        return start + s[:, None] * (end - start)
    angle = edge.start_angle + (edge.stop_angle - edge.start_angle) * s
    return np.array(edge.center) + edge.radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def cut(edges: Sequence[Edge], cuts: Sequence[Edge], extent: float) -> list[Curve]:
    """The edges, each cut where it meets another, or one of `cuts`; a shared part appears once."""
    curves: list[Curve] = []
    middles = np.empty((0, 2))
    for i, edge in enumerate(edges):
        others = [*edges[:i], *edges[i + 1 :], *cuts]
        for curve in _pieces(
            edge, np.concatenate([np.empty(0), *(_met(edge, other) for other in others)]), extent
        ):
            middle = curve.points(np.array([0.5]))
            coincident = np.hypot(*(middles - middle).T) < SAME * extent
            if not any(
                math.isclose(curves[j].length, curve.length, rel_tol=1e-6) for j in np.flatnonzero(coincident)
            ):
                curves.append(curve)
                middles = np.concatenate([middles, middle])
    return curves


def _pieces(edge: Edge, places: Array, extent: float) -> list[Curve]:
    """An edge cut at places given as fractions of its length (m,); those outside (0, 1) do not count.

    A full circle that is met at its seam is also cut opposite, so that its ends count.
    """
    slack = SAME * extent / edge.length
    ends = [0.0]
    if Curve(edge).closed and (np.abs(places - np.round(places)) <= slack).any():
        places = np.append(places, 0.5)
    for s in sorted(places):
        if ends[-1] + slack < s < 1 - slack:
            ends.append(float(s))
    ends.append(1.0)
    return [Curve(edge, a, b) for a, b in itertools.pairwise(ends)]


def _met(edge: Edge, other: Edge) -> Array:
    """Fractions of an edge's length at which another one, or its end, lies on it; some may lie outside the edge."""
    ends = place_on(other, np.array([0.0, 1.0]))
    if isinstance(other, Arc) and Curve(other).closed:
        ends = ends[:0]
    candidates = [_fraction(edge, point) for point in (*ends, *_crossings(edge, other))]
    return np.array([s for s, point in candidates if point])


def _fraction(edge: Edge, point: Array) -> tuple[float, bool]:
    """The fraction of an edge's length nearest to a point, and whether the point lies on the edge."""
    if isinstance(edge, Segment):
        start, step = np.array(edge.start), np.array(edge.end) - np.array(edge.start)
        s = float((point - start) @ step / (step @ step))
    else:
        angle = math.atan2(point[1] - edge.center[1], point[0] - edge.center[0])
        span = edge.stop_angle - edge.start_angle
        s = (
            (angle - edge.start_angle) % (2 * math.pi) / span
            if span > 0
            else (edge.start_angle - angle) % (2 * math.pi) / -span
        )
    away = float(np.hypot(*(place_on(edge, np.array([s]))[0] - point)))
    return s, away < 10 * SAME * max(edge.length, 1e-300)


def _crossings(edge: Edge, other: Edge) -> list[Array]:
    """The places where the whole line or circle of one edge crosses that of another, on the other edge."""
    if isinstance(edge, Segment) and isinstance(other, Segment):
        places = _line_line(edge, other)
    elif isinstance(edge, Segment):
        assert isinstance(other, Arc)
        places = _line_circle(edge, other)
    elif isinstance(other, Segment):
        places = _line_circle(other, edge)
    else:
        places = _circle_circle(edge, other)
    return [point for point in places if _on(other, point)]


def _on(edge: Edge, point: Array) -> bool:
    s, near = _fraction(edge, point)
    return near and -1e-9 <= s <= 1 + 1e-9


def _line_line(line: Segment, other: Segment) -> list[Array]:
    a, b = np.array(line.start), np.array(other.start)
    u, v = np.array(line.end) - a, np.array(other.end) - b
    area = float(u[0] * v[1] - u[1] * v[0])
    if abs(area) < 1e-12 * line.length * other.length:
        return []
    s = ((b - a)[0] * v[1] - (b - a)[1] * v[0]) / area
    return [a + s * u]


def _line_circle(line: Segment, circle: Arc) -> list[Array]:
    start, center = np.array(line.start), np.array(circle.center)
    unit = (np.array(line.end) - start) / line.length
    along = float((center - start) @ unit)
    foot = start + along * unit
    half = circle.radius**2 - float((foot - center) @ (foot - center))
    if half < -1e-9 * circle.radius**2:
        return []
    return [foot + sign * math.sqrt(max(half, 0.0)) * unit for sign in (-1, 1)]


def _circle_circle(circle: Arc, other: Arc) -> list[Array]:
    a, b = np.array(circle.center), np.array(other.center)
    gap = float(np.hypot(*(b - a)))
    if gap < 1e-12 * circle.radius:
        return []
    along = (gap**2 + circle.radius**2 - other.radius**2) / (2 * gap)
    half = circle.radius**2 - along**2
    if half < -1e-9 * circle.radius**2:
        return []
    unit = (b - a) / gap
    across = math.sqrt(max(half, 0.0)) * np.array([-unit[1], unit[0]])
    return [a + along * unit + across, a + along * unit - across]
