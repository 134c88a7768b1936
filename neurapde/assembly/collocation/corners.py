"""Corners of a planar domain where solutions are not smooth, and their opening angles."""

from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np
from scipy.spatial import cKDTree

from neurapde.conditions import Sides
from neurapde.core.errors import DeclarationError
from neurapde.domains.base import Domain
from neurapde.domains.edges import Arc, Segment
from neurapde.trials.fourier_extension import Corner

PROBE = 1e-5  # radius of the circle on which an angle is measured, in units of the domain's size
DIRECTIONS = 720
STEP, BESIDE = (
    3e-3,
    4096,
)  # part of the domain's size away from a corner where its sides are looked at; points to know them
WHOLE = 6.28  # rad, from which on an arc is a circle without ends
STRAIGHT = 1e-4  # opening less π, rad, that is the curvature of an arc within the circle of the probe


class _Beside:
    """The condition on the boundary near a corner."""

    def __init__(self, sides: Sides) -> None:
        given = [
            condition.faces(sides.domain) for condition in sides.conditions if condition.mixed is not None
        ]
        self.mixed = len({type(condition) for condition in sides.conditions}) > 1
        self._trees = [
            cKDTree(sides.domain.sample_boundary(BESIDE, on=faces, how="grid").points.numpy())
            for faces in given
            if self.mixed or len(given) > 1
        ]

    def change_at(self, at: np.ndarray, directions: Sequence[float], size: float) -> bool:
        """Whether the conditions differ a little way from `at` along its two sides."""
        if not self._trees:
            return False
        steps = np.array([[np.cos(angle), np.sin(angle)] for angle in directions])
        distances = [tree.query(at + STEP * size * steps)[0] for tree in self._trees]
        first, second = np.argmin(distances, axis=0)
        return bool(first != second)


def corners_of(domain: Domain, sides: Sides | None = None) -> tuple[Corner, ...]:
    """The corners between the edges of a planar domain; none in other dimensions.

    At arcs the functions are those of the tangents; their products with polynomials represent the effect of curvature.
    A straight angle is a corner only where one condition ends and another begins.

    sides: the conditions on the boundary; if there are several kinds, values may be prescribed on one side of a corner
        and slopes on the other.
    A corner at which the domain opens more than once (two parts that touch) is left out.
    """
    if domain.dimension != 2:
        return ()
    try:
        edges = list(domain.edges)
    except DeclarationError:  # a domain without known edges
        return ()
    size = max(domain.extents)
    corners, beside = [], None if sides is None else _Beside(sides)
    for at in _candidates(edges, size):
        angles = _opening(domain, at, PROBE * size)
        if angles is None:
            continue
        start, opening = angles
        straight = abs(opening - np.pi) <= STRAIGHT
        if not straight or (beside is not None and beside.change_at(at, (start, start + opening), size)):
            mixed = beside is not None and beside.mixed
            corners.append(Corner((float(at[0]), float(at[1])), start, opening, size, mixed))
    return tuple(corners)


def _candidates(edges: list[Segment | Arc], size: float) -> np.ndarray:
    """Ends of segments and possible crossings of two edges, each once, (n, 2)."""
    points = [end for edge in edges if isinstance(edge, Segment) for end in (edge.start, edge.end)]
    points += [
        end
        for edge in edges
        if isinstance(edge, Arc) and edge.length < WHOLE * edge.radius
        for end in edge.ends
    ]
    for edge, other in combinations(edges, 2):
        if isinstance(edge, Arc):
            points += _on_circle(edge, other, size)
        elif isinstance(other, Arc):
            points += _on_circle(other, edge, size)
        else:
            points += _crossing(edge, other, size)
    if not points:
        return np.empty((0, 2))
    array = np.array(points)
    _, first = np.unique(np.round(array / (1e-9 * size)), axis=0, return_index=True)
    return array[np.sort(first)]


def _crossing(edge: Segment, other: Segment, size: float) -> list[tuple[float, float]]:
    """Where two segments cross."""
    a, b = np.array(edge.start), np.array(other.start)
    matrix = np.column_stack((np.subtract(edge.end, a), -np.subtract(other.end, b)))
    if abs(np.linalg.det(matrix)) <= 1e-12 * size**2:
        return []
    s, t = np.linalg.solve(matrix, b - a)
    return [_pair(a + s * np.subtract(edge.end, a))] if 0 <= s <= 1 and 0 <= t <= 1 else []


def _on_circle(arc: Arc, other: Segment | Arc, size: float) -> list[tuple[float, float]]:
    """Where an arc's circle meets a segment or another's circle: a later check finds whether that is on the boundary."""
    center = np.array(arc.center)
    if isinstance(other, Arc):
        away = np.subtract(other.center, center)
        distance = float(np.hypot(*away))
        if distance <= 1e-9 * size:
            return []
        ahead, along = (distance**2 + arc.radius**2 - other.radius**2) / (2 * distance), away / distance
        foot, across = center + ahead * along, np.array([-along[1], along[0]])
    else:
        across = np.subtract(other.end, other.start) / other.length
        foot = np.array(other.start) + across * ((center - other.start) @ across)
        ahead = float(np.hypot(*(foot - center)))
    if abs(ahead) >= arc.radius:
        return []
    half = np.sqrt(arc.radius**2 - ahead**2)
    both = [foot + sign * half * across for sign in (1, -1)]
    if isinstance(other, Segment):
        both = [at for at in both if 0 <= (at - other.start) @ across <= other.length]
    return [_pair(at) for at in both]


def _pair(point: np.ndarray) -> tuple[float, float]:
    return float(point[0]), float(point[1])


def _opening(domain: Domain, at: np.ndarray, radius: float) -> tuple[float, float] | None:
    """The direction at which the domain opens about a point, and how far; None unless it opens exactly once."""

    def inside(angles: np.ndarray) -> np.ndarray:
        circle = np.stack((np.cos(angles), np.sin(angles)), axis=1)
        return np.asarray(domain.contains(at + radius * circle))

    angles = 2 * np.pi * (np.arange(DIRECTIONS) + 0.37) / DIRECTIONS
    within = inside(angles)
    rises = np.flatnonzero(within & ~np.roll(within, 1))
    falls = np.flatnonzero(~within & np.roll(within, 1))
    if len(rises) != 1:
        return None
    step = 2 * np.pi / DIRECTIONS
    start = _bisect(inside, angles[rises[0]] - step, angles[rises[0]])
    stop = _bisect(inside, angles[falls[0]] - step, angles[falls[0]])
    return start, (stop - start) % (2 * np.pi)


def _bisect(inside: Callable[[np.ndarray], np.ndarray], low: float, high: float) -> float:
    """The angle between `low` and `high` at which `inside` changes."""
    value = inside(np.array([low]))[0]
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if inside(np.array([middle]))[0] == value else (low, middle)
    return (low + high) / 2
