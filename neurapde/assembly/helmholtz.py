"""A Helmholtz problem in the plane on a lattice of sines: its weak form, its loads, and the solution up to a bandwidth."""

from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
from threadpoolctl import threadpool_limits

from neurapde.assembly.loads import defect_density, defect_load, density_load, density_rule
from neurapde.assembly.scattering import INNER, WindowedWave
from neurapde.backgrounds.waves import OutgoingWave
from neurapde.equations.helmholtz import Helmholtz
from neurapde.equations.helmholtz_residual import StrongForm
from neurapde.fields.medium import Field, FunctionField
from neurapde.fields.sources import FunctionSource, GaussianSource, PointSource, Source
from neurapde.problem.problem import Problem
from neurapde.spectral.modes import AxisModes
from neurapde.spectral.operator import LatticeOperator, moment_bandwidth
from neurapde.spectral.unseen import common, unseen, unseen_in
from neurapde.spectral.weak import WeakForm

SUPPORT = 6.0  # standard deviations beyond which a Gaussian source is nothing
PER_WAVE = 1.6  # the first bandwidth, in units of the largest local wavenumber
LEAST_MODES = 24  # along the longer axis, at the first level
SMALL = (
    200  # modes along an axis below which one thread is as fast as several, and much faster on a busy machine
)
PROBES = 4000  # points at which two levels are compared
FELT = 2e-5  # |R| at normal incidence from which on a layer's own reflection of a source's wave is kept, not left out


@dataclass(frozen=True)
class Level:
    """One lattice: its modes, the coefficients (count_0, count_1, shots), and the linear solve's record.

    iterations: its own and those of earlier levels.
    """

    modes: tuple[AxisModes, AxisModes]
    coefficients: np.ndarray
    residual: float
    iterations: int

    @property
    def bandwidth(self) -> float:
        """The largest frequency along any axis, rad per unit length."""
        return max(axis_modes.bandwidth for axis_modes in self.modes)

    @property
    def features(self) -> int:
        """Number of products of modes."""
        return self.modes[0].count * self.modes[1].count

    def at(self, points: np.ndarray) -> np.ndarray:
        """The sum of sines at points (n, 2): complex (n, shots)."""
        first, second = (axis_modes.values(points[:, axis]).T for axis, axis_modes in enumerate(self.modes))
        fields = [
            np.sum((first @ coefficients) * second, axis=1)
            for coefficients in np.moveaxis(self.coefficients, -1, 0)
        ]
        return np.stack(fields, axis=-1)


