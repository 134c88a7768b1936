"""Whether a problem has one solution: missing and contradictory conditions are found before any work."""

import numpy as np
import torch

from neurapde.core.errors import DeclarationError, DeclarationWarning
from neurapde.core.formatting import listing
from neurapde.core.warn import warn
from neurapde.domains.spacetime import FINAL, INITIAL, SpaceTime
from neurapde.equations.poisson import Poisson
from neurapde.fields.sources import GaussianSource, PointSource, Source
from neurapde.problem.equation import Equation
from neurapde.problem.problem import Problem
from neurapde.spectral.boundary_rule import boundary_rule
from neurapde.trials.base import TrialFunction
from neurapde.verification.corners import warn_of_jumps
from neurapde.verification.shared_points import check_shared_points

POINTS, HALVES = 2**14, 2  # of an integral over the domain, and parts whose difference tells its error
PROBES, FEW = 1000, 50  # points at which a field is looked at, and of how many one is looked at first
ALONG = 400  # points along a face
UNBALANCED = 0.01  # of all that goes in and out: what may be left over


def check_determined(problem: Problem) -> None:
    """Refuse a problem without a condition on a face or at the start, or whose slopes do not balance its sources.

    It also refuses conditions that contradict each other at shared points, and warns of initial values that jump at
    sides.

    Further constraints may replace conditions, so a problem with some is accepted.
    Raises: DeclarationError.
    """
    if problem.unknowns:
        return
    check_shared_points(problem)
    warn_of_jumps(problem)
    if problem.extra:
        return
    silent = problem.sides.silent
    if problem.equation.one_condition_a_face and silent:
        raise DeclarationError(
            f"{problem.name} has no condition on {listing(silent)}, so it has many solutions; give one there, "
            f"such as Dirichlet(0.0, on={silent[0]!r})"
        )
    if isinstance(problem.equation, Equation) and isinstance(problem.domain, SpaceTime):
        said = problem.sides.by_face
        if not said[INITIAL] and not said[FINAL] and problem.equation.reads_time_derivative(problem.domain):
            raise DeclarationError(
                f"{problem.name} has no initial condition, so it has many solutions; give InitialCondition(value)"
            )
    if isinstance(problem.equation, Poisson) and problem.equation.leaves_constant(problem):
        _check_balance(problem.equation, problem)


def warn_of_nothing(problem: Problem, field: TrialFunction) -> None:
    """Warn of a field that is zero everywhere: a source may have been forgotten."""
    points = problem.domain.sample(PROBES, how="grid")
    points = points.to(next(field.parameters(), points))
    with torch.no_grad():
        if not any(bool(field(batch).any()) for batch in (points[::FEW], points)):
            warn(
                f"the field of {problem.name} is zero everywhere: all sources, boundary values and initial values are "
                "zero; declare one that is not, if something is missing",
                DeclarationWarning,
            )


def _check_balance(equation: Poisson, problem: Problem) -> None:
    """∫ f + ∮ a ∂u/∂n = 0 where only slopes and periodicity are given."""
    spacing = float(problem.domain.measure) ** (1 / problem.domain.dimension) / ALONG
    net, gross = 0.0, 0.0
    for face, given in problem.sides.data.items():
        points, _, weights = boundary_rule(problem.domain, face, spacing)
        slope = given.value(points) / given.b(points)
        flux = weights * np.asarray(equation.coefficient(points) * slope, dtype=float)
        net, gross = net + float(flux.sum()), gross + float(np.abs(flux).sum())
    for sources in problem.right_hand_sides:
        inside = [_mass(source, problem) for source in sources]
        total = net + sum(mass for mass, _, _ in inside)
        size = gross + sum(size for _, size, _ in inside)
        error = sum(error for _, _, error in inside)
        if abs(total) > UNBALANCED * size + HALVES * error:
            raise DeclarationError(
                f"{problem.name} has no solution: without a Dirichlet or Robin condition its sources and the fluxes through "
                f"its faces must balance, ∫f + ∮a ∂u/∂n = 0, but this is {total:.4g}; change the fluxes or the sources, or "
                "give the value on a face"
            )


def _mass(source: Source, problem: Problem) -> tuple[float, float, float]:
    """∫ f over the domain, ∫ |f|, and the error of the first from two halves of the points."""
    domain = problem.domain
    if isinstance(source, GaussianSource | PointSource):
        depth = -float(np.asarray(domain.signed_distance(np.array([source.at])))[0])
        if depth > source.reach:
            return float(np.real(source.amplitude)), abs(source.amplitude), 0.0
    points = domain.sample(POINTS, how="grid").numpy()
    values = np.asarray(source(points), dtype=float) * domain.measure
    halves = [float(values[start::HALVES].mean()) for start in range(HALVES)]
    return float(values.mean()), float(np.abs(values).mean()), abs(halves[0] - halves[1])
