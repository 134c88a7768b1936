"""Error norms against closed forms."""

import numpy as np
import pytest

from neurapde.validation.metrics import (
    all_metrics,
    amplitude_error,
    max_error,
    mse,
    phase_error,
    relative_l2,
    relative_max,
)

X = np.linspace(0.0, 1.0, 20_001)
METRICS = [mse, relative_l2, max_error, relative_max, phase_error, amplitude_error]


def test_real_closed_forms() -> None:
    # ∫ (x − x²)² = 1/30 and ∫ x⁴ = 1/5 over [0, 1]; the largest x − x² is 1/4.
    assert mse(X, X**2) == pytest.approx(1 / 30, rel=1e-4)
    assert relative_l2(X, X**2) == pytest.approx(np.sqrt(1 / 6), rel=1e-4)
    assert max_error(X, X**2) == pytest.approx(0.25)
    assert relative_max(X, 2 * X) == pytest.approx(0.5)


def test_a_turned_wave_has_phase_error_only() -> None:
    wave = np.exp(1j * 30 * X)
    turned = wave * np.exp(0.1j)
    assert phase_error(turned, wave) == pytest.approx(0.1, rel=1e-12)
    assert amplitude_error(turned, wave) == pytest.approx(0.0, abs=1e-12)
    assert relative_l2(turned, wave) == pytest.approx(2 * np.sin(0.05), rel=1e-12)


def test_a_louder_wave_has_amplitude_error_only() -> None:
    wave = (1 + X) * np.exp(1j * 30 * X)
    assert amplitude_error(1.25 * wave, wave) == pytest.approx(0.25, rel=1e-12)
    assert phase_error(1.25 * wave, wave) == pytest.approx(0.0, abs=1e-12)


def test_phase_error_is_weighted_by_the_amplitude_of_the_truth() -> None:
    truth = np.array([3.0 + 0j, 1.0])
    assert phase_error(truth * np.exp([0.2j, -0.6j]), truth) == pytest.approx((3 * 0.2 + 0.6) / 4)


def test_phase_error_of_real_fields_is_pi_times_the_share_of_wrong_sign() -> None:
    assert phase_error(np.array([1.0, -2.0, 0.5, 4.0]), np.ones(4)) == pytest.approx(np.pi / 4)


def test_a_silent_field_is_a_quarter_turn_out_of_phase() -> None:
    assert phase_error(np.zeros(3), np.ones(3, dtype=complex)) == pytest.approx(np.pi / 2)


@pytest.mark.parametrize("metric", METRICS)
def test_equality_costs_nothing(metric) -> None:
    wave = (1 + X) * np.exp(7j * X)
    assert metric(wave, wave) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("metric", METRICS)
def test_a_mask_takes_the_comparison_to_a_part(metric) -> None:
    rng = np.random.default_rng(40231)
    u, v = rng.normal(size=(2, 40, 30, 2)) + 1j * rng.normal(size=(2, 40, 30, 2))
    mask = rng.random((40, 30)) < 0.4
    assert metric(u, v, mask) == metric(u[mask], v[mask])
    poisoned = np.where(mask[..., None], u, np.nan)
    assert metric(poisoned, v, mask) == metric(u, v, mask)


@pytest.mark.parametrize("metric", METRICS)
def test_a_nan_in_the_compared_part_is_never_a_good_number(metric) -> None:
    broken = np.array([1.0 + 0j, np.nan, 1.0])
    assert np.isnan(metric(broken, np.ones(3)))
    assert np.isnan(metric(np.ones(3), broken))
    assert np.isnan(metric(np.ones(3), np.ones(3), np.zeros(3, dtype=bool)))


def test_a_zero_truth_gives_infinity_not_zero() -> None:
    assert relative_l2(np.ones(3), np.zeros(3)) == np.inf
    assert relative_max(np.ones(3), np.zeros(3)) == np.inf


def test_relative_metrics_do_not_see_the_scale() -> None:
    rng = np.random.default_rng(81373)
    u, v = rng.normal(size=(2, 100)) + 1j * rng.normal(size=(2, 100))
    for metric in (relative_l2, relative_max, phase_error, amplitude_error):
        assert metric(3e-9j * u, 3e-9j * v) == pytest.approx(metric(u, v), rel=1e-12)


def test_phase_is_reported_for_complex_fields_only() -> None:
    assert "phase_error" not in all_metrics(X, X)
    assert list(all_metrics(X + 0j, X + 0j)) == [
        "relative_l2",
        "mse",
        "max_error",
        "relative_max",
        "phase_error",
        "amplitude_error",
    ]


def test_shapes_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match=r"shape \(3,\) and the truth \(4,\)"):
        mse(np.ones(3), np.ones(4))
    with pytest.raises(ValueError, match="leading axes"):
        mse(np.ones((3, 2)), np.ones((3, 2)), np.ones(2, dtype=bool))
