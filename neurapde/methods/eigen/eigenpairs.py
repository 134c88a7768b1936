"""Eigenvalues of a linear problem: fields u with L u = λ u, where the residual of its equation is L u.

Least squares at points, with a field of the trial as the load, give a matrix of its amplitudes, (L − σ)⁻¹. Its largest
eigenvalues 1/(λ − σ) belong to the smooth fields. The number of functions grows until the λ converge.
"""

import itertools
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from neurapde.assembly.collocation.cost import cost_of
from neurapde.assembly.collocation.head import least_squares
from neurapde.assembly.collocation.piecewise import built_for, is_linear, piecewise_trials, unfit
from neurapde.assembly.collocation.samples import drawn
from neurapde.assembly.collocation.system import OVERSAMPLING, Assembly
from neurapde.conditions.constraints import Interior
from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import number
from neurapde.core.warn import warn
from neurapde.domains.spacetime import SpaceTime
from neurapde.problem.problem import Problem
from neurapde.reference_solvers.grids.grid import ResolutionWarning
from neurapde.solution.solution import Solution
from neurapde.training.run.budget import SECONDS, Budget
from neurapde.training.run.method import Status
from neurapde.training.run.stage import Stage
from neurapde.trials.piecewise import PiecewiseFunction, PiecewiseTrial

MOST, LARGEST, SEED = 200, 2000, 50413
"""Largest number of eigenvalues, of features in all, and the seed of points."""
FAR = 1e15
"""Beyond it there is nothing to be near to."""
MANY = 3
"""Features for each eigenvalue at the first level, at least."""
NOT_REAL = 1e-3
"""Fraction of an eigenvalue: a larger imaginary part is not due to equal eigenvalues that a level separates."""
ZERO = 1e-2
"""Fraction of the smallest possible eigenvalue for the domain's extent that counts as zero."""
POINTS = 4000
"""Points for the mean square of a field over the domain, which is set to 1."""


@dataclass(frozen=True)
class Eigenpair:
    """An eigenvalue, its error estimate, and its field, whose mean square over the domain is 1."""

    eigenvalue: float
    error: float
    solution: Solution

    def __str__(self) -> str:
        return f"{self.eigenvalue:.10g} ± {self.error:.1g}"


def eigenpairs(
    problem: Problem,
    number: int = 6,
    *,
    near: float | None = None,
    tolerance: float = 1e-6,
    seconds: float = SECONDS,
) -> tuple[Eigenpair, ...]:
    """The eigenvalues of a linear problem without sources, in ascending order: L u = λ u under its conditions.

        membrane = npde.Problem("membrane", npde.Disk((0, 0), 1.0), npde.Poisson(), boundary=npde.Dirichlet(0.0))
        for pair in npde.eigenpairs(membrane, 3):
            print(pair)  # the squares of the zeros of Bessel's functions

    L u is −∇·(a ∇u) + r u for a Poisson, and the residual for an Equation: `-u.laplacian + V(x) * u.value`.

    Args:
        problem: with zero conditions and without sources.
        number: of eigenvalues, each counted with its multiplicity.
        near: the number near which to search, the nearest first; None for the lowest, if L has none below zero.
        tolerance: error of the worst, relative to its distance from `near`, as estimated from the change between two
            numbers of features.
        seconds: limit of the processor time.
    Returns: `number` pairs. There is a ResolutionWarning if they are not within the tolerance, or if one lies below
        zero and near=None.
    Raises: DeclarationError for a problem that is nonlinear or inhomogeneous, and for complex eigenvalues, which a
        problem that is not symmetric may have.
    Source: Trefethen (2000), Spectral Methods in MATLAB, chapter 9, for eigenvalues by collocation.
    """
    _check(problem, number, near, tolerance, seconds)
    started = time.perf_counter()
    shift = -((math.pi / 2 / max(map(float, problem.domain.extents))) ** 2) if near is None else float(near)
    budget = Budget(seconds, "eigenpairs", problem.name, "a tolerance that is larger")
    levels = itertools.takewhile(lambda spec: budget.admits(cost_of(problem, spec)), _levels(problem, number))
    found: list[_Level] = []
    begun = time.process_time()
    for spec in levels:
        found.append(_Level(problem, spec, shift, number))
        if len(found) > 1 and float(_errors(found).max()) <= tolerance:
            break
        if time.process_time() - begun > seconds / 2:
            break
    _check_real(problem, found[-1])
    errors = _errors(found) if len(found) > 1 else np.full(number, math.inf)
    _warn(problem, float(errors.max()), tolerance)
    if near is None:
        _warn_below_zero(problem, float((found[-1].values + errors * found[-1].sizes).min()), -ZERO * shift)
    took = time.perf_counter() - started
    return tuple(_pair(problem, found[-1], i, float(errors[i]), tolerance, took) for i in range(number))


