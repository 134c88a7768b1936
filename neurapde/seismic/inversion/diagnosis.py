"""Data against the start model before the first step: skipped cycles, and mistakes that look like them.

An inversion runs, but its model is useless, with data of the other Fourier sign, a wavelet of the wrong size or
polarity, a frequency without energy, or shots with only one receiver left.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from neurapde.core.errors import DeclarationError, DeclarationWarning
from neurapde.core.formatting import number
from neurapde.core.warn import warn
from neurapde.seismic.inversion.methods.method import Setting
from neurapde.seismic.inversion.misfits import L2
from neurapde.seismic.inversion.objective import Objective, scales_of
from neurapde.seismic.inversion.parametrisation import GridParametrisation
from neurapde.seismic.modelling.grid_modelling import GridModelling, grid_for
from neurapde.seismic.survey.survey import Survey

SKIPPED = 1 / 3
"""Part of the data more than a quarter of a cycle off above which cycles are probably skipped; by chance it is half."""
LOOKED_INTO = 0.1
"""Part of the data more than a quarter of a cycle off above which a mistake is searched for."""
SHOTS, NODES = 8, 100_000
"""Number of shots for this test, and its largest grid: it takes a second or two."""
SILENT = 1e-4
"""Amplitude of a frequency over that of the loudest, below which there is nothing but rounding or noise in it."""
WRONG = 3.0
"""Factor between the data and those of the start model, with a known wavelet, that the model cannot explain."""


def diagnosed(stages: Sequence[Setting]) -> tuple[str, ...]:
    """Sentences on the data of all stages, and on those of the first at its lowest frequency.

    Raises: DeclarationError if the data determine nothing. Warns: DeclarationWarning of a probable mistake.
    """
    surveys = [stage.survey for stage in stages if stage.survey.band]
    if not surveys:
        return ()
    _check_lone(surveys[0])
    _tell_silent(surveys)
    return _cycles(stages[0])


def _check_lone(survey: Survey) -> None:
    """Refuse an unknown wavelet if its factor explains all data of a shot."""
    if survey.wavelet is None and survey.live.sum(axis=1).max() < 2:
        raise DeclarationError(
            f"every shot of {survey.name!r} has one live receiver, and its wavelet is unknown: one factor for each shot and "
            "frequency explains such data in any model; give wavelet=, or more receivers"
        )


def _tell_silent(surveys: Sequence[Survey]) -> None:
    """Warn of frequencies without recorded energy."""
    loud = {
        f: float(np.linalg.norm(values))
        for survey in surveys
        for f, values in zip(survey.band, survey.data, strict=True)
    }
    loudest = max(loud.values())
    if silent := [frequency for frequency, size in loud.items() if size < SILENT * loudest]:
        warn(
            f"at {number(silent[0])} Hz the data are {loud[silent[0]] / loudest:.1e} of those of the loudest frequency, "
            "so only rounding or noise would be inverted; leave it out, or scale the data of each frequency",
            DeclarationWarning,
        )


def _cycles(setting: Setting) -> tuple[str, ...]:
    """The phase errors of the start model, and whether a mistake explains them."""
    survey = setting.survey
    lowest = survey.band[0]
    shots = np.unique(np.linspace(0, survey.shots - 1, SHOTS).astype(int))
    selection = survey.select(frequencies=lowest, shots=shots)
    if grid_for(selection, setting.domain, setting.start).size > NODES:
        return ()
    if selection.wavelet is not None:
        _check_size(replace(setting, survey=selection))
    off = phases_off(replace(setting, survey=selection))
    note = f"at {number(lowest)} Hz {100 * off:.0f} % of the data of the start model are more than a quarter of a cycle off"
    if off > LOOKED_INTO and (text := _explained(replace(setting, survey=selection), off)):
        warn(f"{note}; {text}", DeclarationWarning)
    return (f"Cycles: {note}.",)


def _factor(setting: Setting) -> complex:
    """The factor that brings the data of the start model closest to the observed, at one frequency."""
    predicted, observed = _heard(setting)
    weights = torch.from_numpy(setting.survey.weights.copy())
    return complex(scales_of(predicted, observed, weights, (-2, -1), False)[0])


def _check_size(setting: Setting) -> None:
    """Warn of a known wavelet whose size differs from that of the data."""
    predicted, observed = (torch.linalg.vector_norm(values).item() for values in _heard(setting))
    if not 1 / WRONG < observed / predicted < WRONG:
        warn(
            f"the data are {observed / predicted:.3g} times those of the start model with the known wavelet; is the "
            "wavelet in other units? Give wavelet=None to estimate it",
            DeclarationWarning,
        )


def _explained(setting: Setting, off: float) -> str:
    """The explanation and remedy if a part `off` of the phases is wrong; nothing if that is little."""
    survey = setting.survey.replace(wavelet=None)
    free = off if setting.survey.wavelet is None else phases_off(replace(setting, survey=survey))
    other = survey.replace(data=survey.data.conj())
    if free > LOOKED_INTO and phases_off(replace(setting, survey=other)) < free / 2:
        return (
            "those of their complex conjugates are not: the data use the other sign of the Fourier transform; give "
            "survey.replace(data=survey.data.conj()), since fields here vary as e^{+iωt}"
        )
    if off <= SKIPPED:
        return ""
    cycles = (
        "the inversion may fit the wrong cycles; start at lower frequencies (npde.seismic.Continuation), or from a "
        "better start model"
    )
    if free >= off / 2:
        return cycles
    factor = _factor(setting)
    return (
        f"{cycles}. Or the wavelet has another polarity or delay: multiplied by {abs(factor):.3g} and rotated by "
        f"{math.degrees(np.angle(factor)):.0f}° they agree; wavelet=None estimates it"
    )


def phases_off(setting: Setting) -> float:
    """The part of the recorded spectra for which the phase error of the start model exceeds a quarter of a cycle."""
    data, observed = (values.numpy() for values in _heard(setting))
    live = np.broadcast_to(setting.survey.live, data.shape) & (observed != 0)
    off = np.abs(np.angle(data[live] * observed[live].conj())) > math.pi / 2
    return float(off.mean())


def _heard(setting: Setting) -> tuple[torch.Tensor, torch.Tensor]:
    """The data of the start model, scaled if the wavelet is unknown, and the observed ones."""
    modelling = GridModelling(setting.survey, setting.domain, setting.start)
    start = GridParametrisation(setting.velocity, setting.domain, modelling.grid)
    objective = Objective(modelling, start, setting.survey, L2())
    with torch.no_grad():
        return objective().data, objective.observed
