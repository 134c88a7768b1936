"""The weak form of a linear equation, as an equation declares it and the lattice of sines assembles it.

With e_i the stretch factors of a perfectly matched layer (1 outside it) and E = Π e_i, an equation
Σ ∂_i((E/e_i²) ∂_i u) + E c u = E f is tested with functions v that vanish where u is prescribed:

    −∫ Σ (E/e_i²) ∂_i u ∂_i v  +  ∫ E c u v  =  ∫ E f v.

The coefficient c is piecewise: disjoint regions, each with a smooth coefficient of its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from neurapde.absorbing import Stretch
from neurapde.domains import Box, Domain
from neurapde.galerkin.chords import region_rule
from neurapde.galerkin.quadrature import FloatArray


@dataclass(frozen=True)
class Piece:
    """A coefficient on one part of the domain: inside `region` (everywhere when None) and outside all `except_for`.

    value: points (n, d) to (n,). constant: the number, where it is one.
    """

    region: Domain | None
    except_for: tuple[Domain, ...]
    value: Callable[[FloatArray], np.ndarray]
    constant: complex | None = None

    @property
    def parts(self) -> tuple[Domain, ...]:
        """The regions whose edges bound this piece."""
        return (*((self.region,) if self.region else ()), *self.except_for)

    def contains(self, points: FloatArray) -> np.ndarray:
        """Whether points (n, d) lie in this piece, (n,)."""
        inside = np.ones(len(points), dtype=bool) if self.region is None else self.region.contains(points)
        for other in self.except_for:
            inside &= ~other.contains(points)
        return inside


@dataclass(frozen=True)
class WeakForm:
    """Domain, stretch, pieces of c, and the sides where the slope vanishes instead of the value.

    free: one pair (lower end, upper end) for each axis.
    """

    domain: Box
    stretch: Stretch
    pieces: tuple[Piece, ...]
    free: tuple[tuple[bool, bool], ...]

    def breaks(self, axis: int) -> tuple[float, ...]:
        """Where the layers of one axis begin."""
        return tuple(self.stretch.axis(axis).breaks)

    def rule(self, piece: Piece, bandwidth: float) -> tuple[FloatArray, FloatArray]:
        """Quadrature points (n, 2) and weights (n,) over a piece, exact at its edges and at the layers'."""
        lower, upper = self.domain.bounds
        edges: Sequence = [edge for part in piece.parts for edge in part.edges]
        rectangle = ((float(lower[0]), float(upper[0])), (float(lower[1]), float(upper[1])))
        return region_rule(
            piece.contains, edges, rectangle, (self.breaks(0), self.breaks(1)), bandwidth
        )

    def scale(self, points: FloatArray) -> np.ndarray:
        """E = Π e_i at points (n, d): (n,), complex."""
        return np.prod(np.stack(self.stretch.factors(points)), axis=0)
