"""What a condition at the boundary is, and what solvers ask of one instead of its type."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import torch

from neurapde.conditions.constraints import Constraint, Residual, Samples
from neurapde.core import checks
from neurapde.core.arrays import Array
from neurapde.core.declaration import Declaration
from neurapde.core.errors import DeclarationError
from neurapde.domains.base import Domain, On
from neurapde.domains.parted import Where
from neurapde.fields.medium import Constant, Field

if TYPE_CHECKING:
    from neurapde.jets.jet import Jet

ZERO, ONE = Constant(0.0), Constant(1.0)


def beside(coefficient: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """A coefficient `(n,)` in the shape that multiplies values `(n,)` or `(n, c)`."""
    return coefficient[:, None] if values.ndim == 2 else coefficient


@dataclass(frozen=True)
class Mixed:
    """a u + b ∂u/∂n = value, n the outward normal. Called at samples it is the residual.

    order: of the derivatives that it reads; 0 where it gives u itself.
    """

    a: Field
    b: Field
    value: Field
    order: int = 1

    @property
    def fixes(self) -> bool:
        """Whether it gives u itself."""
        return self.order == 0

    @property
    def slopes(self) -> bool:
        """Whether it gives the slope alone."""
        return self.a == ZERO

    def __call__(self, samples: Samples, u: "Jet") -> torch.Tensor:
        value = beside(self.value(samples.points), u.value)
        if self.fixes:
            return u.value - value
        flux = _times(self.b, samples, normal_derivative(samples, u))
        return flux - value if self.slopes else _times(self.a, samples, u.value) + flux - value


def _times(coefficient: Field, samples: Samples, values: torch.Tensor) -> torch.Tensor:
    return values if coefficient == ONE else beside(coefficient(samples.points), values) * values


def normal_derivative(samples: Samples, u: "Jet", axes: int | None = None) -> torch.Tensor:
    """∂u/∂n, along the first `axes` if not all."""
    normals = samples.outward[:, :axes]
    terms = [beside(normals[:, i], u.value) * u.d(i) for i in range(normals.shape[1])]
    return torch.stack(terms).sum(0)


@dataclass(frozen=True)
class Boundary(Declaration, ABC):
    """A condition at the boundary of a domain."""

    periodic: ClassVar[bool] = False
    """Whether it joins opposite faces."""
    absorbs: ClassVar[bool] = False
    """Whether waves leave through its faces."""
    begins: ClassVar[bool] = False
    """Whether it says how a field begins, so that the last axis is time."""

    def on_domain(self, domain: Domain) -> Self:
        """The same condition, checked against the domain and with everything it takes from it filled in."""
        self.faces(domain)
        return self

    @abstractmethod
    def faces(self, domain: Domain) -> tuple[str, ...]:
        """The faces that it speaks of."""

    @abstractmethod
    def constraints(self, domain: Domain) -> tuple[Constraint, ...]:
        """The named constraints that it implies."""

    @abstractmethod
    def describe(self, domain: Domain) -> str:
        """The condition as mathematics."""

    def formula(self, domain: Domain) -> str:
        """The same without how it is met."""
        return self.describe(domain)

    @property
    def part(self) -> Where | None:
        """The part of the boundary that it is for, where a predicate says it."""
        return None

    def within(self, domain: Domain, named: Mapping[Where, Where]) -> Self:
        """The same on a domain whose faces end where predicates change. named: the predicates as the domain has them."""
        return self

    @property
    def hard(self) -> bool:
        """Whether trial functions meet it by their form, whatever their parameters."""
        return False

    @property
    def component(self) -> int | None:
        """Of a field with several components, the one that it is for; None for each of them alike."""
        return None

    @property
    def mixed(self) -> Mixed | None:
        """a u + b ∂u/∂n = value, where it is of this kind."""
        return None

    @property
    def leaves_constant(self) -> bool:
        """Whether u plus any constant meets it as u does."""
        return self.periodic

    def open_faces(self, domain: Domain) -> Mapping[str, float]:
        """The faces through which waves leave, with the width of the layer in front of each; 0 for none."""
        return {}

    def outflow(self, domain: Domain, residual: Residual) -> tuple[Constraint, ...]:
        """What an equation of waves makes of it, which knows the speed and so the residual of waves that leave."""
        return ()

    def second_in_time(self) -> Self:
        """The same for an equation that reads ∂²u/∂t²."""
        return self

    def places(self, points: Array) -> Array:
        """The places at which its functions are asked, of points `(n, d)` of the domain."""
        return points


def face_names(on: Any, what: str) -> tuple[str, ...] | Where | None:
    """Face names as a tuple, from one, several or None; a Where as it is."""
    if on is None or isinstance(on, Where):
        return on
    names = (on,) if isinstance(on, str) else tuple(on) if isinstance(on, Sequence) else ()
    if not names or not all(isinstance(name, str) and name.strip() for name in names):
        raise DeclarationError(
            f"{what}={checks.shown(on)} does not name faces; give a face name, several names, or None for all faces"
        )
    return names


def placed(on: On | Where) -> tuple[str, ...] | None:
    """The faces of a condition that stands in a problem. Raises: DeclarationError for a part that has no faces yet."""
    if isinstance(on, Where):
        raise DeclarationError(
            f"the part {on.name or 'Where'} of the boundary has faces in a Problem only; give the condition to one"
        )
    return None if on is None else (on,) if isinstance(on, str) else tuple(on)
