"""Marching through time: initial value problems window by window, twice or more for an error estimate."""

import math
import time
from dataclasses import dataclass

import numpy as np

from neurapde.core.convergence import estimate_error
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import number
from neurapde.core.progress import PERCENT
from neurapde.core.warn import warn
from neurapde.methods.marching.evolution import Evolution, evolution_of, lasts_long
from neurapde.methods.marching.march import March
from neurapde.methods.marching.passes import TIMES, Apart, Pass, apart, passed
from neurapde.methods.marching.system import LEAST_WINDOWS
from neurapde.methods.marching.window import Window, counting_sizes
from neurapde.methods.refinement import FALLEN, LARGE, check_growth
from neurapde.problem.problem import Problem
from neurapde.reference_solvers.grids.grid import ResolutionWarning
from neurapde.training.optimisation.balance import Balance, balance_of
from neurapde.training.run.budget import SECONDS
from neurapde.training.run.history import History
from neurapde.training.run.journal import Journal
from neurapde.training.run.method import DirectMethod, Outcome, Status, Task

FINER, FINER_IN_SPACE, FINEST = 30.0, 8.0, 3e-14
"""By which the tolerance of a window falls from pass to pass, alone and in space; and what it is at least: rounding."""
TOLERANCE, TOLERANCE_IN_SPACE, TOLERANCE_BESIDE = 1e-8, 1e-6, 1e-4
"""Default tolerances: at one place, in space, and in space with an `Obstacle`."""
LIKELY = 0.1
"""Least ratio of successive changes that the estimate sums: passes get nearer by about 1/FINER, where all goes well."""
MORE_WINDOWS = 3
"""Smallest increase in windows of each pass, because passes with the same windows would agree for no reason."""
PARTS = 100
"""Resolution of the time on the bar."""
COLUMN = "change between passes"


@dataclass(frozen=True)
class TimeMarching(DirectMethod):
    """Solve an initial value problem window by window, each by Newton's method for a polynomial in time.

    Ordinary differential equations, systems and stiff ones too, of first and second order, declared on an Interval (or a
    Time alone) with all conditions at its start; and partial ones, over a Time. On an Interval with conditions at both sides
    space is cut into elements that follow the field; on an Interval or a Box that is Periodic along all axes, up to three,
    the field is a sum of waves. The tolerance determines windows, elements and waves. The march is repeated with a
    smaller one until two passes agree, because only the problem shows how a local error grows until the end. A
    component without a rate of change follows from the others: w = u_xx gives a third derivative, w_x, and
    incompressibility gives a pressure.

    tolerance: relative L2 error to stop at, as estimated from the change between two passes; None for 1e-8, 1e-6 if
        there is a space, or 1e-4 if an `Obstacle` holds the field there.
    seconds:   limit of the processor time.

    If the solution ends before the time does, or small errors grow without bound, the status is UNRESOLVED, and the
    notes give the last time. The field is NaN after its last window.
    Raises DeclarationError (from `solve`) for a problem that it cannot take.
    Source: Hairer and Wanner (1996), Solving Ordinary Differential Equations II, section IV.5, for the Radau points.
    """

    tolerance: float | None = None
    seconds: float = SECONDS

    def __post_init__(self) -> None:
        check_growth(TOLERANCE if self.tolerance is None else self.tolerance, 30, 30, self.seconds)

    def obstacle(self, problem: Problem) -> str | None:
        evolution = evolution_of(problem)
        return evolution if isinstance(evolution, str) else None

    def begins(self, problem: Problem) -> bool:
        """Whether there is a first window: there is none if the field jumps at a side at the start."""
        evolution = evolution_of(problem)
        if isinstance(evolution, str):
            return False

        def sizes(values: np.ndarray) -> np.ndarray:
            largest: np.ndarray = np.abs(values).max(axis=tuple(range(values.ndim - 1)))
            return np.where(largest > 0, largest, 1.0)

        return next(March(evolution, TOLERANCE_IN_SPACE, sizes).windows(), None) is not None

    def why(self, problem: Problem) -> str:
        if lasts_long(problem):
            return "its field evolves from an initial condition, and has time to relax many times"
        return "the equation is nonlinear and its field evolves from an initial condition"

    def strong_tolerance(self) -> float | None:
        return TOLERANCE_IN_SPACE if self.tolerance is None else self.tolerance

    def describe(self) -> str:
        accuracy = "" if self.tolerance is None else f" to a relative error of {number(self.tolerance)}"
        return f"marching through time{accuracy}"

    def run(self, task: Task) -> Outcome:
        self.check_trial(task.trial)
        evolution = evolution_of(task.problem)
        if isinstance(evolution, str):
            raise DeclarationError(f"{type(self).__name__} cannot take {task.problem.name}: {evolution}.")
        return _Run(self, task, evolution).outcome()


