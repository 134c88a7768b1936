"""A declared problem as the command line and the batteries know it: a name, a factory, what is asked."""

from collections.abc import Callable
from dataclasses import dataclass

from neurapde.problem.problem import Problem


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
