"""Poisson's equation on a lattice of sines by its energy, which only needs integrals of the coefficient.

−∇·(a∇u) + c u = f with u = g + Σ x φ, where g has the values on the sides, becomes K x = F,

    K = ∫ a ∇φ·∇φ + c φφ,    F = ∫ f φ − a ∇g·∇φ − c g φ.

K is never stored: it is applied by tables of the modes along each axis at the points of a Gauss rule whose panels end
where the coefficient has a kink, in O(n^{1 + 1/d}), and inverted by minimal residuals (a reaction c may be negative).
"""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial, reduce

import numpy as np
from scipy.sparse.linalg import LinearOperator, minres
from threadpoolctl import threadpool_limits

from neurapde.core.cost import Cost
from neurapde.domains.box import Box
from neurapde.fields.grid_field import GridField
from neurapde.fields.medium import Constant, Field
from neurapde.spectral.modes import AxisModes, along_all
from neurapde.spectral.quadrature import FloatArray, unit_rule
from neurapde.spectral.unseen import Unseen, unseen
from neurapde.spectral.weak import pieces_of

RESTARTS = 3
MOST_ITERATIONS = 1000
ITERATIONS = 40
"""As many as a level takes where the coefficient does not vary much."""
POINT, FIELDS, PRODUCT = 80.0, 12, 2.2e-10
"""Bytes at a point, fields of all modes held, and seconds for a product at a point, for each axis and mode along it."""
PANEL = (24.0, 3e-10)
"""Bytes and seconds that a Gauss rule takes, over the square and the cube of its nodes."""

Known = Callable[[FloatArray], tuple[FloatArray, FloatArray]]
"""Values (n,) and gradient (n, d) of the known part at points (n, d)."""


@dataclass(frozen=True)
class Diffusion:
    """The data of a problem's energy.

    a, c:   coefficient and reaction. f: the source's density at points (n, d): (n,).
    known:  g, or None if the values on the sides are zero.
    free:   for each axis, whether the slope (instead of the value) vanishes at its (lower, upper) end.
    detail: bandwidth of f beyond that of the modes, rad per unit length.
    planes: for each axis coordinates where functions among a, c and f jump across it.
    """

    box: Box
    a: Field
    c: Field
    f: Callable[[FloatArray], FloatArray]
    known: Known | None
    free: tuple[tuple[bool, bool], ...]
    detail: float
    planes: tuple[FloatArray, ...] = ()

    def breaks(self, axis: int) -> FloatArray:
        """The ends of an axis the nodes of values on a grid along it, and the planes of jumps, increasing."""
        start, stop = self.box.sides[axis]
        breaks = [np.array([start, stop])]
        if self.planes:
            breaks.append(self.planes[axis][(self.planes[axis] > start) & (self.planes[axis] < stop)])
        for piece in (*pieces_of(self.a), *pieces_of(self.c)):
            if isinstance(piece.field, GridField) and piece.field.bounds is not None:
                lower, upper = (float(end[axis]) for end in piece.field.bounds)
                nodes = np.linspace(lower, upper, piece.field.values.shape[axis])
                breaks.append(nodes[(nodes > start) & (nodes < stop)])
        return np.unique(np.concatenate(breaks))

    def cost(self, counts: Sequence[int]) -> Cost:
        """The cost of the energy for numbers of modes along each axis."""
        bands = [math.pi * n / extent for n, extent in zip(counts, self.box.extents, strict=True)]
        nodes = [
            [_nodes((2 * band + self.detail) * (b - a)) for a, b in itertools.pairwise(self.breaks(axis))]
            for axis, band in enumerate(bands)
        ]
        points, largest = (
            math.prod(float(sum(panels)) for panels in nodes),
            float(max(max(panels) for panels in nodes)),
        )
        tables = sum(2.0 * sum(panels) * n for panels, n in zip(nodes, counts, strict=True))
        memory = (
            POINT * points + 8 * (FIELDS * math.prod(map(float, counts)) + tables) + PANEL[0] * largest**2
        )
        applied = PRODUCT * self.box.dimension * points * max(counts)
        return Cost(
            memory, ITERATIONS * applied + PANEL[1] * largest**3, f"{' × '.join(map(str, counts))} sines"
        )