class _Run:
    """The passes of one solve."""

    def __init__(self, method: TimeMarching, task: Task, evolution: Evolution) -> None:
        self.method, self.task, self.evolution = method, task, evolution
        in_space = task.problem.domain.dimension > 1
        held = TOLERANCE_IN_SPACE if task.problem.equation.obstacle is None else TOLERANCE_BESIDE
        self.tolerance = method.tolerance or (held if in_space else TOLERANCE)
        self.finer = FINER_IN_SPACE if in_space else FINER
        self.balance: Balance = balance_of(task.problem)
        self.passes: list[Pass] = []
        self.apart: list[Apart] = []
        self.parts: list[History] = []
        self.end = time.thread_time() + method.seconds
        self.interrupted = self.late = False

    @property
    def estimate(self) -> float:
        """The relative error of the last pass, as estimated."""
        return estimate_error([change.relative for change in self.apart], LIKELY)

    @property
    def ends(self) -> bool:
        """Whether this is the last pass: the error is small enough, it was stopped, or it does not improve."""
        changes = [change.relative for change in self.apart]
        lost = len(changes) > 1 and changes[-1] > max(LARGE, FALLEN * changes[-2])
        return self.interrupted or self.late or lost or self.estimate <= self.tolerance

    def outcome(self) -> Outcome:
        """Passes until their change is small enough, or until no finer one is possible."""
        tolerance = self.tolerance
        while tolerance >= FINEST and not self.ends:
            self._pass(tolerance)
            tolerance /= self.finer
        last, estimate = self.passes[-1], self.estimate
        converged = estimate <= self.tolerance and last.whole
        status = Status.CONVERGED if converged else Status.UNRESOLVED
        if self.interrupted:
            status = Status.INTERRUPTED
        if status is Status.UNRESOLVED:
            warn(f"{self.task.problem.name}: {self._why()}", ResolutionWarning)
        notes = [
            f"Trial function: {last.trial.spec.describe()}, to a relative error of {number(self.tolerance)}."
        ]
        notes.append(
            "The error is not estimated: there was only one pass."
            if math.isinf(estimate)
            else f"Estimated relative error: {estimate:.1e}, from the change between the last of {len(self.passes)} passes."
        )
        if not converged:
            reason = self._why()
            notes.append(f"{reason[0].upper()}{reason[1:]}.")
        extras = {
            "windows": last.windows,
            "passes": len(self.passes),
            "reached": last.reached,
            "error_estimate": estimate,
        }
        trial = last.trial.to(device=self.task.device, dtype=self.task.dtype)
        return Outcome(trial, status, History.joined(self.parts), tuple(notes), extras)

    def _why(self) -> str:
        """Why it has not converged, and what to do."""
        last, stop = self.passes[-1], self.evolution.stop
        if not last.whole and (self.late or self.interrupted):
            way = "" if self.interrupted else f"; give TimeMarching(seconds={10 * self.method.seconds:g})"
            return f"the windows reached t = {last.reached:.6g} of {stop:g} in the given seconds{way}"
        if not last.whole:
            return (
                f"the solution ends at t = {last.reached:.6g} of {stop:g}, where no window is short enough: the field "
                "blows up there, or the equation does not determine u.dt; give an earlier end time"
            )
        reason = f"the estimated relative error is {self.estimate:.1e}, above the tolerance {number(self.tolerance)}"
        if self.late or self.interrupted:
            return (
                f"{reason}, since the time ran out; give TimeMarching(seconds={10 * self.method.seconds:g})"
            )
        agreed = (
            f", and the passes agree within {TIMES:g} times that tolerance up to t = {self.apart[-1].agreed:.6g}"
            if self.apart
            else ""
        )
        beyond = "small errors grow too fast to know the field later; give an earlier end time, or a larger tolerance"
        return f"{reason}{agreed}: {beyond}"

    def _pass(self, tolerance: float) -> None:
        """One more pass; a later one that does not end in time is dropped."""
        march = March(self.evolution, tolerance, self._sizes, LEAST_WINDOWS + MORE_WINDOWS * len(self.passes))
        windows: list[Window] = []
        start, whole = self.evolution.start, self.evolution.stop - self.evolution.start
        journal = Journal(self.task.problem.name, PARTS, (COLUMN,), self.task.progress, unit=PERCENT)
        ended = False
        made = march.windows()
        with journal:
            while not ended and not self.late:
                with journal.at_once(undo=self._interrupt):
                    window = next(made, None)
                if window is None:
                    ended = True
                else:
                    windows.append(window)
                    done = int(PARTS * (window.stop - start) / whole)
                    journal.advance(done - journal.step)
                    self.late = time.thread_time() > self.end
        if not ended and windows and self.passes:
            return
        if not windows:
            self._nothing()
        latest = passed(self.task.problem, march.rule, windows, _is_whole(windows, self.evolution))
        if self.passes:
            self.apart.append(apart(self.passes[-1], latest, self.balance, self.tolerance))
            journal.record(self.apart[-1].relative, [self.apart[-1].relative])
            self.parts.append(journal.history)
        self.passes.append(latest)

    def _interrupt(self) -> None:
        self.interrupted = True

    def _nothing(self) -> None:
        """The outcome without any window."""
        if self.interrupted:
            raise KeyboardInterrupt
        raise DeclarationError(
            f"Newton's method does not converge in the first time window of {self.task.problem.name}, even if the "
            "window is very short; check the equation and the initial condition"
        )

    def _sizes(self, values: np.ndarray) -> np.ndarray:
        return counting_sizes(values, self.balance, self.task.problem.equation.complex)


def _is_whole(windows: list[Window], evolution: Evolution) -> bool:
    return evolution.stop - windows[-1].stop <= 1e-12 * (evolution.stop - evolution.start)
