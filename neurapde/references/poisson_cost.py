"""What the grid of a problem of Poisson's equation takes, by how it will be solved: by factors or by steps."""

import math
from collections.abc import Sequence

import numpy as np

from neurapde.conditions.base import Mixed
from neurapde.domains.box import Box
from neurapde.equations.poisson import Poisson
from neurapde.fields.medium import Constant
from neurapde.problem.problem import Problem
from neurapde.reference_solvers.poisson import DIRECT_LIMIT, SEPARABLE_LIMIT
from neurapde.references.cost import FACTORED_NODE, check_grid, factored, factored_in_space

ENTRY, NODE, CUT_NODE, SEPARATE_NODE = 75.0, 600.0, 5200.0, 400.0
"""Bytes: for each of the n log₂ n of a factorisation, at a node where steps are taken instead, where cells are cut, and
where the axes are solved one by one."""
PROBES = 4096
"""Points at which the sign of a reaction is asked."""


def check_poisson_grid(equation: Poisson, problem: Problem, shape: Sequence[int]) -> None:
    """Refuse (DeclarationError) a grid that does not fit in memory, and warn of one that takes long."""
    size, seconds = _cost(equation, problem, shape)
    check_grid(size, shape, problem.name, seconds)


def held_all_round(problem: Problem) -> Mixed | None:
    """The condition that gives the value on all of the boundary; None where there are others."""
    data = problem.sides.data
    only = next(iter(data.values())) if len(set(data.values())) == 1 else None
    return only if only is not None and only.fixes and not problem.sides.silent else None


def _cost(equation: Poisson, problem: Problem, shape: Sequence[int]) -> tuple[float, float]:
    """Bytes, and seconds of a core where they are known."""
    nodes, axes = float(math.prod(shape)), len(shape)
    if _separates(equation, problem, shape):
        return SEPARATE_NODE * nodes, 0.0
    if _steps(equation, problem, nodes, axes):
        cut = not isinstance(problem.domain, Box) and held_all_round(problem) is None
        return (CUT_NODE if cut else NODE) * nodes, 0.0
    if axes == 3:
        return factored_in_space(nodes)
    return factored(nodes, ENTRY), FACTORED_NODE * nodes**1.5 if axes == 2 else 0.0


def _separates(equation: Poisson, problem: Problem, shape: Sequence[int]) -> bool:
    """Whether a grid is solved axis by axis: a box of few nodes an axis, where all coefficients are declared as numbers."""
    sides = [field for given in problem.sides.data.values() for field in (given.a, given.b)]
    constant = all(isinstance(field, Constant) for field in (equation.coefficient, equation.reaction, *sides))
    small = len(shape) > 1 and max(shape) <= SEPARABLE_LIMIT
    return isinstance(problem.domain, Box) and constant and small and not _is_negative(equation, problem)


def _steps(equation: Poisson, problem: Problem, nodes: float, axes: int) -> bool:
    """Whether a grid is solved on by iterations, and not factored; with a negative reaction it always is on a Box."""
    if not isinstance(problem.domain, Box):
        return axes == 3
    return nodes > DIRECT_LIMIT[axes - 1] and not _is_negative(equation, problem)


def _is_negative(equation: Poisson, problem: Problem) -> bool:
    reaction = equation.reaction
    if isinstance(reaction, Constant):
        return reaction.value.real < 0
    return bool((np.asarray(reaction(problem.domain.sample(PROBES, how="grid").numpy())) < 0).any())
