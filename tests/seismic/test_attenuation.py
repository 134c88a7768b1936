"""Waves of surveys that lose energy: modelling against closed forms, the gradient, and inversions that know Q."""

import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from scipy.special import hankel2

import neurapde as npde
from neurapde.seismic.modelling.computational_domain import ComputationalDomain
from neurapde.seismic.modelling.grid_modelling import GridModelling
from support import plane_survey, relative

BOX, SPEED, LAW = npde.Box((0, 1000), (0, 1000)), 2000.0, npde.KolskyFutterman(20.0, 10.0)
VELOCITY = npde.Velocity(SPEED, bounds=(1600.0, 2600.0))


def lossy(law: npde.KolskyFutterman | None = LAW, speed: object = SPEED) -> npde.Problem:
    return npde.Problem("lossy", BOX, npde.Helmholtz(2 * math.pi * 6, speed, law), boundary=npde.Absorbing())


def green(
    frequency: complex, offsets: np.ndarray, quality: float = 20.0, reference: float = 10.0
) -> np.ndarray:
    """(i/4) H₀⁽²⁾(ω r / c), 1/c as the law of Kolsky and Futterman is printed, with ln i = iπ/2."""
    slowness = (1 - np.log(1j * frequency / reference) / (np.pi * quality)) / SPEED
    return 0.25j * hankel2(0, 2 * np.pi * frequency * slowness * offsets)


@pytest.mark.parametrize("damping", [0.0, 4.0])
def test_spectra_in_a_plane_that_attenuates_are_hankel_functions_of_a_complex_wavenumber(
    damping: float,
) -> None:
    given, band = plane_survey(SPEED), np.array([3.0, 6.0])
    exact = np.stack([green(f - 1j * damping / (2 * np.pi), given.offsets) for f in band])
    unit = npde.Survey(
        given.sources, given.receivers, data=exact, frequencies=band, damping=damping, wavelet=1.0
    )
    domain = ComputationalDomain.of(lossy(), SPEED / 3.0)
    modelling = GridModelling(unit, domain, (SPEED, SPEED), per_wavelength=14.0)
    data = modelling.forward(np.full(modelling.grid.size, SPEED**-2)).data
    assert relative(data, exact) < 2e-3
    loss = relative(green(6.0, given.offsets, 1e9), exact[1])
    assert loss > 0.2


def test_simulated_surveys_attenuate_at_each_frequency_by_its_own_speed() -> None:
    problem = npde.Problem(
        "lossy",
        npde.Box((-500, 1500), (-500, 1500)),
        npde.Helmholtz(1.0, SPEED, LAW),
        boundary=npde.PML(500.0, reflection=1e-5),
    )
    given = plane_survey(SPEED)
    made = npde.Survey.simulate(
        problem, given.receivers, sources=given.sources, frequencies=[3.0, 6.0], shape=181
    )
    assert relative(made.data, np.stack([green(f, given.offsets) for f in (3.0, 6.0)])) < 2e-3


@pytest.mark.parametrize(("quality", "damping"), [(20.0, 0.0), (lambda x: 15.0 + x[:, 1] / 50.0, 5.0)])
def test_the_gradient_in_a_medium_that_attenuates_is_the_derivative(quality: object, damping: float) -> None:
    place = (lossy(npde.KolskyFutterman(quality, 10.0)), plane_survey().at([3.0, 5.0], damping=damping))
    assert npde.validation.taylor_test(*place, unknown=VELOCITY, method="adjoint").passed
    assert npde.validation.dot_test(*place, unknown=VELOCITY, method="adjoint").passed
    assert npde.validation.reciprocity(*place, unknown=VELOCITY, method="adjoint").passed


@pytest.mark.parametrize("method", ["joint", "irwri", "penalty", "time"])
def test_methods_that_do_not_model_it_say_so(method: str) -> None:
    survey = plane_survey() if method == "time" else plane_survey().at([3.0, 5.0])
    with pytest.raises(npde.DeclarationError, match="which this method does not model; use 'multiscale'"):
        npde.invert(lossy(), survey, unknown=VELOCITY, method=method)


def test_a_complex_speed_is_not_dropped_in_silence() -> None:
    problem, survey = lossy(None, SPEED + 50j), plane_survey().at([3.0])
    with pytest.raises(
        npde.DeclarationError, match=r"its speed is complex; give the real one, and attenuation="
    ):
        npde.invert(problem, survey, unknown=VELOCITY)


def lens(points: np.ndarray) -> np.ndarray:
    squared = (points[:, 0] - 500.0) ** 2 + (points[:, 1] - 500.0) ** 2
    return SPEED + 200.0 * npde.exp(-squared / (2 * 120.0**2))


def lens_survey(quality: object) -> npde.Survey:
    """Shots and receivers around a lens, 3 to 6 Hz, on a grid that no inversion here has."""
    around = npde.Box((-400, 1400), (-400, 1400))
    law = npde.KolskyFutterman(quality, 10.0)
    equation = npde.Helmholtz(1.0, lens, law)
    problem = npde.Problem("lens", around, equation, boundary=npde.PML(400.0, reflection=1e-4))
    turns = 2 * np.pi * np.arange(24) / 24
    ring = 500.0 + 400.0 * np.column_stack([np.cos(turns), np.sin(turns)])
    return npde.Survey.simulate(problem, ring, sources=ring[::4], frequencies=[3.0, 6.0], shape=151)


def off(found: npde.seismic.Inversion) -> float:
    """RMS error of the speed found, in units of that of the start."""
    points = npde.Box((200, 800), (200, 800)).sample(400, how="grid").numpy()
    return float(np.linalg.norm(found.speed(points) - lens(points)) / np.linalg.norm(SPEED - lens(points)))


@pytest.mark.slow
def test_an_inversion_that_knows_the_quality_factor_finds_the_lens_and_one_without_does_not() -> None:
    def quality(x: np.ndarray) -> np.ndarray:
        return 20.0 + x[:, 0] / 100.0

    survey = lens_survey(quality)
    known, none = (
        npde.invert(lossy(law), survey, unknown=VELOCITY, progress=False)
        for law in (npde.KolskyFutterman(quality, 10.0), None)
    )
    assert off(known) < 0.1
    assert off(none) > 2 * off(known)


def test_tasks_of_an_executor_attenuate_too() -> None:
    survey = plane_survey().at([3.0, 5.0])
    method = npde.seismic.Adjoint(descent=npde.seismic.BoundedLBFGS(2))
    with ThreadPoolExecutor(1) as pool:
        found = [
            npde.invert(lossy(), survey, unknown=VELOCITY, method=method, executor=executor, progress=False)
            for executor in (None, pool)
        ]
    points = BOX.sample(50, how="grid").numpy()
    assert relative(found[0].speed(points), found[1].speed(points)) < 1e-8
    assert "Kolsky–Futterman attenuation, Q = 20" in "\n".join(found[0].notes)


def test_a_saved_inversion_knows_its_attenuation(tmp_path: Path) -> None:
    survey = plane_survey().at([3.0])
    method = npde.seismic.Adjoint(descent=npde.seismic.BoundedLBFGS(1))
    found = npde.invert(lossy(), survey, unknown=VELOCITY, method=method, progress=False)
    found.save(tmp_path / "inversion.h5")
    back = npde.seismic.Inversion.load(tmp_path / "inversion.h5")
    assert back.setting.domain.attenuation == found.setting.domain.attenuation
