"""The interface of an equation that `Galerkin` solves on lattices of sines of growing bandwidth."""

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

    fewer: advice for a cheaper first level. coarser: ratio of the coarser lattice that a given bandwidth is compared
    with. first: the first bandwidth. likely: the usual last one, in units of the first.
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
        """Why the weak form does not apply to a problem, or None."""

    @property
    def follows(self) -> bool:
        """Whether its features follow the known parts of the medium, so that errors fall fast."""
        return True

    @abstractmethod
    def last(self, largest: int) -> float:
        """The last bandwidth, that of a number of modes along the longest axis."""

    @abstractmethod
    def aim(self, last: float, fixed: bool) -> None:
        """Set the last bandwidth, and warn if it does not suffice; fixed: whether the user gave it."""

    @abstractmethod
    def cost(self, bandwidth: float) -> Cost:
        """The cost of a level."""

    @abstractmethod
    def solve(self, bandwidth: float, before: Lattice | None) -> Lattice:
        """One level."""

    @abstractmethod
    def field(self, level: Lattice) -> np.ndarray:
        """The values that are compared between levels, (points,) or (points, fields)."""

    def is_fine(self, level: Lattice) -> bool:
        """Whether a level resolves all known narrow parts, or no level up to the last would."""
        return True

    def blind(self, level: Lattice) -> str:
        """The sentence on what a level does not resolve, or ""."""
        return ""

    @abstractmethod
    def more(self, largest: int, last: float) -> str:
        """The setting that may resolve the rest."""

    @abstractmethod
    def trial(self, level: Lattice) -> TrialFunction:
        """The solved sum of sines plus the known part."""

    @abstractmethod
    def notes(self, level: Lattice, estimate: str) -> Sequence[str]:
        """Notes on the trial function and its accuracy; `estimate` is the sentence on that."""

    @abstractmethod
    def extras(self, level: Lattice) -> dict[str, float | int]:
        """The measured numbers."""

    @abstractmethod
    def missed(self, level: Lattice) -> float:
        """The relative error of a level from what its quadrature does not resolve."""