class _Level:
    """One number of features: the eigenvalues nearest to a shift (number,), in ascending order, and their amplitudes.

    imaginary: the sizes of their imaginary parts. sizes: of λ minus the shift.
    """

    def __init__(self, problem: Problem, spec: PiecewiseTrial, shift: float, number: int) -> None:
        self.problem, self.spec = problem, spec
        trial = built_for(problem, spec)
        generator = torch.Generator().manual_seed(SEED)
        (equation,) = problem.equation.constraints(problem)
        points = int(OVERSAMPLING * Assembly(problem, trial, generator).columns)
        samples = drawn(equation.sample, points, generator, torch.device("cpu"))
        assembly = Assembly(problem, trial, generator, placed={equation.name: samples})
        parts = assembly.parts()
        inside = parts[equation.name]
        assert inside.weights is not None
        values = assembly.frames[0].feature_jet(samples.points, 0).value.to(inside.matrix.dtype)
        mass = inside.weights[:, None] * values
        rest = [part.matrix for name, part in parts.items() if name != equation.name]
        matrix = torch.cat([inside.matrix - shift * mass, *rest])
        loads = torch.cat([mass, *(torch.zeros_like(block) for block in rest)])
        inverse = least_squares(matrix, loads)
        powers, vectors = (array.numpy() for array in torch.linalg.eig(inverse))
        first = np.argsort(-np.abs(powers))[:number]
        every = shift + 1 / powers[first]
        order = np.argsort(every.real)
        self.values, self.imaginary = every.real[order], np.abs(every.imag[order])
        self.sizes, self.amplitudes = np.abs(every[order] - shift), vectors[:, first[order]]

    def field(self, index: int) -> PiecewiseFunction:
        """The field of an eigenvalue, its mean square over the domain 1."""
        trial = built_for(self.problem, self.spec)
        vector = self.amplitudes[:, index]
        vector = (vector / vector[np.argmax(np.abs(vector))]).real.copy()
        assembly = Assembly(self.problem, trial, torch.Generator())
        assembly.set_amplitudes(torch.as_tensor(vector))
        with torch.no_grad():
            values = trial(self.problem.domain.sample(POINTS, how="grid"))
        size = float(values.square().mean().sqrt()) * float(torch.sign(values.sum()) or 1.0)
        assembly.set_amplitudes(torch.as_tensor(vector / size))
        return trial


def _levels(problem: Problem, number: int) -> "itertools.dropwhile[PiecewiseTrial]":
    """Trials of growing size, from one with some features for each eigenvalue."""
    few = MANY * number

    def small(spec: PiecewiseTrial) -> bool:
        return sum(getattr(part.trial, "features", 0) for part in spec.parts) < few

    return itertools.dropwhile(small, piecewise_trials(problem, LARGEST))


def _errors(found: Sequence[_Level]) -> np.ndarray:
    """Errors of the eigenvalues of the last level, relative to `sizes`: their change from the level before.

    All get the largest change: they come from the same functions, and a small change may be chance.
    """
    before, last = found[-2:]
    changes = (np.abs(last.values - before.values) + last.imaginary) / last.sizes
    return np.full(len(changes), float(changes.max()))


