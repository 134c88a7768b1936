"""`npde.load`: what was saved, whatever it is."""

from os import PathLike
from typing import Any

import torch

from neurapde.core import checks
from neurapde.core.devices import find_device
from neurapde.core.gradients import differentiating
from neurapde.learning import files as families
from neurapde.learning.family import Family
from neurapde.problem.problem import Problem
from neurapde.solution import files as solutions
from neurapde.solution.solution import Solution
from neurapde.storage import hdf5
from neurapde.trials.base import Trial


@differentiating()
def load(
    path: str | PathLike[str],
    *,
    problem: Problem | None = None,
    trial: Trial | None = None,
    device: str | torch.device = "cpu",
) -> Any:
    """The Solution that `Solution.save`, or a checkpoint, wrote; or the Family of `Family.save`. Nothing in it is executed.

    problem: the problem, when the file could not hold it because of Python functions in it. Without it the
        solution still evaluates, and `solution.problem` is None.
    trial: likewise the trial function's specification, for a network that is not neurapde's.
    Raises: FileNotFoundError; StorageError for a damaged, foreign or newer file; DeclarationError when
        `problem` or `trial` is not the one that was solved.
    """
    checks.kind(problem, "problem", Problem | None, "give the Problem that was solved, or None")
    checks.kind(trial, "trial", Trial | None, "give the specification of the trial function, or None")
    file, place = checks.path(path), find_device(device)
    if hdf5.kind_of(file) == families.KIND:
        return Family(**vars(families.read(file, place)))
    return Solution(**vars(solutions.read(file, problem, trial, place)))
