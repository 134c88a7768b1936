"""What `Galerkin` asks of an equation that it solves on lattices of sines of growing bandwidth."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Generic, TypeVar

import numpy as np

from neurapde.core.cost import Cost
from neurapde.problem.problem import Problem
from neurapde.training.run.method import Task
from neurapde.trials.base import TrialFunction

Lattice = TypeVar("Lattice")
"""A solution on one lattice: its `features`, and the `residual` of its linear system."""


class OnSines(ABC, Generic[Lattice]):
    """A problem with the weak form of its equation on a Box; bandwidths are in rad per unit length.

    fewer: what makes its first level cheaper. coarser: by how much the lattice is coarser that a given bandwidth is
    compared with. first: the bandwidth to begin with. likely: the one, in units of the first, that a tolerance often takes.
    """

    fewer: ClassVar[str]
    coarser: ClassVar[float]
    likely: ClassVar[float] = 1.0
    first: float

    def __init__(self, task: Task, tolerance: float) -> None:
        self.task, self.problem, self.tolerance = task, task.problem, tolerance

    @staticmethod
    @abstractmethod
    def obstacle(problem: Problem) -> str | None:
        """Why the weak form does not apply to a problem, or None where it does."""

    @property
    def follows(self) -> bool:
        """Whether its features follow the medium as far as is known, so that errors fall fast."""
        return True

    @abstractmethod
    def last(self, largest: int) -> float:
        """The bandwidth of so many modes along the longest axis, at which growing ends."""

    @abstractmethod
    def aim(self, last: float, fixed: bool) -> None:
        """Take notice of the last bandwidth, and warn where it cannot do; fixed: whether the user gave it."""

    @abstractmethod
    def cost(self, bandwidth: float) -> Cost:
        """What a level takes."""

    @abstractmethod
    def solve(self, bandwidth: float, before: Lattice | None) -> Lattice:
        """One level."""

    @abstractmethod
    def field(self, level: Lattice) -> np.ndarray:
        """What levels are compared by, (points,) or (points, fields)."""

    def is_fine(self, level: Lattice) -> bool:
        """Whether a level sees what is known to be narrow, or none up to the last would."""
        return True

    def blind(self, level: Lattice) -> str:
        """The sentence on what a level does not see; "" where it sees all."""
        return ""

    @abstractmethod
    def more(self, largest: int, last: float) -> str:
        """The setting that may resolve what was not."""

    @abstractmethod
    def trial(self, level: Lattice) -> TrialFunction:
        """The solved sum of sines with what is known beside it."""

    @abstractmethod
    def notes(self, level: Lattice, estimate: str) -> Sequence[str]:
        """What the trial function is, and how good it is; `estimate` is the sentence on that."""

    @abstractmethod
    def extras(self, level: Lattice) -> dict[str, float | int]:
        """What was measured."""

    @abstractmethod
    def missed(self, level: Lattice) -> float:
        """The relative error of a level by what its quadrature does not see."""
