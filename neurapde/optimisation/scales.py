"""The units in which a problem is of the order of one: lengths along which its field changes alike, whatever the axes mean.

Metres and seconds, micrometres and hours are compared by nothing but the equation. Along axes that it differentiates
twice lengths stand in the ratio of the roots of their coefficients, and are equal for a Laplacian. A time, and any
other axis that stands alone, is as long as what happens in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch

from neurapde.conditions.constraints import Constraint, Interior
from neurapde.domains.spacetime import SpaceTime
from neurapde.equations.eikonal import Eikonal
from neurapde.equations.fit import Fit
from neurapde.jets.jet import Jet, Layout
from neurapde.problem.equation import Equation
from neurapde.problem.problem import Problem

PROBES, DATA, SEED = 64, 1024, 40829
STEP = 1e-3
"""Of a length: how far apart what is left is compared to find its frequency."""
MODERATE = 30.0
"""Sizes below this, and above its inverse, are left as they are."""
LARGEST = 40
"""Power of ten of the largest field that is tried."""
NEGLIGIBLE = 1e-12
"""Part of the largest term, all of unit size on the domain, below which a derivative counts as not there."""


def axis_lengths(problem: Problem) -> np.ndarray:
    """Lengths `(d,)`, each in its axis's unit, along which a field changes alike; none is below its axis of the domain.

    The longest axis of those that compare is as long as the domain; an axis of its own is as long as the domain along it.
    """
    lower, upper = problem.domain.bounds
    extents = np.asarray(upper - lower, dtype=float)
    space = problem.domain.spatial.dimension
    lengths = extents.copy()
    natural = np.ones(space)
    if isinstance(problem.equation, Equation):
        natural = _natural(problem.equation, problem, extents[:space])
    found = natural > 0
    if found.any():
        lengths[:space][found] = natural[found] * np.max(extents[:space][found] / natural[found])
    return lengths


def _natural(equation: Equation, problem: Problem, extents: np.ndarray) -> np.ndarray:
    """Lengths along the axes of space up to a common factor, by the coefficients of the highest derivatives; 0: none."""
    if equation.order == 0:
        return np.ones(len(extents))
    layout = Layout(
        problem.domain.dimension, equation.order, equation.mixed, isinstance(problem.domain, SpaceTime)
    )
    points = problem.domain.sample(PROBES, how="grid")
    generator = torch.Generator().manual_seed(SEED)
    size = (len(points), *((equation.outputs,) if equation.outputs > 1 else ()))
    dtype = torch.complex128 if equation.complex else torch.float64
    moved = (0.5 + torch.rand(size, generator=generator, dtype=torch.float64)).to(dtype)

    def felt(channel: int) -> float:
        channels = torch.zeros((layout.count, *size), dtype=dtype)
        nothing = equation.residual(points, Jet(channels, layout))
        channels = torch.zeros_like(channels)
        channels[channel] = moved
        return float(torch.linalg.vector_norm(equation.residual(points, Jet(channels, layout)) - nothing))

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


@dataclass(frozen=True)
class Scales:
    """Sizes by which what a network is trained on is of the order of one; 1 where field and axes are within thirty of it.

    lengths: of each axis beside those of space `(d,)`. size: of the field. residuals: of each constraint, by name.
    """

    lengths: tuple[float, ...]
    size: float
    residuals: Mapping[str, float]


def scales_of(problem: Problem) -> Scales:
    """Measured on the declaration: its data beside its terms. All 1 where a function cannot be tried outside a solve."""
    lengths = axis_lengths(problem)
    plain = Scales((1.0,) * len(lengths), 1.0, {})
    if isinstance(problem.equation, Eikonal):
        return _of_eikonal(problem.equation, problem)
    if isinstance(problem.equation, Fit) and any(one.order for one in problem.constraints):
        return plain
    try:
        terms = [_Terms(problem, constraint, lengths) for constraint in problem.constraints]
        sizes = [size for one in terms if (size := one.field_size()) is not None]
        size = max(sizes, default=1.0)
        residuals = {one.constraint.name: one.largest(size) or 1.0 for one in terms}
    except Exception:  # the user's own function: what is wrong with it is said when it is solved
        return plain
    longest = np.max(lengths[: problem.domain.spatial.dimension])
    relative = lengths / longest
    every = np.array([size, longest, *relative])
    if (
        np.all((every > 1 / MODERATE) & (every < MODERATE))
        or not np.isfinite([size, *residuals.values()]).all()
    ):
        return plain
    return Scales(tuple(relative.tolist()), size, residuals)


def _of_eikonal(equation: Eikonal, problem: Problem) -> Scales:
    """Of a distance, or of times: they have sizes of their own, moderate or not."""
    size = equation.field_size(problem)
    return Scales((1.0,) * problem.domain.dimension, size, dict.fromkeys(equation.sized, size))


class _Terms:
    """One constraint at some points: what it leaves for u = 0, and what derivatives of a given size add."""

    def __init__(self, problem: Problem, constraint: Constraint, lengths: np.ndarray) -> None:
        self.constraint = constraint
        generator = torch.Generator().manual_seed(SEED)
        self.samples = constraint.sample(DATA, how="sobol", generator=generator)
        self.layout = problem.layout(constraint)
        size = self.layout.shape(len(self.samples.points), problem.outputs)
        noise = torch.randn(size, generator=generator, dtype=torch.float64)
        self.noise = noise.to(torch.complex128) if problem.equation.complex else noise
        self.zero = torch.zeros_like(self.noise)
        self.offset = self._residual(self.zero)
        self.slowest = torch.as_tensor(np.pi / lengths)
        located = problem.pml is not None or any(s.center for side in problem.right_hand_sides for s in side)
        self.telling = not (located and isinstance(constraint.sample, Interior))

    def _residual(self, channels: torch.Tensor, shift: torch.Tensor | float = 0.0) -> torch.Tensor:
        samples = replace(self.samples, points=self.samples.points + shift)
        return self.constraint.residual(samples, Jet(channels, self.layout)).detach()

    def _rates(self) -> torch.Tensor:
        """Frequencies `(d,)` of what is left for u = 0, none below that of a wave as long as the axis."""
        if not isinstance(self.constraint.sample, Interior):
            return self.slowest
        steps = STEP * torch.diag(1 / self.slowest)
        slopes = [_rms(self._residual(self.zero, step) - self.offset) / float(step.sum()) for step in steps]
        return torch.maximum(self.slowest, torch.as_tensor(slopes) / (_rms(self.offset) or 1.0))

    def _sized(self, rates: torch.Tensor) -> torch.Tensor:
        """The size of each channel of a field of size 1 with these frequencies."""
        sizes = rates.new_tensor(self.layout.sizes(rates.tolist()))
        return self.noise * sizes.reshape(-1, *[1] * (self.noise.ndim - 1))

    def field_size(self) -> float | None:
        """The size at which a field balances the most that is left without it; None where that is nothing."""
        left = float(self.offset.abs().max())
        if not self.telling or left == 0:
            return None
        field = self._sized(self._rates())
        tried = (10.0**power for power in range(-LARGEST, LARGEST + 1))
        felt = ((size, _rms(self._residual(size * field) - self.offset)) for size in tried)
        return next((size * left / much for size, much in felt if much >= left / 3), None)

    def largest(self, size: float) -> float:
        """The most that its value or a derivative adds to a residual, of a field of this size and as long as its axes."""
        field = size * self._sized(self.slowest / np.pi)
        without = self._residual(field)
        added = []
        for channel in range(self.layout.count):
            moved = field.clone()
            moved[channel] = 0
            added.append(_rms(self._residual(moved) - without))
        return max(added)


def _rms(values: torch.Tensor) -> float:
    return float(torch.linalg.vector_norm(values)) / values.numel() ** 0.5
