"""Helmholtz' equation as `Galerkin` solves it on elements of a box: in space, and beside sides that sines do not meet."""

import math
from collections.abc import Sequence

import numpy as np
import torch

from neurapde.assembly.boxes.element_cost import element_cost
from neurapde.assembly.boxes.element_waves import ElementLevel, ElementWaves
from neurapde.assembly.scattering import Superposition
from neurapde.conditions import PML, Absorbing, Dirichlet, Neumann, Periodic, Robin, Treated
from neurapde.core.cost import Cost
from neurapde.domains import Box
from neurapde.equations.helmholtz import Helmholtz, reflection_note
from neurapde.fields.sources import PointSource
from neurapde.methods.refinement import GROWTH
from neurapde.methods.weak.on_sines import OnSines
from neurapde.methods.weak.waves import FAILED, LINEAR, warn_of_bandwidth
from neurapde.problem.problem import Problem
from neurapde.run.method import Task
from neurapde.run.missed import ROUGHLY
from neurapde.trials.ansatz import Ansatz, plain_network
from neurapde.trials.base import Trial, TrialFunction

TREATED = Treated("the weak form on elements", (PML, Absorbing, Dirichlet, Neumann, Robin, Periodic))


class WavesOnElements(OnSines[ElementLevel]):
    """A Helmholtz problem on a Box of two or three axes, solved on polynomials of growing degree."""

    fewer = "a lower wavenumber, or a smaller domain"
    coarser = GROWTH
    likely = GROWTH**2

    def __init__(self, task: Task, tolerance: float) -> None:
        super().__init__(task, tolerance)
        assert isinstance(self.problem.equation, Helmholtz)
        self.waves = ElementWaves(self.problem, self.problem.equation)
        self.first = self.waves.first_bandwidth

    @staticmethod
    def obstacle(problem: Problem) -> str | None:
        domain = problem.domain
        if not isinstance(domain, Box) or domain.dimension not in (2, 3):
            return f"its domain is {domain}, and the elements need a Box of two or three axes"
        if problem.extra:
            return (
                f"it has the further constraint {problem.extra[0].name!r}, which the weak form does not know"
            )
        for source in (one for shot in problem.right_hand_sides for one in shot):
            if isinstance(source, PointSource) and not _inside(domain, source.at):
                return f"{source.describe()} lies on a side, where its wave is infinite"
        return problem.sides.missing(TREATED)

    @property
    def follows(self) -> bool:
        return not self.waves.askew

    def last(self, largest: int) -> float:
        return largest * math.pi / max(self.problem.domain.extents)

    def aim(self, last: float, fixed: bool) -> None:
        longest = max(self.problem.domain.extents)
        warn_of_bandwidth(self.problem.name, self.waves.largest_wavenumber, last, longest, fixed)

    def cost(self, bandwidth: float) -> Cost:
        return element_cost(self.waves, bandwidth)

    def solve(self, bandwidth: float, before: ElementLevel | None) -> ElementLevel:
        return self.waves.solve(bandwidth, LINEAR * self.tolerance, before)

    def field(self, level: ElementLevel) -> np.ndarray:
        return self.waves.field(level)

    def more(self, largest: int, last: float) -> str:
        return f"largest={2 * largest}"

    def extras(self, level: ElementLevel) -> dict[str, float | int]:
        return {
            "bandwidth": level.bandwidth,
            "linear_residual": level.residual,
            "iterations": level.iterations,
        }

    def missed(self, level: ElementLevel) -> float:
        return self.waves.missed(level, ROUGHLY * self.tolerance)

    def trial(self, level: ElementLevel) -> TrialFunction:
        spec: Trial = level.spec
        if any(self.waves.backgrounds):
            spec = Ansatz(Superposition(self.waves.backgrounds), spec)
        trial = spec.build(
            self.problem.domain.bounds,
            self.problem.outputs,
            True,
            generator=torch.Generator(),
            dtype=torch.float64,
            device=self.task.device,
        )
        plain_network(trial).set_coefficients(level.legendre)  # type: ignore[operator]
        return trial

    def notes(self, level: ElementLevel, estimate: str) -> Sequence[str]:
        counts = " × ".join(map(str, level.amplitudes.shape[:-1]))
        notes = [
            f"Trial function: {level.spec.describe()}, {counts} products, continuous across their edges."
        ]
        if any(self.waves.backgrounds):
            notes.append(
                "Scattered form: the outgoing wave of each source in a uniform medium is known, the polynomials add what "
                "the medium and the sides change."
            )
        notes += [estimate, *self.waves.form.looked, *reflection_note(self.problem.equation, self.problem)]
        if level.residual > FAILED:
            notes.append(
                f"The linear system was solved only to a relative residual of {level.residual:.1e}: "
                "waves are trapped in this medium, and the field is not reliable."
            )
        if len(level.axes) == 2:
            notes.append("The amplitudes are found directly, element by element and then along their edges.")
        return notes


def _inside(box: Box, at: Sequence[float]) -> bool:
    return all(a < x < b for x, (a, b) in zip(at, box.sides, strict=True))
