"""Traces and spectra: the stated convention, against closed forms and the Helmholtz fields of the package."""

import numpy as np
import pytest
from scipy.special import hankel2

import neurapde as npde
from neurapde.seismic.survey.transforms import spectrum, traces_of

FREQUENCIES = np.array([2.0, 5.5, 9.0])


def ricker_spectrum(frequencies: np.ndarray, peak: float, delay: float) -> np.ndarray:
    """∫ (1 − 2a) e^{−a} e^{−iωt} dt in closed form."""
    size = 2 / np.sqrt(np.pi) * frequencies**2 / peak**3 * np.exp(-((frequencies / peak) ** 2))
    return size * np.exp(-2j * np.pi * frequencies * delay)


def test_the_spectrum_of_a_ricker_wavelet_is_its_closed_form() -> None:
    dt, start = 4e-3, -0.2
    times = start + dt * np.arange(400)
    values = spectrum(npde.Ricker(6.0, 0.3)(times), dt, FREQUENCIES, start_time=start)
    assert values == pytest.approx(ricker_spectrum(FREQUENCIES, 6.0, 0.3), rel=1e-10, abs=1e-12)


def test_a_later_pulse_has_its_phase_turned_by_minus_omega_tau() -> None:
    times = 2e-3 * np.arange(800)
    early, late = (spectrum(npde.Ricker(8.0, t)(times), 2e-3, FREQUENCIES) for t in (0.4, 0.47))
    assert late / early == pytest.approx(np.exp(-2j * np.pi * FREQUENCIES * 0.07), rel=1e-8)


def test_a_later_start_of_the_clock_does_not_move_the_pulse() -> None:
    times = 2e-3 * np.arange(800)
    whole = spectrum(npde.Ricker(8.0, 0.6)(times), 2e-3, FREQUENCIES)
    cut = spectrum(npde.Ricker(8.0, 0.6)(times[100:]), 2e-3, FREQUENCIES, start_time=0.2)
    assert cut == pytest.approx(whole, rel=1e-8)


def test_the_wave_of_a_line_source_becomes_minus_w_times_the_outgoing_hankel_function() -> None:
    """m u_tt − Δu = w δ has u = (1/2π) ∫ w(t − r cosh s) ds; its spectrum is −W (i/4) H0⁽²⁾(ωr)."""
    dt, distance = 5e-3, 0.8
    times = dt * np.arange(2400)
    s = np.linspace(0.0, 4.0, 8001)
    w = npde.Ricker(4.0, 0.4)
    step = s[1] - s[0]
    trace = np.zeros_like(times)
    for first in range(0, len(times), 300):
        rows = slice(first, first + 300)
        values = w((times[rows, None] - distance * np.cosh(s)).ravel()).reshape(-1, len(s))
        trace[rows] = step * (values.sum(axis=1) - values[:, 0] / 2) / (2 * np.pi)
    frequencies = np.array([2.0, 4.0, 6.0])
    amplitude = -ricker_spectrum(frequencies, 4.0, 0.4)
    expected = amplitude * 0.25j * hankel2(0, 2 * np.pi * frequencies * distance)
    assert spectrum(trace, dt, frequencies) == pytest.approx(expected, rel=1e-4)


def test_traces_come_back_from_their_spectra() -> None:
    rng = np.random.default_rng(50227)
    samples, dt = 101, 0.01
    traces = rng.standard_normal((3, 2, samples))
    traces -= traces.mean(axis=2, keepdims=True)
    frequencies = np.arange(1, 51) / (samples * dt)
    spectra = spectrum(traces, dt, frequencies, start_time=0.3)
    back = traces_of(spectra, frequencies, dt, samples, start_time=0.3)
    assert np.abs(back - traces).max() < 1e-12


def test_a_taper_leaves_what_has_died_out_and_calms_what_was_cut() -> None:
    times = 4e-3 * np.arange(500)
    pulse = npde.Ricker(6.0, 0.5)(times)
    tapered = spectrum(pulse, 4e-3, FREQUENCIES, taper=0.4)
    assert tapered == pytest.approx(spectrum(pulse, 4e-3, FREQUENCIES), rel=1e-9)
    cut = np.sin(2 * np.pi * 1.13 * times)
    beyond = np.array([20.0, 31.0])
    assert (abs(spectrum(cut, 4e-3, beyond, taper=1.0)) < abs(spectrum(cut, 4e-3, beyond))).all()


def survey(**changes: object) -> npde.Survey:
    rng = np.random.default_rng(31517)
    fields: dict[str, object] = {"traces": rng.standard_normal((2, 3, 40)), "dt": 0.01, "start_time": 0.05}
    return npde.Survey([[0.0, 0.0], [1.0, 0.0]], rng.random((3, 2)), **(fields | changes))


def test_a_survey_goes_to_frequencies_and_back_with_its_wavelet() -> None:
    samples, dt = 41, 0.01
    rng = np.random.default_rng(27941)
    traces = rng.standard_normal((2, 3, samples))
    traces -= traces.mean(axis=2, keepdims=True)
    wavelet = rng.standard_normal(samples)
    wavelet -= wavelet.mean()
    start = survey(traces=traces, wavelet=wavelet, noise=0.1)
    spectral = start.at(np.arange(1, 21) / (samples * dt))
    assert spectral.wavelet is not None
    # The amplitude of the right-hand side of (Δ + ω²m) u = f is minus the wavelet's spectrum.
    assert spectral.wavelet[:, 0] == pytest.approx(
        -spectrum(wavelet, dt, spectral.frequencies, start_time=0.05), rel=1e-12
    )
    back = spectral.to_time(dt, samples, start_time=0.05)
    assert back.traces == pytest.approx(traces, abs=1e-12)
    assert back.wavelet == pytest.approx(wavelet, abs=1e-12)
    # All frequencies together hold as much white noise as the traces.
    assert spectral.noise == pytest.approx(0.1, rel=0.05)


@pytest.mark.parametrize(
    ("frequencies", "text"),
    [([60.0], "Nyquist"), ([50.0], "Nyquist"), ([5.0, 4.0], "increasing"), ([0.0, 4.0], "positive")],
)
def test_frequencies_that_traces_do_not_hold_are_refused(frequencies: list[float], text: str) -> None:
    with pytest.raises(npde.DeclarationError, match=text):
        survey().at(frequencies)


def test_spectra_that_make_no_trace_are_refused() -> None:
    spectral = survey().at([5.0, 10.0, 15.0])
    with pytest.raises(npde.DeclarationError, match=r"period 0\.2"):
        spectral.to_time(0.01, 21)
    with pytest.raises(npde.DeclarationError, match="shorter dt"):
        spectral.to_time(0.04, 5)
    with pytest.raises(npde.DeclarationError, match="equally spaced"):
        survey().at([5.0, 10.0, 14.0]).to_time(0.01, 10)
    with pytest.raises(npde.DeclarationError, match="to_time"):
        _ = spectral.times
    with pytest.raises(npde.DeclarationError, match="at\\(frequencies\\)"):
        survey().to_time(0.01, 10)
    with pytest.raises(npde.DeclarationError, match="differs by shot"):
        spectral.replace(wavelet=[[1, 2], [1, 2], [1, 2]]).to_time(0.01, 10)
