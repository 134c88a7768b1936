"""Separable: equations of diffusion and closed resonators on a box, by products of polynomials, axis by axis."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from neurapde.assembly.boxes.declared import BoxProblem
from neurapde.assembly.boxes.residual import norms, residual_error, weighed
from neurapde.assembly.boxes.trial import LegendreFunction, LegendreProducts
from neurapde.core.convergence import estimate_error
from neurapde.core.cost import Cost
from neurapde.core.formatting import number
from neurapde.equations.poisson import Poisson
from neurapde.fields.jumps import features_of_sources
from neurapde.methods.refinement import SLOW, Level, check_growth, estimate_note, refine
from neurapde.methods.weak.poisson import PoissonOnSines
from neurapde.problem.problem import Problem
from neurapde.spectral.modes import along_all
from neurapde.spectral.separable import Values
from neurapde.training.run.budget import SECONDS, Budget
from neurapde.training.run.method import DirectMethod, Outcome, Task
from neurapde.training.run.setting import in_double_precision

FIRST, GROWTH = 12, 1.5
"""Polynomials along each axis at the first level, and from level to level."""
MORE_NODES = 1.5
"""Points of a quadrature along each axis, in units of the polynomials."""
LOOKED = {1: 1024, 2: 300, 3: 80}
"""Points along each axis for the residual, by the number of axes."""
STEEP = 0.03
"""An axis grows unless the field's last polynomials along it are less than this part of those along the steepest."""
LAST = 3
"""Number of polynomials that count as the last."""
MOST_LOOKS = 3
"""Number of times that the residual may show an error before polynomials are given up."""
SOLVED = 0.03
"""Fraction of the tolerance for the residual of the iteration."""
NODE = (200.0, 3e-8, 2e-9)
"""Bytes at a node of the quadrature, seconds for its values, and for each polynomial along an axis and iteration."""


@dataclass(frozen=True)
class Separable(DirectMethod):
    """Solve −∇·(a ∇u) + c u = f, or Helmholtz' equation without layers, on a box of up to three axes.

    The trial function is a sum of products of Legendre polynomials, n along each axis. For constant a and c it is
    found axis by axis in O(n^(d+1)), without a dense or sparse system; smooth a and c need iterations. Every face has
    a Dirichlet, Neumann or Robin condition, whose values may vary, or is Periodic with the opposite one.

    tolerance: relative L2 error to stop at, as estimated from the change between two numbers of polynomials.
    largest:   polynomials along each axis at which the refinement stops in any case.
    seconds:   limit of the processor time, as in `LeastSquares`.
    Raises DeclarationError (from `solve`) for a problem that it cannot take.
    """

    tolerance: float = 1e-8
    largest: int = 512
    seconds: float = SECONDS

    def __post_init__(self) -> None:
        check_growth(self.tolerance, self.largest, FIRST, self.seconds)

    def obstacle(self, problem: Problem) -> str | None:
        box = BoxProblem.of(problem)
        if box is None:
            return (
                f"it needs Poisson's or Helmholtz' equation on a Box of up to three axes, but {problem.name} has "
                f"{type(problem.equation).__name__} on {problem.domain}; use LeastSquares"
            )
        reason = box.obstacle() or self._rough(box.problem)
        ways = (
            "SpectralElements, LeastSquares or Galerkin"
            if box.box.dimension == 1
            else "LeastSquares or Galerkin"
        )
        return reason and f"{reason}; use {ways}"

    @staticmethod
    def _rough(problem: Problem) -> str | None:
        """A note that its sources jump, if the weak form can solve such problems."""
        line = problem.domain.dimension == 1
        if not line and (
            not isinstance(problem.equation, Poisson) or PoissonOnSines.obstacle(problem) is not None
        ):
            return None
        features = features_of_sources(problem.right_hand_sides, problem.domain)
        if line and len(features):
            return "its sources jump or are narrow, which elements resolve but polynomials do not"
        return "its sources jump, so polynomials converge slowly" if features.jumps else None

    def why(self, problem: Problem) -> str:
        box = BoxProblem.of(problem)
        vary = "vary smoothly" if box is not None and box.varying else "are constant"
        return f"the coefficients {vary} and the domain is a box"

    def describe(self) -> str:
        return f"separation of the axes to a relative error of {number(self.tolerance)}"

    def run(self, task: Task) -> Outcome:
        self.check_trial(task.trial)
        box = BoxProblem.of(task.problem)
        assert box is not None
        budget = Budget(self.seconds, "Separable", task.problem.name, "a smaller largest")
        growth = _Growth(self, task, box, budget)
        last = self.largest**box.box.dimension
        refined = refine(task, growth.levels(), last, self.tolerance, budget)
        trial = refined.level.solved
        notes = (
            f"Trial function: {trial.spec.describe()}, their amplitudes "
            f"{'by conjugate gradients' if growth.steps else 'axis by axis'}.",
            estimate_note(refined.level.estimate, "numbers of polynomials"),
            *growth.unchecked,
        )
        if box.problem is not task.problem:
            notes = (f"Its equation is {', '.join(box.problem.equation.describe(box.problem))}.", *notes)
        extras = {"iterations": growth.steps} if growth.steps else {}
        return refined.outcome(trial, notes, extras, f"Separable(largest={2 * self.largest})")


