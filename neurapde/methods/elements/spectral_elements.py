"""Spectral elements: boundary value problems on an interval, by polynomials on elements that follow the field."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from neurapde.assembly.collocation.piecewise import unfit
from neurapde.core.formatting import number
from neurapde.methods.elements.steady import SteadyProblem, at_rest, steady_of
from neurapde.methods.least_squares import LeastSquares
from neurapde.methods.marching.elements import ElementSystem
from neurapde.methods.marching.mesh import Mesh
from neurapde.methods.marching.patches import PatchesFunction, resting_on
from neurapde.methods.marching.rows import Matrix
from neurapde.methods.marching.system import Solve
from neurapde.methods.marching.window import counting_sizes
from neurapde.methods.refinement import check_growth, estimate_note, grow
from neurapde.problem.problem import Problem
from neurapde.training.optimisation.balance import Balance, balance_of
from neurapde.training.run.budget import SECONDS, Budget
from neurapde.training.run.method import DirectMethod, Outcome, Task
from neurapde.training.run.setting import in_double_precision

FIRST, MORE = 4, 3
"""Elements of the first level besides those from breaks, and the increase in each level: levels share no points."""
LIMIT, FALLS = 1e-4, 30.0
"""Of the field's size: the last coefficients on each element at the first level; and how they fall from level to level."""
FINEST = 1e-10
"""The least limit."""
SETS = 30
"""Sets of points that touch bounds, one after the other, on one mesh."""
STEPS, HALVINGS, CUTS = 25, 6, 60
"""Newton's steps on one mesh, halvings of a step, and times that a mesh is cut in one level."""
QUICK = 0.25
"""Ratio of successive changes above which the iteration is not quick at its end, as at a fold or a double root."""
SETTLED, ROUNDING = 1e-2, 1e-8
"""Change that ends an iteration, in units of the limit, and of the field: what may be rounding."""

CHECKED = 1e-6
"""Smallest tolerance of the closing check, because second derivatives on thin elements have rounding errors."""
SURE = 4.0
"""Factor by which rounding may exceed the change in one more step."""
NOISE = 1e-3
"""Allowed error of the iteration in a last level that does not converge: rounding, on short elements."""
LAST_DIGITS = 1e-14
"""Of the field's size: coefficients that may be rounding."""
KNOWN = 1e-2
"""Fraction of its limit: the best accuracy of a level."""


@dataclass(frozen=True)
class SpectralElements(DirectMethod):
    """Solve a boundary value problem on an Interval by polynomials of degree 12 on elements.

    For Poisson, Helmholtz without layers, and Equation(residual) of up to second order, linear or not, systems and complex
    fields included, with conditions at both ends. The equation holds at the Gauss points of each element, and the
    field and its flux are continuous between elements. Elements end at declared regions and where functions jump or
    are narrow. They are halved until the last coefficients on each are small. A damped Newton method from the field 0
    solves nonlinear problems; an `Obstacle` is found by active sets.

    tolerance: relative L2 error to stop at, as estimated from the change between levels, which share no points.
    largest:   number of unknowns (nodes times components) at which the refinement stops in any case.
    seconds:   limit of the processor time, as in `LeastSquares`.
    Raises DeclarationError (from `solve`) for a problem that it cannot take.
    Sources: Ascher, Mattheij, Russell (1995), Numerical Solution of Boundary Value Problems, sections 5.6, 8.1 and 9.3;
    Hintermüller, Ito, Kunisch (2002), SIAM J. Optim. 13, 865-888, for active sets.
    """

    tolerance: float = 1e-8
    largest: int = 50_000
    seconds: float = SECONDS

    def __post_init__(self) -> None:
        check_growth(self.tolerance, self.largest, 100, self.seconds)

    def obstacle(self, problem: Problem) -> str | None:
        steady = steady_of(problem)
        if isinstance(steady, str):
            return steady
        level = _Level(steady, balance_of(problem), steady.mesh(FIRST), LIMIT, self.largest)
        return None if level.solve() else "Newton's iteration on elements does not converge"

    def why(self, problem: Problem) -> str:
        return "it has conditions at both ends of an interval"

    def check(self, problem: Problem) -> None:
        if unfit(problem) is None:
            LeastSquares().check(problem)
        super().check(problem)

    def strong_tolerance(self) -> float | None:
        return max(self.tolerance, CHECKED)

    def describe(self) -> str:
        return f"spectral elements to a relative error of {number(self.tolerance)}"

    def run(self, task: Task) -> Outcome:
        self.check_trial(task.trial)
        steady = steady_of(task.problem)
        assert isinstance(steady, SteadyProblem)
        budget = Budget(self.seconds, type(self).__name__, task.problem.name, "a larger tolerance")
        refined = grow(task, self._levels(task, steady), self.largest, self.tolerance, budget)
        trial, features = refined.level.solved, refined.level.features
        notes = (
            f"Trial function: {trial.spec.describe()}, {features} numbers in all, by collocation.",
            estimate_note(refined.level.estimate, "levels of elements"),
        )
        return refined.outcome(trial, notes, {}, f"{type(self).__name__}(largest={10 * self.largest})")

    def _levels(self, task: Task, steady: SteadyProblem) -> Iterator[tuple[PatchesFunction, int, float]]:
        """Finer and finer ones, each from the field of the one before; they end at rounding or at `largest`."""
        setting, balance = in_double_precision(task.problem, task.device), balance_of(task.problem)
        limit, count = LIMIT, FIRST
        before: _Level | None = None
        while limit > FINEST:
            level = _Level(steady, balance, steady.mesh(count), limit, self.largest)
            if before is not None:
                level.begin(before)
            settled = level.solve()
            if not settled and (before is None or level.left > NOISE):
                return
            trial = resting_on(setting, steady.system(level.mesh).patches, level.values)
            yield trial, level.values.size, level.left
            if not settled:
                return
            before, limit, count = level, limit / FALLS, count + MORE


