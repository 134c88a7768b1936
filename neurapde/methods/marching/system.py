"""The system of each window: all equations at all stages, for the values there."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar, Self

import numpy as np
from scipy.linalg import lu_factor, lu_solve

from neurapde.conditions.constraints import Constraint
from neurapde.methods.marching.patches import Patches, PatchesFunction, on_patches
from neurapde.methods.marching.radau import Radau
from neurapde.methods.marching.rows import Matrix, Rows, Stages, Stencil
from neurapde.problem.problem import Problem
from neurapde.trials.base import Setting, TrialFunction

LEAST_WINDOWS = 8
"""Of a march, unless more are asked for."""
Solve = Callable[[Matrix], Matrix]
"""From residuals to the change of the values that takes them away."""


class System(ABC):
    """Equations for values (stages, nodes, components) at the stages of a window.

    begun: fraction of the tolerance for the nodes at the start, because errors there grow in later windows. stages: of
        a window.
    """

    begun: ClassVar[float] = 0.01
    stages: ClassVar[int] = 12

    @property
    @abstractmethod
    def positions(self) -> Matrix:
        """Of the nodes (nodes, axes in space)."""

    @property
    @abstractmethod
    def quadrature(self) -> tuple[Matrix, Matrix]:
        """Points in space (n, axes) and weights (n,)."""

    @abstractmethod
    def field(self, setting: Setting, rule: Radau, times: Matrix, pieces: "Sequence[Piece]") -> TrialFunction:
        """The field of windows that such systems were solved in. times: their starts and the last end."""

    def limited(self, least: int) -> Self:
        """The same for a march of at least so many windows: if nodes run out, two marches then differ."""
        return self

    def guessed(self, values: Matrix) -> Matrix:
        """Values extrapolated from the window before, without errors that no equation would correct."""
        return values

    def size(self, errors: Matrix) -> float:
        """The size of errors (…, nodes, components), in units of the components' sizes."""
        return float(np.abs(errors).max())

    def finer(self, values: Matrix, sizes: Matrix, limit: float) -> Self | None:
        """The same with more nodes where values need them; None if they need none, or if there is no space."""
        return None

    def coarser(self, values: Matrix, sizes: Matrix, limit: float) -> Self | None:
        """The same with fewer nodes where values need fewer; None if there are no such places."""
        return None

    def carried(self, values: Matrix, other: Self) -> Matrix:
        """Values (…, nodes, components) on the nodes of another."""
        return values

    @abstractmethod
    def residual(self, stages: Stages) -> Matrix:
        """All residuals, in one vector."""

    @abstractmethod
    def linearised(self, stages: Stages) -> tuple[Matrix, Solve]:
        """The residuals, and the solver of the system linearised about the values."""


Piece = tuple[System, Matrix]
"""A system, and values (stages + 1, nodes, components) that solve it in a window."""


class PatchSystem(System):
    """A system whose field is a polynomial on each patch."""

    @property
    @abstractmethod
    def patches(self) -> Patches:
        """The patches of the field."""

    def field(self, setting: Setting, rule: Radau, times: Matrix, pieces: Sequence[Piece]) -> PatchesFunction:
        every = [(system.patches, values) for system, values in pieces if isinstance(system, PatchSystem)]
        return on_patches(setting, rule, times, every)


class PointSystem(PatchSystem):
    """Ordinary differential equations: one node."""

    def __init__(self, problem: Problem, equation: Constraint) -> None:
        self.rows = Rows(problem, equation, at_point())

    @property
    def positions(self) -> Matrix:
        return np.zeros((1, 0))

    @property
    def quadrature(self) -> tuple[Matrix, Matrix]:
        return np.zeros((1, 0)), np.ones(1)

    @property
    def patches(self) -> Patches:
        return Patches(np.zeros((1, 0)), np.zeros((1, 0)), np.ones((1, 1)), self.rows.stencil.nodes)

    def residual(self, stages: Stages) -> Matrix:
        return self.rows.residual(stages).ravel()

    def linearised(self, stages: Stages) -> tuple[Matrix, Solve]:
        residual, slopes = self.rows.linearised(stages)
        matrix = slopes.reshape(residual.size, -1)
        shape = stages.values[1:].shape
        size = np.abs(matrix).max(axis=1)
        size = np.where(size > 0, size, 1.0)
        factors = lu_factor(matrix / size[:, None], check_finite=False)
        return residual.ravel(), lambda rest: lu_solve(factors, rest / size, check_finite=False).reshape(
            shape
        )


def at_point() -> Stencil:
    """No space at all: the field is its value at one node."""
    return Stencil(np.zeros((1, 1, 0)), np.zeros((1, 1), dtype=np.int64), np.ones((1, 1, 1, 1)))
