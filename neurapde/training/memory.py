"""The memory of a training, predicted before the first point is drawn: parameters, points and outputs of layers."""

import torch

from neurapde.core.memory import check_fits
from neurapde.training.objective import CACHED_ROWS, Objective
from neurapde.training.optimisation.jacobian import AT_ONCE
from neurapde.trials.base import TrialFunction

PER_COORDINATE = 6.0
"""Numbers held for each coordinate of a point, and as many for its residual, while points are drawn and weighed."""
PER_NEURON = (2.0, 1.5)
"""Numbers held for each neuron at a point until the gradient is taken: for each channel of the jet, and beside them."""


def check_training_fits(
    objective: Objective, trial: TrialFunction | None, copies: float, *, whole: bool = False
) -> None:
    """Refuse a training that does not fit in the memory of the trial's device (DeclarationError).

    copies: number of copies of the parameters, those of the optimiser included.
    whole:  whether all points of an equation pass at once; otherwise, on a CPU, in blocks.
    """
    if trial is None or not trial.parameter_count:
        return
    needed = training_memory(objective, trial, copies, whole=whole)
    count = max(objective.count(name) for name in objective.names)
    check_fits(
        needed,
        f"training {trial.parameter_count} parameters on {count} points of {objective.problem.name} needs too much memory",
        "give fewer points=…, which are redrawn during training, or a smaller network",
        next(trial.parameters()).device,
    )


def check_gram_fits(objective: Objective, trial: TrialFunction | None) -> None:
    """Refuse a second-order training if its matrix does not fit for the fewest residuals of its points."""
    if trial is None or not trial.parameter_count:
        return
    first = next(trial.parameters())
    rows = sum(objective.count(name) for name in objective.names if objective.weights.get(name, 1.0))
    refuse_gram(rows, trial.parameter_count, first.dtype.to_real().itemsize, first.device)


def refuse_gram(rows: int, size: int, entry: int, device: torch.device) -> None:
    """Refuse a matrix of residuals by parameters, with `entry` bytes a number, that does not fit.

    Raises: DeclarationError.
    """
    numbers = 5 * min(rows, size) ** 2 + (rows if rows < size else 4 * AT_ONCE) * size
    check_fits(
        numbers * entry,
        f"{rows} residuals by {size} parameters need too much memory",
        "give fewer points=…, with redraw=1 to cover the whole domain over the steps, or a smaller network; memory "
        "grows with the square of the smaller of the two numbers",
        device,
    )


def training_memory(
    objective: Objective, trial: TrialFunction, copies: float, *, whole: bool = False
) -> float:
    """Bytes that a step takes at most, beyond those of the program."""
    first = next(trial.parameters())
    size = first.dtype.to_real().itemsize
    neurons = sum(p.shape[0] for p in trial.parameters() if p.ndim == 2)
    dimension = trial.dimension
    each = []
    for constraint in objective.problem.trained:
        count = objective.count(constraint.name)
        channels = 1 + constraint.order * dimension
        at_once = count
        if not whole and first.device == torch.device("cpu") and constraint.name in objective.equation_names:
            at_once = min(count, CACHED_ROWS // channels)
        drawn = PER_COORDINATE * (dimension + 1) * count
        each.append(drawn + (PER_NEURON[0] * channels + PER_NEURON[1]) * neurons * at_once)
    points = sum(each) if whole else max(each, default=0.0)
    return size * (points + copies * trial.parameter_count)
