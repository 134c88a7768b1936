"""Newton's method on the head: a nonlinear problem is linearised about the present field and solved by least squares.

Each level starts from the field of the one before, so that every level after the first needs one or two steps.
"""

import dataclasses
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from neurapde.assembly.collocation.conditions_count import crowded
from neurapde.assembly.collocation.cost import cost_of
from neurapde.assembly.collocation.head import least_squares
from neurapde.assembly.collocation.null_space import FREE, Unnoticed, left_open, unnoticed
from neurapde.assembly.collocation.piecewise import built_for, unfit
from neurapde.assembly.collocation.system import Assembly
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import number
from neurapde.methods.least_squares import LeastSquares
from neurapde.methods.refinement import PROBES, grow
from neurapde.problem.equation import SHARPENED, Equation
from neurapde.problem.problem import Problem
from neurapde.training.optimisation.balance import balance_of
from neurapde.training.run.budget import Budget
from neurapde.training.run.method import Outcome, Status, Task
from neurapde.trials.base import TrialFunction
from neurapde.trials.piecewise import PiecewiseFunction, PiecewiseTrial

SETS = 40
"""Sets of points that touch bounds, one after the other."""
STEPS, HALVINGS = 25, 5
"""Steps of one level, and halvings of a step that does not bring the field nearer."""
UNSETTLED = 3
"""Successive levels that may fail to converge, because too few features do not represent the field."""
TRIED, STEPWISE = 5, 1.0
"""Levels for the test of convergence, and processor seconds that a step may take."""
SETTLED = 0.1
"""Last change of a level, in units of the tolerance: the error of a fast iteration is its square."""
LINEAR, STEADY = 0.25, 0.9
"""Ratio of successive changes from which on the iteration is not quick, as where the derivative is singular at the solution;
and the largest that is summed."""
MOVES = 10.0 ** np.arange(-9.0, 0.0, 0.5)
"""Fraction of the field by which it is changed to test the residual."""


@dataclass(frozen=True)
class Newton(LeastSquares):
    """Solve a nonlinear problem for the head of sines on a larger box, by Newton's method from the field 0.

    The settings are those of `LeastSquares`. A step is halved until the next one is shorter. If the iteration does not
    converge with one number of features, the next one continues from there. If it converges with none, the status is
    UNRESOLVED: another start, or a training by `NaturalGradient`, may find a solution. If the steps only decrease by a
    constant factor, as at a double root or a fold, the error estimate is the sum of the steps not taken, and at least
    as large as a move along the last step that does not change the residual.
    An `Obstacle` is found by active sets, with full steps. The second derivatives of its field jump at the free boundary,
    and sums of sines converge slowly there: on planar domains expect a relative error of 1e-3.
    Sources: Deuflhard (2011), Newton Methods for Nonlinear Problems, section 3.3, for the test of a step; Hintermüller,
    Ito, Kunisch (2002), SIAM J. Optim. 13, 865-888, for active sets.
    """

    def describe(self) -> str:
        return f"Newton's method on least squares to a relative error of {number(self.tolerance)}"

    def obstacle(self, problem: Problem) -> str | None:
        if reason := unfit(problem):
            return reason
        if problem.equation.complex:
            return "the equation is nonlinear, and its field is complex"
        unsettled = "the equation is nonlinear and Newton's iteration does not converge"
        return None if self.settles(problem) else unsettled

    def why(self, problem: Problem) -> str:
        return "the equation is nonlinear and the iteration converges"

    def check(self, problem: Problem) -> None:
        super().check(problem)
        if problem.equation.complex:
            raise DeclarationError(
                f"Newton cannot take {problem.name}: its field is complex; train it with Adam."
            )

    def run(self, task: Task) -> Outcome:
        self.check_trial(task.trial)
        unsettled: list[int] = []
        open_fields: list[Unnoticed] = []
        budget = self._budget(task.problem)
        levels = self._solved(task, unsettled, open_fields, budget)
        refined = grow(task, levels, self.largest, self.tolerance, budget)
        surplus = None if refined.status is Status.CONVERGED else crowded(task.problem)
        way = f"one of its conditions up, since {surplus}" if surplus else ""
        if refined.level.features not in unsettled:
            return self._outcome(task, refined, way)
        note = f"Newton's iteration did not converge with {refined.level.features} features."
        if open_fields:
            note += f" In {task.problem.name}, linearised, {left_open(task.problem, open_fields[-1])}."
            way = way or "sources and conditions that balance, or a condition that fixes the free part"
        level = dataclasses.replace(refined.level, estimate=math.inf)
        refined = dataclasses.replace(refined, level=level, status=Status.UNRESOLVED, budget=None, lost=False)
        outcome = self._outcome(
            task, refined, way or "NaturalGradient(), since Newton's iteration did not converge"
        )
        return dataclasses.replace(outcome, notes=(*outcome.notes, note))

    def _solved(
        self, task: Task, unsettled: list[int], open_fields: list[Unnoticed], budget: Budget
    ) -> Iterator[tuple[PiecewiseFunction, int, float]]:
        """Levels, each from the field of the one before, with the error of their iteration.

        They end after too many that do not converge.

        unsettled: receives the numbers of features of these. open_fields: what the conditions then leave undetermined.
        """
        about: TrialFunction | None = None
        failed, rate = 0, 0.0
        for spec in self._admitted(task.problem, budget):
            level = _Level(task.problem, spec, task.device, task.seed, rate)
            settled = level.iterate(about, SETTLED * self.tolerance)
            failed = 0 if settled else failed + 1
            if not settled:
                unsettled.append(level.columns)
            yield level.trial, level.columns, level.left if settled else math.inf
            if failed == UNSETTLED:
                if float((fields := level.unnoticed()).sizes[0]) > FREE:
                    open_fields.append(fields)
                return
            about, rate = level.trial, level.rate

    def settles(self, problem: Problem) -> bool:
        """Whether the iteration converges on two successive levels among the first few."""
        about: TrialFunction | None = None
        before = False
        for spec in itertools.islice(self._levels(problem), TRIED):
            if cost_of(problem, spec).seconds > STEPWISE:
                return False
            level = _Level(problem, spec, torch.device("cpu"), 0)
            try:
                settled = level.iterate(about, SETTLED * self.tolerance)
            except (
                DeclarationError,
                RuntimeError,
            ):  # not a function that torch can vectorise and differentiate
                return False
            if settled and before:
                return True
            about, before = level.trial, settled
        return False