class _Growth:
    """The levels of one solve. steps: of the last iteration. unchecked: the note on a residual that could not be
    computed."""

    def __init__(self, method: Separable, task: Task, box: BoxProblem, budget: Budget) -> None:
        self.method, self.task, self.box, self.budget = method, task, box, budget
        self.steps, self.slowest = 0, 0.0
        self.unchecked: tuple[str, ...] = ()

    def levels(self) -> Iterator[Level[LegendreFunction]]:
        """Growing polynomials; a converged field is checked on many points, and refined again if it missed something."""
        axes, tolerance = self.box.box.dimension, self.method.tolerance
        counts: list[int] | None = [min(FIRST, self.method.largest)] * axes
        least, looked = 0, LOOKED[axes]
        before: Values | None = None
        changes: list[float] = []
        looks = 0
        while counts is not None and looks < MOST_LOOKS:
            amplitudes = self._solved(counts, least, before)
            if amplitudes is None:
                return
            if before is not None:
                changes.append(self._change(amplitudes, before))
            estimate = estimate_error(changes, SLOW)
            following = self._following(amplitudes)
            if estimate > tolerance and following is not None:
                yield self._level(amplitudes, changes, estimate)
            else:
                yield self._level(
                    amplitudes, changes, max(estimate, self._missed(amplitudes, looked)), fine=True
                )
                least, looked, looks = looked, 2 * looked, looks + 1
                following = self._grown(counts, [True] * axes)
            before, counts = amplitudes, following

    def _solved(self, counts: Sequence[int], least: int, guess: Values | None) -> Values | None:
        """The amplitudes of Legendre polynomials, (n1, …, columns); None if time or memory do not suffice."""
        nodes = [max(math.ceil(MORE_NODES * count), least) for count in counts]
        many, steps = float(math.prod(nodes)) * self.box.columns, max(self.steps, 1)
        seconds = many * (NODE[1] + NODE[2] * sum(counts) * steps)
        cost = Cost(NODE[0] * many, seconds, f"{' × '.join(map(str, counts))} polynomials")
        if not self.budget.admits(cost):
            return None
        form = self.box.form(counts, nodes)
        start = None if guess is None else form.amplitudes(_resized(guess, counts))
        amplitudes, self.steps = form.solve(self.box.source, SOLVED * self.method.tolerance, start)
        self.slowest = form.slowest
        amplitudes = along_all([axis.to_legendre for axis in form.axes], amplitudes)
        if self.box.leaves_constant:
            amplitudes[(0,) * len(counts)] = 0.0
        return amplitudes

    def _missed(self, amplitudes: Values, looked: int) -> float:
        """The relative error from the residual at points between those of the solve, or 0 if it cannot be computed."""
        points = [max(looked, 2 * count) for count in amplitudes.shape[:-1]]
        try:
            return residual_error(self.box, amplitudes, points, self.slowest)
        except (RuntimeError, TypeError, ValueError) as error:
            self.unchecked = (
                f"The closing check was not possible, since a function does not accept torch points ({error}).",
            )
            return 0.0

    def _change(self, amplitudes: Values, before: Values) -> float:
        """The largest norm of a change relative to the field over all columns."""
        parts = (amplitudes - _resized(before, amplitudes.shape[:-1]), amplitudes)
        change, size = (norms(weighed(self.box, field)) for field in parts)
        return float(np.max(change / np.where(size > 0, size, 1.0)))

    def _following(self, amplitudes: Values) -> list[int] | None:
        """The next numbers of polynomials: more along axes with large last coefficients; None if there are no more."""
        size, axes = weighed(self.box, amplitudes), range(amplitudes.ndim - 1)
        tails = np.array([np.linalg.norm(np.take(size, range(-LAST, 0), axis)) for axis in axes])
        return self._grown(amplitudes.shape[:-1], (tails >= STEEP * tails.max()).tolist())

    def _grown(self, counts: Sequence[int], grows: Sequence[bool]) -> list[int] | None:
        pairs = zip(counts, grows, strict=True)
        following = [min(math.ceil(GROWTH * n), self.method.largest) if grow else n for n, grow in pairs]
        return None if following == list(counts) else following

    def _level(
        self, amplitudes: Values, changes: Sequence[float], estimate: float, fine: bool = False
    ) -> Level[LegendreFunction]:
        problem, counts = self.task.problem, amplitudes.shape[:-1]
        setting = in_double_precision(problem, self.task.device, self.box.columns)
        trial = LegendreProducts(tuple(counts)).draw(setting)
        trial.set_coefficients(
            amplitudes.astype(complex) if problem.equation.complex else np.real(amplitudes)
        )
        change = changes[-1] if changes else math.nan
        return Level(trial, math.prod(counts), None, fine, change, estimate)


def _resized(values: Values, counts: Sequence[int]) -> Values:
    """Amplitudes padded with zeros along each axis."""
    amplitudes = np.zeros((*counts, values.shape[-1]), dtype=values.dtype)
    amplitudes[tuple(slice(0, n) for n in values.shape[:-1])] = values
    return amplitudes
