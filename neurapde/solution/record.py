"""What a solve leaves behind, as plain data: the part of a solution that a file holds."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from neurapde.domains.base import Domain
from neurapde.problem.problem import Problem
from neurapde.run.history import History
from neurapde.run.method import Status
from neurapde.trials.base import TrialFunction


@dataclass(frozen=True)
class Stage:
    """One method's part in a solution.

    method: its description. seconds: wall clock. extras: numbers it measured, by name.
    notes: what it picked and why.
    """

    method: str
    status: Status
    seconds: float
    history: History = field(default_factory=History)
    extras: Mapping[str, float | int | str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


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
