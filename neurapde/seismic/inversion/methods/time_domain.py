"""Inversion of traces in time: a velocity, network or grid, through leapfrog and its exact, checkpointed adjoint."""

import math
from dataclasses import dataclass

from neurapde.reference_solvers.grids.grid import Grid
from neurapde.seismic.inversion.methods.cost import CostEstimate, waves_on
from neurapde.seismic.inversion.methods.method import Setting
from neurapde.seismic.inversion.methods.reduced import ROUGH, SOFT, EngineMethod
from neurapde.seismic.inversion.parametrisation import free_bounds
from neurapde.seismic.inversion.velocity import Gridded
from neurapde.seismic.modelling.base import Modelling
from neurapde.seismic.modelling.grid_modelling import refuse_attenuation
from neurapde.seismic.modelling.time_modelling import (
    MEMORY,
    PER_WAVELENGTH,
    TimeModelling,
    excited_frequencies,
    time_grid_for,
)
from neurapde.trials.base import Trial, box_scale
from neurapde.trials.networks.siren import Siren

STATES = 8
"""Waves that are held for each shot, those kept for the gradient aside."""


@dataclass(frozen=True)
class TimeDomain(EngineMethod):
    """A velocity, by default a Siren, from traces whose wavelet is known.

    spacing: largest distance of nodes in units of length; None to take it from
    per_wavelength: nodes in the shortest wavelength of the start model, at the highest frequency of the wavelet.
    memory: bytes that a prediction and its gradient may take; less memory means more recomputation.
    descent: as for every `EngineMethod`.
    """

    spacing: float | None = None
    per_wavelength: float = PER_WAVELENGTH
    memory: float = MEMORY

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_positive("spacing", or_none=True)
        self._check_positive("per_wavelength", "memory")

    def default_trial(self, setting: Setting) -> Trial | Gridded:
        _, half = box_scale(free_bounds(setting.velocity, setting.domain))
        peak, _ = excited_frequencies(setting.survey)
        omega = ROUGH * half * 2 * math.pi * peak / setting.start[0]
        return Siren(width=64, depth=2, omega_0=max(1.0, omega), omega_hidden=SOFT)

    def grid(self, setting: Setting) -> Grid:
        return time_grid_for(setting.survey, setting.domain, setting.start, self.spacing, self.per_wavelength)

    def check(self, setting: Setting) -> None:
        refuse_attenuation(setting.domain)
        setting.domain.refuse_topography()
        excited_frequencies(setting.survey)

    def cost(self, setting: Setting) -> CostEstimate:
        return waves_on(self.grid(setting), setting.survey, STATES * setting.survey.shots)

    def describe(self) -> str:
        return f"time domain: leapfrog, {self.descent.describe()}"

    def modelling(self, setting: Setting) -> Modelling:
        return TimeModelling(
            setting.survey,
            setting.domain,
            setting.start,
            setting.velocity.limits[1],
            spacing=self.spacing,
            per_wavelength=self.per_wavelength,
            memory=self.memory,
        )
