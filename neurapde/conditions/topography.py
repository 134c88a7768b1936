"""A free surface that is no flat side of the box: a curve with the ground below it and nothing above."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from neurapde.conditions.base import Boundary
from neurapde.conditions.constraints import Constraint
from neurapde.core import checks
from neurapde.core.arrays import Array, namespace, to_numpy
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import number, point
from neurapde.domains.base import Domain
from neurapde.domains.box import Box
from neurapde.fields.medium import Field
from neurapde.reference_solvers.grids.grid import Grid
from neurapde.reference_solvers.grids.surface import Surface
from neurapde.reference_solvers.operators.immersed import MARGIN

SIDES = {"bottom": 1, "top": -1}
"""Faces of a box that the air may lie at, and on which side of the surface the ground then is along y."""
LEAST = 2
"""Points of a surface at least."""
FINE = 16
"""Vertices of a polyline in the spacing of a grid."""

Real = NDArray[np.float64]


@dataclass(frozen=True)
class Topography(Boundary):
    """The pressure is zero on a surface y(x) across the box, and nothing is above it: land, in the frequency domain.

    x: `(n,)`, ascending, in the units of the domain. Beyond the first and the last the surface goes on flat.
    y: `(n,)`, the second coordinate of the surface there, or a function of x `(n,)` -> `(n,)`. Where y is a depth, this
        is the depth below the datum: minus the elevation. Between the points it is a cubic without overshoots.
    on: the face that the air is at: "bottom", at the lower y, where y is a depth, or "top".

    The other faces have their own conditions, Absorbing(on=…) as a rule. Nothing above the surface is computed, and what
    the medium is there does not matter. Shots and receivers lie below the surface, however little.
    Raises: DeclarationError for fewer than two points, an x that does not ascend, or a surface that leaves the box.
    """

    x: Any
    y: Any
    on: str = "bottom"

    def __post_init__(self) -> None:
        x = checks.reals(self.x, "x of the Topography")
        values = _values(self.y, x) if callable(self.y) else self.y
        y = checks.reals(values, "y of the Topography")
        if x.ndim != 1 or len(x) < LEAST or x.shape != y.shape:
            raise DeclarationError(
                f"the Topography has x of shape {x.shape} and y of shape {y.shape}; give as many of either, (n,), at least "
                f"{LEAST}"
            )
        if (np.diff(x) <= 0).any():
            bad = int(np.flatnonzero(np.diff(x) <= 0)[0])
            raise DeclarationError(
                f"x of the Topography does not ascend: x[{bad}] is {number(x[bad])}, and x[{bad + 1}] is "
                f"{number(x[bad + 1])}; sort the points, and leave out repeated ones"
            )
        _ground(self.on)
        object.__setattr__(self, "x", tuple(x.tolist()))
        object.__setattr__(self, "y", tuple(y.tolist()))

    @classmethod
    def through(cls, places: Any, buried: float = 0.0, on: str = "bottom") -> Self:
        """The surface through shots or receivers at places `(n, 2)`, or that far above them: `survey.receivers`.

        buried: how deep they are below the surface, in units of length. Of several at one x the highest counts.
        """
        points, depth = checks.reals(places, "places of the Topography"), _depth(buried)
        if points.ndim != 2 or points.shape[1] != 2:
            raise DeclarationError(
                f"places of the Topography have the shape {points.shape}; give (n, 2), such as survey.receivers"
            )
        ground = _ground(on)
        x = np.unique(points[:, 0])
        highest = np.full(len(x), np.inf)
        np.minimum.at(highest, np.searchsorted(x, points[:, 0]), ground * points[:, 1])
        return cls(x, ground * (highest - depth), on)

    def on_domain(self, domain: Domain) -> Self:
        box = domain.spatial
        if not isinstance(box, Box) or box.dimension != 2:
            raise DeclarationError(
                f"a Topography crosses a Box of two axes, but the domain is {domain}; use a Box"
            )
        lower, upper = box.sides[1]
        worst = int(np.argmax(np.maximum(lower - np.array(self.y), np.array(self.y) - upper)))
        if not lower <= self.y[worst] < upper and not (self.ground < 0 and self.y[worst] == upper):
            raise DeclarationError(
                f"the Topography is at y = {number(self.y[worst])} at x = {number(self.x[worst])}, outside the model "
                f"{box}; give a model that contains the surface, or y as the model has it: a depth is minus the elevation"
            )
        return self

    def faces(self, domain: Domain) -> tuple[str, ...]:
        return domain.spatial.check_faces(self.on, "the Topography")

    def constraints(self, domain: Domain) -> tuple[Constraint, ...]:
        return ()  # no trial function meets it, so `solve` refuses it

    def describe(self, domain: Domain) -> str:
        return f"the Topography u = 0 on y(x), {number(min(self.y))} to {number(max(self.y))}"

    @property
    def ground(self) -> int:
        """1 where the ground is at larger y than the surface, -1 where at smaller y."""
        return _ground(self.on)

    def height(self, x: Any) -> Real:
        """The surface's y at x `(n,)`."""
        return np.asarray(self._curve(np.clip(np.asarray(x, float), self.x[0], self.x[-1])))

    @property
    def highest(self) -> float:
        """The y of its highest point."""
        return self.ground * min(self.ground * value for value in self.y)

    def below(self, points: Any) -> Real:
        """How far points `(n, 2)` lie below the surface along y, `(n,)`, negative in the air."""
        places = to_numpy(points)
        return np.asarray(self.ground * (places[:, 1] - self.height(places[:, 0])))

    def covers(self, points: Array) -> Array:
        """Which points `(n, 2)` lie below the surface, bool `(n,)`, in kind."""
        xp = namespace(points)
        return xp.asarray(self.below(points) > 0)

    def lowered(self, points: Real) -> Real:
        """Points `(n, 2)` with those in the air moved down to the surface: where their medium is taken."""
        moved = np.array(points, float)
        above = self.below(points) < 0
        moved[above, 1] = self.height(moved[above, 0])
        return moved

    def surface(self, grid: Grid, between: tuple[float, float]) -> Surface:
        """The surface for a grid; flat outside `between`, where layers are."""
        spacing, (left, right) = max(grid.spacing), (grid.lower[0], grid.upper[0])
        margin = 2 * MARGIN * spacing
        x = np.linspace(
            left - margin, right + margin, FINE * math.ceil((right - left + 2 * margin) / min(grid.spacing))
        )
        return Surface(np.stack([x, self.height(np.clip(x, *between))], axis=1), self.ground)

    def grid(self, box: Box, spacing: tuple[float, float], cells: int = MARGIN) -> Grid:
        """The grid of a box, no further apart than `spacing` along either axis, with `cells` in the air and no more."""
        (left, right), (low, high) = box.sides
        deep = high - self.highest if self.ground > 0 else self.highest - low
        across, down = (
            2 * max(3, math.ceil(length / (2 * step) - 1e-9))
            for length, step in zip((right - left, deep), spacing, strict=True)
        )
        up = 2 * math.ceil(cells / 2)
        edge = self.highest - self.ground * up * deep / down
        low, high = (edge, high) if self.ground > 0 else (low, edge)
        return Grid((left, low), (right, high), (across + 1, down + up + 1))

    def check(self, places: Real, what: str) -> None:
        """Refuse shots or receivers `(n, 2)` on the surface or in the air; what: of these, in the singular."""
        below = self.below(places)
        if not (wrong := np.flatnonzero(below <= 0)).size:
            return
        worst = int(wrong[np.argmin(below[wrong])])
        lies = "lies" if len(wrong) == 1 else "lie"
        side = (
            "on the surface"
            if below[worst] == 0
            else f"{number(float(f'{-below[worst]:.3g}'))} above the surface"
        )
        height = number(float(f"{self.height(places[worst, 0]):.6g}"))
        raise DeclarationError(
            f"{len(wrong)} of {len(places)} {what}s {lies} in the air or on the surface, where the pressure is zero: "
            f"{what}s[{worst}] = {point(places[worst].tolist())} is {side}, which is at y = {height} there; give true "
            f"depths below the surface, or a surface above them: Topography.through(survey.{what}s, buried=…)"
        )

    @cached_property
    def _curve(self) -> Callable[[Real], Real]:
        curve: Callable[[Real], Real] = PchipInterpolator(self.x, self.y)
        return curve


