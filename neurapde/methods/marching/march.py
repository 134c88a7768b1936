"""A march through a time, window by window; each is as long as a tolerance allows."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from neurapde.methods.marching.evolution import Evolution
from neurapde.methods.marching.radau import Radau, radau
from neurapde.methods.marching.rows import Matrix
from neurapde.methods.marching.system import LEAST_WINDOWS, System
from neurapde.methods.marching.window import Sizes, State, Window, settle

SHORTEST = 1e-13
"""Fraction of the whole time: a shorter window ends the march."""
SAFE, LEAST, MOST = 0.8, 0.1, 2.5
"""Factor of the length predicted from the last coefficients, and the change of length between two windows."""
FAILED = 0.25
"""Factor of the length after a window in which Newton's method did not converge."""


@dataclass(frozen=True)
class March:
    """A way through the time of an evolution.

    tolerance: of the last coefficients of each window's polynomial, in units of the components' sizes.
    sizes: units of the components' errors. least: smallest number of windows; marches that differ in it share no
    points.
    """

    evolution: Evolution
    tolerance: float
    sizes: Sizes
    least: int = LEAST_WINDOWS

    @property
    def rule(self) -> Radau:
        """The points of every window."""
        return radau(self.evolution.system.stages)

    def windows(self) -> Iterator[Window]:
        """The windows in turn; they end early if they become too short."""
        evolution, rule = self.evolution, self.rule
        whole = evolution.stop - evolution.start
        longest = whole / self.least
        system, state = self._begun()
        time, length = evolution.start, longest
        largest = np.abs(state.values).max(axis=0)
        before: Window | None = None
        while time < evolution.stop:
            length = _fitting(min(length, longest), evolution.stop - time)
            if length < SHORTEST * max(whole, abs(time)):
                return

            def sizes(values: Matrix, largest: Matrix = largest) -> Matrix:
                return self.sizes(np.concatenate([largest[None], np.abs(values).reshape(-1, largest.size)]))

            tried = Window(time, length, state, system)
            window = settle(rule, tried, sizes, _guess(rule, before, tried), self.tolerance)
            if window is None:
                length *= FAILED
                continue
            norms = sizes(window.values)
            last = np.tensordot(rule.coefficients[-2:], window.values, axes=1)
            error = system.size(last / norms) / self.tolerance
            wanted = SAFE * max(error, 1e-30) ** (-1 / rule.stages) * length
            following = float(np.clip(wanted, LEAST * length, MOST * length))
            finer = system.finer(window.values[1:], norms, self.tolerance)
            if error > 1:
                length = following
            if finer is not None:
                state, system = _carried(state, system, finer), finer
            if error > 1 or finer is not None:
                continue
            yield window
            largest = np.maximum(largest, np.abs(window.values).max(axis=(0, 1)))
            state, time, before, length = window.end(rule), window.stop, window, following
            if coarser := system.coarser(window.values[1:], norms, self.tolerance):
                state, system = _carried(state, system, coarser), coarser
            if evolution.stop - time < SHORTEST * whole:
                return

    def _begun(self) -> tuple[System, State]:
        """The start, on as many nodes as it needs."""
        system = self.evolution.system.limited(self.least)
        while True:
            state = self.evolution.begun(system)
            limit = system.begun * self.tolerance
            finer = system.finer(state.values[None], self.sizes(np.abs(state.values)), limit)
            if finer is None:
                return system, state
            system = finer


def _carried(state: State, system: System, other: System) -> State:
    """A state on the nodes of another system."""
    values, rates = (system.carried(quantity, other) for quantity in (state.values, state.rates))
    return replace(state, values=values, rates=rates)


def _fitting(length: float, remaining: float) -> float:
    """A length for which the last window is not much shorter than the others."""
    return (
        remaining if length >= remaining else min(length, remaining / 2) if 2 * length > remaining else length
    )


def _guess(rule: Radau, before: Window | None, window: Window) -> Matrix | None:
    """Values at the stages of a window, extrapolated from the one before; None if they are far off."""
    if before is None or window.length > before.length:
        return None
    values = np.tensordot(rule.extrapolated(window.length / before.length), before.values, axes=1)
    if before.system is not window.system:
        values = before.system.carried(values, window.system)
    return window.system.guessed(values)
