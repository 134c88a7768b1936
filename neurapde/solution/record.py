"""What a solve leaves behind, as plain data: the part of a solution that a file holds."""

from dataclasses import dataclass

from neurapde.domains.base import Domain
from neurapde.problem.problem import Problem
from neurapde.training.run.stage import Stage
from neurapde.trials.base import TrialFunction


@dataclass(frozen=True, eq=False)
class Record:
    """A solved problem as data.

    problem: the declaration; None when a file could not hold all of it, and `missing` then says why.
    domain: where the field lives; None only when the file could not hold it either.
    trial: the field. stages: what each method did. notes: what was picked and why, one sentence each.
    text: the problem as it prints.
    """

    problem: Problem | None
    domain: Domain | None
    trial: TrialFunction
    stages: tuple[Stage, ...]
    notes: tuple[str, ...] = ()
    text: str = ""
    missing: str = ""