@dataclass(frozen=True)
class Grounded(Field):
    """A field that, in the air over a surface, is what it is on the surface below."""

    field: Field
    topography: Topography

    def on(self, domain: Domain, part: Domain | None = None) -> "Grounded":
        return Grounded(self.field.on(domain, part), self.topography)

    def __call__(self, points: Array) -> Array:
        xp = namespace(points)
        return self.field(xp.asarray(self.topography.lowered(to_numpy(points))))

    def describe(self) -> str:
        return self.field.describe()


def _ground(on: Any) -> int:
    if not isinstance(on, str) or on not in SIDES:
        raise DeclarationError(
            f"on={checks.shown(on)} of the Topography: give 'bottom', where the air is if y is a depth, or 'top'"
        )
    return SIDES[on]


def _depth(value: Any) -> float:
    return checks.number(value, "buried", lambda depth: depth >= 0, "give a depth of at least 0")


def _values(function: Callable[[Real], Any], x: Real) -> Real:
    way = "give a function of x (n,) -> (n,), or as many numbers as x has"
    if isinstance(function, type):
        raise DeclarationError(f"y of the Topography is {checks.shown(function)}; {way}")
    try:
        values = np.asarray(function(x))
    except Exception as error:
        raise DeclarationError(
            f"y of the Topography failed: {type(error).__name__}: {error}; {way}"
        ) from error
    if values.shape != x.shape:
        raise DeclarationError(
            f"y of the Topography returned the shape {values.shape} for x of shape {x.shape}; {way}"
        )
    return values
