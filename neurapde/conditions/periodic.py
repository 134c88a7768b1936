"""Periodicity: a field that goes on at the opposite face where it left."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch

from neurapde.conditions.base import Boundary
from neurapde.conditions.constraints import Constraint, DrawnSampler, Samples
from neurapde.conditions.residuals import check_component, of_component
from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.domains.base import Domain
from neurapde.domains.box import outer_box
from neurapde.domains.sampling import Draw

if TYPE_CHECKING:
    from neurapde.jets.jet import Jet


@dataclass(frozen=True)
class Periodic(Boundary):
    """u and its normal derivative are the same at opposite points of the two faces across an axis of a Box, at all times.

    The domain is the box, or what shapes cut out of it leave, `Box(…) - Disk(…)`.

    axis: name of the axis: x, y, z, x4, ….
    component: of a field with several, the one that it is for, from 0; None for each of them alike.

    Two constraints: periodic-x for the values and periodic-x-slope for the derivatives along the axis.
    """

    axis: str
    component: int | None = None

    periodic: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_component(self.component)
        if not isinstance(self.axis, str) or not self.axis.strip():
            raise DeclarationError(
                f"axis of the Periodic condition is {checks.shown(self.axis)}; give its name, such as 'x'"
            )

    def _index(self, domain: Domain) -> int:
        box = outer_box(domain.spatial)
        if box is None:
            raise DeclarationError(
                f"Periodic({self.axis!r}) needs the opposite faces of a Box, but the domain is {domain}; use a Box, or "
                "what holes leave of one"
            )
        axes = box.axes
        if self.axis not in axes:
            raise DeclarationError(
                f"Periodic({self.axis!r}): {domain.spatial} has no such axis; use one of {', '.join(axes)}"
            )
        return axes.index(self.axis)

    def constraints(self, domain: Domain) -> tuple[Constraint, ...]:
        axis = self._index(domain)
        name, where = f"periodic-{self.axis}", self._where(domain)
        pairs = (OppositePoints if self.component is None else PairedPoints)(domain, axis)
        which = "" if self.component is None else f"-{self.component}"
        value, slope = (of_component(jump, self.component) for jump in (ValueJump(), SlopeJump(axis)))
        return (
            Constraint(f"{name}{which}", value, pairs, 0, f"{self._u} the same at {where}"),
            Constraint(
                f"{name}-slope{which}", slope, pairs, 1, f"∂{self._u}/∂{self.axis} the same at {where}"
            ),
        )

    @property
    def _u(self) -> str:
        return "u" if self.component is None else f"u[{self.component}]"

    def faces(self, domain: Domain) -> tuple[str, ...]:
        axis = self._index(domain)
        return domain.faces[2 * axis : 2 * axis + 2]

    def _where(self, domain: Domain) -> str:
        return " and ".join(self.faces(domain))

    def describe(self, domain: Domain) -> str:
        return f"{self._u} periodic in {self.axis}, from {self._where(domain).replace(' and ', ' to ')}"


@dataclass(frozen=True)
class PairedPoints(DrawnSampler):
    """Draws `count` points on the lower face across an axis, and lists after them those opposite: `(2 count, d)`."""

    domain: Domain
    axis: int

    def draw(self, wanted: Draw) -> Samples:
        lower = self.domain.draw_boundary(wanted, self.domain.faces[2 * self.axis])
        opposite = lower.points.clone()
        opposite[:, self.axis] = float(self.domain.bounds[1][self.axis])
        return Samples(torch.cat([lower.points, opposite]), torch.cat([lower.normals, -lower.normals]))


@dataclass(frozen=True)
class OppositePoints(PairedPoints):
    """The same, where the whole field goes on."""


@dataclass(frozen=True)
class ValueJump:
    """u at the first half of the points less u at the second."""

    def __call__(self, samples: Samples, u: "Jet") -> torch.Tensor:
        lower, upper = u.value.chunk(2)
        return lower - upper


@dataclass(frozen=True)
class SlopeJump:
    """∂u along an axis at the first half of the points less that at the second."""

    axis: int

    def __call__(self, samples: Samples, u: "Jet") -> torch.Tensor:
        lower, upper = u.d(self.axis).chunk(2)
        return lower - upper
