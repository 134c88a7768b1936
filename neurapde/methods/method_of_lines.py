"""The method of lines on sines: in space a Galerkin method on a lattice, in time exact.

The head of a SIREN is linear, and for an evolution it may depend on time. With a lattice of sines as the hidden layer the
wave equation becomes M a'' = −K a + F, whose solution is a function of the operator M⁻¹K: see `spectral.propagation`.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from neurapde.assembly.helmholtz import SMALL
from neurapde.assembly.wave_levels import Evolved, evolve, judged, wave_cost
from neurapde.assembly.wave_missed import missed
from neurapde.assembly.wave_problem import BandwidthRequirement, WaveProblem
from neurapde.conditions import PML, Absorbing, Dirichlet, Neumann, Treated
from neurapde.core.cost import Cost
from neurapde.core.formatting import number
from neurapde.domains.box import Box
from neurapde.domains.spacetime import SpaceTime
from neurapde.equations.wave import Wave
from neurapde.methods.refinement import Level, check_bandwidth, check_growth, refine
from neurapde.problem.problem import Problem
from neurapde.training.run.budget import SECONDS, Budget
from neurapde.training.run.history import ESTIMATE
from neurapde.training.run.method import DirectMethod, Outcome, Task
from neurapde.training.run.missed import ENOUGH, with_missed
from neurapde.trials.base import Setting
from neurapde.trials.sine_history import HistoryFunction, SineHistory

GROWTH = (1.15, 1.4)  # of the bandwidth, where it proves too small
RATE = 3.0  # power of the bandwidth by which errors are expected to fall
SECOND = 1.4  # bandwidth in units of that of a coarser lattice: two show how the medium couples the modes
QUINTIC = (
    46080  # a wave that turns by x radians between two knots in time is off by x⁶ / QUINTIC between them
)
IN_TIME = 0.05  # of the tolerance that this may cost
SHORTER = "a shorter time, a smaller domain, waves of lower frequency, or a smaller largest"
LEAST_KNOTS = 9
TREATED = Treated("the weak form", (Absorbing, PML, Dirichlet, Neumann), zero=(Dirichlet, Neumann))
IN_SPACE = 96  # modes along the longest of three axes at most
LEAST_MODES = 12  # along the longest side, so that coarser lattices have fewer


@dataclass(frozen=True)
class MethodOfLines(DirectMethod):
    """Solve the wave equation on a Box of one to three axes by sines in space and exactly in time.

    tolerance: relative L2 error over space and time to stop at, the sum of estimated terms (the notes name them).
    bandwidth: the largest frequency of the sines, rad per unit length, instead of one that follows from the tolerance.
    largest:   modes along the longest axis at which the refinement stops in any case; at most 96 on three axes.
    seconds:   limit of the processor time, as in `LeastSquares`.

    Absorbing sides (Absorbing, PML) are moved out until none of their reflections arrives before the end. So the field
    is that of an unbounded medium, which continues as it is at the side, or at the start of a PML layer.
    Raises DeclarationError (from `solve`, before any work) for problems that it cannot take.
    """

    tolerance: float = 2e-3
    bandwidth: float | None = None
    largest: int = 512
    seconds: float = SECONDS
    weak: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_growth(self.tolerance, self.largest, 8, self.seconds)
        check_bandwidth(self.bandwidth)

    def obstacle(self, problem: Problem) -> str | None:
        if not isinstance(problem.equation, Wave):
            return "its equation is not Wave"
        domain = problem.domain
        assert isinstance(domain, SpaceTime)
        if not isinstance(domain.space, Box) or domain.space.dimension > 3:
            return f"its domain is {domain}, but the sines need a Box of one to three axes"
        return problem.further or problem.sides.missing(TREATED)

    def why(self, problem: Problem) -> str:
        return "the equation is linear and the space a box"

    def describe(self) -> str:
        if self.bandwidth is not None:
            return f"method of lines, sines up to {number(self.bandwidth)}"
        return f"method of lines to a relative error of {number(self.tolerance)}"

    def run(self, task: Task) -> Outcome:
        self.check_trial(task.trial)
        waves = WaveProblem(task.problem)
        largest = self.largest if waves.box.dimension < 3 else min(self.largest, IN_SPACE)
        name, fixed = task.problem.name, self.bandwidth is not None
        budget = Budget(self.seconds, "MethodOfLines", name, SHORTER, grows=not fixed)
        levels = (
            Level(
                evolved, math.prod(evolved.lattice.shape), change=evolved.estimate, estimate=evolved.estimate
            )
            for evolved in self._levels(waves, budget, largest)
        )
        features = largest**waves.box.dimension
        refined = refine(task, levels, features, self.tolerance, budget, column=ESTIMATE)
        level = refined.level.solved
        extras = {
            "bandwidth": max(mode.bandwidth for mode in level.lattice.modes),
            "polynomials": level.polynomials,
            "moments": len(level.times),
            "converged": int(level.estimate <= self.tolerance),
        }
        way = f"bandwidth={2 * self.bandwidth:g}" if self.bandwidth is not None else f"largest={2 * largest}"
        outcome = refined.outcome(
            _trial(waves, level, task), _notes(waves, level), extras, f"MethodOfLines({way})"
        )
        return with_missed(outcome, name, lambda: missed(level, ENOUGH * self.tolerance), self.tolerance)

    def _levels(self, waves: WaveProblem, budget: Budget, largest: int) -> Iterator[Evolved]:
        """The states on lattices of growing bandwidth, up to the largest."""

        def cost(bandwidth: float, moments: int) -> Cost:
            return wave_cost(waves, waves.counts(bandwidth, largest), moments)

        budget.admits(replace(cost(math.inf, 0), seconds=0.0))  # what the requirements are looked up on
        requirements = waves.requirements(self.tolerance, largest)
        longest = max(waves.box.extents)
        bandwidth = self.bandwidth or max(_wanted(waves, requirements), LEAST_MODES * math.pi / longest)
        most = largest * math.pi / longest
        count = _knots(waves, requirements, self.tolerance, most)

        def solved(bandwidth: float) -> Evolved:
            lattice = waves.lattice(bandwidth, largest)
            times = np.linspace(0, waves.time.duration, count)
            with threadpool_limits(1 if max(lattice.shape) < SMALL else None, "blas"):
                return evolve(waves, lattice, times)

        coarse, varies = None, waves.medium.uniform is None
        while budget.admits(cost(bandwidth, count)):
            if varies and coarse is None:
                first = solved(min(bandwidth, most) / SECOND**2)
                coarse = judged(solved(min(bandwidth, most) / SECOND), first)
            level = judged(solved(bandwidth), coarse)
            yield level
            if bandwidth >= most or self.bandwidth is not None:
                return
            coarse = level if varies else None
            missing = (level.estimate / self.tolerance) ** (1 / RATE)
            bandwidth = min(float(np.clip(missing, *GROWTH)) * bandwidth, most)


def _wanted(waves: WaveProblem, requirements: list[BandwidthRequirement]) -> float:
    """The bandwidth for all waves: their frequencies are constant, so they are shortest where the medium is slowest."""
    slowest = waves.speeds[0]
    return max(
        (requirement.bandwidth * max(1.0, requirement.speed / slowest) for requirement in requirements),
        default=0.0,
    )


def _knots(
    waves: WaveProblem, requirements: list[BandwidthRequirement], tolerance: float, most: float
) -> int:
    """The number of knots in time, from 0 on, for the required waves up to the bandwidth `most`."""
    fastest = max((requirement.bandwidth * requirement.speed for requirement in requirements), default=0.0)
    fastest = min(fastest, most * waves.speeds[1])
    turn = (QUINTIC * IN_TIME * tolerance) ** (1 / 6)
    return max(LEAST_KNOTS, math.ceil(waves.time.duration * fastest / turn) + 1)


def _trial(waves: WaveProblem, level: Evolved, task: Task) -> HistoryFunction:
    extended = waves.box.sides != waves.space.sides
    near = tuple(wave.field for wave in level.near)
    spec = SineHistory(
        level.lattice.shape,
        len(level.times),
        waves.box.sides if extended else None,
        waves.problem.sides.natural,
        near,
    )
    problem = task.problem
    trial = spec.draw(
        Setting(problem.domain.bounds, problem.outputs, False, torch.Generator(), task.dtype, task.device)
    )
    amplitudes = np.moveaxis(level.lattice.amplitudes(np.moveaxis(level.states, -1, 0)), 0, -1)
    with torch.no_grad():
        trial.amplitudes.copy_(torch.as_tensor(np.ascontiguousarray(np.moveaxis(amplitudes, 0, 1))))
        start = 0
        for wave in level.near:
            assert trial.beside is not None
            near_amplitudes = torch.as_tensor(np.moveaxis(wave.amplitudes, 0, 1))
            column = wave.shot if task.problem.outputs > 1 else 0
            trial.beside[:, :, start : start + wave.field.orders, column] = near_amplitudes.to(trial.beside)
            start += wave.field.orders
    return trial


def _notes(waves: WaveProblem, level: Evolved) -> list[str]:
    lattice = level.lattice
    counts = " × ".join(map(str, lattice.shape))
    notes = [
        f"Trial function: {counts} products of sines up to {max(mode.bandwidth for mode in lattice.modes):.0f} rad per "
        f"unit length, with a head that is a function of time, quintic between {len(level.times)} moments."
    ]
    if waves.box.sides != waves.space.sides:
        notes.append(
            f"The sines are defined on {waves.box}: absorbing sides were moved so far out that no reflection arrives "
            "before the end."
        )
    if waves.problem.pml is not None:
        notes.append(
            "Inside the absorbing layers the field is that of an infinite medium, which continues the medium at their "
            "inner edge: compare the field outside the layers."
        )
    medium = (
        "the medium is uniform"
        if lattice.uniform is not None
        else "the medium's jumps enter by exact integrals"
    )
    way = (
        f"{level.polynomials} Chebyshev polynomials of the operator" if level.polynomials else "oscillations"
    )
    notes.append(f"Time is exact, by {way}; {medium}.")
    terms = ", ".join(f"{name} {value:.1e}" for name, value in level.terms.items())
    notes.append(f"Estimated relative error: {level.estimate:.1e} ({terms}).")
    return [*notes, *waves.looked]
