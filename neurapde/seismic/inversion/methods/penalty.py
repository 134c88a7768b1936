"""The SIREN paper's own inversion: waves and medium are networks, the wave equation is a penalty.

Nothing is eliminated: at every step the waves violate their equation a little, and the medium changes to reduce this.
The method needs tens of thousands of steps; `Joint`, which solves the equation at each step, needs a hundred.
"""

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import torch

from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.seismic.inversion.latent import Latent
from neurapde.seismic.inversion.methods.cost import CostEstimate, factored
from neurapde.seismic.inversion.methods.descents import AdamDescent
from neurapde.seismic.inversion.methods.method import Found, Setting, Stage
from neurapde.seismic.inversion.methods.penalty_loss import PenaltyObjective
from neurapde.seismic.inversion.methods.reduced import OnGrid, default_siren
from neurapde.seismic.inversion.misfits import L1, Misfit
from neurapde.seismic.inversion.velocity import Gridded
from neurapde.seismic.modelling.grid_modelling import refuse_complex
from neurapde.trials.base import Trial
from neurapde.trials.networks.siren import Siren


@dataclass(frozen=True)
class Penalty(OnGrid):
    """Waves of all shots by one Siren for each frequency, the velocity by another, trained together.

    The loss is the paper's: L1 residuals of the equation, weighted points/1000 at sources and 1 elsewhere, plus those
    of the data, with the same total weight for all receivers as for all points. Each loss has its name in the history.
    The waves are first trained in the start medium.

    waves:       the network of the waves.
    pretraining: steps before the velocity changes and the data count.
    descent:     an `AdamDescent`; its rate falls over all steps, with those of the pretraining.
    points:      drawn anew for every step, in the whole box.
    spacing, per_wavelength: of the grid for the priors and for the predicted data at the end.

    Point sources are Gaussians as wide as the distance of nodes, with the same far field.
    Source: Sitzmann, Martel, Bergman, Lindell, Wetzstein (2020), NeurIPS 33, section 4.3 and the authors' code, where
    waves and medium are outputs of one network and a step has 13 225 points.
    """

    default_misfit: ClassVar[Misfit] = L1()

    waves: Trial = field(default_factory=Siren)
    pretraining: int = 10_000
    descent: Any = field(default_factory=lambda: AdamDescent(50_000, 1e-4))
    points: int = 4096

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.kind(self.waves, "waves", Trial, "give npde.Siren(…) or another network")
        checks.kind(self.descent, "descent", AdamDescent, "give AdamDescent(steps, lr)")
        for name, least in (("pretraining", 0), ("points", 1)):
            checks.whole(getattr(self, name), name, least)

    def default_trial(self, setting: Setting) -> Siren:
        return default_siren(setting)

    def check(self, setting: Setting) -> None:
        refuse_complex(setting.survey, setting.domain)
        if isinstance(setting.velocity.trial, Gridded | Latent):
            raise DeclarationError(
                f"Penalty trains a network, but the velocity is {setting.velocity.trial!r}; leave trial out, or use "
                "method='adjoint'"
            )

    def cost(self, setting: Setting) -> CostEstimate:
        """Memory for the data at the end alone; a step of the networks does not need it."""
        estimate = factored(self.grid(setting), setting.survey, setting.survey.shots, 1)
        return replace(super().cost(setting), memory=estimate.memory, work=estimate.work)

    def describe(self) -> str:
        return (
            f"penalty: waves by {self.waves.describe()}, {self.points} points a step, {self.pretraining} steps before "
            f"{self.descent.describe()}"
        )

    def run(self, stage: Stage) -> Found:
        setting = stage.setting
        modelling = self.modelling(setting)
        objective = PenaltyObjective(modelling, stage, self.waves, self.points, self.pretraining)
        descent = replace(self.descent, steps=self.pretraining + self.descent.steps)
        # waves that fit the data need not be waves: such a fit ends nothing
        status, history = descent.run(objective, replace(stage, target=None))
        with torch.no_grad():
            forward = modelling.forward(objective.sample().numpy())
            data, scales = objective.scaled(torch.from_numpy(forward.data))
            network_residual = objective().residual
        fields = objective.fields() * scales.numpy()[..., None, None]
        extras = {
            "residual of the network's waves": network_residual,
            "violation of the equation": objective.violation(),
        }
        notes = (
            f"Waves: {self.waves.describe()}, with a residual of {extras['violation of the equation']:.1%} in their "
            f"equation and {network_residual:.1%} in the data. The data of the inverted model are computed by the "
            f"{modelling.describe()}.",
            f"Penalty: {int(history.step[-1])} steps of {descent.steps}. {status}",
        )
        return Found(status, history, data.numpy(), scales.numpy(), modelling.grid, fields, notes, extras)
