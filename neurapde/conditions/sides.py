"""Which condition holds on which face of a domain, and the sentences about sides that a solver cannot take."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from neurapde.conditions.base import ZERO, Boundary, Mixed
from neurapde.conditions.constraints import Constraint, Residual
from neurapde.conditions.initial import InitialCondition
from neurapde.conditions.pml import PML
from neurapde.conditions.topography import Topography
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import listing
from neurapde.domains.base import Domain
from neurapde.domains.box import Box

T = TypeVar("T")


@dataclass(frozen=True)
class Treated:
    """The conditions on faces in space that a solver treats.

    solver: its name in a sentence, such as "the weak form".
    kinds:  the conditions.
    zero:   those of them that it treats where their value is 0 alone.
    way:    what to do about any other.
    """

    solver: str
    kinds: tuple[type[Boundary], ...]
    zero: tuple[type[Boundary], ...] = ()
    way: str = ""

    @property
    def names(self) -> str:
        """The conditions: `PML, Dirichlet or Neumann`."""
        return listing((kind.__name__ for kind in self.kinds), "or")


@dataclass(frozen=True)
class Sides:
    """The conditions of a domain by its faces, and what they say together; a `Problem` has them as `problem.sides`."""

    domain: Domain
    conditions: tuple[Boundary, ...]

    @cached_property
    def by_face(self) -> Mapping[str, tuple[Boundary, ...]]:
        """The conditions of every face, in the order of the declaration; none where nothing is said."""
        faces = [condition.faces(self.domain) for condition in self.conditions]
        return {
            face: tuple(condition for condition, on in zip(self.conditions, faces, strict=True) if face in on)
            for face in self.domain.faces
        }

    @property
    def silent(self) -> list[str]:
        """The faces in space of which no condition speaks."""
        return [face for face in self.domain.spatial.faces if not self.by_face[face]]

    def missing(self, treated: Treated) -> str | None:
        """Why a solver cannot take these sides, or None where it can: a condition it does not know, or a silent face."""
        if reason := self.unknown(treated):
            return reason
        return (
            f"it has no condition on {listing(self.silent)}; give {treated.names} there"
            if self.silent
            else None
        )

    def unknown(self, treated: Treated) -> str | None:
        """The sentence on the first condition that a solver does not know; the start is no side."""
        way = f"; {treated.way}" if treated.way else ""
        for condition in self.conditions:
            if isinstance(condition, InitialCondition):
                continue
            in_space = set(condition.faces(self.domain)) <= set(self.domain.spatial.faces)
            if not in_space or not isinstance(condition, treated.kinds):
                return (
                    f"{treated.solver} does not support the condition {condition.describe(self.domain)}{way}"
                )
            if (
                isinstance(condition, treated.zero)
                and condition.mixed is not None
                and condition.mixed.value != ZERO
            ):
                return (
                    f"{treated.solver} takes {type(condition).__name__} only with the value 0, but "
                    f"{condition.describe(self.domain)} is not zero{way}"
                )
        return None

    @cached_property
    def data(self) -> Mapping[str, Mixed]:
        """a u + b ∂u/∂n = value of every face that has such a condition; the last where there are several."""
        return {
            face: condition.mixed
            for condition in self.conditions
            if condition.mixed is not None
            for face in condition.faces(self.domain)
        }

    def is_natural(self, face: str) -> bool:
        """Whether the slope alone is given on a face."""
        return face in self.data and self.data[face].slopes

    @property
    def natural(self) -> tuple[tuple[bool, bool], ...]:
        """For each axis of a box, whether the slope alone is given at its lower and its upper face."""
        return self.pairs(self.is_natural)

    def pairs(self, at: Callable[[str], T]) -> tuple[tuple[T, T], ...]:
        """For each axis of a box, what `at` says of its lower and its upper face."""
        conditions = [at(face) for face in self.domain.spatial.faces]
        return tuple(zip(conditions[::2], conditions[1::2], strict=True))

    @cached_property
    def open(self) -> Mapping[str, float]:
        """The faces through which waves leave, with the width of the layer in front of each; 0 for none."""
        widths: dict[str, float] = {}
        for condition in self.conditions:
            for face, width in condition.open_faces(self.domain).items():
                widths[face] = max(width, widths.get(face, 0.0))
        return widths

    @property
    def core(self) -> Box:
        """The box within the layers."""
        box, widths = self.domain.spatial, self.pairs(lambda face: self.open.get(face, 0.0))
        assert isinstance(box, Box)
        return Box(*((a + low, b - high) for (a, b), (low, high) in zip(box.sides, widths, strict=True)))

    @property
    def absorbing(self) -> str | None:
        """The kind of the first condition that absorbs, if there is one."""
        return next((type(condition).__name__ for condition in self.conditions if condition.absorbs), None)

    def outflow(self, residual: Residual) -> list[Constraint]:
        """What an equation of waves makes of the sides, with the residual of waves that leave."""
        return [
            constraint
            for condition in self.conditions
            for constraint in condition.outflow(self.domain, residual)
        ]

    @property
    def layer(self) -> PML | None:
        """The absorbing layer, if there is one."""
        return next((condition for condition in self.conditions if isinstance(condition, PML)), None)

    @property
    def topography(self) -> Topography | None:
        """The free surface that is no side, if there is one."""
        return next((condition for condition in self.conditions if isinstance(condition, Topography)), None)

    @property
    def hard(self) -> tuple[Boundary, ...]:
        """The conditions that trial functions meet by their form, whatever their parameters."""
        return tuple(condition for condition in self.conditions if condition.hard)

    @property
    def fixed(self) -> tuple[str, ...]:
        """The faces on which u is given."""
        return tuple(face for face, given in self.data.items() if given.fixes)

    @property
    def starts(self) -> tuple[InitialCondition, ...]:
        """What is said of the start."""
        return tuple(condition for condition in self.conditions if isinstance(condition, InitialCondition))

    @property
    def start(self) -> InitialCondition:
        """How a field begins: at rest and zero where nothing is said."""
        return self.starts[0] if self.starts else InitialCondition(0.0, 0.0)

    @property
    def periodic(self) -> bool:
        """Whether opposite faces are joined somewhere."""
        return any(condition.periodic for condition in self.conditions)

    @property
    def leave_constant(self) -> bool:
        """Whether u plus any constant meets every condition as u does."""
        return all(condition.leaves_constant for condition in self.conditions)

    def check_layers(self) -> None:
        """Refuse two layers, and two surfaces."""
        count = sum(isinstance(condition, PML) for condition in self.conditions)
        if count > 1:
            raise DeclarationError(
                f"boundary has {count} PMLs; give one, with a width for each side: PML({{'left': 0.2, …}})"
            )
        count = sum(isinstance(condition, Topography) for condition in self.conditions)
        if count > 1:
            raise DeclarationError(
                f"boundary has {count} Topographies; give one, through all points of the surface"
            )
        over = self.topography
        if over is not None and len(self.by_face[over.on]) > 1:
            others = next(condition for condition in self.by_face[over.on] if condition is not over)
            raise DeclarationError(
                f"the air above the Topography is at {over.on}, but there is also {others.describe(self.domain)}; give that "
                "condition on=… the other faces"
            )

    def check_contradictions(self, *, one_each: bool) -> None:
        """Refuse two values of one kind on a face, and with `one_each` two conditions of any kind on a face in space.

        Conditions for different components of a field do not meet. The same condition twice says nothing new.
        """
        for face, parts in self.by_face.items():
            for i, second in enumerate(parts):
                for first in parts[:i]:
                    if _same(first, second) or not _meet(first, second):
                        continue
                    if type(first) is type(second) or (one_each and face in self.domain.spatial.faces):
                        raise DeclarationError(
                            f"{face} has two conditions, {first.describe(self.domain)}, and "
                            f"{second.describe(self.domain)}, and no field satisfies both; give one, or name the faces "
                            "of each with on=…"
                        )


def _same(first: Boundary, second: Boundary) -> bool:
    """Whether two conditions say the same, each of its faces."""
    where = {"on": None, "name": ""}
    return type(first) is type(second) and {**vars(first), **where} == {**vars(second), **where}


def _meet(first: Boundary, second: Boundary) -> bool:
    """Whether two conditions speak of one component of the field."""
    component, other = first.component, second.component
    return component is None or other is None or component == other
