"""Steady equations on an interval: conditions at both ends, elements that follow the field, and declared breaks."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from neurapde.conditions.constraints import Constraint, Face, Interior, Samples
from neurapde.core.arrays import to_numpy
from neurapde.domains.box import Box
from neurapde.equations.helmholtz import Helmholtz
from neurapde.equations.poisson import Poisson
from neurapde.fields.jumps import narrow_features
from neurapde.fields.sources import PointSource
from neurapde.methods.marching.elements import ElementSystem, Sides
from neurapde.methods.marching.mesh import Mesh
from neurapde.methods.marching.rows import Matrix, Rows, Stages
from neurapde.problem.equation import Equation, free_of
from neurapde.problem.problem import Problem
from neurapde.training.optimisation.jacobian import constant_residuals
from neurapde.training.optimisation.lengths import axis_lengths

DEGREE, FINEST, FINEST_BESIDE = 12, 1e-13, 1e-5
"""Of the polynomials on each element; and, of the interval, elements that are not cut any more, by themselves and where a
bound is touched: which points touch it becomes a matter of rounding on shorter ones."""
WIDTHS = 4.0
"""Half of an element around a narrow part of a function, in widths of that part."""
MOST = 64
"""Largest number of narrow parts with an element each."""
APART = 1e-12
"""Fraction of the interval: ends of elements that are nearer count as one."""
SEED = 60527


def at_rest(values: Matrix) -> Stages:
    """A field (nodes, components) that does not change in time, as one stage."""
    rates = np.zeros((3, 1, 2))
    rates[0, 0, 1] = 1.0
    return Stages(np.zeros(1), rates, np.stack([values, values]), np.zeros((1, *values.shape)))


@dataclass(frozen=True, eq=False)
class SteadyProblem:
    """A boundary value problem on an interval.

    equation: inside. sides: the constraints at the lower and at the upper end. breaks: places (n,) at which elements
    end, with the ends of the interval. flux: points (n, 1) to the factor a (n,) of slopes where elements meet.
    components: real ones of the field.
    """

    problem: Problem
    equation: Constraint
    sides: Sides
    breaks: Matrix
    flux: Callable[[Matrix], Matrix] | None
    components: int

    def mesh(self, count: int) -> Mesh:
        """A number of elements of equal length, cut at the breaks."""
        lower, upper = self.breaks[[0, -1]]
        edges = np.sort(np.concatenate([np.linspace(lower, upper, count + 1)[1:-1], self.breaks]))
        known = np.isin(edges, self.breaks)
        close = np.flatnonzero(np.diff(edges) < APART * (upper - lower))
        dropped = np.where(known[close], close + 1, close)
        finest = FINEST if self.problem.equation.obstacle is None else FINEST_BESIDE
        return Mesh(np.delete(edges, dropped), DEGREE, finest)

    def system(self, mesh: Mesh) -> ElementSystem:
        """Its equations on a mesh."""
        return ElementSystem(self.problem, self.equation, self.sides, mesh, self.flux)


def steady_of(problem: Problem) -> SteadyProblem | str:
    """A problem as a steady one on an interval, or the reason why it is none."""
    domain, equation = problem.domain, problem.equation
    if not isinstance(domain, Box) or domain.dimension != 1:
        return f"its domain is {domain}, but elements need an Interval"
    if not isinstance(equation, Equation | Poisson | Helmholtz):
        return f"its equation is {type(equation).__name__}, but elements take Poisson, Helmholtz and Equation(residual)"
    if isinstance(equation, Equation) and equation.operators:
        return f"{equation.operators[0].describe()} reaches beyond an element"
    if problem.pml is not None or problem.sides.periodic:
        return "it has an absorbing layer or is periodic, but elements need conditions at both ends"
    if len(problem.right_hand_sides) > 1 or problem.unknowns:
        return "it has several shots or unknowns, but elements solve for one field"
    if any(isinstance(source, PointSource) for side in problem.right_hand_sides for source in side):
        return "a PointSource has no values at points; use a GaussianSource"
    if isinstance(equation, Poisson) and (reason := equation.untrainable(problem)):
        return reason
    if any(len(axes) > 2 for axes in problem.mixed):
        return "it uses a third derivative, but elements have only two; declare w = u.d2(0) as a component"
    inside, sides = [], ([], [])  # type: tuple[list[Constraint], tuple[list[Constraint], list[Constraint]]]
    for constraint in problem.constraints:
        sample = constraint.sample
        if isinstance(sample, Interior):
            inside.append(constraint)
        elif isinstance(sample, Face) and sample.domain == domain:
            for end, face in enumerate(domain.faces):
                if face in sample.on:
                    sides[end].append(constraint)
        else:
            return f"its condition {constraint.name!r} does not hold at an end"
    if len(inside) != 1:
        return f"it has {len(inside)} constraints inside, but elements take one equation"
    try:
        return _closed(problem, inside[0], (tuple(sides[0]), tuple(sides[1])))
    except Exception as error:  # of a function that torch cannot differentiate, whatever it raises
        return f"its residual cannot be evaluated on numbers ({type(error).__name__})"


def _closed(problem: Problem, equation: Constraint, sides: Sides) -> SteadyProblem | str:
    """The sides with as many conditions as constants of integration: one for each component at each end."""
    lower, upper = (float(end[0]) for end in problem.domain.bounds)
    mesh = Mesh(np.linspace(lower, upper, 3), DEGREE, FINEST)
    free = free_of(problem, equation)
    rows = Rows(problem, free, mesh.stencil())
    components = rows.components
    field = at_rest(np.ones((mesh.count, components)))
    if rows.residual(field).shape[-1] != components:
        return f"the number of its equations differs from that of its {components} real components"
    counts = [
        sum(Rows(problem, side, mesh.side(end)).residual(field).shape[-1] for side in sides[end])
        for end in range(2)
    ]
    if not rows.bends(field):
        return "it uses no second derivative, so conditions at both ends are too many"
    if counts != [components, components]:
        return f"it has {counts[0]} and {counts[1]} conditions at its ends for {components} real components"
    return SteadyProblem(
        problem, equation, sides, _breaks(problem, free, lower, upper), _flux(problem), components
    )


def _flux(problem: Problem) -> Callable[[Matrix], Matrix] | None:
    """The factor from slope to flux; None for 1."""
    if isinstance(problem.equation, Poisson):
        coefficient = problem.equation.coefficient
        return lambda points: np.broadcast_to(to_numpy(coefficient(torch.as_tensor(points))), (len(points),))
    return None


def _breaks(problem: Problem, equation: Constraint, lower: float, upper: float) -> Matrix:
    """The ends of the interval, of declared regions and of narrow sources, and places where functions jump or are narrow."""
    length = upper - lower
    places: list[float] = []
    transmission = problem.equation.transmission(problem)
    for region in () if transmission is None else transmission.regions:
        places += [float(end[0]) for end in region.bounds]
    for source in problem.right_hand_sides[0] if problem.right_hand_sides else ():
        if source.center is not None and 0 < source.reach < length:
            places += [source.center[0] - source.reach, source.center[0] + source.reach]
    layout = problem.layout(equation)
    sizes = torch.as_tensor(layout.sizes((1 / axis_lengths(problem)).tolist()), dtype=torch.float64)
    within = (*layout.shape(1, problem.outputs)[2:], *((2,) if problem.equation.complex else ()))
    sizes = sizes.reshape(-1, *[1] * len(within)).expand(layout.count, *within)

    def said(points: Matrix) -> Matrix:
        samples = Samples(torch.as_tensor(np.asarray(points)))
        columns = constant_residuals(problem, equation, samples, sizes, SEED)
        return to_numpy(torch.linalg.vector_norm(columns, dim=1))

    obstacle = problem.equation.obstacle
    functions: list[Callable[[Matrix], Matrix]] = [said, *([] if obstacle is None else obstacle.bounds)]
    for function in functions:
        narrow = narrow_features(function, problem.domain)
        places += _around(narrow.points[:, 0], narrow.widths)
    least = APART * length
    inside = np.unique([place for place in places if lower + least < place < upper - least])
    inside = inside[np.concatenate([np.full(min(1, inside.size), True), np.diff(inside) > least])]
    return np.concatenate([[lower], inside, [upper]])


def _around(places: Matrix, widths: Matrix) -> list[float]:
    """Jumps, and both ends of each narrow part; places nearer than their widths belong together."""
    found = places[widths == 0].tolist()
    parts: list[list[float]] = []
    for i in np.argsort(places, kind="stable"):
        place, width = float(places[i]), float(widths[i])
        if width == 0:
            continue
        if parts and place - parts[-1][1] <= 2 * WIDTHS * max(width, parts[-1][2]):
            parts[-1][1:] = place, max(width, parts[-1][2])
        else:
            parts.append([place, place, width])
    for first, last, width in sorted(parts, key=lambda part: part[2])[:MOST]:
        found += [first - WIDTHS * width, last + WIDTHS * width]
    return found
