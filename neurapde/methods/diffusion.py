"""Galerkin for Poisson's equation: lattices of sines by the energy, of a bandwidth that grows until the field stays.

The energy asks of a coefficient that it can be integrated, where the strong form asks for its slope: it is the way to solve
with values on a grid, or with a function that jumps. See `galerkin.diffusion`.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from neurapde.assembly.diffusion import Diffusion, DiffusionLattice
from neurapde.assembly.forcing import DETAIL
from neurapde.backgrounds.lift import Lift
from neurapde.conditions import Dirichlet, Neumann, Treated
from neurapde.conditions.boundary_data import narrowest_data
from neurapde.core.convergence import estimate_error
from neurapde.core.cost import Admits
from neurapde.core.errors import DeclarationError, ResolutionWarning
from neurapde.core.formatting import listing
from neurapde.core.interrupts import Interrupts
from neurapde.core.warn import warn
from neurapde.domains.box import Box
from neurapde.equations.poisson import Poisson
from neurapde.fields.jumps import Features, features_of, narrow_features
from neurapde.fields.sources import total
from neurapde.methods.refinement import estimate_note, growth_history, warn_unresolved
from neurapde.problem.problem import Problem
from neurapde.run.budget import Budget
from neurapde.run.method import Outcome, Status, Task
from neurapde.run.missed import ENOUGH, ROUGHLY, with_missed
from neurapde.spectral.quadrature import FloatArray
from neurapde.spectral.unseen import common
from neurapde.trials.ansatz import Ansatz, plain_network
from neurapde.trials.base import Trial, TrialFunction
from neurapde.trials.sines import SineLattice

FIRST = {1: 32, 2: 24, 3: 10}
"""Modes along the longest axis at the first level."""
MOST_FEATURES = 2**16
"""At which growing stops, some 15 s in the plane: a rough medium gains little from more."""
GROWTH = 1.35
SLOW = 0.5
"""The least ratio of successive changes that the estimate sums."""
PROBES = 4000
BLOCK = 20_000
"""Points at which the known part is evaluated at a time."""
LINEAR = 1e-2
"""Of the tolerance: how well the linear systems are solved."""
FAILED = 1e-3
"""Relative residual of the linear system above which its iteration has failed."""
FEWER = "a smaller bandwidth, or a coefficient and a source that change less abruptly"
ACROSS = 2.0
"""Half waves of the finest sines that a layer must be thick to be seen by them."""
TREATED = Treated("the energy", (Dirichlet, Neumann), zero=(Neumann,), way="use LeastSquares")
SOURCE_POINTS = 2000
"""Points along an axis that a source which changes within a short length may ask of the quadrature."""


def poisson_obstacle(problem: Problem) -> str | None:
    """Why the energy on a lattice of sines does not apply to a problem of Poisson's equation, or None where it does."""
    domain = problem.domain
    if not isinstance(domain, Box) or domain.dimension > 3:
        return f"its domain is {domain}, and the sines need a Box of up to three axes; use LeastSquares"
    if problem.extra:
        return f"it has the further constraint {problem.extra[0].name!r}, which the energy does not know; use LeastSquares"
    if len(problem.right_hand_sides) > 1:
        return "it has several shots; declare a problem for each"
    if reason := problem.sides.missing(TREATED):
        return reason
    try:
        lift = Lift.of(problem.sides)
    except DeclarationError as error:
        return str(error)
    if lift is not None and lift.jumps:
        return f"the values on {listing(lift.jumps[0])} differ where they meet, and no energy is finite; use LeastSquares"
    return None


@dataclass(frozen=True)
class Level:
    """One lattice: the normalised coefficients, one a product of modes, the linear solve's residual, and the field."""

    lattice: DiffusionLattice
    coefficients: FloatArray
    residual: float
    trial: TrialFunction

    @property
    def features(self) -> int:
        return self.coefficients.size


