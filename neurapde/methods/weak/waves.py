"""Helmholtz' equation for `Galerkin` on a lattice of sines: its levels and messages."""

from collections.abc import Sequence

import numpy as np

from neurapde.assembly.helmholtz import LatticeProblem, Level
from neurapde.assembly.helmholtz_cost import lattice_cost
from neurapde.conditions import PML, Dirichlet, Neumann, Treated
from neurapde.core.cost import Cost
from neurapde.domains import Box
from neurapde.equations.helmholtz import Helmholtz
from neurapde.methods.weak.helmholtz import LINEAR, Waves
from neurapde.problem.problem import Problem
from neurapde.training.run.method import Task
from neurapde.training.run.missed import ENOUGH, ROUGHLY
from neurapde.trials.base import Trial
from neurapde.trials.sines import SineLattice

TREATED = Treated("the weak form", (PML, Dirichlet, Neumann), zero=(Dirichlet, Neumann), way="use Adam")


class WavesOnSines(Waves[Level]):
    """A Helmholtz problem on a planar Box, solved on lattices of sines."""

    waves: LatticeProblem
    coarser = 1.5
    likely = 1.6

    def __init__(self, task: Task, tolerance: float) -> None:
        super().__init__(task, tolerance)
        assert isinstance(self.problem.equation, Helmholtz)
        self.waves = LatticeProblem(self.problem, self.problem.equation)
        self.first = self.waves.first_bandwidth

    @staticmethod
    def obstacle(problem: Problem) -> str | None:
        if not isinstance(problem.domain, Box) or problem.domain.dimension != 2:
            return f"its domain is {problem.domain}, but the sines need a Box of two axes"
        return problem.further or problem.sides.missing(TREATED)

    def cost(self, bandwidth: float) -> Cost:
        return lattice_cost(self.waves, bandwidth)

    def solve(self, bandwidth: float, before: Level | None) -> Level:
        return self.waves.solve(bandwidth, LINEAR * self.tolerance, before)

    def field(self, level: Level) -> np.ndarray:
        return self.waves.field(level)

    def missed(self, level: Level) -> float:
        return self.waves.missed(level, ENOUGH * self.tolerance, ROUGHLY)

    def spec(self, level: Level) -> tuple[Trial, np.ndarray]:
        counts = (level.modes[0].count, level.modes[1].count)
        return SineLattice(counts, self.waves.form.free), level.coefficients

    def notes(self, level: Level, estimate: str) -> Sequence[str]:
        neurons, band = 2 * level.features, level.bandwidth
        notes = [
            f"Trial function: one hidden layer of {neurons} sines on the lattice of the box, up to {band:.0f} rad per unit "
            f"length ({band / self.waves.largest_wavenumber:.1f} times the largest local wavenumber).",
            *self.scattered("sines"),
        ]
        if not np.any(level.coefficients):
            notes.append("The medium is uniform and every side absorbs: the known wave is the whole field.")
        return [*notes, *self.told(level, estimate)]
