"""The pieces that the boundary of a plane shape is made of, run through with the shape on the left."""

import math
from dataclasses import dataclass

from neurapde.core.declaration import Declaration


@dataclass(frozen=True)
class Segment(Declaration):
    """The straight piece from `start` to `end`, `(x, y)` each; its outward normal is on the right."""

    start: tuple[float, float]
    end: tuple[float, float]

    @property
    def length(self) -> float:
        """Arc length."""
        return math.dist(self.start, self.end)


@dataclass(frozen=True)
class Arc(Declaration):
    """The piece of a circle from `start_angle` to `stop_angle`, radians from the x axis, counterclockwise."""

    center: tuple[float, float]
    radius: float
    start_angle: float
    stop_angle: float

    @property
    def length(self) -> float:
        """Arc length."""
        return self.radius * abs(self.stop_angle - self.start_angle)

    @property
    def ends(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Where it starts and stops, `(x, y)` each."""
        (x, y), radius = self.center, self.radius
        first, last = (
            (x + radius * math.cos(angle), y + radius * math.sin(angle))
            for angle in (self.start_angle, self.stop_angle)
        )
        return first, last
