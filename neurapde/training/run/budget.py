"""The time of a refinement: each level's time predicts the next, and a level that would end too late is not begun.

The first level has no measurement: a model predicts its time, and the memory of every level.
"""

import time
from collections.abc import Iterator
from typing import TypeVar

from neurapde.core.cost import Cost, duration
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import number
from neurapde.core.interrupts import Interrupts
from neurapde.core.memory import check_fits, lacking, told

SECONDS = 45.0
"""Default limit of the processor time of a solve, s."""
STEEPEST, UNKNOWN = 8.0, 3.0
"""How many times longer the next level may take than the last, and what is taken for it where there is one level only."""
OVERRUN = 2.0
"""Multiple of `seconds` after which a level that takes longer than predicted is stopped."""
UNSURE = 3.0
"""Multiple of `seconds` above which a first level is not begun, as an allowance for errors of the model."""
PATIENCE = 20.0
"""Processor seconds that a first level may always take."""

Level = TypeVar("Level")


class Budget:
    """The time of one solve; `spent` says why it ended, or is None.

    Work is counted in processor seconds of the computing thread, which other programs on the machine do not change.

    solver: the method's name. problem: that of the problem. way: advice if the first level is impossible.
    grows: whether the budget limits the levels after the first; otherwise all are done.
    """

    def __init__(self, seconds: float, solver: str, problem: str, way: str, grows: bool = True) -> None:
        self.seconds, self.solver, self.problem, self.way, self.grows = seconds, solver, problem, way, grows
        self.spent: str | None = None
        self._made = self._full = False

    def admits(self, cost: Cost) -> bool:
        """Whether the next level may be begun.

        Raises: DeclarationError if the first one does not fit in memory or would take far too long.
        """
        if self._made:
            if free := lacking(cost.memory):
                self._full = True
                self.spent = (
                    f"the next level, {cost.what}, would need {told(cost.memory)}, but only {free} are free"
                )
            return free is None
        level = f"{self.solver} must begin with {cost.what} for {self.problem}, which "
        check_fits(cost.memory, f"{level}needs too much memory", f"give {self.way}")
        if cost.seconds > max(UNSURE * self.seconds, PATIENCE):
            raise DeclarationError(
                f"{level}would take about {duration(cost.seconds)} on one core, but seconds={self.seconds:g}; give "
                f"{self.solver}(seconds={number(float(f'{cost.seconds:.1g}'))}), {self.way}"
            )
        return True

    def levels(self, interrupts: Interrupts, made: Iterator[Level]) -> Iterator[Level]:
        """The levels of `made`, each costlier than the one before, as long as the next will end in time.

        Raises: DeclarationError if the first one does not end in time.
        """
        started = before = time.thread_time()
        costs: list[float] = []
        limit = OVERRUN * self.seconds
        first = max(limit, PATIENCE)
        timed = interrupts.levels(made, limit, first) if self.grows else interrupts.levels(made, first=first)
        try:
            for level in timed:
                now = time.thread_time()
                costs.append(now - before)
                before, self._made = now, True
                yield level
                now = time.thread_time()
                following = _predicted(costs)
                if self.grows and now - started + following > self.seconds:
                    self.spent = (
                        f"the next level would take about {following:.0f} s on one core after "
                        f"{now - started:.0f} s"
                    )
                    return
        except KeyboardInterrupt:
            if not interrupts.late:
                raise
            raise DeclarationError(
                f"{self.solver} was stopped for {self.problem}: its first level took more than {first:g} s on one core; "
                f"give {self.solver}(seconds={10 * self.seconds:g}), {self.way}"
            ) from None
        if interrupts.late:
            self.spent = f"the next level took more than {limit:g} s on one core"

    @property
    def advice(self) -> str:
        """What to do if `spent`."""
        if self._full:
            return f"{self.solver} more memory, as {self.spent}"
        return f"{self.solver}(seconds={10 * self.seconds:g}) more time, as {self.spent}"


def _predicted(costs: list[float]) -> float:
    """Levels grow by a factor and their cost by a power of it, so the ratio of the last two costs predicts the next."""
    ratio = UNKNOWN if len(costs) < 2 else min(max(costs[-1] / max(costs[-2], 1e-9), 1.0), STEEPEST)
    return costs[-1] * ratio