@dataclass(eq=False)
class _Level:
    """A field on a mesh that is cut until the last coefficients are below a limit.

    left: allowed error of the iteration, relative to the field.
    """

    steady: SteadyProblem
    balance: Balance
    mesh: Mesh
    limit: float
    largest: int
    values: Matrix = field(init=False)
    left: float = 0.0

    def __post_init__(self) -> None:
        self.values = np.zeros((self.mesh.count, self.steady.components))

    def begin(self, other: "_Level") -> None:
        """From the field of another level."""
        self.values = other.mesh.carried(other.values, self.mesh)

    def solve(self) -> bool:
        """Whether the iteration converges on every mesh."""
        for _ in range(CUTS):
            with np.errstate(all="ignore"):
                settled = self._iterate()
            if not settled:
                return False
            finer = self.mesh.cut(self._missed(), self.limit)
            if finer is None or finer.count * self.steady.components > self.largest:
                return True
            self.values, self.mesh = self.mesh.carried(self.values, finer), finer
        return True

    def _missed(self) -> Matrix:
        """The error of each element in the field or, over the whole interval, in its slope: (elements,), 0 for rounding."""
        tails = self.mesh.tails(self.values[None], self._sizes(self.values))
        whole = self.mesh.edges[-1] - self.mesh.edges[0]
        missed: Matrix = np.where(tails > LAST_DIGITS, tails * whole / self.mesh.lengths, 0.0)
        return missed

    def _sizes(self, values: Matrix) -> Matrix:
        return counting_sizes(values, self.balance, self.steady.problem.equation.complex)

    def _iterate(self) -> bool:
        """Newton's method; each step is damped until the next one, with the same slopes, is shorter."""
        system = self.steady.system(self.mesh)
        if self.steady.problem.equation.obstacle is not None:
            return self._active_set(system)
        for _ in range(STEPS):
            try:
                residual, solve = system.linearised(at_rest(self.values))
                change = solve(residual)[0]
                self.left = float(np.abs(change / self._sizes(self.values)).max())
                taken = self._damped(system, solve, change)
            except (ValueError, RuntimeError):  # a matrix that is singular, or not finite
                return False
            if taken is None:
                return False
            size, following = taken
            if following <= max(SETTLED * self.limit, ROUNDING):
                self.left = max(SURE * following, KNOWN * self.limit)
                return following <= max(QUICK * size, ROUNDING)
        return False

    def _active_set(self, system: ElementSystem) -> bool:
        """Take full steps, each with the active set of the field before, until the set stays the same."""
        for _ in range(SETS):
            try:
                residual, solve = system.linearised(at_rest(self.values))
                change = solve(residual)[0]
            except (ValueError, RuntimeError):  # a matrix that is singular, or not finite
                return False
            self.values = self.values - change
            self.left = float(np.abs(change / self._sizes(self.values)).max())
            if self.left <= ROUNDING:
                break
        # on a coarse mesh the active sets may cycle; what that leaves is in the estimate
        return bool(np.isfinite(self.left))

    def _damped(self, system: ElementSystem, solve: Solve, change: Matrix) -> tuple[float, float] | None:
        """Take a step; return its size and that of the next one with the same slopes, which is taken after a full step."""
        step = 1.0
        for _ in range(HALVINGS):
            values = self.values - step * change
            sizes = self._sizes(values)
            size = float(np.abs(change / sizes).max())
            following = solve(system.residual(at_rest(values)))[0]
            next_size = float(np.abs(following / sizes).max())
            if not np.isfinite(size):
                return None
            if next_size <= max((1 - step / 2) * size, ROUNDING):
                self.values = values - following if step == 1.0 else values
                return size, next_size if step == 1.0 else size
            step /= 2
        return None
