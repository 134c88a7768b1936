"""A Helmholtz problem on a box for products of polynomials on elements: edges, degrees, loads, faces, solutions.

Elements end where a layer begins, and at planes of the medium. The wave of every Gaussian or point source in an
unbounded medium equal to that at the source is known in closed form, and the polynomials represent the rest. Its load
comes from the change of the medium, and its values on the faces correct that wave there. That wave is not periodic. With
periodic sides a Gaussian is therefore a load like any other.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from neurapde.assembly.boxes.element_condensed import CondensedForm
from neurapde.assembly.boxes.element_faces import WaveFaces
from neurapde.assembly.boxes.element_form import Array, Complex, ElementForm
from neurapde.assembly.boxes.element_medium import on_cells
from neurapde.assembly.boxes.element_trial import ElementProducts
from neurapde.backgrounds.waves import OutgoingWave
from neurapde.core.arrays import to_numpy
from neurapde.domains.box import Box
from neurapde.equations.helmholtz import Helmholtz
from neurapde.fields.grid_field import GridField
from neurapde.fields.medium import Constant, FunctionField
from neurapde.fields.sources import FunctionSource, GaussianSource, PointSource
from neurapde.problem.problem import Problem
from neurapde.spectral.elements import ElementAxis, gauss_on
from neurapde.spectral.modes import along_all
from neurapde.spectral.weak import WeakForm

PER_WAVE, LEAST = 1.2, 12
"""The first bandwidth: in units of the largest local wavenumber, and half-waves along the longest axis at least."""
BELL = 2.5
"""Of a Gaussian load: the first bandwidth in units of one over its standard deviation, where it is exp(−3)."""
LONGEST = {2: 9.0, 3: 40.0}
"""Radians of the shortest wave within an element: many are solved directly, few by iteration."""
STEP = 1.05
"""By which a bandwidth is raised until it gives more polynomials."""
EXTRA = 3
"""Degrees beyond those that a bandwidth asks for."""
POINTS, MORE_POINTS = 1.25, 7
"""Points of a quadrature on an element: in units of its polynomials; and more of them where that is checked."""
PROBES = {2: 64, 3: 18}
"""Points along each axis at which fields are compared."""
REACH = 1.5
"""Within this times its reach of a source, fields are not compared."""
SAME = 1e-12
"""Of the coefficient: what differs by less is the same."""


@dataclass(frozen=True)
class ElementLevel:
    """One solution. amplitudes: (n1, …, nd, shots). bandwidth: rad per unit length. iterations: with those of earlier
    levels."""

    axes: tuple[ElementAxis, ...]
    amplitudes: Complex
    bandwidth: float
    residual: float
    iterations: int

    @property
    def features(self) -> int:
        """Products of polynomials."""
        return math.prod(self.amplitudes.shape[:-1])

    @property
    def spec(self) -> ElementProducts:
        """The trial function."""
        return ElementProducts(
            tuple(tuple(axis.edges.tolist()) for axis in self.axes), tuple(axis.degrees for axis in self.axes)
        )

    @property
    def legendre(self) -> Complex:
        """The amplitudes of the trial function."""
        return along_all([axis.to_legendre for axis in self.axes], self.amplitudes)

    def on(self, grid: Sequence[Array]) -> Complex:
        """The field on the products of a grid, (n1, …, nd, shots)."""
        return along_all([axis.at(x) for axis, x in zip(self.axes, grid, strict=True)], self.amplitudes)


class ElementWaves:
    """A Helmholtz problem on a Box."""

    def __init__(self, problem: Problem, equation: Helmholtz) -> None:
        assert isinstance(problem.domain, Box)
        self.problem, self.equation, self.box = problem, equation, problem.domain
        self.form: WeakForm = equation.weak(problem)
        placed = [[self._background(source) for source in shot] for shot in problem.right_hand_sides]
        self.backgrounds = tuple(tuple(wave for wave in shot if wave is not None) for shot in placed)
        self.densities = tuple(
            tuple(source for source, wave in zip(shot, waves, strict=True) if wave is None)
            for shot, waves in zip(problem.right_hand_sides, placed, strict=True)
        )

    def coefficient(self, points: Array) -> Array:
        """c = k²/speed² at points (n, d)."""
        return self.equation.wavenumber**2 * to_numpy(self.equation.slowness_squared(points))

    def _background(self, source: object) -> OutgoingWave | None:
        if not isinstance(source, GaussianSource | PointSource) or self.problem.sides.periodic:
            return None
        coefficient = complex(self.coefficient(np.array([source.at], dtype=float))[0])
        fades = coefficient.imag and not (self.box.dimension == 3 and isinstance(source, GaussianSource))
        wavenumber = complex(np.sqrt(coefficient)) if fades else float(np.sqrt(coefficient.real))
        return OutgoingWave(source, wavenumber, self.form.stretch)

    @cached_property
    def faces(self) -> WaveFaces:
        """What holds on the sides."""
        return WaveFaces(self.problem, self.box, self.coefficient, self.backgrounds)

    @cached_property
    def constant(self) -> complex:
        """c₀: the constant c, or the middle of its range."""
        if isinstance(self.equation.complex_speed, Constant):
            return complex(self.equation.wavenumber**2 / self.equation.complex_speed.value**2)
        values = self.coefficient(self._looked)
        middle = (values.real.min() + values.real.max()) / 2
        return complex(middle, float(values.imag.mean()))

    @property
    def uniform(self) -> bool:
        """Whether the medium is uniform."""
        return isinstance(self.equation.complex_speed, Constant)

    @cached_property
    def askew(self) -> bool:
        """Whether the medium jumps at other places than the ends of elements."""
        regions = [region for piece in self.form.pieces for region in (*piece.within, *piece.outside)]
        return not all(isinstance(region, Box) for region in regions) or self.form.detail > 0

    @cached_property
    def _looked(self) -> Array:
        return self.box.sample(8192, how="grid").numpy()

    @cached_property
    def largest_wavenumber(self) -> float:
        """The largest local wavenumber, rad per unit length."""
        numbers = [abs(self.form.constant(piece) or 0.0) for piece in self.form.pieces]
        return float(np.sqrt(max(np.abs(self.coefficient(self._looked)).max(), *numbers)))

    @property
    def first_bandwidth(self) -> float:
        """The first bandwidth: a little above the largest local wavenumber, and enough for the loads of Gaussians."""
        bells = [
            BELL / math.sqrt(source.variance)
            for shot in self.densities
            for source in shot
            if isinstance(source, GaussianSource)
        ]
        return max(PER_WAVE * self.largest_wavenumber, LEAST * math.pi / max(self.box.extents), *bells)

    @cached_property
    def edges(self) -> list[list[float]]:
        """The edges of the elements of each axis: ends, layers, planes of the medium, and more between them for many
        waves.

        A periodic axis has at least two elements, so that no element is its own neighbour.
        """
        edges = []
        regions = [region for piece in self.form.pieces for region in piece.within if isinstance(region, Box)]
        for axis, (lower, upper) in enumerate(self.box.sides):
            planes = {end for region in regions for end in region.sides[axis] if lower < end < upper}
            breaks = sorted({*self.form.breaks(axis), *planes})
            whole = [breaks[0]]
            least = 2 if self.faces.every[2 * axis] is None and len(breaks) == 2 else 1
            for a, b in pairwise(breaks):
                parts = max(least, math.ceil(self.largest_wavenumber * (b - a) / LONGEST[self.box.dimension]))
                whole += np.linspace(a, b, parts + 1)[1:].tolist()
            edges.append(whole)
        return edges

    def degrees(self, bandwidth: float) -> list[list[int]]:
        """The degrees of the polynomials on the elements of each axis: all odd, because a field may be even on an
        element."""
        return [
            [2 * math.ceil(bandwidth * (b - a) / 4) + EXTRA for a, b in pairwise(edges)]
            for edges in self.edges
        ]

    def axes(self, bandwidth: float, more: int = 0) -> tuple[ElementAxis, ...]:
        """The polynomials up to a bandwidth, with further quadrature points on each element."""
        pairs = zip(self.edges, self.degrees(bandwidth), self.faces.ends, strict=True)
        axes = []
        for axis, (edges, degrees, ends) in enumerate(pairs):
            rules = [
                self._rule(axis, a, b, math.ceil(POINTS * (p + 1)) + more)
                for p, (a, b) in zip(degrees, pairwise(edges), strict=True)
            ]
            axes.append(ElementAxis(edges, degrees, rules, self.form.stretch.axis(axis), ends))
        return tuple(axes)

    def _rule(self, axis: int, a: float, b: float, count: int) -> tuple[Array, Array]:
        """A minimum number of points and weights on an element, panel by panel between the grid lines of values."""
        lines = self._lines[axis]
        ends = [a, *lines[(lines > a + SAME * (b - a)) & (lines < b - SAME * (b - a))].tolist(), b]
        each = max(2, math.ceil(count / (len(ends) - 1))) + (len(ends) > 2)
        rules = [gauss_on(*pair, each) for pair in pairwise(ends)]
        x, weights = (np.concatenate(arrays) for arrays in zip(*rules, strict=True))
        return x, weights

    @cached_property
    def _lines(self) -> list[Array]:
        """For each axis the grid lines of values, where their interpolation has kinks."""
        lines: list[list[Array]] = [[np.empty(0)] for _ in range(self.box.dimension)]
        for piece in self.form.pieces:
            if isinstance(piece.field, GridField) and piece.field.bounds is not None:
                ends = zip(*piece.field.bounds, piece.field.values.shape, strict=True)
                for axis, (a, b, n) in enumerate(ends):
                    lines[axis].append(np.linspace(float(a), float(b), n))
        return [np.unique(np.concatenate(pieces)) for pieces in lines]

    def solve(
        self, bandwidth: float, accuracy: float, guess: ElementLevel | None = None, more: int = 0
    ) -> ElementLevel:
        """The solution on all polynomials up to a bandwidth, its linear system solved to an accuracy.

        They are more than those of the guess, which is compared, unless only the quadrature is finer.
        """
        while guess is not None and not more and self._same(guess, bandwidth):
            bandwidth *= STEP
        axes = self.axes(bandwidth, more)
        medium = None if self.uniform else on_cells(self.coefficient, axes, self.askew)
        faces = [face for face in self.faces.every if face is not None]
        variation = None if medium is None else medium - self.constant
        kind = CondensedForm if len(axes) == 2 else ElementForm
        form = kind(axes, self.form.scale, self.constant, variation, faces)
        shots = range(len(self.densities))
        starts = [None if guess is None else _padded(guess, axes)[..., shot] for shot in shots]
        solutions = [
            form.solve(self._density(axes, medium, shot), shot, accuracy, starts[shot]) for shot in shots
        ]
        return ElementLevel(
            axes,
            np.stack([solution for solution, _, _ in solutions], axis=-1),
            bandwidth,
            max(residual for _, residual, _ in solutions),
            sum(steps for _, _, steps in solutions) + (0 if guess is None else guess.iterations),
        )

    def _same(self, level: ElementLevel, bandwidth: float) -> bool:
        """Whether a bandwidth gives the same degrees as a level along some axis."""
        pairs = zip(level.axes, self.degrees(bandwidth), strict=True)
        return any(tuple(degrees) == axis.degrees for axis, degrees in pairs)

    def _density(self, axes: Sequence[ElementAxis], medium: NDArray | None, shot: int) -> Complex:
        """E times f minus the residual of the known waves, on the products of the axes' points."""
        grid = [axis.x for axis in axes]
        points = np.stack(np.meshgrid(*grid, indexing="ij"), axis=-1).reshape(-1, len(grid))
        total = np.zeros(len(points), dtype=complex)
        for source in self.densities[shot]:
            total += to_numpy(source(points))
        there = np.full(len(points), self.constant) if medium is None else medium.ravel()
        for wave in self.backgrounds[shot]:
            change = there - wave.wavenumber**2
            changed = np.abs(change) > SAME * abs(wave.wavenumber) ** 2
            total[changed] -= change[changed] * wave.values(points[changed])
        return total.reshape([len(x) for x in grid])

    def field(self, level: ElementLevel) -> Complex:
        """The whole field at the probes, (n, shots)."""
        values = level.on(self._probe_grid).reshape(-1, len(self.densities))[self._probed]
        return np.asarray(values + self._known)

    @cached_property
    def _probe_grid(self) -> list[Array]:
        count = PROBES[self.box.dimension]
        core = self.problem.sides.core
        return [a + (b - a) * (np.arange(count) + 0.5) / count for a, b in core.sides]

    @cached_property
    def _probed(self) -> Array:
        """Which points of that grid keep away from sources."""
        points = np.stack(np.meshgrid(*self._probe_grid, indexing="ij"), axis=-1).reshape(
            -1, self.box.dimension
        )
        chosen = np.ones(len(points), dtype=bool)
        spacing = max(float(x[1] - x[0]) for x in self._probe_grid)
        for source in (given for shot in self.problem.right_hand_sides for given in shot):
            if source.center is not None:
                away = max(REACH * source.reach, spacing)
                chosen &= np.linalg.norm(points - np.array(source.center), axis=1) > away
        return chosen if chosen.any() else ~chosen

    @cached_property
    def _known(self) -> Complex:
        points = np.stack(np.meshgrid(*self._probe_grid, indexing="ij"), axis=-1).reshape(
            -1, self.box.dimension
        )
        points = points[self._probed]
        zero = np.zeros(len(points), dtype=complex)
        return np.stack([sum((w.values(points) for w in shot), zero) for shot in self.backgrounds], axis=-1)

    def missed(self, level: ElementLevel, accuracy: float) -> float:
        """The relative change of the field by a quadrature with other points, if functions are integrated."""
        functions = isinstance(self.equation.complex_speed, FunctionField) or any(
            isinstance(source, FunctionSource) and isinstance(source.f, FunctionField)
            for shot in self.densities
            for source in shot
        )
        if not functions:
            return 0.0
        other = self.field(self.solve(level.bandwidth, accuracy, level, MORE_POINTS))
        size = np.linalg.norm(other, axis=0)
        change = np.linalg.norm(other - self.field(level), axis=0)
        return float(np.max(change / np.where(size > 0, size, 1.0)))


def _padded(level: ElementLevel, axes: Sequence[ElementAxis]) -> Complex:
    """The amplitudes of a level on other polynomials of the same elements, (n1, …, nd, shots)."""
    amplitudes = level.amplitudes
    for number, (old, new) in enumerate(zip(level.axes, axes, strict=True)):
        matrix = np.zeros((new.count, old.count))
        hats = len(old.edges)
        matrix[:hats, :hats] = np.eye(hats)
        row = column = hats
        for q, p in zip(new.degrees, old.degrees, strict=True):
            both = min(p, q) - 1
            matrix[row : row + both, column : column + both] = np.eye(both)
            row, column = row + q - 1, column + p - 1
        matrices = [matrix if k == number else np.eye(n) for k, n in enumerate(amplitudes.shape[:-1])]
        amplitudes = along_all(matrices, amplitudes)
    return amplitudes
