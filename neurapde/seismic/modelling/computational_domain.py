"""The computational domain of a survey: the region of the model, and the box around it with absorbing layers.

A `Problem` declares either an absorbing layer inside its domain or `Absorbing` sides. Then a layer of one wavelength
is added outside the domain on these sides.
"""

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from neurapde.conditions import PML, Absorbing, Boundary, Dirichlet, InitialCondition, Neumann, Topography
from neurapde.conditions.sides import Sides, Treated
from neurapde.conditions.stretch import Stretch
from neurapde.core.declaration import Declaration
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import listing, number
from neurapde.domains.box import Box
from neurapde.equations.helmholtz import Helmholtz
from neurapde.equations.wave import Wave
from neurapde.fields.attenuation import KolskyFutterman
from neurapde.fields.medium import Field
from neurapde.problem.problem import Problem
from neurapde.reference_solvers.grids.grid import Grid
from neurapde.reference_solvers.grids.surface import Surface

REFLECTION = 1e-4
"""|R| at normal incidence of a layer that is put around a domain."""
WIDTH = 1.0
"""Its width in wavelengths, those of the lowest frequency in the fastest medium."""
MEANS = 4
"""Places per axis of a cell at which a medium is averaged."""
TREATED = Treated(
    "an inversion",
    (PML, Absorbing, Dirichlet, Neumann, Topography),
    zero=(Dirichlet, Neumann),
    way="give a PML, npde.Absorbing(on=…) for layers around the domain, npde.Dirichlet(0, on=…) for a free surface, or "
    "npde.Neumann(0, on=…)",
)


@dataclass(frozen=True)
class ComputationalDomain(Declaration):
    """A region with a model, and the box in which waves propagate.

    region: where the model is defined and may be unknown; beyond it the values of its edge continue.
    box:    the region and the layers around it.
    boundary: conditions on the box: at most one PML, Dirichlet(0) (a free surface of pressure), Neumann(0) or a Topography.
    attenuation: makes speeds complex; the speeds of the model are those at its reference frequency. None for none.
    """

    region: Box
    box: Box
    boundary: tuple[Boundary, ...]
    attenuation: KolskyFutterman | None = None

    @classmethod
    def of(cls, problem: Problem, wavelength: float) -> "ComputationalDomain":
        """The domain of a wave problem, see `waves_in`; `wavelength` is the longest one."""
        domain, _ = waves_in(problem)
        leaving, layer = problem.sides.open, problem.pml
        inside = {face: width for face, width in leaving.items() if width}
        outside = {face: WIDTH * wavelength for face, width in leaving.items() if not width}
        if outside:
            layer = replace(layer or PML(1.0, reflection=REFLECTION), width={**inside, **outside}, on=None)
        held = [
            condition
            for condition in problem.boundary
            if condition.mixed is not None or isinstance(condition, Topography)
        ]
        around = problem.sides.pairs(lambda face: outside.get(face, 0.0))
        box = Box(*((a - low, b + high) for (a, b), (low, high) in zip(domain.sides, around, strict=True)))
        lost = problem.equation.attenuation if isinstance(problem.equation, Helmholtz) else None
        return cls(problem.sides.core, box, (*held, *([] if layer is None else [layer])), lost)

    def stretch(self, wavenumber: float) -> Stretch:
        """The stretched coordinates of the layers at a wavenumber (of the fastest medium: the least absorbed)."""
        return Stretch(self.box, self.pml, wavenumber)

    @cached_property
    def sides(self) -> Sides:
        """The conditions on each face of the box."""
        return Sides(self.box, self.boundary)

    @property
    def pml(self) -> PML | None:
        """The layer, if there is one."""
        return self.sides.layer

    def inward(self, points: np.ndarray) -> np.ndarray:
        """Points `(n, 2)` with those outside the region, or in the air, moved to its edge, for their medium."""
        lower, upper = self.region.bounds
        inside = np.clip(points, lower, upper)
        return inside if self.topography is None else self.topography.lowered(inside)

    @property
    def topography(self) -> Topography | None:
        """The free surface that is no side, if there is one."""
        return self.sides.topography

    def surface(self, grid: Grid) -> Surface | None:
        """The same for a grid of the box."""
        left, right = self.region.sides[0]
        return None if self.topography is None else self.topography.surface(grid, (left, right))

    def refuse_topography(self) -> None:
        """Refuse a Topography, for an engine or method that does not model it."""
        if self.topography is not None:
            raise DeclarationError(
                f"the problem has {self.topography.describe(self.box)}, which this method does not model; use 'multiscale', "
                "'reduced' or 'adjoint' at frequencies, or a flat side: npde.Dirichlet(0, on='bottom')"
            )

    def describe(self) -> str:
        """One line on the surroundings of the model."""
        parts = "; ".join(condition.describe(self.box) for condition in self.boundary)
        extents = " × ".join(number(extent) for extent in self.box.extents)
        lost = "" if self.attenuation is None else f"; {self.attenuation.describe()}"
        return (f"{extents} box: {parts}" if parts else f"{extents} box") + lost


def waves_in(problem: Problem) -> tuple[Box, Field]:
    """The box in the plane and the speed of a problem whose waves can be inverted.

    Raises: DeclarationError for another equation, domain or condition.
    """
    equation, domain = problem.equation, problem.domain.spatial
    asked = f"the inversion of {problem.name!r}"
    if not isinstance(equation, Helmholtz | Wave):
        raise DeclarationError(
            f"{asked} finds the speed of waves, but its equation is {type(equation).__name__}; declare Helmholtz or Wave"
        )
    if not isinstance(domain, Box) or domain.dimension != 2:
        raise DeclarationError(
            f"{asked} needs a Box of two axes, but its domain is {domain}; use a Box around it. A surface that is not "
            "flat is declared as a condition: npde.seismic.Topography(x, y)"
        )
    if problem.extra:
        names = listing(repr(constraint.name) for constraint in problem.extra)
        raise DeclarationError(
            f"{asked} takes no additional constraints, but the problem has {names}; leave them out"
        )
    if reason := problem.sides.missing(TREATED):
        raise DeclarationError(f"{asked}: {reason}")
    if problem.sides.start != InitialCondition(0.0, 0.0):
        raise DeclarationError(
            f"{asked} has initial conditions, {problem.sides.start.describe(problem.domain)}; leave them out, since all "
            "waves come from the sources of the survey"
        )
    if np.iscomplexobj(np.asarray(equation.speed(domain.sample(256, how="grid").numpy()))):
        raise DeclarationError(
            f"{asked} finds a real speed, but its speed is complex; give the real one, and "
            "attenuation=npde.KolskyFutterman(…)"
        )
    return domain, equation.speed


def grid_on(box: Box, spacing: float) -> Grid:
    """The grid of a box with odd numbers of nodes per axis and at most the distance `spacing`."""
    lower, upper = (corner.tolist() for corner in box.bounds)
    counts = tuple(2 * max(3, math.ceil(extent / (2 * spacing) - 1e-9)) + 1 for extent in box.extents)
    return Grid(lower, upper, counts)


def cell_places(cell: ArrayLike, counts: tuple[int, int]) -> np.ndarray:
    """Midpoints `(n, 2)`, about the middle, of the parts of a cell cut `counts` times along its axes."""
    lines = [(np.arange(n) + 0.5) / n - 0.5 for n in counts]
    return np.stack(np.meshgrid(*lines, indexing="ij"), axis=-1).reshape(-1, 2) * np.asarray(cell)
