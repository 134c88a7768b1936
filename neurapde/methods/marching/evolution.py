"""A problem as an evolution: its constraints are sorted into the equation, conditions at sides and initial conditions."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from neurapde.conditions.constraints import AtPoints, Constraint, Face, Interior, Samples
from neurapde.conditions.periodic import OppositePoints
from neurapde.core.errors import DeclarationError
from neurapde.domains.box import Box
from neurapde.domains.spacetime import INITIAL, SpaceTime
from neurapde.jets.jet import Jet
from neurapde.methods.marching.beginning import Beginning
from neurapde.methods.marching.elements import ElementSystem, Sides
from neurapde.methods.marching.mesh import Mesh
from neurapde.methods.marching.periodic import FourierSystem
from neurapde.methods.marching.rows import Rows, moment
from neurapde.methods.marching.system import PointSystem, System
from neurapde.methods.marching.window import State
from neurapde.problem.equation import Equation, free_of
from neurapde.problem.problem import Problem
from neurapde.training.optimisation.jacobian import real_residuals, slope_of

DEGREE, ELEMENTS = 12, 4
"""Of the polynomials in space, and how many there are at first."""
SEED = 60317
LONG, PROBES = 30.0, 64
"""Relaxations that are many, and points at which a rate of change is taken."""


@dataclass(frozen=True, eq=False)
class Evolution:
    """The parts of a problem for marching through time.

    start, stop: of the time. system: its equations, on few nodes.
    """

    problem: Problem
    start: float
    stop: float
    system: System
    beginning: Beginning

    def begun(self, system: System) -> State:
        """The state at the start, on the nodes of a system. Raises: DeclarationError if conditions do not determine it."""
        return self.beginning.state(system)


@dataclass(frozen=True)
class _Sorted:
    """The constraints of a problem by where they hold."""

    equation: Constraint
    begins: tuple[Constraint, ...]
    sides: Sides
    periodic: set[int]


def evolution_of(problem: Problem) -> Evolution | str:
    """A problem as an evolution, or the reason why it is none."""
    parts = _sorted(problem)
    if isinstance(parts, str):
        return parts
    lower, upper = problem.domain.bounds
    start, stop = float(lower[-1]), float(upper[-1])
    if reason := _too_high(problem, parts):
        return reason
    system: System
    if problem.domain.dimension == 1:
        system = PointSystem(problem, parts.equation)
        rows = PointSystem(problem, free_of(problem, parts.equation)).rows
    elif parts.periodic == set(range(len(lower) - 1)):
        if any(parts.sides):
            return "it is periodic but also has conditions on its sides"
        if problem.equation.obstacle is not None:
            return "waves do not follow the sudden bend of a field that leaves an Obstacle"
        try:
            system = FourierSystem.coarsest(problem, parts.equation)
        except Exception as error:
            return f"its residual cannot be evaluated on numbers ({type(error).__name__})"
        rows = system.rows
    elif len(lower) > 2:
        return f"its domain is {problem.domain}, but windows need an Interval, or a Box that is periodic along all axes"
    else:
        mesh = Mesh(np.linspace(lower[0], upper[0], ELEMENTS + 1), DEGREE)
        rows = Rows(problem, free_of(problem, parts.equation), mesh.stencil())
        sides = _filled(problem, parts, mesh, rows, start)
        if isinstance(sides, str):
            return sides
        system = ElementSystem(problem, parts.equation, sides, mesh)
    values = 0.5 + np.random.default_rng(SEED).random((4, rows.stencil.nodes.max() + 1, rows.components))
    try:
        equations = rows.residual(moment(start, values)).shape[-1]
        first, second = (rows.felt(moment(start, values), rate) for rate in (1, 2))
    except Exception as error:  # the user's own function, which may read NumPy arrays alone
        return f"its residual cannot be evaluated on numbers ({type(error).__name__})"
    if equations != rows.components:
        return f"it has {equations} equations for {rows.components} real components"
    beginning = Beginning(problem, parts.begins, start, first | second, second)
    try:
        beginning.state(system)
    except DeclarationError as error:
        return str(error)
    return Evolution(problem, start, stop, system, beginning)


def lasts_long(problem: Problem) -> bool:
    """Whether a user's own equation relaxes, as heat does, many times within the time: T |b/a| Σ (π/L)² for a u_t + b Δu."""
    equation, domain = problem.equation, problem.domain
    if not isinstance(equation, Equation) or not isinstance(domain, SpaceTime) or problem.outputs > 1:
        return False
    if equation.complex or equation.order < 2 or equation.operators:
        return False
    constraint = next(inside for inside in problem.constraints if isinstance(inside.sample, Interior))
    samples, layout = constraint.sample(PROBES, how="grid"), problem.layout(constraint)
    leaf = torch.zeros((layout.count, len(samples.points)), dtype=torch.float64, requires_grad=True)
    try:
        with torch.enable_grad():
            slopes = slope_of(real_residuals(constraint, samples, Jet(leaf, layout)), leaf).abs()
    except Exception:  # the user's own function: what is wrong with it is said when it is solved
        return False
    *lengths, time = (float(extent) for extent in domain.extents)
    last = len(lengths)
    rates = [slopes[layout.second(axis, axis)] * (np.pi / length) ** 2 for axis, length in enumerate(lengths)]
    changes = slopes[layout.first(last)]
    if slopes[layout.second(last, last)].any() or not changes.all():
        return False
    return bool((time * torch.stack(rates).sum(0) / changes).median() > LONG)