class DiffusionLattice:
    """The energy for numbers of modes along each axis, normalised to ∫ φ² = 1."""

    def __init__(self, problem: Diffusion, counts: Sequence[int]) -> None:
        self.problem = problem
        self.modes = tuple(
            AxisModes(a, b, count, ends)
            for (a, b), count, ends in zip(problem.box.sides, counts, problem.free, strict=True)
        )
        self._rule = self._points(0.0)
        values = np.asarray(problem.a(self._rule.points), dtype=float).reshape(self._rule.shape)
        reaction = np.asarray(problem.c(self._rule.points), dtype=float).reshape(self._rule.shape)
        self._weighed = (values * self._rule.weights, reaction * self._rule.weights)
        self._means = tuple(weights.sum() / self._rule.weights.sum() for weights in self._weighed)

    @property
    def shape(self) -> tuple[int, ...]:
        """Modes along each axis."""
        return tuple(axis_modes.count for axis_modes in self.modes)

    def _points(self, detail: float) -> "_Rule":
        rules = [
            _panels(self.problem.breaks(axis), 2 * axis_modes.bandwidth + detail)
            for axis, axis_modes in enumerate(self.modes)
        ]
        return _Rule(tuple(x for x, _ in rules), tuple(w for _, w in rules), self.modes)

    def apply(self, x: FloatArray) -> FloatArray:
        """K x."""
        total = self._rule.test(self._weighed[1] * self._rule.expand(x))
        for axis in range(len(self.modes)):
            total = total + self._rule.test(self._weighed[0] * self._rule.expand(x, axis), axis)
        return total

    @cached_property
    def _load_rule(self) -> "_Rule":
        """Of the source."""
        return self._points(self.problem.detail) if self.problem.detail else self._rule

    @cached_property
    def load(self) -> FloatArray:
        """F."""
        rule = self._load_rule
        density = np.asarray(self.problem.f(rule.points), dtype=float).reshape(rule.shape)
        total = rule.test(density * rule.weights)
        if self.problem.known is None:
            return total
        rule = self._rule
        values, slopes = self.problem.known(rule.points)
        total = total - rule.test(self._weighed[1] * values.reshape(rule.shape))
        for axis in range(len(self.modes)):
            total = total - rule.test(self._weighed[0] * slopes[:, axis].reshape(rule.shape), axis)
        return total

    def missed(self, x: FloatArray, enough: float) -> FloatArray | None:
        """Twice the part of F − K x that the rules do not resolve, see `Unseen`; None if no function has more than a
        small part."""
        problem, axes = self.problem, self._rule.axes
        breaks = [problem.breaks(axis).tolist() for axis in range(len(axes))]
        misses = [_Missed(unseen(problem.f, self._load_rule.axes, breaks, problem.box), lambda _: 1.0)]
        for field, along in ((problem.c, [None]), (problem.a, range(len(axes)))):
            if not isinstance(field, Constant | GridField):
                part_unseen = unseen(field, axes, breaks, problem.box)
                misses += [_Missed(part_unseen, partial(self._less, x, axis), axis) for axis in along]
        if problem.known is not None:
            part_unseen = unseen(partial(_flux, problem, problem.known), axes, breaks, problem.box)
            misses += [
                _Missed(part_unseen, lambda _: -1.0, axis, column)
                for column, axis in enumerate((None, *range(len(axes))))
            ]
        if all(miss.unseen.part <= enough for miss in misses):
            return None
        tested = [
            miss.unseen.tested(miss.factor(miss.unseen.points), self._tables(miss.along), miss.column)
            for miss in misses
            if len(miss.unseen.points)
        ]
        return np.sum(tested, axis=0)

    def _tables(self, along: int | None) -> list[Callable[[FloatArray], FloatArray]]:
        """The normalised modes of each axis, or their slopes along one."""
        return [partial(_normalised, axis_modes, axis == along) for axis, axis_modes in enumerate(self.modes)]

    def _less(self, x: FloatArray, along: int | None, points: FloatArray) -> FloatArray:
        """−Σ x φ at points (n, d), or its derivative along an axis."""
        total = x[..., None]
        for axis, table in enumerate(self._tables(along)):
            total = np.einsum("a...n,an->...n", total, table(points[:, axis]))
        return -total

    def solve(
        self, accuracy: float, guess: FloatArray | None = None, load: FloatArray | None = None
    ) -> tuple[FloatArray, float]:
        """x with |F − K x| below `accuracy` of |F| in the norm dual to the energy's, and its relative residual.

        guess: of fewer modes. load: another F. An undetermined constant is zero.
        """
        squares = [axis_modes.frequencies**2 for axis_modes in self.modes]
        energy = self._means[0] * reduce(np.add.outer, squares) + max(self._means[1], 0.0)
        held = (energy > 1e-12 * energy.max()).ravel()
        root = np.where(held, 1 / np.sqrt(np.where(held, energy.ravel(), 1.0)), 0.0)
        load = root * (self.load if load is None else load).ravel()

        def image(y: FloatArray) -> FloatArray:
            """The image of y = x √energy, so that the iteration does not depend on the units."""
            return np.where(held, root * self.apply((root * y).reshape(self.shape)).ravel(), y)

        y = None if guess is None else _padded(guess, self.shape).ravel() / np.where(held, root, np.inf)
        matrix = LinearOperator((len(load), len(load)), matvec=image, dtype=float)
        norm = float(np.linalg.norm(load)) or 1.0
        within = accuracy  # of the iteration's own measure, which is larger than |F|
        with threadpool_limits(1 if max(self.shape) < 200 else None, "blas"):
            for _ in range(RESTARTS):
                y, _ = minres(matrix, load, x0=y, rtol=within, maxiter=MOST_ITERATIONS)
                rest = float(np.linalg.norm(load - image(y))) / norm
                if rest <= accuracy:
                    break
                within *= accuracy / (2 * rest)
        return (root * y).reshape(self.shape), rest

    def amplitudes(self, x: FloatArray) -> FloatArray:
        """Coefficients of the sines themselves, from normalised ones."""
        scales = [1 / np.sqrt(axis_modes.norms) for axis_modes in self.modes]
        return np.asarray(x * reduce(np.multiply.outer, scales))


