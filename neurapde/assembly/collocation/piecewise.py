"""Piecewise trials of sines for least squares: suitable problems, growing trials, and a test of linearity."""

from collections.abc import Iterator

import torch

from neurapde.assembly.collocation.affine import not_affine
from neurapde.assembly.collocation.head import solve_head
from neurapde.assembly.collocation.parts import layouts_of
from neurapde.core.errors import DeclarationError
from neurapde.equations.poisson import Poisson
from neurapde.fields.sources import PointSource
from neurapde.problem.problem import Problem
from neurapde.training.run.setting import in_double_precision
from neurapde.trials.fourier_extension import FourierExtension
from neurapde.trials.piecewise import Part, PiecewiseFunction, PiecewiseTrial

FIRST = {1: 12.0, 2: 8.0, 3: 5.4}
"""Modes along the longest axis at the first level, by the number of axes."""
GROWTH, MORE = 1.25, 2.0
"""Modes from level to level: so many times as many, and so many more at least; one more may be odd, the field even."""
MARGIN = 0.5
"""Length of the sines' box beyond the domain's, as a part of it."""


def piecewise_trials(
    problem: Problem, largest: int, modes: float | None = None, margin: float = MARGIN
) -> Iterator[PiecewiseTrial]:
    """Piecewise trials of growing frames, within the largest number of features, from so many modes an axis (`FIRST`)."""
    modes = FIRST[problem.domain.dimension] if modes is None else modes
    layouts = layouts_of(problem)
    last: PiecewiseTrial | None = None
    while True:
        parts = tuple(layout.part(modes, margin) for layout in layouts)
        features = problem.outputs * sum(
            part.trial.features for part in parts if isinstance(part.trial, FourierExtension)
        )
        if last is not None and features > largest:
            return
        piecewise_trial = PiecewiseTrial(parts)
        if piecewise_trial != last:
            yield piecewise_trial
        last, modes = piecewise_trial, max(modes * GROWTH, modes + MORE)


def unfit(problem: Problem) -> str | None:
    """Why least squares at points does not apply to a problem, or None (linearity is checked during the run)."""
    if problem.domain.dimension > 3:
        return f"its domain has {problem.domain.dimension} axes, but the lattice of sines takes up to three"
    if problem.sides.periodic and problem.equation.transmission(problem):
        return (
            "a jump of the medium lies on a periodic boundary, where the field cannot be joined; move the jump away "
            "from the boundary"
        )
    if len(problem.right_hand_sides) > 1:
        return "it has several shots; declare a problem for each"
    if isinstance(problem.equation, Poisson) and (reason := problem.equation.untrainable(problem)):
        return reason
    if any(isinstance(source, PointSource) for side in problem.right_hand_sides for source in side):
        return "a PointSource has no values at points; use a GaussianSource"
    return None


def is_linear(problem: Problem) -> bool:
    """Whether every constraint of a problem is linear in u for fields as large as its solution, tested on a few features."""
    if unfit(problem) or problem.equation.obstacle is not None:
        return False
    trial = few_features(problem)
    try:
        solve_head(problem, trial, 0)
    except (DeclarationError, RuntimeError):  # not a function that torch can vectorise and differentiate
        return False
    return not_affine(problem, trial) is None


def few_features(problem: Problem) -> PiecewiseFunction:
    """A trial of two modes along each axis, for tests."""
    return built_for(
        problem, PiecewiseTrial((Part((), (), FourierExtension((2,) * problem.domain.dimension)),))
    )


def built_for(
    problem: Problem, spec: PiecewiseTrial, device: torch.device | str = "cpu"
) -> PiecewiseFunction:
    """The function of a piecewise trial for a problem's field, in double precision, with unknown amplitudes."""
    return spec.draw(in_double_precision(problem, device))
