"""A problem as an evolution: which constraint is the equation, which say how it begins, and what that makes the start."""

from dataclasses import dataclass

import numpy as np

from neurapde.conditions.constraints import AtPoints, Constraint, Face, Interior
from neurapde.domains.box import Box
from neurapde.marching.radau import radau
from neurapde.marching.rows import Matrix, Rows, Stages
from neurapde.marching.system import PointSystem, System, at_point
from neurapde.marching.window import State, Window, settle
from neurapde.problem.equation import Equation
from neurapde.problem.problem import Problem

SEED = 60317
MET = 1e-9
"""What of the conditions at the start may be left, in units of their values: rounding."""
AT_ONCE = 1e-12
"""Of the time: a first step in which what has no rate of its own comes to what the equation says of it."""


@dataclass(frozen=True, eq=False)
class Evolution:
    """What marching through time needs of a problem.

    start, stop: of the time. system: its equations. state: how it begins.
    """

    problem: Problem
    start: float
    stop: float
    system: System
    state: State


def evolution_of(problem: Problem) -> Evolution | str:
    """A problem as an evolution, or why it is none."""
    domain, equation = problem.domain, problem.equation
    if not isinstance(equation, Equation):
        return f"its equation is {type(equation).__name__}, and windows are for Equation(residual)"
    if not isinstance(domain, Box) or domain.dimension > 1:
        return f"its domain is {domain}, and windows are for an Interval"
    (start,), (stop,) = domain.bounds
    inside = [one for one in problem.constraints if isinstance(one.sample, Interior)]
    begins = [one for one in problem.constraints if _at_start(one, domain.faces[0], start)]
    if other := [one.name for one in problem.constraints if one not in inside and one not in begins]:
        return f"its condition {other[0]!r} does not hold at the start alone"
    if len(inside) != 1:
        return f"it has {len(inside)} constraints inside, and windows are for one equation"
    rows = Rows(problem, inside[0], at_point())
    kinds = _kinds(rows, start)
    if isinstance(kinds, str):
        return kinds
    first, second = kinds
    began = _began(problem, begins, start, first | second, second)
    if isinstance(began, str):
        return began
    system = PointSystem(problem, inside[0])
    state = State(began[0][None], began[1][None], second)
    if (first | second).all():
        return Evolution(problem, start, stop, system, state)
    tiny = settle(system, radau(1), Window(start, AT_ONCE * (stop - start), state), _plain)
    if tiny is None:
        return "what has no rate of change is not determined at the start"
    values = np.where(first | second, state.values, tiny.values[-1])
    return Evolution(problem, start, stop, system, State(values, state.rates, second))


def _plain(values: Matrix) -> Matrix:
    """The largest values of all components."""
    return np.full(values.shape[-1], np.abs(values).max() or 1.0)


def _at_start(constraint: Constraint, face: str, start: float) -> bool:
    sample = constraint.sample
    if isinstance(sample, Face):
        return sample.on == (face,)
    return isinstance(sample, AtPoints) and bool((sample.points == start).all())


def _kinds(rows: Rows, start: float) -> tuple[np.ndarray, np.ndarray] | str:
    """Which components' first, and second, derivatives in time the equation reads; why it does not suit windows."""
    generator = np.random.default_rng(SEED)
    values = 0.5 + generator.random((4, 1, rows.components))
    stages = _moment(start, values)
    try:
        equations = rows.residual(stages).shape[-1]
        kinds = rows.felt(stages, 1), rows.felt(stages, 2)
    except Exception as error:  # the user's own function, which may read NumPy arrays alone
        return f"its residual cannot be tried on numbers ({type(error).__name__})"
    if equations != rows.components:
        return f"it has {equations} equations for {rows.components} real components"
    return kinds


def _moment(time: float, values: Matrix) -> Stages:
    """One moment, with any values of u, u′ and u″ there: values (4, nodes, components), the first of them idle."""
    return Stages(np.array([time]), np.eye(3, 4, 1)[:, None], values, np.zeros((1, *values.shape[1:])))


def _began(
    problem: Problem, begins: list[Constraint], start: float, moves: np.ndarray, second: np.ndarray
) -> tuple[Matrix, Matrix] | str:
    """u and u′ at the start (components,) each, from the conditions there, or why they are not had.

    moves: which components have a rate of change, so that a value belongs to them. second: which a velocity, too.
    """
    if not begins:
        return "nothing is said about its start"
    every = [Rows(problem, one, at_point(-1.0)) for one in begins]
    count = len(moves)
    asked, _ = _conditions(every, start, np.zeros(2 * count))
    found = np.zeros(2 * count)
    for _ in range(2):
        residual, matrix = _conditions(every, start, found)
        found = found - np.linalg.lstsq(matrix, residual, rcond=None)[0]
    left, matrix = _conditions(every, start, found)
    open = np.linalg.svd(matrix)[2][np.linalg.matrix_rank(matrix) :]
    free = (np.abs(open) > MET).any(axis=0) & np.concatenate([moves, second])
    if free.any():
        what = "its value" if free[:count].any() else "its rate"
        return f"its conditions at the start leave {what} open there"
    if not np.abs(left).max() <= MET * max(np.abs(asked).max(), np.abs(matrix @ found).max()):
        return "its conditions at the start contradict one another, or are not linear"
    return found[:count], found[count:]


def _conditions(every: list[Rows], start: float, found: Matrix) -> tuple[Matrix, Matrix]:
    """What conditions at the start leave of u and u′ there (2 components,), and their slopes by these."""
    count = len(found) // 2
    values = np.zeros((4, 1, count))
    values[1:3, 0] = found.reshape(2, count)
    parts = [rows.linearised(_moment(start, values)) for rows in every]
    slopes = [slopes.reshape(residual.size, 3 * count) for residual, slopes in parts]
    return np.concatenate([part[0].ravel() for part in parts]), np.concatenate(slopes)[:, : 2 * count]
