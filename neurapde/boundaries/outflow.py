"""Sides through which waves leave."""

from dataclasses import dataclass

from neurapde.boundaries.base import Boundary, face_names
from neurapde.constraints import Constraint
from neurapde.core.errors import DeclarationError
from neurapde.core.wording import listing
from neurapde.domains.base import Domain, On
from neurapde.domains.spacetime import SpaceTime


@dataclass(frozen=True)
class Absorbing(Boundary):
    """Faces through which waves leave: ∂u/∂t + c ∂u/∂n = 0, the first-order condition of Sommerfeld, for `Wave`.

    Trained as written, and then exact for waves that leave straight on only. MethodOfLines and the grid reference take
    it as what it stands for, a medium that goes on for ever. For the Helmholtz equation use PML or `Robin(1j * k, 1)`.

    on: face name, names, or None for all faces in space.
    """

    on: On = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "on", face_names(self.on, "on"))

    def on_domain(self, domain: Domain) -> "Absorbing":
        if not isinstance(domain, SpaceTime):
            raise DeclarationError(
                f"Absorbing is a condition in time, but the domain is {domain}; use domain.over(Time(0, 1)), or PML "
                "for the Helmholtz equation"
            )
        domain.space.check_faces(self.on, "the Absorbing condition")
        return self

    def constraints(self, domain: Domain) -> tuple[Constraint, ...]:
        return ()  # the equation has them: it knows the speed

    def describe(self, domain: Domain) -> str:
        where = "all sides" if self.on is None else listing(domain.check_faces(self.on, "Absorbing"))
        return f"∂u/∂t + c ∂u/∂n = 0 on {where}"
