"""The refinement of direct methods to a tolerance: the loop over levels, its settings, and its messages."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import numpy as np
import torch

from neurapde.core import checks
from neurapde.core.convergence import estimate_error
from neurapde.core.formatting import number
from neurapde.core.warn import warn
from neurapde.problem.equation import Equation
from neurapde.reference_solvers.grids.grid import ResolutionWarning
from neurapde.training.optimisation.balance import balance_of
from neurapde.training.run.budget import Budget
from neurapde.training.run.history import CHANGE, History
from neurapde.training.run.journal import Journal
from neurapde.training.run.method import Outcome, Status, Task
from neurapde.trials.base import TrialFunction

SLOW = 0.2
"""The least ratio of successive changes that the estimate sums."""
ROUGH = 0.5
"""The same in a medium with jumps: GROWTH^−2.5, rounded up."""
GROWTH = 1.35
"""Growth of the bandwidth from one level to the next."""
PROBES = 3000
"""Points at which two levels are compared."""
AGAIN, FALLEN, ENOUGH = 3, 0.7, 1000
"""The field is lost if, with ENOUGH features, none of AGAIN changes is below FALLEN times all of the AGAIN before."""
LARGE = 0.01
"""Smaller changes do not count as lost, even if they fall slowly."""

Solved = TypeVar("Solved")
Function = TypeVar("Function", bound=TrialFunction)
Relative = Callable[[Any, Any], float]


@dataclass(frozen=True)
class Level(Generic[Solved]):
    """One step of a refinement.

    solved: its result. features: how many. field: values to compare with those of the next level, `(points,)` or
    `(points, fields)`; None if change and estimate are known otherwise. fine: whether it resolves all known features
    of the problem, so that an error below the tolerance ends the refinement. change: from the level before. estimate:
    of the error; both relative to the field. least: smallest possible error, because the linear system was solved to
    it.
    """

    solved: Solved
    features: int
    field: Any = None
    fine: bool = True
    change: float = math.nan
    estimate: float = math.inf
    least: float = 0.0


def bandwidths(first: float, last: float) -> Iterator[float]:
    """From `first` to `last`, each GROWTH times the one before; only `last` if `first` is above it."""
    bandwidth = min(first, last)
    while bandwidth < last * (1 - 1e-9):
        yield bandwidth
        bandwidth = min(GROWTH * bandwidth, last)
    yield bandwidth


def of_each_field(change: np.ndarray, field: np.ndarray) -> float:
    """The size of a change of fields (n,) or (n, fields), relative to the field: the largest of them."""
    size = np.linalg.norm(field, axis=0)
    return float(np.max(np.linalg.norm(change, axis=0) / np.where(size > 0, size, 1.0)))


def estimated(
    levels: Iterator[Level[Solved]], relative: Relative = of_each_field, slow: float = ROUGH
) -> Iterator[Level[Solved]]:
    """The levels, with the change of the field from the one before and the error estimated from the changes.

    The estimate sums the future changes as a geometric series with the ratio of the last two changes. The ratio is at
    least `slow`, the final ratio of the medium, because the changes may fall faster at first.
    """
    field: Any = None
    changes: list[float] = []
    for level in levels:
        if field is not None and level.field is not None:
            changes.append(relative(level.field - field, level.field))
            estimate = max(estimate_error(changes, slow), level.least)
            level = replace(level, change=changes[-1], estimate=estimate)
        field = level.field
        yield level


@dataclass(frozen=True)
class Refined(Generic[Solved]):
    """The last level of a refinement, and how it ended.

    lost: more features did not make the changes smaller. budget: None if time did not end it.
    """

    task: Task
    level: Level[Solved]
    status: Status
    history: History
    tolerance: float
    budget: Budget | None
    lost: bool = False

    def outcome(
        self,
        trial: TrialFunction,
        notes: Sequence[str],
        extras: Mapping[str, float | int],
        way: str,
        *,
        blind: str = "",
        solved: bool = True,
    ) -> Outcome:
        """The outcome of the method, with a warning if it is unresolved.

        way: the method that may solve it, if time did not end it. blind: why the field may be wrong despite the
        estimate, or "". solved: whether its linear system was solved.
        """
        level, status = self.level, self.status
        if status is Status.CONVERGED and (blind or not solved):
            status = Status.UNRESOLVED
        if status is Status.UNRESOLVED:
            warn(f"{self.task.problem.name}: {blind}" if blind else self._unresolved(way), ResolutionWarning)
        estimate = max(level.estimate, 1.0) if blind else level.estimate
        numbers = {"features": level.features, "error_estimate": estimate, **extras}
        return Outcome(trial.to(self.task.dtype), status, self.history, tuple(notes), numbers)

    def _unresolved(self, way: str) -> str:
        name, estimate = self.task.problem.name, self.level.estimate
        if self.lost:
            return (
                f"the field of {name} does not converge: it changes as much from one level to the next as before, its "
                f"estimated relative error is {estimate:.1e}, and more features do not help. Check whether two of its "
                "conditions contradict each other, or whether it has details narrower than the features resolve"
            )
        if self.budget is not None and self.budget.spent is not None:
            way = self.budget.advice
        named = not isinstance(self.task.problem.equation, Equation)
        return (
            f"the estimated relative error of {name} is {estimate:.1e} with {self.level.features} features, above the "
            f"tolerance {number(self.tolerance)}; give {way}, or a larger tolerance"
            f"{', or compare with a grid, npde.reference(problem)' if named else ''}"
        )


def refine(
    task: Task,
    levels: Iterator[Level[Solved]],
    last: int,
    tolerance: float,
    budget: Budget,
    *,
    patient: bool = True,
    column: str = CHANGE,
) -> Refined[Solved]:
    """Go through levels until the estimate is below the tolerance; all of them if the budget does not grow.

    last: features at which the levels end, for the bar. There is always a first level.
    patient: whether it continues if the changes do not fall.
    """
    journal = Journal(task.problem.name, last, (column,), task.progress, unit="feature")
    level: Level[Solved] | None = None
    changes: list[float] = []
    with journal:
        for level in budget.levels(journal.interrupts, levels):
            journal.advance(level.features - journal.step)
            if not math.isnan(level.change):
                changes.append(level.change)
                shown = {"estimated error": level.estimate}
                journal.record(level.change, changes[-1:], step=level.features, shown=shown)
            if budget.grows and level.estimate <= tolerance and level.fine:
                break
            if not patient and journal.step > ENOUGH and is_lost(changes):
                break
    assert level is not None
    status = Status.CONVERGED if level.estimate <= tolerance else Status.UNRESOLVED
    if journal.interrupts.asked:
        status = Status.INTERRUPTED
    lost = not patient and is_lost(changes)
    return Refined(task, level, status, journal.history, tolerance, budget, lost)


def grow(
    task: Task, levels: Iterator[tuple[Function, int, float]], last: int, tolerance: float, budget: Budget
) -> Refined[Function]:
    """Refine by levels until the field changes by little enough: trial functions, their features, and their least error."""
    balance = balance_of(task.problem)
    probes = task.problem.domain.sample(PROBES, how="grid").to(task.device)
    free = task.problem.equation.leaves_constant(task.problem)

    def seen(trial: Function, features: int, least: float) -> Level[Function]:
        with torch.no_grad():
            field = trial(probes)
        return Level(trial, features, field - field.mean(dim=0) if free else field, least=least)

    estimates = estimated((seen(*level) for level in levels), balance.relative, SLOW)
    return refine(task, estimates, last, tolerance, budget, patient=False)


def is_lost(changes: Sequence[float]) -> bool:
    """Whether changes from level to level are large and do not fall."""
    last, before = changes[-AGAIN:], changes[-2 * AGAIN : -AGAIN]
    return len(before) == AGAIN and min(last) > max(FALLEN * max(before), LARGE)


def check_growth(tolerance: float, largest: int, least: int, seconds: float) -> None:
    """Refuse a tolerance that is no relative error, a largest number of features below `least`, and a missing time."""
    checks.number(seconds, "seconds", lambda x: x > 0, "give a positive, finite time")
    checks.number(tolerance, "tolerance", lambda x: 0 < x < 1, "give a relative error between 0 and 1")
    checks.whole(largest, "largest", least)


def check_bandwidth(bandwidth: float | None) -> None:
    """Refuse a bandwidth that is no frequency; None lets it grow."""
    if bandwidth is not None:
        checks.number(bandwidth, "bandwidth", lambda x: x > 0, "give a positive, finite frequency")


def estimate_note(estimate: float, levels: str) -> str:
    """The sentence on an error estimated from the change between two `levels`; infinite if there was only one."""
    if math.isinf(estimate):
        return f"The error is not estimated: there was not enough time for two {levels}."
    return f"Estimated relative error: {estimate:.1e}, from the change between the last two {levels}."
