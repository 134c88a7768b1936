"""A source of waves that is a function of space and time: its loads at moments, as a sum of pulses, and their error.

A search finds first where it is narrow, in space or in time: nodes and moments are as dense as needed, up to a limit.
The closing check finds what still lies between the nodes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy

from neurapde.assembly.forcing import STEEP, Forcing, Known, Pattern, Snapshot
from neurapde.assembly.wave import WaveLattice
from neurapde.core.errors import DeclarationError
from neurapde.domains.box import Box
from neurapde.domains.spacetime import SpaceTime, Time
from neurapde.fields.jumps import Features, narrow_features
from neurapde.fields.sources import Source
from neurapde.spectral.modes import along
from neurapde.spectral.quadrature import FloatArray
from neurapde.spectral.unseen import common

SAMPLES, MOST_SAMPLES = 257, 2049
"""Moments, evenly spaced, and half as many in each short time in which it changes."""
CHECKED, SAMPLED = 32, 1e-4
"""Moments between them at which that is checked, and what it may miss there."""
MOST_PULSES = 48
FINEST = {1: 40_000.0, 2: 500.0, 3: 100.0}
"""The largest bandwidth, times the longest side, that a narrow part is given."""
APART = 0.01
"""Part of the time: what changes farther apart does so in short times of its own."""
MOST_TIMES, EVENLY = 4, 5
"""Short times, and moments at which it is looked at in space: those, and as many between, evenly spaced."""
ROUNDING = 1e-12
"""Part of the time within which moments are one."""


@dataclass(frozen=True, eq=False)
class Moving:
    """A source without a separate signal, on a box over a time."""

    source: Source
    space: Box
    time: Time

    @cached_property
    def features(self) -> Features:
        """Places and times where it changes abruptly."""
        return narrow_features(
            lambda points: np.asarray(self.source(points), dtype=float), SpaceTime(self.space, self.time)
        )

    @cached_property
    def looked_at(self) -> FloatArray:
        """Times for the search in space: some evenly spaced, and those at which it is narrow and large."""
        points = self.features.points
        size = np.abs(np.asarray(self.source(points), dtype=float)) if len(points) else np.empty(0)
        times: list[float] = []
        for time in points[np.argsort(-size, kind="stable"), -1].tolist():
            if len(times) < MOST_TIMES and all(
                abs(time - moment) > 1e-3 * self.time.duration for moment in times
            ):
                times.append(time)
        return np.array([*times, *np.linspace(self.time.start, self.time.stop, EVENLY)])

    @cached_property
    def _narrow(self) -> tuple[float, tuple[tuple[float, ...], ...]]:
        """Its bandwidth at these times beyond that of the modes, and its jumps across each axis."""
        at_times = [narrow_features(Snapshot(self.source, t), self.space) for t in self.looked_at.tolist()]
        widths = np.concatenate([features.widths for features in at_times])
        most = FINEST[self.space.dimension] / max(self.space.extents)
        steep = float(widths[widths > 0].min(initial=np.inf))
        jumps = (
            np.unique(np.concatenate([features.planes(axis) for features in at_times]))
            for axis in range(self.space.dimension)
        )
        return min(STEEP / steep, most), tuple(tuple(jump.tolist()) for jump in jumps)

    def at(self, time: float) -> Pattern:
        """The source at a time."""
        return Pattern(Snapshot(self.source, time), True, *self._narrow)

    def moments(self, samples: int) -> FloatArray:
        """Times of its loads, increasing: evenly spaced, and dense where it changes in a short time."""
        start, stop, whole = self.time.start, self.time.stop, self.time.duration
        changes = np.sort(self.features.points[self.features.axes == self.space.dimension, -1])
        groups = (
            np.split(changes, np.flatnonzero(np.diff(changes) > APART * whole) + 1) if len(changes) else []
        )
        pieces = [np.linspace(start, stop, samples)]
        for group in sorted(groups, key=np.ptp)[:MOST_TIMES]:
            low, high, spread = float(group[0]), float(group[-1]), float(np.ptp(group)) / 2
            pieces.append(np.clip(np.linspace(low - spread, high + spread, samples // 2 + 1), start, stop))
        every = np.unique(np.concatenate(pieces))
        return every[np.concatenate([[True], np.diff(every) > ROUNDING * whole])]

    def loads(self, lattice: WaveLattice, times: FloatArray) -> FloatArray:
        """Its integrals with the modes at each time: (times, *modes)."""
        pattern = self.at(self.time.start)
        axes = [rule for _, rule in lattice.rules(pattern.field, True, pattern.detail, pattern.breaks)]
        tables = [lattice.values(axis, x) * w for axis, (x, w) in enumerate(axes)]
        mesh = np.meshgrid(*(x for x, _ in axes), indexing="ij")
        points = np.stack([coordinate.ravel() for coordinate in mesh], axis=-1)
        slowness = lattice.source.slowness_squared(points)
        loads = np.empty((len(times), *lattice.shape))
        for row, time in enumerate(times.tolist()):
            values = (Snapshot(self.source, time)(points) * slowness).reshape(mesh[0].shape)
            for axis, table in enumerate(tables):
                values = along(table, axis, values)
            loads[row] = values
        return loads

    def pulses(self, lattice: WaveLattice) -> Iterator[Forcing]:
        """The source as a sum of pulses: the singular vectors of its history on the lattice."""
        samples, left = SAMPLES // 2 + 1, np.inf
        while left > SAMPLED and samples < MOST_SAMPLES:
            samples = 2 * samples - 1
            times = self.moments(samples)
            history = self.loads(lattice, times).reshape(len(times), -1)
            rows = np.unique(np.linspace(0, len(times) - 2, CHECKED).astype(int))
            between = (times[rows] + times[rows + 1]) / 2
            exact = self.loads(lattice, between).reshape(len(between), -1)
            missed = scipy.interpolate.CubicSpline(times, history)(between) - exact
            size = float(np.linalg.norm(history, axis=1).max())
            left = float(np.linalg.norm(missed, axis=1).max()) / size if size else 0.0
        signals, sizes, patterns = np.linalg.svd(history, full_matrices=False)
        count = int(np.sum(sizes > 1e-5 * sizes[0])) if sizes[0] > 0 else 0
        if count > MOST_PULSES:
            raise DeclarationError(
                f"{self.source.describe()} takes {count} pulses, more than {MOST_PULSES}; declare it as a PulsedSource, "
                "shorten the time, or train with Adam"
            )
        for signal, size, pattern in zip(signals.T[:count], sizes, patterns, strict=False):
            spline = scipy.interpolate.CubicSpline(times - self.time.start, signal)
            yield Forcing(Known(size * pattern.reshape(lattice.shape)), signal=spline, left=left)

    def missed(self, lattice: WaveLattice, enough: float) -> float:
        """What lies between the nodes at the times at which it is looked at, beside the loads there; `enough` is no part."""
        error, size = 0.0, float(np.linalg.norm(self.loads(lattice, self.looked_at)))
        for time in self.looked_at.tolist():
            seen = self.at(time).unseen(lattice)
            if seen.part > enough:
                tables = [lambda x, axis=axis: lattice.values(axis, x) for axis in range(len(lattice.modes))]
                error += common(seen.tested(1.0, tables)) ** 2
        return min(float(np.sqrt(error)) / size, 1.0) if size else float(error > 0)
