"""Galerkin: the head of a SIREN by the weak form, its hidden layer placed on a lattice, or given.

The head of a SIREN is linear, so for a linear equation with given hidden features it solves a linear system. Placed on
the lattice of the box, the features are orthogonal, meet the conditions at the sides, and their matrix applies in
O(n^{3/2}); see `galerkin.operator`. The bandwidth grows until the field changes by less than the tolerance. The features
of a given network are solved for by least squares instead, and may be trained on the way; see `galerkin.head`.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from neurapde.assembly.head import StrongRows, WeakRows
from neurapde.assembly.helmholtz import LatticeProblem, Step, refine
from neurapde.assembly.helmholtz_cost import head_cost, lattice_cost
from neurapde.assembly.projection import project_head
from neurapde.assembly.scattering import Superposition
from neurapde.backgrounds.side_distance import SideDistance
from neurapde.conditions import PML, Dirichlet, Neumann, Treated
from neurapde.core import checks
from neurapde.core.errors import ResolutionWarning
from neurapde.core.formatting import number
from neurapde.core.interrupts import Interrupts
from neurapde.core.warn import warn
from neurapde.domains import Box
from neurapde.equations.helmholtz import Helmholtz
from neurapde.equations.poisson import Poisson
from neurapde.methods.diffusion import poisson_obstacle, solve_poisson
from neurapde.methods.galerkin_notes import notes_of, warn_bandwidth
from neurapde.methods.refinement import (
    check_bandwidth,
    check_growth,
    growth_history,
    warn_unresolved,
)
from neurapde.problem.problem import Problem
from neurapde.run.budget import SECONDS, Budget
from neurapde.run.history import History
from neurapde.run.method import DirectMethod, Outcome, Status, Task
from neurapde.run.missed import ENOUGH, ROUGHLY, with_missed
from neurapde.trials.ansatz import Ansatz, AnsatzTrial, DistanceFactor, plain_network
from neurapde.trials.base import Trial, TrialFunction
from neurapde.trials.sines import SineLattice

LINEAR = 1e-4  # of the tolerance: how well the linear systems are solved
TREATED = Treated("the weak form", (PML, Dirichlet, Neumann), zero=(Dirichlet, Neumann), way="use Adam")
RESIDUAL_PER_ERROR = 5.0  # the relative residual of a head beside the field's relative error, as measured
WEAK_FEATURES = 0.1  # relative residual above which the features of a given trial are told to be too few
FEWER_WAVES = "a lower wavenumber, or a smaller domain"
FAILED = 1e-3  # relative residual of the linear system above which its iteration has failed


@dataclass(frozen=True)
class Galerkin(DirectMethod):
    """Solve a linear equation on a Box for the head of a SIREN: Helmholtz' in the plane, Poisson's on one to three axes.

    Without a trial, the hidden layer is a lattice of sines. With one (`Siren`, `MLP`), its head is solved for, made to
    vanish on sides that hold u = 0: by the weak form where the medium jumps, else by the strong form at points (Helmholtz'
    equation only).

    tolerance: relative L2 error of the field in the physical region to stop at, as estimated from the change between
        two bandwidths.
    bandwidth: the largest frequency of the sines, rad per unit length, instead of growing it to a tolerance; what this
        reaches is held against the tolerance all the same.
    largest:   modes along the longest axis at which growing stops, met tolerance or not.
    seconds:   of a core that growing may take: a level that would end later, as foretold by those before, is not begun;
               one that takes much longer than foretold is given up. A slower machine may so end earlier, and says it.
               A first level that would take three times as long is refused.
    steps, lr: of Adam on the hidden layers of a given trial, the head being solved for at every step. Such a training
               keeps no checkpoint; give the trial function of one that was interrupted to go on from it.
    Raises DeclarationError (from `solve`, before any work) for problems that it cannot take.
    """

    tolerance: float = 5e-4
    bandwidth: float | None = None
    largest: int = 512
    steps: int = 0
    lr: float = 1e-3
    seconds: float = SECONDS
    weak: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_growth(self.tolerance, self.largest, 8, self.seconds)
        check_bandwidth(self.bandwidth)
        checks.whole(self.steps, "steps", 0, ", 0 to leave the hidden layers as they are")
        checks.amount(self.lr, "lr")

    def obstacle(self, problem: Problem) -> str | None:
        return obstacle(problem)

    def why(self, problem: Problem) -> str:
        return "the strong form is not to be had"

    def describe(self) -> str:
        if self.bandwidth is not None:
            return f"Galerkin, sines up to {number(self.bandwidth)}"
        return f"Galerkin to a relative error of {number(self.tolerance)}"

    def run(self, task: Task) -> Outcome:
        problem, equation = task.problem, task.problem.equation
        if isinstance(equation, Poisson):
            return solve_poisson(task, self.tolerance, self.bandwidth, self.largest, self.seconds)
        assert isinstance(equation, Helmholtz)
        lattice = LatticeProblem(problem, equation)
        if task.trial is not None:
            return self._on_features(task, lattice, task.trial)
        return self._on_lattice(task, lattice)

    def _on_features(self, task: Task, lattice: LatticeProblem, given: TrialFunction) -> Outcome:
        """Solve for the head of a given network."""
        trial = _composed(lattice, given).to(torch.float64)
        smooth = len(lattice.form.pieces) == 1
        width, band = trial.head.in_features, self.bandwidth or lattice.first_bandwidth
        budget = Budget(self.seconds, "Galerkin", task.problem.name, f"fewer features, {FEWER_WAVES}")
        budget.admits(head_cost(lattice, width, band, smooth))
        rows = (StrongRows if smooth else WeakRows)(lattice, width, band, task.device)
        with task.progress.bar(task.problem.name, self.steps + 1) as bar:
            found = project_head(rows, trial, self.steps, self.lr, bar)
        form = "strong form at points" if smooth else "weak form against a lattice of sines"
        notes: tuple[str, ...] = (
            f"The head of {given.spec.describe()} by least squares of the {form}: "
            f"relative residual {found.residual:.1e}.",
        )
        if found.interrupted:
            notes = (
                *notes,
                "No checkpoint is kept of this training; go on from it by solve(problem, solution.trial, …).",
            )
        elif found.residual > WEAK_FEATURES:
            warn(
                f"the features of {given.spec.describe()} leave {found.residual:.0%} of the residual of "
                f"{task.problem.name}: they cannot carry its field; "
                "give a larger width or omega_0, more steps, or leave trial out",
                ResolutionWarning,
            )
        converged = found.residual <= RESIDUAL_PER_ERROR * self.tolerance
        status = Status.CONVERGED if converged else Status.STEP_LIMIT if self.steps else Status.UNRESOLVED
        return Outcome(
            trial.to(task.dtype),
            Status.INTERRUPTED if found.interrupted else status,
            found.history if self.steps else History(),
            notes,
            {"features": trial.head.in_features, "relative_residual": found.residual},
        )

    def _on_lattice(self, task: Task, lattice: LatticeProblem) -> Outcome:
        """Solve on lattices of growing bandwidth."""
        problem = task.problem
        lower, upper = problem.domain.bounds
        largest = self.largest * math.pi / float(np.max(upper - lower))
        first, last = lattice.first_bandwidth, largest
        if self.bandwidth is not None:
            first, last = self.bandwidth / 1.5, self.bandwidth
        warn_bandwidth(lattice, last, self.bandwidth is not None)
        steps: list[Step] = []
        done = 0
        budget = Budget(self.seconds, "Galerkin", problem.name, FEWER_WAVES, grows=self.bandwidth is None)
        with Interrupts() as interrupts, task.progress.bar(problem.name, self.largest, unit="mode") as bar:
            growing = refine(
                lattice,
                min(first, last),
                last,
                LINEAR * self.tolerance,
                lambda band: budget.admits(lattice_cost(lattice, band)),
            )
            for step in budget.levels(interrupts, growing):
                steps.append(step)
                bar.advance(max(one.count for one in step.level.modes) - done)
                done = max(one.count for one in step.level.modes)
                bar.show({"estimated error": step.estimate})
                if self.bandwidth is None and step.estimate <= self.tolerance:
                    break
        return self._outcome(task, lattice, steps, interrupts.asked, budget)

    def _outcome(
        self, task: Task, lattice: LatticeProblem, steps: list[Step], interrupted: bool, budget: Budget
    ) -> Outcome:
        final = steps[-1]
        converged = final.estimate <= self.tolerance
        notes = notes_of(lattice, final)
        if final.level.residual > FAILED:
            converged = False
            notes.append(
                f"The linear system was solved only to a relative residual of {final.level.residual:.1e}: "
                "waves are trapped in this medium, and the field is not reliable."
            )
        if not converged and not interrupted:
            way = (
                f"largest={2 * self.largest}"
                if self.bandwidth is None
                else f"bandwidth={2 * self.bandwidth:g}"
            )
            warn_unresolved(
                task.problem.name,
                final.estimate,
                final.level.features,
                self.tolerance,
                f"Galerkin({way})",
                budget,
            )
        history = growth_history(
            [step.level.features for step in steps[1:]], [step.change for step in steps[1:]]
        )
        extras = {
            "features": final.level.features,
            "bandwidth": final.level.bandwidth,
            "error_estimate": final.estimate,
            "linear_residual": final.level.residual,
            "iterations": sum(step.level.iterations for step in steps),
        }
        status = Status.CONVERGED if converged else Status.UNRESOLVED
        if interrupted:
            status = Status.INTERRUPTED

        def missed() -> float:
            return lattice.missed(final.level, ENOUGH * self.tolerance, ROUGHLY)

        outcome = Outcome(_trial(lattice, final, task), status, history, tuple(notes), extras)
        return with_missed(outcome, task.problem.name, missed, self.tolerance)


def obstacle(problem: Problem) -> str | None:
    """Why the weak form on a lattice of sines does not apply to a problem, or None where it does."""
    if isinstance(problem.equation, Poisson):
        return poisson_obstacle(problem)
    if not isinstance(problem.equation, Helmholtz):
        return "its weak form is not known; use LeastSquares where it is linear, else NaturalGradient or Adam"
    if not isinstance(problem.domain, Box) or problem.domain.dimension != 2:
        return f"its domain is {problem.domain}, and the sines need a Box of two axes"
    if problem.extra:
        return f"it has the further constraint {problem.extra[0].name!r}, which the weak form does not know"
    return problem.sides.missing(TREATED)


def _composed(lattice: LatticeProblem, given: TrialFunction) -> TrialFunction:
    """The given network, vanishing where u = 0 is held, on the background where there is one."""
    bounds = lattice.problem.domain.bounds
    known = given if isinstance(given, AnsatzTrial) else None
    held = known.factor if known else None
    already = held.sides if isinstance(held, SideDistance) else ((False, False),) * 2
    on_background = known is not None and known.background is not None
    left = tuple(
        (not free[0] and not met[0], not free[1] and not met[1])
        for free, met in zip(lattice.form.free, already, strict=True)
    )
    network: TrialFunction = given
    if not on_background and any(map(any, left)):
        network = DistanceFactor(given.spec, left).around(given, bounds)
    if any(lattice.backgrounds) and not on_background:
        background = Superposition(lattice.backgrounds)
        network = AnsatzTrial(Ansatz(background, network.spec), network, background)
    return network


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
    network = plain_network(trial)
    network.set_coefficients(level.coefficients)  # type: ignore[operator]
    return trial.to(task.dtype)
