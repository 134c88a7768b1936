"""The weak form of a linear equation, as an equation declares it and the lattice of sines assembles it.

With e_i the stretch factors of a perfectly matched layer (1 outside it) and E = Π e_i, an equation
Σ ∂_i((E/e_i²) ∂_i u) + E c u = E f is tested with functions v that vanish where u is prescribed:

    −∫ Σ (E/e_i²) ∂_i u ∂_i v  +  ∫ E c u v  =  ∫ E f v.

The coefficient c is piecewise: disjoint pieces, each with a smooth coefficient of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurapde.conditions.stretch import Stretch
from neurapde.domains import Box, Domain
from neurapde.fields.grid_field import GridField
from neurapde.fields.medium import Constant, Field, Piecewise
from neurapde.spectral.quadrature import FloatArray, interval_rule
from neurapde.spectral.region_quadrature import region_rule


@dataclass(frozen=True)
class Piece:
    """A field on one part of the domain: inside every region of `within` and outside every one of `outside`."""

    within: tuple[Domain, ...]
    outside: tuple[Domain, ...]
    field: Field

    @property
    def everywhere(self) -> bool:
        """Whether this piece is the whole domain."""
        return not self.within and not self.outside

    @property
    def constant(self) -> complex | None:
        """The number, where the field is one."""
        return self.field.value if isinstance(self.field, Constant) else None

    @property
    def bandwidth(self) -> float:
        """How fast the field may vary, rad per unit length: the cells of values on a grid, else unknown and 0."""
        if not isinstance(self.field, GridField) or self.field.bounds is None:
            return 0.0
        lower, upper = self.field.bounds
        cells = [(b - a) / (n - 1) for a, b, n in zip(lower, upper, self.field.values.shape, strict=True)]
        return 2 * np.pi / min(cells)

    def contains(self, points: FloatArray) -> np.ndarray:
        """Whether points (n, d) lie in this piece, (n,)."""
        inside = np.ones(len(points), dtype=bool)
        for region in self.within:
            inside &= region.contains(points)
        for region in self.outside:
            inside &= ~region.contains(points)
        return inside


def pieces_of(
    field: Field, within: tuple[Domain, ...] = (), outside: tuple[Domain, ...] = ()
) -> tuple[Piece, ...]:
    """The disjoint pieces of a field, the background last; a field that is not `Piecewise` is one piece."""
    if not isinstance(field, Piecewise):
        return (Piece(within, outside, field),)
    pieces: list[Piece] = []
    later: tuple[Domain, ...] = ()
    for region, value in reversed(field.pieces):
        pieces += pieces_of(value, (*within, region), (*outside, *later))
        later = (*later, region)
    return (*pieces, *pieces_of(field.background, within, (*outside, *later)))


@dataclass(frozen=True)
class WeakForm:
    """Domain, stretch, the pieces of the medium, how c follows from it, and the sides where the slope vanishes.

    coefficient: maps values of the medium's field (n,) to c (n,).
    free:        one pair (lower end, upper end) for each axis; True where the slope vanishes instead of the value.
    planes:      for each axis coordinates at which a function of the medium jumps across it.
    detail:      bandwidth that a function of the medium has where it jumps elsewhere, rad per unit length.
    looked:      how fine functions of the medium were looked at, in words.
    """

    domain: Box
    stretch: Stretch
    pieces: tuple[Piece, ...]
    coefficient: Callable[[np.ndarray], np.ndarray]
    free: tuple[tuple[bool, bool], ...]
    planes: tuple[tuple[float, ...], ...] = ((), ())
    detail: float = 0.0
    looked: tuple[str, ...] = ()

    def constant(self, piece: Piece) -> complex | None:
        """c on a piece, where it is one number."""
        return None if piece.constant is None else complex(self.coefficient(np.array([piece.constant]))[0])

    def values(self, piece: Piece, points: FloatArray) -> np.ndarray:
        """c of a piece at points (n, d), inside it or not: (n,)."""
        return self.coefficient(piece.field(points))

    def scale(self, points: FloatArray) -> NDArray[np.complex128]:
        """E = Π e_i at points (n, d): (n,), complex."""
        return np.prod(np.stack(self.stretch.factors(points)), axis=0)

    def breaks(self, axis: int) -> tuple[float, ...]:
        """The ends of an axis, where its layers begin, and the planes of the medium, increasing."""
        lower, upper = self.domain.bounds
        inner = {*map(float, self.stretch.axis(axis).breaks), *self.planes[axis]}
        return tuple(sorted({float(lower[axis]), float(upper[axis])} | inner))

    def axis_rule(self, axis: int, bandwidth: float) -> tuple[FloatArray, FloatArray]:
        """Nodes and weights (n,) along one axis."""
        return interval_rule(self.breaks(axis), bandwidth)

    def rule(self, piece: Piece, bandwidth: float) -> tuple[FloatArray, FloatArray]:
        """Quadrature points (n, 2) and weights (n,) over a piece, exact at its edges and at the layers'."""
        edges = [edge for region in (*piece.within, *piece.outside) for edge in region.edges]
        x, y = self.breaks(0), self.breaks(1)
        return region_rule(
            piece.contains, edges, ((x[0], x[-1]), (y[0], y[-1])), (x[1:-1], y[1:-1]), bandwidth
        )
