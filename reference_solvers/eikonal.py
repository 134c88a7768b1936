"""First-arrival travel times |grad T| = s from point sources on a 2-D or 3-D grid, by fast sweeping.

T = T0 tau with T0 = s(source) |x - source|: T0 has the kink at the source, so tau is smooth and second-order
differences keep their order up to the source (Fomel, Luo, Zhao 2009, J. Comput. Phys. 228, 6440-6455). The sweeps go
plane by plane, all nodes with one sum of indices at a time (Detrixhe, Gibou, Min 2013, J. Comput. Phys. 237, 46-55);
`skewed.py` lays the planes out.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from neurapde.reference_solvers.grids.grid import Grid
from neurapde.reference_solvers.grids.skewed import Skewed
from neurapde.reference_solvers.grids.stencils import interpolation

ORDER = 2.0

Array = NDArray[np.float64]

FAR = 1e30  # the time of a node that no wave has reached: large, yet finite, so that arithmetic stays quiet
PATIENCE = 8  # rounds after which a node whose time still moves is left to plain first differences


def solve_eikonal(
    grid: Grid, slowness: float | Array, sources: Array, *, tolerance: float = 1e-8, rounds: int = 300
) -> Array:
    """Travel times from every source separately; `.min(axis=0)` is the first arrival of all together.

    Second order where T is smooth; first order behind a jump of the slowness, on lines where two rays meet, and around
    nodes where the medium is so rough that second differences do not converge.

    Args:
        grid: 2-D or 3-D, at least 5 nodes an axis.
        slowness: s = 1 / speed, a number or `grid.shape`, positive, time per length.
        sources: `(d,)` or `(n, d)`, anywhere in the grid.
        tolerance: sweeping ends when no time changes by more than this part of the largest one.
        rounds: largest number of sweeps in all 2^d directions; a smooth medium takes 4 to 6.

    Returns: T, `grid.shape`, or `(n, *grid.shape)` for sources `(n, d)`.
    Raises: ValueError for a source outside, a slowness that is not positive, wrong shapes; RuntimeError if the times
        have not converged.
    """
    shape, dimension = tuple(grid.shape), grid.dimension
    if dimension not in (2, 3) or min(shape) < 5:
        raise ValueError(f"travel times need 2 or 3 axes of at least 5 nodes; got a grid of shape {shape}.")
    if np.shape(slowness) not in ((), shape):
        raise ValueError(f"the slowness has shape {np.shape(slowness)}; give a number or {shape}.")
    slowness = np.broadcast_to(np.asarray(slowness, dtype=float), shape)
    if not (np.isfinite(slowness).all() and (slowness > 0).all()):
        raise ValueError(
            f"the slowness must be finite and positive; its smallest value is {np.min(slowness):.6g}."
        )
    points = np.atleast_2d(np.asarray(sources, dtype=float))
    if points.shape[-1] != dimension or points.ndim != 2:
        raise ValueError(
            f"sources must be ({dimension},) or (n, {dimension}); got shape {np.shape(sources)}."
        )
    outside = ~grid.contains(points)
    if outside.any():
        source = points[outside][0].tolist()
        raise ValueError(f"source {source} lies outside the grid from {grid.lower} to {grid.upper}.")
    unit = float(np.max(slowness)) * max(b - a for a, b in zip(grid.lower, grid.upper, strict=True))
    times = unit * _Sweeper(grid, slowness / unit, points).run(tolerance, rounds)  # of the order of one
    return np.moveaxis(times, -1, 0) if np.ndim(sources) == 2 else times[..., 0]


class _Sweeper:
    """Times of all sources, `(*grid.shape, sources)`, and their sweeps."""

    def __init__(self, grid: Grid, slowness: Array, points: Array) -> None:
        self.grid, self.dimension = grid, grid.dimension
        at_source = interpolation(grid, points, degree=1) @ slowness.ravel()
        offsets = [
            axis.reshape([-1 if k == i else 1 for k in range(grid.dimension)] + [1]) - points[:, i]
            for i, axis in enumerate(grid.axes)
        ]
        distance = np.sqrt(sum(offset**2 for offset in offsets))
        safe = np.where(distance > 0, distance, 1.0)
        self.base = at_source * distance
        self.slopes = [at_source * offset / safe for offset in offsets]
        self.slowness = np.broadcast_to(slowness[..., None], distance.shape)
        self.frozen = distance <= 2.5 * max(grid.spacing)
        self.rough = np.zeros(distance.shape, dtype=bool)
        self.times = np.full(distance.shape, FAR)
        self.times[self.frozen] = self._near(points, distance)

    def _near(self, points: Array, distance: Array) -> Array:
        """Times at the nodes around the sources along straight lines, by Simpson's rule: an error O(h^3)."""
        index = np.argwhere(self.frozen)
        ends = np.stack([self.grid.axes[k][index[:, k]] for k in range(self.dimension)], axis=1)
        starts = points[index[:, -1]]
        mean = np.zeros(len(index))
        for fraction, weight in ((0.0, 1 / 6), (0.5, 4 / 6), (1.0, 1 / 6)):
            matrix = interpolation(self.grid, starts + fraction * (ends - starts), degree=1)
            mean += weight * (matrix @ self.slowness[..., 0].ravel())
        return distance[self.frozen] * mean

    def run(self, tolerance: float, rounds: int) -> Array:
        """Sweep until the times converge."""
        layouts = [Skewed(self.grid.shape, f) for f in product((False, True), repeat=self.dimension - 1)]
        for number in range(rounds):
            before = self.times
            for layout in layouts:
                planes = _Planes(self, layout)
                planes.sweep()
                self.times = layout.back(planes.times)
            moving = abs(self.times - before) > tolerance * self.times.max()
            if not moving.any():
                return self.times
            if number >= PATIENCE:
                self.rough |= moving
        raise RuntimeError(
            f"the travel times at {moving.sum()} of {moving.size} nodes still change after {rounds} rounds of "
            "sweeps; raise `rounds` or `tolerance`, or smooth the slowness."
        )


