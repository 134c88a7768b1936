"""Neural full-waveform inversion, the default: wavefields and velocity are SIRENs, the wavefields' heads eliminated.

The paper trains one SIREN for waves and medium with a penalty for the wave equation. A SIREN's head is linear. With
the hidden layer on the lattice of sines, the weak form gives the head exactly for each medium. So only the velocity is
trained, and the wave equation holds at every step.
"""

from dataclasses import dataclass

from neurapde.reference_solvers.grids.grid import Grid
from neurapde.seismic.inversion.methods.cost import CostEstimate, waves_on
from neurapde.seismic.inversion.methods.method import Setting
from neurapde.seismic.inversion.methods.reduced import EngineMethod, default_siren
from neurapde.seismic.inversion.velocity import Gridded
from neurapde.seismic.modelling.base import Modelling
from neurapde.seismic.modelling.grid_modelling import refuse_complex
from neurapde.seismic.modelling.lattice_modelling import LatticeModelling, midpoints, modes_for
from neurapde.trials.base import Trial


@dataclass(frozen=True)
class Joint(EngineMethod):
    """A velocity as a Siren, and waves as known waves plus a Siren's head, eliminated by the weak form at every step.

    bandwidth: largest frequency of the waves' sines, radians per unit length; None for 2.5 of the largest wavenumber.
    descent: as for every `EngineMethod`.

    Source: Sitzmann, Martel, Bergman, Lindell, Wetzstein (2020), NeurIPS 33, section 4.3, which `Penalty` follows;
    the elimination by the weak form is this package's.
    """

    bandwidth: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_positive("bandwidth", or_none=True)

    def default_trial(self, setting: Setting) -> Trial | Gridded:
        return default_siren(setting)

    def grid(self, setting: Setting) -> Grid:
        return midpoints(modes_for(setting.survey, setting.domain, setting.start, self.bandwidth))

    def check(self, setting: Setting) -> None:
        refuse_complex(setting.survey, setting.domain)
        modes_for(setting.survey, setting.domain, setting.start, self.bandwidth)

    def cost(self, setting: Setting) -> CostEstimate:
        survey = setting.survey
        return waves_on(self.grid(setting), survey, survey.shots + len(survey.receivers))

    def describe(self) -> str:
        return f"joint: a SIREN's waves by the weak form, {self.descent.describe()}"

    def modelling(self, setting: Setting) -> Modelling:
        return LatticeModelling(
            setting.survey,
            setting.domain,
            setting.velocity.start,
            setting.velocity.free,
            setting.start,
            self.bandwidth,
        )
