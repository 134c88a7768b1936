"""The result of a march as a trial function, and the difference of two marches."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from neurapde.methods.marching.radau import Radau
from neurapde.methods.marching.window import Window
from neurapde.problem.problem import Problem
from neurapde.training.optimisation.balance import Balance
from neurapde.training.run.setting import in_double_precision
from neurapde.trials.base import TrialFunction


@dataclass(frozen=True, eq=False)
class Pass:
    """A march from the start of a time, with the windows in turn.

    trial: the field. windows: how many. reached: the last time.
    points: collocation points of the windows (n, d). weights: of a quadrature there (n,).
    whole: whether it reached the end.
    """

    trial: TrialFunction
    windows: int
    reached: float
    points: Tensor
    weights: Tensor
    whole: bool


@dataclass(frozen=True)
class Apart:
    """The difference of two passes.

    relative: in the mean over the time that both reached, for the worst component. agreed: the time up to which no
    component differs by more than `TIMES` times the tolerance, in units of its largest value.
    """

    relative: float
    agreed: float


TIMES = 10.0
"""Multiple of the tolerance, which holds in the mean over the time, by which passes may differ at a moment and agree."""


def passed(problem: Problem, rule: Radau, windows: Sequence[Window], whole: bool) -> Pass:
    """The pass of at least one window."""
    points, weights = [], []
    for window in windows:
        places, place_weights = window.system.quadrature
        moments = window.start + window.length * rule.points[1:]
        both = np.repeat(places, rule.stages, axis=0), np.tile(moments, len(places))
        points.append(np.column_stack(both))
        weights.append(np.multiply.outer(place_weights, window.length * rule.weights).ravel())
    setting = in_double_precision(problem)
    times = np.array([window.start for window in windows] + [windows[-1].stop])
    trial = windows[0].system.field(
        setting, rule, times, [(window.system, window.values) for window in windows]
    )
    return Pass(
        trial,
        len(windows),
        windows[-1].stop,
        torch.from_numpy(np.concatenate(points)),
        torch.from_numpy(np.concatenate(weights)),
        whole,
    )


def apart(before: Pass, after: Pass, balance: Balance, tolerance: float) -> Apart:
    """The difference of a pass from the one before."""
    both = after.points[:, -1] <= before.reached
    points, weights = after.points[both], after.weights[both].sqrt()
    with torch.no_grad():
        field = after.trial(points)
        change = field - before.trial(points)
    if field.ndim > 1:
        weights = weights[:, None]
    relative = balance.relative(change * weights, field * weights)
    largest = balance.counting(field.abs().reshape(len(points), -1).amax(0).numpy())
    off = (change.abs().reshape(len(points), -1).numpy() / largest).max(axis=1) > TIMES * tolerance
    times = points[:, -1].numpy()
    agreed = float(times[np.argmax(off)]) if off.any() else min(before.reached, after.reached)
    return Apart(relative, agreed)
