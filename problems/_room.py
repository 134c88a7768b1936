"""A room as seen by a scanner in its middle: points on the floor, three walls and the furniture, with their normals.

Lengths in metres. The ceiling and the wall at the front are left out, so that the surface is open.
"""

import numpy as np
from numpy.typing import NDArray

ROOM = (5.0, 4.0, 2.6)
BOXES = (
    ((1.5, 1.2, 0.70), (3.1, 2.1, 0.76)),  # a table's top
    *(((x, y, 0.0), (x + 0.08, y + 0.08, 0.70)) for x in (1.55, 2.97) for y in (1.25, 1.97)),  # and its legs
    ((0.0, 2.8, 0.0), (0.5, 4.0, 1.9)),  # a cupboard in the corner
    ((3.4, 3.1, 0.0), (5.0, 4.0, 0.45)),  # a sofa
    ((3.4, 3.8, 0.45), (5.0, 4.0, 0.95)),
)
BALLS = (((2.3, 1.65, 0.90), 0.14), ((4.2, 0.8, 0.25), 0.25), ((2.5, 2.0, 2.1), 0.20))
"""A bowl on the table, a ball on the floor, a lamp: centre and radius."""
TOUCHING = 1e-9
SEED = 52571

Array = NDArray[np.float64]


def room_points(count: int) -> tuple[Array, Array]:
    """Points `(count, 3)` by area where a solid meets the air of the room, and the normals `(count, 3)` out of the solid."""
    generator = np.random.default_rng(SEED)
    parts = [_wall(axis, generator) for axis in range(3)] + [_wall(0, generator, ROOM[0])]
    parts += [array for box in BOXES for array in _box(*box, generator)]
    parts += [_ball(*ball, generator) for ball in BALLS]
    points, normals = (np.concatenate(column) for column in zip(*parts, strict=True))
    visible = np.flatnonzero(~_covered(points + 1e-6 * normals))
    chosen = generator.choice(visible, count, replace=len(visible) < count)
    return points[chosen], normals[chosen]


def room_distance(points: Array) -> Array:
    """The distance (n,) of points (n, 3) in the air of the room to the nearest solid; it is not defined beyond walls
    or in solids.

    It is exact up to the ceiling and the open front: the nearest point is on a scanned surface.
    """
    x, y, z = points.T
    distance = np.minimum.reduce([x, ROOM[0] - x, y, z])
    for lower, upper in BOXES:
        outside = np.maximum(np.maximum(np.array(lower) - points, points - np.array(upper)), 0)
        distance = np.minimum(distance, np.linalg.norm(outside, axis=1))
    for center, radius in BALLS:
        distance = np.minimum(distance, np.linalg.norm(points - np.array(center), axis=1) - radius)
    return distance


def air_points(count: int, seed: int) -> Array:
    """Points (count, 3) drawn in the air of the room, evenly."""
    generator = np.random.default_rng(seed)
    points = np.zeros((0, 3))
    while len(points) < count:
        drawn = generator.uniform(np.zeros(3), ROOM, (count, 3))
        points = np.concatenate([points, drawn[~_covered(drawn)]])
    return points[:count]


DENSITY = 3000
"""Points per square metre, from which the given number is chosen."""


def _wall(axis: int, generator: np.random.Generator, at: float = 0.0) -> tuple[Array, Array]:
    """Points on the floor or a wall across an axis, normals into the room."""
    lower, upper = np.zeros(3), np.array(ROOM)
    lower[axis] = upper[axis] = at
    return _rectangle(lower, upper, axis, 1.0 if at == 0 else -1.0, generator)


def _box(
    lower: tuple[float, ...], upper: tuple[float, ...], generator: np.random.Generator
) -> list[tuple[Array, Array]]:
    """Points on the six sides of a box."""
    sides = []
    for axis in range(3):
        for at, sign in ((lower, -1.0), (upper, 1.0)):
            low, high = np.array(lower), np.array(upper)
            low[axis] = high[axis] = at[axis]
            sides.append(_rectangle(low, high, axis, sign, generator))
    return sides


def _rectangle(
    lower: Array, upper: Array, axis: int, sign: float, generator: np.random.Generator
) -> tuple[Array, Array]:
    area = float(np.prod(np.delete(upper - lower, axis)))
    points = generator.uniform(lower, upper, (max(round(DENSITY * area), 1), 3))
    normals = np.zeros_like(points)
    normals[:, axis] = sign
    return points, normals


def _ball(center: tuple[float, ...], radius: float, generator: np.random.Generator) -> tuple[Array, Array]:
    normals = generator.normal(size=(round(DENSITY * 4 * np.pi * radius**2), 3))
    normals /= np.linalg.norm(normals, axis=1)[:, None]
    return np.array(center) + radius * normals, normals


def _covered(points: Array) -> NDArray[np.bool_]:
    """Which points `(n, 3)` lie in a solid, or beyond a wall."""
    beyond = (points < -TOUCHING) | (points > np.array(ROOM) + TOUCHING)
    inside = np.asarray(beyond.any(axis=1))
    for lower, upper in BOXES:
        inside |= ((points > lower) & (points < upper)).all(axis=1)
    for center, radius in BALLS:
        inside |= np.linalg.norm(points - np.array(center), axis=1) < radius - TOUCHING
    return inside
