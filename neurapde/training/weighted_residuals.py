"""The residuals of all constraints at points, weighted so that the sum of squares is the loss, and their Jacobian.

Serves methods that solve for a step from all residuals at once.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from neurapde.conditions.constraints import Constraint, Samples
from neurapde.equations.helmholtz_residual import HelmholtzResidual
from neurapde.problem.problem import Problem
from neurapde.training.optimisation.jacobian import linearised, residuals
from neurapde.training.optimisation.normal import ByParameters, ByResiduals, Equations
from neurapde.training.units import trained_in_units
from neurapde.trials.base import TrialFunction


@dataclass(frozen=True)
class _Term:
    """One constraint at its points; `weight` belongs to its mean square, `factors` `(n, 1)` to the residuals there."""

    constraint: Constraint
    samples: Samples
    weight: float
    factors: Tensor | None


class WeightedResiduals:
    """Those of a trial function in a problem; `weights`: factors of the constraints' mean squares by name, by default
    1.

    The points are those of the last `place`, with the same number at each call.
    """

    def __init__(self, trial: TrialFunction, problem: Problem, weights: Mapping[str, float]) -> None:
        self.trial, self.weights, self.constraints = trial, weights, trained_in_units(problem)
        self.parameters = [p for p in trial.parameters() if p.requires_grad]
        self.size = sum(p.numel() for p in self.parameters)
        self.mixed = problem.mixed
        self.terms: list[_Term] = []
        self.rows_of: list[int] = []

    def place(self, points: Mapping[str, Samples]) -> None:
        """Take the points of each constraint, by its name."""
        self.terms = [
            _Term(
                constraint,
                points[constraint.name],
                self.weights.get(constraint.name, 1.0),
                _factors(constraint, points[constraint.name].points),
            )
            for constraint in self.constraints
        ]
        if not self.rows_of:
            with torch.no_grad():
                self.rows_of = [
                    residuals(self.trial, term.constraint, term.samples, self.mixed).numel()
                    for term in self.terms
                ]

    @property
    def rows(self) -> int:
        """The number of residuals, without those of weight 0."""
        return sum(rows for term, rows in zip(self.terms, self.rows_of, strict=True) if term.weight)

    def vector(self) -> Tensor:
        """The weighted residuals `(m,)`."""
        return torch.cat(
            [
                math.sqrt(term.weight / rows) * self._residuals(term).reshape(-1)
                for term, rows in zip(self.terms, self.rows_of, strict=True)
                if term.weight
            ]
        )

    def measure(self) -> tuple[float, list[float]]:
        """The weighted sum and each constraint's mean square."""
        with torch.no_grad():
            apart = [float(self._residuals(term).square().mean()) for term in self.terms]
        return sum(term.weight * loss for term, loss in zip(self.terms, apart, strict=True)), apart

    def _residuals(self, term: _Term) -> Tensor:
        """The real residuals `(n, c)` of a constraint, each times its factor."""
        values = residuals(self.trial, term.constraint, term.samples, self.mixed)
        return values if term.factors is None else term.factors * values

    def linearise(self) -> Equations:
        """The linearised residuals, stored by parameters or by residuals, whichever are fewer."""
        if self.rows < self.size:
            return ByResiduals(self._blocks(), self.rows, self.size)
        return ByParameters(self._blocks(), self.size, self._transposed)

    def _transposed(self, vector: Tensor) -> Tensor:
        """Jᵀ `vector`, by one backward pass."""
        with torch.enable_grad():
            gradients = torch.autograd.grad(self.vector() @ vector, self.parameters)
        return torch.cat([gradient.reshape(-1) for gradient in gradients])

    def _blocks(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Weighted residuals `(m,)` and their Jacobian `(m, p)`, some rows at a time."""
        for term, rows in zip(self.terms, self.rows_of, strict=True):
            if not term.weight:
                continue
            root, start = math.sqrt(term.weight / rows), 0
            for residual, jacobian in linearised(self.trial, term.constraint, term.samples, self.mixed):
                if term.factors is not None:
                    factors = term.factors[start : start + len(residual)]
                    residual, jacobian = factors * residual, factors[:, :, None] * jacobian
                    start += len(residual)
                yield root * residual.reshape(-1), root * jacobian.reshape(-1, self.size)


def _factors(constraint: Constraint, points: Tensor) -> Tensor | None:
    """1/|E| `(n, 1)` of a wave equation in layers, which has the large factor E = Π e_i there; None for others.

    At a strength of 5 the squares of E reach 676 in the corners, so a training would reduce the residual there first,
    and that of the wave last.
    """
    if not isinstance(constraint.residual, HelmholtzResidual):
        return None
    size = torch.as_tensor(constraint.residual.strong.scale(points)).abs()
    return None if bool((size == 1).all()) else (1 / size)[:, None].to(points)
