"""What happens at the boundary: values, fluxes, or a layer that absorbs."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import torch

from neurapde.constraints import Constraint, Samples, face
from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.core.vocabulary import Declaration
from neurapde.core.wording import listing, number
from neurapde.domains.base import Domain, On
from neurapde.domains.box import Box
from neurapde.medium import Field, as_field

if TYPE_CHECKING:
    from neurapde.jets.jet import Jet

DEFAULT_STRENGTH = 5.0
"""The paper's a₀."""


@dataclass(frozen=True)
class Boundary(Declaration, ABC):
    """A condition at the boundary of a domain."""

    @abstractmethod
    def on_domain(self, domain: Domain) -> "Boundary":
        """The same condition, checked against the domain and with everything it takes from it filled in."""

    @abstractmethod
    def constraints(self, domain: Domain) -> tuple[Constraint, ...]:
        """The named constraints that it implies."""

    @abstractmethod
    def describe(self, domain: Domain) -> str:
        """The condition as mathematics."""


@dataclass(frozen=True)
class _FaceCondition(Boundary):
    """A condition B u = value on faces.

    Args:
        value: a number, real or complex, or a function of points; the same for every component of the field.
        on: face name, names, or None for the whole boundary.
        name: of the constraint; by default the kind and the faces, such as dirichlet-left.
    """

    value: Any = 0.0
    on: On = None

    _kind: ClassVar[str]
    _left_side: ClassVar[str]

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", as_field(self.value, f"value of the {self._kind} condition"))
        object.__setattr__(self, "on", _face_names(self.on, "on"))

    def constraint_name(self) -> str:
        """The name of its constraint where the user gives none."""
        if self.on is None:
            return self._kind
        return "-".join([self._kind, *self.on])

    def describe(self, domain: Domain) -> str:
        where = "the boundary" if self.on is None else listing(domain.check_faces(self.on, self._kind))
        return f"{self._left_side} = {self.value.describe()} on {where}"


@dataclass(frozen=True)
class Dirichlet(_FaceCondition):
    """u = value on faces.

    It is a constraint that is trained; `hard` asks the trial to satisfy it exactly, by its form, where it can.
    """

    hard: bool = False
    name: str = ""

    _kind: ClassVar[str] = "dirichlet"
    _left_side: ClassVar[str] = "u"

    def on_domain(self, domain: Domain) -> "Dirichlet":
        domain.check_faces(self.on, f"condition {self.name or self.constraint_name()!r}")
        return Dirichlet(self.value.on(domain), self.on, self.hard, self.name)

    def constraints(self, domain: Domain) -> tuple[Constraint, ...]:
        name = self.name or self.constraint_name()
        return (Constraint(name, ValueResidual(self.value), face(domain, self.on), 0, self.describe(domain)),)

    def describe(self, domain: Domain) -> str:
        return super().describe(domain) + (" (exactly, where the trial can)" if self.hard else "")


@dataclass(frozen=True)
class Neumann(_FaceCondition):
    """∂u/∂n = value on faces, n the outward normal."""

    name: str = ""

    _kind: ClassVar[str] = "neumann"
    _left_side: ClassVar[str] = "∂u/∂n"

    def on_domain(self, domain: Domain) -> "Neumann":
        domain.check_faces(self.on, f"condition {self.name or self.constraint_name()!r}")
        return Neumann(self.value.on(domain), self.on, self.name)

    def constraints(self, domain: Domain) -> tuple[Constraint, ...]:
        name = self.name or self.constraint_name()
        return (Constraint(name, FluxResidual(self.value), face(domain, self.on), 1, self.describe(domain)),)


def _face_names(on: Any, what: str) -> tuple[str, ...] | None:
    """Face names as a tuple, from one, several or None."""
    if on is None:
        return None
    names = (on,) if isinstance(on, str) else tuple(on) if isinstance(on, Sequence) else ()
    if not names or not all(isinstance(name, str) for name in names):
        raise DeclarationError(f"{what}={on!r} names no faces; give a face name, several, or None for all")
    return names


@dataclass(frozen=True)
class ValueResidual:
    """u − value."""

    value: Field

    def __call__(self, samples: Samples, u: "Jet") -> torch.Tensor:
        return u.value - beside(self.value(samples.points), u.value)


@dataclass(frozen=True)
class FluxResidual:
    """∂u/∂n − value."""

    value: Field

    def __call__(self, samples: Samples, u: "Jet") -> torch.Tensor:
        assert samples.normals is not None
        flux = sum(beside(samples.normals[:, i], u.value) * u.d(i) for i in range(samples.points.shape[1]))
        return flux - beside(self.value(samples.points), u.value)


