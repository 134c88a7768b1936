"""The training objective: points drawn for every named constraint, and the residuals of a trial there.

Serves every method that lowers a loss on collocation points. Point counts, weights, losses and history all use the
names of the constraints as keys.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from neurapde.conditions.constraints import Constraint, Samples
from neurapde.core.errors import DeclarationError
from neurapde.domains.sampling import How
from neurapde.jets.layout import Layout
from neurapde.problem.problem import Problem
from neurapde.training.curriculum import within_reach
from neurapde.training.losses import Loss, mean_loss
from neurapde.training.near_sources import NearSources
from neurapde.training.run.method import Method
from neurapde.training.units import in_residual_units, trained_in_units
from neurapde.trials.base import TrialFunction

CACHED_ROWS = 10_240
"""Approximate number of rows, points times derivatives, that pass through a network's layers at a time on a CPU."""


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
            normals, targets, weights = (None if column is None else column[chosen] for column in rest)
            samples = Samples(self.samples.points[chosen], normals, targets)
            yield Batch(self.constraint, samples, weights)

    def times(self, factors: Tensor) -> Tensor:
        """The batch with the weight of each point times its factor (n,)."""
        if self.weights is None:
            return factors
        return self.weights * (factors if self.weights.ndim == 1 else factors[:, None])


