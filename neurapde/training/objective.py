"""The training objective: points drawn for every named constraint, and the residuals a trial leaves there.

Serves every method that lowers a loss on collocation points. The names of the constraints key the point
counts, the weights, the losses and the history alike.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from neurapde.conditions.constraints import Constraint, Samples
from neurapde.core.errors import DeclarationError
from neurapde.domains.sampling import How
from neurapde.problem.problem import Problem
from neurapde.run.method import Method
from neurapde.training.curriculum import within_reach
from neurapde.training.losses import Loss, mean_loss
from neurapde.training.near_sources import NearSources
from neurapde.training.units import in_residual_units
from neurapde.trials.base import TrialFunction

CACHED_ROWS = 10_240
"""Rows of numbers, points times derivatives, that pass through the layers of a network at a time on a CPU, or nearly so."""


@dataclass(frozen=True)
class Batch:
    """Points of one constraint and their weights `(n,)` or `(n, c)` in its loss; None for 1."""

    constraint: Constraint
    samples: Samples
    weights: Tensor | None = None

    def split(self, size: int) -> Iterator["Batch"]:
        """The batch in equal pieces of about `size` points."""
        n = len(self.samples.points)
        count = max(round(n / size), 1)
        if count == 1:
            yield self
            return
        for index in range(count):
            chosen = slice(index * n // count, (index + 1) * n // count)
            rest = (self.samples.normals, self.samples.targets, self.weights)
            normals, targets, weights = (None if part is None else part[chosen] for part in rest)
            samples = Samples(self.samples.points[chosen], normals, targets)
            yield Batch(self.constraint, samples, weights)

    def times(self, factors: Tensor) -> Tensor:
        """The weights, each point's times its factor (n,)."""
        if self.weights is None:
            return factors
        return self.weights * (factors if self.weights.ndim == 1 else factors[:, None])


