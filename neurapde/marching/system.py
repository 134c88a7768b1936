"""What is solved in each window: all equations at all stages, as one system for the values there."""

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np
from scipy.linalg import lu_factor, lu_solve

from neurapde.conditions.constraints import Constraint
from neurapde.marching.rows import Matrix, Rows, Stages, Stencil
from neurapde.problem.problem import Problem

Solve = Callable[[Matrix], Matrix]
"""From residuals to the change of the values that takes them away."""


class System(ABC):
    """Equations for values (stages, nodes, components) at the stages of a window."""

    @abstractmethod
    def residual(self, stages: Stages) -> Matrix:
        """All residuals, in one row."""

    @abstractmethod
    def linearised(self, stages: Stages) -> tuple[Matrix, Solve]:
        """The residuals, and what solves the system linearised about the values."""


class PointSystem(System):
    """Ordinary differential equations: one node."""

    def __init__(self, problem: Problem, equation: Constraint) -> None:
        self.rows = Rows(problem, equation, at_point())

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


def at_point(normal: float | None = None) -> Stencil:
    """No space at all: the field is its value at one node. normal: in time, at the start."""
    nodes = np.zeros((1, 1), dtype=np.int64)
    normals = None if normal is None else np.array([normal])
    return Stencil(np.zeros((1, 1, 0)), nodes, np.ones((1, 1, 1, 1)), normals)
