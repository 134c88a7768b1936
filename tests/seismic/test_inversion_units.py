"""A survey in other units gives the same model: metres and seconds, kilometres and milliseconds, millimetres and µs."""

from typing import Any

import numpy as np
import pytest

import neurapde as npde
from neurapde.seismic.inversion.methods.method import InversionMethod
from support import plane_survey, waves

PER_WAVELENGTH = 5.2
SYSTEMS = {"km, ms": (1e-3, 1e3), "mm, µs": (1e3, 1e6)}
NODES = npde.seismic.Gridded((9, 9))
ADAM, NEWTON = npde.seismic.AdamDescent(3), npde.seismic.GaussNewtonDescent(2)
METHODS: dict[str, InversionMethod] = {
    "joint": npde.seismic.Joint(descent=ADAM),
    "reduced": npde.seismic.Reduced(descent=ADAM, per_wavelength=PER_WAVELENGTH),
    "Gauss–Newton": npde.seismic.Reduced(descent=NEWTON, per_wavelength=PER_WAVELENGTH),
    "adjoint": npde.seismic.Adjoint(descent=npde.seismic.BoundedLBFGS(3), per_wavelength=PER_WAVELENGTH),
    "irwri": npde.seismic.WavefieldReconstruction(steps=3, per_wavelength=PER_WAVELENGTH),
    "time": npde.seismic.TimeDomain(descent=ADAM, per_wavelength=PER_WAVELENGTH),
}


def model(method: InversionMethod, length: float, time: float, trial: Any) -> np.ndarray:
    """The speed that is found, in metres and seconds, where these are `length` and `time` of the units."""
    made = plane_survey()
    survey = npde.Survey(
        made.sources * length,
        made.receivers * length,
        traces=made.traces,
        dt=0.012 * time,
        wavelet=made.wavelet,
    )
    if not isinstance(method, npde.seismic.TimeDomain):
        survey = survey.at([3.0 / time, 4.0 / time])
    speed = length / time
    window = npde.Box((300 * length, 700 * length), (300 * length, 700 * length))
    unknown = npde.Velocity(
        2000 * speed,
        bounds=(1600 * speed, 2600 * speed),
        trial=trial,
        prior=npde.seismic.TotalVariation(1e-3),
        window=window,
    )
    problem = waves(npde.Box((0, 1000 * length), (0, 1000 * length)), speed=speed)
    inversion = npde.invert(problem, survey, unknown=unknown, method=method, seed=20983, progress=False)
    return np.asarray(inversion.model((21, 21))[1] / speed)


QUICK = (("reduced", NODES), ("joint", None), ("adjoint", None), ("irwri", None))
EVERY = [
    pytest.param(
        name, trial, system, marks=() if system == "km, ms" and (name, trial) in QUICK else pytest.mark.slow
    )
    for name in METHODS
    for trial in (None, NODES)
    for system in SYSTEMS
]


@pytest.mark.parametrize(("name", "trial", "system"), EVERY)
def test_a_survey_in_other_units_gives_the_same_model(name: str, trial: Any, system: str) -> None:
    here = model(METHODS[name], 1.0, 1.0, trial)
    there = model(METHODS[name], *SYSTEMS[system], trial)
    changed = np.abs(here - 2000).max()
    assert changed > 1
    assert np.abs(there - here).max() < 1e-4 * changed
