"""Processing: each step against obspy, SciPy or a closed form, recorded, and modelled where an inversion must model it."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import hankel2

import neurapde as npde
from neurapde.seismic import Balance, Bandpass, Decimate, Detrend, EditTraces, Gain, LineSource, TimeWindow
from neurapde.seismic.modelling.computational_domain import ComputationalDomain
from neurapde.seismic.modelling.grid_modelling import GridModelling
from support import plane_survey, relative, waves

BOX = npde.Box((0, 1000), (0, 1000))
DT, COUNT = 0.004, 500
TIMES = DT * np.arange(COUNT)
PLACES: dict[str, Any] = {
    "sources": [[0.0, 0.0], [500.0, 0.0]],
    "receivers": [[100.0 * r, 10.0] for r in range(12)],
}


def survey(traces: np.ndarray, **options: Any) -> npde.Survey:
    return npde.Survey(**PLACES, traces=traces, dt=DT, **options)


def pulses() -> np.ndarray:
    """Noise under a bell that is zero at both ends of the record."""
    rng = np.random.default_rng(30803)
    bell = np.exp(-(((TIMES - 1.0) / 0.15) ** 2))
    return rng.standard_normal((2, 12, COUNT)) * bell


@pytest.mark.parametrize(("low", "high"), [(5.0, 20.0), (None, 15.0), (8.0, None)])
def test_a_band_pass_is_that_of_obspy(low: float | None, high: float | None) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own imports
        oracle = pytest.importorskip("obspy.signal.filter")
    given, order = pulses(), 3
    filtered = survey(given).process(Bandpass(low, high, order=order)).traces
    options = {"df": 1 / DT, "corners": order, "zerophase": True}
    if low is not None and high is not None:
        expected = oracle.bandpass(given[1, 4], freqmin=low, freqmax=high, **options)
    elif high is not None:
        expected = oracle.lowpass(given[1, 4], freq=high, **options)
    else:
        expected = oracle.highpass(given[1, 4], freq=low, **options)
    assert relative(filtered[1, 4], expected) < 1e-4


def test_the_wavelet_goes_through_the_filter_of_its_traces() -> None:
    """Traces are delayed wavelets, and stay so."""
    wavelet = npde.Ricker(9.0, 0.8)(TIMES)
    late = np.broadcast_to(npde.Ricker(9.0, 1.0)(TIMES), (2, 12, COUNT))
    processed = survey(late, wavelet=wavelet).process(Bandpass(4, 10), Decimate(samples=4))
    assert processed.dt == 4 * DT
    shift = 50
    assert processed.wavelet is not None
    whole = survey(late, wavelet=wavelet).process(Bandpass(4, 10))
    assert whole.wavelet is not None
    assert relative(whole.traces[0, 0, shift:], whole.wavelet[:-shift]) < 5e-3
    assert relative(processed.wavelet, whole.wavelet[::4]) < 1e-3


def test_stated_noise_thins_with_the_band() -> None:
    rng = np.random.default_rng(70921)
    clean = survey(pulses()).process(Bandpass(8, 12))
    noise = 0.3 * np.std(clean.traces) * rng.standard_normal(clean.traces.shape)
    noisy = clean.replace(traces=clean.traces + noise, noise=0.3)
    processed = noisy.process(Bandpass(6, 14))
    pure = clean.process(Bandpass(6, 14)).traces
    assert processed.noise == pytest.approx(
        np.linalg.norm(processed.traces - pure) / np.linalg.norm(processed.traces), rel=0.1
    )


def test_decimating_leaves_no_alias() -> None:
    """90 Hz would be seen as 10 Hz on every fifth of 250 samples a second."""
    bell = np.exp(-(((TIMES - 1.0) / 0.25) ** 2))
    high, low = (np.broadcast_to(bell * np.sin(2 * np.pi * f * TIMES), (2, 12, COUNT)) for f in (90.0, 5.0))
    decimated = survey(high + low).process(Decimate(samples=5)).traces
    assert relative(decimated, low[..., ::5]) < 1e-3


def test_decimating_keeps_what_belongs_to_the_places() -> None:
    given = survey(pulses())
    processed = given.process(Decimate(shots=2, receivers=3))
    assert processed.traces.tolist() == given.traces[::2, ::3].tolist()
    assert processed.receivers.tolist() == given.receivers[::3].tolist()
    assert given.at([5.0]).process(Decimate(receivers=3)).data.shape == (1, 2, 4)


def test_detrending_takes_polynomials_and_nothing_else() -> None:
    given = pulses()
    drift = 3.0 - 2.0 * TIMES + 0.5 * TIMES**2
    flat = survey(given).process(Detrend(2)).traces
    assert relative(survey(given + drift).process(Detrend(2)).traces, flat) < 1e-12
    assert np.abs(flat @ np.stack([TIMES**0, TIMES, TIMES**2], 1)).max() < 1e-9 * np.abs(given).sum()


def test_waves_of_a_point_become_those_of_a_line() -> None:
    speed, offset, pulse = 2000.0, 900.0, npde.Ricker(12.0, 0.12)
    point = pulse(TIMES - offset / speed) / (4 * np.pi * offset)
    s = np.linspace(0, 5, 4001)
    line = np.trapezoid(pulse(TIMES[:, None] - offset / speed * np.cosh(s)), s, axis=1) / (2 * np.pi)
    traces = survey(np.broadcast_to(point, (2, 12, COUNT))).process(LineSource(speed)).traces[0, 0]
    assert relative(traces, line) < 0.15  # the pulse's own delay counts as travel time
    shifted = (
        survey(np.broadcast_to(point, (2, 12, COUNT)), start_time=-0.12)
        .process(LineSource(speed))
        .traces[0, 0]
    )
    assert relative(shifted, line) < 0.03


def test_a_window_counts_from_zero_offsets_or_picks() -> None:
    given = survey(np.ones((2, 12, COUNT)))
    picks = given.offsets / 1000.0
    by_speed = given.process(TimeWindow(-0.1, 0.4, speed=1000.0, taper=0.1))
    by_picks = given.process(TimeWindow(-0.1, 0.4, picks=picks, taper=0.1))
    assert by_speed.window is not None
    np.testing.assert_array_equal(by_speed.window, by_picks.window)
    after = TIMES - picks[..., None]
    assert not by_speed.window[(after < -0.1) | (after > 0.4)].any()
    assert (by_speed.window[(after > 0.001) & (after < 0.299)] == 1).all()
    top = given.process(TimeWindow(0.5)).window
    assert top is not None
    assert top[0, 0].tolist() == (TIMES >= 0.5).astype(float).tolist()


def test_windows_multiply_and_are_seen_in_spectra_and_files(tmp_path: Path) -> None:
    given = survey(pulses())
    processed = given.process(TimeWindow(0.9, taper=0.1), Gain(2.0))
    rise = 0.5 - 0.5 * np.cos(np.pi * np.clip((TIMES - 0.9) / 0.1, 0, 1))
    expected = given.traces * rise * (TIMES / TIMES[-1]) ** 2
    np.testing.assert_allclose(processed.at([6.0]).data, survey(expected).at([6.0]).data, rtol=1e-12)
    back = npde.Survey.load(processed.save(tmp_path / "a.h5"))
    assert back.processing == processed.processing
    np.testing.assert_array_equal(back.window, processed.window)
    assert relative(npde.Survey.read(processed.write(tmp_path / "a.sgy")).traces, expected) < 1e-6


def test_what_was_done_is_recorded_and_shown() -> None:
    processed = survey(pulses()).process(Detrend(), Bandpass(3, 12), TimeWindow(0.9, taper=0.1))
    assert len(processed.processing) == 3
    for text in (str(processed), str(processed.quality())):
        assert "band-pass 3 to 12 Hz, order 4, zero phase" in text
        assert "of the energy is left" in text


def test_loud_and_quiet_traces_are_found_beside_their_neighbours() -> None:
    rng = np.random.default_rng(51203)
    decay = 1 / (1 + survey(np.ones((2, 12, COUNT))).offsets) ** 1.5
    given = decay[..., None] * rng.standard_normal((2, 12, COUNT))
    given[0, 3] *= 50
    given[1, 11] /= 40
    processed = survey(given).process(EditTraces(dead=[(1, 2)]))
    assert np.argwhere(~processed.live).tolist() == [[0, 3], [1, 2], [1, 11]]
    assert "louder than neighbours times 10 (shot/receiver 0/3)" in processed.processing[0]


def test_balanced_traces_count_alike() -> None:
    given = survey(pulses() * (1 + np.arange(12.0))[:, None])
    processed = given.process(Balance())
    share = processed.weights * (processed.traces**2).sum(2)
    assert share == pytest.approx(share[0, 0], rel=1e-12)


def test_the_predictions_of_an_inversion_in_time_go_through_the_window() -> None:
    """Waves of the right model explain a muted record entirely; without the window they would not."""
    given = plane_survey(2000.0)
    muted = given.process(TimeWindow(0.55, taper=0.05))
    zeros = given.replace(traces=muted.traces * muted.window)
    method = npde.seismic.TimeDomain(descent=npde.seismic.BoundedLBFGS(1), per_wavelength=5.0)
    residuals = [
        npde.invert(
            waves(BOX),
            record,
            unknown=npde.Velocity(2000.0, bounds=(1900.0, 2100.0)),
            method=method,
            progress=False,
        ).history["relative residual"][0]
        for record in (muted, zeros)
    ]
    assert residuals[0] < 0.06 < 0.5 < residuals[1]


def test_damped_spectra_are_waves_at_complex_frequencies() -> None:
    """Of a line source: W (i/4) H₀⁽²⁾((ω − iσ) r / c), by the grid's scheme and by transformed traces in closed form."""
    damping, speed, band = 4.0, 2000.0, np.array([3.0, 6.0])
    given = plane_survey(speed).replace(wavelet=None)
    exact = plane_survey(speed)
    omega = 2 * np.pi * band - 1j * damping
    green = 0.25j * hankel2(0, omega[:, None, None] * given.offsets / speed)
    unit = npde.Survey(
        given.sources, given.receivers, data=green, frequencies=band, damping=damping, wavelet=1.0
    )
    domain = ComputationalDomain.of(waves(BOX, npde.Absorbing()), speed / 3.0)
    modelling = GridModelling(unit, domain, (speed, speed), per_wavelength=14.0)
    data = modelling.forward(np.full(modelling.grid.size, speed**-2)).data
    assert relative(data, green) < 2e-3
    times = DT * np.arange(3000)
    pulse, s = npde.Ricker(5.0, 0.3)(times), np.linspace(0, 4, 801)
    distance = exact.offsets[0, 2]
    wave = np.trapezoid(npde.Ricker(5.0, 0.3)(times[:, None] - distance / speed * np.cosh(s)), s, axis=1) / (
        2 * np.pi
    )
    traces = np.broadcast_to(wave, (1, 1, len(wave)))
    heard = npde.Survey(given.sources[:1], given.receivers[2:3], traces=traces, dt=DT, wavelet=pulse)
    spectra = heard.at(band, damping=damping)
    assert spectra.damping == damping
    assert spectra.wavelet is not None
    assert relative(spectra.data[:, 0, 0], spectra.wavelet[:, 0] * green[:, 0, 2]) < 1e-5


