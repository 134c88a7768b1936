"""How long growth may take: what a level took foretells the next, and one that would end too late is not begun."""

import math
import time
from collections.abc import Iterator
from typing import TypeVar

from neurapde.core.interrupts import Interrupts

SECONDS = 45.0
"""Seconds of a core that a solve may take by default."""
STEEPEST, UNKNOWN = 8.0, 3.0
"""How many times longer the next level may take than the last, and what is taken for it where there is one level only."""
OVERRUN = 2.0
"""Times `seconds`, by the clock on the wall, after which a level that takes longer than foretold is given up."""

Level = TypeVar("Level")


class Budget:
    """The time of one solve; `spent` says what ended it, or None.

    Work is counted in seconds of the thread that computes, which other programs on the machine do not lengthen.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.spent: str | None = None

    def levels(self, interrupts: Interrupts, made: Iterator[Level]) -> Iterator[Level]:
        """What `made` gives, each costlier than the one before, as long as the next will be there in time."""
        started = before = time.thread_time()
        costs: list[float] = []
        limit = None if math.isinf(self.seconds) else OVERRUN * self.seconds
        for level in interrupts.levels(made, limit):
            now = time.thread_time()
            costs.append(now - before)
            before = now
            yield level
            now = time.thread_time()
            following = _foretold(costs)
            if now - started + following > self.seconds:
                self.spent = (
                    f"a next level would take some {following:.0f} s of a core after {now - started:.0f} s"
                )
                return
        if interrupts.late:
            self.spent = f"the next level took more than {OVERRUN * self.seconds:g} s"

    @property
    def way(self) -> str:
        """The setting to go on with."""
        return f"seconds={10 * self.seconds:g}"


def _foretold(costs: list[float]) -> float:
    """Levels grow by a factor, and what they cost by a power of it: the next costs as many times more as the last did."""
    ratio = UNKNOWN if len(costs) < 2 else min(max(costs[-1] / max(costs[-2], 1e-9), 1.0), STEEPEST)
    return costs[-1] * ratio
