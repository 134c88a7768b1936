"""The number of conditions that an equation needs along each axis, from the degree of its symbol, and the given number."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from neurapde.conditions.constraints import AtPoints, Constraint, Face, Interior, Samples
from neurapde.conditions.periodic import PairedPoints
from neurapde.core.formatting import listing
from neurapde.domains.box import Box
from neurapde.jets.jet import Jet
from neurapde.problem.equation import Equation
from neurapde.problem.problem import Problem
from neurapde.training.optimisation.lengths import axis_lengths

POINTS, SEED = 16, 40867
FREQUENCY = 1e10
"""Over the axis's length: the highest power of it outweighs all others."""


@dataclass(frozen=True)
class Crowded:
    """More conditions than the equation needs: the place, in words, the constraints, their number, and the needed number."""

    where: str
    constraints: tuple[Constraint, ...]
    count: int
    takes: int

    def __str__(self) -> str:
        names = listing(repr(constraint.name) for constraint in self.constraints)
        return f"{self.where} {names} are {self.count} conditions, but its equation takes {self.takes}"


def crowded(problem: Problem) -> Crowded | None:
    """Of a user's own equation, linearised about 0: a box's axis, or another domain's boundary, with too many conditions."""
    names = {constraint.name for constraint in problem.equation.constraints(problem)}
    inside = [
        constraint
        for constraint in problem.constraints
        if constraint.name in names and isinstance(constraint.sample, Interior)
    ]
    if not isinstance(problem.equation, Equation) or len(inside) != 1:
        return None
    degrees = [_degree(problem, inside[0], axis) for axis in range(problem.domain.dimension)]
    for where, axis, faces, takes in _places(problem, degrees):
        if degrees[axis] is None:
            continue
        given = [
            (constraint, sum(_rows(problem, constraint, face) for face in faces))
            for constraint in problem.constraints
        ]
        if problem.domain.dimension == 1:
            given += [(constraint, _at_points(problem, constraint)) for constraint in problem.constraints]
        if any(count for _, count in given):
            given += _joined(problem, axis, takes)
        constraints = tuple(constraint for constraint, count in given if count)
        if (count := sum(count for _, count in given)) > takes:
            return Crowded(where, constraints, count, takes)
    return None


def _places(problem: Problem, degrees: list[int | None]) -> Iterator[tuple[str, int, tuple[str, ...], int]]:
    """Where conditions are counted, in words, with an axis across, the faces, and the number that the equation needs
    there."""
    domain, space = problem.domain, problem.domain.spatial
    faces = domain.faces
    if isinstance(space, Box):
        for axis in range(space.dimension):
            pair = faces[2 * axis : 2 * axis + 2]
            yield f"along {domain.axes[axis]}", axis, pair, degrees[axis] or 0
    elif degrees[0] is not None:
        for face in space.faces:
            yield f"on {face}", 0, (face,), (degrees[0] + 1) // 2
    if domain is not space:
        yield "along t", domain.dimension - 1, faces[-2:], degrees[-1] or 0


def _rows(problem: Problem, constraint: Constraint, face: str) -> int:
    """The number of equations of a constraint on a face, or 0."""
    sample = constraint.sample
    if not isinstance(sample, Face) or face not in sample.on:
        return 0
    return _equations(problem, constraint)


def _joined(problem: Problem, axis: int, takes: int) -> list[tuple[Constraint, int]]:
    """The number of equations of periodic constraints across an axis; only those of values if the equation needs no more."""
    across = [
        (constraint, _equations(problem, constraint, together=2))
        for constraint in problem.constraints
        if isinstance(constraint.sample, PairedPoints) and constraint.sample.axis == axis
    ]
    if sum(count for _, count in across) > takes:
        return [(constraint, count) for constraint, count in across if constraint.order == 0]
    return across


def _at_points(problem: Problem, constraint: Constraint) -> int:
    """The number of equations of a constraint at points of a line, or 0."""
    sample = constraint.sample
    if not isinstance(sample, AtPoints):
        return 0
    return len(torch.unique(sample.points, dim=0)) * _equations(problem, constraint)


def _equations(problem: Problem, constraint: Constraint, together: int = 1) -> int:
    """The number of equations of a constraint at a point, or at the points that it joins."""
    samples = constraint.sample(POINTS, how="grid")
    jet = _jet(problem, constraint, len(samples.points))
    residual = constraint.residual(samples, jet)
    return together * residual.numel() // len(samples.points)


def _jet(problem: Problem, constraint: Constraint, count: int) -> Jet:
    """The jet of zero."""
    layout = problem.layout(constraint)
    size = (layout.count, count, *((problem.outputs,) if problem.outputs > 1 else ()))
    dtype = torch.complex128 if problem.equation.complex else torch.float64
    return Jet(torch.zeros(size, dtype=dtype), layout)


def _degree(problem: Problem, constraint: Constraint, axis: int) -> int | None:
    """The degree along an axis of the determinant of the symbol, the most of some points; None if not square or not known.

    Small terms of high order count like large ones. The degree may come out too large by rounding, never too small.
    """
    samples = constraint.sample(POINTS, how="grid")
    count, outputs = len(samples.points), problem.outputs
    zero = _jet(problem, constraint, count)
    lengths = torch.as_tensor(axis_lengths(problem))
    directions = (0.7 + torch.rand(len(lengths), generator=torch.Generator().manual_seed(SEED))) / lengths
    try:
        offset = constraint.residual(samples, zero).reshape(count, -1)
        if offset.shape[1] != outputs:
            return None
        symbols = []
        for frequency in (FREQUENCY, 2 * FREQUENCY):
            turned = directions.to(torch.complex128) * 1j
            turned[axis] *= frequency
            symbols.append(_symbol(constraint, samples, zero, offset, turned))
    except Exception:  # the user's own function: what is wrong with it is said when it is solved
        return None
    low, high = (torch.linalg.slogdet(symbol).logabsdet.numpy() for symbol in symbols)
    felt = np.isfinite(low) & np.isfinite(high)
    return int(np.rint((high[felt] - low[felt]) / np.log(2)).max()) if felt.any() else None


def _symbol(
    constraint: Constraint, samples: Samples, zero: Jet, offset: torch.Tensor, turned: torch.Tensor
) -> torch.Tensor:
    """Σ of the channels' coefficients times the powers of i ξ, (points, outputs, outputs)."""
    layout, count = zero.layout, offset.shape[0]
    total = torch.zeros((count, offset.shape[1], offset.shape[1]), dtype=torch.complex128)
    for channel, axes in enumerate(layout.derivatives):
        for output in range(offset.shape[1]):
            moved = zero.channels.clone()
            moved[(channel, slice(None), output) if moved.ndim == 3 else channel] = 1.0
            felt = constraint.residual(samples, Jet(moved, layout)).reshape(count, -1) - offset
            total[:, :, output] += turned[list(axes)].prod() * felt
    return total