def test_the_gradient_at_complex_frequencies_is_the_derivative() -> None:
    given = plane_survey().at([3.0, 5.0], damping=5.0)
    place = (waves(BOX), given)
    velocity = npde.Velocity(2000.0, bounds=(1600.0, 2600.0))
    assert npde.validation.taylor_test(*place, unknown=velocity, method="adjoint").passed
    assert npde.validation.dot_test(*place, unknown=velocity, method="adjoint").passed
    with pytest.raises(npde.DeclarationError, match="complex frequencies, which this method does not model"):
        npde.invert(*place, unknown=velocity, method="joint")


def test_damping_is_undone_on_the_way_back_to_time() -> None:
    traces = np.random.default_rng(50227).standard_normal((2, 12, 101))
    traces -= traces.mean(axis=2, keepdims=True)
    dt, sigma = 0.01, 1.5
    weight = np.exp(-sigma * dt * np.arange(101))
    traces -= (traces @ weight / weight.sum())[..., None]
    given = npde.Survey(**PLACES, traces=traces, dt=dt)
    band = np.arange(1, 51) / (101 * dt)
    back = given.at(band, damping=sigma).to_time(dt, 101)
    assert relative(back.traces, traces) < 1e-10


@pytest.mark.parametrize(
    ("step", "text"),
    [
        (lambda: Bandpass(), "keeps everything"),
        (lambda: Bandpass(12, 3), "a value of high above low"),
        (lambda: Bandpass(3, 400), "frequencies below 125 Hz"),
        (lambda: TimeWindow(), "keeps everything"),
        (lambda: TimeWindow(9.0), "removes the traces"),
        (lambda: TimeWindow(0.1, picks=np.ones(3)), "picks of the TimeWindow have the shape"),
        (lambda: TimeWindow(0.1, picks=np.ones(3), speed=1.0), "leave one out"),
        (lambda: EditTraces(dead=[(7, 0)]), "counted from 0"),
        (lambda: Decimate(samples=500), "leaves only one of 500"),
        (lambda: "bandpass", "give steps such as"),
    ],
)
def test_what_cannot_be_done_is_refused(step: Any, text: str) -> None:
    with pytest.raises(npde.DeclarationError, match=text):
        survey(pulses()).process(step())


def test_filters_come_before_windows() -> None:
    with pytest.raises(npde.DeclarationError, match="put it before TimeWindow and Gain"):
        survey(pulses()).process(TimeWindow(0.9), Bandpass(3, 12))
    with pytest.raises(npde.DeclarationError, match="use to_time"):
        survey(pulses()).at([5.0]).process(Bandpass(3, 12))
    with pytest.raises(npde.DeclarationError, match=r"damping is 900, .*give at most 100"):
        survey(pulses()).at([5.0], damping=900.0)
