"""What a march has found, as a trial function, and how far two of them are apart."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from neurapde.marching.patches import ChebyshevPatches, PatchesFunction
from neurapde.marching.radau import Radau
from neurapde.marching.window import Window
from neurapde.optimisation.balance import Balance
from neurapde.problem.problem import Problem
from neurapde.trials.base import Setting


@dataclass(frozen=True, eq=False)
class Pass:
    """A march from the start of a time, with the windows in turn.

    trial: the field. points: where windows meet the equation (n, d). weights: of a quadrature there (n,).
    whole: whether it came to the end.
    """

    trial: PatchesFunction
    points: Tensor
    weights: Tensor
    whole: bool

    @property
    def reached(self) -> float:
        """The time that it came to."""
        return float(self.trial.boxes[1, -1, -1])


@dataclass(frozen=True)
class Apart:
    """How far two passes are apart.

    relative: in the mean over the time that both came to, of the worst component. agreed: the time up to which no
    component differs by more than `TIMES` times the tolerance, in units of its largest value.
    """

    relative: float
    agreed: float


TIMES = 10.0
"""Of the tolerance, which is one in the mean over the time: by what passes may differ at a moment and still agree."""


def passed(problem: Problem, rule: Radau, windows: Sequence[Window], whole: bool) -> Pass:
    """The pass of at least one window."""
    corners, amplitudes, points, weights = [], [], [], []
    for window in windows:
        space = window.system.patches
        count = len(space.lower)
        sides = (space.lower, window.start), (space.upper, window.stop)
        corners.append([np.column_stack([corner, np.full(count, moment)]) for corner, moment in sides])
        found = np.einsum("kj,jenc->eknc", rule.coefficients, window.values[:, space.nodes])
        found = np.einsum("pn,eknc->epkc", space.coefficients, found)
        amplitudes.append(found if space.lower.shape[1] else found[:, 0])
        times = np.broadcast_to(
            window.start + window.length * rule.points[1:], (*space.weights.shape, rule.stages)
        )
        places = np.broadcast_to(space.points[:, :, None], (*times.shape, space.points.shape[2]))
        points.append(np.concatenate([places, times[..., None]], axis=-1).reshape(-1, places.shape[-1] + 1))
        weights.append(np.multiply.outer(space.weights, window.length * rule.weights).ravel())
    boxes = np.concatenate(corners, axis=1)
    degrees = (*(len(space.coefficients) - 1,) * space.lower.shape[1], rule.stages)
    spec = ChebyshevPatches(boxes.shape[1], degrees)
    setting = Setting(
        problem.domain.bounds,
        problem.outputs,
        problem.equation.complex,
        torch.Generator(),
        torch.float64,
        "cpu",
    )
    trial = spec.draw(setting)
    trial.fill(torch.from_numpy(boxes), torch.from_numpy(np.concatenate(amplitudes)))
    return Pass(
        trial, torch.from_numpy(np.concatenate(points)), torch.from_numpy(np.concatenate(weights)), whole
    )


def apart(before: Pass, after: Pass, balance: Balance, tolerance: float) -> Apart:
    """How far a pass is from the one before."""
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
