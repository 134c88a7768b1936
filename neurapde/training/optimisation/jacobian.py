"""The residuals of a constraint and their derivatives by every parameter of a trial function, some rows at a time.

A residual depends on the field's jet at its own point (or points, if a constraint joins several), and this jet depends
on all parameters. So the chain rule has two parts: torch's reverse mode differentiates the constraint by the jet for
all points at once, and `vector_jacobian_product` differentiates the jet by the parameters for each kind of trial.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from neurapde.conditions.constraints import Constraint, Samples
from neurapde.core.errors import DeclarationError
from neurapde.jets.jet import Jet, Layout
from neurapde.problem.problem import Problem
from neurapde.training.optimisation.parameter_jacobians import vector_jacobian_product
from neurapde.trials.base import TrialFunction

AT_ONCE = 1024
"""Residual rows differentiated together; more take more memory and no less time."""


def residuals(
    trial: TrialFunction, constraint: Constraint, samples: Samples, mixed: tuple[tuple[int, ...], ...]
) -> Tensor:
    """The real residuals `(n, c)` of a constraint at samples; complex ones as real and imaginary parts in turn."""
    layout = Layout.within(samples.points.shape[1], constraint.order, mixed)
    jet = trial.jet(samples.points, layout.order, layout.mixed)
    return real_residuals(constraint, samples, jet)


def linearised(
    trial: TrialFunction,
    constraint: Constraint,
    samples: Samples,
    mixed: tuple[tuple[int, ...], ...],
    at_once: int = AT_ONCE,
) -> Iterator[tuple[Tensor, Tensor]]:
    """The residuals `(k, c)` and their Jacobian `(k, c, p)`, `at_once` rows after the other.

    Columns are the parameters that require grad, in the order of `trial.parameters()`. If a constraint has fewer rows
    than points, row i of m belongs to the points i, i + m, i + 2m, …, such as opposite points of periodic faces.
    Raises: DeclarationError for rows that use other points than their own, and for a trial that `torch.func` cannot
    differentiate.
    """
    points = samples.points
    layout = Layout.within(points.shape[1], constraint.order, mixed)
    with torch.no_grad():
        channels = trial.jet(points, layout.order, layout.mixed).channels
    is_complex = channels.is_complex()
    leaf = (torch.view_as_real(channels) if is_complex else channels).detach().clone().requires_grad_()
    jet = Jet(torch.view_as_complex(leaf) if is_complex else leaf, layout)
    residual = real_residuals(constraint, samples, jet)
    _check_own_points(residual, leaf, constraint.name)
    pulls = [slope_of(column, leaf) for column in residual.unbind(1)]
    rows = len(residual)
    for start in range(0, rows, at_once):
        stop = min(start + at_once, rows)
        chosen = torch.cat(
            [torch.arange(first + start, first + stop) for first in range(0, len(points), rows)]
        ).to(points.device)
        product = vector_jacobian_product(trial, points[chosen], layout)
        columns = [product(pull[:, chosen]).reshape(-1, stop - start, _size(trial)).sum(0) for pull in pulls]
        yield residual[start:stop].detach(), torch.stack(columns, dim=1)


def _size(trial: TrialFunction) -> int:
    return sum(parameter.numel() for parameter in trial.parameters() if parameter.requires_grad)


def _check_own_points(residual: Tensor, leaf: Tensor, name: str) -> None:
    """Refuse residuals whose first or last row uses other points than its own, as `linearised` counts them."""
    rows, points = len(residual), leaf.shape[1]
    fits = points % rows == 0
    for row in (0, rows - 1) if fits else ():
        reads = slope_of(residual[row], leaf).movedim(1, 0).reshape(points, -1).abs().sum(1) > 0
        reads[row::rows] = False
        fits = fits and not bool(reads.any())
    if not fits:
        raise DeclarationError(
            f"constraint {name!r} makes {rows} residuals of {points} points, and row i does not depend only on the "
            f"points i, i + {rows}, …, so its derivatives cannot be computed row by row. Return one residual for each "
            "point, or one for all, or train with Adam."
        )


def slope_of(residual: Tensor, leaf: Tensor) -> Tensor:
    """The derivative of the sum of residuals by a leaf; zeros if they do not depend on it."""
    if not residual.requires_grad:
        return torch.zeros_like(leaf)
    (slope,) = torch.autograd.grad(residual.sum(), leaf, retain_graph=True, allow_unused=True)
    return torch.zeros_like(leaf) if slope is None else slope


def real_residuals(constraint: Constraint, samples: Samples, jet: Jet) -> Tensor:
    """The residuals of a jet at samples, real `(n, c)`; complex ones as real and imaginary parts in turn."""
    residual: Tensor = constraint.residual(samples, jet)
    if residual.is_complex():
        residual = torch.view_as_real(residual)
    return residual.reshape(len(residual), -1)


def constant_residuals(
    problem: Problem, constraint: Constraint, samples: Samples, sizes: Tensor, seed: int
) -> Tensor:
    """The residuals of three constant jets, real `(n, columns)`: zero and two random ones.

    They show sources, data and coefficients. sizes: of the field and its derivatives, (channels, …) as of a jet at one
    point, complex ones in pairs.
    """
    layout = problem.layout(constraint)
    generator = torch.Generator().manual_seed(seed)
    columns = []
    for sign in (0.0, 1.0, 1.0):
        random = torch.randn(sizes.shape, generator=generator, dtype=torch.float64)
        constant = (sign * random * sizes)[: layout.count, None]
        channels = constant.expand(layout.count, len(samples.points), *sizes.shape[1:]).contiguous()
        if problem.equation.complex:
            channels = torch.view_as_complex(channels)
        with torch.no_grad():
            columns.append(real_residuals(constraint, samples, Jet(channels, layout)))
    return torch.cat(columns, dim=1)
