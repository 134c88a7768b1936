"""Conditions on faces of a domain: values, fluxes, and what mixes them."""

import dataclasses
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from neurapde.conditions.base import ONE, ZERO, Boundary, Mixed, face_names, placed
from neurapde.conditions.constraints import Constraint, face
from neurapde.conditions.residuals import check_component, of_component
from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import factor, listing
from neurapde.domains.base import Domain, On
from neurapde.domains.box import Box
from neurapde.domains.parted import Where, named_faces
from neurapde.fields.grid_field import GridField
from neurapde.fields.medium import Constant, Field, Piecewise, as_field
from neurapde.fields.spline import CubicField


class FaceCondition(Boundary):
    """A condition B u = value on faces.

    Args:
        value: a number, real or complex, or a function of points.
        on: face name, names, a `Where`, or None for the whole boundary.
        name: of the constraint; by default the kind and the faces, such as dirichlet-left.
        component: of a field with several, the one it is for, from 0; None for each of them alike.
    """

    value: Any
    on: On | Where
    name: str
    component: int | None

    _kind: ClassVar[str]

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", as_field(self.value, f"value of the {self._kind} condition"))
        object.__setattr__(self, "on", face_names(self.on, "on"))
        checks.text(self.name, f"name of the {self._kind} condition")
        check_component(self.component)

    def on_domain(self, domain: Domain) -> Self:
        self.faces(domain)
        return self.rebuild({**vars(self), "value": self.value.on(domain)})

    @property
    def part(self) -> Where | None:
        return self.on if isinstance(self.on, Where) else None

    def within(self, domain: Domain, named: Mapping[Where, Where]) -> Self:
        if isinstance(self.on, Where):
            part = named[self.on]
            name = self.name or self._named((part.name,))
            return self.rebuild({**vars(self), "on": named_faces(domain, part), "name": name})
        return self.rebuild(
            {**vars(self), "on": named_faces(domain, placed(self.on)), "name": self.constraint_name()}
        )

    def faces(self, domain: Domain) -> tuple[str, ...]:
        return domain.check_faces(placed(self.on), f"condition {self.constraint_name()!r}")

    def constraint_name(self) -> str:
        """The name of its constraint."""
        return self.name or self._named(() if self.on is None or isinstance(self.on, Where) else self.on)

    def _named(self, on: Sequence[str]) -> str:
        which = () if self.component is None else (str(self.component),)
        return "-".join([self._kind, *which, *on])

    def constraints(self, domain: Domain) -> tuple[Constraint, ...]:
        where, text = face(domain, self.on), self.describe(domain)
        residual = of_component(self.mixed, self.component)
        return (Constraint(self.constraint_name(), residual, where, self.mixed.order, text),)

    def describe(self, domain: Domain) -> str:
        return self.formula(domain)

    def formula(self, domain: Domain) -> str:
        """B u = value, and where."""
        where = "the boundary" if self.on is None else listing(self.faces(domain))
        u = "u" if self.component is None else f"u[{self.component}]"
        terms = ((self.mixed.a, u), (self.mixed.b, f"∂{u}/∂n"))
        left = " + ".join(f"{_times(by)}{what}" for by, what in terms if by != ZERO)
        return f"{left} = {self.value.describe()} on {where}"

    @property
    @abstractmethod
    def mixed(self) -> Mixed: ...

    @property
    def leaves_constant(self) -> bool:
        return self.mixed.slopes


@dataclass(frozen=True)
class Dirichlet(FaceCondition):
    """u = value on faces.

    Args:
        value: a number, real or complex, a function of points or a GridField.
        on: face name, names, a `Where`, or None for the whole boundary.
        hard: build the value into the trial function, u = lift + D · network with D zero on these faces, instead
            of training it; on a Box only, over a Time or not. A value given as a function is differentiated by torch, so
            it must be written with `npde.sin` and the like, smooth along the face. A GridField is then joined by cubic
            splines instead of lines, whose kinks would hide their second derivatives from the equation.
        name: of the constraint; by default dirichlet and the faces, such as dirichlet-left.
        component: of a field with several, the one it is for, from 0; None for each of them alike.

    Where two hard faces that meet have different values, u jumps at their corner (or edge) as it must: it turns
    from one value to the other by the angle, which is harmonic in the plane, and both faces keep theirs up to it.
    """

    value: Any = 0.0
    on: On | Where = None
    hard: bool = False
    name: str = ""
    component: int | None = None

    _kind: ClassVar[str] = "dirichlet"

    @property
    def mixed(self) -> Mixed:
        return Mixed(ONE, ZERO, self.value, order=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.flag(self.hard, "hard")

    def on_domain(self, domain: Domain) -> "Dirichlet":
        condition = super().on_domain(domain)
        if not self.hard:
            return condition
        if not isinstance(domain.spatial, Box):
            raise DeclarationError(
                f"condition {self.constraint_name()!r} is hard, which needs the flat faces of a Box, but the domain is "
                f"{domain}; leave out hard=True: the condition is then trained"
            )
        if domain.dimension > 1 and isinstance(condition.value, Piecewise):
            raise DeclarationError(
                f"condition {self.constraint_name()!r} is hard, but its value is piecewise, and a value that jumps "
                "within a face cannot be built into a trial function; give a smooth value, or leave out hard=True"
            )
        if isinstance(condition.value, GridField):
            return dataclasses.replace(condition, value=CubicField(condition.value))
        return condition

    def describe(self, domain: Domain) -> str:
        return self.formula(domain) + (", built into the trial function" if self.hard else "")


@dataclass(frozen=True)
class Neumann(FaceCondition):
    """∂u/∂n = value on faces, n the outward normal.

    Args:
        value: a number, real or complex, or a function of points.
        on: face name, names, a `Where`, or None for the whole boundary.
        name: of the constraint; by default neumann and the faces, such as neumann-left.
        component: of a field with several, the one it is for, from 0; None for each of them alike.
    """

    value: Any = 0.0
    on: On | Where = None
    name: str = ""
    component: int | None = None

    _kind: ClassVar[str] = "neumann"

    @property
    def mixed(self) -> Mixed:
        return Mixed(ZERO, ONE, self.value)


@dataclass(frozen=True)
class Robin(FaceCondition):
    """a u + b ∂u/∂n = value on faces, n the outward normal.

    Waves leave through `Absorbing`, which is a condition of this kind.

    Args:
        a, b: numbers, real or complex, or functions of points.
        value: likewise.
        on: face name, names, a `Where`, or None for the whole boundary.
        name: of the constraint; by default robin and the faces, such as robin-left.
        component: of a field with several, the one it is for, from 0; None for each of them alike.
    """

    a: Any
    b: Any
    value: Any = 0.0
    on: On | Where = None
    name: str = ""
    component: int | None = None

    _kind: ClassVar[str] = "robin"

    def __post_init__(self) -> None:
        super().__post_init__()
        for coefficient, what in ((self.a, "a"), (self.b, "b")):
            object.__setattr__(self, what, as_field(coefficient, f"{what} of the robin condition"))
        if self.a == self.b == ZERO:
            raise DeclarationError(
                "a and b of the robin condition are both 0; give a u + b ∂u/∂n with one of them"
            )

    def on_domain(self, domain: Domain) -> "Robin":
        condition = super().on_domain(domain)
        return dataclasses.replace(condition, a=self.a.on(domain), b=self.b.on(domain))

    @property
    def mixed(self) -> Mixed:
        return Mixed(self.a, self.b, self.value)


def _times(coefficient: Field) -> str:
    if isinstance(coefficient, Constant):
        return factor(coefficient.value)
    return f"({coefficient.describe()}) · "
