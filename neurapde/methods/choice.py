"""The default method of a problem, and the sentence that says why."""

import functools
from collections.abc import Callable

from neurapde.conditions.constraints import Interior
from neurapde.equations.eikonal import Eikonal, half_width
from neurapde.equations.fit import Fit
from neurapde.equations.helmholtz import Helmholtz
from neurapde.equations.poisson import Poisson
from neurapde.equations.wave import Wave
from neurapde.methods.adam import Adam
from neurapde.methods.diffusion import is_rough
from neurapde.methods.fitting import fitting
from neurapde.methods.galerkin import Galerkin, obstacle
from neurapde.methods.least_squares import LeastSquares, is_linear
from neurapde.methods.method_of_lines import MethodOfLines, wave_obstacle
from neurapde.methods.natural_gradient import NaturalGradient
from neurapde.methods.newton import Newton
from neurapde.methods.separable import Separable, inseparable
from neurapde.problem.equation import Equation
from neurapde.problem.problem import Problem
from neurapde.run.method import Method
from neurapde.training.sampling import ResidualAdaptive
from neurapde.training.schedules import Cosine
from neurapde.trials.base import Trial, TrialFunction

DEFAULT_STEPS = 10_000
SMALL = 3
"""Axes, time included, up to which some thousand points and parameters do for a nonlinear equation."""
ON_SURFACE = {"surface": 10.0, "normals": 1.0, "off-surface": 0.0, "eikonal": 1.0}
"""Weights by which a signed distance is trained; the distance itself, where it is known, counts as the surface."""
LENGTHS = ("surface", "distance")
"""The constraints of a signed distance whose residual is a length."""


def choose_method(problem: Problem, trial: Trial | TrialFunction | None) -> tuple[Method, str]:
    """The method for `problem` when the user names none, and why this one."""
    method: Method
    linear = functools.cache(lambda: is_linear(problem))  # a solve, though a small one
    if isinstance(problem.equation, Eikonal) and trial is None:
        small = _for_eikonal(problem.equation, problem)
        return (
            small,
            f"Method: {small.describe()}, since the equation is not linear and a small network suffices.",
        )
    if isinstance(problem.equation, Eikonal) and problem.equation.surface is not None:
        known = {"distance": 10.0} if problem.equation.distance else {}
        weights = _by_half_width(known | ON_SURFACE, problem)
        method = Adam(steps=2000, lr=1e-3, weights=weights, schedule=Cosine())
        return method, f"Method: {method.describe()}, since a trial function to train was given."
    if isinstance(problem.equation, Fit):
        fit = fitting(problem.equation, problem)
        return fit, f"Method: {fit.describe()}, the paper's for samples."
    if isinstance(problem.equation, Wave) and trial is None:
        reason = wave_obstacle(problem)
        if reason is None:
            lines = MethodOfLines()
            return lines, f"Method: {lines.describe()}, since the equation is linear and the space a box."
        if linear():
            squares = LeastSquares()
            return squares, f"Method: {squares.describe()} in space and time at once, since {reason}."
        return Adam(steps=DEFAULT_STEPS), f"Method: Adam, {DEFAULT_STEPS} steps, since {reason}."
    reason = obstacle(problem) if trial is None else "a trial function to train was given"
    if reason is None and (why := _for_energy(problem, linear)):
        method = Galerkin()
        return method, f"Method: {method.describe()}, since {why}."
    if trial is None and inseparable(problem) is None:
        method = Separable()
        return (
            method,
            f"Method: {method.describe()}, since the coefficients are constant and the domain is a box.",
        )
    if trial is None and isinstance(problem.equation, Equation | Helmholtz | Poisson) and linear():
        method = LeastSquares()
        return method, f"Method: {method.describe()}, since every constraint is linear in u."
    if trial is None and isinstance(problem.equation, Equation) and Newton().settles(problem):
        method = Newton()
        return (
            method,
            f"Method: {method.describe()}, since the equation is not linear and the iteration settles.",
        )
    if trial is None and isinstance(problem.equation, Equation) and problem.domain.dimension <= SMALL:
        method = _for_nonlinear(problem)
        return (
            method,
            f"Method: {method.describe()}, since the equation is not linear and Newton's iteration does not settle.",
        )
    assert reason is not None
    method = Adam(steps=DEFAULT_STEPS)
    return method, f"Method: {method.describe()}, since {reason.removesuffix('; use Adam')}."


def _for_energy(problem: Problem, linear: Callable[[], bool]) -> str | None:
    """Why the weak form is the one to solve by, where it may; None where the strong form is better."""
    if not isinstance(problem.equation, Poisson):
        return "the equation is linear and the domain a box"
    if is_rough(problem):
        return "the coefficient is too rough for the strong form"
    return None if linear() else "the strong form is not to be had"


def _for_nonlinear(problem: Problem) -> NaturalGradient:
    """Points that follow the residual; conditions count more, as they decide which of many solutions it is."""
    inside = {one.name: isinstance(one.sample, Interior) for one in problem.trained}
    points = {name: 2000 if is_inside else 200 for name, is_inside in inside.items()}
    weights = {name: 10.0 for name, is_inside in inside.items() if not is_inside}
    return NaturalGradient(120, points, weights, sampling=ResidualAdaptive(every=10))


def _for_eikonal(equation: Eikonal, problem: Problem) -> NaturalGradient:
    """Weights of a signed distance: lengths count most, and exp(−100|Φ|), which the true distance misses, not at all."""
    if equation.surface is None:
        return NaturalGradient(steps=40, points=2000)
    weights = {"surface": 10.0, "normals": 0.1, "off-surface": 0.0, "eikonal": 0.1}
    points = {"surface": 1500, "normals": 750, "off-surface": 750, "eikonal": 1500}
    if equation.distance:
        weights["distance"], points["distance"] = 10.0, 3000
    return NaturalGradient(steps=40, points=points, weights=_by_half_width(weights, problem))


def _by_half_width(weights: dict[str, float], problem: Problem) -> dict[str, float]:
    """The weights of lengths for lengths in units of the domain's half width, so that they count alike at every scale."""
    square = half_width(problem.domain) ** 2
    return {name: w / square if name in LENGTHS else w for name, w in weights.items()}
