"""Solve a declared problem on a grid, for comparison: one function, and one adapter per equation.

An adapter lives in a file of its own, turns the declaration into arrays for a solver of `reference_solvers`, and
is registered here by the equation's class.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import singledispatch

from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.core.gradients import differentiating
from neurapde.core.interrupts import terminable
from neurapde.core.progress import counting
from neurapde.equations.eikonal import Eikonal
from neurapde.equations.fit import Fit
from neurapde.equations.helmholtz import Helmholtz
from neurapde.equations.poisson import Poisson
from neurapde.equations.wave import Wave
from neurapde.problem.equation import AbstractEquation
from neurapde.problem.problem import Problem
from neurapde.references.eikonal import solve_travel_times
from neurapde.references.fit import solve_fit
from neurapde.references.helmholtz import solve_helmholtz
from neurapde.references.poisson import solve_poisson_problem
from neurapde.references.solution import GridSolution
from neurapde.references.wave import solve_wave


@differentiating()
@terminable()
def reference(
    problem: Problem, shape: int | Sequence[int] | None = None, *, error: bool = True, progress: bool = True
) -> GridSolution:
    """Solve the problem on a grid by a classical solver that shares no derivative code with the networks.

    Args:
        problem: with an equation that has a grid solver: Helmholtz on a Box of one to three dimensions, Poisson on a
            Box or cut out of one, with any conditions on any faces, eikonal, wave and Fit.
        shape: `(nx, ny)` nodes, boundary included, or one number for every axis; None for an automatic choice:
            24 nodes in the shortest wavelength, 12 where those are too many; refined while the error
            estimate is above 0.2 % and 900² nodes (some 15 s), in space 129³, are not passed.
        error: estimate the error by solving again with twice the spacing, which costs a fifth more time.
        progress: show the number of grids that are solved: a bar in a terminal or a notebook, lines in a log.

    Raises: ResolutionError if `shape` has fewer than 2.5 nodes in a wavelength, DeclarationError for a problem
        or a shape that the solver does not take.
    Ctrl-C and SIGTERM raise KeyboardInterrupt.
    Warns: ResolutionWarning below 4 nodes in a wavelength.
    """
    checks.kind(problem, "problem", Problem, "declare one with npde.Problem(…)")
    checks.flag(error, "error")
    checks.flag(progress, "progress")
    counts = _counts(shape, problem.domain.dimension)
    with counting(progress, f"grid reference of {problem.name}", "grid"):
        solution = _solve(problem.equation, problem, counts, error)
    return replace(solution, problem=problem)


@singledispatch
def _solve(
    equation: AbstractEquation, problem: Problem, shape: tuple[int, ...] | None, error: bool
) -> GridSolution:
    raise DeclarationError(
        f"there is no grid solver for the equation {type(equation).__name__} of {problem.name!r}; compare with an "
        "exact solution (Problem(exact=…)) or with a second, finer solution"
    )


_solve.register(Helmholtz, solve_helmholtz)
_solve.register(Poisson, solve_poisson_problem)
_solve.register(Eikonal, solve_travel_times)
_solve.register(Fit, solve_fit)
_solve.register(Wave, solve_wave)


def _counts(shape: int | Sequence[int] | None, dimension: int) -> tuple[int, ...] | None:
    if shape is None:
        return None
    counts = checks.node_counts(shape, dimension, 7)
    if counts is None:
        raise DeclarationError(
            f"shape={checks.shown(shape)}; give {dimension} whole numbers of nodes, at least 7 each, or None for an "
            "automatic choice"
        )
    return counts
