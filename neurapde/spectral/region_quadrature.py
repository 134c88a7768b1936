"""Quadrature over a planar region with curved or straight edges, exact in its geometry.

The plane is cut at every x where an edge starts, stops, turns or meets another edge. Between two such cuts the edges
are graphs y(x) that keep their order, so the region is a stack of cells, each between two graphs. A cell is
integrated along vertical chords; the cuts are spaced by x = a + (b − a)(1 − cos πt)/2, which makes the square-root
ends of arcs smooth. No level set is sampled and no cell is approximated: the error is that of Gauss's rule alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np

from neurapde.domains.edges import Arc, Segment
from neurapde.spectral.quadrature import FloatArray, panels

Rectangle = tuple[tuple[float, float], tuple[float, float]]
"""((x0, x1), (y0, y1))."""


@dataclass(frozen=True)
class _Line:
    """The graph y = y0 + slope (x − x0) over [start, stop]."""

    x0: float
    y0: float
    slope: float
    start: float
    stop: float

    def __call__(self, x: FloatArray) -> FloatArray:
        return self.y0 + self.slope * (x - self.x0)


@dataclass(frozen=True)
class _Branch:
    """The upper (sign 1) or lower (sign −1) half of a circle over [start, stop]."""

    center: tuple[float, float]
    radius: float
    sign: int
    start: float
    stop: float

    def __call__(self, x: FloatArray) -> FloatArray:
        x0, y0 = self.center
        return y0 + self.sign * np.sqrt(np.maximum(self.radius**2 - (x - x0) ** 2, 0.0))


Graph = _Line | _Branch


def region_rule(
    contains: Callable[[FloatArray], np.ndarray],
    edges: Sequence[Segment | Arc],
    rectangle: Rectangle,
    breaks: tuple[Sequence[float], Sequence[float]],
    bandwidth: float,
) -> tuple[FloatArray, FloatArray]:
    """Quadrature points and weights over the part of `rectangle` where `contains` holds.

    contains:  points (n, 2) to bool (n,); constant between the edges.
    edges:     all curves across which `contains` or the integrand may jump; more than needed do no harm.
    rectangle: ((x0, x1), (y0, y1)).
    breaks:    x and y coordinates of lines across which the integrand has a kink.
    bandwidth: of the integrand, rad per unit length.
    Returns    points (n, 2) and weights (n,); n = 0 where the region does not meet the rectangle.
    """
    (left, right), (bottom, top) = rectangle
    lines = [bottom, *(y for y in breaks[1] if bottom < y < top), top]
    graphs: list[Graph] = [_Line(left, y, 0.0, left, right) for y in lines]
    for edge in edges:
        graphs += _graphs(edge)
    cuts = _cuts(graphs, [left, right, *breaks[0], *_vertical(edges)], left, right)

    points, weights = [np.empty((0, 2))], [np.empty(0)]
    for start, stop in pairwise(cuts):
        for low, high in _cells(graphs, contains, start, stop, bottom, top):
            cell_points, cell_weights = _cell_rule(low, high, start, stop, bandwidth)
            points.append(cell_points)
            weights.append(cell_weights)
    return np.concatenate(points), np.concatenate(weights)


def _vertical(edges: Sequence[Segment | Arc]) -> list[float]:
    return [edge.start[0] for edge in edges if isinstance(edge, Segment) and edge.start[0] == edge.end[0]]


def _graphs(edge: Segment | Arc) -> list[Graph]:
    """An edge as graphs over x: none for a vertical segment, one or more halves of circles for an arc."""
    if isinstance(edge, Segment):
        (x0, y0), (x1, y1) = sorted((edge.start, edge.end))
        return [] if x0 == x1 else [_Line(x0, y0, (y1 - y0) / (x1 - x0), x0, x1)]
    x0, y0 = edge.center
    begin, end = sorted((edge.start_angle, edge.stop_angle))
    first, last = int(np.ceil(begin / np.pi + 1e-12)), int(np.floor(end / np.pi - 1e-12))
    turns = [begin, *(np.pi * n for n in range(first, last + 1)), end]
    branches: list[Graph] = []
    for a, b in pairwise(turns):
        ends = sorted((x0 + edge.radius * np.cos(a), x0 + edge.radius * np.cos(b)))
        sign = 1 if np.sin((a + b) / 2) > 0 else -1
        branches.append(_Branch((x0, y0), edge.radius, sign, ends[0], ends[1]))
    return branches


def _cuts(graphs: Sequence[Graph], breaks: Sequence[float], left: float, right: float) -> FloatArray:
    """All x in [left, right] where the stack of graphs may change, increasing, without near repetitions."""
    crossings = [*breaks, *(g.start for g in graphs), *(g.stop for g in graphs)]
    crossings += _line_crossings([g for g in graphs if isinstance(g, _Line)])
    circles = list({(g.center, g.radius): g for g in graphs if isinstance(g, _Branch)}.values())
    for circle in circles:
        for graph in graphs:
            if isinstance(graph, _Line):
                crossings += _line_circle(graph, circle)
    for first, other in combinations(circles, 2):
        crossings += _circle_circle(first, other)
    cuts = np.unique(np.clip(crossings, left, right))
    distinct = cuts[np.concatenate(([True], np.diff(cuts) > 1e-13 * (right - left)))]
    distinct[-1] = right
    return distinct


def _line_crossings(lines: Sequence[_Line]) -> list[float]:
    slope = np.array([line.slope for line in lines])
    height = np.array([line.y0 - line.slope * line.x0 for line in lines])
    start = np.array([line.start for line in lines])
    stop = np.array([line.stop for line in lines])
    first, other = np.triu_indices(len(lines), 1)
    first, other = (side[slope[first] != slope[other]] for side in (first, other))
    x = (height[other] - height[first]) / (slope[first] - slope[other])
    inside = (x >= np.maximum(start[first], start[other])) & (x <= np.minimum(stop[first], stop[other]))
    return list(x[inside])


def _line_circle(line: _Line, circle: _Branch) -> list[float]:
    x0, y0 = circle.center
    offset = line(np.array([x0]))[0] - y0
    a, b, c = 1 + line.slope**2, line.slope * offset, offset**2 - circle.radius**2
    root = b * b - a * c
    return [] if root < 0 else [x0 + (-b - np.sqrt(root)) / a, x0 + (-b + np.sqrt(root)) / a]


def _circle_circle(first: _Branch, other: _Branch) -> list[float]:
    gap = np.subtract(other.center, first.center)
    distance = float(np.hypot(*gap))
    if distance == 0:
        return []
    along = (distance**2 + first.radius**2 - other.radius**2) / (2 * distance)
    square = first.radius**2 - along**2
    if square < 0:
        return []
    foot = first.center[0] + along * gap[0] / distance
    shift = np.sqrt(square) * gap[1] / distance
    return [foot - shift, foot + shift]


def _cells(
    graphs: Sequence[Graph],
    contains: Callable[[FloatArray], np.ndarray],
    start: float,
    stop: float,
    bottom: float,
    top: float,
) -> list[tuple[Graph, Graph]]:
    """Pairs of neighbouring graphs over [start, stop] with the region between them."""
    middle = np.array([(start + stop) / 2])
    slack = 1e-12 * (abs(start) + abs(stop) + stop - start)
    spanning = [g for g in graphs if g.start <= middle[0] <= g.stop and g.stop - g.start > slack]
    heights = np.array([g(middle)[0] for g in spanning])
    order = [i for i in np.argsort(heights, kind="stable") if bottom <= heights[i] <= top]
    pairs = [(i, j) for i, j in pairwise(order) if heights[j] - heights[i] > slack]
    if not pairs:
        return []
    probes = np.array([(middle[0], (heights[i] + heights[j]) / 2) for i, j in pairs])
    return [
        (spanning[i], spanning[j]) for (i, j), inside in zip(pairs, contains(probes), strict=True) if inside
    ]


def _cell_rule(
    low: Graph, high: Graph, start: float, stop: float, bandwidth: float
) -> tuple[FloatArray, FloatArray]:
    unit, weight = panels((stop - start) * np.pi / 2, bandwidth)
    x = start + (stop - start) * (1 - np.cos(np.pi * unit)) / 2
    wx = weight * (stop - start) * np.pi / 2 * np.sin(np.pi * unit)
    bottom, height = low(x), high(x) - low(x)
    unit, weight = panels(float(height.max()), bandwidth)
    y = bottom[:, None] + height[:, None] * unit
    points = np.stack((np.broadcast_to(x[:, None], y.shape), y), axis=-1).reshape(-1, 2)
    return points, (wx[:, None] * height[:, None] * weight).ravel()
