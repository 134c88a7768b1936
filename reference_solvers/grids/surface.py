"""A surface above which there is nothing: which points lie below it, and where points are mirrored in it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Array = NDArray[np.float64]

_BENT = (
    0.5  # of distance over radius of curvature: beyond, an image is taken as if the surface were less curved
)


@dataclass(frozen=True, eq=False)
class Surface:
    """A curve y(x) as a fine polyline, with the ground on one side of it.

    line: `(p, 2)`, x ascending, vertices much closer than the nodes of any grid it is used with.
    ground: +1 where the ground is at larger y, as where y is a depth; -1 where it is at smaller y.
    """

    line: Array
    ground: int

    def __post_init__(self) -> None:
        line = np.asarray(self.line, float)
        if line.ndim != 2 or line.shape[1] != 2 or len(line) < 3 or not np.isfinite(line).all():
            raise ValueError(
                f"a surface needs finite points (p, 2), p at least 3; got the shape {line.shape}."
            )
        if not (np.diff(line[:, 0]) > 0).all():
            raise ValueError(
                "the x of a surface must ascend; sort its points by x and leave out repeated ones."
            )
        if self.ground not in (1, -1):
            raise ValueError(f"ground is {self.ground}; give 1 (at larger y) or -1 (at smaller y).")
        object.__setattr__(self, "line", line)

    def height(self, x: Array) -> Array:
        """The surface's y at `(n,)` x, constant beyond its ends."""
        return np.interp(x, self.line[:, 0], self.line[:, 1])

    def below(self, points: Array) -> Array:
        """How far points `(n, 2)` lie below the surface along y, `(n,)`, negative in the air."""
        return np.asarray(self.ground * (points[:, 1] - self.height(points[:, 0])))

    def images(self, points: Array, reach: float) -> tuple[Array, Array]:
        """Mirror images `(n, 2)` of points `(n, 2)`, and the distances `(n,)` of the points from the surface.

        On the normal through a point at a signed distance s below the surface its image is at -s/(1 + κs), κ the curvature
        averaged over `reach` either side, positive where the ground is hollow. That is Kelvin's inversion in the circle of
        curvature: there, harmonic functions that are zero on the circle are odd. Waves are, too, up to the fourth order.
        """
        points = np.asarray(points, float)
        foot, normal, arc = self._nearest(points)
        distance = np.einsum("nd,nd->n", points - foot, normal)
        curvature = self._curvature(arc, reach)
        bend = np.clip(curvature * distance, -_BENT, _BENT)
        return foot - (distance / (1 + bend))[:, None] * normal, distance

    @cached_property
    def _tree(self) -> cKDTree:
        return cKDTree(self.line)

    @cached_property
    def _arcs(self) -> Array:
        """The arc length at each vertex."""
        return np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(self.line, axis=0), axis=1))])

    def feet(self, points: Array) -> tuple[Array, Array]:
        """The nearest points `(n, 2)` of the surface, and the unit normals there, into the ground."""
        foot, normal, _ = self._nearest(points)
        return foot, normal

    def _nearest(self, points: Array) -> tuple[Array, Array, Array]:
        """The nearest point of the line, the unit normal there, into the ground, and its arc length."""
        _, vertex = self._tree.query(points)
        best = np.full(len(points), np.inf)
        foot, arc = np.zeros(points.shape), np.zeros(len(points))
        for start in (vertex - 1, vertex):
            first = np.clip(start, 0, len(self.line) - 2)
            a, along = self.line[first], self.line[first + 1] - self.line[first]
            share = np.clip(np.einsum("nd,nd->n", points - a, along) / (along**2).sum(axis=1), 0, 1)
            place = a + share[:, None] * along
            away = np.linalg.norm(points - place, axis=1)
            nearer = away < best
            best, foot[nearer] = np.where(nearer, away, best), place[nearer]
            here = self._arcs[first] + share * (self._arcs[first + 1] - self._arcs[first])
            arc = np.where(nearer, here, arc)
        angle = self._angle(arc)
        return foot, self.ground * np.stack([-np.sin(angle), np.cos(angle)], axis=1), arc

    def _angle(self, arc: Array) -> Array:
        """The slope's angle, continuous in arc length."""
        middles = (self._arcs[1:] + self._arcs[:-1]) / 2
        steps = np.diff(self.line, axis=0)
        return np.interp(arc, middles, np.arctan2(steps[:, 1], steps[:, 0]))

    def _curvature(self, arc: Array, reach: float) -> Array:
        turned = self._angle(arc + reach) - self._angle(arc - reach)
        return -self.ground * turned / (2 * reach)
