"""The error of any field, trained or solved: the norm of the correction that removes its residuals.

The residuals at fresh points are linearised about the field. Least squares find the correction that removes them, with
more features until it converges. It is one step of Newton's method, and the next step shows how accurate the
linearisation is.
"""

import dataclasses
import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from neurapde.assembly.collocation.piecewise import is_linear, piecewise_trials
from neurapde.core import checks
from neurapde.core.formatting import number
from neurapde.solution.solution import Solution
from neurapde.training.run.method import Status
from neurapde.training.run.stage import Stage
from neurapde.trials.ansatz import SumTrial
from neurapde.trials.base import TrialFunction, copied
from neurapde.trials.piecewise import PiecewiseTrial
from neurapde.verification.correction import FEATURES, Correction, LookedAt, no_correction

ROUNDS = {1: (1, 2, 4), 2: (1, 2, 4), 3: (1, 2)}
"""Features of each try in units of `FEATURES`, by the number of axes."""
SETTLED = 0.2
"""Change of a correction from one number of features to the next, relative to it, below which it is taken."""
ANSWERED = 0.9
"""Part of the residual that a correction must explain to count alone, regardless of the stated error."""


@dataclass(frozen=True)
class ErrorEstimate:
    """The error estimate of a field.

    value: relative L2 error of the worst component; nan if it is not available.
    spread: relative uncertainty of `value`; nan if it is not known, as for an error that the method states. method:
    how it was found, or why it is not available. corrected: the field with its correction added, one or two steps of
    Newton's method; None if there is none.
    """

    value: float
    spread: float
    method: str
    corrected: Solution | None = None

    def __str__(self) -> str:
        if math.isnan(self.value):
            return f"The error is not estimated: {self.method}."
        spread = "" if math.isnan(self.spread) else f" ± {self.spread * self.value:.0e}"
        return f"Estimated relative error: {self.value:.1e}{spread}, {self.method}."


def error_estimate(solution: Solution) -> ErrorEstimate:
    """The relative L2 error of a solution of any method, estimated from its residuals in the problem's constraints.

    `corrected` has the correction that least squares find at fresh points; its error is mostly smaller by orders of
    magnitude. If most of the residual is too fine for their features, the error that the method states counts if it is
    larger. For fits, on more than three axes, and for solutions with kinks, the error is the one that the method
    states, if any.
    Raises: DeclarationError for a solution that was loaded without its problem.

    >>> problem = npde.Problem("line", npde.Interval(0, 1), npde.Poisson(), 1.0, npde.Dirichlet(0.0))
    >>> npde.error_estimate(npde.solve(problem)).value < 1e-6
    True
    """
    checks.kind(solution, "solution", Solution, "give what npde.solve returns")
    problem = solution.required_problem
    stated = (
        float(solution.stages[-1].extras.get("error_estimate", math.nan)) if solution.stages else math.nan
    )
    if reason := no_correction(problem):
        return _stated(stated, reason)
    field = copied(solution.trial, torch.float64, torch.device("cpu"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of NumPy's functions for tensors
            correction, spread, corrected = _settled(LookedAt(problem, field), is_linear(problem))
    except (RuntimeError, TypeError, ValueError) as error:
        return _stated(stated, f"a function does not accept torch points ({error})")
    if not spread < 1:
        return _stated(
            stated,
            "the correction for its residuals does not converge with the features of this check: the field has details "
            "finer than these features resolve, or it is far from any solution",
        )
    method = f"from a correction that explains {number(float(f'{correction.answered:.2g}'))} of the residual"
    if correction.answered < ANSWERED and stated > correction.error:
        return _stated(stated, "")
    return ErrorEstimate(
        correction.error, spread, method, _with(solution, corrected, spread * correction.error)
    )


def _settled(looked: LookedAt, linear: bool) -> tuple[Correction, float, TrialFunction]:
    """The correction of a field, the uncertainty of its size, and the corrected field."""
    first, *rest = _growing(looked)
    correction, spread, spec = looked.correction(first), math.inf, first
    for spec in rest:
        before, correction = correction, looked.correction(spec)
        spread = (
            looked.relative(correction.field - before.field, correction.field)
            if bool(correction.field.any())
            else 0.0
        )
        if spread <= SETTLED:
            break
    corrected: TrialFunction = SumTrial(looked.trial, correction.trial)
    if linear:
        return correction, spread, corrected
    second = LookedAt(looked.problem, corrected, looked.samples).correction(spec)
    with torch.no_grad():
        whole = correction.field + second.field
        size = looked.relative(whole, looked.trial(looked.probes) + whole)
    spread = max(spread, looked.relative(second.field, correction.field))
    return dataclasses.replace(correction, error=size), spread, SumTrial(corrected, second.trial)


def _growing(looked: LookedAt) -> Iterator[PiecewiseTrial]:
    """Piecewise trials for the correction, each larger than the one before."""
    axes, last = looked.problem.domain.dimension, None
    for times in ROUNDS[axes]:
        *_, spec = piecewise_trials(looked.problem, times * FEATURES[axes])
        if spec != last:
            yield spec
        last = spec


def _stated(stated: float, reason: str) -> ErrorEstimate:
    """The error that the method itself states, or why there is none."""
    if math.isfinite(stated):
        return ErrorEstimate(
            stated, math.nan, "as stated by the method" + (f", unchecked: {reason}" if reason else "")
        )
    return ErrorEstimate(math.nan, math.nan, reason)


def _with(solution: Solution, trial: TrialFunction, error: float) -> Solution:
    """The solution with another field of this error, and a stage that records it."""
    note = f"Corrected for its residuals; the change between the last two corrections is {error:.1e}."
    stage = Stage(
        "a correction by least squares",
        Status.CONVERGED,
        0.0,
        extras={"error_estimate": error},
        notes=(note,),
    )
    return dataclasses.replace(
        solution, trial=trial, stages=(*solution.stages, stage), notes=(*solution.notes, note)
    )
