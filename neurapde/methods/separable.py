"""Separable: Poisson's equation with constant coefficients on a box in space, its head found axis by axis in seconds."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from neurapde.conditions import Dirichlet, Neumann, Robin, Treated
from neurapde.conditions.base import Mixed
from neurapde.core.arrays import to_numpy
from neurapde.core.cost import Cost
from neurapde.core.formatting import number
from neurapde.domains import Box
from neurapde.equations.poisson import Poisson
from neurapde.fields.medium import Constant, Field
from neurapde.fields.sources import total
from neurapde.methods.refinement import check_growth, estimate_note, grow
from neurapde.problem.problem import Problem
from neurapde.run.budget import SECONDS, Budget
from neurapde.run.method import DirectMethod, Outcome, Task
from neurapde.spectral.separable import Axis, Face, solve_separable
from neurapde.trials.base import Setting
from neurapde.trials.fourier_extension import FourierExtension, FourierExtensionTrial

FIRST, GROWTH = 12, 1.25  # modes along each axis at the first level, and from level to level
NODE = (100.0, 1e-8)  # bytes at a node of the source, and seconds for each with one mode along an axis
ALONG_EDGE = 33  # points of an edge at which the values of two faces are compared
TREATED = Treated("it", (Dirichlet, Neumann, Robin))
SAME = 1e-6  # of the largest value: what two faces may differ by at their edge


@dataclass(frozen=True)
class Separable(DirectMethod):
    """Solve −a Δu + c u = f on a box of three axes, a and c constant, by products of one-axis eigenfunctions.

    The trial function is that of `LeastSquares`, sines of a larger box; n of them along each axis cost O(n⁴), not O(n⁹).
    Every face has a Dirichlet or Neumann condition, or Robin with constants a and b; values may vary.

    tolerance: relative L2 error to stop at, as estimated from the change between two numbers of modes.
    largest:   modes along each axis at which growing stops, met tolerance or not.
    seconds:   of a core that growing may take, as in `LeastSquares`.
    Raises DeclarationError (from `solve`) for a problem that it cannot take.
    """

    tolerance: float = 5e-7
    largest: int = 64
    seconds: float = SECONDS

    def __post_init__(self) -> None:
        check_growth(self.tolerance, self.largest, FIRST, self.seconds)

    def obstacle(self, problem: Problem) -> str | None:
        reason = inseparable(problem)
        return reason and f"{reason}; use LeastSquares"

    def why(self, problem: Problem) -> str:
        return "the coefficients are constant and the domain is a box"

    def strong_tolerance(self) -> float | None:
        return self.tolerance

    def describe(self) -> str:
        return f"separation of the axes to a relative error of {number(self.tolerance)}"

    def run(self, task: Task) -> Outcome:
        self.check_trial(task.trial)
        budget = Budget(self.seconds, "Separable", task.problem.name, "a smaller largest")
        solved = self._solved(task, budget)
        found = grow(task, solved, self._levels[-1] ** 3, self.tolerance, budget)
        trial, features = found.level.solved, found.level.features
        notes = (
            f"Trial function: {trial.spec.describe()}, {features} features in all, their head axis by axis.",
            estimate_note(found.level.estimate, "numbers of features"),
        )
        return found.outcome(trial, notes, {}, f"Separable(largest={2 * self.largest})")

    def _solved(self, task: Task, budget: Budget) -> Iterator[tuple[FourierExtensionTrial, int]]:
        for n in self._levels:
            nodes = 8.0 * n**3
            cost = Cost(NODE[0] * nodes, NODE[1] * nodes * n, f"{n} × {n} × {n} sines")
            if not budget.admits(cost):
                return
            trial = solve_on(task.problem, FourierExtension((n,) * 3), task.device)
            yield trial, len(trial.amplitudes)

    @property
    def _levels(self) -> list[int]:
        """Numbers of modes along every axis, multiples of 4."""
        modes, found = float(FIRST), [FIRST]
        while found[-1] < 4 * (self.largest // 4):
            modes *= GROWTH
            found.append(min(4 * round(modes / 4), 4 * (self.largest // 4)))
        return found


def solve_on(problem: Problem, frame: FourierExtension, device: torch.device) -> FourierExtensionTrial:
    """The solution on one lattice of sines."""
    equation = problem.equation
    assert isinstance(equation, Poisson)
    trial = frame.draw(Setting(problem.domain.bounds, 1, False, torch.Generator(), torch.float64, device))
    faces = [_face(problem.sides.data[name]) for name in problem.domain.faces]
    lower, upper = (corner.tolist() for corner in problem.domain.bounds)
    axes = [
        Axis(modes, lower[i], upper[i], [(face.a, face.b) for face in faces[2 * i : 2 * i + 2]])
        for i, modes in enumerate(trial.axes)
    ]
    sources = problem.right_hand_sides[0]
    found = solve_separable(
        axes,
        lambda points: to_numpy(total(sources, points)),
        faces,
        _constant(equation.coefficient),
        _constant(equation.reaction),
    )
    trial.set_amplitudes(torch.as_tensor(found.reshape(-1, 1), device=device))
    return trial


def inseparable(problem: Problem) -> str | None:
    """Why the axes of a problem do not separate, or None where they do."""
    equation, domain = problem.equation, problem.domain
    if not isinstance(domain, Box) or domain.dimension != 3:
        return f"its domain is {domain}, and the method is for a Box of three axes"
    if not isinstance(equation, Poisson) or len(problem.right_hand_sides) > 1:
        return "its equation is not Poisson's with one right-hand side"
    if not isinstance(equation.coefficient, Constant) or not isinstance(equation.reaction, Constant):
        return "its coefficients vary"
    if problem.extra:
        return f"it has the further constraint {problem.extra[0].name!r}"
    if reason := problem.sides.missing(TREATED):
        return reason
    for face, given in problem.sides.data.items():
        if not isinstance(given.a, Constant) or not isinstance(given.b, Constant):
            return f"it has the condition {problem.sides.by_face[face][-1].describe(domain)}, of varying coefficients"
    if equation.leaves_constant(problem):
        return "its solution is found up to a constant only"
    if _constant(equation.reaction) < 0:
        return "its reaction is negative"
    return _disagreement(problem)


def _disagreement(problem: Problem) -> str | None:
    """Two faces whose values differ at the edge that they share: no smooth field has both."""
    domain, conditions = problem.domain, problem.sides.data
    assert isinstance(domain, Box)
    lower, upper = domain.bounds
    faces = [name for name in domain.faces if conditions[name].fixes]
    points = {
        name: domain.sample_boundary(ALONG_EDGE**2, on=name, how="grid").points.numpy() for name in faces
    }
    largest = max((float(np.abs(conditions[name].value(points[name])).max()) for name in faces), default=0.0)
    for i, first in enumerate(faces):
        for second in faces[:i]:
            (one, end), (other, stop) = (domain.face_axis(name) for name in (first, second))
            if one == other:
                continue
            edge = lower + (upper - lower) * np.linspace(0, 1, ALONG_EDGE)[:, None]
            edge[:, one], edge[:, other] = (lower, upper)[end][one], (lower, upper)[stop][other]
            gap = np.abs(conditions[first].value(edge) - conditions[second].value(edge)).max()
            if gap > SAME * largest:
                return f"the values on {first} and {second} differ at their edge"
    return None


def _face(given: Mixed) -> Face:
    def value(points: np.ndarray) -> np.ndarray:
        return np.asarray(given.value(points), dtype=float)

    return Face(_constant(given.a), _constant(given.b), value)


def _constant(field: Field) -> float:
    assert isinstance(field, Constant)
    return float(np.real(field.value))
