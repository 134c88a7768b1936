"""Layers that absorb what comes to the boundary of a box."""

import math
from collections.abc import Mapping
from dataclasses import InitVar, dataclass
from typing import Any, ClassVar

from neurapde.conditions.base import Boundary, face_names
from neurapde.conditions.constraints import Constraint
from neurapde.conditions.faces import Dirichlet
from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import listing, number
from neurapde.core.warn import warn
from neurapde.domains.base import Domain, On
from neurapde.domains.box import outer_box

MOST_STRENGTH = 1e4
DEFAULT_STRENGTH = 5.0
"""The paper's a₀."""


@dataclass(frozen=True)
class PML(Boundary):
    """A perfectly matched layer inside a Box: e = 1 − i a₀ (ℓ/L)², ℓ the depth into a layer of width L.

    The domain is the box, or what shapes cut out of it leave: `Box(…) - Disk(…)`.

    A wave at normal incidence is reflected with |R| = exp(−2 k a₀ L / 3). At the layer's outer edge u = 0: part
    of the declaration but, as in the paper, no constraint that is trained. What a direct method and the grid
    solve is the declared layer, reflection included, not open space; their notes state |R|. For `Wave`, in time,
    a layer stands for open space, to the method and to the grid: a medium that goes on as it is where the layer
    begins.

    Args:
        width: L, in units of length, for all sides, or {side: L}.
        strength: a₀, positive; 5 unless given.
        reflection: the target |R| in (0, 1), instead of strength: a₀ = −3 ln|R| / (2 k L).
        on: names of the faces with a layer; None for all. (`sides` is its name of the release before.)
    """

    width: Any
    strength: float | None = None
    reflection: float | None = None
    on: On = None
    sides: InitVar[On] = None

    absorbs: ClassVar[bool] = True
    outer_value: ClassVar[float] = 0.0
    """The value of u at the outer edge."""

    def __post_init__(self, sides: On) -> None:
        if sides is not None:
            warn("PML(sides=…) is PML(on=…) now; the next release removes the old name.", DeprecationWarning)
            object.__setattr__(self, "on", sides)
        self._set_width()
        if self.strength is not None and self.reflection is not None:
            raise DeclarationError(
                f"PML has strength={self.strength} and reflection={self.reflection}, but each determines the other; "
                "give one of them"
            )
        if self.strength is not None:
            strength = checks.positive(self.strength, "PML strength")
            if strength > MOST_STRENGTH:
                raise DeclarationError(
                    f"PML strength is {number(strength)}, so steep that no grid resolves it; give at most "
                    f"{number(MOST_STRENGTH)} (5 in the paper), or the target reflection=1e-4"
                )
            object.__setattr__(self, "strength", strength)
        if self.reflection is not None:
            reflection = checks.positive(self.reflection, "PML reflection")
            if reflection >= 1:
                raise DeclarationError(
                    f"PML reflection is {reflection:g}; give the reflected fraction of the amplitude, between 0 and 1, "
                    "such as 1e-4"
                )
            object.__setattr__(self, "reflection", reflection)

    def _set_width(self) -> None:
        object.__setattr__(self, "on", face_names(self.on, "on"))
        width = self.width
        if (
            isinstance(width, tuple)
            and width
            and all(isinstance(pair, tuple) and len(pair) == 2 for pair in width)
        ):
            width = dict(width)
        if isinstance(width, Mapping):
            if self.on is not None and set(self.on) != set(width):
                raise DeclarationError(
                    f"PML has a width for {listing(width)} and on={self.on!r}; leave out on"
                )
            if not width:
                raise DeclarationError("PML width is {}; give a number, or one for each side with a layer")
            pairs = tuple((side, checks.positive(w, f"PML width at {side!r}")) for side, w in width.items())
            object.__setattr__(self, "width", pairs)
            object.__setattr__(self, "on", tuple(width))
            return
        object.__setattr__(self, "width", checks.positive(width, "PML width"))

    def widths(self, domain: Domain) -> dict[str, float]:
        """The width of the layer at each side that has one."""
        box = outer_box(domain.spatial)
        sides = (domain.spatial if box is None else box).check_faces(self.on, "the PML")
        table = dict(self.width) if isinstance(self.width, tuple) else dict.fromkeys(sides, self.width)
        return {side: table[side] for side in sides}

    def faces(self, domain: Domain) -> tuple[str, ...]:
        return tuple(self.widths(domain))

    def open_faces(self, domain: Domain) -> dict[str, float]:
        return self.widths(domain)

    def width_at(self, side: str) -> float:
        """The width of the layer at a side.

        Raises: DeclarationError where that side has no layer.
        """
        if self.on is not None and side not in self.on:
            raise DeclarationError(
                f"the PML has no layer at {side!r}, only at {listing(self.on)}; use one of these"
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
        box = outer_box(domain.spatial)
        if box is None:
            raise DeclarationError(
                f"PML needs the flat sides of a Box, but the domain is {domain.spatial}; use a Box around it"
            )
        widths = self.widths(box)
        for i, (axis, extent) in enumerate(zip(box.axes, box.extents, strict=True)):
            pair = [(side, widths[side]) for side in box.faces[2 * i : 2 * i + 2] if side in widths]
            for side, width in pair:
                if width >= extent:
                    raise DeclarationError(
                        f"PML width {number(width)} at {side} fills the domain, {number(extent)} wide along "
                        f"{axis}; "
                        f"use less than {number(extent / 2)}, or a larger domain"
                    )
            if sum(width for _, width in pair) >= extent:
                raise DeclarationError(
                    f"PML widths {' and '.join(f'{number(w)} at {s}' for s, w in pair)} cover the whole domain, "
                    f"{number(extent)} wide along {axis}; use less than {number(extent / 2)} each, or a larger domain"
                )
        return self

    def constraints(self, domain: Domain) -> tuple[Constraint, ...]:
        return ()

    def edge(self, domain: Domain) -> Constraint:
        """u = 0 at the layer's outer edge, for methods that solve for a field instead of training it."""
        sides = tuple(self.widths(domain))
        return Dirichlet(self.outer_value, on=sides, name="pml-edge").on_domain(domain).constraints(domain)[0]

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
