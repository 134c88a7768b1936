"""What is solved in each window: all equations at all stages, as one system for the values there."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lu_factor, lu_solve

from neurapde.conditions.constraints import Constraint
from neurapde.marching.rows import Matrix, Rows, Stages, Stencil
from neurapde.problem.problem import Problem

Solve = Callable[[Matrix], Matrix]
"""From residuals to the change of the values that takes them away."""


@dataclass(frozen=True, eq=False)
class Patches:
    """Where a field lives in space at any moment, element by element; without a space there is one, and no axis.

    lower, upper: corners (elements, axes). nodes: of each element (elements, nodes). coefficients: Chebyshev's from the
    values there (degree + 1, nodes). points: of a quadrature (elements, places, axes). weights: its (elements, places).
    """

    lower: Matrix
    upper: Matrix
    coefficients: Matrix
    nodes: NDArray[np.int64]
    points: Matrix
    weights: Matrix


class System(ABC):
    """Equations for values (stages, nodes, components) at the stages of a window."""

    @property
    @abstractmethod
    def positions(self) -> Matrix:
        """Of the nodes (nodes, axes in space)."""

    @property
    @abstractmethod
    def patches(self) -> Patches:
        """Where the field lives."""

    def finer(self, values: Matrix, sizes: Matrix, limit: float) -> Self | None:
        """The same with more nodes where values need them; None where they do not, or there is no space."""
        return None

    def coarser(self, values: Matrix, sizes: Matrix, limit: float) -> Self | None:
        """The same with fewer nodes where values need no more; None where that is nowhere."""
        return None

    def carried(self, values: Matrix, other: Self) -> Matrix:
        """Values (…, nodes, components) on the nodes of another."""
        return values

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

    @property
    def positions(self) -> Matrix:
        return np.zeros((1, 0))

    @property
    def patches(self) -> Patches:
        stencil, one = self.rows.stencil, np.ones((1, 1))
        return Patches(np.zeros((1, 0)), np.zeros((1, 0)), one, stencil.nodes, stencil.places, one)

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