class _Planes:
    """One layout of the sweeper's arrays, swept up and down."""

    def __init__(self, sweeper: _Sweeper, layout: Skewed) -> None:
        self.layout, self.spacing = layout, sweeper.grid.spacing
        self.times = layout.turn(sweeper.times, FAR)
        self.base = layout.turn(sweeper.base, 1.0)
        self.slowness = layout.turn(sweeper.slowness, 1.0)
        self.open = layout.turn(~sweeper.frozen, False)
        self.rough = layout.turn(sweeper.rough, False) if sweeper.rough.any() else None
        self.slopes = [
            layout.turn(-slope if flip else slope, 0.0)
            for slope, flip in zip(sweeper.slopes, (*layout.flips, False), strict=True)
        ]
        self.tau = np.where(self.base > 0, self.times / np.where(self.base > 0, self.base, 1.0), 1.0)

    def sweep(self) -> None:
        """Update every node plane by plane, first up, then down."""
        planes = range(self.layout.planes)
        for plane in (*planes, *reversed(planes)):
            self._update(plane)

    def _update(self, plane: int) -> None:
        here = self.layout.windows[plane, 0, 0]
        wanted, base, slowness = self.open[here], self.base[here], self.slowness[here]
        stencils = [self._upwind(plane, axis, base) for axis in range(len(self.spacing))]
        tau, solved = _godunov(stencils, slowness, wanted, len(stencils))
        if not solved[wanted].all():  # a neighbour's time and the edge to it
            edges = [s.time + h * slowness for s, h in zip(stencils, self.spacing, strict=True)]
            tau = np.where(solved, tau, np.min(edges, axis=0) / np.maximum(base, 1e-300))
        times = base * tau
        take = wanted & (times < FAR / 2)
        np.copyto(self.times[here], times, where=take)
        np.copyto(self.tau[here], tau, where=take)

    def _upwind(self, plane: int, axis: int, base: Array) -> "_Stencil":
        windows, times, tau = self.layout.windows, self.times, self.tau
        here, before, after = (windows[plane, step, axis] for step in (0, -1, 1))
        backward = times[before] <= times[after]
        time = np.where(backward, times[before], times[after])
        known = np.where(backward, tau[before], tau[after])
        sign = np.where(backward, 1.0, -1.0)
        rate = sign * base / self.spacing[axis]
        before, after = windows[plane, -2, axis], windows[plane, 2, axis]
        second = np.where(backward, times[before], times[after]) <= time  # else the first difference
        known = np.where(second, 2.0 * known - 0.5 * np.where(backward, tau[before], tau[after]), known)
        alpha = np.where(second, 1.5, 1.0) * rate + self.slopes[axis][here]
        if self.rough is not None:  # plain first differences of T = base tau, which are monotone
            alpha = np.where(self.rough[here], rate, alpha)
            known = np.where(self.rough[here], time / np.maximum(base, 1e-300), known)
        reached = time < FAR / 2
        return _Stencil(np.where(reached, alpha, 0.0), np.where(reached, rate * known, 0.0), sign, time)


@dataclass(frozen=True)
class _Stencil:
    """dT/dx = alpha tau - beta on one axis, from the side where T is `time`; `sign` is 1 if that is below."""

    alpha: Array
    beta: Array
    sign: Array
    time: Array

    def at(self, nodes: tuple[NDArray[np.int64], ...], left_out: NDArray[np.bool_]) -> "_Stencil":
        """The stencil at some of the nodes, without this axis where it is left out."""
        alpha, beta = (np.where(left_out, 0.0, values[nodes]) for values in (self.alpha, self.beta))
        return _Stencil(alpha, beta, self.sign[nodes], self.time[nodes])


def _godunov(
    stencils: list[_Stencil], slowness: Array, wanted: NDArray[np.bool_], axes: int
) -> tuple[Array, NDArray[np.bool_]]:
    """The larger root tau of sum (alpha tau - beta)^2 = s^2, if T rises from the upwind side on every axis.

    If it does not, and the node is needed, the axis with the latest neighbour is left out, until one of the `axes`
    remains.

    Returns: tau, and where it is such a root.
    """
    A = sum(s.alpha * s.alpha for s in stencils)
    B = sum(s.alpha * s.beta for s in stencils)
    C = sum(s.beta * s.beta for s in stencils) - slowness * slowness
    square = B * B - A * C
    tau = (B + np.sqrt(np.maximum(square, 0.0))) / np.maximum(A, 1e-300)
    solved = (square >= 0) & (A > 0)
    for s in stencils:
        solved &= s.sign * (s.alpha * tau - s.beta) >= 0
    unsolved = np.nonzero(wanted & ~solved)
    if axes > 1 and len(unsolved[0]):
        times = np.array([np.where(s.alpha[unsolved] == 0, -1.0, s.time[unsolved]) for s in stencils])
        latest = times.argmax(axis=0)  # among the axes still in
        fewer = [s.at(unsolved, latest == k) for k, s in enumerate(stencils)]
        tau[unsolved], solved[unsolved] = _godunov(
            fewer, slowness[unsolved], np.ones(len(latest), dtype=bool), axes - 1
        )
    return tau, solved
