"""Methods that eliminate the waves: predict data from the velocity, and descend along the gradient of the misfit.

`Reduced` has a network for the velocity and the nine-point grid solver; `Adjoint` is the classical inversion, values
on the grid by L-BFGS-B. Only their defaults differ, so you can combine both.
"""

from abc import abstractmethod
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch

from neurapde.core import checks
from neurapde.reference_solvers.grids.grid import Grid
from neurapde.seismic.inversion.methods.bounded_lbfgs import BoundedLBFGS
from neurapde.seismic.inversion.methods.cost import CostEstimate, factored
from neurapde.seismic.inversion.methods.descents import AdamDescent, Descent
from neurapde.seismic.inversion.methods.gauss_newton import GaussNewtonDescent
from neurapde.seismic.inversion.methods.method import Found, InversionMethod, Setting, Stage
from neurapde.seismic.inversion.objective import Objective
from neurapde.seismic.inversion.parametrisation import free_bounds
from neurapde.seismic.inversion.tasks import TaskObjective
from neurapde.seismic.inversion.velocity import Gridded
from neurapde.seismic.modelling.base import Modelling
from neurapde.seismic.modelling.grid_modelling import (
    PER_WAVELENGTH,
    GridModelling,
    angular_frequencies,
    grid_for,
)
from neurapde.trials.base import Trial, box_scale
from neurapde.trials.networks.siren import Siren

ROUGH, SMOOTH = 1.5, 1.0
"""ω₀ of a default Siren, with a prior and without, in units of the largest wavenumber: waves see up to twice theirs."""
SOFT = 5.0
"""ω of several hidden layers: with 30, the value for pictures, a velocity oscillates between nodes of a grid."""


@dataclass(frozen=True)
class EngineMethod(InversionMethod):
    """A method that minimises the misfit of an engine's data.

    descent: `AdamDescent`, `GaussNewtonDescent`, `BoundedLBFGS` or another.
    """

    descent: Any = field(default_factory=AdamDescent, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        way = "give AdamDescent(…), GaussNewtonDescent(…) or BoundedLBFGS(…)"
        checks.kind(self.descent, "descent", Descent, way)

    @abstractmethod
    def modelling(self, setting: Setting) -> Modelling:
        """The engine for a stage's survey."""

    def run(self, stage: Stage) -> Found:
        setting = stage.setting
        if (
            setting.velocity.prior or stage.unknown.weight
        ):  # explained is not yet believed: the prior's weight says how well data are explained
            stage = replace(stage, target=None)
        return self._descended(stage, self.modelling(setting))

    def objective(self, stage: Stage, modelling: Modelling) -> Objective:
        """The objective of a stage, computed here or by the stage's executor."""
        survey, misfit = stage.setting.survey, stage.setting.misfit
        if stage.executor is None:
            return Objective(modelling, stage.unknown, survey, misfit)
        assert isinstance(modelling, GridModelling)
        return TaskObjective(modelling, stage.unknown, survey, misfit, stage.setting.start, stage.executor)

    def _descended(self, stage: Stage, modelling: Modelling) -> Found:
        """The end of a descent that runs until the stage's target."""
        objective = self.objective(stage, modelling)
        status, history = self.descent.run(objective, stage)
        with torch.no_grad():
            if stage.executor is not None:
                value = objective()
                data, scales, fields = value.data.numpy(), value.scales.numpy(), np.zeros(0)
            else:
                forward = modelling.forward(objective.sample().numpy())
                data, scales, fields = objective.fitted(forward)
        notes = (f"Waves: {modelling.describe()}.", f"Descent: {self.descent.describe()}. {status}")
        return Found(status, history, data, scales, modelling.grid, fields if len(fields) else None, notes)


def default_siren(setting: Setting) -> Siren:
    """The network of a velocity with frequencies that the waves can resolve.

    Without another prior the network itself is the prior: a smooth and wide one.
    """
    slowest, _ = setting.start
    _, half = box_scale(free_bounds(setting.velocity, setting.domain))
    omega = round(half * float(angular_frequencies(setting.survey).max()) / slowest, 6)
    if setting.velocity.prior:
        return Siren(width=64, depth=2, omega_0=max(1.0, ROUGH * omega), omega_hidden=SOFT)
    return Siren(width=128, depth=1, omega_0=max(1.0, SMOOTH * omega), omega_hidden=10.0)


@dataclass(frozen=True)
class OnGrid(InversionMethod):
    """A method with waves on the grid of the nine-point solver.

    spacing: largest distance of nodes in units of length, the same in all stages; None to take it from
    per_wavelength: nodes in the shortest wavelength of the start model, at the highest frequency of each stage.
    """

    spacing: float | None = field(default=None, kw_only=True)
    per_wavelength: float = field(default=PER_WAVELENGTH, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_positive("spacing", or_none=True)
        self._check_positive("per_wavelength")

    def grid(self, setting: Setting) -> Grid:
        return grid_for(setting.survey, setting.domain, setting.start, self.spacing, self.per_wavelength)

    def check(self, setting: Setting) -> None:
        angular_frequencies(setting.survey)

    def modelling(self, setting: Setting) -> GridModelling:
        """The nine-point solver for a stage's survey."""
        return GridModelling(setting.survey, setting.domain, setting.start, self.spacing, self.per_wavelength)


@dataclass(frozen=True)
class Reduced(OnGrid, EngineMethod):
    """A velocity, by default a Siren, through the grid solver: exact gradient, one factorisation a step and frequency.

    spacing, per_wavelength: of the grid; see `OnGrid`. descent: as for every `EngineMethod`.
    """

    def default_trial(self, setting: Setting) -> Trial | Gridded:
        return default_siren(setting)

    def cost(self, setting: Setting) -> CostEstimate:
        return factored(self.grid(setting), setting.survey, 2 * setting.survey.shots, self.descent.steps)

    @property
    def undivided(self) -> str | None:
        if isinstance(self.descent, GaussNewtonDescent):
            return "Gauss–Newton needs all waves at once; use BoundedLBFGS or AdamDescent"
        return None

    def describe(self) -> str:
        return f"{type(self).__name__.lower()}: nine-point grid solver, {self.descent.describe()}"


@dataclass(frozen=True)
class Adjoint(Reduced):
    """The classical inversion: values on the grid, L-BFGS-B within the bounds, gradient by the adjoint state.

    Source: Plessix (2006), Geophys. J. Int. 167(2); Virieux and Operto (2009), Geophysics 74(6).
    """

    descent: Any = field(default_factory=BoundedLBFGS, kw_only=True)

    def default_trial(self, setting: Setting) -> Trial | Gridded:
        return Gridded()
