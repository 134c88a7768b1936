"""One stage of a run, for the record."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from neurapde.training.run.history import History
from neurapde.training.run.method import Status


@dataclass(frozen=True)
class Stage:
    """One method's part in a solution.

    method: its description. seconds: wall time. extras: measured numbers, by name.
    notes: its choices and their reasons.
    """

    method: str
    status: Status
    seconds: float
    history: History = field(default_factory=History)
    extras: Mapping[str, float | int | str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
