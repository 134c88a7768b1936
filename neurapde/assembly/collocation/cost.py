"""The cost of a piecewise trial's rows and their least squares, predicted before the first row is made."""

from neurapde.assembly.collocation.system import EDGEWISE, OVERSAMPLING
from neurapde.conditions.constraints import Face
from neurapde.core.cost import Cost
from neurapde.operators.base import AroundPoints
from neurapde.problem.problem import Problem
from neurapde.trials.fourier_extension import FourierExtension
from neurapde.trials.piecewise import PiecewiseTrial

COPIES = 12
"""Of the rows, held while they are made and solved."""
PRODUCT = {False: 1.5e-10, True: 4.5e-10}
"""Seconds for each row and two columns, of real and of complex fields; as measured."""
AT_NODE = 2e-8
"""Seconds for each column and number of a jet at a node that an operator reads; as measured."""


def cost_of(problem: Problem, spec: PiecewiseTrial) -> Cost:
    """The cost of the amplitudes of one piecewise trial by least squares."""
    widths = [part.trial.features for part in spec.parts if isinstance(part.trial, FourierExtension)]
    names = {
        constraint.name
        for constraint in problem.equation.constraints(problem)
        if not isinstance(constraint.sample, Face)
    }
    inside = sum(constraint.name in names for constraint in problem.constraints)
    edges = len(problem.constraints) - inside + (problem.pml is not None) + 2 * (len(widths) - 1)
    along = EDGEWISE * max(widths) ** (1 - 1 / problem.domain.dimension)
    columns = float(problem.outputs * sum(widths))
    rows = problem.outputs * (OVERSAMPLING * sum(widths) * inside + along * edges)
    complex = problem.equation.complex
    size = 16.0 if complex else 8.0
    seconds = PRODUCT[complex] * rows * columns**2
    for constraint in problem.constraints:
        if isinstance(constraint.sample, AroundPoints):
            points = int(OVERSAMPLING * sum(widths))
            numbers = points * constraint.sample.nodes(points) * problem.layout(constraint).count
            seconds += AT_NODE * numbers * columns
    return Cost(COPIES * size * rows * columns, seconds, f"{columns:.0f} features")
