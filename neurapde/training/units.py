"""Training in the problem's own units: networks of the order of one, and constraints with equal weight in any units."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from neurapde.conditions.constraints import Constraint, Residual, Samples
from neurapde.jets.jet import Jet
from neurapde.problem.problem import Problem
from neurapde.training.losses import Loss
from neurapde.training.optimisation.scales import scales_of
from neurapde.training.run.method import Method
from neurapde.trials.ansatz import OutputScaling
from neurapde.trials.base import Trial, TrialFunction
from neurapde.trials.networks.mlp import MLP, Encoded
from neurapde.trials.networks.rbf import RBF
from neurapde.trials.networks.siren import Siren


def in_units(
    problem: Problem, spec: Trial | None, given: Trial | TrialFunction | None, methods: Sequence[Method]
) -> Trial | None:
    """A plain network to train, scaled to the field's size and to its axes; unchanged if these are moderate."""
    if isinstance(given, TrialFunction) or not isinstance(spec, Siren | MLP | Encoded | RBF):
        return spec
    if not all(method.training(problem) for method in methods):
        return spec
    scales = scales_of(problem)
    if {*scales.sizes, *scales.lengths} == {1.0}:
        return spec
    size = scales.sizes[0] if len(set(scales.sizes)) == 1 else scales.sizes
    return OutputScaling(spec, size, scales.lengths)


def in_residual_units(problem: Problem, weights: Mapping[str, float], loss: Loss) -> Mapping[str, float]:
    """Weights of losses, by constraint, for residuals in units of the largest of their terms."""
    units = {name: max(each) for name, each in scales_of(problem).residuals.items() if max(each) != 1}
    return {**weights, **{name: weights.get(name, 1.0) / unit**loss.power for name, unit in units.items()}}


def trained_in_units(problem: Problem) -> tuple[Constraint, ...]:
    """The constraints to train; each equation of a system is scaled to count as much as the largest one."""
    if problem.outputs == 1:
        return problem.trained
    residuals = scales_of(problem).residuals
    constraints = []
    for constraint in problem.trained:
        each = residuals.get(constraint.name, (1.0,))
        units = tuple(size / max(each) for size in each)
        constraints.append(
            constraint
            if set(units) == {1.0}
            else replace(constraint, residual=Evened(constraint.residual, units))
        )
    return tuple(constraints)


@dataclass(frozen=True)
class Evened:
    """A residual (n, c) with its columns in units."""

    residual: Residual
    units: tuple[float, ...]

    def __call__(self, samples: Samples, u: Jet) -> Tensor:
        residual: Tensor = self.residual(samples, u)
        residual = residual.reshape(len(residual), -1)
        return residual / residual.real.new_tensor(self.units)
