"""Initial values that differ from those of the sides: a warning before any work, because the field jumps there."""

from collections.abc import Iterator
from itertools import product

import torch

from neurapde.conditions.constraints import Constraint, Face, Samples
from neurapde.conditions.periodic import PairedPoints
from neurapde.core.errors import DeclarationWarning
from neurapde.core.warn import warn
from neurapde.domains.spacetime import INITIAL, SpaceTime
from neurapde.equations.fit import Fit
from neurapde.problem.problem import Problem
from neurapde.verification.shared_points import Contradiction, contradiction, linear_rows, opposite

POINTS = 64
"""Points on a face at the start."""
APART = 1e-3
"""Fraction of the largest value of the two: smallest difference that counts."""


def warn_of_jumps(problem: Problem) -> None:
    """Warn if initial condition and side give the field two values where they meet, with names, place and values.

    A field with both exists: it jumps there. Heat makes it smooth a moment later, a wave carries the jump on.
    """
    if isinstance(problem.equation, Fit) or not isinstance(problem.domain, SpaceTime):
        return
    values = [constraint for constraint in problem.constraints if constraint.order == 0]
    beginnings = [constraint for constraint in values if _begins(constraint)]
    for beginning, side in product(beginnings, values):
        for found in _jumps(problem, beginning, side):
            if found:
                warn(
                    f"the field of {problem.name} begins with a jump at {found.place}: {found.values}. The field is "
                    "less accurate near there; make the two agree where they meet, unless the jump is meant",
                    DeclarationWarning,
                )
                break


def _begins(constraint: Constraint) -> bool:
    return isinstance(constraint.sample, Face) and tuple(constraint.sample.on) == (INITIAL,)


def _largest(problem: Problem, constraint: Constraint) -> float:
    """The largest value of a condition."""
    rows = linear_rows(problem, constraint, constraint.sample(POINTS, how="grid"))
    return 0.0 if rows is None else float(rows[1].abs().max())


def _jumps(problem: Problem, beginning: Constraint, side: Constraint) -> Iterator[Contradiction | None]:
    """Places where initial condition and side conditions contradict each other at the start, face by face."""
    domain, sample = problem.domain, side.sample
    start = float(domain.bounds[0][-1])
    least = APART * max(_largest(problem, constraint) for constraint in (beginning, side))

    def begun(points: torch.Tensor) -> Samples:
        return Samples(torch.cat([points[:, :-1], torch.full_like(points[:, -1:], start)], dim=1))

    if isinstance(sample, PairedPoints):
        yield opposite(problem, beginning, side, begun(sample(POINTS, how="grid").points), least)
    elif isinstance(sample, Face) and sample.domain == domain:
        for face in domain.spatial.faces:
            if face in sample.on:
                places = begun(Face(domain, (face,))(POINTS, how="grid").points)
                yield contradiction(problem, (beginning, side), places, least)
