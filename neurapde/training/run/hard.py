"""Hard conditions: trial functions that meet them by their form, u = lift + D · network."""

import torch

from neurapde.backgrounds.by_component import ByComponent
from neurapde.backgrounds.held import sides_of
from neurapde.backgrounds.lift import Lift
from neurapde.backgrounds.side_distance import SideDistance
from neurapde.backgrounds.waves import Background
from neurapde.conditions.base import Boundary
from neurapde.core.errors import DeclarationError
from neurapde.jets.jet import Jet
from neurapde.problem.problem import Problem
from neurapde.trials.ansatz import Ansatz, AnsatzTrial, DistanceFactor
from neurapde.trials.base import TrialFunction, copied

MET = 1e-8
"""Error on the faces, relative to the field's size, up to which a condition counts as met: rounding."""


def with_hard_conditions(problem: Problem, trial: TrialFunction) -> tuple[TrialFunction, tuple[str, ...]]:
    """A trial function with the problem's hard conditions built in, and what to note about it.

    A trial that meets them for all parameters does not change; built-in conditions of another problem are replaced.
    Raises DeclarationError for a trial with a background, which would have to meet them too.
    """
    if not problem.hard:
        return trial, ()
    conditions = "; ".join(condition.formula(problem.domain) for condition in problem.hard)
    if meets_hard_conditions(problem, trial):
        return trial, (
            f"Not trained, since the given trial function satisfies it by construction: {conditions}.",
        )
    network = trial
    if isinstance(network, AnsatzTrial) and _is_lift(network.background):
        network = network.network
    if isinstance(network, AnsatzTrial) and network.background is not None:
        raise DeclarationError(
            f"the trial {trial.spec.describe()} does not satisfy by construction: {conditions}. Give the network alone, "
            "without its background, or leave out hard=True."
        )
    if isinstance(network, AnsatzTrial) and _is_distance(network.factor):
        network = network.network
    sides = sides_of(problem.domain, problem.hard, problem.outputs)
    factor = (
        DistanceFactor(network.spec, sides[0])
        if len(sides) == 1
        else DistanceFactor(network.spec, components=sides)
    )
    built = factor.around(network, problem.domain.bounds)
    note = f"Built into the trial function, and not trained: {conditions}."
    if problem.lift is None:
        return built, (note,)
    return AnsatzTrial(Ansatz(problem.lift, factor), built, problem.lift), (note,)


def missed_conditions(problem: Problem, trial: TrialFunction) -> tuple[str, ...]:
    """A note if a method's own trial function meets the hard conditions only by its solution, not by its form."""
    if not problem.hard or meets_hard_conditions(problem, trial):
        return ()
    conditions = "; ".join(condition.formula(problem.domain) for condition in problem.hard)
    return (
        f"Satisfied as accurately as the equation, not by construction of the trial function: {conditions}.",
    )


def meets_hard_conditions(problem: Problem, trial: TrialFunction) -> bool:
    """Whether a trial function meets the problem's hard conditions for all parameters: tested with random ones."""
    tried = copied(trial, torch.float64, torch.device("cpu"))
    generator = torch.Generator().manual_seed(50417)
    with torch.no_grad():
        for parameter in tried.parameters():
            parameter.copy_(torch.randn(parameter.shape, dtype=parameter.dtype, generator=generator))
        size = tried(problem.domain.sample(64, how="grid")).abs().max()
        return all(_meets(tried, problem, condition, float(size)) for condition in problem.hard)


def _meets(trial: TrialFunction, problem: Problem, condition: Boundary, size: float) -> bool:
    """Whether one condition holds; size: of the field."""
    for constraint in condition.constraints(problem.domain):
        samples = constraint.sample(64, how="grid")
        jet = trial.jet(samples.points, constraint.order)
        zero = Jet(torch.zeros_like(jet.channels), jet.layout)
        residual, wanted = constraint.residual(samples, jet), constraint.residual(samples, zero)
        unit = problem.domain.extents[-1] ** -constraint.order  # of a rate of change
        if not bool(residual.abs().max() <= MET * max(size * unit, float(wanted.abs().max()))):
            return False
    return True


def _is_lift(background: Background | None) -> bool:
    parts = background.parts if isinstance(background, ByComponent) else (background,)
    return all(isinstance(part, Lift) for part in parts)


def _is_distance(factor: object) -> bool:
    parts = factor.parts if isinstance(factor, ByComponent) else (factor,)
    return all(isinstance(part, SideDistance) for part in parts)
