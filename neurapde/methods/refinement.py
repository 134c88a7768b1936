"""What direct methods that grow their features to a tolerance have in common: the loop, its settings, and what they tell."""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import torch

from neurapde.core import checks
from neurapde.core.convergence import estimate_error
from neurapde.core.errors import ResolutionWarning
from neurapde.core.formatting import number
from neurapde.core.interrupts import Interrupts
from neurapde.core.warn import warn
from neurapde.optimisation.balance import balance_of
from neurapde.run.budget import Budget
from neurapde.run.history import History
from neurapde.run.method import Status, Task
from neurapde.run.recorder import Recorder
from neurapde.trials.base import TrialFunction

SLOW = 0.2
"""The least ratio of successive changes that the estimate sums."""
PROBES = 3000
"""Points at which two levels are compared."""
AGAIN, FALLEN, ENOUGH = 3, 0.7, 1000
"""The field is lost if, with ENOUGH features, none of AGAIN changes is below FALLEN times all of the AGAIN before."""
LARGE = 0.01
"""Changes below this are no loss, however slowly they fall."""

Solved = TypeVar("Solved", bound=TrialFunction)


@dataclass(frozen=True)
class Grown(Generic[Solved]):
    """The last level of a solve that grew: its trial and features, its estimated error, and how it ended."""

    trial: Solved
    features: int
    estimate: float
    status: Status
    history: History
    budget: Budget

    @property
    def lost(self) -> bool:
        """Whether more features did not bring the field nearer to anything."""
        return is_lost(self.history.loss.tolist())


def is_lost(changes: Sequence[float]) -> bool:
    """Whether changes from level to level are large and do not fall."""
    last, before = changes[-AGAIN:], changes[-2 * AGAIN : -AGAIN]
    return len(before) == AGAIN and min(last) > max(FALLEN * max(before), LARGE)


def grow(
    task: Task, levels: Iterator[tuple[Solved, int]], last: int, tolerance: float, budget: Budget
) -> Grown[Solved]:
    """Go through levels, each a solved trial and its features, until the field changes by little enough.

    last: features at which the levels end, for the bar. The first level is always there.
    """
    recorder = Recorder(("change between levels",))
    started = time.perf_counter()
    balance = balance_of(task.problem)
    probes = task.problem.domain.sample(PROBES, how="grid").to(task.device)
    trial: Solved | None = None
    field: torch.Tensor | None = None
    changes: list[float] = []
    estimate = math.inf
    done = 0
    with Interrupts() as interrupts, task.progress.bar(task.problem.name, last, unit="feature") as bar:
        for trial, features in budget.levels(interrupts, levels):
            with torch.no_grad():
                finer = trial(probes)
                if task.problem.equation.leaves_constant(task.problem):
                    finer = finer - finer.mean(dim=0)
            bar.advance(features - done)
            done = features
            if field is not None:
                changes.append(balance.relative(finer - field, finer))
                estimate = estimate_error(changes, SLOW)
                recorder.add(features, time.perf_counter() - started, changes[-1], math.nan, changes[-1:])
                bar.show({"estimated error": estimate})
            field = finer
            if estimate <= tolerance or (features > ENOUGH and is_lost(changes)):
                break
    assert trial is not None
    status = Status.CONVERGED if estimate <= tolerance else Status.UNRESOLVED
    if interrupts.asked:
        status = Status.INTERRUPTED
    return Grown(trial, done, estimate, status, recorder.history, budget)


def check_growth(tolerance: float, largest: int, least: int, seconds: float) -> None:
    """Refuse a tolerance that is no relative error, a largest number of features below `least`, and no time."""
    checks.number(seconds, "seconds", lambda x: x > 0, "give a positive, finite time")
    checks.number(tolerance, "tolerance", lambda x: 0 < x < 1, "give a relative error between 0 and 1")
    checks.whole(largest, "largest", least)


def check_bandwidth(bandwidth: float | None) -> None:
    """Refuse a bandwidth that is no frequency; None lets it grow."""
    if bandwidth is not None:
        checks.number(bandwidth, "bandwidth", lambda x: x > 0, "give a positive, finite frequency")


def estimate_note(estimate: float, levels: str) -> str:
    """The sentence on an error estimated from the change between two `levels`; infinite where there was but one."""
    if math.isinf(estimate):
        return f"The error is not estimated: there was no time for two {levels}."
    return f"Estimated relative error: {estimate:.1e}, from the change between the last two {levels}."


def warn_unresolved(
    name: str,
    estimate: float,
    features: int,
    tolerance: float,
    way: str,
    budget: Budget | None = None,
    lost: bool = False,
) -> None:
    """Warn that a solve ended above its tolerance; `way` is the method that may get there, if time did not end it.

    lost: more features changed the field as much as fewer did, so that they are no way.
    """
    if lost:
        warn(
            f"the field of {name} does not settle: from one number of features to the next it changes by as much as before, "
            f"its relative error is estimated as {estimate:.1e}, and more features do not help. Look whether two of its "
            "conditions contradict one another, or whether something in it is narrower than the features can follow",
            ResolutionWarning,
        )
        return
    if budget is not None and budget.spent is not None:
        way = budget.advice
    warn(
        f"the estimated relative error of {name} is {estimate:.1e} with {features} features, above the tolerance "
        f"{number(tolerance)}; give {way}, or a larger tolerance",
        ResolutionWarning,
    )


def growth_history(features: Sequence[int], changes: Sequence[float]) -> History:
    """A row for each level but the first: its features, and the field's change from the level before."""
    return History(
        step=np.array(features, dtype=np.int64),
        seconds=np.zeros(len(features)),
        loss=np.array(changes),
        learning_rate=np.full(len(features), np.nan),
        constraints={"change between bandwidths": np.array(changes)},
    )
