"""Multiscale inversion, the default: values on a grid, low frequencies first, few edges, and no fit beyond the noise.

Three rules make it work from the surface. A receiver within half a wavelength of its source records the source itself,
for which any grid has errors of tens of per cent: such traces are left out. The other data are explained down to the
noise and the measured error of the grid, and no further. Of all models that do so it takes the one with the fewest
edges: the largest weight of total variation in a list that explains the lowest frequencies (the discrepancy
principle).
"""

import math
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

import numpy as np
import torch

from neurapde.core.formatting import percent
from neurapde.core.progress import Progress
from neurapde.seismic.inversion.latent import Latent
from neurapde.seismic.inversion.methods.bounded_lbfgs import BoundedLBFGS
from neurapde.seismic.inversion.methods.continuation import Continuation, stages_of
from neurapde.seismic.inversion.methods.descents import RESIDUAL
from neurapde.seismic.inversion.methods.method import Found, Setting, Stage
from neurapde.seismic.inversion.methods.reduced import Adjoint
from neurapde.seismic.inversion.parametrisation import GridParametrisation
from neurapde.seismic.inversion.regularisation import TotalVariation
from neurapde.seismic.modelling.grid_modelling import GridModelling
from neurapde.seismic.survey.survey import Survey

NEAR = 0.5
"""Distance of source and receiver, in wavelengths of the slowest speed, below which a trace depends only on the source."""
KEPT = 0.5
"""Smallest fraction of its traces that a shot keeps: if fewer are far enough, all are kept."""
MOST, TOGETHER = 6, 2
"""Groups that frequencies are put into, of one each where they are few; groups of a stage: the newest, and that before."""
WEIGHTS = (1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5)
"""Of total variation, tried one after another, each from the model of the one before."""
TRIED = 20
"""Steps with each of them."""
ENOUGH = 1.2
"""Residual over that of noise and grid at which the data count as explained where a weight is chosen."""
LEAST = 0.01
"""Residual below which no data are fitted, for any stated noise: real sources are no points, real media no plane fluids."""
FINER = 0.6
"""Ratio of the spacing of the finer grid to that of the working one."""
LARGEST = 400_000
"""Nodes of that grid at most."""


@dataclass(frozen=True)
class Multiscale(Adjoint):
    """Values on the grid by L-BFGS-B, in stages of ever higher frequencies, with total variation by discrepancy.

    A given prior of the Velocity, `()` for none, and given stages are used unchanged.

    near: least distance of source and receiver in wavelengths of the slowest speed of the start model, in each stage; None
        for all traces.

    Source: Bunks, Saleck, Zaleski, Chavent (1995), Geophysics 60(5), for the stages; Morozov (1966), Soviet Math. Dokl. 7,
        for the weight.
    """

    near: float | None = field(default=NEAR, kw_only=True)
    per_wavelength: float = field(default=8.0, kw_only=True)
    descent: Any = field(default_factory=lambda: BoundedLBFGS(20), kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_positive("near", or_none=True)

    def describe(self) -> str:
        return f"multiscale: nine-point grid solver, {self.descent.describe()} in each stage"

    def stages(self, survey: Survey, frequencies: Any) -> tuple[Survey, ...]:
        band = survey.band
        if frequencies is not None or len(band) < 2:
            return stages_of(survey, frequencies)
        parts = [group.tolist() for group in np.array_split(band, min(len(band), MOST))]
        ends = [(max(0, last - TOGETHER + 1), last + 1) for last in range(len(parts))]
        return Continuation(*(list(chain(*parts[first:end])) for first, end in ends)).stages(survey)

    def heard(self, survey: Survey, setting: Setting) -> Survey:
        if self.near is None or not survey.band:
            return survey
        far = survey.offsets >= self.near * setting.start[0] / survey.band[-1]
        enough = (far & survey.live).sum(axis=1) >= KEPT * survey.live.sum(axis=1)
        return survey.replace(weights=survey.weights * (far | ~enough[:, None]))

    def believed(
        self, setting: Setting, stages: Sequence[Survey], executor: Executor | None = None
    ) -> tuple[Setting, tuple[str, ...]]:
        if isinstance(setting.velocity.trial, Latent):
            return setting, ()
        first = replace(setting, survey=stages[0])
        modelling = self.modelling(first)
        target, known = self._target(first, modelling)
        short = replace(self, descent=BoundedLBFGS(TRIED))
        model = None
        for weight in WEIGHTS:
            tried = replace(first, velocity=replace(setting.velocity, prior=(TotalVariation(weight),)))
            unknown = GridParametrisation(tried.velocity, setting.domain, self.grid(first))
            if model is not None:
                unknown.load_state_dict(model)
            aim, bar = ENOUGH * target, Progress(False)
            stage = Stage(tried, unknown, aim, 0, bar, lambda snapshot: None, executor=executor)
            _, history = short.descent.run(short.objective(stage, modelling), stage)
            model, residual = unknown.state_dict(), float(history[RESIDUAL][-1])
            if residual <= ENOUGH * target:
                break
        text = (
            f"Prior: none was given, so total variation with weight {weight:g} is used. It is the largest weight tried "
            f"that explains the data of the first stage to {percent(residual)}; {known}. Velocity(prior=()) turns the "
            "prior off."
        )
        return replace(setting, velocity=tried.velocity), (text,)

    def run(self, stage: Stage) -> Found:
        setting = stage.setting
        modelling = self.modelling(setting)
        _, known = self._target(setting, modelling)
        balanced = setting.velocity.prior or stage.unknown.weight
        aim = None if balanced else stage.target
        outcome = self._descended(replace(stage, target=aim), modelling)
        dropped = int(setting.survey.live.size - setting.survey.live.sum())
        notes = (
            *outcome.notes,
            f"Data: {known}; {dropped} of {setting.survey.live.size} traces are dead or left out.",
        )
        return replace(outcome, notes=notes)

    def _target(self, setting: Setting, modelling: GridModelling) -> tuple[float, str]:
        """The residual at which data are explained, and its parts."""
        noise = setting.survey.noise or 0.0
        error = grid_error(setting, modelling)
        stated = percent(noise) if setting.survey.noise is not None else "not stated"
        return max(LEAST, math.hypot(noise, error)), f"noise {stated}, error of the grid {percent(error)}"


def grid_error(setting: Setting, modelling: GridModelling) -> float:
    """The relative difference between the data of the start model on the working grid and on a finer one."""
    survey, spacing = setting.survey, FINER * max(modelling.grid.spacing)
    spacing = max(spacing, math.sqrt(float(np.prod(setting.domain.box.extents)) / LARGEST))
    fine = GridModelling(survey, setting.domain, setting.start, spacing)
    heard = []
    for engine in (modelling, fine):
        start = GridParametrisation(setting.velocity, setting.domain, engine.grid)
        model = start.start_mean(engine.grid.points, engine.grid.spacing)
        heard.append(torch.from_numpy(engine.forward(model).data))
    weights = torch.from_numpy(survey.weights.copy())
    ours, theirs = heard
    if survey.wavelet is None:
        above, below = (weights * ours.conj() * theirs).sum(-1), (weights * ours.abs() ** 2).sum(-1)
        ours = ours * (above / below)[..., None]
    error = (weights * (ours - theirs).abs() ** 2).sum()
    return float(torch.sqrt(error / (weights * theirs.abs() ** 2).sum())) / (1 - FINER**2)
