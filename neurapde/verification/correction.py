"""The error of a field: a correction by a few features, at points that resolve the declaration.

The residual at fresh points is the right-hand side of a problem for the error, linearised about the field. Least
squares on a coarse frame give the smooth part of the error, which a method with other points has missed.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from neurapde.assembly.collocation.head import least_squares
from neurapde.assembly.collocation.piecewise import built_for, is_linear, piecewise_trials, unfit
from neurapde.assembly.collocation.system import Assembly, NotAffineError
from neurapde.conditions.constraints import Samples
from neurapde.core.formatting import number, point
from neurapde.equations.fit import Fit
from neurapde.problem.equation import Equation
from neurapde.problem.problem import Problem
from neurapde.training.optimisation.balance import balance_of
from neurapde.trials.base import TrialFunction
from neurapde.trials.piecewise import PiecewiseFunction, PiecewiseTrial
from neurapde.verification.fresh import fresh_samples
from neurapde.verification.residual_left import Left, field_sizes, residuals_left

PROBES = 3000
"""Points at which the error is compared with the field."""
FEATURES = {1: 60, 2: 300, 3: 600}
"""Features of the frame of the error at most, by the number of axes."""


@dataclass(frozen=True)
class Correction:
    """The size of the error, and the residual of each constraint at the fresh points.

    error: relative to the corrected field. answered: part of the weighted residual that this error explains; a finer
    one explains the rest. trial: the error itself. field: its values at probes, `(n,)` or `(n, outputs)`.
    """

    error: float
    left: dict[str, Left]
    answered: float
    trial: PiecewiseFunction
    field: Tensor

    @property
    def loudest(self) -> str:
        """The constraint with the largest residual: its name, the residual relative to its terms, and the worst place."""
        name = max(self.left, key=lambda candidate: self.left[candidate].relative)
        worst = self.left[name]
        place = (
            worst.points[int(worst.residual.abs().amax(1).argmax())]
            if len(worst.residual) == len(worst.points)
            else None
        )
        where = "" if place is None else f", most at {point([float(f'{x:.4g}') for x in place.tolist()])}"
        left = number(float(f"{worst.relative:.1g}"))
        return f"the residual of {name!r} is {left} of the size of its terms{where}"


class LookedAt:
    """A trial function in float64 on the CPU at fresh points; samples: those of a field near it, to use again."""

    def __init__(
        self, problem: Problem, trial: TrialFunction, samples: dict[str, Samples] | None = None
    ) -> None:
        self.problem, self.trial = problem, trial
        sizes = field_sizes(problem, trial)
        self.samples = fresh_samples(problem, sizes) if samples is None else samples
        self.left = residuals_left(problem, trial, self.samples, sizes)
        self.probes = problem.domain.sample(PROBES, how="grid")
        self.balance = balance_of(problem)

    def correction(self, spec: PiecewiseTrial) -> Correction:
        """The correction by least squares on the features of a piecewise trial."""
        error = built_for(self.problem, spec)
        try:
            answered = self._solved(error, True)
        except NotAffineError:
            answered = self._solved(error, False)
        with torch.no_grad():
            change, field = error(self.probes), self.trial(self.probes)
        if self.problem.equation.leaves_constant(self.problem):
            change, field = change - change.mean(dim=0), field - field.mean(dim=0)
        return Correction(self.relative(change, field + change), self.left, answered, error, change)

    def relative(self, change: Tensor, field: Tensor) -> float:
        """The size of a change of a field, both at the probes, relative to the field."""
        return self.balance.relative(change, field)

    def _solved(self, error: PiecewiseFunction, linear: bool) -> float:
        generator = torch.Generator().manual_seed(0)
        assembly = Assembly(self.problem, error, generator, self.trial, self.samples, linear)
        system = assembly.assemble()
        amplitudes = least_squares(system.matrix, system.loads)
        assembly.set_amplitudes(amplitudes)
        whole = float(torch.linalg.vector_norm(system.loads))
        return float(torch.linalg.vector_norm(system.matrix @ amplitudes)) / whole if whole > 0 else 1.0


def correction(problem: Problem, trial: TrialFunction) -> Correction:
    """The correction of a trial function by a few features, in float64 on the CPU."""
    *_, coarse = piecewise_trials(problem, FEATURES[problem.domain.dimension])
    return LookedAt(problem, trial).correction(coarse)


def no_correction(problem: Problem) -> str | None:
    """Why the residual does not give the error of a field of this problem, or None."""
    if isinstance(problem.equation, Fit):
        return "fitted data may be noisy, so their residual is not an error"
    if problem.unknowns:
        return "its unknowns may be off, by their standard errors"
    if reason := unfit(problem):
        return f"the equation for the error cannot be solved by least squares, since {reason}"
    if is_linear(problem):
        return None
    if problem.equation.complex:
        return "the equation is nonlinear and its field is complex; declare the real and imaginary parts as components"
    if not isinstance(problem.equation, Equation):
        return "the field may have kinks, where the equation cannot be linearised"
    return None
