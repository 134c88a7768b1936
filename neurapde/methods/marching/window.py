"""One window of time: Newton's method for the values at its stages."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from neurapde.methods.marching.radau import Radau
from neurapde.methods.marching.rows import Matrix, Stages
from neurapde.methods.marching.system import Solve, System
from neurapde.training.optimisation.balance import Balance

STEPS = 25
FAST = 0.05
"""Ratio of successive changes up to which the slopes of an earlier step are kept."""
STUCK = 0.3
"""Ratio from which changes below the tolerance are rounding, as of second derivatives on short elements."""
LEFT = 1e-2
"""Fraction of the tolerance for the error of Newton's method."""
ROUNDING = 1e-12
"""Fraction of a component's size: a change that may be rounding."""


Sizes = Callable[[Matrix], Matrix]
"""From values (…, nodes, components) to the sizes by which errors of the components count, (components,)."""


def counting_sizes(values: Matrix, balance: Balance, complex: bool) -> Matrix:
    """Sizes by which errors of real components count, from their values (…, components); complex ones count as one."""
    sizes = np.abs(values).max(axis=tuple(range(values.ndim - 1)))
    parts = sizes.reshape(-1, 2) if complex else sizes[:, None]
    counting = balance.counting(np.linalg.norm(parts, axis=1))
    return np.repeat(counting, parts.shape[1])


@dataclass(frozen=True, eq=False)
class State:
    """A field at one moment: values and rates of change (nodes, components).

    moves: which components have a rate, so that they continue from their value. second: which from their rate, too.
    """

    values: Matrix
    rates: Matrix
    moves: NDArray[np.bool_]
    second: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Window:
    """A piece of time: its start state, its equations, and, when solved, the values at start and stages.

    values: (stages + 1, nodes, components).
    """

    start: float
    length: float
    begin: State
    system: System
    values: Matrix = field(default_factory=lambda: np.zeros((0, 0, 0)))

    @property
    def stop(self) -> float:
        """Its end."""
        return self.start + self.length

    def end(self, rule: Radau) -> State:
        """The state at its end, with which the next begins."""
        rates = np.tensordot(rule.rates(self.length)[1, -1], self.values, axes=1)
        return replace(self.begin, values=self.values[-1], rates=rates)


def settle(
    rule: Radau,
    window: Window,
    sizes: Sizes,
    guess: Matrix | None = None,
    tolerance: float = 1e-8,
) -> Window | None:
    """The solved window, or None if Newton's method does not converge.

    sizes: of the components that count, from the values. guess: values at the stages; None for those at the start.
    """
    begin = window.begin
    rates = rule.rates(window.length)
    times = window.start + window.length * rule.points[1:]
    first = np.multiply.outer(rule.slopes[:, 0] / window.length, np.where(begin.second, begin.rates, 0.0))
    values = np.concatenate([begin.values[None]] * (rule.stages + 1))
    if guess is not None:
        values[1:] = guess
    system = window.system
    solve: Solve | None = None
    before = np.inf
    with np.errstate(all="ignore"):
        for _ in range(STEPS):
            stages = Stages(times, rates, values, first)
            try:
                fresh = solve is None
                if solve is None:
                    residual, solve = system.linearised(stages)
                else:
                    residual = system.residual(stages)
                change = solve(residual)
            except (ValueError, RuntimeError):  # a matrix that is singular, or not finite
                return None
            if not np.isfinite(change).all():
                return None
            values = values.copy()
            values[1:] -= change
            size = float(np.max(np.abs(change) / sizes(values)))
            ratio = size / before if np.isfinite(before) else 1.0
            remaining = size * ratio / (1 - ratio) if ratio < 1 else size
            stuck = fresh and ratio > STUCK and size <= tolerance
            if size <= ROUNDING or remaining <= LEFT * tolerance or stuck:
                return replace(window, values=_joined(rule, values, begin.moves))
            if ratio > FAST:
                solve = None
            before = size
    return None


def _joined(rule: Radau, values: Matrix, moves: NDArray[np.bool_]) -> Matrix:
    """Values with new start values of components that depend on the others, extrapolated from the stages."""
    back = np.tensordot(rule.backward, values[1:], axes=1)
    return np.concatenate([np.where(moves, values[0], back)[None], values[1:]])