@dataclass(frozen=True)
class _Missed:
    """The unresolved part of a function, its factor, and the axis of the slope of the test function."""

    unseen: Unseen
    factor: Callable[[FloatArray], FloatArray | float]
    along: int | None = None
    column: int = 0


def _normalised(axis_modes: AxisModes, slopes: bool, x: FloatArray) -> FloatArray:
    """Modes (or slopes of them) of ∫ φ² = 1 at x (n,): (count, n)."""
    return np.asarray(
        (axis_modes.slopes(x) if slopes else axis_modes.values(x)) / np.sqrt(axis_modes.norms)[:, None]
    )


def _flux(problem: Diffusion, known: Known, points: FloatArray) -> FloatArray:
    """c g and a ∇g at points (n, d): (n, 1 + d)."""
    values, slopes = known(points)
    reaction, coefficient = np.asarray(problem.c(points)), np.asarray(problem.a(points))
    return np.column_stack([reaction * values, coefficient[:, None] * slopes])


class _Rule:
    """Points and weights on a product of axes, with the tables of the normalised modes there."""

    def __init__(
        self, axes: tuple[FloatArray, ...], weights: tuple[FloatArray, ...], modes: tuple[AxisModes, ...]
    ) -> None:
        self.axes = axes
        self.shape = tuple(len(x) for x in axes)
        self.weights = np.asarray(reduce(np.multiply.outer, weights))
        scales = [np.sqrt(axis_modes.norms) for axis_modes in modes]
        self._values = [
            axis_modes.values(x).T / s for axis_modes, x, s in zip(modes, axes, scales, strict=True)
        ]
        self._slopes = [
            axis_modes.slopes(x).T / s for axis_modes, x, s in zip(modes, axes, scales, strict=True)
        ]

    @cached_property
    def points(self) -> FloatArray:
        """(n, d)."""
        return np.stack(
            [coordinate.ravel() for coordinate in np.meshgrid(*self.axes, indexing="ij")], axis=-1
        )

    def _tables(self, along: int | None) -> list[FloatArray]:
        return [self._slopes[i] if i == along else values for i, values in enumerate(self._values)]

    def expand(self, x: FloatArray, along: int | None = None) -> FloatArray:
        """Σ x φ at the points, or its derivative along an axis."""
        return np.asarray(along_all(self._tables(along), x))

    def test(self, values: FloatArray, along: int | None = None) -> FloatArray:
        """The sums of weighted values with every φ, or with its derivative along an axis."""
        return np.asarray(along_all([table.T for table in self._tables(along)], values))


def _panels(breaks: FloatArray, bandwidth: float) -> tuple[FloatArray, FloatArray]:
    """Gauss nodes and weights between breaks, as many in each as the bandwidth needs there."""
    nodes, weights = [], []
    for start, stop in itertools.pairwise(breaks):
        phase = bandwidth * (stop - start)
        unit, weight = unit_rule(_nodes(phase))
        nodes.append(start + (stop - start) * unit)
        weights.append((stop - start) * weight)
    return np.concatenate(nodes), np.concatenate(weights)


def _nodes(phase: float) -> int:
    """Gauss nodes for an integrand with a total phase in radians."""
    return math.ceil(phase / 2 + 2 + min(phase, 6.0))


def _padded(x: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    return np.pad(x, [(0, wanted - have) for have, wanted in zip(x.shape, shape, strict=True)])
