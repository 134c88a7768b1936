"""Equal weights of equations: each row is scaled by its own size on a field with balanced components."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

ROUNDING = 1e-10
"""Of the largest of its kind: what is below it is taken for nothing."""


@dataclass(frozen=True)
class System:
    """Weighted rows A (rows, columns) and right-hand sides b (rows,), so that A a = b is the problem.

    equations: number in the rows, in turn. weights: of the rows (rows,); None before weighting.
    """

    matrix: Tensor
    loads: Tensor
    equations: int = 1
    weights: Tensor | None = None


def joined(systems: Sequence[System]) -> System:
    """The rows of several systems in one, with the equations of the first."""
    weights = [system.weights for system in systems if system.weights is not None]
    return System(
        torch.cat([system.matrix for system in systems]),
        torch.cat([system.loads for system in systems]),
        systems[0].equations,
        torch.cat(weights) if len(weights) == len(systems) else None,
    )


def weighed(system: System, order: int, frequencies: np.ndarray, sizes: np.ndarray, edge: float) -> System:
    """Rows in units of u: by each equation's size on waves as long as the domain, the points and, on edges, the band.

    frequencies, sizes: of the columns. edge: factor of rows below second order.
    """
    shape = (-1, system.equations)
    matrix, loads = system.matrix.reshape(*shape, system.matrix.shape[1]), system.loads.reshape(shape)
    scale = torch.as_tensor(sizes / (frequencies + 1) ** order, device=matrix.device)
    norms = torch.linalg.vector_norm(matrix, dim=0) * scale / len(matrix) ** 0.5
    weights = torch.stack([_inverse(norm) for norm in norms]) * np.pi**-order / len(matrix) ** 0.5
    if order < 2:
        weights = weights * edge
    every = weights.expand(loads.shape).flatten()
    return System(
        (matrix * weights[:, None]).flatten(0, 1), (loads * weights).flatten(), system.equations, every
    )


def _inverse(norms: Tensor) -> Tensor:
    """1 over the median of the norms of an equation's nonzero columns; 1 if there are none."""
    felt = norms > ROUNDING * norms.max()
    return 1 / norms[felt].median() if bool(felt.any()) else norms.new_ones(())