def beside(coefficient: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """A coefficient `(n,)` in the shape that multiplies values `(n,)` or `(n, c)`."""
    return coefficient[:, None] if values.ndim == 2 else coefficient


@dataclass(frozen=True)
class PML(Boundary):
    """A perfectly matched layer inside a Box: e = 1 − i a₀ (ℓ/L)², ℓ the depth into a layer of width L.

    A wave at normal incidence comes back with |R| = exp(−2 k a₀ L / 3). At the layer's outer edge u = 0: part
    of the declaration but, as in the paper, no constraint that is trained.

    Args:
        width: L, in units of length, for all sides, or {side: L}.
        strength: a₀, positive; 5 unless given.
        reflection: the target |R| in (0, 1), instead of strength: a₀ = −3 ln|R| / (2 k L).
        sides: names of the faces with a layer; None for all.
    """

    width: Any
    strength: float | None = None
    reflection: float | None = None
    sides: On = None

    outer_value: ClassVar[float] = 0.0
    """The value of u at the outer edge."""

    def __post_init__(self) -> None:
        self._set_width()
        if self.strength is not None and self.reflection is not None:
            raise DeclarationError(
                f"PML has strength={self.strength} and reflection={self.reflection}, but one follows from "
                "the other; give one of them"
            )
        if self.strength is not None:
            object.__setattr__(self, "strength", checks.positive(self.strength, "PML strength"))
        if self.reflection is not None:
            reflection = checks.positive(self.reflection, "PML reflection")
            if reflection >= 1:
                raise DeclarationError(
                    f"PML reflection is {reflection:g}; give the part that may come back, between 0 and 1, "
                    "such as 1e-4"
                )
            object.__setattr__(self, "reflection", reflection)

    def _set_width(self) -> None:
        object.__setattr__(self, "sides", _face_names(self.sides, "sides"))
        width = self.width
        if (
            isinstance(width, tuple)
            and width
            and all(isinstance(pair, tuple) and len(pair) == 2 for pair in width)
        ):
            width = dict(width)
        if isinstance(width, Mapping):
            if self.sides is not None and set(self.sides) != set(width):
                raise DeclarationError(
                    f"PML has a width for {listing(width)} and sides={self.sides!r}; leave out sides"
                )
            if not width:
                raise DeclarationError("PML width is {}; give a number, or one for each side with a layer")
            pairs = tuple((side, checks.positive(w, f"PML width at {side!r}")) for side, w in width.items())
            object.__setattr__(self, "width", pairs)
            object.__setattr__(self, "sides", tuple(width))
            return
        object.__setattr__(self, "width", checks.positive(width, "PML width"))

    def widths(self, domain: Domain) -> dict[str, float]:
        """The width of the layer at each side that has one."""
        sides = domain.check_faces(self.sides, "the PML")
        table = dict(self.width) if isinstance(self.width, tuple) else dict.fromkeys(sides, self.width)
        return {side: table[side] for side in sides}

    def width_at(self, side: str) -> float:
        """The width of the layer at a side.

        Raises: DeclarationError where that side has no layer.
        """
        if self.sides is not None and side not in self.sides:
            raise DeclarationError(
                f"the PML has no layer at {side!r}, only at {listing(self.sides)}; ask for one of these"
            )
        return dict(self.width)[side] if isinstance(self.width, tuple) else float(self.width)

    def strength_for(self, wavenumber: float, side: str) -> float:
        """a₀ at a side, for the wavenumber k."""
        if self.reflection is not None:
            return -3 * math.log(self.reflection) / (2 * wavenumber * self.width_at(side))
        return DEFAULT_STRENGTH if self.strength is None else self.strength

    def reflection_for(self, wavenumber: float, side: str) -> float:
        """|R| at normal incidence at a side, for the wavenumber k."""
        return math.exp(-2 * wavenumber * self.strength_for(wavenumber, side) * self.width_at(side) / 3)

    def on_domain(self, domain: Domain) -> "PML":
        if not isinstance(domain, Box):
            raise DeclarationError(
                f"PML needs the flat sides of a Box, but the domain is {domain}; take a Box around it"
            )
        widths = self.widths(domain)
        for i, (axis, extent) in enumerate(zip(domain.axes, domain.extents, strict=True)):
            pair = [(side, widths[side]) for side in domain.faces[2 * i : 2 * i + 2] if side in widths]
            for side, width in pair:
                if width >= extent:
                    raise DeclarationError(
                        f"PML width {number(width)} at {side} fills the domain, {number(extent)} wide along "
                        f"{axis}; "
                        f"use less than {number(extent / 2)}, or a larger domain"
                    )
            if sum(width for _, width in pair) >= extent:
                raise DeclarationError(
                    f"PML widths {' and '.join(f'{number(w)} at {s}' for s, w in pair)} leave nothing of "
                    "the domain, "
                    f"{number(extent)} wide along {axis}; use less than {number(extent / 2)} each, or a "
                    "larger domain"
                )
        return self

    def constraints(self, domain: Domain) -> tuple[Constraint, ...]:
        return ()

    def describe(self, domain: Domain) -> str:
        widths = self.widths(domain)
        if len(set(widths.values())) == 1:
            each = f"{number(next(iter(widths.values())))} wide at {listing(widths)}"
        else:
            each = listing(f"{number(w)} wide at {side}" for side, w in widths.items())
        strength = (
            f"|R| = {number(self.reflection)}"
            if self.reflection is not None
            else f"a₀ = {number(self.strength or DEFAULT_STRENGTH)}"
        )
        return f"PML {each}: e = 1 − i a₀ (ℓ/L)², {strength}; u = 0 at its outer edge (not trained)"
