"""Training in the problem's own units: networks of the order of one, and constraints that count alike in any units."""

from collections.abc import Mapping, Sequence

from neurapde.optimisation.scales import scales_of
from neurapde.problem.problem import Problem
from neurapde.run.method import Method
from neurapde.training.losses import Loss
from neurapde.trials.ansatz import OutputScaling
from neurapde.trials.base import Trial, TrialFunction
from neurapde.trials.encoded import Encoded
from neurapde.trials.mlp import MLP
from neurapde.trials.rbf import RBF
from neurapde.trials.siren import Siren


def in_units(
    problem: Problem, spec: Trial | None, given: Trial | TrialFunction | None, methods: Sequence[Method]
) -> Trial | None:
    """A plain network to train, scaled to the field's size and its axes to one another; itself where these are moderate."""
    if isinstance(given, TrialFunction) or not isinstance(spec, Siren | MLP | Encoded | RBF):
        return spec
    if not all(method.training(problem) for method in methods):
        return spec
    scales = scales_of(problem)
    if scales.size == 1 and set(scales.lengths) == {1.0}:
        return spec
    return OutputScaling(spec, scales.size, scales.lengths)


def in_residual_units(problem: Problem, weights: Mapping[str, float], loss: Loss) -> Mapping[str, float]:
    """Weights of losses, by constraint, for residuals in units of the largest of their terms."""
    units = {name: unit for name, unit in scales_of(problem).residuals.items() if unit != 1}
    return {**weights, **{name: weights.get(name, 1.0) / unit**loss.power for name, unit in units.items()}}
