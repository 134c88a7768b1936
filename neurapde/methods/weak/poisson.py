"""Poisson's equation for `Galerkin` on lattices of sines by its energy: its levels and messages.

The energy only needs integrals of a coefficient, while the strong form needs its slope. So it can solve with values on
a grid, or with a function that jumps. See `assembly.diffusion`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import torch

from neurapde.assembly.diffusion import Diffusion, DiffusionLattice
from neurapde.assembly.forcing import DETAIL
from neurapde.backgrounds.lift import Lift
from neurapde.conditions import Dirichlet, Neumann, Treated
from neurapde.conditions.boundary_data import narrowest_data
from neurapde.core.cost import Cost
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import listing
from neurapde.domains.box import Box
from neurapde.equations.poisson import Poisson, of_points
from neurapde.fields.jumps import Features, features_of, narrow_features
from neurapde.fields.medium import Piecewise
from neurapde.fields.sources import total
from neurapde.methods.weak.on_sines import OnSines
from neurapde.problem.problem import Problem
from neurapde.spectral.quadrature import FloatArray
from neurapde.spectral.unseen import common
from neurapde.training.run.method import Task
from neurapde.training.run.missed import ENOUGH, ROUGHLY
from neurapde.trials.ansatz import Ansatz, plain_network
from neurapde.trials.base import Trial, TrialFunction
from neurapde.trials.sines import SineLattice

FIRST = {1: 32, 2: 24, 3: 10}
"""Modes along the longest axis at the first level."""
MOST_FEATURES = 2**16
"""Modes at which the refinement stops, some 15 s in the plane: a rough medium gains little from more."""
PROBES = 4000
BLOCK = 20_000
"""Points at which the known part is evaluated at a time."""
LINEAR = 1e-2
"""Fraction of the tolerance for the linear systems."""
LEAST = 5e-4
"""Accuracy of the linear systems at large tolerances."""
ACROSS = 2.0
"""Smallest thickness of a layer that the sines resolve, in half waves of the finest one."""
TREATED = Treated("the energy", (Dirichlet, Neumann), zero=(Neumann,), way="use LeastSquares")
SOURCE_POINTS = 2000
"""Largest number of quadrature points along an axis for a source that changes within a short length."""


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


class PoissonOnSines(OnSines[Level]):
    """A problem of Poisson's equation on a Box, solved on lattices of sines."""

    fewer = "a smaller bandwidth, or a smoother coefficient and source"
    coarser = 1.35

    def __init__(self, task: Task, tolerance: float) -> None:
        super().__init__(task, tolerance)
        assert isinstance(self.problem.domain, Box)
        self.box = self.problem.domain
        self.lift = Lift.of(self.problem.sides)
        self.free = self.problem.sides.natural
        self.longest = max(self.box.extents)
        self.first = FIRST[self.box.dimension] * math.pi / self.longest
        self._aim = math.inf

    @staticmethod
    def obstacle(problem: Problem) -> str | None:
        domain = problem.domain
        if not isinstance(domain, Box) or domain.dimension > 3:
            return f"its domain is {domain}, but the sines need a Box of up to three axes; use LeastSquares"
        if problem.further:
            return f"{problem.further}; use LeastSquares"
        if len(problem.right_hand_sides) > 1:
            return "it has several shots; declare a problem for each"
        if reason := problem.sides.missing(TREATED) or of_points(problem):
            return reason
        try:
            lift = Lift.of(problem.sides)
        except DeclarationError as error:
            return str(error)
        if lift is not None and lift.jumps:
            faces = listing(lift.jumps[0])
            return f"the values on {faces} differ where they meet, so no field has finite energy; use LeastSquares"
        return None

    def last(self, largest: int) -> float:
        shape = math.prod(extent / self.longest for extent in self.box.extents)
        room = (MOST_FEATURES / shape) ** (1 / self.box.dimension)
        return min(largest, room) * math.pi / self.longest

    def aim(self, last: float, fixed: bool) -> None:
        self._aim = last

    @cached_property
    def features(self) -> Features:
        """Places where functions among the coefficients change abruptly."""
        equation = self.problem.equation
        assert isinstance(equation, Poisson)
        return features_of((equation.coefficient, equation.reaction), self.box)

    @cached_property
    def narrowest(self) -> float:
        """The shortest length over which coefficients, declared pieces included, or data on the sides change."""
        equation = self.problem.equation
        assert isinstance(equation, Poisson)
        pieces = [
            field for field in (equation.coefficient, equation.reaction) if isinstance(field, Piecewise)
        ]
        declared = [narrow_features(piece, self.box).narrowest for piece in pieces]
        return min(self.features.narrowest, narrowest_data(self.problem.sides), *declared)

    @property
    def resolving(self) -> float:
        """The smallest bandwidth that resolves the thinnest layer of the coefficients and data."""
        return ACROSS * math.pi / self.narrowest

    def _seen(self, level: "Level") -> float:
        counts = zip(level.coefficients.shape, self.box.extents, strict=True)
        return min(math.pi * count / extent for count, extent in counts)

    def _sees(self, level: "Level") -> bool:
        return self._seen(level) >= self.resolving * (1 - 1e-9)

    def is_fine(self, level: "Level") -> bool:
        return self.resolving > self._aim or self._sees(level)

    def blind(self, level: "Level") -> str:
        if self._sees(level):
            return ""
        return (
            f"coefficients, or data on a side, change within {self.narrowest:.2g}, but the sines resolve nothing "
            f"thinner than {ACROSS * math.pi / self._seen(level):.2g}: the field may be completely wrong; use "
            "npde.reference(problem), which puts nodes on thin layers, or give Galerkin a larger bandwidth"
        )

    @cached_property
    def diffusion(self) -> Diffusion:
        """The energy."""
        equation = self.problem.equation
        assert isinstance(equation, Poisson)
        [sources] = self.problem.right_hand_sides
        detail = max((DETAIL / source.reach for source in sources if source.reach), default=0.0)
        source_features = (
            narrow_features(lambda points: np.asarray(total(sources, points)), self.box) if sources else None
        )
        if source_features is not None and len(source_features):
            most = 2 * SOURCE_POINTS / max(self.box.extents)
            detail = max(
                detail,
                min(4 * math.pi / source_features.narrowest, most)
                if math.isfinite(source_features.narrowest)
                else most / 2,
            )
        planes = tuple(
            np.concatenate(
                [
                    features.planes(axis)
                    for features in (self.features, source_features)
                    if features is not None
                ]
            )
            for axis in range(self.box.dimension)
        )
        return Diffusion(
            self.box,
            equation.coefficient,
            equation.reaction,
            lambda points: np.asarray(total(sources, points)),
            None if self.lift is None else partial(_known, self.lift),
            self.free,
            detail,
            planes,
        )

    def cost(self, bandwidth: float) -> Cost:
        return self.diffusion.cost(self.counts(bandwidth))

    def counts(self, bandwidth: float) -> tuple[int, ...]:
        """Modes along each axis up to a bandwidth."""
        return tuple(max(4, math.ceil(bandwidth * extent / math.pi)) for extent in self.box.extents)

    def solve(self, bandwidth: float, before: Level | None) -> Level:
        lattice = DiffusionLattice(self.diffusion, self.counts(bandwidth))
        coefficients, residual = lattice.solve(
            min(LINEAR * self.tolerance, LEAST), None if before is None else before.coefficients
        )
        spec: Trial = SineLattice(lattice.shape, self.free)
        if self.lift is not None:
            spec = Ansatz(self.lift, spec)
        trial = spec.build(
            self.box.bounds, generator=torch.Generator(), dtype=torch.float64, device=self.task.device
        )
        network = plain_network(trial)
        network.set_coefficients(lattice.amplitudes(coefficients)[..., None])  # type: ignore[operator]
        return Level(lattice, coefficients, residual, trial)

    def missed(self, level: Level) -> float:
        load = level.lattice.missed(level.coefficients, ENOUGH * self.tolerance)
        if load is None:
            return 0.0
        errors = np.stack([level.lattice.solve(ROUGHLY, load=right_side)[0] for right_side in load])
        field = self._at_probes(level)
        size = math.sqrt(float(field.square().mean()) * math.prod(self.box.extents))
        return common(errors) / size if size else 0.0

    def field(self, level: Level) -> FloatArray:
        return np.asarray(self._at_probes(level).cpu().numpy())

    def _at_probes(self, level: Level) -> torch.Tensor:
        with torch.no_grad():
            return level.trial(self.box.sample(PROBES, how="grid").to(self.task.device))

    def more(self, largest: int, last: float) -> str:
        return f"bandwidth={2 * last:.0f}"

    def extras(self, level: Level) -> dict[str, float | int]:
        return {"linear_residual": level.residual}

    def trial(self, level: Level) -> TrialFunction:
        return level.trial

    def notes(self, level: Level, estimate: str) -> Sequence[str]:
        modes = "×".join(map(str, level.coefficients.shape))
        return (
            f"Trial function: {modes} sines on the lattice of the box, {level.features} features in all, with the head "
            "that minimises the energy.",
            estimate,
            *self.features.note,
        )


def _known(lift: Lift, points: FloatArray) -> tuple[FloatArray, FloatArray]:
    """A lift and its slopes at points (n, d): (n,) and (n, d)."""
    jets = [lift.jet(batch, 1).channels for batch in torch.split(torch.as_tensor(points), BLOCK)]
    channels = torch.cat(jets, dim=1).detach().numpy()
    return channels[0], channels[1:].T
