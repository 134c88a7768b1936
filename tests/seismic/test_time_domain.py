"""Inversion of traces in time: from data of a finer grid a network and values on a grid both find what is there."""

from typing import Any

import numpy as np
import pytest

import neurapde as npde
from neurapde.seismic.modelling.computational_domain import ComputationalDomain
from neurapde.seismic.modelling.time_modelling import TimeModelling
from neurapde.training.run.method import Status
from support import waves

BOX = npde.Box((0, 1000), (0, 1000))
WINDOW = npde.Box((250, 750), (250, 750))
ANGLES = np.linspace(0.1, 2 * np.pi + 0.1, 10, endpoint=False)
RECEIVERS = 500 + 410 * np.column_stack([np.cos(ANGLES), np.sin(ANGLES)])
SOURCES = 500 + 380 * np.column_stack([np.cos(ANGLES[::3] + 0.2), np.sin(ANGLES[::3] + 0.2)])
TIMES = 0.012 * np.arange(85)


def true_speed(points: Any) -> Any:
    return 2000.0 * (1 + 0.12 * np.exp(-((points[:, 0] - 520) ** 2 + (points[:, 1] - 470) ** 2) / 130**2))


@pytest.fixture(scope="module")
def survey() -> npde.Survey:
    """Traces of a bump, on nodes half as far apart as those of the inversion."""
    pulse, size = npde.Ricker(4.0, 0.25)(TIMES), (len(SOURCES), len(RECEIVERS), len(TIMES))
    empty = npde.Survey(SOURCES, RECEIVERS, traces=np.ones(size), dt=0.012, wavelet=pulse)
    engine = TimeModelling(
        empty, ComputationalDomain.of(waves(BOX), 400.0), (2000.0, 2000.0), 2400.0, per_wavelength=7.0
    )
    return empty.replace(traces=engine.forward(true_speed(engine.grid.points) ** -2.0).data)


def invert(survey: npde.Survey, trial: Any, descent: Any, **settings: Any) -> npde.seismic.Inversion:
    velocity = npde.Velocity(2000.0, bounds=(1700.0, 2600.0), trial=trial, window=WINDOW)
    method = npde.seismic.TimeDomain(per_wavelength=3.5, descent=descent)
    given = {
        "unknown": velocity,
        "method": method,
        "progress": False,
        "seed": 70921,
        **settings,
    }
    return npde.invert(waves(BOX), survey, **given)


@pytest.mark.parametrize(
    ("trial", "descent"),
    [
        (
            npde.Siren(width=32, depth=1, omega_0=3.0, omega_hidden=5.0),
            npde.seismic.AdamDescent(steps=16, lr=1e-2),
        ),
        (npde.seismic.Gridded(), npde.seismic.BoundedLBFGS(steps=8)),
    ],
    ids=["network", "grid"],
)
@pytest.mark.parametrize(
    "misfit",
    [npde.seismic.L2(), pytest.param(npde.seismic.Huber(0.5), marks=pytest.mark.slow)],
    ids=["L2", "Huber"],
)
def test_traces_tell_where_waves_are_faster(
    survey: npde.Survey, trial: Any, descent: Any, misfit: Any
) -> None:
    inversion = invert(survey, trial, descent, misfit=misfit)
    residual = inversion.history["relative residual"]
    assert residual[-1] < 0.45 * residual[0]  # the grid's own error is a third
    assert inversion.model_error(true_speed) < 0.7
    assert inversion.fields is None
    assert inversion.predicted.shape == survey.traces.shape


def test_it_stops_at_the_noise_that_the_survey_states(survey: npde.Survey) -> None:
    inversion = invert(
        survey.replace(noise=0.06), npde.seismic.Gridded(), npde.seismic.BoundedLBFGS(steps=20)
    )
    residual = inversion.history["relative residual"]
    assert inversion.status is Status.CONVERGED
    assert residual[-1] <= 0.06 < residual[-2]
    assert inversion.residual == pytest.approx(residual[-1], rel=1e-6)