@dataclass(frozen=True)
class Objective:
    """The weighted loss of a problem on freshly drawn points, of the constraints that the trial does not meet by its form.

    points:  how many to draw for every constraint, or for each by name.
    loss:    the measure of a residual.
    weights: factors of the constraints by name; 1 where none is given. They become those of residuals in units of one.
    source_points: extra points of the equation, drawn within 5 standard deviations of each Gaussian source.
    source_weight: weight of points within 6 standard deviations of one; None for the paper's points / 1000.
    """

    problem: Problem
    points: int | Mapping[str, int]
    loss: Loss
    weights: Mapping[str, float]
    source_points: int
    source_weight: float | None

    def __post_init__(self) -> None:
        names = self.names
        if isinstance(self.points, Mapping):
            self._check_names(self.points, "points")
            if missing := [name for name in names if name not in self.points]:
                raise DeclarationError(
                    f"points gives no number for {', '.join(missing)}; "
                    "name every constraint, or give one number for all."
                )
        self._check_names(self.weights, "weights")
        object.__setattr__(self, "weights", in_residual_units(self.problem, self.weights, self.loss))

    def _check_names(self, given: Mapping[str, object], what: str) -> None:
        hard = [part.constraint_name() for part in self.problem.hard]
        for name in given:
            if name in hard:
                raise DeclarationError(
                    f"{what} names {name!r}, a hard condition: it is built into the trial function, and there is "
                    "nothing to train. Leave it out."
                )
        if unknown := [name for name in given if name not in self.names]:
            raise DeclarationError(
                f"{what} names {', '.join(map(repr, unknown))}, but the constraints of this problem are "
                f"{', '.join(self.names)}. Use these names."
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the constraints to train, in the problem's order."""
        return tuple(constraint.name for constraint in self.problem.trained)

    def count(self, name: str) -> int:
        """Points drawn per step for the constraint `name`, extra source points not included."""
        return self.points[name] if isinstance(self.points, Mapping) else self.points

    @property
    def counts(self) -> dict[str, int]:
        """The same of every constraint, by name."""
        return {name: self.count(name) for name in self.names}

    @cached_property
    def equation_names(self) -> frozenset[str]:
        """Names of the constraints that come from the equation: those that sources matter to."""
        equation = self.problem.equation
        return frozenset(constraint.name for constraint in equation.constraints(self.problem))

    @cached_property
    def near_sources(self) -> NearSources:
        """The Gaussian sources of each right-hand side."""
        return NearSources.of(self.problem.domain, self.problem.right_hand_sides)

    def evaluate(
        self, trial: TrialFunction, generator: torch.Generator, reach: float = 1.0
    ) -> tuple[Tensor, list[Tensor]]:
        """Draw points and measure the residuals there, the trial evaluated once per constraint.

        reach: part of the time, from its start, in which the points lie.
        Returns the weighted sum and the loss of each constraint, in the order of `names`, all scalars.
        """
        losses = [
            self.loss_of(self.batch(constraint, self.draw(constraint, trial, generator), reach), trial)
            for constraint in self.problem.trained
        ]
        weighted = [self.weights.get(name, 1.0) * loss for name, loss in zip(self.names, losses, strict=True)]
        return torch.stack(weighted).sum(), losses

    def draw(
        self, constraint: Constraint, trial: TrialFunction, generator: torch.Generator, how: How = "uniform"
    ) -> Samples:
        """New points of a constraint, in all of the time, with those at its sources."""
        anchor = next(trial.parameters())
        samples = constraint.sample_like(anchor, self.count(constraint.name), generator, how)
        return self.with_source_points(constraint, samples, generator)

    def batch(self, constraint: Constraint, samples: Samples, reach: float = 1.0) -> Batch:
        """Samples of a constraint moved into the open part of the time, and their weights."""
        samples = within_reach(samples, constraint, self.problem, reach)
        weights = None
        if constraint.name in self.equation_names and self.near_sources:
            weight = self.count(constraint.name) / 1000 if self.source_weight is None else self.source_weight
            weights = self.near_sources.weights(samples.points, weight)
        return Batch(constraint, samples, weights)

    def residual(self, batch: Batch, trial: TrialFunction) -> Tensor:
        """What a trial leaves of the constraint at the points of a batch: `(n,)` or `(n, c)`."""
        constraint = batch.constraint
        layout = self.problem.layout(constraint)
        jet = trial.jet(batch.samples.points, layout.order, layout.mixed)
        return constraint.residual(batch.samples, jet)

    def loss_of(self, batch: Batch, trial: TrialFunction) -> Tensor:
        """The weighted mean over a batch."""
        return mean_loss(self.residual(batch, trial), self.loss, batch.weights)

    def descend(
        self,
        batch: Batch,
        trial: TrialFunction,
        factor: Tensor | float = 1.0,
        residuals: list[Tensor] | None = None,
    ) -> Tensor:
        """Add the gradient of factor times the loss to the parameters' own; returns the loss, without a graph.

        residuals: where to leave the residual of each piece of the batch, if wanted.
        """
        n = len(batch.samples.points)
        losses = []
        for piece in self.pieces(batch):
            residual = self.residual(piece, trial)
            part = mean_loss(residual, self.loss, piece.weights) * (len(piece.samples.points) / n)
            (factor * part).backward()  # type: ignore[no-untyped-call]
            losses.append(part.detach())
            if residuals is not None:
                residuals.append(residual.detach())
        return torch.stack(losses).sum()

    def pieces(self, batch: Batch) -> Iterator[Batch]:
        """A batch in parts that fit a CPU's cache, so that neither time nor memory suffers from many points.

        Only of equations, whose residual at a point depends on the field at that point alone.
        """
        points = batch.samples.points
        if batch.constraint.name not in self.equation_names or points.device.type != "cpu":
            return batch.split(len(points))
        return batch.split(CACHED_ROWS // self.problem.layout(batch.constraint).count)

    def with_source_points(
        self, constraint: Constraint, samples: Samples, generator: torch.Generator
    ) -> Samples:
        """An equation's samples and, if it has Gaussian sources, points near each of them."""
        if constraint.name not in self.equation_names or not self.near_sources or not self.source_points:
            return samples
        return Samples(self.near_sources.joined(samples.points, self.source_points, generator))


def check_trainable(problem: Problem, method: Method) -> None:
    """Refuse a problem on whose residuals at points no trial function can be trained."""
    if reason := problem.equation.untrainable(problem):
        raise DeclarationError(f"{type(method).__name__} cannot train {problem.name}: {reason}.")
