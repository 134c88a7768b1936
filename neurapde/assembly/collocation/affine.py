"""Whether the constraints of a problem are linear in u near its solution, tested at the size of the solution.

A term such as radiation, c (T⁴ − T₀⁴) with T in kelvins, is negligible for a field of size 1 and dominant for the
solution. A residual depends on the jet at its own points, so any numbers of a jet's size there can test it.
"""

import torch
from torch import Tensor

from neurapde.jets.jet import Jet
from neurapde.operators.base import AroundPoints
from neurapde.problem.problem import Problem
from neurapde.training.optimisation.jacobian import real_residuals
from neurapde.trials.base import TrialFunction

POINTS, POINTS_AROUND, SEED = 400, 50, 50231
"""Points of a constraint, and of one that reads operators, whose nodes are many."""
AFFINE = 1e-9
"""Departure from r(u + v) − r(v) = r(u) − r(0), in units of the residuals, that rounding may cause."""
ABSENT = 1e-12
"""Size of a component beside the largest below which it is none: its own size says nothing."""


def not_affine(problem: Problem, trial: TrialFunction) -> str | None:
    """The name of a constraint that is not affine in u, for changes of a field as large as itself; None without one."""
    anchor = next(trial.parameters())
    generator = torch.Generator(anchor.device).manual_seed(SEED)
    for constraint in problem.constraints:
        count = POINTS_AROUND if isinstance(constraint.sample, AroundPoints) else POINTS
        samples = constraint.sample_like(anchor, count, generator, "sobol")
        layout = problem.layout(constraint)
        with torch.no_grad():
            jet = trial.jet(samples.points, layout.order, layout.mixed)
            field = jet.channels
            sizes = _sizes(field)
            noise = torch.randn(field.shape, dtype=field.dtype, device=field.device, generator=generator)
            other = sizes * noise
            none, first, second, both = (
                real_residuals(constraint, samples, Jet(channels, jet.layout))
                for channels in (torch.zeros_like(field), field, other, field + other)
            )
        departure = (both - second - first + none).abs().amax(0)
        if not bool((departure <= AFFINE * (second.abs() + none.abs()).amax(0)).all()):
            return constraint.name
    return None


def _sizes(field: Tensor) -> Tensor:
    """The root mean square of each channel (channels, points) or (channels, points, outputs), points kept as one.

    A component that is zero, such as an unknown factor at the start, counts as large as the largest.
    """
    sizes = field.abs().square().mean(1, keepdim=True).sqrt()
    if sizes.ndim < 3:
        return sizes
    absent = sizes.amax(0, keepdim=True) <= ABSENT * sizes.max()
    return torch.where(absent, sizes.amax(2, keepdim=True), sizes)
