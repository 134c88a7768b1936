"""From window to window through a time, each as long as a tolerance allows."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from neurapde.marching.evolution import Evolution
from neurapde.marching.radau import Radau, radau
from neurapde.marching.rows import Matrix
from neurapde.marching.window import Sizes, Window, settle

STAGES = 12
SHORTEST = 1e-13
"""Of the whole time: a window that is too short to go on with."""
SAFE, LEAST, MOST = 0.8, 0.1, 2.5
"""Of the length that the last coefficients foretell; and how a length changes from one window to the next."""
FAILED = 0.25
"""Of a window in which Newton's method did not settle: the next try."""


@dataclass(frozen=True)
class March:
    """A way through the time of an evolution.

    tolerance: of the last coefficients of each window's polynomial, in units of the components' sizes.
    sizes: by which errors of components count. least: how many windows at least; marches that differ in it share no points.
    """

    evolution: Evolution
    tolerance: float
    sizes: Sizes
    least: int = 8

    @property
    def rule(self) -> Radau:
        """The points of every window."""
        return radau(STAGES)

    def windows(self) -> Iterator[Window]:
        """The windows in turn; they end before the time does where they come to nothing."""
        evolution, rule = self.evolution, self.rule
        whole = evolution.stop - evolution.start
        longest = whole / self.least
        state, time, length = evolution.state, evolution.start, longest
        largest = np.abs(state.values).max(axis=0)
        before: Window | None = None
        while time < evolution.stop:
            length = _fitting(min(length, longest), evolution.stop - time)
            if length < SHORTEST * max(whole, abs(time)):
                return
            guess = None if before is None else _guess(rule, before, length)
            tried = Window(time, length, state)

            def sizes(values: Matrix, largest: Matrix = largest) -> Matrix:
                return self.sizes(np.concatenate([largest[None, None], np.abs(values)]))

            window = settle(evolution.system, rule, tried, sizes, guess, self.tolerance)
            if window is None:
                length *= FAILED
                continue
            last = np.tensordot(rule.coefficients[-2:], window.values, axes=1)
            error = float(np.max(np.abs(last) / sizes(window.values))) / self.tolerance
            wanted = SAFE * max(error, 1e-30) ** (-1 / rule.stages) * length
            length = float(np.clip(wanted, LEAST * length, MOST * length))
            if error > 1:
                continue
            yield window
            largest = np.maximum(largest, np.abs(window.values).max(axis=(0, 1)))
            state, time, before = window.end(rule), window.stop, window
            if evolution.stop - time < SHORTEST * whole:
                return


def _fitting(length: float, left: float) -> float:
    """A length with which no window is much shorter than the others at the end."""
    return left if length >= left else min(length, left / 2) if 2 * length > left else length


def _guess(rule: Radau, before: Window, length: float) -> Matrix | None:
    """Values at the stages of the next window as the one before goes on; None where that is far from it."""
    ratio = length / before.length
    return None if ratio > 1 else np.tensordot(rule.extrapolated(ratio), before.values, axes=1)
