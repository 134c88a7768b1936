"""The wave equation on a lattice of sines: the box without reflections, the medium's matrix, and the loads.

Divided by c², u_tt = c² Δu + f becomes M a'' = −K a + F, with K diagonal and M = ∫ φφ/c² exact for media that jump. With
the modes normalised, M = Bᵀ m B, where the columns of B are orthonormal on a grid of midpoints and m is the trigonometric
polynomial with the medium's cosine moments. M is inverted by conjugate gradients, preconditioned by Bᵀ c² B.
"""

from collections.abc import Sequence
from functools import cached_property, reduce

import numpy as np
from scipy.linalg import eigh
from scipy.sparse.linalg import LinearOperator, cg

from neurapde.assembly.wave_medium import WaveMedium
from neurapde.domains.box import Box
from neurapde.fields.medium import Field
from neurapde.spectral.modes import AxisModes, along, along_all
from neurapde.spectral.propagation import Oscillations
from neurapde.spectral.quadrature import FloatArray, interval_rule
from neurapde.spectral.weak import Piece

INNER = 1e-6  # relative residual of the conjugate gradients
MOST_INNER = 200  # of their steps

Sides = tuple[tuple[bool, bool], ...]


class WaveLattice:
    """The matrices of a medium on the products of modes of a box, in one to three dimensions.

    box: of the modes. inside: the box of the domain, where fields are given. source: the medium. free: for each axis,
    whether the slope (instead of the value) vanishes at its (lower, upper) end. missed: moments of the medium in
    addition to those of its rule.
    """

    def __init__(
        self,
        box: Box,
        inside: Box,
        source: WaveMedium,
        counts: Sequence[int],
        free: Sides,
        missed: FloatArray | None = None,
    ) -> None:
        self.box, self.inside, self.source, self.free, self._missed = box, inside, source, free, missed
        self.modes = tuple(
            AxisModes(a, b, count, ends) for (a, b), count, ends in zip(box.sides, counts, free, strict=True)
        )
        self.norms = [axis_modes.norms for axis_modes in self.modes]
        self._basis = [
            axis_modes.on_grid * np.sqrt(axis_modes.length / len(axis_modes.grid)) / np.sqrt(norm)
            for axis_modes, norm in zip(self.modes, self.norms, strict=True)
        ]
        self.stiffness: FloatArray = reduce(
            np.add.outer, (axis_modes.frequencies**2 for axis_modes in self.modes)
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """Modes along each axis."""
        return tuple(axis_modes.count for axis_modes in self.modes)

    @cached_property
    def shells(self) -> FloatArray:
        """The larger of each mode's frequencies along the axes."""
        return np.asarray(reduce(np.maximum.outer, (axis_modes.frequencies for axis_modes in self.modes)))

    @cached_property
    def grid_points(self) -> FloatArray:
        """The midpoints (n, d)."""
        axes = np.meshgrid(*(axis_modes.grid for axis_modes in self.modes), indexing="ij")
        return np.stack([axis.ravel() for axis in axes], axis=-1)

    @cached_property
    def grid_speed(self) -> FloatArray:
        """c at the midpoints, (nodes_0, …)."""
        values = self.source.speed(self.grid_points)
        return np.asarray(values, dtype=float).reshape([len(axis_modes.grid) for axis_modes in self.modes])

    def with_missed(self, moments: FloatArray) -> "WaveLattice":
        """The lattice of a medium with these moments in addition to those of its rule."""
        return WaveLattice(self.box, self.inside, self.source, self.shape, self.free, moments)

    @cached_property
    def uniform(self) -> float | None:
        """m if it is constant, else None."""
        return self.source.uniform if self._missed is None else None

    @cached_property
    def largest(self) -> float:
        """A bound Λ on the spectrum of M⁻¹ K."""
        fastest = max(float(self.grid_speed.max()), self.source.fastest)
        return float(self.stiffness.max()) * fastest**2 * (1 + 1e-9)

    @cached_property
    def moments(self) -> FloatArray:
        """The medium's cosine moments, (2 count + 1, …)."""
        moments = self.source.moments(self.modes)
        return moments if self._missed is None else moments + self._missed

    @cached_property
    def medium(self) -> FloatArray:
        """m on the grid as the trigonometric polynomial with its cosine moments."""
        return self.synthesize(self.moments)

    def synthesize(self, moments: FloatArray) -> FloatArray:
        """The trigonometric polynomial with these cosine moments, on the grid."""
        return np.asarray(along_all([axis_modes.synthesis for axis_modes in self.modes], moments))

    def mass_product(self, x: FloatArray) -> FloatArray:
        """M x."""
        if self.uniform is not None:
            return self.uniform * x
        return self._through(self.medium, x)

    def _through(self, factor: FloatArray, x: FloatArray) -> FloatArray:
        """Bᵀ factor B x."""
        return np.asarray(along_all([b.T for b in self._basis], factor * along_all(self._basis, x)))

    def mass_solve(self, load: FloatArray) -> FloatArray:
        """M⁻¹ load."""
        if self.uniform is not None:
            return load / self.uniform
        square = self.grid_speed**2

        def product(x: FloatArray) -> FloatArray:
            return self.mass_product(x.reshape(load.shape)).ravel()

        def better(x: FloatArray) -> FloatArray:
            return self._through(square, x.reshape(load.shape)).ravel()

        flat, shape = load.ravel(), (load.size, load.size)
        matrix, inverse = (LinearOperator(shape, action, dtype=load.dtype) for action in (product, better))
        x, _ = cg(matrix, flat, better(flat), rtol=INNER, maxiter=MOST_INNER, M=inverse)
        return np.asarray(x).reshape(load.shape)

    def operator(self, x: FloatArray) -> FloatArray:
        """A x = M⁻¹ K x."""
        return self.mass_solve(self.stiffness * x)

    @cached_property
    def oscillations(self) -> Oscillations:
        """A by its eigenvectors: for a limited number of modes, or in a uniform medium."""
        if self.uniform is not None:
            return Oscillations(self.stiffness / self.uniform, lambda x: x, lambda x: x)
        size, shape = self.stiffness.size, self.shape
        mass = np.stack([self.mass_product(unit.reshape(shape)).ravel() for unit in np.eye(size)])
        squares, vectors = eigh(np.diag(self.stiffness.ravel()), (mass + mass.T) / 2)

        def into(x: FloatArray) -> FloatArray:
            return np.asarray(vectors.T @ self.mass_product(x).ravel())

        def back(x: FloatArray) -> FloatArray:
            return np.asarray((x @ vectors.T).reshape(*x.shape[:-1], *shape))

        return Oscillations(np.maximum(squares, 0.0), into, back)

    def project(
        self,
        field: Field,
        by_medium: bool = False,
        detail: float = 0.0,
        breaks: Sequence[Sequence[float]] | None = None,
        finer: float = 1.0,
    ) -> FloatArray:
        """∫ field φ over the box `inside`, or ∫ m field φ, for every normalised mode: `shape`.

        detail: bandwidth of the field, if it may be above that of the modes. breaks: coordinates on each axis where it
        jumps. finer: factor of the number of nodes.
        """
        axes = [rule for _, rule in self.rules(field, by_medium, detail, breaks, finer)]
        mesh = np.meshgrid(*(x for x, _ in axes), indexing="ij")
        points = np.stack([coordinate.ravel() for coordinate in mesh], axis=-1)
        values = np.asarray(field(points), dtype=float)
        if by_medium:
            values = values * self.source.slowness_squared(points)
        values = values.reshape([len(x) for x, _ in axes])
        for axis, (x, w) in enumerate(axes):
            values = along(self.values(axis, x) * w, axis, values)
        return values

    def rules(
        self,
        field: Field,
        by_medium: bool = False,
        detail: float = 0.0,
        breaks: Sequence[Sequence[float]] | None = None,
        finer: float = 1.0,
    ) -> list[tuple[list[float], tuple[FloatArray, FloatArray]]]:
        """The ends of the panels of that quadrature on each axis, with its nodes and weights."""
        bandwidth = max(axis_modes.bandwidth for axis_modes in self.modes)
        rough = finer * (bandwidth + max(bandwidth, detail, Piece((), (), field).bandwidth))
        rules = []
        for axis, (a, b) in enumerate(self.inside.sides):
            jumps = (*(() if breaks is None else breaks[axis]), *self._jumps(axis, by_medium))
            ends = [a, *sorted({x for x in jumps if a < x < b}), b]
            rules.append((ends, interval_rule(ends, rough)))
        return rules

    def _jumps(self, axis: int, by_medium: bool) -> tuple[float, ...]:
        """Where the medium jumps across an axis, where it counts."""
        return tuple(self.source.planes(axis)) if by_medium else ()

    def at_point(self, at: FloatArray) -> FloatArray:
        """∫ m δ φ for the delta at a point (d,)."""
        return self.modes_at(at) * float(self.source.slowness_squared(at[None])[0])

    def modes_at(self, at: FloatArray) -> FloatArray:
        """The normalised modes at a point (d,)."""
        columns = [self.values(axis, at[axis : axis + 1])[:, 0] for axis in range(len(self.modes))]
        return np.asarray(reduce(np.multiply.outer, columns))

    def values(self, axis: int, x: FloatArray) -> FloatArray:
        """The normalised modes of an axis at x (n,): (count, n)."""
        return np.asarray(self.modes[axis].values(x) / np.sqrt(self.norms[axis])[:, None])

    def amplitudes(self, x: FloatArray) -> FloatArray:
        """Coefficients of the sines themselves, from normalised ones (…, *shape)."""
        for axis, norm in enumerate(self.norms):
            x = x / np.sqrt(norm).reshape([-1 if i == axis else 1 for i in range(len(self.modes))])
        return x
