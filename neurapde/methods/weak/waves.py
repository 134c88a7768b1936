"""Helmholtz' equation as `Galerkin` solves it on a lattice of sines: its levels, and what it tells before and after."""

import math
from collections.abc import Sequence

import numpy as np
import torch

from neurapde.assembly.helmholtz import LatticeProblem, Level
from neurapde.assembly.helmholtz_cost import lattice_cost
from neurapde.assembly.scattering import Superposition
from neurapde.conditions import PML, Dirichlet, Neumann, Treated
from neurapde.core.cost import Cost
from neurapde.core.errors import ResolutionWarning
from neurapde.core.warn import warn
from neurapde.domains import Box
from neurapde.equations.helmholtz import Helmholtz, reflection_note
from neurapde.methods.weak.on_sines import OnSines
from neurapde.problem.problem import Problem
from neurapde.run.method import Task
from neurapde.run.missed import ENOUGH, ROUGHLY
from neurapde.trials.ansatz import Ansatz, plain_network
from neurapde.trials.base import Trial, TrialFunction
from neurapde.trials.sines import SineLattice

MARGIN = 1.2  # the smallest bandwidth, in units of the largest local wavenumber, that can carry its waves
TREATED = Treated("the weak form", (PML, Dirichlet, Neumann), zero=(Dirichlet, Neumann), way="use Adam")
LINEAR = 1e-4  # of the tolerance: how well the linear systems are solved
FAILED = 1e-3  # relative residual of the linear system above which its iteration has failed


class WavesOnSines(OnSines[Level]):
    """A Helmholtz problem on a planar Box, solved on lattices of sines."""

    fewer = "a lower wavenumber, or a smaller domain"
    coarser = 1.5
    likely = 1.6

    def __init__(self, task: Task, tolerance: float) -> None:
        super().__init__(task, tolerance)
        assert isinstance(self.problem.equation, Helmholtz)
        self.lattice = LatticeProblem(self.problem, self.problem.equation)
        self.first = self.lattice.first_bandwidth

    @staticmethod
    def obstacle(problem: Problem) -> str | None:
        if not isinstance(problem.domain, Box) or problem.domain.dimension != 2:
            return f"its domain is {problem.domain}, and the sines need a Box of two axes"
        if problem.extra:
            return (
                f"it has the further constraint {problem.extra[0].name!r}, which the weak form does not know"
            )
        return problem.sides.missing(TREATED)

    def last(self, largest: int) -> float:
        return largest * math.pi / max(self.problem.domain.extents)

    def aim(self, last: float, fixed: bool) -> None:
        longest = max(self.problem.domain.extents)
        warn_of_bandwidth(self.problem.name, self.lattice.largest_wavenumber, last, longest, fixed)

    def cost(self, bandwidth: float) -> Cost:
        return lattice_cost(self.lattice, bandwidth)

    def solve(self, bandwidth: float, before: Level | None) -> Level:
        return self.lattice.solve(bandwidth, LINEAR * self.tolerance, before)

    def field(self, level: Level) -> np.ndarray:
        return self.lattice.field(level)

    def more(self, largest: int, last: float) -> str:
        return f"largest={2 * largest}"

    def extras(self, level: Level) -> dict[str, float | int]:
        return {
            "bandwidth": level.bandwidth,
            "linear_residual": level.residual,
            "iterations": level.iterations,
        }

    def missed(self, level: Level) -> float:
        return self.lattice.missed(level, ENOUGH * self.tolerance, ROUGHLY)

    def trial(self, level: Level) -> TrialFunction:
        spec: Trial = SineLattice((level.modes[0].count, level.modes[1].count), self.lattice.form.free)
        if any(self.lattice.backgrounds):
            spec = Ansatz(Superposition(self.lattice.backgrounds), spec)
        trial = spec.build(
            self.problem.domain.bounds,
            self.problem.outputs,
            True,
            generator=torch.Generator(),
            dtype=torch.float64,
            device=self.task.device,
        )
        plain_network(trial).set_coefficients(level.coefficients)  # type: ignore[operator]
        return trial

    def notes(self, level: Level, estimate: str) -> Sequence[str]:
        waves = sum(len(shot) for shot in self.lattice.backgrounds)
        neurons, band = 2 * level.features, level.bandwidth
        notes = [
            f"Trial function: one hidden layer of {neurons} sines on the lattice of the box, up to {band:.0f} rad per unit "
            f"length ({band / self.lattice.largest_wavenumber:.1f} times the largest local wavenumber)."
        ]
        if waves:
            notes.append(
                f"Scattered form: the outgoing wave of {'each source' if waves > 1 else 'the source'} in a uniform "
                "medium is known, the sines add what the medium and the sides change."
            )
        if not np.any(level.coefficients):
            notes.append("The medium is uniform and every side absorbs: the known wave is the whole field.")
        notes += [estimate, *self.lattice.form.looked, *reflection_note(self.problem.equation, self.problem)]
        if level.residual > FAILED:
            notes.append(
                f"The linear system was solved only to a relative residual of {level.residual:.1e}: "
                "waves are trapped in this medium, and the field is not reliable."
            )
        return notes


def warn_of_bandwidth(name: str, largest: float, last: float, longest: float, fixed: bool) -> None:
    """Warn where the last bandwidth carries no waves of the largest local wavenumber; fixed: whether the user gave it."""
    need = MARGIN * largest
    if need <= last:
        return
    modes = math.ceil(1.5 * need * longest / math.pi)
    way = f"bandwidth of at least {need:.0f}" if fixed else f"largest={modes}"
    warn(
        f"the largest local wavenumber of {name} is {largest:.0f} rad per unit length, but the features go up "
        f"to {last:.0f}: the field cannot be resolved; give Galerkin a {way}, a lower wavenumber or a smaller domain",
        ResolutionWarning,
    )
