"""How a field begins: its value and its rate of change at the initial time."""

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import torch

from neurapde.conditions.base import Boundary, beside
from neurapde.conditions.constraints import Constraint, Samples, face
from neurapde.conditions.residuals import check_component, of_component
from neurapde.core import checks
from neurapde.core.arrays import Array
from neurapde.core.errors import DeclarationError
from neurapde.domains.base import Domain
from neurapde.domains.box import Box
from neurapde.domains.spacetime import INITIAL, SpaceTime
from neurapde.fields.grid_field import GridField
from neurapde.fields.medium import Constant, Field, Piecewise, as_field
from neurapde.fields.spline import CubicField

if TYPE_CHECKING:
    from neurapde.jets.jet import Jet


@dataclass(frozen=True)
class InitialCondition(Boundary):
    """u = value and ∂u/∂t = velocity at the start of a space–time domain, or of an Interval that is a time itself.

    Args:
        value: a number, or a function of points in space `(n, d)`, without t; a GridField or a Piecewise. On an Interval,
            where the field is an ordinary differential equation's, a number.
        velocity: likewise. Where none is given the field begins at rest if its equation reads ∂²u/∂t², and free if it does
            not, as heat conduction: the value alone says how that goes on.
        component: of a field with several, the one it is for, from 0; None for each of them alike.
        hard: build value and velocity into the trial function, u = lift + D · network with D = t, or t² where there is a
            velocity, instead of training them; functions are then differentiated by torch, as those of a hard `Dirichlet`.

    Its constraints are named initial-value and initial-velocity, or initial-value-0 and the like.
    """

    begins: ClassVar[bool] = True
    value: Any
    velocity: Any = None
    component: int | None = None
    hard: bool = False

    def __post_init__(self) -> None:
        check_component(self.component)
        checks.flag(self.hard, "hard")
        object.__setattr__(self, "value", as_field(self.value, "value of the InitialCondition"))
        if self.velocity is not None:
            object.__setattr__(self, "velocity", as_field(self.velocity, "velocity of the InitialCondition"))

    def on_domain(self, domain: Domain) -> "InitialCondition":
        if not isinstance(domain, SpaceTime):
            return self._on_time(domain)
        velocity = None if self.velocity is None else self.velocity.on(domain.space)
        placed = dataclasses.replace(self, value=self.value.on(domain.space), velocity=velocity)
        return placed._smooth() if self.hard else placed

    def _smooth(self) -> "InitialCondition":
        """The same with values that can be differentiated twice."""
        fields: dict[str, Any] = {}
        for name in ("value", "velocity"):
            field = getattr(self, name)
            if isinstance(field, Piecewise):
                raise DeclarationError(
                    f"the InitialCondition is hard, but its {name} is piecewise, and one that jumps cannot be built into a "
                    "trial function; give a smooth one, or leave out hard=True"
                )
            fields[name] = CubicField(field) if isinstance(field, GridField) else field
        return dataclasses.replace(self, **fields)

    def _on_time(self, domain: Domain) -> "InitialCondition":
        """The same, once it is known that the domain is an interval of time, where there is no place to depend on."""
        if not isinstance(domain, Box) or domain.dimension > 1:
            raise DeclarationError(
                f"an InitialCondition needs a time, but the domain is {domain}; use domain.over(Time(0, 1))"
            )
        for value in (self.value, self.velocity):
            if not isinstance(value, Constant | None):
                raise DeclarationError(
                    f"an InitialCondition of {value.describe()} on {domain}, which has no space; give a number"
                )
        return self

    def faces(self, domain: Domain) -> tuple[str, ...]:
        return (INITIAL if isinstance(domain, SpaceTime) else domain.faces[0],)

    def places(self, points: Array) -> Array:
        return points[:, :-1]

    def second_in_time(self) -> "InitialCondition":
        if self.velocity is not None:
            return self
        return dataclasses.replace(self, velocity=Constant(0.0))

    def constraints(self, domain: Domain) -> tuple[Constraint, ...]:
        where = face(domain, self.faces(domain))
        texts = self._texts(domain)
        which = "" if self.component is None else f"-{self.component}"
        value = of_component(InitialValue(self.value), self.component)
        constraints = [Constraint(f"initial-value{which}", value, where, 0, texts[0])]
        if self.velocity is not None:
            velocity = of_component(InitialVelocity(self.velocity), self.component)
            constraints.append(Constraint(f"initial-velocity{which}", velocity, where, 1, texts[1]))
        return tuple(constraints)

    def describe(self, domain: Domain) -> str:
        return self.formula(domain) + (", built into the trial function" if self.hard else "")

    def formula(self, domain: Domain) -> str:
        """Value and velocity, and when."""
        return ", ".join(self._texts(domain))

    def _texts(self, domain: Domain) -> list[str]:
        when = f"at t = {domain.bounds[0][-1]:g}"
        u = "u" if self.component is None else f"u[{self.component}]"
        texts = [f"{u} = {self.value.describe()} {when}"]
        if self.velocity is not None:
            texts.append(f"∂{u}/∂t = {self.velocity.describe()} {when}")
        return texts


@dataclass(frozen=True)
class InitialValue:
    """u − value, the value a field in space."""

    value: Field

    def __call__(self, samples: Samples, u: "Jet") -> torch.Tensor:
        return u.value - beside(self.value(samples.points[:, :-1]), u.value)


@dataclass(frozen=True)
class InitialVelocity:
    """∂u/∂t − velocity, the velocity a field in space."""

    velocity: Field

    def __call__(self, samples: Samples, u: "Jet") -> torch.Tensor:
        last = samples.points.shape[1] - 1
        return u.d(last) - beside(self.velocity(samples.points[:, :-1]), u.value)
