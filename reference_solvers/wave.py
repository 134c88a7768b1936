"""The wave equation u_tt = c^2 laplacian(u) + f on the nodes of a box, by leapfrog and fourth-order
differences.

The Laplacian is -sum G^T G with G the staggered fourth-order difference; nodes on mirrors count half. So it is
symmetric, an energy is conserved to round-off without absorption, and the absorbing layers have the same differences
as the interior.
`ORDER` holds in the spacing when the time step shrinks with it, with `time_order=4`; with 2 it is 2 in the
step.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from neurapde.reference_solvers.grids.grid import Grid
from neurapde.reference_solvers.grids.stencils import interpolation
from neurapde.reference_solvers.operators.wave_layers import Absorbing as Absorbing
from neurapde.reference_solvers.operators.wave_layers import (
    Layers,
    WaveSide,
    check_layers,
    differences,
    unknowns,
)
from neurapde.reference_solvers.operators.wave_layers import Mirror as Mirror
from neurapde.reference_solvers.operators.wave_layers import Wall as Wall

ORDER = 4.0

Array = NDArray[np.float64]

WALL = Wall()


@dataclass(frozen=True)
class Source:
    """f(t, x) = series(t) pattern(x).

    Args:
        pattern: `grid.shape`; a density, so that its sum times the cell's volume is the mass.
        series: times `(n,)` -> `(n,)`; evaluated up to one step before 0 and after the end.
    """

    pattern: Array
    series: Callable[[Array], Array]


def point_source(grid: Grid, at: ArrayLike, series: Callable[[Array], Array]) -> Source:
    """f = series(t) delta(x - at): unit mass, moments up to the third exact.

    A mirror within two spacings reflects it: a source on the mirror radiates half its mass.

    Raises: ValueError for a point outside the grid.
    """
    weights = interpolation(grid, np.asarray(at, dtype=float)[None])
    return Source((weights.toarray() / np.prod(grid.spacing)).reshape(tuple(grid.shape)), series)


@dataclass(frozen=True)
class WaveRecord:
    """The record of a run: steps + 1 times from 0 on.

    times `(steps + 1,)`; final `grid.shape`; traces `(steps + 1, receivers)`; snapshots `(k, *grid.shape)` at
    snapshot_times `(k,)`; energy `(steps,)` between the times, 1/2 sum (u_t^2 / c^2 + |grad u|^2) times the
    cell's volume, the layers included.
    """

    times: Array
    final: Array
    traces: Array
    snapshots: Array
    snapshot_times: Array
    energy: Array


class WaveGrid:
    """The wave equation of one medium on one grid: the matrices are made once for any number of runs.

    Args:
        grid: the nodes of the box, layers included, in 1 or 2 dimensions (3 between walls); at least 4 an
              axis.
        speed: c, a number or `grid.shape`, positive.
        sides: one side for all, or a pair (lower, upper) for each axis, each `Wall()`, `Mirror()` or
               `Absorbing(width)`.
        time_order: 2, leapfrog, or 4, with the correction of Lax and Wendroff: two products a step instead of
            one, between walls at steps 1.7 times as long. It stops where the layers begin.

    Raises: ValueError for wrong shapes, a speed that is not positive, layers that do not fit.
    """

    def __init__(
        self,
        grid: Grid,
        speed: float | Array,
        *,
        sides: WaveSide | Sequence[tuple[WaveSide, WaveSide]] = WALL,
        time_order: int = 4,
    ) -> None:
        if grid.dimension > 3:
            raise ValueError(f"waves need 1 to 3 dimensions; got {grid.dimension}.")
        if time_order not in (2, 4):
            raise ValueError(f"the order in time must be 2 or 4; got {time_order}.")
        speed = self._nodes(grid, speed, "speed")
        if not (speed > 0).all():
            raise ValueError(f"the speed must be positive; its smallest value is {speed.min():.6g}.")
        pairs = (
            [(sides, sides)] * grid.dimension if isinstance(sides, WaveSide) else [(a, b) for a, b in sides]
        )
        if len(pairs) != grid.dimension:
            raise ValueError(
                f"sides must be {grid.dimension} pairs (lower, upper), one for each axis; got {len(pairs)}."
            )
        check_layers(grid, pairs)
        self.grid, self.time_order = grid, time_order
        self.inner = tuple(unknowns(pair) for pair in pairs)
        self.square = speed[self.inner].ravel() ** 2
        self.shape = speed[self.inner].shape
        gradients, divergences, self.share = differences(grid, pairs)
        self.laplacian: sparse.csr_array = sum(
            d @ g for d, g in zip(divergences, gradients, strict=True)
        ).tocsr()
        self.layers = Layers(grid, pairs, float(speed.max()), gradients, divergences)
        fastest = (7 / 3) ** 2 * sum(h**-2.0 for h in grid.spacing) * float(speed.max()) ** 2
        limit = 12.0 if time_order == 4 and not self.layers.present else 4.0
        self.stable_step = float(np.sqrt(limit / (fastest + np.max(self.layers.stiffness))))

    @staticmethod
    def _nodes(grid: Grid, values: float | Array, what: str) -> Array:
        shape = tuple(grid.shape)
        if np.shape(values) not in ((), shape):
            raise ValueError(f"the {what} has shape {np.shape(values)}; give a number or {shape}.")
        if not np.isfinite(values).all():
            raise ValueError(f"the {what} has values that are not finite.")
        return np.broadcast_to(np.asarray(values, dtype=float), shape)

    def run(
        self,
        duration: float,
        *,
        steps: int | None = None,
        displacement: float | Array = 0.0,
        velocity: float | Array = 0.0,
        sources: Sequence[Source] = (),
        receivers: Array | None = None,
        snapshot_every: int | None = None,
        energy: bool = True,
    ) -> WaveRecord:
        """March from time 0 to `duration`.

        Args:
            duration: positive.
            steps: of equal length; a step may not exceed `stable_step`. None takes 0.8 of that.
            displacement: u at time 0, a number or `grid.shape`; always zero on walls.
            velocity: u_t at time 0, likewise.
            sources: all radiate together.
            receivers: `(r, d)`, points where u is interpolated, third order polynomials.
            snapshot_every: store u at time 0 and after every so many steps; None stores none.
            energy: compute it, which takes a third of the time of a step; else it is not a number.

        Raises: ValueError for an unstable step, wrong shapes, receivers outside the grid.
        """
        times, dt = self._times(duration, steps)
        march = _March(self, dt, times, sources, energy)
        points = (
            np.zeros((0, self.grid.dimension)) if receivers is None else np.asarray(receivers, dtype=float)
        )
        listen = interpolation(self.grid, points)[
            :, np.arange(self.grid.size).reshape(self.grid.shape)[self.inner].ravel()
        ]
        old, rate = (
            self._nodes(self.grid, values, what)[self.inner].ravel()
            for values, what in ((displacement, "displacement"), (velocity, "velocity"))
        )
        count = len(times) - 1
        every = count + 1 if snapshot_every is None else snapshot_every
        traces, energies = np.empty((count + 1, len(points))), np.empty(count)
        snapshots = [] if snapshot_every is None else [self._full(old)]
        traces[0] = listen @ old
        new, energies[0] = march.first(old, rate)
        for n in range(1, count + 1):
            traces[n] = listen @ new
            if n % every == 0:
                snapshots.append(self._full(new))
            if n < count:
                older, old = old, new
                new, energies[n] = march.next(n, old, older)
        recorded = times[::every] if snapshot_every is not None else times[:0]
        return WaveRecord(
            times,
            self._full(new),
            traces,
            np.array(snapshots).reshape(-1, *self.grid.shape),
            recorded,
            energies,
        )

    def _times(self, duration: float, steps: int | None) -> tuple[Array, float]:
        if not (np.isfinite(duration) and duration > 0):
            raise ValueError(f"the duration must be positive; got {duration}.")
        least = int(np.ceil(duration / self.stable_step * (1 - 1e-12)))
        count = int(np.ceil(duration / (0.8 * self.stable_step))) if steps is None else int(steps)
        if count < least:
            raise ValueError(
                f"{count} steps of {duration / max(count, 1):.4g} are unstable on this grid (CFL): a step "
                "is at most "
                f"{self.stable_step:.4g}; use at least {least} steps."
            )
        return np.linspace(0.0, duration, count + 1), duration / count

    def _full(self, inner: Array) -> Array:
        values = np.zeros(tuple(self.grid.shape))
        values[self.inner] = inner.reshape(self.shape)
        return values


class _March:
    """The steps of one run."""

    def __init__(
        self, wave: WaveGrid, dt: float, times: Array, sources: Sequence[Source], energy: bool
    ) -> None:
        self.wave, self.dt, self.layers, self.square = wave, dt, wave.layers, wave.square
        self.volume = float(np.prod(wave.grid.spacing)) if energy else np.nan
        patterns = [wave._nodes(wave.grid, s.pattern, "source pattern")[wave.inner].ravel() for s in sources]
        self.patterns = np.array(patterns).reshape(len(sources), wave.square.size)
        early = np.concatenate([[-dt], times, [times[-1] + dt]])
        series = np.array([np.broadcast_to(s.series(early), early.shape) for s in sources]).reshape(
            len(sources), len(early)
        )
        self.series = series[:, 1:-1]
        self.series_rate = (series[:, 2:] - series[:, :-2]) / (2 * dt)
        self.series_bend = (series[:, 2:] - 2 * series[:, 1:-1] + series[:, :-2]) / dt**2
        self.flux = np.zeros(len(self.layers.decay))
        self.slope = np.zeros(len(self.layers.decay))

    def _force(self, series: Array, n: int) -> Array | float:
        return series[:, n] @ self.patterns if len(series) and series[:, n].any() else 0.0

    def _forces(self, n: int, u: Array) -> tuple[Array, Array, Array | float]:
        """u_tt without friction, the stiff part of it that the energy counts, and the correction u_tttt."""
        wave, layers = self.wave, self.layers
        stress = wave.laplacian @ u
        force = self._force(self.series, n)
        bend: Array | float = 0.0
        if wave.time_order == 4:
            fourth = wave.laplacian @ (layers.clear * self.square * stress)
            bend = self.square * fourth
            if np.ndim(force):
                bend = bend + self.square * (wave.laplacian @ (layers.clear * force))
            bend = bend + self._force(self.series_bend, n)
        acceleration = self.square * stress + force
        if layers.present:
            acceleration += self.square * (layers.divergence @ self.flux) - layers.stiffness * u
        if wave.time_order == 4:
            stress = stress + self.dt**2 / 12 * fourth
        return acceleration, stress, bend

    def first(self, u: Array, rate: Array) -> tuple[Array, float]:
        """Time 0 to dt by Taylor's series, to the order of the scheme; u and the energy between."""
        dt, friction = self.dt, 0.5 * self.dt * self.layers.friction
        self.slope = self.layers.gradient @ u
        acceleration, stress, bend = self._forces(0, u)
        new = u + dt * (1 - friction) * rate + dt**2 / 2 * acceleration + dt**4 / 24 * bend
        if self.wave.time_order == 4:
            bend_rate = self.square * (self.wave.laplacian @ (self.layers.clear * rate))
            new += dt**3 / 6 * (bend_rate + self._force(self.series_rate, 0))
        self._advance(new)
        return new, self._energy(new, u, stress)

    def next(self, n: int, u: Array, older: Array) -> tuple[Array, float]:
        """Step n to n + 1: u and the energy between."""
        dt, friction = self.dt, 0.5 * self.dt * self.layers.friction
        acceleration, stress, bend = self._forces(n, u)
        new = 2 * u - (1 - friction) * older + dt**2 * acceleration + dt**4 / 12 * bend
        new /= 1 + friction
        self._advance(new)
        return new, self._energy(new, u, stress)

    def _advance(self, new: Array) -> None:
        if self.layers.present:
            slope = self.layers.gradient @ new
            self.flux = self.layers.advance(self.flux, self.slope, slope, self.dt)
            self.slope = slope

    def _energy(self, new: Array, u: Array, stress: Array) -> float:
        """Constant in time, to round-off, between walls and without sources."""
        if np.isnan(self.volume):
            return np.nan
        rate = (new - u) / self.dt
        share = self.wave.share
        return 0.5 * self.volume * float(rate @ (share * rate / self.square) - new @ (share * stress))
