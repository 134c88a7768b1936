"""m u_tt - laplacian(u) = w(t) delta(x - x_s), m = 1/c^2, for all shots of a survey at once, with its exact adjoint.

This is for inversion in time: traces of any m, and the gradient of any function of the traces by the transpose of the
same steps, layers included, so that it is exact to round-off. The scheme is leapfrog of second order in time
(`time_dispersion` has filters against its error) and fourth order in space, like `WaveGrid`; fields are
`(nodes, shots)`, and a step is two sparse products.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from neurapde.reference_solvers.grids.band_limited import band_limited
from neurapde.reference_solvers.grids.grid import Grid
from neurapde.reference_solvers.operators.wave_layers import (
    Layers,
    WaveSide,
    check_layers,
    damping,
    differences,
    mirrors,
    unknowns,
)

ORDER = 4.0
"""In the spacing; in the time step it is 2."""
BYTES = 8
WORKING = 8
"""Fields that a step needs besides what is stored."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Plan:
    """The storage of a run's steps for the gradient.

    The gradient needs the stress of each step: all are stored, or the states at the start of segments, from which they
    are recomputed. segment: steps in one. bytes: for a run and its gradient.
    """

    steps: int
    segment: int
    bytes: int

    @property
    def segments(self) -> int:
        """1 if every step is stored."""
        return -(-self.steps // self.segment)


@dataclass(frozen=True)
class WaveRun:
    """The waves in one medium.

    traces `(shots, receivers, steps + 1)`, the first at time 0. slowness_squared `(nodes,)`, of those not on walls.
    For the gradient: stresses `(steps, nodes, shots)` if all are stored, else the states (u and fluxes, u before) at
    the start of each segment.
    """

    traces: Array
    slowness_squared: Array
    stresses: Array | None
    states: tuple[tuple[Array, Array], ...]


class WaveShots:
    """The shots of one survey on one grid, for any m.

    Args:
        grid: the nodes of the box, layers included, in 1 or 2 dimensions.
        sources: `(s, d)`; one shot each. variance: of a Gaussian of unit mass instead; 0 for points.
        receivers: `(r, d)`; all record all shots.
        wavelet: w at the steps 0, dt, ... `(steps,)`; w before is zero, so that half the first sample counts.
        dt: the step.
        sides: one side for all, or a pair (lower, upper) for each axis; a `Wall` is a free surface of the pressure.
        layer_speed: c of the absorbing layers for every m; the largest one.
        memory: bytes that a run and its gradient may take.

    Raises: ValueError for wrong shapes, points outside the grid, layers that do not fit, too little memory.
    """

    def __init__(
        self,
        grid: Grid,
        sources: Array,
        receivers: Array,
        wavelet: Array,
        *,
        dt: float,
        sides: Sequence[tuple[WaveSide, WaveSide]],
        layer_speed: float,
        variance: float = 0.0,
        memory: float = 2e9,
    ) -> None:
        wavelet = np.array(wavelet, dtype=float)
        if wavelet.ndim != 1 or not len(wavelet):
            raise ValueError(f"the wavelet has shape {wavelet.shape}; give (steps,).")
        if not (dt > 0 and layer_speed > 0):
            raise ValueError(f"step and layer speed must be positive; got {dt} and {layer_speed}.")
        pairs = list(sides)
        if len(pairs) != grid.dimension:
            raise ValueError(
                f"sides must be {grid.dimension} pairs (lower, upper), one for each axis; got {len(pairs)}."
            )
        check_layers(grid, pairs)
        self.grid, self.dt = grid, dt
        self._stable_step = partial(stable_step, grid, pairs, layer_speed)
        self.wavelet = wavelet
        self.wavelet[0] /= 2
        unknown = np.arange(grid.size).reshape(grid.shape)[tuple(unknowns(pair) for pair in pairs)]
        self.inner, self.shape = unknown.ravel(), unknown.shape
        self._assemble(pairs, layer_speed)
        ends = [mirrors(pair) for pair in pairs]
        listen = band_limited(grid, np.asarray(receivers, dtype=float), mirrors=ends)[:, self.inner]
        self._listen, self._tell = listen.tocsr(), listen.T.tocsr()
        radiate = band_limited(grid, np.asarray(sources, dtype=float), variance=variance, mirrors=ends)[
            :, self.inner
        ].tocoo()
        self._at = (radiate.col, radiate.row)
        self._mass = radiate.data / self._volume[radiate.col]
        self.shots, self.receivers = len(sources), len(receivers)
        self.plan = self._planned(memory)

    def _assemble(self, pairs: list[tuple[WaveSide, WaveSide]], layer_speed: float) -> None:
        """The two matrices of a step with their transposes and diagonals."""
        gradients, divergences, shares = differences(self.grid, pairs)
        layers = Layers(self.grid, pairs, layer_speed, gradients, divergences)
        laplacian = sum(d @ g for d, g in zip(divergences, gradients, strict=True))
        stress = sparse.hstack([laplacian, layers.divergence])
        self._volume = np.prod(self.grid.spacing) * shares
        half = 0.5 * self.dt * layers.decay
        drive = sparse.diags_array(0.5 * self.dt * layers.drive / (1 + half)) @ layers.gradient
        self._stress, self._stress_transposed = stress.tocsr(), stress.T.tocsr()
        self._drive, self._drive_transposed = drive.tocsr(), drive.T.tocsr()
        self._decay = ((1 - half) / (1 + half))[:, None]
        friction = 0.5 * self.dt * layers.friction[:, None]
        stiffness = self.dt**2 * np.broadcast_to(layers.stiffness, len(self.inner))[:, None]
        self._now = (2 - stiffness) / (1 + friction)
        self._before = (1 - friction) / (1 + friction)
        self._push = self.dt**2 / (1 + friction)

    @property
    def steps(self) -> int:
        """Of a run."""
        return len(self.wavelet)

    def _planned(self, memory: float) -> Plan:
        nodes, fluxes = len(self.inner), len(self._decay)
        state = BYTES * self.shots * 2 * (nodes + fluxes)
        stress = BYTES * self.shots * nodes
        fixed = WORKING * state + 2 * BYTES * self.shots * self.receivers * (self.steps + 1)
        whole = fixed + self.steps * stress
        if whole <= memory:
            return Plan(self.steps, self.steps, whole)
        segment = max(1, min(self.steps, round(float(np.sqrt(self.steps * state / stress)))))
        least = fixed + segment * stress + -(-self.steps // segment) * state
        if least > memory:
            raise ValueError(
                f"{self.steps} steps of {self.shots} shots on {' x '.join(map(str, self.grid.shape))} nodes take "
                f"{least / 1e9:.2g} GB with checkpoints, more than memory = {memory / 1e9:.2g} GB; take fewer shots at "
                "a time, a coarser grid, or allow more."
            )
        return Plan(self.steps, segment, least)

    def _scale(self, slowness_squared: Array) -> tuple[Array, Array]:
        """m at the unknown nodes, and the factor from stress to the change of u in a step `(nodes, 1)`."""
        if np.shape(slowness_squared) != (self.grid.size,):
            raise ValueError(f"m has shape {np.shape(slowness_squared)}; give ({self.grid.size},).")
        m = np.asarray(slowness_squared, dtype=float)[self.inner]
        if not (np.isfinite(m) & (m > 0)).all():
            raise ValueError(f"m = 1/c^2 must be positive and finite; its smallest value is {m.min():.6g}.")
        limit = self._stable_step(float(m.min() ** -0.5))
        if self.dt > limit * (1 + 1e-12):
            raise ValueError(
                f"a step of {self.dt:.4g} is unstable on this grid (CFL) at the speed {m.min() ** -0.5:.6g}: at most "
                f"{limit:.4g}; shorten it, widen the spacing, or bound the speed."
            )
        return m, self._push / m[:, None]

    def run(self, slowness_squared: Array) -> WaveRun:
        """The traces of a medium m `(grid.size,)`, and the data for `gradient`.

        Raises: ValueError for a wrong shape, m that is not positive, a step that is unstable in it.
        """
        m, scale = self._scale(slowness_squared)
        nodes, stored = len(m), self.plan.segments == 1
        now, before = self._rest()
        traces = np.zeros((self.steps + 1, self.receivers, self.shots))
        stresses = np.empty((self.steps, nodes, self.shots)) if stored else None
        states = []
        for n in range(self.steps):
            if not stored and n % self.plan.segment == 0:
                states.append((now, before))
            stress = self._stress_at(n, now)
            if stresses is not None:
                stresses[n] = stress
            now, before = self._step(scale, stress, now, before)
            traces[n + 1] = self._listen @ now[:nodes]
        return WaveRun(np.ascontiguousarray(traces.transpose(2, 1, 0)), m, stresses, tuple(states))

    def gradient(self, run: WaveRun, cotangent: Array) -> Array:
        """The gradient `(grid.size,)` by m of sum(cotangent * traces), cotangent `(shots, receivers, steps + 1)`."""
        m = run.slowness_squared
        scale, nodes = self._push / m[:, None], len(m)
        cotangent = np.ascontiguousarray(np.asarray(cotangent, dtype=float).transpose(2, 1, 0))
        back, earlier = np.zeros((nodes, self.shots)), np.zeros((nodes, self.shots))
        fluxes = np.zeros((len(self._decay), self.shots))
        by_scale = np.zeros(nodes)
        for segment in reversed(range(self.plan.segments)):
            begin = segment * self.plan.segment
            stresses = self._stresses(run, segment, scale)
            for n in reversed(range(begin, begin + len(stresses))):
                back += self._tell @ cotangent[n + 1]
                through = self._drive_transposed @ fluxes
                back += through
                by_scale += np.einsum("ns,ns->n", back, stresses[n - begin])
                spread = self._stress_transposed @ (scale * back)
                through += earlier
                through += spread[:nodes]
                through += self._now * back
                back, earlier = through, -self._before * back
                fluxes = self._decay * fluxes + spread[nodes:]
        gradient = np.zeros(self.grid.size)
        gradient[self.inner] = -by_scale * scale[:, 0] / m
        return gradient

    def born(self, run: WaveRun, change: Array) -> Array:
        """The traces' derivative `(shots, receivers, steps + 1)` along a change of m `(grid.size,)`."""
        m = run.slowness_squared
        scale, nodes = self._push / m[:, None], len(m)
        change_of_scale = -scale / m[:, None] * np.asarray(change, dtype=float)[self.inner, None]
        now, before = self._rest()
        traces = np.zeros((self.steps + 1, self.receivers, self.shots))
        for segment in range(self.plan.segments):
            begin = segment * self.plan.segment
            for n, stress in enumerate(self._stresses(run, segment, scale), start=begin):
                source = change_of_scale / scale * stress
                now, before = self._step(scale, self._stress @ now + source, now, before)
                traces[n + 1] = self._listen @ now[:nodes]
        return np.ascontiguousarray(traces.transpose(2, 1, 0))

    def _rest(self) -> tuple[Array, Array]:
        """u and fluxes `(nodes + fluxes, shots)`, and u a step before."""
        nodes = len(self.inner)
        return np.zeros((nodes + len(self._decay), self.shots)), np.zeros((nodes, self.shots))

    def _stress_at(self, n: int, now: Array) -> Array:
        """laplacian(u) + div(flux) + w delta at step n."""
        stress = self._stress @ now
        stress[self._at] += self._mass * self.wavelet[n]
        return stress

    def _step(self, scale: Array, stress: Array, now: Array, before: Array) -> tuple[Array, Array]:
        nodes = len(stress)
        u, after = now[:nodes], np.empty_like(now)
        new = after[:nodes]
        np.multiply(scale, stress, out=new)
        new += self._now * u
        new -= self._before * before
        after[nodes:] = self._decay * now[nodes:] + self._drive @ (u + new)
        return after, u

    def _stresses(self, run: WaveRun, segment: int, scale: Array) -> Array:
        """The stresses of a segment's steps, from the store or computed again."""
        if run.stresses is not None:
            return run.stresses
        now, before = run.states[segment]
        begin = segment * self.plan.segment
        stresses = np.empty((min(self.plan.segment, self.steps - begin), *before.shape))
        for k in range(len(stresses)):
            stresses[k] = self._stress_at(begin + k, now)
            now, before = self._step(scale, stresses[k], now, before)
        return stresses


def stable_step(
    grid: Grid, sides: Sequence[tuple[WaveSide, WaveSide]], layer_speed: float, fastest: float
) -> float:
    """The longest step of `WaveShots` for media up to the speed `fastest`."""
    symbol = (7 / 3) ** 2 * sum(h**-2.0 for h in grid.spacing) * fastest**2
    dampings = [damping(axis, pair, layer_speed).max() for axis, pair in zip(grid.axes, sides, strict=True)]
    stiffness = float(np.prod(dampings)) if grid.dimension == 2 else 0.0
    return float(np.sqrt(4.0 / (symbol + stiffness)))
