"""One window of time: Newton's method for the values at its stages."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from neurapde.marching.radau import Radau
from neurapde.marching.rows import Matrix, Stages
from neurapde.marching.system import Solve, System

STEPS = 25
FAST = 0.05
"""Ratio of successive changes up to which the slopes of an earlier step are kept."""
LEFT = 1e-2
"""Of the tolerance: what Newton's method may leave."""
ROUNDING = 1e-12
"""Of a component's size: a change that may be rounding."""


Sizes = Callable[[Matrix], Matrix]
"""From values (…, nodes, components) to the sizes by which errors of the components count, (components,)."""


@dataclass(frozen=True, eq=False)
class State:
    """A field at one moment: values and rates of change (nodes, components); second: which components go on by both."""

    values: Matrix
    rates: Matrix
    second: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Window:
    """A piece of time with the state that it begins with, and its values at start and stages once it is solved.

    values: (stages + 1, nodes, components).
    """

    start: float
    length: float
    begin: State
    values: Matrix = field(default_factory=lambda: np.zeros((0, 0, 0)))

    @property
    def stop(self) -> float:
        """Its end."""
        return self.start + self.length

    def end(self, rule: Radau) -> State:
        """The state at its end, with which the next begins."""
        rates = np.tensordot(rule.rates(self.length)[1, -1], self.values, axes=1)
        return State(self.values[-1], rates, self.begin.second)


def settle(
    system: System,
    rule: Radau,
    window: Window,
    sizes: Sizes,
    guess: Matrix | None = None,
    tolerance: float = 1e-8,
) -> Window | None:
    """The window solved, or None where Newton's method does not settle.

    sizes: of the components that count, from the values. guess: values at the stages; None for those at the start.
    """
    begin = window.begin
    rates = rule.rates(window.length)
    times = window.start + window.length * rule.points[1:]
    first = np.multiply.outer(rule.slopes[:, 0] / window.length, np.where(begin.second, begin.rates, 0.0))
    values = np.concatenate([begin.values[None]] * (rule.stages + 1))
    if guess is not None:
        values[1:] = guess
    solve: Solve | None = None
    before = np.inf
    with np.errstate(all="ignore"):
        for _ in range(STEPS):
            stages = Stages(times, rates, values, first)
            if solve is None:
                residual, solve = system.linearised(stages)
            else:
                residual = system.residual(stages)
            change = solve(residual)
            if not np.isfinite(change).all():
                return None
            values = values.copy()
            values[1:] -= change
            size = float(np.max(np.abs(change) / sizes(values)))
            ratio = size / before if np.isfinite(before) else 1.0
            left = size * ratio / (1 - ratio) if ratio < 1 else size
            if size <= ROUNDING or left <= LEFT * tolerance:
                return Window(window.start, window.length, begin, values)
            if ratio > FAST:
                solve = None
            before = size
    return None