@dataclass(frozen=True)
class Objective:
    """The weighted loss of a problem on freshly drawn points, without constraints that the form of the trial meets.

    points:  number for every constraint, or for each by name.
    loss:    the measure of a residual.
    weights: factors of the constraints by name, by default 1. They are converted to those of scaled residuals.
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
                    f"points has no number for {', '.join(missing)}; name every constraint, or give one number for all."
                )
        self._check_names(self.weights, "weights")
        object.__setattr__(self, "weights", in_residual_units(self.problem, self.weights, self.loss))

    def _check_names(self, given: Mapping[str, object], what: str) -> None:
        hard = self.problem.built_in
        for name in given:
            if name in hard:
                raise DeclarationError(
                    f"{what} names {name!r}, a hard condition: it is built into the trial function, so it is not "
                    "trained. Leave it out."
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

    @cached_property
    def constraints(self) -> tuple[Constraint, ...]:
        """The constraints to train, in that order, with their residuals as they count."""
        return trained_in_units(self.problem)

    def count(self, name: str) -> int:
        """Points drawn per step for the constraint `name`, extra source points not included."""
        return self.points[name] if isinstance(self.points, Mapping) else self.points

    @property
    def counts(self) -> dict[str, int]:
        """The same of every constraint, by name."""
        return {name: self.count(name) for name in self.names}

    @cached_property
    def equation_names(self) -> frozenset[str]:
        """Names of the constraints that come from the equation; sources matter only to these."""
        equation = self.problem.equation
        return frozenset(constraint.name for constraint in equation.constraints(self.problem))

    @cached_property
    def shared(self) -> tuple[tuple[Constraint, ...], ...]:
        """The constraints to train in groups with the same points: equal samplers and equal counts."""
        groups: list[list[Constraint]] = []
        for constraint in self.constraints:
            for group in groups:
                if self._share(group[0], constraint):
                    group.append(constraint)
                    break
            else:
                groups.append([constraint])
        return tuple(map(tuple, groups))

    def _share(self, constraint: Constraint, other: Constraint) -> bool:
        from_equation = {constraint.name in self.equation_names for constraint in (constraint, other)}
        same = self.count(constraint.name) == self.count(other.name) and len(from_equation) == 1
        return same and constraint.sample == other.sample

    @cached_property
    def near_sources(self) -> NearSources:
        """The Gaussian sources of each right-hand side."""
        return NearSources.of(self.problem.domain, self.problem.right_hand_sides)

    def evaluate(
        self, trial: TrialFunction, generator: torch.Generator, reach: float = 1.0
    ) -> tuple[Tensor, list[Tensor]]:
        """Draw points and measure the residuals there; the trial is evaluated once for constraints that share points.

        reach: part of the time, from its start, in which the points lie.
        Returns the weighted sum and the loss of each constraint, in the order of `names`, all scalars.
        """
        losses: dict[str, Tensor] = {}
        for group in self.shared:
            samples = self.draw(group[0], trial, generator)
            batches = [self.batch(constraint, samples, reach) for constraint in group]
            for batch, residual in zip(batches, self.residuals(batches, trial), strict=True):
                losses[batch.constraint.name] = mean_loss(residual, self.loss, batch.weights)
        apart = [losses[name] for name in self.names]
        weighted = [self.weights.get(name, 1.0) * loss for name, loss in zip(self.names, apart, strict=True)]
        return torch.stack(weighted).sum(), apart

    def draw(
        self, constraint: Constraint, trial: TrialFunction, generator: torch.Generator, how: How = "uniform"
    ) -> Samples:
        """New points of a constraint, in all of the time, with those at its sources."""
        anchor = next(trial.parameters())
        samples = constraint.sample_like(anchor, self.count(constraint.name), generator, how)
        return self.with_source_points(constraint, samples, generator)

    def batch(self, constraint: Constraint, samples: Samples, reach: float = 1.0) -> Batch:
        """Samples of a constraint, moved into the part of the time in use, and their weights."""
        samples = within_reach(samples, constraint, self.problem, reach)
        weights = None
        if constraint.name in self.equation_names and self.near_sources:
            weight = self.count(constraint.name) / 1000 if self.source_weight is None else self.source_weight
            weights = self.near_sources.weights(samples.points, weight)
        return Batch(constraint, samples, weights)

    def residuals(self, batches: Sequence[Batch], trial: TrialFunction) -> list[Tensor]:
        """The residuals of each constraint, `(n,)` or `(n, c)`, at points that the batches share."""
        widest = self._widest(batches)
        jet = trial.jet(batches[0].samples.points, widest.order, widest.mixed)
        return [
            batch.constraint.residual(batch.samples, jet.restricted(self.problem.layout(batch.constraint)))
            for batch in batches
        ]

    def _widest(self, batches: Sequence[Batch]) -> Layout:
        """The derivatives that all constraints of some batches need: those of the highest order include the others."""
        return max(
            (self.problem.layout(batch.constraint) for batch in batches), key=lambda layout: layout.count
        )

    def descend(
        self,
        batches: Sequence[Batch],
        trial: TrialFunction,
        factors: Sequence[Tensor | float],
        residuals: Sequence[list[Tensor]] | None = None,
    ) -> list[Tensor]:
        """Add the gradient of Σ factor · loss to that of the parameters; return the losses, without a graph.

        batches: with shared points. residuals: a place to store those of each piece, by batch, or None.
        """
        n = len(batches[0].samples.points)
        losses = []
        for pieces in self.pieces(batches):
            share = len(pieces[0].samples.points) / n
            of_pieces = self.residuals(pieces, trial)
            parts = [
                mean_loss(residual, self.loss, piece.weights) * share
                for piece, residual in zip(pieces, of_pieces, strict=True)
            ]
            total = torch.stack([factor * loss for factor, loss in zip(factors, parts, strict=True)]).sum()
            total.backward()  # type: ignore[no-untyped-call]
            losses.append(torch.stack(parts).detach())
            if residuals is not None:
                for collected, residual in zip(residuals, of_pieces, strict=True):
                    collected.append(residual.detach())
        return list(torch.stack(losses).sum(0))

    def pieces(self, batches: Sequence[Batch]) -> Iterator[tuple[Batch, ...]]:
        """Batches with shared points, in parts that fit a CPU's cache, so that many points cost no extra time or
        memory.

        Only for equations, whose residual at a point depends only on the field at that point.
        """
        points = batches[0].samples.points
        size = len(points)
        if batches[0].constraint.name in self.equation_names and points.device.type == "cpu":
            size = CACHED_ROWS // self._widest(batches).count
        return zip(*(batch.split(size) for batch in batches), strict=True)

    def with_source_points(
        self, constraint: Constraint, samples: Samples, generator: torch.Generator
    ) -> Samples:
        """An equation's samples and, if it has Gaussian sources, points near each of them."""
        if constraint.name not in self.equation_names or not self.near_sources or not self.source_points:
            return samples
        return Samples(self.near_sources.joined(samples.points, self.source_points, generator))


def check_trainable(problem: Problem, method: Method) -> None:
    """Refuse a problem whose residuals at points cannot train a trial function."""
    if reason := problem.equation.untrainable(problem):
        raise DeclarationError(f"{type(method).__name__} cannot train {problem.name}: {reason}.")