class LatticeProblem:
    """A Helmholtz problem on a planar Box for the lattice of sines: weak form, backgrounds, densities."""

    def __init__(self, problem: Problem, equation: Helmholtz) -> None:
        self.problem = problem
        self.form: WeakForm = equation.weak(problem)
        self.strong: StrongForm = equation.strong(problem)
        self.shots = problem.right_hand_sides
        self.reflections = equation.reflections(problem)
        placed = [[self._background(source) for source in shot] for shot in self.shots]
        self.backgrounds = tuple(tuple(wave for wave in shot if wave is not None) for shot in placed)
        self.densities = tuple(
            tuple(source for source, wave in zip(shot, waves, strict=True) if wave is None)
            for shot, waves in zip(self.shots, placed, strict=True)
        )

    def _background(self, source: Source) -> OutgoingWave | WindowedWave | None:
        """The wave that represents the source's peak; None for a source that the sines represent."""
        if not isinstance(source, GaussianSource | PointSource):
            return None
        at = np.array([source.at])
        c = next(self.form.values(piece, at)[0] for piece in self.form.pieces if piece.contains(at)[0])
        wave = OutgoingWave(source, float(np.sqrt(c.real)), self.form.stretch)
        room = self._room(at[0])
        if np.isinf(room):
            return wave
        if isinstance(source, GaussianSource) and SUPPORT * source.reach / 4 > INNER * room:
            return None
        return WindowedWave(wave, room)

    def _room(self, at: np.ndarray) -> float:
        """Distance to the nearest reflecting side: one without a layer, or with a weak one, behind which u = 0."""
        lower, upper = self.problem.domain.bounds
        distances = [np.inf]
        reflects = self.problem.sides.pairs(lambda face: self.reflections.get(face, 1.0) > FELT)
        for axis, (low, high) in enumerate(reflects):
            distances += [at[axis] - lower[axis]] if low else []
            distances += [upper[axis] - at[axis]] if high else []
        return float(min(distances))

    @cached_property
    def probes(self) -> np.ndarray:
        """Points (n, 2) of the physical region, outside the sources, at which fields are compared."""
        lower, upper = self.problem.domain.bounds
        steps = np.sqrt(PROBES * (upper - lower) / (upper - lower)[::-1])
        axes = [
            a + (b - a) * (np.arange(n) + 0.5) / n
            for a, b, n in zip(lower, upper, np.ceil(2 * steps).astype(int), strict=True)
        ]
        points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
        counted = self.problem.physical(points)
        spacing = float(max(axis[1] - axis[0] for axis in axes))
        for shot in self.shots:
            for source in shot:
                if source.center is not None:
                    away = max(SUPPORT / 4 * source.reach, spacing)
                    counted &= np.hypot(*(points - np.array(source.center)).T) > away
        return points[counted]

    @cached_property
    def known(self) -> np.ndarray:
        """The backgrounds at the probes, (n, shots)."""
        return self._known_at(self.probes)

    def _known_at(self, points: np.ndarray) -> np.ndarray:
        zero = np.zeros(len(points), dtype=complex)
        return np.stack(
            [sum((wave.values(points) for wave in shot), zero) for shot in self.backgrounds], axis=-1
        )

    @cached_property
    def largest_wavenumber(self) -> float:
        """The largest local wavenumber √|c| on a grid of the domain, rad per unit length."""
        points = np.concatenate([self.problem.domain.sample(PROBES, how="grid").numpy(), self.probes])
        numbers = [self.form.constant(piece) or 0.0 for piece in self.form.pieces]
        return float(max(self.wavenumbers(points).max(), np.sqrt(np.abs(numbers).max())))

    def wavenumbers(self, points: np.ndarray) -> np.ndarray:
        """√|c| at points (n, 2): (n,)."""
        wavenumbers = np.zeros(len(points))
        for piece in self.form.pieces:
            inside = piece.contains(points)
            if inside.any():
                wavenumbers[inside] = np.sqrt(np.abs(self.form.values(piece, points[inside])))
        return wavenumbers

    @property
    def first_bandwidth(self) -> float:
        """The first bandwidth: a little above the largest local wavenumber."""
        return max(PER_WAVE * self.largest_wavenumber, LEAST_MODES * np.pi / max(self.problem.domain.extents))

    def count(self, bandwidth: float, axis: int) -> int:
        """The number of modes of an axis up to a bandwidth."""
        return max(4, int(np.ceil(bandwidth * self.problem.domain.extents[axis] / np.pi)))

    def modes(self, bandwidth: float) -> tuple[AxisModes, AxisModes]:
        """The modes of either axis up to a bandwidth."""
        lower, upper = self.problem.domain.bounds
        first, second = (
            AxisModes(float(lower[i]), float(upper[i]), self.count(bandwidth, i), self.form.free[i])
            for i in range(2)
        )
        return first, second

    def solve(self, bandwidth: float, accuracy: float, guess: Level | None = None) -> Level:
        """The Galerkin solution on all modes up to `bandwidth`, its linear system solved to `accuracy`."""
        modes = self.modes(bandwidth)
        solutions = []
        with threadpool_limits(1 if max(axis_modes.count for axis_modes in modes) < SMALL else None, "blas"):
            operator = LatticeOperator(self.form, modes, self.constant())
            for shot in range(len(self.shots)):
                start = None if guess is None else _padded(guess.coefficients[..., shot], modes)
                solutions.append(operator.solve(self.load(modes, shot), accuracy, start))
        return Level(
            modes,
            np.stack([solution.coefficients for solution in solutions], axis=-1),
            max(solution.residual for solution in solutions),
            sum(solution.iterations for solution in solutions) + (0 if guess is None else guess.iterations),
        )

    def field(self, level: Level) -> np.ndarray:
        """The whole field at the probes, (n, shots)."""
        return np.asarray(self.known + level.at(self.probes))

    def constant(self) -> complex:
        """c₀: the background's coefficient, or its mean if it varies."""
        background = self.form.pieces[-1]
        constant = self.form.constant(background)
        return complex(self.form.values(background, self.probes).mean()) if constant is None else constant

    def load(self, modes: tuple[AxisModes, AxisModes], shot: int) -> np.ndarray:
        """The right-hand side of one shot for every mode, (count_0, count_1)."""
        total = np.zeros((modes[0].count, modes[1].count), dtype=complex)
        for wave in self.backgrounds[shot]:
            total += defect_load(self.form, self.strong, modes, wave)
        for source in self.densities[shot]:
            total += density_load(self.form, modes, field_of(source))
        return total

    def missed(self, level: Level, enough: float, accuracy: float) -> float:
        """The relative error of a level from parts of functions that its quadrature does not resolve; `enough`: a
        fraction."""
        form, tables = self.form, [axis_modes.values for axis_modes in level.modes]
        loads = np.zeros((2, *level.coefficients.shape), dtype=complex)
        unseen_share, breaks = 0.0, [form.breaks(axis) for axis in range(2)]
        for shot, sources in enumerate(self.densities):
            for source in sources:
                if isinstance(source, FunctionSource) and isinstance(source.f, FunctionField):
                    rule = density_rule(form, level.modes, source.f)
                    seen = unseen(source.f, [x for x, _ in rule], breaks, form.domain)
                    loads[..., shot] += seen.tested(form.scale(seen.points), tables)
                    unseen_share = max(unseen_share, seen.part)
        largest = max(axis_modes.bandwidth for axis_modes in level.modes)
        for piece in form.pieces:
            if isinstance(piece.field, FunctionField):
                bandwidth = moment_bandwidth(form, piece, largest)
                seen = unseen_in(piece, partial(form.values, piece), breaks, bandwidth, form.domain)
                field = level.at(seen.points) + self._known_at(seen.points)
                for shot in range(len(self.shots)):
                    loads[..., shot] -= seen.tested(form.scale(seen.points) * field[:, shot], tables)
                unseen_share = max(unseen_share, seen.part)
        if unseen_share <= enough:
            return 0.0
        operator = LatticeOperator(form, level.modes, self.constant())
        errors = np.stack(
            [
                np.stack(
                    [operator.solve(load, accuracy).coefficients for load in np.moveaxis(half, -1, 0)],
                    axis=-1,
                )
                for half in loads
            ]
        )
        changes = np.stack([replace(level, coefficients=error).at(self.probes) for error in errors])
        size = np.linalg.norm(level.at(self.probes) + self.known, axis=0)
        return max(common(changes[..., shot]) / (size[shot] or 1.0) for shot in range(len(self.shots)))

    def density(self, points: np.ndarray, shot: int) -> np.ndarray:
        """The load of one shot for the features at points (n, 2), E f minus the operator on the backgrounds: (n,)."""
        total = np.zeros(len(points), dtype=complex)
        for wave in self.backgrounds[shot]:
            total += defect_density(self.form, self.strong, wave, points)
        for source in self.densities[shot]:
            total += self.form.scale(points) * source(points)
        return total


def field_of(source: Source) -> Field:
    """The density of a source that is integrated directly."""
    return source.f if isinstance(source, FunctionSource) else FunctionField(source)


def _padded(coefficients: np.ndarray, modes: tuple[AxisModes, AxisModes]) -> np.ndarray:
    padded = np.zeros((modes[0].count, modes[1].count), dtype=complex)
    padded[: coefficients.shape[0], : coefficients.shape[1]] = coefficients
    return padded
