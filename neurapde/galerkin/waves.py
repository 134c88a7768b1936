"""The wave equation on a lattice of sines: the box that nothing returns from, the medium's matrix, and the loads.

Divided by c², u_tt = c² Δu + f becomes M a'' = −K a + F, with K diagonal and M = ∫ φφ/c² exact for media that jump. With
the modes normalised, M = Bᵀ m B, where the columns of B are orthonormal on a grid of midpoints and m is the trigonometric
polynomial with the medium's cosine moments. M is inverted by conjugate gradients, preconditioned by Bᵀ c² B.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from neurapde.absorbing import Stretch
from neurapde.core.arrays import Array, maximum, minimum, namespace
from neurapde.domains.base import Domain
from neurapde.domains.box import Box
from neurapde.galerkin.modes import AxisModes, along, along_all, project
from neurapde.galerkin.quadrature import FloatArray, interval_rule
from neurapde.galerkin.weak import Piece, WeakForm, pieces_of
from neurapde.medium import Field

INNER = 1e-6  # relative residual of the conjugate gradients
MOST_INNER = 200  # of their steps

Sides = tuple[tuple[bool, bool], ...]


@dataclass(frozen=True)
class Clamped(Field):
    """A field of a box, going on beyond it with the value at the nearest point."""

    field: Field
    box: Box

    def __call__(self, points: Array) -> Array:
        xp = namespace(points)
        columns = [minimum(maximum(points[:, i], a), b) for i, (a, b) in enumerate(self.box.sides)]
        return self.field(xp.stack(columns, axis=1))

    def describe(self) -> str:
        return self.field.describe()


@dataclass(frozen=True)
class SlownessSquared:
    """m = 1/c², of values of the speed (n,)."""

    def __call__(self, speed: np.ndarray) -> np.ndarray:
        return 1.0 / np.asarray(speed) ** 2


class WaveLattice:
    """The matrices of a medium on the products of modes of a box, in one or two dimensions.

    box: on which the modes live. speed: c on the box `inside`, continued beyond. free: for each axis, whether the slope
    (instead of the value) vanishes at its (lower, upper) end.
    """

    def __init__(self, box: Box, inside: Box, speed: Field, counts: Sequence[int], free: Sides) -> None:
        self.box, self.inside, self.speed = box, inside, speed
        self.modes = tuple(
            AxisModes(a, b, count, ends) for (a, b), count, ends in zip(box.sides, counts, free, strict=True)
        )
        self.norms = [one.norms for one in self.modes]
        self._basis = [
            one.on_grid * np.sqrt(one.length / len(one.grid)) / np.sqrt(norm)
            for one, norm in zip(self.modes, self.norms, strict=True)
        ]
        squares = [one.frequencies**2 for one in self.modes]
        self.stiffness: FloatArray = squares[0] if len(squares) == 1 else squares[0][:, None] + squares[1]

    @property
    def shape(self) -> tuple[int, ...]:
        """Modes along each axis."""
        return tuple(one.count for one in self.modes)

    @cached_property
    def grid_points(self) -> FloatArray:
        """The midpoints (n, d)."""
        axes = np.meshgrid(*(one.grid for one in self.modes), indexing="ij")
        return np.stack([axis.ravel() for axis in axes], axis=-1)

    @cached_property
    def grid_speed(self) -> FloatArray:
        """c at the midpoints, (nodes_0, …)."""
        values = Clamped(self.speed, self.inside)(self.grid_points)
        return np.asarray(values, dtype=float).reshape([len(one.grid) for one in self.modes])

    @cached_property
    def uniform(self) -> float | None:
        """m where it is one number, else None."""
        pieces = pieces_of(self.speed)
        if len(pieces) == 1 and pieces[0].constant is not None:
            return 1.0 / float(np.real(pieces[0].constant)) ** 2
        return None

    @cached_property
    def largest(self) -> float:
        """A bound Λ on the spectrum of M⁻¹ K."""
        return float(self.stiffness.max() * self.grid_speed.max() ** 2) * (1 + 1e-9)

    @cached_property
    def medium(self) -> FloatArray:
        """m on the grid as the trigonometric polynomial with its cosine moments."""
        moments = self._line_moments() if len(self.modes) == 1 else self._plane_moments()
        return np.asarray(along_all([one.synthesis for one in self.modes], moments))

    def _line_moments(self) -> FloatArray:
        """In one dimension, integrated between the ends of the regions."""
        (a, b), one = self.box.sides[0], self.modes[0]
        ends = [float(x) for region in _regions(pieces_of(self.speed)) for x in np.ravel(region.bounds)]
        ends += [float(x) for x in self.inside.sides[0]]
        x, weights = interval_rule([a, *sorted({x for x in ends if a < x < b}), b], 3 * one.bandwidth)
        speed = np.asarray(Clamped(self.speed, self.inside)(x[:, None]), dtype=float)
        return np.asarray(one.cosines(x) @ (weights / speed**2))

    def _plane_moments(self) -> FloatArray:
        pieces = [
            Piece(
                piece.within,
                piece.outside,
                Clamped(piece.field, self.inside) if piece.constant is None else piece.field,
            )
            for piece in pieces_of(self.speed)
        ]
        form = WeakForm(self.box, Stretch(self.box, None, 1.0), tuple(pieces), SlownessSquared(), ())
        *others, background = pieces
        rough = 3 * max(one.bandwidth for one in self.modes)
        axes = [interval_rule(self._breaks(axis), rough) for axis in range(2)]
        mesh = np.stack(np.meshgrid(axes[0][0], axes[1][0], indexing="ij"), axis=-1).reshape(-1, 2)
        values = np.asarray(form.values(background, mesh), dtype=float).reshape(*(len(x) for x, _ in axes))
        tables = [one.cosines(x) * w for one, (x, w) in zip(self.modes, axes, strict=True)]
        total = along_all(tables, values)
        for piece in others:
            points, weights = form.rule(piece, rough + piece.bandwidth)
            change = form.values(piece, points) - form.values(background, points)
            total = total + project([one.cosines for one in self.modes], points, weights * change).real
        return np.asarray(total)

    def _breaks(self, axis: int) -> list[float]:
        (a, b), inner = self.box.sides[axis], self.inside.sides[axis]
        return [a, *(x for x in inner if a < x < b), b]

    def weigh(self, x: FloatArray) -> FloatArray:
        """M x."""
        if self.uniform is not None:
            return self.uniform * x
        return self._through(self.medium, x)

    def _through(self, factor: FloatArray, x: FloatArray) -> FloatArray:
        """Bᵀ factor B x."""
        return np.asarray(along_all([b.T for b in self._basis], factor * along_all(self._basis, x)))

    def unweigh(self, load: FloatArray) -> FloatArray:
        """M⁻¹ load."""
        if self.uniform is not None:
            return load / self.uniform
        square = self.grid_speed**2
        x = self._through(square, load)
        rest = load - self.weigh(x)
        target = INNER * float(np.linalg.norm(load))
        better = self._through(square, rest)
        direction, product = better, float(np.vdot(rest, better))
        for _ in range(MOST_INNER):
            if np.linalg.norm(rest) <= target:
                break
            image = self.weigh(direction)
            length = product / float(np.vdot(direction, image))
            x, rest = x + length * direction, rest - length * image
            better = self._through(square, rest)
            product, before = float(np.vdot(rest, better)), product
            direction = better + product / before * direction
        return x

    def operator(self, x: FloatArray) -> FloatArray:
        """A x = M⁻¹ K x."""
        return self.unweigh(self.stiffness * x)

    def project(self, field: Field, weigh: bool = False, detail: float = 0.0) -> FloatArray:
        """∫ field φ over the box `inside`, or ∫ m field φ, for every normalised mode: `shape`.

        detail: bandwidth of the field, where it may be more than the modes'.
        """
        own = max(one.bandwidth for one in self.modes)
        rough = own + max(own, detail, Piece((), (), field).bandwidth)
        axes = [interval_rule(side, rough) for side in self.inside.sides]
        mesh = np.meshgrid(*(x for x, _ in axes), indexing="ij")
        points = np.stack([one.ravel() for one in mesh], axis=-1)
        values = np.asarray(field(points), dtype=float)
        if weigh:
            values = values / np.asarray(self.speed(points), dtype=float) ** 2
        values = values.reshape([len(x) for x, _ in axes])
        for axis, (x, w) in enumerate(axes):
            values = along(self.values(axis, x) * w, axis, values)
        return values

    def at_point(self, at: FloatArray) -> FloatArray:
        """∫ m δ φ for the delta at a point (d,)."""
        m = 1.0 / float(np.asarray(self.speed(at[None]))[0]) ** 2
        columns = [self.values(axis, at[axis : axis + 1])[:, 0] for axis in range(len(self.modes))]
        return m * (columns[0] if len(columns) == 1 else np.multiply.outer(*columns))

    def values(self, axis: int, x: FloatArray) -> FloatArray:
        """The normalised modes of an axis at x (n,): (count, n)."""
        return np.asarray(self.modes[axis].values(x) / np.sqrt(self.norms[axis])[:, None])

    def amplitudes(self, x: FloatArray) -> FloatArray:
        """Coefficients of the sines themselves, from normalised ones (…, *shape)."""
        for axis, norm in enumerate(self.norms):
            x = x / np.sqrt(norm).reshape([-1 if i == axis else 1 for i in range(len(self.modes))])
        return x


def _regions(pieces: Sequence[Piece]) -> list[Domain]:
    return list(itertools.chain.from_iterable((*piece.within, *piece.outside) for piece in pieces))
