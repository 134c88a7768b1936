"""The default method of a problem and its reason: the first direct method that can solve it, else a training."""

from neurapde.domains.spacetime import SpaceTime
from neurapde.methods.adam import Adam
from neurapde.methods.elements.spectral_elements import SpectralElements
from neurapde.methods.galerkin import Galerkin
from neurapde.methods.gauss_newton import GaussNewton
from neurapde.methods.least_squares import LeastSquares
from neurapde.methods.marching.evolution import lasts_long
from neurapde.methods.method_of_lines import MethodOfLines
from neurapde.methods.natural_gradient import NaturalGradient
from neurapde.methods.newton import Newton
from neurapde.methods.separable import Separable
from neurapde.methods.time_marching import TimeMarching
from neurapde.methods.trefftz import Trefftz
from neurapde.problem.advice import Advice
from neurapde.problem.problem import Problem
from neurapde.training.losses import MeanAbsolute, MeanSquare
from neurapde.training.run.method import DirectMethod, Method
from neurapde.training.sampling import Fixed, ResidualAdaptive
from neurapde.training.schedules import ConstantRate, Cosine
from neurapde.trials.base import Trial, TrialFunction

PREFERRED: tuple[DirectMethod, ...] = (
    Separable(),
    Trefftz(),
    SpectralElements(),
    MethodOfLines(),
    Galerkin(),
    LeastSquares(),
    TimeMarching(),
    Newton(),
)
"""The direct methods, from the quickest to the most general one."""


def choose_method(problem: Problem, trial: Trial | TrialFunction | None) -> tuple[Method, str]:
    """The method for `problem` if the user names none, and the reason."""
    if problem.unknowns:
        return (
            GaussNewton(),
            "Method: Gauss–Newton, since the problem has unknowns that its data must determine.",
        )
    given = trial is not None
    advice = problem.equation.advice(problem, given)
    method: Method | None = None
    why = advice.why or "a trial function was given to be trained"
    if not given and not advice.first:
        method, why = _direct(problem)
    if method is None:
        method = _training(advice)
    return method, f"Method: {method.describe()}, since {why}."


def _direct(problem: Problem) -> tuple[DirectMethod | None, str]:
    """The first direct method that can solve a problem, with the reason; or None, and the obstacle of the most general
    one.

    Weak forms come first if the equation needs them, and last if its residuals at points suffice. A field that relaxes
    many times is marched through time, because its start needs many functions of space and time.
    """
    weak = problem.equation.weak_first(problem)
    marching = TimeMarching()
    followed = lasts_long(problem) and marching.begins(problem)
    preferred = (marching, *PREFERRED) if followed else PREFERRED
    obstacles: dict[DirectMethod, str] = {}
    for method in sorted(preferred, key=lambda candidate: candidate.weak and weak is None):
        obstacle = method.obstacle(problem)
        if obstacle is None:
            return method, (weak if method.weak and weak else method.why(problem))
        obstacles[method] = obstacle
    why = obstacles[PREFERRED[-1]]
    over_time = isinstance(problem.domain, SpaceTime)
    return (
        None,
        f"{why}; {type(marching).__name__} does not take it: {obstacles[marching]}" if over_time else why,
    )


def _training(advice: Advice) -> Method:
    """The training that an equation recommends."""
    if advice.curved:
        sampling = ResidualAdaptive(every=10) if advice.follows else Fixed("sobol")
        return NaturalGradient(advice.steps, advice.points, advice.weights, sampling=sampling)
    return Adam(
        advice.steps,
        advice.rate,
        advice.points,
        MeanSquare() if advice.squares else MeanAbsolute(),
        weights=advice.weights,
        schedule=Cosine() if advice.fading else ConstantRate(),
    )
