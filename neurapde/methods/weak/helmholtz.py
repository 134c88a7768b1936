"""Helmholtz' equation for `Galerkin`: the common part of its levels on sines and on elements."""

import math
from abc import abstractmethod
from typing import Protocol, TypeVar

import numpy as np
import torch

from neurapde.assembly.boxes.element_waves import ElementWaves
from neurapde.assembly.helmholtz import LatticeProblem
from neurapde.assembly.scattering import Superposition
from neurapde.core.warn import warn
from neurapde.equations.helmholtz import reflection_note
from neurapde.methods.weak.on_sines import OnSines
from neurapde.reference_solvers.grids.grid import ResolutionWarning
from neurapde.trials.ansatz import Ansatz, plain_network
from neurapde.trials.base import Trial, TrialFunction

MARGIN = 1.2  # the smallest bandwidth, in units of the largest local wavenumber, that can carry its waves
LINEAR = 1e-4  # of the tolerance: how well the linear systems are solved
FAILED = 1e-3  # relative residual of the linear system above which its iteration has failed


class Solved(Protocol):
    """A level and the record of its linear system."""

    @property
    def bandwidth(self) -> float: ...
    @property
    def features(self) -> int: ...
    @property
    def residual(self) -> float: ...
    @property
    def iterations(self) -> int: ...


Lattice = TypeVar("Lattice", bound=Solved)


class Waves(OnSines[Lattice]):
    """A Helmholtz problem on a Box, in scattered form if its sources' waves are known."""

    fewer = "a lower wavenumber, or a smaller domain"
    waves: LatticeProblem | ElementWaves

    @abstractmethod
    def spec(self, level: Lattice) -> tuple[Trial, np.ndarray]:
        """The trial function of a level, and its coefficients."""

    def last(self, largest: int) -> float:
        return largest * math.pi / max(self.problem.domain.extents)

    def aim(self, last: float, fixed: bool) -> None:
        """Warn if the last bandwidth is too low for waves of the largest local wavenumber."""
        largest = self.waves.largest_wavenumber
        need = MARGIN * largest
        if need <= last:
            return
        modes = math.ceil(1.5 * need * max(self.problem.domain.extents) / math.pi)
        way = f"bandwidth of at least {need:.0f}" if fixed else f"largest={modes}"
        warn(
            f"the largest local wavenumber of {self.problem.name} is {largest:.0f} rad per unit length, but the features "
            f"go up to {last:.0f}: the field cannot be resolved; give Galerkin a {way}, a lower wavenumber or a smaller "
            "domain",
            ResolutionWarning,
        )

    def more(self, largest: int, last: float) -> str:
        return f"largest={2 * largest}"

    def extras(self, level: Lattice) -> dict[str, float | int]:
        return {
            "bandwidth": level.bandwidth,
            "linear_residual": level.residual,
            "iterations": level.iterations,
        }

    def trial(self, level: Lattice) -> TrialFunction:
        spec, coefficients = self.spec(level)
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
        plain_network(trial).set_coefficients(coefficients)  # type: ignore[operator]
        return trial

    def scattered(self, features: str) -> list[str]:
        """A note that the sources' own waves are known, if so, and that the features add the rest."""
        waves = sum(len(shot) for shot in self.waves.backgrounds)
        if not waves:
            return []
        return [
            f"Scattered form: the outgoing wave of {'each source' if waves > 1 else 'the source'} in a uniform medium "
            f"is known; the {features} add the changes by the medium and the sides."
        ]

    def told(self, level: Lattice, estimate: str) -> list[str]:
        """Notes on the accuracy of a level, and on possible errors."""
        trapped = (
            f"The linear system was solved only to a relative residual of {level.residual:.1e}: "
            "waves are trapped in this medium, and the field is not reliable."
        )
        return [
            estimate,
            *self.waves.form.looked,
            *reflection_note(self.problem.equation, self.problem),
            *([trapped] if level.residual > FAILED else []),
        ]
