"""How data are fitted when the user does not say: the paper's Adam on part of the samples a step, and a rate that ebbs."""

from neurapde.equations.fit import Fit
from neurapde.methods.adam import Adam
from neurapde.problem.problem import Problem
from neurapde.training.schedules import Cosine

STEPS = 500
RATE = 1e-3
LEAST, PART = 4096, 8
"""Samples a step: a PART-th of them, but at least so many."""


def fitting(equation: Fit, problem: Problem) -> Adam:
    """Adam for a fit: 500 steps as in the paper, of mean squares, on an eighth of the samples or 4096 each."""
    points = {name: min(n, max(LEAST, n // PART)) for name, n in equation.sizes(problem).items()}
    points |= {
        constraint.name: LEAST // 4 for constraint in problem.constraints if constraint.name not in points
    }
    return Adam(STEPS, lr=RATE, points=points, loss="l2", schedule=Cosine())
