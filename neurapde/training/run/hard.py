"""Hard conditions: trial functions that meet them by their form, u = lift + D · network."""

import torch

from neurapde.backgrounds.lift import Lift
from neurapde.backgrounds.side_distance import SideDistance, Sides
from neurapde.core.errors import DeclarationError
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
    if isinstance(network, AnsatzTrial) and isinstance(network.background, Lift):
        network = network.network
    if isinstance(network, AnsatzTrial) and network.background is not None:
        raise DeclarationError(
            f"the trial {trial.spec.describe()} does not satisfy by construction: {conditions}. Give the network alone, "
            "without its background, or leave out hard=True."
        )
    if isinstance(network, AnsatzTrial) and isinstance(network.factor, SideDistance):
        network = network.network
    factor = DistanceFactor(network.spec, _sides(problem))
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
        for condition in problem.hard:
            points = problem.domain.sample_boundary(64, on=condition.on, how="grid").points
            values, wanted = tried(points), condition.value(points)
            error = values - (wanted[:, None] if values.ndim == 2 else wanted)
            if not bool(error.abs().max() <= MET * torch.maximum(size, wanted.abs().max())):
                return False
    return True


def _sides(problem: Problem) -> Sides:
    """For each axis, whether its (lower, upper) face has a hard condition."""
    held = {face for condition in problem.hard for face in condition.faces(problem.domain)}
    return problem.sides.pairs(lambda face: face in held)
