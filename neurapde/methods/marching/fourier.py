"""A periodic box on a grid: fast transforms differentiate sums of waves there and move them to other grids."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from neurapde.methods.marching.rows import Matrix

Waves = NDArray[np.complex128]
TOP = 0.8
"""Fraction of the wavenumbers along an axis: those above are its tail."""
FINER, FEWEST = 1.5, 16
"""Factor of the number of points along an axis, and their smallest number."""
SPARE = 0.1
"""Fraction of the limit that fewer points may leave out."""


@dataclass(frozen=True, eq=False)
class FourierGrid:
    """counts: of points along each axis. lower: the corner. lengths: the periods."""

    counts: tuple[int, ...]
    lower: Matrix
    lengths: Matrix

    @property
    def count(self) -> int:
        """Points in all."""
        return int(np.prod(self.counts))

    @cached_property
    def positions(self) -> Matrix:
        """Of the points (count, axes)."""
        sides = [
            low + length * np.arange(count) / count
            for low, length, count in zip(self.lower, self.lengths, self.counts, strict=True)
        ]
        return np.stack(np.meshgrid(*sides, indexing="ij"), axis=-1).reshape(self.count, -1)

    @cached_property
    def numbers(self) -> list[Matrix]:
        """Periods in the box of the waves along each axis, in the order of the transform: half of them along the last."""
        every = [fft.fftfreq(count, 1 / count) for count in self.counts]
        last = self.counts[-1]
        every[-1] = fft.rfftfreq(last, 1 / last)
        return every

    @property
    def modes(self) -> tuple[int, ...]:
        """How many waves the transform has along each axis."""
        return tuple(len(numbers) for numbers in self.numbers)

    def multiplier(self, degrees: Sequence[int]) -> Waves:
        """Factor of each wave for derivatives of these degrees along the axes; odd ones give 0 for the shortest."""
        factors = np.ones(self.modes, dtype=complex)
        for axis, degree in enumerate(degrees):
            factor = (2j * np.pi / self.lengths[axis] * self.numbers[axis]) ** degree
            if degree % 2:
                factor[2 * np.abs(self.numbers[axis]) == self.counts[axis]] = 0.0
            factors *= factor.reshape([-1 if k == axis else 1 for k in range(len(self.counts))])
        return factors

    def waves(self, values: Matrix) -> Waves:
        """Amplitudes (…, *modes, components) of values (…, count, components)."""
        shaped = values.reshape(*values.shape[:-2], *self.counts, values.shape[-1])
        amplitudes: Waves = fft.rfftn(shaped, axes=self._axes, norm="forward")
        return amplitudes

    def values(self, waves: Waves) -> Matrix:
        """Values (…, count, components) of amplitudes."""
        values = fft.irfftn(waves, s=self.counts, axes=self._axes, norm="forward")
        return values.reshape(*waves.shape[: -len(self.counts) - 1], self.count, waves.shape[-1])

    @property
    def _axes(self) -> tuple[int, ...]:
        return tuple(range(-len(self.counts) - 1, -1))

    def carried(self, values: Matrix, other: "FourierGrid") -> Matrix:
        """Values on the points of another grid of the same box, without the waves that it does not have."""
        return other.values(self.chosen(self.waves(values), other))

    def chosen(self, waves: Waves, other: "FourierGrid") -> Waves:
        """Amplitudes of the waves that another grid has, without the shortest, which a grid represents only in part."""
        lead = waves.ndim - 1 - len(self.counts)
        flat = waves.reshape(-1, *waves.shape[lead:])
        amplitudes = np.zeros((len(flat), *other.modes, waves.shape[-1]), dtype=complex)
        least = [min(pair) for pair in zip(self.counts, other.counts, strict=True)]
        mine, theirs = (
            [
                np.flatnonzero(2 * np.abs(numbers) < few)
                for numbers, few in zip(grid.numbers, least, strict=True)
            ]
            for grid in (self, other)
        )
        every = np.arange(len(flat))
        amplitudes[np.ix_(every, *theirs)] = flat[np.ix_(every, *mine)]
        return amplitudes.reshape(*waves.shape[:lead], *amplitudes.shape[1:])

    def kept(self, waves: Waves) -> tuple[Waves, tuple[int, ...]]:
        """Amplitudes (…, *modes, components) in order of their wavenumbers, and how many there are to each side.

        The real part of their sum is the field: those along the last axis are doubled for the missing half, and the
        shortest, which a grid represents only in part, are left out.
        """
        counts = tuple((count - 1) // 2 for count in self.counts)
        lead = waves.ndim - 1 - len(counts)
        for axis, count in enumerate(counts):
            chosen = np.arange(count + 1) if axis == len(counts) - 1 else np.arange(-count, count + 1)
            waves = np.take(waves, chosen, axis=lead + axis)
        waves[..., 1:, :] *= 2
        return waves, counts

    def tails(self, values: Matrix, sizes: Matrix, top: float = TOP) -> Matrix:
        """The mean square of the shortest waves along each axis (axes,), for the worst component."""
        power = np.abs(self.waves(values)) ** 2
        power = power.reshape(-1, *self.modes, values.shape[-1])
        power[..., 1 : (self.counts[-1] + 1) // 2, :] *= 2
        tails = []
        for axis, numbers in enumerate(self.numbers):
            high = 2 * np.abs(numbers) > top * self.counts[axis]
            energy = np.compress(high, power, axis=axis + 1).sum(axis=tuple(range(1, len(self.counts) + 1)))
            tails.append(float(np.max(np.sqrt(energy) / sizes)))
        return np.array(tails)

    def finer(self, tails: Matrix, limit: float, most: int) -> "FourierGrid | None":
        """The grid with more points along axes with tails above a limit, up to `most` in all."""
        counts = [
            fft.next_fast_len(round(FINER * count), real=True) if tail > limit else count
            for count, tail in zip(self.counts, tails, strict=True)
        ]
        if counts == list(self.counts) or np.prod(counts) > most:
            return None
        return FourierGrid(tuple(counts), self.lower, self.lengths)

    def coarser(self, values: Matrix, sizes: Matrix, limit: float) -> "FourierGrid | None":
        """The grid with fewer points along axes that need no more."""
        tails = self.tails(values, sizes, TOP / FINER)
        counts = [
            fft.next_fast_len(round(count / FINER), real=True)
            if tail < SPARE * limit and count >= FINER * FEWEST
            else count
            for count, tail in zip(self.counts, tails, strict=True)
        ]
        return None if counts == list(self.counts) else FourierGrid(tuple(counts), self.lower, self.lengths)
