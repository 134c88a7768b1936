"""The sizes of a field's components that balance the terms of its equations, such as velocities and pressures.

Each component has its own unit. Each equation compares them: if a and b are the slopes of one residual by two
components, these balance in the ratio b : a. The sizes fit all equations best in the logarithm, so they change with
the units like the components. Components without a common equation cannot be compared.
"""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from neurapde.conditions.constraints import Constraint
from neurapde.jets.jet import Jet, Layout
from neurapde.problem.problem import Problem
from neurapde.training.optimisation.jacobian import real_residuals, slope_of
from neurapde.training.optimisation.lengths import axis_lengths

PROBES, SEED = 64, 40829
WEAK = 1e-10
"""Fraction of the largest term of an equation below which a component does not count in it."""
LEAST = 0.01
"""A component below this part of its balanced size has its error compared with that size, not with its own."""


@dataclass(frozen=True)
class Balance:
    """sizes: of the components `(outputs,)`, up to a factor for each group. groups: a number for each component."""

    sizes: np.ndarray
    groups: np.ndarray

    def relative(self, change: Tensor, field: Tensor) -> float:
        """The size of a change of a field, (n,) or (n, outputs), relative to the field: that of the worst component.

        A component far below its balanced size, such as zero, is measured by its balanced size.
        """
        changes, sizes = (
            np.atleast_1d(torch.linalg.vector_norm(values, dim=0).cpu().numpy()) for values in (change, field)
        )
        return float(np.max(changes / self.counting(sizes)))

    def counting(self, sizes: np.ndarray) -> np.ndarray:
        """The sizes of components for relative errors, from their own sizes (outputs,)."""
        scaled = sizes / self.sizes
        largest = np.array([scaled[self.groups == group].max() for group in self.groups])
        whole = np.maximum(scaled, LEAST * largest)
        counted: np.ndarray = np.where(whole > 0, whole, 1.0) * self.sizes
        return counted

    def scaled(self, field: Tensor) -> Tensor:
        """A field (n,) or (n, outputs) in units of the sizes."""
        return field / torch.as_tensor(self.sizes, device=field.device) if field.ndim > 1 else field


def balance_of(problem: Problem) -> Balance:
    """The balance of a declaration, linearised about 0; all sizes are 1 if a function works only inside a solve."""
    count = problem.outputs
    plain = Balance(np.ones(count), np.arange(count))
    if count == 1:
        return plain
    try:
        slopes = np.concatenate([_slopes(problem, constraint) for constraint in problem.constraints])
    except Exception:  # the user's own function: what is wrong with it is said when it is solved
        return plain
    return _balanced(slopes) if np.isfinite(slopes).all() else plain


def _slopes(problem: Problem, constraint: Constraint) -> np.ndarray:
    """How much each component adds to each residual of a constraint, (residuals, outputs), by its largest derivative."""
    layout = problem.layout(constraint)
    samples = constraint.sample(PROBES, how="sobol", generator=torch.Generator().manual_seed(SEED))
    parts = (2,) if problem.equation.complex else ()
    leaf = torch.zeros((layout.count, len(samples.points), problem.outputs, *parts), dtype=torch.float64)
    leaf.requires_grad_()
    rates = torch.as_tensor(_rates(layout, axis_lengths(problem)))
    rows = []
    with torch.enable_grad():
        jet = Jet(torch.view_as_complex(leaf) if problem.equation.complex else leaf, layout)
        for column in real_residuals(constraint, samples, jet).unbind(1):
            felt = slope_of(column, leaf).reshape(*leaf.shape[:3], -1).square().sum(dim=(1, 3)).sqrt()
            rows.append((rates[:, None] * felt).amax(0).numpy())
    return np.array(rows).reshape(-1, problem.outputs)


def _rates(layout: Layout, lengths: np.ndarray) -> list[float]:
    """The size of each channel of a field of size 1 that varies over the length of its axes."""
    return layout.sizes([1 / length for length in lengths])


def _balanced(slopes: np.ndarray) -> Balance:
    """Sizes x, and y of the equations, so that slopes · x / y (equations, components) are near 1 in the logarithm."""
    equations, count = slopes.shape
    for _ in range(2):
        rows, columns = np.nonzero(slopes)
        matrix = np.zeros((len(rows), equations + count))
        matrix[np.arange(len(rows)), rows] = 1.0
        matrix[np.arange(len(rows)), equations + columns] = -1.0
        logarithms = np.linalg.lstsq(matrix, np.log(slopes[rows, columns]), rcond=None)[0]
        sizes = np.exp(logarithms[equations:])
        terms = slopes * sizes
        slopes = np.where(terms < WEAK * terms.max(axis=1, keepdims=True), 0.0, slopes)
    joined = csr_matrix((slopes.T @ slopes) > 0)
    return Balance(sizes, connected_components(joined, directed=False)[1])
