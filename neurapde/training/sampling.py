"""The points of a training: drawn anew, fixed, or placed where the residual is large.

A `Sampling` is the user's declaration; a `Draws` is one run of it, which stores fixed points and gives them to the
checkpoint.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from neurapde.conditions.constraints import Constraint, Interior, Samples
from neurapde.core import checks
from neurapde.core.declaration import Declaration
from neurapde.domains.sampling import How, check_request
from neurapde.training.objective import Objective
from neurapde.trials.base import TrialFunction

PARTS = ("points", "normals", "targets")


class Sampling(Declaration, ABC):
    """The rule for the points of a training."""

    @property
    def shares(self) -> bool:
        """Whether constraints of equal samplers may take the same points."""
        return True

    @abstractmethod
    def keeps(self, constraint: Constraint) -> bool:
        """Whether points of this constraint stay the same from one step to the next."""

    @abstractmethod
    def due(self, step: int) -> bool:
        """Whether fixed points are drawn anew before this step."""

    @abstractmethod
    def draw(self, constraint: Constraint, run: "Draws", reach: float) -> Samples:
        """New points of a constraint."""


@dataclass(frozen=True)
class Fresh(Sampling):
    """New points in every step.

    how: "uniform", independent of each other, or "sobol", a newly scrambled low-discrepancy sequence.
    """

    how: How = "uniform"

    def __post_init__(self) -> None:
        check_request(1, self.how)

    def keeps(self, constraint: Constraint) -> bool:
        return False

    def due(self, step: int) -> bool:
        return True

    def draw(self, constraint: Constraint, run: "Draws", reach: float) -> Samples:
        return run.objective.draw(constraint, run.trial, run.generator, self.how)


@dataclass(frozen=True)
class Fixed(Sampling):
    """The same points in every step: the mean over them is a quadrature rule for the integral of the loss.

    how: "grid", the finest lattice of at most this many points, "sobol" or "uniform".
    """

    how: How = "grid"

    def __post_init__(self) -> None:
        check_request(1, self.how)

    def keeps(self, constraint: Constraint) -> bool:
        return True

    def due(self, step: int) -> bool:
        return step == 0

    def draw(self, constraint: Constraint, run: "Draws", reach: float) -> Samples:
        return run.objective.draw(constraint, run.trial, run.generator, self.how)


@dataclass(frozen=True)
class ResidualAdaptive(Sampling):
    """Points of the equation are placed where its residual r is large, every `every` steps; conditions get new ones
    each step.

    A pool of `pool` times as many uniform points is drawn, and the points are taken from it without repetition, with
    probabilities in proportion to |r|^power / mean |r|^power + floor. A floor of 0 leaves places of small residual
    empty; a large one is uniform sampling.

    Source: Wu, Zhu, Tan, Kartha, Lu (2023), Comput. Methods Appl. Mech. Eng. 403, 115671, algorithm 3 (RAD); k = c = 1.
    """

    every: int = 100
    power: float = 1.0
    floor: float = 1.0
    pool: int = 8

    def __post_init__(self) -> None:
        checks.whole(self.every, "every", of="ResidualAdaptive")
        checks.whole(self.pool, "pool", 2, of="ResidualAdaptive")
        for name in ("power", "floor"):
            way = "give a finite number, not negative"
            checks.number(getattr(self, name), name, lambda x: x >= 0, way, of="ResidualAdaptive")

    @property
    def shares(self) -> bool:
        return False  # they follow the residual of one constraint

    def keeps(self, constraint: Constraint) -> bool:
        return isinstance(constraint.sample, Interior)

    def due(self, step: int) -> bool:
        return step % self.every == 0

    def draw(self, constraint: Constraint, run: "Draws", reach: float) -> Samples:
        if not self.keeps(constraint):
            return run.objective.draw(constraint, run.trial, run.generator, "sobol")
        pool = run.pool(constraint, self.pool)
        sizes = run.sizes(constraint, pool, reach) ** self.power
        chances = sizes / sizes.mean() + self.floor
        if not bool(torch.isfinite(chances).all() & (chances.sum() > 0)):
            chances = torch.ones_like(chances)
        count = run.objective.count(constraint.name)
        chosen = _without_repetition(chances, min(count, len(chances)), run.generator)
        return run.objective.with_source_points(constraint, Samples(pool.points[chosen]), run.generator)


def _without_repetition(chances: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Indices of `count` different entries, drawn one after the other in proportion to the remaining `chances`.

    It uses exponential clocks with the rates `chances`: the first ones to ring. Source: Efraimidis, Spirakis (2006).
    """
    clocks = torch.empty_like(chances).exponential_(generator=generator) / chances
    return torch.topk(clocks, count, largest=False).indices


class Draws:
    """One run of a sampling: the fixed points, by constraint."""

    def __init__(
        self, sampling: Sampling, objective: Objective, trial: TrialFunction, generator: torch.Generator
    ) -> None:
        self.sampling, self.objective, self.trial, self.generator = sampling, objective, trial, generator
        self.kept: dict[str, Samples] = {}

    @property
    def groups(self) -> tuple[tuple[Constraint, ...], ...]:
        """The constraints to train, in groups that use the points of their first member."""
        if self.sampling.shares:
            return self.objective.shared
        return tuple((constraint,) for constraint in self.objective.constraints)

    def samples(self, constraint: Constraint, step: int, reach: float) -> Samples:
        """The points of a constraint for a step."""
        if constraint.name in self.kept and not self.sampling.due(step):
            return self.kept[constraint.name]
        samples = self.sampling.draw(constraint, self, reach)
        if self.sampling.keeps(constraint):
            self.kept[constraint.name] = samples
        return samples

    def pool(self, constraint: Constraint, times: int) -> Samples:
        """Uniform points of a constraint, a multiple of its number in a step."""
        anchor = next(self.trial.parameters())
        return constraint.sample_like(
            anchor, times * self.objective.count(constraint.name), self.generator, "uniform"
        )

    def sizes(self, constraint: Constraint, samples: Samples, reach: float) -> Tensor:
        """|r| at every point `(n,)`: for several components the root of the sum of squares."""
        batch = self.objective.batch(constraint, samples, reach)
        with torch.no_grad():
            residuals = [
                self.objective.residuals(pieces, self.trial)[0].abs()
                for pieces in self.objective.pieces([batch])
            ]
        return torch.linalg.vector_norm(torch.cat(residuals).reshape(len(samples.points), -1), dim=1)

    def tensors(self) -> dict[str, Tensor]:
        """The fixed points, for a checkpoint."""
        return {
            f"kept.{index}.{kind}": tensor
            for index, name in enumerate(self.objective.names)
            if name in self.kept
            for kind in PARTS
            if (tensor := getattr(self.kept[name], kind)) is not None
        }

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """The points of a checkpoint."""
        device = next(self.trial.parameters()).device
        for index, name in enumerate(self.objective.names):
            points, normals, targets = (tensors.get(f"kept.{index}.{kind}") for kind in PARTS)
            if points is not None:
                self.kept[name] = Samples(
                    points.to(device),
                    None if normals is None else normals.to(device),
                    None if targets is None else targets.to(device),
                )
