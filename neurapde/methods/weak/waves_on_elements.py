"""Helmholtz' equation for `Galerkin` on elements of a box: on three axes, or with sides that sines do not meet."""

from collections.abc import Sequence

import numpy as np

from neurapde.assembly.boxes.element_cost import element_cost
from neurapde.assembly.boxes.element_waves import ElementLevel, ElementWaves
from neurapde.conditions import PML, Absorbing, Dirichlet, Neumann, Periodic, Robin, Treated
from neurapde.core.cost import Cost
from neurapde.domains import Box
from neurapde.equations.helmholtz import Helmholtz
from neurapde.fields.sources import PointSource
from neurapde.methods.refinement import GROWTH
from neurapde.methods.weak.helmholtz import LINEAR, Waves
from neurapde.problem.problem import Problem
from neurapde.training.run.method import Task
from neurapde.training.run.missed import ROUGHLY
from neurapde.trials.base import Trial

TREATED = Treated("the weak form on elements", (PML, Absorbing, Dirichlet, Neumann, Robin, Periodic))


class WavesOnElements(Waves[ElementLevel]):
    """A Helmholtz problem on a Box of two or three axes, solved on polynomials of growing degree."""

    waves: ElementWaves
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
            return f"its domain is {domain}, but the elements need a Box of two or three axes"
        if reason := problem.further:
            return reason
        for source in (source for shot in problem.right_hand_sides for source in shot):
            if isinstance(source, PointSource) and not _inside(domain, source.at):
                return f"{source.describe()} lies on a side, where its wave is infinite"
            if isinstance(source, PointSource) and problem.sides.periodic:
                return f"{source.describe()} has no density, and its known wave is not periodic; use Trefftz"
        return problem.sides.missing(TREATED)

    @property
    def follows(self) -> bool:
        return not self.waves.askew

    def cost(self, bandwidth: float) -> Cost:
        return element_cost(self.waves, bandwidth)

    def solve(self, bandwidth: float, before: ElementLevel | None) -> ElementLevel:
        return self.waves.solve(bandwidth, LINEAR * self.tolerance, before)

    def field(self, level: ElementLevel) -> np.ndarray:
        return self.waves.field(level)

    def missed(self, level: ElementLevel) -> float:
        return self.waves.missed(level, ROUGHLY * self.tolerance)

    def spec(self, level: ElementLevel) -> tuple[Trial, np.ndarray]:
        return level.spec, level.legendre

    def notes(self, level: ElementLevel, estimate: str) -> Sequence[str]:
        counts = " × ".join(map(str, level.amplitudes.shape[:-1]))
        notes = [
            f"Trial function: {level.spec.describe()}, {counts} products, continuous across their edges.",
            *self.scattered("polynomials"),
            *self.told(level, estimate),
        ]
        if len(level.axes) == 2:
            notes.append(
                "The amplitudes are solved for directly: first inside each element, then along the edges."
            )
        return notes


def _inside(box: Box, at: Sequence[float]) -> bool:
    return all(a < x < b for x, (a, b) in zip(at, box.sides, strict=True))
