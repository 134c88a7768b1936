"""The rows of a problem with unknowns, linearised by the head's amplitudes and by the unknowns' coordinates."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from neurapde.assembly.collocation.samples import Weighed
from neurapde.assembly.collocation.system import Assembly
from neurapde.assembly.collocation.weighing import System
from neurapde.conditions.constraints import Constraint, Samples
from neurapde.fields.unknown import Unknown, taken_for
from neurapde.jets.jet import Jet
from neurapde.methods.unknowns.measured import is_data, noise_of
from neurapde.problem.problem import Problem
from neurapde.trials.base import TrialFunction
from neurapde.trials.fourier_extension import FourierExtensionTrial
from neurapde.trials.piecewise import PiecewiseFunction


def named(unknowns: Sequence[Unknown], coordinates: Tensor) -> dict[str, Tensor]:
    """Coordinates (size,) of all unknowns by the name of each."""
    parts = torch.split(coordinates, [unknown.size for unknown in unknowns])
    return {unknown.name: values for unknown, values in zip(unknowns, parts, strict=True)}


@dataclass(frozen=True)
class DataSet:
    """Rows of data: their numbers, the given noise, the size of the values, and the unit of u in their units."""

    name: str
    rows: slice
    noise: float | None
    size: float
    unit: float


@dataclass(frozen=True)
class Linearised:
    """Rows [A B] (m, columns + size) and loads (m,): A by amplitudes, B by coordinates' changes.

    Rows of data are in their own units, all others in units of u. left: (m,) residuals of the present field.
    """

    by_amplitudes: Tensor
    by_unknowns: Tensor
    loads: Tensor
    left: Tensor
    data: tuple[DataSet, ...]


class UnknownRows(Assembly):
    """The rows of a problem about a field and coordinates of its unknowns; their samples are drawn once."""

    def __init__(
        self,
        problem: Problem,
        trial: PiecewiseFunction,
        about: TrialFunction,
        coordinates: Tensor,
        seed: int,
    ) -> None:
        super().__init__(problem, trial, torch.Generator().manual_seed(seed), about)
        self.coordinates, self.field = coordinates, about
        self.visited: list[tuple[Constraint, Samples]] = []
        self.weights: list[Tensor] = []

    def _rows(self, constraint: Constraint, samples: Samples, frame: FourierExtensionTrial) -> System:
        self.visited.append((constraint, samples))
        return super()._rows(constraint, samples, frame)

    def linearised(self) -> Linearised:
        """All rows."""
        data = {constraint.name: constraint for constraint in self.problem.extra if is_data(constraint)}
        with taken_for(named(self.problem.unknowns, self.coordinates)), torch.no_grad():
            systems = self.parts()
            start, sets, matrices, loads = 0, [], [], []
            for name, system in systems.items():
                assert system.weights is not None
                weights = system.weights
                if name in data:
                    targets = system.loads / weights
                    unit = float(weights.mean()) * len(weights) ** 0.5 / self.bandwidth**0.5
                    rows = slice(start, start + len(weights))
                    size = float(targets.square().mean().sqrt()) or 1.0
                    sets.append(DataSet(name, rows, noise_of(data[name]), size, unit))
                    system = System(system.matrix / weights[:, None], targets)
                    weights = torch.ones_like(weights)
                matrices.append(system.matrix)
                loads.append(system.loads)
                self.weights.append(weights)
                start += len(weights)
            by_unknowns = torch.cat([self._by_unknowns(*visit) for visit in self.visited])
            by_unknowns = torch.cat(self.weights)[:, None] * by_unknowns
            residuals = self.left(self.field, self.coordinates)
        return Linearised(torch.cat(matrices), by_unknowns, torch.cat(loads), residuals, tuple(sets))

    def left(self, field: TrialFunction, coordinates: Tensor) -> Tensor:
        """The residuals (m,) of a field with these coordinates."""
        with taken_for(named(self.problem.unknowns, coordinates)), torch.no_grad():
            residuals = []
            for constraint, samples in self.visited:
                layout = self.problem.layout(constraint)
                jet = field.jet(samples.points, layout.order, layout.mixed)
                residuals.append(_times_roots(samples, constraint.residual(samples, jet).flatten()))
        return torch.cat(self.weights) * torch.cat(residuals)

    def _by_unknowns(self, constraint: Constraint, samples: Samples) -> Tensor:
        """The residuals' derivatives (m, size) by the coordinates."""
        layout = self.problem.layout(constraint)
        jet = Jet(self.field.jet(samples.points, layout.order, layout.mixed).channels.detach(), layout)

        def residual(coordinates: Tensor) -> Tensor:
            with taken_for(named(self.problem.unknowns, coordinates)):
                return constraint.residual(samples, jet).flatten()

        slopes: Tensor = torch.func.jacfwd(residual)(self.coordinates)
        return _times_roots(samples, slopes)


def _times_roots(samples: Samples, rows: Tensor) -> Tensor:
    """Rows (m, …) times the roots of their samples' weights."""
    if not isinstance(samples, Weighed) or samples.weights is None:
        return rows
    roots = samples.weights.sqrt().repeat_interleave(math.ceil(len(rows) / len(samples.points)))
    return roots.reshape(-1, *[1] * (rows.ndim - 1)) * rows
