"""Parts of a boundary, where a predicate holds: each of them is a face of its own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from neurapde.core import checks
from neurapde.core.arrays import Array, to_numpy
from neurapde.core.declaration import Declaration
from neurapde.core.errors import DeclarationError
from neurapde.domains.base import BoundaryRows, Domain, On, choose
from neurapde.domains.combine import Shape
from neurapde.domains.edges import Arc, Segment
from neurapde.domains.sampling import unit_lattice
from neurapde.domains.spacetime import SpaceTime

LOOKED = 4096
"""Points of a face at which predicates are tried."""
ALONG, BISECTIONS = 2000, 50
"""Places along an edge at which predicates are tried, and halvings of a step between two of them."""

Predicate = Callable[[Any], Any]


@dataclass(frozen=True)
class Where(Declaration):
    """The part of the boundary where a predicate holds: `npde.Dirichlet(0.0, on=npde.Where(lambda x: x[:, 0] < 0))`.

    `~where` is the rest of the boundary. On every domain with faces; in space and time the part is the same at all times.

    Args:
        predicate: points in space `(n, d)` -> bool `(n,)`, asked on the boundary alone.
        on: faces by name that it is a part of; None for the whole boundary.
        name: for constraints, such as dirichlet-inlet; by default where-1, where-2, ….
    """

    predicate: Predicate
    on: On = None
    name: str = ""

    def __post_init__(self) -> None:
        if not callable(self.predicate) or isinstance(self.predicate, type):
            raise DeclarationError(
                f"predicate of Where is {checks.shown(self.predicate)}; give a function of points (n, d), such as "
                "lambda x: x[:, 0] < 0"
            )
        faces = (self.on,) if isinstance(self.on, str) else self.on
        if faces is not None and not (
            isinstance(faces, list | tuple)
            and faces
            and all(isinstance(face, str) and face.strip() for face in faces)
        ):
            raise DeclarationError(
                f"on of Where is {checks.shown(self.on)}; give a face name, several names, or None for all faces"
            )
        object.__setattr__(self, "on", None if faces is None else tuple(faces))
        checks.text(self.name, "name of Where")
        if ":" in self.name or "/" in self.name:
            raise DeclarationError(f"name of Where is {self.name!r}; use one without ':' and '/'")

    def __invert__(self) -> "Where":
        name = f"not-{self.name}" if self.name else ""
        return Where(_Not(self.predicate), self.on, name)

    def holds(self, points: torch.Tensor) -> torch.Tensor:
        """At which points `(n, d)` of the boundary: bool `(n,)`."""
        try:
            values = self.predicate(points.detach().cpu().numpy())
        except Exception:  # a user's own function, which may take torch tensors alone
            values = self._of_tensors(points)
        array = np.asarray(to_numpy(values))
        if array.shape != (len(points),) or array.dtype != bool:
            raise DeclarationError(
                f"predicate of {self.name or 'Where'} returned the shape {array.shape} and type {array.dtype} for "
                f"{len(points)} points; return True or False for each, such as x[:, 0] < 0"
            )
        return torch.from_numpy(array).to(points.device)

    def _of_tensors(self, points: torch.Tensor) -> Any:
        try:
            return self.predicate(points)
        except Exception as error:
            raise DeclarationError(
                f"predicate of {self.name or 'Where'} failed at {len(points)} points: {type(error).__name__}: {error}; "
                "give a function of points (n, d), such as lambda x: x[:, 0] < 0"
            ) from error


@dataclass(frozen=True)
class _Not:
    """Where a predicate does not hold."""

    predicate: Predicate

    def __call__(self, points: Any) -> Any:
        return ~self.predicate(points)


@dataclass(frozen=True, repr=False)
class Parted(Shape):
    """A domain whose faces end where predicates change.

    A face of which every predicate says the same keeps its name, and one that another shape covers is left out. The
    parts of another are named by the predicates that hold there, disk:inlet, and disk:rest where none does.
    """

    whole: Domain
    parts: tuple[Where, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name or self.whole.name)
        super().__post_init__()
        for part in self.parts:
            if not any(part in held for _, held in self._table.values()):
                raise DeclarationError(
                    f"predicate of {part.name} holds at none of {LOOKED} points on each face of {self.whole}; check it, or "
                    "leave it out"
                )

    @cached_property
    def _table(self) -> dict[str, tuple[str, frozenset[Where]]]:
        """Own face name -> the face of the whole, and the predicates that hold there."""
        table: dict[str, tuple[str, frozenset[Where]]] = {}
        for face in self.whole.faces:
            rows = self.whole._to_boundary(unit_lattice(LOOKED, self.whole._boundary_cube), (face,))
            points = rows.points[rows.kept]
            if not len(points):  # another shape covers all of it
                continue
            found = np.unique(self._held(points, face), axis=0)
            for row in found:
                held = [part for part, here in zip(self.parts, row, strict=True) if here]
                name = "+".join(part.name for part in held) or "rest"
                table[face if len(found) == 1 else f"{face}:{name}"] = (face, frozenset(held))
        return table

    def _held(self, points: torch.Tensor, face: str) -> NDArray[np.bool_]:
        """Which predicates hold at points of a face, (n, predicates)."""
        columns = [
            part.holds(points).cpu().numpy()
            if face in self.whole.check_faces(part.on, part.name)
            else np.zeros(len(points), dtype=bool)
            for part in self.parts
        ]
        return np.stack(columns, axis=1)

    def faces_where(self, part: Where) -> tuple[str, ...]:
        """The faces on which a predicate holds."""
        return tuple(name for name, (_, held) in self._table.items() if part in held)

    def faces_within(self, faces: Sequence[str]) -> tuple[str, ...]:
        """The faces that those of the whole, or own ones, consist of."""
        return tuple(name for name, (face, _) in self._table.items() if face in faces or name in faces)

    @property
    def dimension(self) -> int:
        return self.whole.dimension

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        return self.whole.bounds

    def contains(self, points: Array) -> Array:
        return self.whole.contains(points)

    def signed_distance(self, points: Array) -> Array:
        return self.whole.signed_distance(points)

    @property
    def measure(self) -> float:
        return self.whole.measure

    @property
    def faces(self) -> tuple[str, ...]:
        return tuple(self._table)

    @cached_property
    def edges(self) -> tuple[Segment | Arc, ...]:
        return tuple(piece for edge in self.whole.edges for piece in self._cut(edge))

    def _cut(self, edge: Segment | Arc) -> list[Segment | Arc]:
        """The pieces of an edge on each of which every predicate says the same."""

        def said(places: NDArray[np.float64]) -> NDArray[np.bool_]:
            points = torch.from_numpy(_along(edge, places))
            return np.stack([part.holds(points).cpu().numpy() for part in self.parts], axis=1)

        places = (np.arange(ALONG) + 0.5) / ALONG
        values = said(places)
        turns = np.flatnonzero((values[1:] != values[:-1]).any(axis=1))
        low, high, before = places[turns], places[turns + 1], values[turns]
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            same = np.all(said(middle) == before, axis=1)
            low, high = np.where(same, middle, low), np.where(same, high, middle)
        ends = [0.0, *((low + high) / 2).tolist(), 1.0]
        return [_piece(edge, start, stop) for start, stop in pairwise(ends)]

    def boundary_size(self, faces: tuple[str, ...]) -> float:
        """Of the faces that these are parts of, before they are cut."""
        return self.whole.boundary_size(tuple(dict.fromkeys(self._table[face][0] for face in faces)))

    @property
    def _cube(self) -> int:
        return self.whole._cube

    @property
    def _cover(self) -> float:
        return self.whole._cover

    def _to_interior(self, unit: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.whole._to_interior(unit)

    @property
    def _boundary_cube(self) -> int:
        return self.whole._boundary_cube

    def _to_boundary(self, unit: torch.Tensor, faces: tuple[str, ...]) -> BoundaryRows:
        wanted: dict[str, list[frozenset[Where]]] = {}
        for name in faces:
            face, held = self._table[name]
            wanted.setdefault(face, []).append(held)
        index, rest = choose(unit[:, 0], [self.whole.boundary_size((face,)) for face in wanted])
        points = unit.new_empty(len(unit), self.dimension)
        normals = torch.empty_like(points)
        kept = torch.zeros_like(unit[:, 0], dtype=torch.bool)
        for number, (face, sets) in enumerate(wanted.items()):
            chosen = torch.nonzero(index == number)[:, 0]
            cube = torch.cat([rest[chosen, None], unit[chosen, 1:]], dim=1)
            x, n, keep = self.whole._to_boundary(cube, (face,))
            said = self._held(x, face)
            mine = np.zeros(len(x), dtype=bool)
            for each in sets:
                mine |= np.all(said == np.array([part in each for part in self.parts]), axis=1)
            points[chosen], normals[chosen] = x, n
            kept[chosen] = keep & torch.from_numpy(mine).to(keep.device)
        return BoundaryRows(points, normals, kept)

    def __str__(self) -> str:
        return str(self.whole)


def _along(edge: Segment | Arc, places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points of an edge, from its start at 0 to its end at 1."""
    if isinstance(edge, Segment):
        start, end = np.array(edge.start), np.array(edge.end)
        return start + places[:, None] * (end - start)
    angles = edge.start_angle + places * (edge.stop_angle - edge.start_angle)
    return np.array(edge.center) + edge.radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _piece(edge: Segment | Arc, start: float, stop: float) -> Segment | Arc:
    """The piece of an edge between two places."""
    if (start, stop) == (0.0, 1.0):
        return edge
    if isinstance(edge, Segment):
        a, b = _along(edge, np.array([start, stop])).tolist()
        return Segment((a[0], a[1]), (b[0], b[1]))
    turn = edge.stop_angle - edge.start_angle
    return replace(
        edge, start_angle=edge.start_angle + start * turn, stop_angle=edge.start_angle + stop * turn
    )


def parted(domain: Domain, parts: Sequence[Where]) -> tuple[Domain, list[Where]]:
    """A domain whose faces end where predicates change, and these with a name each; itself where there are none."""
    if not parts:
        return domain, []
    distinct = dict.fromkeys(parts)
    names = checks.numbered(part.name or f"where-{i + 1}" for i, part in enumerate(distinct))
    named = {part: replace(part, name=name) for part, name in zip(distinct, names, strict=True)}
    every = tuple(named.values())
    if isinstance(domain, SpaceTime):
        space: Domain = SpaceTime(Parted(domain.space, every), domain.time)
    else:
        space = Parted(domain, every)
    return space, [named[part] for part in parts]


def named_faces(domain: Domain, on: Where | tuple[str, ...] | None) -> tuple[str, ...] | None:
    """Faces of a parted domain: by a predicate, or by their names before it was parted; None for all."""
    if on is None:
        return None
    shape = domain.spatial
    assert isinstance(shape, Parted)
    if isinstance(on, Where):
        return shape.faces_where(on)
    own = [shape.faces_within((face,)) or (face,) for face in on]  # one that is not there is told of later
    return tuple(dict.fromkeys(name for names in own for name in names))
