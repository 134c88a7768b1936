"""How an evolution begins: u and u′ at the start, from the conditions there."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurapde.conditions.constraints import Constraint
from neurapde.core.errors import DeclarationError
from neurapde.methods.marching.rows import Matrix, Rows, Stencil, moment
from neurapde.methods.marching.system import System
from neurapde.methods.marching.window import State
from neurapde.problem.problem import Problem

MET = 1e-9
"""Allowed residual of the conditions at the start, in units of their values: rounding."""


@dataclass(frozen=True, eq=False)
class Beginning:
    """The conditions at the start, which is a time.

    moves: which components have a rate of change, so that they need a start value. second: which need a velocity, too.
    """

    problem: Problem
    conditions: tuple[Constraint, ...]
    start: float
    moves: NDArray[np.bool_]
    second: NDArray[np.bool_]

    def state(self, system: System) -> State:
        """The state on the nodes of a system. Raises: DeclarationError if the conditions do not determine one."""
        values, rates = self._given(system)
        return State(values, rates, self.moves, self.second)

    def _given(self, system: System) -> tuple[Matrix, Matrix]:
        """u and u′ at all nodes (nodes, components) each; the smallest ones where they are undetermined."""
        stencil = _at_nodes(system.positions)
        every = [Rows(self.problem, condition, stencil) for condition in self.conditions]
        count, nodes = len(self.moves), len(system.positions)
        asked, _ = self._rows(every, np.zeros((nodes, 2 * count)))
        solution = np.zeros((nodes, 2 * count))
        for _ in range(2):
            residual, matrix = self._rows(every, solution)
            solution = solution - np.einsum("nab,nb->na", np.linalg.pinv(matrix, rcond=1e-12), residual)
        residuals, matrix = self._rows(every, solution)
        if not np.isfinite(solution).all():
            raise DeclarationError("its conditions at the start are not finite")
        self._check_closed(matrix[0])
        terms = np.abs(np.einsum("nba,na->nb", matrix, solution)).max()
        if not np.abs(residuals).max() <= MET * max(np.abs(asked).max(), terms):
            raise DeclarationError("its conditions at the start contradict each other, or are not linear")
        return solution[:, :count], solution[:, count:]

    def _check_closed(self, matrix: Matrix) -> None:
        """Refuse conditions, by their slopes (rows, 2 components) at a node, that do not determine what is needed."""
        count = len(self.moves)
        open = np.linalg.svd(matrix)[2][np.linalg.matrix_rank(matrix) :]
        free = (np.abs(open) > MET).any(axis=0) & np.concatenate([self.moves, self.second])
        if free.any():
            what = "its value" if free[:count].any() else "its rate"
            raise DeclarationError(f"its conditions at the start do not determine {what} there")

    def _rows(self, every: list[Rows], solution: Matrix) -> tuple[Matrix, Matrix]:
        """Residuals of the conditions for u and u′ (nodes, 2 components), and their slopes (nodes, rows, 2 components)."""
        nodes, count = len(solution), len(self.moves)
        values = np.zeros((4, nodes, count))
        values[1], values[2] = solution[:, :count], solution[:, count:]
        parts = [rows.linearised(moment(self.start, values)) for rows in every]
        slopes = [slopes.reshape(nodes, -1, 3 * count)[:, :, : 2 * count] for _, slopes in parts]
        residuals = [residual[0].reshape(nodes, -1) for residual, _ in parts]
        return np.concatenate(residuals, axis=1), np.concatenate(slopes, axis=1)


def _at_nodes(positions: Matrix) -> Stencil:
    """Every node (nodes, axes) separately, without derivatives along x."""
    nodes, axes = positions.shape
    operators = np.zeros((nodes, 1, 1 + 2 * axes, 1))
    operators[:, :, 0] = 1.0
    normals = np.zeros(axes + 1)
    normals[-1] = -1.0
    return Stencil(positions[:, None], np.arange(nodes)[:, None], operators, normals)
