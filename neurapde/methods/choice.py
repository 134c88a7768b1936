"""The default methods of a problem, and the sentence that says why."""

from neurapde.methods.adam import Adam
from neurapde.methods.base import Method
from neurapde.problem import Problem
from neurapde.trials.base import Trial, TrialFunction

DEFAULT_STEPS = 10_000


def choose_methods(problem: Problem, trial: Trial | TrialFunction | None) -> tuple[tuple[Method, ...], str]:
    """Methods for `problem` when the user names none, and why these."""
    method = Adam(steps=DEFAULT_STEPS)
    return (method,), f"Method: {method.describe()}, which takes any differential equation."
