"""Lengths over which a field changes equally, whatever the axes mean.

Only the equation compares metres and seconds, or micrometres and hours. Along axes with second derivatives, lengths
have the ratio of the roots of their coefficients, and are equal for a Laplacian. A time, and any other separate axis,
has its own length.
"""

import numpy as np
import torch

from neurapde.jets.jet import Jet, Layout
from neurapde.problem.equation import Equation
from neurapde.problem.problem import Problem

PROBES, SEED = 64, 40829
NEGLIGIBLE = 1e-12
"""Fraction of the largest term, all of unit size on the domain, below which a derivative does not count."""


def axis_lengths(problem: Problem) -> np.ndarray:
    """Lengths `(d,)`, each in its axis's unit, over which a field changes equally; none is below its axis of the
    domain.

    The longest of the comparable axes has the length of the domain; a separate axis has the length of the domain along
    it.
    """
    lower, upper = problem.domain.bounds
    extents = np.asarray(upper - lower, dtype=float)
    space = problem.domain.spatial.dimension
    lengths = extents.copy()
    natural = np.ones(space)
    if isinstance(problem.equation, Equation):
        natural = _natural(problem.equation, problem, extents[:space])
    known = natural > 0
    if known.any():
        lengths[:space][known] = natural[known] * np.max(extents[:space][known] / natural[known])
    return lengths


def _natural(equation: Equation, problem: Problem, extents: np.ndarray) -> np.ndarray:
    """Lengths along the axes of space up to a common factor, from the coefficients of the highest derivatives, or 0."""
    if equation.order == 0:
        return np.ones(len(extents))
    layout = Layout(problem.domain.dimension, equation.order, equation.mixed, problem.in_time)
    points = problem.domain.sample(PROBES, how="grid")
    generator = torch.Generator().manual_seed(SEED)
    size = (len(points), *((equation.outputs,) if equation.outputs > 1 else ()))
    dtype = torch.complex128 if equation.complex else torch.float64
    moved = (0.5 + torch.rand(size, generator=generator, dtype=torch.float64)).to(dtype)

    def felt(channel: int) -> float:
        channels = torch.zeros((layout.count, *size), dtype=dtype)
        nothing = equation.locally(points, Jet(channels, layout))
        channels = torch.zeros_like(channels)
        channels[channel] = moved
        return float(torch.linalg.vector_norm(equation.locally(points, Jet(channels, layout)) - nothing))

    axes = range(len(extents))
    try:
        first = np.array([felt(layout.first(i)) for i in axes])
        second = np.array([felt(layout.second(i, i)) if equation.order > 1 else 0.0 for i in axes])
    except Exception:  # the user's own function: what is wrong with it is said when it is solved
        return np.ones(len(extents))
    if not np.isfinite([first, second]).all():
        return np.ones(len(extents))
    terms = np.array([first / extents, second / extents**2])
    terms[terms < NEGLIGIBLE * max(terms.max(), np.finfo(float).tiny)] = 0
    first, second = terms[0] * extents, terms[1] * extents**2
    return np.sqrt(second) if second.any() else first
