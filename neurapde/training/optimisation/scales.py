"""The units in which a problem is of the order of one: lengths of its axes, sizes of its components and of its equations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from neurapde.conditions.constraints import Constraint, Interior
from neurapde.equations.eikonal import Eikonal
from neurapde.equations.fit import Fit
from neurapde.jets.jet import Jet
from neurapde.problem.problem import Problem
from neurapde.training.optimisation.balance import balance_of
from neurapde.training.optimisation.lengths import axis_lengths

DATA, SEED = 1024, 40829
STEP = 1e-3
"""Fraction of a length between points at which residuals are compared to find their frequency."""
MODERATE = 30.0
"""Sizes between the inverse of this and this are not scaled."""
LARGEST = 40
"""Power of ten of the largest field that is tried."""


@dataclass(frozen=True)
class Scales:
    """Sizes that scale a training to the order of one; 1 if field and axes are within a factor of thirty of it.

    lengths: of each axis relative to those of space `(d,)`. sizes: of each component of the field. residuals: of each
    equation of each constraint, by the constraint's name.
    """

    lengths: tuple[float, ...]
    sizes: tuple[float, ...]
    residuals: Mapping[str, tuple[float, ...]]


def scales_of(problem: Problem) -> Scales:
    """The scales of a declaration, from its data and terms. All are 1 if a function works only inside a solve."""
    lengths = axis_lengths(problem)
    plain = Scales((1.0,) * len(lengths), (1.0,) * problem.outputs, {})
    if isinstance(problem.equation, Eikonal):
        return _of_eikonal(problem.equation, problem)
    if isinstance(problem.equation, Fit) and any(constraint.order for constraint in problem.constraints):
        return plain
    try:
        balance = balance_of(problem)
        terms = [_Terms(problem, constraint, lengths, balance.sizes) for constraint in problem.constraints]
        amounts = _amounts(terms, balance.groups)
        residuals = {term.constraint.name: term.largest(amounts) for term in terms}
    except Exception:  # the user's own function: what is wrong with it is said when it is solved
        return plain
    sizes = balance.sizes * amounts
    longest = np.max(lengths[: problem.domain.spatial.dimension])
    relative = lengths / longest
    every = np.array([*sizes, longest, *relative])
    finite = np.isfinite([*sizes, *(size for scales in residuals.values() for size in scales)]).all()
    if np.all((every > 1 / MODERATE) & (every < MODERATE)) or not finite:
        return plain
    return Scales(tuple(relative.tolist()), tuple(sizes.tolist()), residuals)


def _of_eikonal(equation: Eikonal, problem: Problem) -> Scales:
    """The scales of a distance or of travel times: their sizes are known, moderate or not."""
    size = equation.field_size(problem)
    lengths, sizes = (1.0,) * problem.domain.dimension, (size,) * problem.outputs
    return Scales(lengths, sizes, dict.fromkeys(equation.sized, (size,)))


def _amounts(terms: Sequence["_Terms"], groups: np.ndarray) -> np.ndarray:
    """The factors of the balanced sizes of the components `(outputs,)`: one number for each group."""
    amounts = np.ones(len(groups))
    for group in np.unique(groups):
        chosen = groups == group
        sizes = [size for term in terms for size in term.field_sizes(chosen)]
        amounts[chosen] = max(sizes, default=1.0)
    return amounts


class _Terms:
    """One constraint at some points: its residual for u = 0, and the contributions of derivatives of a given size."""

    def __init__(
        self, problem: Problem, constraint: Constraint, lengths: np.ndarray, sizes: np.ndarray
    ) -> None:
        self.constraint = constraint
        generator = torch.Generator().manual_seed(SEED)
        self.samples = constraint.sample(DATA, how="sobol", generator=generator)
        self.layout = problem.layout(constraint)
        size = (
            self.layout.count,
            len(self.samples.points),
            *((problem.outputs,) if problem.outputs > 1 else ()),
        )
        noise = _of_components(torch.randn(size, generator=generator, dtype=torch.float64), sizes)
        self.noise = noise.to(torch.complex128) if problem.equation.complex else noise
        self.zero = torch.zeros_like(self.noise)
        self.offset = self._residual(self.zero)
        self.slowest = torch.as_tensor(np.pi / lengths)
        located = problem.pml is not None or any(s.center for side in problem.right_hand_sides for s in side)
        self.telling = not (located and isinstance(constraint.sample, Interior))

    def _residual(self, channels: Tensor, shift: Tensor | float = 0.0) -> Tensor:
        """(n, equations)."""
        samples = replace(self.samples, points=self.samples.points + shift)
        residual: Tensor = self.constraint.residual(samples, Jet(channels, self.layout)).detach()
        return residual.reshape(len(residual), -1)

    @property
    def _left(self) -> Tensor:
        """The largest residual of each equation for u = 0."""
        return self.offset.abs().amax(0)

    def _rates(self) -> Tensor:
        """Frequencies `(d,)` of the residual for u = 0, none below that of a wave as long as the axis."""
        if not isinstance(self.constraint.sample, Interior):
            return self.slowest
        units = torch.where(self._left > 0, self._left, 1.0)
        steps = STEP * torch.diag(1 / self.slowest)
        moved = [(self._residual(self.zero, step) - self.offset) / units for step in steps]
        slopes = [
            float(_rms(difference).norm() / step.sum()) for difference, step in zip(moved, steps, strict=True)
        ]
        size = float(_rms(self.offset / units).norm()) or 1.0
        return torch.maximum(self.slowest, torch.as_tensor(slopes) / size)

    def _sized(self, rates: Tensor) -> Tensor:
        """The size of each channel of a field of the balanced sizes with these frequencies."""
        sizes = rates.new_tensor(self.layout.sizes(rates.tolist()))
        return self.noise * sizes.reshape(-1, *[1] * (self.noise.ndim - 1))

    def field_sizes(self, chosen: np.ndarray) -> list[float]:
        """The factor of the chosen components that balances the largest residual of each equation without them."""
        if not self.telling or not bool(self._left.any()):
            return []
        field, open_, sizes = _of_components(self._sized(self._rates()), chosen), self._left > 0, []
        for power in range(-LARGEST, LARGEST + 1):
            size = 10.0**power
            much = _rms(self._residual(size * field) - self.offset)
            felt = open_ & (much >= self._left / 3) & torch.isfinite(much)
            sizes += (size * self._left[felt] / much[felt]).tolist()
            open_ = open_ & ~felt
            if not bool(open_.any()):
                break
        return sizes

    def largest(self, amounts: np.ndarray) -> tuple[float, ...]:
        """The largest contribution of a value or derivative to each equation, for these sizes and lengths."""
        field = _of_components(self._sized(self.slowest / np.pi), amounts)
        without = self._residual(field)
        added = []
        for channel in range(self.layout.count):
            moved = field.clone()
            moved[channel] = 0
            added.append(_rms(self._residual(moved) - without))
        most = torch.stack(added).amax(0)
        return tuple(torch.where(most > 0, most, 1.0).tolist())


def _of_components(channels: Tensor, factors: np.ndarray) -> Tensor:
    """Channels (C, n) or (C, n, outputs), each component times its factor."""
    return channels * (
        torch.as_tensor(factors, dtype=torch.float64) if channels.ndim > 2 else float(factors[0])
    )


def _rms(values: Tensor) -> Tensor:
    """Of each column."""
    return torch.linalg.vector_norm(values, dim=0) / len(values) ** 0.5
