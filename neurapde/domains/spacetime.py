"""Space–time: a domain in space over an interval of time, the last axis of its points."""

from dataclasses import dataclass

import numpy as np
import torch

from neurapde.core import checks
from neurapde.core.arrays import Array, check_shape, maximum, minimum, safe_sqrt
from neurapde.core.declaration import Declaration
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import number
from neurapde.domains.base import BoundaryRows, Domain, On, choose

INITIAL, FINAL = "initial", "final"


@dataclass(frozen=True)
class Time(Declaration):
    """The interval of time from `start` to `stop`: `domain.over(Time(0, 1))`."""

    start: float
    stop: float

    def __post_init__(self) -> None:
        start, stop = (
            checks.real(value, f"{what} of the Time")
            for value, what in ((self.start, "start"), (self.stop, "stop"))
        )
        if start >= stop:
            raise DeclarationError(
                f"Time({number(start)}, {number(stop)}) does not increase; give the start first"
            )
        object.__setattr__(self, "start", start)
        object.__setattr__(self, "stop", stop)

    @property
    def duration(self) -> float:
        """stop − start."""
        return self.stop - self.start

    def __str__(self) -> str:
        return f"[{number(self.start)}, {number(self.stop)}]"


@dataclass(frozen=True, repr=False)
class SpaceTime(Domain):
    """A domain in space over an interval of time; points `(n, d + 1)` end with t.

    Its faces are those in space, each at all times, then "initial" and "final". `on=None` of a condition means all
    faces in space: what happens at the start is said by an `InitialCondition`, and at the end by nobody.
    Samples are drawn by measure, a unit of time counting as a unit of length.

    Raises: DeclarationError for a domain that has time already, or a face of one of these names.
    """

    space: Domain
    time: Time

    def __post_init__(self) -> None:
        if not isinstance(self.space, Domain) or not isinstance(self.time, Time):
            raise DeclarationError(
                f"a space–time domain is {self.space!r} over {self.time!r}; give a domain and a Time: "
                "Box((-1, 1), (-1, 1)).over(Time(0, 1))"
            )
        if isinstance(self.space, SpaceTime):
            raise DeclarationError(f"{self.space} has a time already; use over(Time(…)) once")
        if taken := {INITIAL, FINAL} & set(self.space.faces):
            raise DeclarationError(
                f"a face of {self.space} is named {taken.pop()!r}, the name of a face in time; give the domain another "
                "name"
            )
        name = self.space.name if isinstance(self.name, str) and not self.name else self.name
        object.__setattr__(self, "name", name)
        super().__post_init__()

    @property
    def dimension(self) -> int:
        return self.space.dimension + 1

    @property
    def axes(self) -> tuple[str, ...]:
        return (*self.space.axes, "t")

    @property
    def spatial(self) -> Domain:
        return self.space

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        lower, upper = self.space.bounds
        return np.append(lower, self.time.start), np.append(upper, self.time.stop)

    @property
    def _lattice_extents(self) -> np.ndarray:
        """A time is as long as what happens in it: as the longest side of the space."""
        extents = self.space._lattice_extents
        return np.append(extents, np.max(extents))

    @property
    def measure(self) -> float:
        return self.space.measure * self.time.duration

    @property
    def faces(self) -> tuple[str, ...]:
        return (*self.space.faces, INITIAL, FINAL)

    def check_faces(self, on: On, what: str) -> tuple[str, ...]:
        return self.space.faces if on is None else super().check_faces(on, what)

    def contains(self, points: Array) -> Array:
        check_shape(points, self.dimension)
        t = points[:, -1]
        return self.space.contains(points[:, :-1]) & (t >= self.time.start) & (t <= self.time.stop)

    def signed_distance(self, points: Array) -> Array:
        check_shape(points, self.dimension)
        away = self.space.signed_distance(points[:, :-1])
        middle, half = 0.5 * (self.time.start + self.time.stop), 0.5 * self.time.duration
        late = abs(points[:, -1] - middle) - half
        outside = maximum(away, 0.0) ** 2 + maximum(late, 0.0) ** 2
        return safe_sqrt(outside) + minimum(maximum(away, late), 0.0)

    def boundary_size(self, faces: tuple[str, ...]) -> float:
        sides = tuple(face for face in faces if face not in (INITIAL, FINAL))
        ends = len(faces) - len(sides)
        across = self.space.boundary_size(sides) * self.time.duration if sides else 0.0
        return across + ends * self.space.measure

    @property
    def _cube(self) -> int:
        return self.space._cube + 1

    @property
    def _cover(self) -> float:
        return self.space._cover * self.time.duration

    def _to_interior(self, unit: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        places, inside = self.space._to_interior(unit[:, :-1])
        return torch.cat([places, self._moments(unit[:, -1:])], dim=1), inside

    def _moments(self, unit: torch.Tensor) -> torch.Tensor:
        return self.time.start + self.time.duration * unit

    @property
    def _boundary_cube(self) -> int:
        return max(self.space._boundary_cube, self.space._cube) + 1

    def _to_boundary(self, unit: torch.Tensor, faces: tuple[str, ...]) -> BoundaryRows:
        """The first column chooses between the sides and the two ends; what covers the space fills an end."""
        sides = tuple(face for face in faces if face not in (INITIAL, FINAL))
        ends = tuple(face for face in faces if face in (INITIAL, FINAL))
        across = self.space.boundary_size(sides) * self.time.duration if sides else 0.0
        index, rest = choose(unit[:, 0], [across, *[self.space._cover] * len(ends)])
        inner = torch.cat([rest[:, None], unit[:, 1:]], dim=1)
        points, normals = unit.new_zeros(len(unit), self.dimension), unit.new_zeros(len(unit), self.dimension)
        valid = torch.zeros_like(unit[:, 0], dtype=torch.bool)
        chosen = index == 0
        if sides and chosen.any():
            rows = self.space._to_boundary(inner[chosen][:, : self.space._boundary_cube], sides)
            points[chosen] = torch.cat([rows.points, self._moments(inner[chosen][:, -1:])], dim=1)
            normals[chosen, :-1] = rows.normals
            valid[chosen] = rows.kept
        for i, face in enumerate(ends, start=1):
            chosen = index == i
            places, inside = self.space._to_interior(inner[chosen][:, : self.space._cube])
            moment = self.time.start if face == INITIAL else self.time.stop
            points[chosen] = torch.cat([places, torch.full_like(places[:, :1], moment)], dim=1)
            normals[chosen, -1] = -1.0 if face == INITIAL else 1.0
            valid[chosen] = inside
        return BoundaryRows(points, normals, valid)

    def __str__(self) -> str:
        return f"{self.space} over t in {self.time}"
