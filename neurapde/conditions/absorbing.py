"""Sides through which waves leave."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from neurapde.conditions.base import Boundary, face_names, placed
from neurapde.conditions.constraints import Constraint, Residual, face
from neurapde.core.formatting import listing
from neurapde.domains.base import Domain, On
from neurapde.domains.parted import Where, named_faces
from neurapde.domains.spacetime import SpaceTime


@dataclass(frozen=True)
class Absorbing(Boundary):
    """Faces through which waves leave, by the first-order condition of Sommerfeld.

    For `Wave` it reads ∂u/∂t + c ∂u/∂n = 0, for `Helmholtz`, whose time factor is e^{+iωt}, ∂u/∂n + i (k/c) u = 0, with
    the speed c at the face. It is exact for waves at normal incidence. At an angle θ to the normal it reflects
    (1 − cos θ)/(1 + cos θ). MethodOfLines and the grid reference of `Wave` replace it by what it approximates,
    an infinite medium. For Helmholtz it is used as written, and a PML absorbs better.

    on: face name, names, a `Where`, or None for all faces in space.
    """

    on: On | Where = None

    absorbs: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "on", face_names(self.on, "on"))

    @property
    def part(self) -> Where | None:
        return self.on if isinstance(self.on, Where) else None

    def within(self, domain: Domain, named: Mapping[Where, Where]) -> "Absorbing":
        part = named[self.on] if isinstance(self.on, Where) else placed(self.on)
        return Absorbing(named_faces(domain, part))

    def faces(self, domain: Domain) -> tuple[str, ...]:
        return domain.spatial.check_faces(placed(self.on), "the Absorbing condition")

    def open_faces(self, domain: Domain) -> dict[str, float]:
        return dict.fromkeys(self.faces(domain), 0.0)

    def constraints(self, domain: Domain) -> tuple[Constraint, ...]:
        return ()  # the equation has them: it knows the speed

    def outflow(self, domain: Domain, residual: Residual) -> tuple[Constraint, ...]:
        name = "-".join(["absorbing", *(placed(self.on) or ())])
        return (Constraint(name, residual, face(domain, placed(self.on)), 1, self.describe(domain)),)

    def describe(self, domain: Domain) -> str:
        where = "all sides" if self.on is None else listing(self.faces(domain))
        formula = "∂u/∂t + c ∂u/∂n" if isinstance(domain, SpaceTime) else "∂u/∂n + i k/c u"
        return f"{formula} = 0 on {where}"
