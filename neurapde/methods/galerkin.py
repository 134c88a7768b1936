"""Galerkin: the head of a SIREN by the weak form; its hidden layer is a lattice, or is given.

The head of a SIREN is linear, so for a linear equation with given hidden features it solves a linear system. On the
lattice of the box the features are orthogonal and meet the conditions at the sides, and their matrix applies in
O(n^{3/2}); see `spectral.operator`. The bandwidth grows until the field changes by less than the tolerance. The head
of a given network is found by least squares instead, and its features may be trained; see `assembly.head`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from neurapde.assembly.head import RESIDUAL, StrongRows, WeakRows, project_head
from neurapde.assembly.helmholtz import LatticeProblem
from neurapde.assembly.helmholtz_cost import head_cost
from neurapde.assembly.scattering import Superposition
from neurapde.backgrounds.side_distance import SideDistance
from neurapde.core import checks
from neurapde.core.formatting import number
from neurapde.core.warn import warn
from neurapde.equations.helmholtz import Helmholtz
from neurapde.equations.poisson import Poisson
from neurapde.methods.refinement import (
    Level,
    bandwidths,
    check_bandwidth,
    check_growth,
    estimate_note,
    estimated,
    refine,
)
from neurapde.methods.weak.helmholtz import FAILED
from neurapde.methods.weak.on_sines import OnSines
from neurapde.methods.weak.poisson import PoissonOnSines
from neurapde.methods.weak.waves import WavesOnSines
from neurapde.methods.weak.waves_on_elements import WavesOnElements
from neurapde.problem.problem import Problem
from neurapde.reference_solvers.grids.grid import ResolutionWarning
from neurapde.training.run.budget import SECONDS, Budget
from neurapde.training.run.history import History
from neurapde.training.run.journal import Journal
from neurapde.training.run.method import DirectMethod, Outcome, Status, Task
from neurapde.training.run.missed import with_missed
from neurapde.trials.ansatz import Ansatz, AnsatzTrial, DistanceFactor
from neurapde.trials.base import TrialFunction

WEAK_FORMS: dict[type, tuple[type[OnSines[Any]], ...]] = {
    Helmholtz: (WavesOnSines, WavesOnElements),
    Poisson: (PoissonOnSines,),
}
"""The weak forms of an equation; the one with the least predicted cost among those without an obstacle is used."""
RESIDUAL_PER_ERROR = 5.0  # the relative residual of a head beside the field's relative error, as measured
WEAK_FEATURES = 0.1  # relative residual above which the features of a given trial are told to be too few


@dataclass(frozen=True)
class Galerkin(DirectMethod):
    """Solve a linear equation on a Box for the head of a SIREN: Helmholtz' on two or three axes, Poisson's on one to three.

    Without a trial, the hidden layer is a lattice of sines. For Helmholtz' equation it is polynomials on elements on
    three axes, with conditions that sines do not meet (Absorbing, Robin, Periodic, values), or if the medium varies so
    much that a direct solution is cheaper than iterations. With a trial (`Siren`, `MLP`), its head is found, with zero
    values on sides with u = 0: by the weak form if the medium jumps, else by the strong form at points (Helmholtz'
    equation with sines only).

    tolerance: relative L2 error of the field in the physical region to stop at, as estimated from the change between
        two bandwidths.
    bandwidth: the largest frequency of the sines, rad per unit length, instead of a growing one; its error is still
        compared with the tolerance.
    largest:   modes along the longest axis at which the refinement stops in any case.
    seconds:   limit of the processor time, as in `LeastSquares`.
    steps, lr: of Adam on the hidden layers of a given trial; every step solves for the head. Such a training has no
               checkpoint; to continue after an interruption, give its trial function.
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
        if type(problem.equation) not in WEAK_FORMS:
            return "its weak form is not known; use LeastSquares if it is linear, otherwise NaturalGradient or Adam"
        obstacles = [form.obstacle(problem) for form in WEAK_FORMS[type(problem.equation)]]
        return None if None in obstacles else obstacles[-1]

    def why(self, problem: Problem) -> str:
        return "the strong form is not available"

    def describe(self) -> str:
        if self.bandwidth is not None:
            return f"Galerkin, sines up to {number(self.bandwidth)}"
        return f"Galerkin to a relative error of {number(self.tolerance)}"

    def run(self, task: Task) -> Outcome:
        sines = _cheapest(task, self.tolerance)
        if task.trial is not None and isinstance(sines, WavesOnSines):
            return self._on_features(task, sines.waves, task.trial)
        self.check_trial(task.trial)
        return self._on_lattice(task, sines)

    def _on_features(self, task: Task, lattice: LatticeProblem, given: TrialFunction) -> Outcome:
        """Find the head of a given network."""
        trial = _composed(lattice, given).to(torch.float64)
        smooth = len(lattice.form.pieces) == 1
        width, band = trial.head.in_features, self.bandwidth or lattice.first_bandwidth
        budget = Budget(self.seconds, "Galerkin", task.problem.name, f"fewer features, {WavesOnSines.fewer}")
        budget.admits(head_cost(lattice, width, band, smooth))
        rows = (StrongRows if smooth else WeakRows)(lattice, width, band, task.device)
        journal = Journal(task.problem.name, self.steps + 1, (RESIDUAL,), task.progress)
        residual = project_head(rows, trial, self.lr, journal)
        interrupted = journal.status is Status.INTERRUPTED
        form = "strong form at points" if smooth else "weak form against a lattice of sines"
        notes: tuple[str, ...] = (
            f"The head of {given.spec.describe()} by least squares of the {form}: "
            f"relative residual {residual:.1e}.",
        )
        if interrupted:
            notes = (
                *notes,
                "This training keeps no checkpoint; continue from it with solve(problem, solution.trial, …).",
            )
        elif residual > WEAK_FEATURES:
            warn(
                f"the features of {given.spec.describe()} leave {residual:.0%} of the residual of {task.problem.name}: "
                "they cannot represent its field; give a larger width or omega_0, more steps, or leave trial out",
                ResolutionWarning,
            )
        converged = residual <= RESIDUAL_PER_ERROR * self.tolerance
        status = Status.CONVERGED if converged else Status.STEP_LIMIT if self.steps else Status.UNRESOLVED
        return Outcome(
            trial.to(task.dtype),
            Status.INTERRUPTED if interrupted else status,
            journal.history if self.steps else History(),
            notes,
            {"features": trial.head.in_features, "relative_residual": residual},
        )

    def _on_lattice(self, task: Task, sines: OnSines[Any]) -> Outcome:
        """Solve on lattices of growing bandwidth."""
        name, fixed = task.problem.name, self.bandwidth is not None
        first, last = sines.first, sines.last(self.largest)
        if self.bandwidth is not None:
            first, last = self.bandwidth / sines.coarser, self.bandwidth
        sines.aim(last, fixed)
        budget = Budget(self.seconds, "Galerkin", name, sines.fewer, grows=not fixed)
        levels = estimated(_levels(sines, bandwidths(first, last), budget))
        features = self.largest**task.problem.domain.dimension
        refined = refine(task, levels, features, self.tolerance, budget)
        level = refined.level.solved
        blind = sines.blind(level)
        outcome = refined.outcome(
            sines.trial(level),
            sines.notes(level, blind or estimate_note(refined.level.estimate, "bandwidths")),
            sines.extras(level),
            f"Galerkin({f'bandwidth={2 * last:g}' if fixed else sines.more(self.largest, last)})",
            blind=blind,
            solved=level.residual <= FAILED,
        )
        return with_missed(outcome, name, lambda: sines.missed(level), self.tolerance)


