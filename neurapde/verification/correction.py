"""How far a field is from the solution: what a few features add to it where the declaration is looked at closely.

The residual at fresh points is the right-hand side of a problem for the error, linear for small errors. Its smooth part,
found by least squares on a coarse frame, is what a method has missed that did not see the same points.
"""

from dataclasses import dataclass

import torch

from neurapde.collocation.head import least_squares
from neurapde.collocation.system import Assembly, NotAffineError
from neurapde.conditions.constraints import Samples
from neurapde.core.formatting import number, point
from neurapde.methods.least_squares import FIRST, LeastSquares, built_for
from neurapde.methods.refinement import PROBES
from neurapde.optimisation.balance import balance_of
from neurapde.problem.problem import Problem
from neurapde.trials.base import TrialFunction
from neurapde.trials.piecewise import PiecewiseTrial
from neurapde.verification.fresh import fresh_samples
from neurapde.verification.residual_left import Left, field_sizes, residuals_left

FEATURES = {1: 60, 2: 300, 3: 600}
"""Features of the frame of the error at most, by the number of axes."""


@dataclass(frozen=True)
class Correction:
    """The size of the error found, relative to the field, and what is left of each constraint at the fresh points.

    answered: part of the residual, as the rows weigh it, that this error explains; a finer one explains the rest.
    """

    error: float
    left: dict[str, Left]
    answered: float

    @property
    def loudest(self) -> str:
        """Of the constraint of the largest residual: its name, how much of its terms is left, and where most."""
        name = max(self.left, key=lambda one: self.left[one].relative)
        one = self.left[name]
        place = (
            one.points[int(one.residual.abs().amax(1).argmax())]
            if len(one.residual) == len(one.points)
            else None
        )
        where = "" if place is None else f", most at {point([float(f'{x:.4g}') for x in place.tolist()])}"
        return f"{name!r} is met to {number(float(f'{one.relative:.1g}'))} of its terms only{where}"


def correction(problem: Problem, trial: TrialFunction) -> Correction:
    """What least squares at fresh points add to a trial function in float64 on the CPU."""
    sizes = field_sizes(problem, trial)
    samples: dict[str, Samples] = fresh_samples(problem, sizes)
    left = residuals_left(problem, trial, samples, sizes)
    error = built_for(problem, _coarse(problem))

    def solved(linear: bool) -> float:
        assembly = Assembly(problem, error, torch.Generator().manual_seed(0), trial, samples, linear)
        system = assembly.assemble()
        amplitudes = least_squares(system.matrix, system.loads)
        assembly.set_amplitudes(amplitudes)
        whole = float(torch.linalg.vector_norm(system.loads))
        return float(torch.linalg.vector_norm(system.matrix @ amplitudes)) / whole if whole > 0 else 1.0

    try:
        answered = solved(True)
    except NotAffineError:
        answered = solved(False)
    probes = problem.domain.sample(PROBES, how="grid")
    with torch.no_grad():
        fields = [error(probes), trial(probes)]
    if problem.equation.leaves_constant(problem):
        fields = [one - one.mean(dim=0) for one in fields]
    return Correction(balance_of(problem).relative(*fields), left, answered)


def _coarse(problem: Problem) -> PiecewiseTrial:
    """The largest patchwork of least squares within the features allowed, its first one at least."""
    levels = LeastSquares(largest=FEATURES[problem.domain.dimension])._levels(
        problem, FIRST[problem.domain.dimension]
    )
    *_, last = levels
    return last
