"""The default method of a problem, and the sentence that says why."""

from neurapde.methods.adam import Adam
from neurapde.methods.base import Method
from neurapde.methods.galerkin import Galerkin, obstacle
from neurapde.problem import Problem
from neurapde.trials.base import Trial, TrialFunction

DEFAULT_STEPS = 10_000


def choose_method(problem: Problem, trial: Trial | TrialFunction | None) -> tuple[Method, str]:
    """The method for `problem` when the user names none, and why this one."""
    reason = obstacle(problem) if trial is None else "a trial function to train was given"
    if reason is None:
        method: Method = Galerkin()
        return method, f"Method: {method.describe()}, since the equation is linear and the domain a box."
    method = Adam(steps=DEFAULT_STEPS)
    return method, f"Method: {method.describe()}, since {reason.removesuffix('; use Adam')}."
