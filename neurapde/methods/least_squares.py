"""Least squares for the head: any linear problem, on any domain, at collocation points in double precision.

The features are sines on the lattice of a box larger than the domain (see `trials.frame`), with functions for the
domain's corners. Each part of the domain with smooth coefficients has its own set. Every constraint gives rows, and
the head is their least-squares solution. The number of features grows until the field changes by less than the
tolerance.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from neurapde.assembly.collocation.affine import not_affine
from neurapde.assembly.collocation.cost import cost_of
from neurapde.assembly.collocation.head import solve_head
from neurapde.assembly.collocation.piecewise import MARGIN, built_for, is_linear, piecewise_trials, unfit
from neurapde.assembly.collocation.solvability import unsolvable
from neurapde.assembly.collocation.system import Assembly
from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import number
from neurapde.core.memory import lacking
from neurapde.domains.spacetime import SpaceTime
from neurapde.equations.helmholtz import reflection_note
from neurapde.methods.refinement import Refined, check_growth, estimate_note, grow
from neurapde.problem.problem import Problem
from neurapde.training.run.budget import SECONDS, Budget
from neurapde.training.run.method import DirectMethod, Outcome, Task
from neurapde.trials.piecewise import PiecewiseFunction, PiecewiseTrial

CLEAR = {1: 36.0, 2: 18.0, 3: 9.0}  # modes along the longest axis by which a field left open shows
LOOKED = 10.0  # seconds of a core that this may take


@dataclass(frozen=True)
class LeastSquares(DirectMethod):
    """Solve a linear problem by least squares for the head of sines on a box larger than the domain.

    tolerance: relative L2 error to stop at, as estimated from the change between two numbers of features.
    largest:   total number of features at which the refinement stops, even above the tolerance.
    seconds:   limit of the processor time. A level that would exceed it, as predicted from earlier ones, is not begun;
               a level that takes much longer than predicted is stopped. So a slower machine may stop earlier, and says
               so. If the first level would take three times the limit, an error is raised.
    margin:    length of the sines' box beyond the domain's, as a fraction of it.
    Raises DeclarationError (from `solve`) for a problem that is not linear, or that it cannot take.
    """

    tolerance: float = 5e-7
    largest: int = 3500
    margin: float = MARGIN
    seconds: float = SECONDS

    def __post_init__(self) -> None:
        check_growth(self.tolerance, self.largest, 30, self.seconds)
        checks.number(
            self.margin, "margin", lambda x: x > 0, "give a positive fraction of the domain's length"
        )

    def obstacle(self, problem: Problem) -> str | None:
        if reason := unfit(problem):
            return reason
        return None if is_linear(problem) else "not every constraint is linear in u"

    def why(self, problem: Problem) -> str:
        at_once = "; it is solved in space and time at once" if isinstance(problem.domain, SpaceTime) else ""
        return f"every constraint is linear in u{at_once}"

    def check(self, problem: Problem) -> None:
        if reason := unfit(problem):
            raise DeclarationError(f"{type(self).__name__} cannot take {problem.name}: {reason}.")
        cpu = torch.device("cpu")
        looked_at = (self._assembly(problem, spec, 0, cpu) for spec in self._looked_at(problem))
        if reason := unsolvable(problem, looked_at):
            raise DeclarationError(f"{problem.name} has {reason}.")

    def strong_tolerance(self) -> float | None:
        return self.tolerance

    def describe(self) -> str:
        return f"least squares to a relative error of {number(self.tolerance)}"

    def run(self, task: Task) -> Outcome:
        self.check_trial(task.trial)
        budget = self._budget(task.problem)
        levels = self._admitted(task.problem, budget)
        solved = (self._solve(task, spec) for spec in levels)
        return self._outcome(task, grow(task, solved, self.largest, self.tolerance, budget))

    def _budget(self, problem: Problem) -> Budget:
        return Budget(self.seconds, type(self).__name__, problem.name, "a medium with fewer pieces")

    def _admitted(self, problem: Problem, budget: Budget) -> Iterator[PiecewiseTrial]:
        """The levels that may be begun."""
        levels = self._levels(problem)
        return itertools.takewhile(lambda spec: budget.admits(cost_of(problem, spec)), levels)

    def _looked_at(self, problem: Problem) -> Iterator[PiecewiseTrial]:
        """Levels that check what the conditions leave undetermined, as long as the check is cheap."""
        for spec in self._levels(problem, CLEAR[problem.domain.dimension]):
            cost = cost_of(problem, spec)
            if lacking(cost.memory) or cost.seconds > LOOKED:
                return
            yield spec

    def _levels(self, problem: Problem, modes: float | None = None) -> Iterator[PiecewiseTrial]:
        return piecewise_trials(problem, self.largest, modes, self.margin)

    def _solve(self, task: Task, spec: PiecewiseTrial) -> tuple[PiecewiseFunction, int, float]:
        problem = task.problem
        trial = self._assembly(problem, spec, task.seed, task.device).trial
        columns = solve_head(problem, trial, task.seed)
        if name := not_affine(problem, trial):
            raise DeclarationError(
                f"constraint {name!r} of {problem.name} is not linear in u at the size of the field that was found, but "
                "LeastSquares needs linear constraints; give method=npde.Newton(), or train a network: "
                "method=npde.NaturalGradient()"
            )
        return trial, columns, 0.0

    def _assembly(self, problem: Problem, spec: PiecewiseTrial, seed: int, device: torch.device) -> Assembly:
        """The rows of a problem for a piecewise trial whose amplitudes are to be found."""
        generator = torch.Generator(device).manual_seed(seed)
        return Assembly(problem, built_for(problem, spec, device), generator)

    def _outcome(self, task: Task, refined: Refined[PiecewiseFunction], way: str = "") -> Outcome:
        """The outcome; `way` is the advice if it is unresolved, by default more features."""
        trial, features = refined.level.solved, refined.level.features
        notes = (
            f"Trial function: {trial.spec.describe()}, {features} features in all, with the head by least squares.",
            estimate_note(refined.level.estimate, "numbers of features"),
            *reflection_note(task.problem.equation, task.problem),
        )
        return refined.outcome(trial, notes, {}, way or f"{type(self).__name__}(largest={2 * self.largest})")
