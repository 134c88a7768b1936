"""Trefftz: features solve the equation where its coefficients are constant; only interfaces and sides remain.

Each region has its own functions: waves about the centres of circles, and waves of poles near corners and other near
objects. Least squares along the panels gives their amplitudes; see the folder `trefftz`. Their number grows until the
residual at fresh points of the panels and the change of the field meet the tolerance.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from neurapde.assembly.trefftz.family import Family, family_of
from neurapde.assembly.trefftz.helmholtz import HelmholtzFamily
from neurapde.assembly.trefftz.levels import AbstractLevels, Levels, Solved
from neurapde.assembly.trefftz.potentials.family import PoissonFamily
from neurapde.assembly.trefftz.potentials.levels import PotentialLevels
from neurapde.assembly.trefftz.space.helmholtz import HelmholtzInSpace
from neurapde.assembly.trefftz.space.levels import SpaceLevels
from neurapde.assembly.trefftz.space.poisson import PoissonInSpace
from neurapde.core.cost import Cost
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import number
from neurapde.core.memory import lacking
from neurapde.domains.base import Domain
from neurapde.domains.parted import Parted
from neurapde.domains.spacetime import SpaceTime
from neurapde.equations.helmholtz import Helmholtz
from neurapde.equations.poisson import Poisson
from neurapde.equations.recognised import as_known
from neurapde.methods.refinement import Level, check_growth, of_each_field, refine
from neurapde.problem.problem import Problem
from neurapde.training.run.budget import SECONDS, Budget
from neurapde.training.run.method import DirectMethod, Outcome, Task

Kind = tuple[type[Family], Callable[[Any], AbstractLevels[Any]]]
FAMILIES: dict[tuple[type, int], Kind] = {
    (Helmholtz, 2): (HelmholtzFamily, Levels),
    (Poisson, 2): (PoissonFamily, PotentialLevels),
    (Helmholtz, 3): (HelmholtzInSpace, SpaceLevels),
    (Poisson, 3): (PoissonInSpace, SpaceLevels),
}
"""The equations whose solutions are known in closed form, by the number of axes, and how their levels are made."""
SAFETY = 2.0
"""Factor by which the error may fall less than the residual at interfaces and sides."""

ROUNDING = 1e-11
"""Smallest relative error that is stated."""


@dataclass(frozen=True)
class Trefftz(DirectMethod):
    """Solve a linear equation whose coefficients are constant by region, by functions that solve it in each region.

    Helmholtz' and Poisson's equation (with a reaction, too) in the plane, on boxes, disks, polygons and their
    combinations, with any number of regions, holes and shots; speeds may be complex. Loads are Gaussian and point
    sources. For Poisson's equation they may be functions of space, also piecewise, that are smooth in the box around a
    region, or r^β times a smooth function at a re-entrant corner from which the whole region is visible. Sides may be
    Periodic along one axis or both, but not with a PML. If all conditions are slopes or periodicity, it finds the field
    with mean zero. A user's own equation αΔu + γu + g = 0 is treated as one of these.

    In three axes it takes balls, apart or nested, as inclusions and as holes, within a box, a ball or open space (a box with
    a PML at all of its faces). Loads are Gaussian and point sources there, and for Poisson's equation polynomials,
    also piecewise.

    tolerance: relative L2 error of the field to stop at, as estimated from the residual at fresh points of interfaces
        and sides and from the change between two levels.
    largest:   total number of features at which the refinement stops in any case.
    seconds:   limit of the processor time, as in `LeastSquares`.
    Raises DeclarationError (from `solve`, before any work) for problems that it cannot take.
    """

    tolerance: float = 1e-5
    largest: int = 4000
    seconds: float = SECONDS

    def __post_init__(self) -> None:
        check_growth(self.tolerance, self.largest, 8, self.seconds)

    def obstacle(self, problem: Problem) -> str | None:
        problem = _named(problem)
        if not any(isinstance(problem.equation, equation) for equation, _ in FAMILIES):
            return "no closed-form solutions of its equation are known"
        family, _ = _kind(problem) or (None, None)
        plane = problem.domain.dimension == 2 and not _has_edges(problem.domain)
        if family is None or isinstance(problem.domain, SpaceTime) or plane:
            return (
                f"its domain is {problem.domain}, which is not made of segments and arcs in the plane, or of balls "
                "in space"
            )
        if isinstance(problem.domain.spatial, Parted):
            return "its conditions hold on parts of faces"
        if problem.further:
            return problem.further
        return family.obstacle(problem) or self._too_thin(problem)

    def _too_thin(self, problem: Problem) -> str | None:
        """A message that a thin part needs so many functions that the first level is impossible."""
        cost = _cost(*_begun(problem, self.tolerance))
        if cost.seconds <= self.seconds and lacking(cost.memory) is None:
            return None
        return (
            f"its regions are so thin, or so close to each other, that the first level would need {cost.what}; use "
            "LeastSquares"
        )

    def why(self, problem: Problem) -> str:
        return "the coefficients are constant by region, and functions that solve the equation in each region are known"

    def describe(self) -> str:
        return f"Trefftz to a relative error of {number(self.tolerance)}"

    def run(self, task: Task) -> Outcome:
        self.check_trial(task.trial)
        declared, task = task.problem, replace(task, problem=_named(task.problem))
        levels, _ = _begun(task.problem, self.tolerance)
        family = levels.family
        budget = Budget(self.seconds, "Trefftz", task.problem.name, "a larger tolerance, or fewer regions")
        refined = refine(task, self._levels(levels, budget), self.largest, self.tolerance, budget)
        level, solved = refined.level, refined.level.solved
        notes = [
            f"Trial function: {level.features} solutions of the equation in {_count(len(levels.partition.regions))}, "
            f"fitted at {solved.points} points of interfaces and sides."
            if level.features
            else "Trial function: none; the known wave is the whole field.",
            f"Estimated relative error: {level.estimate:.1e}, from the residual at fresh points "
            f"there{'.' if math.isnan(level.change) else ', and the change between the last two levels.'}",
            *family.notes(),
        ]
        if task.problem is not declared:
            notes.insert(0, f"Its equation is {', '.join(task.problem.equation.describe(task.problem))}.")
        extras = {"residual": float(solved.left.max(initial=0.0))}
        way = f"Trefftz(largest={2 * self.largest})"
        return refined.outcome(levels.trial(solved).to(task.device), notes, extras, way)

    def _levels(self, levels: AbstractLevels[Any], budget: Budget) -> Iterator[Level[Solved]]:
        """Levels of more and more digits, with the error from the residual and the change."""
        before: Level[Solved] | None = None
        for digits in levels.digits(self.tolerance):
            plan = levels.plan(digits)
            if before is not None and plan.basis.count > self.largest:
                return
            columns = plan.basis.count
            if not budget.admits(_cost(levels, plan)):
                return
            solved = levels.solve(plan)
            field = levels.field(solved)
            level = Level(solved, columns, field)
            if not columns:
                yield Level(solved, 0, field, True, 0.0, ROUNDING + levels.floor(field))
                return
            if before is not None:
                level = _estimated(level, before)
                level = replace(level, estimate=level.estimate + levels.floor(field))
            if (proven := levels.error(solved, field)) is not None:
                level = replace(level, estimate=min(proven, level.estimate))
            yield level
            before = level


def _kind(problem: Problem) -> Kind | None:
    return FAMILIES.get((type(problem.equation), problem.domain.dimension))


@lru_cache(maxsize=4)
def _begun(problem: Problem, tolerance: float) -> tuple[AbstractLevels[Any], Any]:
    """The levels of a problem, and the plan of the first; cached between the choice of a method and its run."""
    known = _kind(problem)
    assert known is not None
    kind, make = known
    levels = make(family_of(kind, problem))
    return levels, levels.plan(next(levels.digits(tolerance)))


def _cost(levels: AbstractLevels[Any], plan: Any) -> Cost:
    """The cost of a level."""
    rows, columns = plan.rows, plan.basis.count
    seconds = levels.pace * rows * columns**2
    return Cost(64.0 * rows * columns, seconds, f"{columns} functions at {rows} rows")


def _estimated(level: Level[Solved], before: Level[Solved]) -> Level[Solved]:
    """A level with its change from the one before, which is that one's error, and its own estimated error.

    The change is assumed to fall from level to level like the residual at interfaces and sides, times SAFETY.
    """
    change = of_each_field(level.field - before.field, level.field)
    size = np.where(before.solved.left > 0, before.solved.left, 1.0)
    fallen = float(np.max(level.solved.left / size))
    estimate = max(change * min(1.0, SAFETY * fallen), ROUNDING)
    return Level(level.solved, level.features, level.field, True, change, estimate)


def _named(problem: Problem) -> Problem:
    """The problem with a user's own equation recognised as a named one."""
    return as_known(problem) or problem


def _has_edges(domain: Domain) -> bool:
    try:
        return bool(domain.edges)
    except DeclarationError:
        return False


def _count(regions: int) -> str:
    return "one region" if regions == 1 else f"{regions} regions"
