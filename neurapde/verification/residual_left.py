"""The residual of a field in each constraint, compared with the size of the terms that should cancel."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from neurapde.assembly.collocation.samples import Weighed
from neurapde.conditions.constraints import Constraint, Interior, Samples
from neurapde.jets.jet import Jet, Layout
from neurapde.problem.problem import Problem
from neurapde.training.optimisation.jacobian import real_residuals, slope_of
from neurapde.training.optimisation.lengths import axis_lengths
from neurapde.trials.base import TrialFunction

SIZED = 1024
"""Points of the domain from which the size of a field is taken."""
ROUNDING = 1e-10
"""Fraction of a field over lengths of the domain: a smaller derivative belongs to a field that is constant up to
rounding."""


@dataclass(frozen=True)
class Left:
    """The residual of a field in one constraint at points (n, d), for each part: `(n, c)`.

    residual: of the field. terms: the root of the sum of squares of the terms that should cancel: the residual's slope
    by each derivative of u times that derivative, and the rest, such as sources and data.
    """

    points: Tensor
    residual: Tensor
    terms: Tensor
    weights: Tensor | None = None

    @property
    def relative(self) -> float:
        """The root of the weighted mean square of the residual over that of the terms, for the worst part."""
        parts = zip(self.residual.T, self.terms.T, strict=True)
        return max(_rms(r, self.weights) / (_rms(t, self.weights) or 1.0) for r, t in parts)


def residuals_left(
    problem: Problem, trial: TrialFunction, samples: Mapping[str, Samples], sizes: Tensor
) -> dict[str, Left]:
    """The residuals of a trial in those constraints of a problem whose samples are given, by name; sizes: `field_sizes`."""
    return {
        constraint.name: _left(problem, constraint, samples[constraint.name], trial, sizes)
        for constraint in problem.constraints
        if constraint.name in samples
    }


def _left(
    problem: Problem, constraint: Constraint, samples: Samples, trial: TrialFunction, sizes: Tensor
) -> Left:
    """At a boundary where the field vanishes its own size says nothing, so its size in the domain is used."""
    layout = problem.layout(constraint)
    with torch.no_grad():
        channels = trial.jet(samples.points, layout.order, layout.mixed).channels
    leaf = (torch.view_as_real(channels) if channels.is_complex() else channels).detach().requires_grad_()
    jet = Jet(torch.view_as_complex(leaf) if channels.is_complex() else leaf, layout)
    with torch.enable_grad():
        residual = real_residuals(constraint, samples, jet)
    inside = isinstance(constraint.sample, Interior)
    whole = sizes[: len(leaf)].reshape(len(leaf), 1, *sizes.shape[1:]).expand(leaf.shape)
    values = leaf.detach()
    terms = []
    for column in residual.unbind(1):
        slope = slope_of(column, leaf)
        rest = column.detach() - _by_rows((slope * values).movedim(1, 0).flatten(1).sum(1), len(column))
        square = (slope * (values if inside else whole)).square().movedim(1, 0).flatten(1).sum(1)
        terms.append((_by_rows(square, len(column)) + rest.square()).sqrt())
    weights = samples.weights if isinstance(samples, Weighed) else None
    return Left(samples.points, residual.detach(), torch.stack(terms, dim=1), weights)


def field_sizes(problem: Problem, trial: TrialFunction) -> Tensor:
    """The root mean square over the domain of the field and each derivative, rounding at least: (channels, …) of a jet."""
    order = max((constraint.order for constraint in problem.constraints), default=0)
    anchor = next(trial.parameters())
    points = problem.domain.sample(SIZED, how="grid", dtype=anchor.dtype.to_real(), device=anchor.device)
    with torch.no_grad():
        layout = Layout.within(problem.domain.dimension, order, problem.mixed)
        channels = trial.jet(points, layout.order, layout.mixed).channels
    parts = torch.view_as_real(channels) if channels.is_complex() else channels
    sizes = parts.square().mean(1).sqrt()
    units = torch.as_tensor(layout.sizes((1 / axis_lengths(problem)).tolist())).to(sizes)
    return torch.maximum(sizes, ROUNDING * units.reshape(-1, *[1] * (sizes.ndim - 1)) * sizes[0])


def _by_rows(values: Tensor, rows: int) -> Tensor:
    """The sum over the points (n,) of each row; row i of m belongs to the points i, i + m, i + 2m, …."""
    return values.reshape(-1, rows).sum(0) if len(values) % rows == 0 else values.sum().expand(rows)


def _rms(values: Tensor, weights: Tensor | None) -> float:
    square = values.square() if weights is None else weights * values.square()
    return float(square.mean().sqrt())
