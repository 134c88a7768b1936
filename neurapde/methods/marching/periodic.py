"""Equations on a periodic box: waves in space; parts with constant coefficients are solved exactly, wave by wave.

The linearised system has its mean coefficients, with separate equations for each wave, and a rest, which GMRES
includes. So third and fourth derivatives cost no more than the field itself.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, gmres
from torch import Tensor

from neurapde.conditions.constraints import Constraint
from neurapde.methods.marching.fourier import FEWEST, FourierGrid
from neurapde.methods.marching.radau import Radau
from neurapde.methods.marching.rows import Matrix, Rows, Stages, Stencil, moment
from neurapde.methods.marching.system import LEAST_WINDOWS, Piece, Solve, System
from neurapde.methods.marching.waves import WaveWindows, WaveWindowsFunction
from neurapde.problem.problem import Problem
from neurapde.training.optimisation.jacobian import slope_of
from neurapde.trials.base import Setting

KRYLOV, LEFT, LOST = 30, 3e-3, 0.3
"""Steps of GMRES, its allowed residual, and the residual that is too large for a Newton step and needs a shorter window."""
POINTS = {1: 16384, 2: 147456, 3: 262144}
"""At most, by the axes in space."""
PROBED = 96
"""Points of a quadrature in space."""
SEED = 71993


class FourierRows(Rows):
    """A constraint at the points of a grid."""

    def __init__(self, problem: Problem, constraint: Constraint, grid: FourierGrid) -> None:
        nodes = np.arange(grid.count)[None]
        super().__init__(problem, constraint, Stencil(grid.positions[None], nodes, np.zeros((1, 0, 0, 0))))
        self.grid = grid
        self.degrees = [(degrees[-1], tuple(degrees[:-1])) for degrees in self.layout.degrees]
        self.multipliers = {along: grid.multiplier(along) for _, along in self.degrees}

    def slopes(self, stages: Stages) -> tuple[Matrix, Matrix]:
        """Residuals (stages, count, equations), and their slopes (equations, channels, stages, count, components)."""
        leaf = self._channels(stages).requires_grad_()
        count = len(stages.times)
        with torch.enable_grad():
            residual = self._residuals(stages.times, leaf)
            pulls = torch.stack([slope_of(column, leaf) for column in residual.unbind(1)]).numpy()
        pulls = pulls.reshape(len(pulls), len(self.degrees), count, self.grid.count, -1)
        return residual.detach().numpy().reshape(count, self.grid.count, -1), pulls

    def along(self, values: Matrix, wanted: Sequence[tuple[int, ...]]) -> dict[tuple[int, ...], Matrix]:
        """Derivatives along the axes, by their degrees, of values (stages, count, components)."""
        if not any(map(any, wanted)):
            return dict.fromkeys(wanted, values)
        waves = self.grid.waves(values)
        return {
            degrees: self.grid.values(self.multipliers[degrees][..., None] * waves)
            if any(degrees)
            else values
            for degrees in wanted
        }

    def _channels(self, stages: Stages) -> Tensor:
        along = self.along(stages.values, list(self.multipliers))
        channels = []
        for a, b in self.degrees:
            channel = np.tensordot(stages.rates[a], along[b], axes=1)
            if a == 2:
                channel = channel + self.along(stages.begin, [b])[b]
            channels.append(channel)
        size = self.layout.shape(channel[..., 0].size, self.outputs)
        return torch.from_numpy(np.stack(channels)).reshape(*size, *((2,) if self.complex else ()))


class FourierSystem(System):
    """An equation on a box that is periodic along all its axes.

    free: components of which the equation uses only derivatives along x, such as a pressure: their mean is 0. most:
    points.
    """

    begun = 1.0

    def __init__(
        self,
        problem: Problem,
        equation: Constraint,
        grid: FourierGrid,
        free: NDArray[np.bool_],
        most: int | None = None,
    ) -> None:
        self.problem, self.equation, self.grid, self.free = problem, equation, grid, free
        self.most = POINTS[len(grid.counts)] if most is None else most
        self.rows = FourierRows(problem, equation, grid)

    @staticmethod
    def coarsest(problem: Problem, equation: Constraint) -> "FourierSystem":
        """The system on the fewest points. Raises what residuals do that cannot be tried on numbers."""
        lower, upper = (np.asarray(corner, dtype=float) for corner in problem.domain.bounds)
        grid = FourierGrid((FEWEST,) * (len(lower) - 1), lower[:-1], (upper - lower)[:-1])
        rows = FourierRows(problem, equation, grid)
        values = 0.5 + np.random.default_rng(SEED).random((4, grid.count, rows.components))
        _, slopes = rows.slopes(moment(float(lower[-1]), values))
        read = [channel for channel, (_, along) in enumerate(rows.degrees) if not any(along)]
        free = np.logical_not(slopes[:, read].any(axis=(0, 1, 2, 3)))
        return FourierSystem(problem, equation, grid, free)

    def limited(self, least: int) -> "FourierSystem":
        most = LEAST_WINDOWS * POINTS[len(self.grid.counts)] // least
        return FourierSystem(self.problem, self.equation, self.grid, self.free, most)

    def guessed(self, values: Matrix) -> Matrix:
        return values - np.where(self.free, values.mean(axis=-2, keepdims=True), 0.0)

    @property
    def positions(self) -> Matrix:
        return self.grid.positions

    @property
    def quadrature(self) -> tuple[Matrix, Matrix]:
        points = self.grid.positions
        if len(points) > PROBED:
            points = np.random.default_rng(SEED).permutation(points)[:PROBED]
        return points, np.full(len(points), np.prod(self.grid.lengths) / len(points))

    def on(self, grid: FourierGrid | None) -> "FourierSystem | None":
        """The same on another grid."""
        return (
            None if grid is None else FourierSystem(self.problem, self.equation, grid, self.free, self.most)
        )

    def size(self, errors: Matrix) -> float:
        return float(np.sqrt((errors**2).mean(axis=-2)).max())

    def finer(self, values: Matrix, sizes: Matrix, limit: float) -> "FourierSystem | None":
        tails = self.grid.tails(values, sizes)
        return self.on(self.grid.finer(tails, limit, self.most))

    def coarser(self, values: Matrix, sizes: Matrix, limit: float) -> "FourierSystem | None":
        return self.on(self.grid.coarser(values, sizes, limit))

    def carried(self, values: Matrix, other: "FourierSystem") -> Matrix:
        return self.grid.carried(values, other.grid)

    def field(
        self, setting: Setting, rule: Radau, times: Matrix, pieces: Sequence[Piece]
    ) -> WaveWindowsFunction:
        grids, amplitudes = [], []
        for system, values in pieces:
            assert isinstance(system, FourierSystem)
            waves, grid = system.grid.kept(system.grid.waves(values))
            amplitudes.append(torch.from_numpy(np.tensordot(rule.coefficients, waves, axes=1)))
            grids.append(grid)
        trial = WaveWindows(tuple(grids), rule.stages).draw(setting)
        trial.fill(torch.from_numpy(times), amplitudes)
        return trial

    def residual(self, stages: Stages) -> Matrix:
        return self.rows.residual(stages).ravel()

    def linearised(self, stages: Stages) -> tuple[Matrix, Solve]:
        residual, slopes = self.rows.slopes(stages)
        mean = slopes.mean(axis=(2, 3))
        alone = _WaveByWave(self.rows, stages.rates, mean)
        size = np.abs(stages.values).max(axis=(0, 1))
        size = np.where(size > 0, size, 1.0)
        rest = _Rest(self.rows, stages.rates, slopes - mean[:, :, None, None])

        def step(change: Matrix) -> Matrix:
            shaped = change.reshape(residual.shape)
            return (shaped + alone(rest(size * shaped)) / size).ravel()

        def solve(residuals: Matrix) -> Matrix:
            start = alone(residuals.reshape(residual.shape)) / size
            if rest.nothing:
                return size * start
            return size * _gmres(step, start.ravel()).reshape(start.shape)

        return residual.ravel(), solve


def _gmres(step: Solve, right: Matrix) -> Matrix:
    """The solution of a linear system. Raises: RuntimeError if GMRES does not converge."""
    norm = np.linalg.norm(right)
    if not np.isfinite(norm):
        raise RuntimeError("the residual is not finite")
    operator = LinearOperator((right.size, right.size), step, dtype=float)
    norms: list[float] = [1.0]
    solution: Matrix = gmres(
        operator, right, rtol=LEFT, restart=KRYLOV, maxiter=1, callback=norms.append, callback_type="pr_norm"
    )[0]
    if norms[-1] > LOST:
        raise RuntimeError("GMRES does not converge")
    return solution


class _WaveByWave:
    """The inverse of a system with coefficients that are constant in space and over a window.

    The matrix of the rates over the stages is diagonalised, so only the components of a wave are coupled.
    mean: slopes (equations, channels, components).
    """

    def __init__(self, rows: FourierRows, rates: Matrix, mean: Matrix) -> None:
        self.grid = rows.grid
        values, self.vectors = np.linalg.eig(rates[1][:, 1:])
        self.inverse = np.linalg.inv(self.vectors)
        equations, _, components = mean.shape
        blocks = np.zeros((len(values), *self.grid.modes, equations, components), dtype=complex)
        for channel, (a, b) in enumerate(rows.degrees):
            if mean[:, channel].any():
                power = np.multiply.outer(values**a, rows.multipliers[b])
                blocks += power[..., None, None] * mean[:, channel]
        self.blocks = _inverted(blocks)

    def __call__(self, right: Matrix) -> Matrix:
        waves = self.grid.waves(right)
        waves = np.tensordot(self.inverse, waves, axes=1)
        waves = (
            self.blocks[..., 0] * waves
            if waves.shape[-1] == 1
            else np.matmul(self.blocks, waves[..., None])[..., 0]
        )
        return self.grid.values(np.tensordot(self.vectors, waves, axes=1))


def _inverted(blocks: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """The inverses; for singular blocks, such as that of a potential's mean, the least-squares inverse."""
    if blocks.shape[-1] == 1:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(blocks == 0, 0.0, 1 / blocks)
    scale = np.abs(blocks).max(axis=-1, keepdims=True)
    scale = np.where(scale > 0, scale, 1.0)
    scaled, info = torch.linalg.inv_ex(torch.from_numpy(blocks / scale))
    singular = info.numpy() > 0
    inverse: NDArray[np.complex128] = scaled.numpy() / np.swapaxes(scale, -1, -2)
    if singular.any():
        inverse[singular] = np.linalg.pinv(blocks[singular], rcond=1e-12)
    return inverse


class _Rest:
    """A linearised system minus its mean coefficients: slopes (equations, channels, stages, count, components)."""

    def __init__(self, rows: FourierRows, rates: Matrix, slopes: Matrix) -> None:
        self.rows, self.rates = rows, rates
        self.terms = [
            (rows.degrees[channel], q, c, slopes[q, channel, ..., c])
            for channel in range(slopes.shape[1])
            for q in range(slopes.shape[0])
            for c in range(slopes.shape[-1])
            if slopes[q, channel, ..., c].any()
        ]
        self.along = sorted({degrees for (_, degrees), *_ in self.terms})

    @property
    def nothing(self) -> bool:
        """Whether all coefficients are constant."""
        return not self.terms

    def __call__(self, change: Matrix) -> Matrix:
        along = self.rows.along(change, self.along)
        product = np.zeros_like(change)
        for (a, b), q, c, slope in self.terms:
            derivative = along[b][..., c]
            product[..., q] += slope * (
                derivative if a == 0 else np.tensordot(self.rates[a][:, 1:], derivative, axes=1)
            )
        return product
