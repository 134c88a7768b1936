"""The setting of trial functions whose parameters are solved for."""

import torch

from neurapde.problem.problem import Problem
from neurapde.trials.base import Setting


def in_double_precision(
    problem: Problem, device: torch.device | str = "cpu", outputs: int | None = None
) -> Setting:
    """The setting of a problem's field, or of a number of its outputs, without random numbers."""
    return Setting(
        problem.domain.bounds,
        problem.outputs if outputs is None else outputs,
        problem.equation.complex,
        torch.Generator(),
        torch.float64,
        device,
    )
