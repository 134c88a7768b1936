"""The result of a solve: a function of space with its history, ready to evaluate, save and export."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from neurapde.history import History
from neurapde.methods.base import Status
from neurapde.problem import Problem
from neurapde.trials.base import TrialFunction


@dataclass(frozen=True)
class Stage:
    """One method's part in a solution."""

    method: str
    status: Status
    seconds: float
    history: History = field(default_factory=History)
    extras: Mapping[str, float | int | str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Solution:
    """A solved problem: `solution(points)`, `.gradient(points)`, `.laplacian(points)`, `.save`, `.export`."""

    problem: Problem | None
    trial: TrialFunction
    stages: tuple[Stage, ...]
    notes: tuple[str, ...] = ()