class PoissonOnSines:
    """A problem of Poisson's equation on a Box, solved on lattices of sines."""

    def __init__(self, task: Task, tolerance: float) -> None:
        self.task, self.problem, self.tolerance = task, task.problem, tolerance
        assert isinstance(self.problem.domain, Box)
        self.box = self.problem.domain
        self.lift = Lift.of(self.problem.sides)
        self.free = self.problem.sides.natural

    @cached_property
    def features(self) -> Features:
        """Where functions among the coefficients change abruptly."""
        equation = self.problem.equation
        assert isinstance(equation, Poisson)
        return features_of((equation.coefficient, equation.reaction), self.box)

    @cached_property
    def narrowest(self) -> float:
        """The length within which coefficients, or data on the sides, change."""
        return min(self.features.narrowest, narrowest_data(self.problem.sides))

    @property
    def resolving(self) -> float:
        """The bandwidth from which on the sines see the thinnest layer of the coefficients and data."""
        return ACROSS * math.pi / self.narrowest

    def _seen(self, level: "Level") -> float:
        counts = zip(level.coefficients.shape, self.box.extents, strict=True)
        return min(math.pi * count / extent for count, extent in counts)

    def sees(self, level: "Level") -> bool:
        """Whether a level's sines are fine enough for the thinnest layer."""
        return self._seen(level) >= self.resolving * (1 - 1e-9)

    def blind(self, level: "Level") -> str:
        """The sentence on layers that a level's sines do not see."""
        return (
            f"coefficients, or data on a side, change within {self.narrowest:.2g}, but the sines see nothing thinner than "
            f"{ACROSS * math.pi / self._seen(level):.2g}: the field may be wrong altogether; take npde.reference(problem), "
            "which puts nodes on thin layers, or give Galerkin a larger bandwidth"
        )

    @cached_property
    def diffusion(self) -> Diffusion:
        """The energy."""
        equation = self.problem.equation
        assert isinstance(equation, Poisson)
        [sources] = self.problem.right_hand_sides
        detail = max((DETAIL / source.reach for source in sources if source.reach), default=0.0)
        found = (
            narrow_features(lambda points: np.asarray(total(sources, points)), self.box) if sources else None
        )
        if found is not None and len(found):
            most = 2 * SOURCE_POINTS / max(self.box.extents)
            detail = max(
                detail,
                min(4 * math.pi / found.narrowest, most) if math.isfinite(found.narrowest) else most / 2,
            )
        planes = tuple(
            np.concatenate([one.planes(axis) for one in (self.features, found) if one is not None])
            for axis in range(self.box.dimension)
        )
        return Diffusion(
            self.box,
            equation.coefficient,
            equation.reaction,
            lambda points: np.asarray(total(sources, points)),
            None if self.lift is None else self._known,
            self.free,
            detail,
            planes,
        )

    def _known(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        assert self.lift is not None
        jets = [self.lift.jet(part, 1).channels for part in torch.split(torch.as_tensor(points), BLOCK)]
        channels = torch.cat(jets, dim=1).detach().numpy()
        return channels[0], channels[1:].T

    def counts(self, bandwidth: float) -> tuple[int, ...]:
        """Modes along each axis up to a bandwidth."""
        return tuple(max(4, math.ceil(bandwidth * extent / math.pi)) for extent in self.box.extents)

    def solve(self, bandwidth: float, before: Level | None) -> Level:
        """One level."""
        lattice = DiffusionLattice(self.diffusion, self.counts(bandwidth))
        found, residual = lattice.solve(
            min(LINEAR * self.tolerance, FAILED / 2), None if before is None else before.coefficients
        )
        spec: Trial = SineLattice(lattice.shape, self.free)
        if self.lift is not None:
            spec = Ansatz(self.lift, spec)
        trial = spec.build(
            self.box.bounds, generator=torch.Generator(), dtype=torch.float64, device=self.task.device
        )
        network = plain_network(trial)
        network.set_coefficients(lattice.amplitudes(found)[..., None])  # type: ignore[operator]
        return Level(lattice, found, residual, trial)

    def missed(self, level: Level) -> float:
        """The relative error of a level by what its quadrature does not see."""
        load = level.lattice.missed(level.coefficients, ENOUGH * self.tolerance)
        if load is None:
            return 0.0
        errors = np.stack([level.lattice.solve(ROUGHLY, load=one)[0] for one in load])
        with torch.no_grad():
            field = level.trial(self.box.sample(PROBES, how="grid").to(self.task.device))
        size = math.sqrt(float(field.square().mean()) * math.prod(self.box.extents))
        return common(errors) / size if size else 0.0

    def refine(self, bandwidth: float, last: float, admits: Admits) -> Iterator[tuple[Level, float, float]]:
        """Levels of growing bandwidth, each with its change from the one before and its estimated error."""
        probes = self.box.sample(PROBES, how="grid").to(self.task.device)
        level, field, changes = None, None, list[float]()
        while admits(self.diffusion.cost(self.counts(bandwidth))):
            level = self.solve(bandwidth, level)
            with torch.no_grad():
                finer = level.trial(probes)
            if field is None:
                yield level, math.inf, math.inf
            else:
                changes.append(float((finer - field).norm() / (finer.norm() or 1.0)))
                yield level, changes[-1], estimate_error(changes, SLOW)
            field = finer
            if bandwidth >= last * (1 - 1e-9):
                return
            bandwidth = min(GROWTH * bandwidth, last)


def solve_poisson(
    task: Task, tolerance: float, bandwidth: float | None, largest: int, seconds: float
) -> Outcome:
    """What `Galerkin` with these settings finds."""
    if task.trial is not None:
        raise DeclarationError(
            "Galerkin places its own sines for Poisson's equation, so a trial would not be used; leave trial out, or train "
            "it with Adam."
        )
    problem = PoissonOnSines(task, tolerance)
    longest = max(problem.box.extents)
    shape = math.prod(extent / longest for extent in problem.box.extents)
    room = (MOST_FEATURES / shape) ** (1 / problem.box.dimension)
    first, last = FIRST[problem.box.dimension] * math.pi / longest, min(largest, room) * math.pi / longest
    if bandwidth is not None:
        first, last = bandwidth / GROWTH, bandwidth
    hopeless = problem.resolving > last
    levels: list[tuple[Level, float, float]] = []
    budget = Budget(seconds, "Galerkin", task.problem.name, FEWER, grows=bandwidth is None)
    with Interrupts() as interrupts, task.progress.bar(task.problem.name, largest, unit="mode") as bar:
        done = 0
        for step in budget.levels(interrupts, problem.refine(min(first, last), last, budget.admits)):
            levels.append(step)
            modes = max(step[0].coefficients.shape)
            bar.advance(modes - done)
            done = modes
            bar.show({"estimated error": step[2]})
            if bandwidth is None and step[2] <= tolerance and (hopeless or problem.sees(step[0])):
                break
    level, _, estimate = levels[-1]
    blind = "" if problem.sees(level) else problem.blind(level)
    if blind:
        estimate = max(estimate, 1.0)
    status = Status.CONVERGED if estimate <= tolerance and level.residual <= FAILED else Status.UNRESOLVED
    if interrupts.asked:
        status = Status.INTERRUPTED
    if status is Status.UNRESOLVED and blind:
        warn(f"{task.problem.name}: {blind}", ResolutionWarning)
    elif status is Status.UNRESOLVED:
        way = f"Galerkin(bandwidth={2 * last:.0f})"
        warn_unresolved(task.problem.name, estimate, level.features, tolerance, way, budget)
    modes_text = "×".join(map(str, level.coefficients.shape))
    notes = (
        f"Trial function: {modes_text} sines on the lattice of the box, {level.features} features in all, their head by the "
        "least energy.",
        blind or estimate_note(estimate, "bandwidths"),
        *problem.features.note,
    )
    extras = {"features": level.features, "error_estimate": estimate, "linear_residual": level.residual}
    history = growth_history(
        [one.features for one, _, _ in levels[1:]], [change for _, change, _ in levels[1:]]
    )
    outcome = Outcome(level.trial.to(task.dtype), status, history, notes, extras)
    return with_missed(outcome, task.problem.name, lambda: problem.missed(level), tolerance)