def _cheapest(task: Task, tolerance: float) -> OnSines[Any]:
    """The weak form with the least predicted cost among those that resolve the medium; sines for a trial."""
    forms = [form for form in WEAK_FORMS[type(task.problem.equation)] if form.obstacle(task.problem) is None]
    if len(forms) == 1 or task.trial is not None:
        return forms[0](task, tolerance)
    made = [form(task, tolerance) for form in forms]
    fit = [form for form in made if form.follows]
    return min(fit, key=lambda form: form.cost(form.likely * form.first).seconds)


def _levels(sines: OnSines[Any], bands: Iterator[float], budget: Budget) -> Iterator[Level[Any]]:
    """The solutions for the bandwidths, each from the one before, within the limits of time and memory."""
    level: Any = None
    for band in bands:
        if not budget.admits(sines.cost(band)):
            return
        level = sines.solve(band, level)
        field, fine = sines.field(level), sines.is_fine(level)
        yield Level(level, level.features, field, fine, least=level.residual)


def _composed(lattice: LatticeProblem, given: TrialFunction) -> TrialFunction:
    """The given network, with zero values on sides with u = 0, plus the background if there is one."""
    bounds = lattice.problem.domain.bounds
    known = given if isinstance(given, AnsatzTrial) else None
    held = known.factor if known else None
    already = held.sides if isinstance(held, SideDistance) else ((False, False),) * 2
    on_background = known is not None and known.background is not None
    open_sides = tuple(
        (not free[0] and not met[0], not free[1] and not met[1])
        for free, met in zip(lattice.form.free, already, strict=True)
    )
    network: TrialFunction = given
    if not on_background and any(map(any, open_sides)):
        network = DistanceFactor(given.spec, open_sides).around(given, bounds)
    if any(lattice.backgrounds) and not on_background:
        background = Superposition(lattice.backgrounds)
        network = AnsatzTrial(Ansatz(background, network.spec), network, background)
    return network
