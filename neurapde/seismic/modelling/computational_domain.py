"""Where the waves of a survey run: the region of the model, and the box around it that lets them out.

An inversion declares either the box with its absorbing layer inside, as a `Problem` does, or the region of the model
alone: then a layer of one wavelength is put around it, outside, on every side that nothing is said about.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurapde.conditions import PML, Dirichlet, Neumann
from neurapde.conditions.base import Boundary
from neurapde.conditions.stretch import Stretch
from neurapde.core import checks
from neurapde.core.declaration import Declaration
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import number
from neurapde.domains.base import Domain
from neurapde.domains.box import Box
from neurapde.fields.medium import Constant

REFLECTION = 1e-4
"""|R| at normal incidence of a layer that is put around a model."""
WIDTH = 1.0
"""Its width in wavelengths, those of the lowest frequency in the fastest medium."""


@dataclass(frozen=True)
class ComputationalDomain(Declaration):
    """A region with a model, and the box that waves run in.

    region: where the model is defined and may be unknown; beyond it the values of its edge go on.
    box:    the region and the layers around it.
    boundary: conditions on the box: at most one PML, Dirichlet(0) (a free surface of pressure) or Neumann(0).
    """

    region: Box
    box: Box
    boundary: tuple[Boundary, ...]

    @classmethod
    def around(cls, domain: Domain, boundary: Any, wavelength: float) -> "ComputationalDomain":
        """The domain that `invert(domain=…, boundary=…)` means; `wavelength` is the longest that occurs.

        Raises: DeclarationError for a domain that is no planar Box, or conditions that it does not know.
        """
        if not isinstance(domain, Box) or domain.dimension != 2:
            raise DeclarationError(f"the model's domain is {domain}; an inversion needs a Box of two axes")
        given = _conditions(boundary)
        said = [face for part in given if not isinstance(part, PML) for face in _faces(part, domain)]
        layers = [part for part in given if isinstance(part, PML)]
        for face in domain.faces:
            if said.count(face) > 1:
                raise DeclarationError(f"{face} has {said.count(face)} conditions; give one")
        if layers:
            return cls(_without_layers(domain, layers[0]), domain, given)
        open_faces = [face for face in domain.faces if face not in said]
        width = WIDTH * wavelength
        sides = [
            (a - width * (low in open_faces), b + width * (high in open_faces))
            for (a, b), low, high in zip(domain.sides, domain.faces[::2], domain.faces[1::2], strict=True)
        ]
        layer = (PML(width=dict.fromkeys(open_faces, width), reflection=REFLECTION),) if open_faces else ()
        return cls(domain, Box(*sides), (*given, *layer))

    def stretch(self, wavenumber: float) -> Stretch:
        """The stretched coordinates of the layers at a wavenumber (of the fastest medium: the least absorbed)."""
        return Stretch(self.box, self.pml, wavenumber)

    @property
    def pml(self) -> PML | None:
        """The layer, if there is one."""
        return next((part for part in self.boundary if isinstance(part, PML)), None)

    @property
    def free(self) -> tuple[tuple[bool, bool], ...]:
        """For each axis whether the slope vanishes at its lower and its upper side, rather than the value."""
        open_faces = {
            f for part in self.boundary if isinstance(part, Neumann) for f in _faces(part, self.box)
        }
        is_free = [face in open_faces for face in self.box.faces]
        return tuple(zip(is_free[::2], is_free[1::2], strict=True))

    def inward(self, points: np.ndarray) -> np.ndarray:
        """Points `(n, 2)` with those outside the region moved to its edge: where their medium is taken."""
        lower, upper = self.region.bounds
        return np.clip(points, lower, upper)

    def describe(self) -> str:
        """One line on what surrounds the model."""
        parts = "; ".join(part.describe(self.box) for part in self.boundary)
        extents = " × ".join(number(extent) for extent in self.box.extents)
        return f"{extents} box: {parts}" if parts else f"{extents} box"


def _conditions(boundary: Any) -> tuple[Boundary, ...]:
    given = () if boundary is None else boundary if isinstance(boundary, list | tuple) else (boundary,)
    for part in given:
        if not isinstance(part, PML | Dirichlet | Neumann):
            raise DeclarationError(
                f"boundary has {checks.shown(part)}; give a PML, npde.Dirichlet(0, on=…) for a free surface, "
                "npde.Neumann(0, on=…), or nothing for layers all around"
            )
        if not isinstance(part, PML) and part.value != Constant(0.0):
            raise DeclarationError(
                f"boundary has {part!r}, which is not zero; the waves come from the sources"
            )
    if sum(isinstance(part, PML) for part in given) > 1:
        raise DeclarationError("boundary has two PMLs; give one, with a width for each side: width={side: …}")
    return tuple(given)


def _faces(part: Boundary, domain: Box) -> tuple[str, ...]:
    assert isinstance(part, Dirichlet | Neumann)
    return tuple(domain.check_faces(part.on, "the condition"))


def _without_layers(domain: Box, layer: PML) -> Box:
    layer.on_domain(domain)
    widths = layer.widths(domain)
    return Box(
        *(
            (a + widths.get(low, 0.0), b - widths.get(high, 0.0))
            for (a, b), low, high in zip(domain.sides, domain.faces[::2], domain.faces[1::2], strict=True)
        )
    )


def nodes_for(box: Box, spacing: float) -> tuple[int, ...]:
    """Odd numbers of nodes per axis, no further apart than `spacing`."""
    return tuple(2 * max(3, math.ceil(extent / (2 * spacing) - 1e-9)) + 1 for extent in box.extents)
