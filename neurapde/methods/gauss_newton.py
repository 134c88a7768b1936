"""Gauss–Newton for problems with unknowns: numbers and fields are found from data, together with the head."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch

from neurapde.assembly.collocation.cost import cost_of
from neurapde.assembly.collocation.piecewise import built_for, unfit
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import listing, number
from neurapde.core.interrupts import Interrupts
from neurapde.core.warn import warn
from neurapde.methods.least_squares import LeastSquares
from neurapde.methods.refinement import PROBES
from neurapde.methods.unknowns.fitting import Fitting, State, begin
from neurapde.methods.unknowns.measured import is_data
from neurapde.methods.unknowns.rows import named
from neurapde.problem.problem import Problem
from neurapde.reference_solvers.grids.grid import ResolutionWarning
from neurapde.training.optimisation.balance import balance_of
from neurapde.training.run.history import History
from neurapde.training.run.method import Outcome, Status, Task
from neurapde.trials.with_unknowns import WithUnknownsTrial

BELOW = 0.1
"""Change of the unknowns between two numbers of features, in units of their standard errors, that does not count."""
EXACT = 1e-6
"""The same, of themselves, where the data are exact."""
OF_NOISE = 0.1
"""Error of the field, in units of its uncertainty by noise, below which more features do not help."""
UNEXPLAINED = 1.5
"""Residual of the data, in units of the given noise, above which something else is wrong."""


@dataclass(frozen=True)
class GaussNewton(LeastSquares):
    """Find the unknowns of a problem together with its field, by the Gauss–Newton method for the head and the
    unknowns.

    The solution meets the equation and the conditions, and the data up to their noise; undeclared noise is estimated
    from the misfit. The evidence of the data determines how smooth unknown fields are. `solution.unknowns` has values
    and standard errors, and the history has the path of each number. The settings are those of `LeastSquares`;
    features are added until the unknowns change by little compared with their standard errors.
    """

    finds_unknowns: ClassVar[bool] = True

    def describe(self) -> str:
        return f"Gauss–Newton on head and unknowns to a relative error of {number(self.tolerance)}"

    def obstacle(self, problem: Problem) -> str | None:
        if reason := unfit(problem):
            return reason
        if not problem.unknowns:
            return "it has no unknowns"
        if problem.equation.complex:
            return "its field is complex; declare the real and imaginary parts as components"
        if problem.equation.transmission(problem):
            return "a coefficient jumps, and the parts beside a jump can be joined only if all coefficients are known"
        if not any(is_data(constraint) for constraint in problem.extra):
            return "nothing was measured; give constraints=npde.measured(name, points, values)"
        return None

    def why(self, problem: Problem) -> str:
        return "it has unknowns that its data must determine"

    def check(self, problem: Problem) -> None:
        if reason := self.obstacle(problem):
            raise DeclarationError(f"GaussNewton cannot take {problem.name}: {reason}.")

    def strong_tolerance(self) -> float | None:
        return None

    def run(self, task: Task) -> Outcome:
        self.check_trial(task.trial)
        budget = self._budget(task.problem)
        state = begin(task.problem)
        last: _Level | None = None
        with Interrupts() as interrupts:
            for level in budget.levels(interrupts, self._levels_of(task, state)):
                level.compare(last)
                last = level
                if level.settled and level.is_fine(self.tolerance):
                    break
        assert last is not None
        return self._told(task, last.state, last)

    def _levels_of(self, task: Task, state: State) -> Iterator["_Level"]:
        """Levels with growing numbers of features, each from the field and the unknowns of the one before."""
        about, problem = None, task.problem
        budget = self._budget(problem)
        specs = self._levels(problem)
        for spec in itertools.takewhile(lambda candidate: budget.admits(cost_of(problem, candidate)), specs):
            trial, tried = (built_for(problem, spec) for _ in range(2))
            fitting = Fitting(problem, trial, tried, state, task.seed)
            settled = fitting.iterate(about)
            about = trial
            yield _Level(problem, fitting, settled)

    def _told(self, task: Task, state: State, last: "_Level") -> Outcome:
        problem = task.problem
        trial = WithUnknownsTrial(last.fitting.trial, problem.unknowns)
        trial.coordinates.copy_(state.coordinates)
        fine = last.settled and last.is_fine(self.tolerance)
        trial.covariance.copy_(_covariance(state))
        if not fine:  # what the features may be off counts, too
            trial.covariance.diagonal().add_(last.moved**2)
        status = Status.CONVERGED if fine else Status.UNRESOLVED
        estimates = trial.found
        notes = [
            f"Trial function: {last.fitting.trial.spec.describe()}, {last.fitting.columns} features in all.",
            *(str(estimate) for estimate in estimates.values()),
            *(f"{name} is at its bound." for name in self._held(problem, state)),
            *(f"Noise of {name!r}: {noise:.3g}." for name, noise in state.noise.items()),
        ]
        if not fine:
            notes.append(
                f"Estimated relative error of the field: {last.change:.1e}, its change in the last level."
            )
            warn(
                f"the unknowns of {problem.name} have not converged with {last.fitting.columns} features: from one "
                f"level to the next they change by {number(float(f'{last.shift:.1g}'))} times what the tolerance allows; "
                f"give GaussNewton(largest={2 * self.largest}, seconds={2 * self.seconds:g}), or a better start value",
                ResolutionWarning,
            )
        self._warn_of_data(problem, state)
        extras: dict[str, float | int | str] = {
            "features": last.fitting.columns,
            "error_estimate": last.change,
        }
        for name, estimate in estimates.items():
            if estimate.unknown.size == 1:
                extras |= {name: estimate.value, f"{name} standard error": estimate.standard_error}
        return Outcome(trial.to(task.dtype), status, _history(problem, state), tuple(notes), extras)

    def _held(self, problem: Problem, state: State) -> list[str]:
        """The unknowns that lie at a bound somewhere."""
        return [name for name, mask in named(problem.unknowns, state.held).items() if bool(mask.any())]

    def _warn_of_data(self, problem: Problem, state: State) -> None:
        unseen = named(problem.unknowns, state.unseen)
        if names := [name for name, mask in unseen.items() if bool(mask.any())]:
            warn(
                f"the data of {problem.name} do not determine {listing(names)}: other values fit equally well; give "
                "more data, give a prior=…, or fix one of the unknowns",
                ResolutionWarning,
            )
        for name, noise in state.noise.items():
            if name in state.told and state.misfits[name] > UNEXPLAINED * noise:
                warn(
                    f"the misfit of the data {name!r} of {problem.name} is {state.misfits[name] / noise:.1f} times the "
                    "declared noise: the equation does not explain the data, or the noise is larger than declared",
                    ResolutionWarning,
                )


class _Level:
    """The result for one number of features: its field at probes, and the unknowns with their uncertainty."""

    def __init__(self, problem: Problem, fitting: Fitting, settled: bool) -> None:
        self.state = state = fitting.state.kept()
        self.fitting, self.settled, self.balance = fitting, settled, balance_of(problem)
        with torch.no_grad():
            self.field = fitting.trial(problem.domain.sample(PROBES, how="grid"))
        self.coordinates, self.held = state.coordinates, state.held
        errors = state.covariance.diagonal().clamp(min=0).sqrt()
        self.allowed = BELOW * errors + EXACT * (1 + state.coordinates.abs())
        self.open = OF_NOISE * fitting.open_part
        self.change = self.shift = math.inf
        self.moved = torch.full_like(self.coordinates, math.inf)

    def compare(self, before: "_Level | None") -> None:
        """Set the changes from the level before."""
        if before is not None:
            self.change = self.balance.relative(self.field - before.field, self.field)
            self.moved = (self.coordinates - before.coordinates).abs()
            apart = self.moved / self.allowed
            self.shift = float(torch.where(self.held & before.held, 0.0, apart).max())

    def is_fine(self, tolerance: float) -> bool:
        """Whether more features would not help."""
        return self.shift <= 1 and self.change <= max(tolerance, self.open)


def _covariance(state: State) -> torch.Tensor:
    """The covariance of the coordinates, infinite for those that the data do not determine."""
    covariance = state.covariance.clone()
    covariance[state.unseen, state.unseen] = math.inf
    return covariance


def _history(problem: Problem, state: State) -> History:
    """Each step with its residual and the numbers at that step."""
    numbers = [unknown for unknown in problem.unknowns if unknown.size == 1]
    rows = []
    for step, (seconds, loss, coordinates) in enumerate(state.path, start=1):
        now = named(problem.unknowns, coordinates)
        values = [float(unknown.within(now[unknown.name])[0]) for unknown in numbers]
        rows.append((float(step), seconds, loss, math.nan, *values))
    return History.of([unknown.name for unknown in numbers], rows)
