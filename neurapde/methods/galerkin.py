"""Galerkin: the head of a SIREN by the weak form, with the hidden layer's frequencies placed on a lattice.

The head of a SIREN is linear, so for a linear equation with given hidden features it solves a linear system. Placed on
the lattice of the box, the features are orthogonal, meet the conditions at the sides, and their matrix applies in
O(n^{3/2}); see `galerkin.operator`. The bandwidth grows until the field changes by less than the tolerance.
"""

import math
import warnings
from dataclasses import dataclass

import numpy as np
import torch

from neurapde.boundaries import PML, Dirichlet, Neumann
from neurapde.domains import Box
from neurapde.equations.helmholtz import Helmholtz
from neurapde.errors import DeclarationError, ResolutionWarning
from neurapde.galerkin.lattice import LatticeProblem, Step, refine
from neurapde.history import History
from neurapde.medium import Constant
from neurapde.methods.base import Method, Outcome, Status, Task
from neurapde.problem import Problem
from neurapde.scattering import Superposition
from neurapde.trials.ansatz import Ansatz, AnsatzTrial
from neurapde.trials.base import Trial, TrialFunction
from neurapde.trials.sine_lattice import SineLattice
from neurapde.wording import listing, number

MARGIN = 1.2  # the smallest bandwidth, in units of the largest local wavenumber, that can carry its waves
LINEAR = 1e-4  # of the tolerance: how well the linear systems are solved
FAILED = 1e-3  # relative residual of the linear system above which its iteration has failed


@dataclass(frozen=True)
class Galerkin(Method):
    """Solve a linear equation on a planar Box for the head of a one-layer SIREN.

    tolerance: relative L2 error of the field in the physical region to stop at, as estimated from the change between
        two bandwidths.
    bandwidth: the largest frequency of the sines, rad per unit length, instead of growing it to a tolerance.
    largest:   modes along the longest axis at which growing stops, met tolerance or not.
    Raises DeclarationError (from `solve`, before any work) for problems that it cannot take.
    """

    tolerance: float = 5e-4
    bandwidth: float | None = None
    largest: int = 512

    def __post_init__(self) -> None:
        if not 0 < self.tolerance < 1:
            raise DeclarationError(f"tolerance={self.tolerance!r}: give a relative error between 0 and 1.")
        if self.bandwidth is not None and not 0 < self.bandwidth < math.inf:
            raise DeclarationError(f"bandwidth={self.bandwidth!r}: give a positive, finite frequency.")
        if isinstance(self.largest, bool) or not isinstance(self.largest, int) or self.largest < 8:
            raise DeclarationError(f"largest={self.largest!r}: give a whole number of at least 8.")

    @property
    def default_dtype(self) -> torch.dtype:
        return torch.float64

    def default_trial(self, problem: Problem) -> Trial | None:
        return None

    def check(self, problem: Problem) -> None:
        if reason := obstacle(problem):
            raise DeclarationError(f"Galerkin cannot take {problem.name}: {reason}.")

    def describe(self) -> str:
        if self.bandwidth is not None:
            return f"Galerkin, sines up to {number(self.bandwidth)}"
        return f"Galerkin to a relative error of {number(self.tolerance)}"

    def run(self, task: Task) -> Outcome:
        problem, equation = task.problem, task.problem.equation
        assert isinstance(equation, Helmholtz)
        lattice = LatticeProblem(problem, equation)
        lower, upper = problem.domain.bounds
        largest = self.largest * math.pi / float(np.max(upper - lower))
        first, last = lattice.first_bandwidth, largest
        if self.bandwidth is not None:
            first, last = self.bandwidth / 1.5, self.bandwidth
        _warn_unresolved(lattice, last, self.bandwidth is not None)
        steps: list[Step] = []
        done = 0
        with task.progress.bar(problem.name, self.largest, unit="mode") as bar:
            for step in refine(lattice, min(first, last), last, LINEAR * self.tolerance):
                steps.append(step)
                bar.advance(max(one.count for one in step.level.modes) - done)
                done = max(one.count for one in step.level.modes)
                bar.show({"estimated error": step.estimate})
                if self.bandwidth is None and step.estimate <= self.tolerance:
                    break
        return self._outcome(task, lattice, steps)

    def _outcome(self, task: Task, lattice: LatticeProblem, steps: list[Step]) -> Outcome:
        final = steps[-1]
        converged = self.bandwidth is not None or final.estimate <= self.tolerance
        notes = _notes(lattice, final)
        if final.level.residual > FAILED:
            converged = False
            notes.append(
                f"The linear system was solved only to a relative residual of {final.level.residual:.1e}: "
                "waves are trapped in this medium, and the field is not reliable."
            )
        if not converged:
            message = (
                f"the estimated relative error of {task.problem.name} is {final.estimate:.1e} with "
                f"{final.level.features} features, above the tolerance {number(self.tolerance)}; "
                f"give Galerkin(largest={2 * self.largest}) more modes, or accept it with a larger tolerance"
            )
            warnings.warn(message, ResolutionWarning, stacklevel=2)
        history = History(
            step=np.array([step.level.features for step in steps[1:]], dtype=np.int64),
            seconds=np.zeros(len(steps) - 1),
            loss=np.array([step.change for step in steps[1:]]),
            learning_rate=np.full(len(steps) - 1, np.nan),
            constraints={"change between bandwidths": np.array([step.change for step in steps[1:]])},
        )
        extras = {
            "features": final.level.features,
            "bandwidth": final.level.bandwidth,
            "error_estimate": final.estimate,
            "linear_residual": final.level.residual,
            "iterations": sum(step.level.iterations for step in steps),
        }
        status = Status.CONVERGED if converged else Status.UNRESOLVED
        return Outcome(_trial(lattice, final, task), status, history, tuple(notes), extras)