def _sorted(problem: Problem) -> _Sorted | str:
    """The sorted constraints, or the reason why windows cannot treat one of them."""
    domain = problem.domain
    if not isinstance(problem.equation, Equation):
        return f"its equation is {type(problem.equation).__name__}, but windows take only Equation(residual)"
    if problem.equation.operators:
        return f"{problem.equation.operators[0].describe()} reaches beyond a window"
    if not isinstance(domain.spatial, Box):
        return f"its domain is {domain}, but windows need an Interval or a Box"
    over = isinstance(domain, SpaceTime)
    first = INITIAL if over else domain.faces[0]
    inside, begins = [], []
    sides: tuple[list[Constraint], list[Constraint]] = ([], [])
    periodic: set[int] = set()
    for constraint in problem.constraints:
        sample = constraint.sample
        on = sample.on if isinstance(sample, Face) and sample.domain == domain else ()
        if isinstance(sample, Interior):
            inside.append(constraint)
        elif on == (first,) or (isinstance(sample, AtPoints) and _starts(sample, domain.bounds[0][-1])):
            begins.append(constraint)
        elif over and isinstance(sample, OppositePoints):
            periodic.add(sample.axis)
        elif over and on and set(on) <= set(domain.faces[:2]):
            for end, face in enumerate(domain.faces[:2]):
                if face in on:
                    sides[end].append(constraint)
        else:
            where = "at the start or at a side" if over else "only at the start"
            return f"its condition {constraint.name!r} does not hold {where}"
    if len(inside) != 1:
        return f"it has {len(inside)} constraints inside, but windows take one equation"
    if not begins:
        return "it has no initial condition"
    return _Sorted(inside[0], tuple(begins), (tuple(sides[0]), tuple(sides[1])), periodic)


def _too_high(problem: Problem, parts: _Sorted) -> str | None:
    """Why windows do not take the third and fourth derivatives in use: waves in space do."""
    waves = parts.periodic == set(range(problem.domain.dimension - 1)) and problem.domain.dimension > 1
    late = problem.domain.dimension - 1
    for axes in problem.mixed:
        if axes.count(late) > 2:
            return f"it uses a derivative of order {axes.count(late)} in time, but windows have only two"
        if len(axes) > 2 and not waves:
            return (
                f"it uses a derivative of order {len(axes)}, but elements have only two; declare w = u.d2(0) as a "
                "component"
            )
    return None


def _starts(sample: AtPoints, start: float) -> bool:
    return sample.points.shape[1] == 1 and bool((sample.points == start).all())


def _filled(problem: Problem, parts: _Sorted, mesh: Mesh, rows: Rows, start: float) -> Sides | str:
    """The conditions at both ends; the equation itself where waves leave, or for components that nothing joins in space."""
    values = np.ones((4, mesh.count, rows.components))
    local = rows.local(moment(start, values))
    own = replace(parts.equation, residual=_Local(parts.equation, local))
    sides = []
    for end, constraints in enumerate(parts.sides):
        every = [Rows(problem, constraint, mesh.side(end)) for constraint in constraints]
        count = sum(condition.residual(moment(start, values)).shape[-1] for condition in every)
        open = not every and not rows.bends(moment(start, values))
        if local.any() and count + local.sum() == rows.components:
            sides.append((*constraints, own))
            continue
        if count != rows.components and not open:
            face = problem.domain.faces[end]
            return f"it has {count} conditions on {face} for {rows.components} real components"
        sides.append((parts.equation,) if open else constraints)
    return sides[0], sides[1]


@dataclass(frozen=True)
class _Local:
    """The real equations of a constraint that hold at each point by itself, as a residual."""

    constraint: Constraint
    chosen: NDArray[np.bool_]

    def __call__(self, samples: Samples, u: Jet) -> Tensor:
        return real_residuals(self.constraint, samples, u)[:, torch.from_numpy(self.chosen)]
