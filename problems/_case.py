"""A declared problem for the command line and the tests: a name, a factory, and the required accuracy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from neurapde.problem.problem import Problem
    from neurapde.problems.inversions._inversion import InversionProblem


@dataclass(frozen=True)
class Case:
    """One problem with its defaults.

    name:      what it is called at the command line.
    factory:   makes the problem; every parameter has a default and is given by keyword.
    summary:   one line for `neurapde list`.
    tolerance: relative L2 error in the physical region that the default method stays below, against the exact
               solution where there is one and else against the converged reference.
    seconds:   what the default method takes on two cores, to within a factor of two.
    """

    name: str
    factory: Callable[..., Problem]
    summary: str
    tolerance: float
    seconds: float


@dataclass(frozen=True)
class InversionCase:
    """One inversion with its defaults.

    name:      what it is called at the command line.
    factory:   makes the problem; every parameter has a default and is given by keyword.
    summary:   one line for `neurapde list`.
    tolerance: ‖m − m*‖/‖m* − m_start‖, m = 1/c² where it is unknown, that the default method stays below.
    seconds:   what the default method takes on two cores, to within a factor of two.
    """

    name: str
    factory: Callable[..., InversionProblem]
    summary: str
    tolerance: float
    seconds: float