def obstacle(problem: Problem) -> str | None:
    """Why the weak form on a lattice of sines does not apply to a problem, or None where it does."""
    if not isinstance(problem.equation, Helmholtz):
        return "its equation is not known to be linear; use Adam"
    if not isinstance(problem.domain, Box) or problem.domain.dimension != 2:
        return f"its domain is {problem.domain}, and the sines need a Box of two axes"
    if problem.extra:
        return f"it has the further constraint {problem.extra[0].name!r}, which the weak form does not know"
    given: list[str] = []
    for part in problem.boundary:
        if isinstance(part, PML):
            given += part.widths(problem.domain)
        elif isinstance(part, Dirichlet | Neumann):
            if part.value != Constant(0.0):
                return f"the condition {part.describe(problem.domain)} is not zero; use Adam"
            given += problem.domain.check_faces(part.on, "the condition")
    missing = [face for face in problem.domain.faces if face not in given]
    if missing:
        return (
            f"nothing is said about {listing(missing)}; give a PML, a Dirichlet or a Neumann condition there"
        )
    if twice := [face for face in problem.domain.faces if given.count(face) > 1]:
        return f"{twice[0]} has two conditions; give one"
    return None


def _warn_unresolved(lattice: LatticeProblem, last: float, fixed: bool) -> None:
    need = MARGIN * lattice.largest_wavenumber
    if need <= last:
        return
    modes = max(lattice.count(need, axis) for axis in range(2))
    way = f"bandwidth of at least {need:.0f}" if fixed else f"largest={math.ceil(1.5 * modes)}"
    warnings.warn(
        f"the largest local wavenumber of {lattice.problem.name} is {lattice.largest_wavenumber:.0f} rad per unit length, "
        f"but the sines go up to {last:.0f}: the field cannot be resolved; give Galerkin a {way}, "
        "a lower wavenumber or a smaller domain",
        ResolutionWarning,
        stacklevel=3,
    )


def _notes(lattice: LatticeProblem, step: Step) -> list[str]:
    level = step.level
    waves = sum(len(shot) for shot in lattice.backgrounds)
    neurons = 2 * level.features
    notes = [
        f"Trial function: one hidden layer of {neurons} sines on the lattice of the box, up to {level.bandwidth:.0f} rad per "
        f"unit length ({level.bandwidth / lattice.largest_wavenumber:.1f} times the largest local wavenumber)."
    ]
    if waves:
        notes.append(
            f"Scattered form: the outgoing wave of {'each source' if waves > 1 else 'the source'} in a uniform medium is known, "
            "the sines add what the medium and the sides change."
        )
    if not np.any(level.coefficients):
        notes.append("The medium is uniform and every side absorbs: the known wave is the whole field.")
    notes.append(
        f"Estimated relative error: {step.estimate:.1e}, from the change between the last two bandwidths."
    )
    return notes


def _trial(lattice: LatticeProblem, step: Step, task: Task) -> TrialFunction:
    """The solved sum of sines, on the background where there is one."""
    problem, level = task.problem, step.level
    spec: Trial = SineLattice((level.modes[0].count, level.modes[1].count), lattice.form.free)
    if any(lattice.backgrounds):
        spec = Ansatz(Superposition(lattice.backgrounds), spec)
    trial = spec.build(
        problem.domain.bounds,
        problem.outputs,
        True,
        generator=torch.Generator(),
        dtype=torch.float64,
        device=task.device,
    )
    network = trial.network if isinstance(trial, AnsatzTrial) else trial
    network.set_coefficients(level.coefficients)  # type: ignore[operator]
    return trial.to(task.dtype)