class _Level:
    """One level: its trial, with the amplitudes of the present field.

    rate: the last ratio of a step to the one before, at first that of the previous level. left: the remaining error of
    the steps.
    """

    def __init__(
        self, problem: Problem, spec: PiecewiseTrial, device: torch.device, seed: int, rate: float = 0.0
    ) -> None:
        self.problem, self.device, self.seed, self.rate = problem, device, seed, rate
        self.trial, self.tried = (built_for(problem, spec, device) for _ in range(2))
        self.balance = balance_of(problem)
        self.probes = problem.domain.sample(PROBES, how="grid").to(device)
        self.columns = 0
        self.left = math.inf
        equation = problem.equation
        if isinstance(equation, Equation) and equation.obstacle is not None:
            band = Assembly(problem, self.trial, torch.Generator()).bandwidth
            self.problem = dataclasses.replace(problem, equation=equation.sharpened(band**2 / SHARPENED))

    def iterate(self, before: TrialFunction | None, settled: float) -> bool:
        """Take steps until the relative change of the field is at most `settled`; False if it does not get there."""
        if self.problem.equation.obstacle is not None:
            return self._active_set(before, settled)
        present = self._aimed(self.trial if before is None else before)
        if before is None:
            place = torch.zeros_like(present)
        else:
            place, present = present, self._aimed(self._put(present))
        change = self._field(present - place)
        for _ in range(STEPS):
            if not torch.isfinite(present).all():
                return False
            fraction = 1.0
            for _ in range(HALVINGS):
                tried = place + fraction * (present - place)
                self._put(tried)
                field = self._field(tried)
                size = self.balance.relative(change, field)
                if size <= settled:
                    self.left = self._left(tried, present - place, size)
                    return True
                aimed = self._aimed(self.trial)
                following = self._field(aimed - tried)
                next_size = self.balance.relative(following, field)
                if next_size < size:
                    self.rate = next_size / size
                    break
                fraction /= 2
            else:
                return False
            place, present, change = tried, aimed, following
        return False

    def _active_set(self, before: TrialFunction | None, settled: float) -> bool:
        """Take full steps, each with the active set of the field before, until the field stays the same."""
        about, change = before, math.inf
        place: Tensor | None = None
        for _ in range(SETS):
            aimed = self._aimed(self.trial if about is None else about)
            if not torch.isfinite(aimed).all():
                return False
            field = self._field(aimed)
            if place is not None:
                change = self.balance.relative(field - place, field)
            about, place = self._put(aimed), field
            if change <= settled:
                self.left = change
                return True
        return False

    def _left(self, reached: Tensor, step: Tensor, size: float) -> float:
        """The relative error at the end of the iteration; step: amplitudes of the last one, with this size in the field."""
        rate = min(self.rate, STEADY)
        to_come = size * rate / (1 - rate)
        if rate < LINEAR or size == 0:
            return to_come
        residual, weights = self._residual(reached)
        for move in MOVES:
            moved, other_weights = self._residual(reached + move / size * step)
            told = torch.linalg.vector_norm(moved * weights / other_weights - residual)
            if told > torch.linalg.vector_norm(residual):
                break
        self._put(reached)
        return max(to_come, float(move))

    def _residual(self, amplitudes: Tensor) -> tuple[Tensor, Tensor]:
        """The residuals of a field in all rows, and their weights."""
        generator = torch.Generator(self.device).manual_seed(self.seed)
        system = Assembly(self.problem, self.tried, generator, self._put(amplitudes)).assemble()
        assert system.weights is not None
        return system.matrix @ amplitudes - system.loads, system.weights

    def _aimed(self, about: TrialFunction) -> Tensor:
        """The amplitudes (columns,) that solve the problem linearised about a field."""
        generator = torch.Generator(self.device).manual_seed(self.seed)
        assembly = Assembly(self.problem, self.tried, generator, about)
        self.columns = assembly.columns
        system = assembly.assemble()
        return least_squares(system.matrix, system.loads)

    def unnoticed(self) -> Unnoticed:
        """The fields that do not change the problem linearised about the present field."""
        generator = torch.Generator(self.device).manual_seed(self.seed)
        return unnoticed(Assembly(self.problem, self.tried, generator, self.trial))

    def _put(self, amplitudes: Tensor) -> PiecewiseFunction:
        Assembly(self.problem, self.trial, torch.Generator()).set_amplitudes(amplitudes)
        return self.trial

    def _field(self, amplitudes: Tensor) -> Tensor:
        """The field at probes for amplitudes; the amplitudes alone say little, because the sines are dependent."""
        Assembly(self.problem, self.tried, torch.Generator()).set_amplitudes(amplitudes)
        with torch.no_grad():
            return self.tried(self.probes)