def _pair(
    problem: Problem, level: _Level, index: int, error: float, tolerance: float, seconds: float
) -> Eigenpair:
    value, trial = float(level.values[index]), level.field(index)
    status = Status.CONVERGED if error <= tolerance else Status.UNRESOLVED
    note = f"Eigenvalue {value:.10g}, estimated relative error {error:.1e}, {trial.spec.describe()}."
    stage = Stage("eigenpairs", status, seconds, extras={"eigenvalue": value, "error_estimate": error})
    solution = Solution(problem, problem.domain, trial, (stage,), (note,), str(problem))
    return Eigenpair(value, error * float(level.sizes[index]), solution)


def _check_real(problem: Problem, level: _Level) -> None:
    """Refuse eigenvalues that are complex."""
    worst = int(np.argmax(level.imaginary / level.sizes))
    if level.imaginary[worst] > NOT_REAL * level.sizes[worst]:
        value = complex(level.values[worst], level.imaginary[worst])
        raise DeclarationError(
            f"{problem.name} has the eigenvalue {value:.4g}, which is not real: its equation, with its conditions, is not "
            "symmetric; write it in its symmetric form"
        )


def _warn(problem: Problem, error: float, tolerance: float) -> None:
    if error > tolerance:
        warn(
            f"the eigenvalues of {problem.name} have the estimated relative error {error:.1e}, above the tolerance "
            f"{number(tolerance)}; give more seconds, ask for fewer, or give a larger tolerance",
            ResolutionWarning,
        )


def _warn_below_zero(problem: Problem, lowest: float, nothing: float) -> None:
    """Warn of eigenvalues below zero, because those nearest to zero are then not the lowest."""
    if lowest < -nothing:
        warn(
            f"{problem.name} has the eigenvalue {lowest:.4g}, below zero: these are the nearest to zero, and lower ones may "
            f"exist. Give near={3 * lowest:.2g}, or a lower bound of what you look for",
            ResolutionWarning,
        )


def _check(problem: Problem, count: int, near: float | None, tolerance: float, seconds: float) -> None:
    checks.kind(problem, "problem", Problem, "eigenpairs takes a Problem first")
    checks.whole(count, "number")
    if count > MOST:
        raise DeclarationError(f"number={count} eigenvalues: give at most {MOST}")
    if near is not None:
        checks.number(
            near, "near", lambda x: abs(x) < FAR, "give a number of the size of the eigenvalues, or None"
        )
    checks.number(tolerance, "tolerance", lambda x: 0 < x < 1, "give a relative error between 0 and 1")
    checks.number(seconds, "seconds", lambda x: x > 0, "give a positive, finite time")
    if reason := _obstacle(problem):
        raise DeclarationError(f"eigenpairs cannot take {problem.name}: {reason}.")


def _obstacle(problem: Problem) -> str | None:
    """Why this method cannot find eigenvalues of a problem."""
    if reason := unfit(problem):
        return reason
    if isinstance(problem.domain, SpaceTime) or problem.in_time:
        return "it has a time; declare the part in space"
    if problem.outputs > 1 or problem.equation.complex:
        return "its field has components, or is complex, and eigenvalues are found of one real field"
    if problem.equation.transmission(problem) is not None:
        return "its coefficient jumps"
    inside = problem.equation.constraints(problem)
    if len(inside) != 1 or not isinstance(inside[0].sample, Interior) or problem.pml is not None:
        return "it is not one equation inside of a domain"
    if problem.unknowns or not is_linear(problem):
        return "it is not linear in u"
    for constraint in problem.constraints:
        if (left := _left(problem, constraint.name)) > 0:
            return f"{constraint.name!r} asks for {left:.3g} where u = 0: sources and values are to be zero"
    return None


def _left(problem: Problem, name: str) -> float:
    """The largest residual of a constraint for u = 0."""
    (constraint,) = (known for known in problem.constraints if known.name == name)
    samples = constraint.sample(64, how="grid")
    trial = built_for(problem, next(iter(piecewise_trials(problem, LARGEST))))
    layout = problem.layout(constraint)
    with torch.no_grad():
        return float(
            constraint.residual(samples, trial.jet(samples.points, layout.order, layout.mixed)).abs().max()
        )
