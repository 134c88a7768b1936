"""Damped least squares for one step: |r + Jδ|² + λ|δ − s|², by parameters or by residuals, whichever are fewer.

With p parameters and m residuals the step is −(JᵀJ + λ)⁻¹Jᵀr or, the same, −Jᵀ(JJᵀ + λ)⁻¹r. The first needs only JᵀJ,
summed over blocks of rows; the second stores all of J.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from itertools import pairwise

import torch
from torch import Tensor

PANELS = 8
"""Panels of a symmetric product; of each pair of them one is worked out."""


class Equations(ABC):
    """The linearised residuals r + Jδ of one place."""

    scale: float
    """The mean diagonal of JᵀJ, in units of which damping is counted."""
    factor: Tensor
    """Cholesky's factor of the last step."""

    @abstractmethod
    def step(self, damping: float, toward: Tensor) -> Tensor | None:
        """The δ `(p,)` that minimises |r + Jδ|² + damping · scale · |δ − toward|²; None if rounding prevents it."""

    @abstractmethod
    def acceleration(self, curvature: Tensor) -> Tensor:
        """The change `(p,)` of the last step by the residuals' second derivative `(m,)` along it: −½(JᵀJ + λ)⁻¹Jᵀr″."""

    @abstractmethod
    def predicted_reduction(self, step: Tensor) -> float:
        """|r|² − |r + Jδ|²: by how much a step lowers the loss if J does not change."""


class ByParameters(Equations):
    """JᵀJ `(p, p)` and Jᵀr, summed over blocks of rows `(residuals (m,), jacobian (m, p))`.

    transposed: Jᵀv for v `(m,)`, because J is not stored.
    """

    def __init__(
        self,
        blocks: Iterable[tuple[Tensor, Tensor]],
        size: int,
        transposed: Callable[[Tensor], Tensor],
    ) -> None:
        self.transposed = transposed
        for index, (residual, jacobian) in enumerate(blocks):
            if not index:
                matrix = jacobian.new_zeros(size, size)
                self.slope = jacobian.new_zeros(size)
            _add_gram(matrix, jacobian.T)
            self.slope += jacobian.T @ residual
        self.matrix = _mirrored(matrix)
        self.scale = float(matrix.diagonal().mean())

    def step(self, damping: float, toward: Tensor) -> Tensor | None:
        slope = self.slope + self.matrix @ toward
        factor = _factor(self.matrix, damping * self.scale)
        if factor is None:
            return None
        self.factor = factor
        return toward - _solved(factor, slope)

    def acceleration(self, curvature: Tensor) -> Tensor:
        return -_solved(self.factor, self.transposed(curvature)) / 2

    def predicted_reduction(self, step: Tensor) -> float:
        return -float(2 * self.slope @ step + step @ (self.matrix @ step))


class ByResiduals(Equations):
    """J `(m, p)`, r `(m,)` and JJᵀ."""

    def __init__(self, blocks: Iterable[tuple[Tensor, Tensor]], rows: int, size: int) -> None:
        start = 0
        for residual, jacobian in blocks:
            if not start:
                self.jacobian = jacobian.new_empty(rows, size)
                self.residual = jacobian.new_empty(rows)
            stop = start + len(residual)
            self.jacobian[start:stop], self.residual[start:stop] = jacobian, residual
            start = stop
        kernel = self.jacobian.new_zeros(rows, rows)
        _add_gram(kernel, self.jacobian)
        self.kernel = _mirrored(kernel)
        self.scale = float(kernel.diagonal().sum()) / size

    def step(self, damping: float, toward: Tensor) -> Tensor | None:
        factor = _factor(self.kernel, damping * self.scale)
        if factor is None:
            return None
        self.factor = factor
        return toward - self.jacobian.T @ _solved(self.factor, self.residual + self.jacobian @ toward)

    def acceleration(self, curvature: Tensor) -> Tensor:
        return -self.jacobian.T @ _solved(self.factor, curvature) / 2

    def predicted_reduction(self, step: Tensor) -> float:
        change = self.jacobian @ step
        return -float(change @ (2 * self.residual + change))


def _add_gram(matrix: Tensor, rows: Tensor) -> None:
    """Add rows · rowsᵀ to the lower triangle of a matrix, panel by panel."""
    edges = [len(rows) * panel // PANELS for panel in range(PANELS + 1)]
    for start, stop in pairwise(edges):
        matrix[start:stop, :stop].addmm_(rows[start:stop], rows[:stop].T)


def _mirrored(matrix: Tensor) -> Tensor:
    """A symmetric matrix from its lower triangle."""
    return matrix.tril() + matrix.tril(-1).T


def _factor(matrix: Tensor, shift: float) -> Tensor | None:
    """The Cholesky factor of matrix + shift; None if that is not positive definite to rounding."""
    damped = matrix.clone()
    damped.diagonal().add_(shift)
    factor, failed = torch.linalg.cholesky_ex(damped)
    return None if bool(failed) else factor


def _solved(factor: Tensor, right: Tensor) -> Tensor:
    return torch.cholesky_solve(right[:, None], factor)[:, 0]
