"""Misfits of traces in time: closed forms, slopes, and a start so far away that least squares skips a cycle."""

from typing import Any

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.seismic import L2, BoundedLBFGS, Correlation, Envelope, Gridded, TimeDomain, Transport
from neurapde.seismic.inversion.misfits import Misfit
from support import plane_survey, waves

BOX = npde.Box((0, 1000), (0, 1000))
TRUE = 2080.0
TIMES = torch.arange(800, dtype=torch.float64) / 400


def bell(place: float, width: float = 0.05) -> torch.Tensor:
    """A trace whose envelope is a bell, and its square one of standard deviation `width`."""
    inside = torch.exp(-0.25 * ((TIMES - place) / width) ** 2)
    return (inside * torch.cos(2 * np.pi * 40.0 * (TIMES - place)))[None, None]


@pytest.mark.parametrize("late", [0.003, 0.03, 0.3, 0.9])
def test_a_late_pulse_costs_the_square_of_its_delay(late: float) -> None:
    cost = Transport(1e-9)(bell(0.5 + late), bell(0.5), torch.ones(1, 1, 1))
    assert float(cost) == pytest.approx(0.5 * (late / 0.05) ** 2, rel=0.02)


def test_the_transport_between_normal_densities_is_its_closed_form() -> None:
    """W₂² = (μ₁ − μ₂)² + (σ₁ − σ₂)²."""
    cost = Transport(1e-9)(bell(1.1, 0.12), bell(0.8, 0.05), torch.ones(1, 1, 1))
    assert float(cost) == pytest.approx(0.5 * (0.3**2 + 0.07**2) / 0.05**2, rel=0.02)


def test_an_envelope_knows_no_phase_and_a_correlation_no_amplitude() -> None:
    pulse, weights = bell(0.8), torch.ones(1, 1, 1)
    turned = torch.exp(-0.25 * ((TIMES - 0.8) / 0.05) ** 2) * torch.sin(2 * np.pi * 40.0 * (TIMES - 0.8))
    assert (
        float(Envelope()(turned[None, None], pulse, weights))
        < 1e-5
        < float(L2()(turned[None, None], pulse, weights))
    )
    assert float(Correlation()(7.0 * pulse, pulse, weights)) < 1e-12
    assert float(Correlation()(-pulse, pulse, weights)) == pytest.approx(2.0)
    late = bell(0.83)
    expected = 1 - float((late * pulse).sum() / torch.sqrt((late**2).sum() * (pulse**2).sum()))
    assert float(Correlation()(late, pulse, weights)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("misfit", [Correlation(), Envelope(), Transport()], ids=lambda misfit: misfit.name)
def test_the_gradient_is_the_derivative(misfit: Misfit) -> None:
    method = TimeDomain(per_wavelength=3.6)
    velocity = npde.Velocity(1900.0, bounds=(1600.0, 2600.0), trial=Gridded((5, 5)))
    tested = npde.validation.taylor_test(
        waves(BOX), plane_survey(TRUE), unknown=velocity, method=method, misfit=misfit
    )
    assert tested.passed, tested


def found_from(start: float, misfit: Misfit, survey: npde.Survey) -> float:
    """The model error of an inversion for nine values, 1 at the start."""
    velocity = npde.Velocity(start, bounds=(1300.0, 2900.0), trial=Gridded((3, 3)))
    method = TimeDomain(descent=BoundedLBFGS(8), per_wavelength=3.6)
    given: dict[str, Any] = {"unknown": velocity, "method": method, "misfit": misfit, "progress": False}
    return npde.invert(waves(BOX), survey, **given).model_error(TRUE)


@pytest.mark.slow
def test_least_squares_skips_a_cycle_where_envelope_and_transport_do_not() -> None:
    """At 1500 in place of 2080 the waves come 0.15 s late, more than half their period of 0.25 s."""
    survey = plane_survey(TRUE)
    assert found_from(1500.0, L2(), survey) > 1.0
    assert found_from(1500.0, Envelope(), survey) < 0.2
    assert found_from(1500.0, Transport(), survey) < 0.2


@pytest.mark.slow
def test_a_correlation_finds_the_model_where_amplitudes_are_wrong_by_trace() -> None:
    survey = plane_survey(TRUE)
    gains = np.exp(np.random.default_rng(40927).standard_normal((2, 6, 1)))
    spoilt = survey.replace(traces=survey.traces * gains)
    right, wrong = found_from(1900.0, Correlation(), spoilt), found_from(1900.0, L2(), spoilt)
    assert right < 0.3 < 0.6 < wrong


def test_a_misfit_of_the_other_kind_of_survey_is_refused() -> None:
    survey = plane_survey(TRUE)
    with pytest.raises(npde.DeclarationError, match=r"Envelope compares traces in time, and .* as spectra"):
        npde.invert(waves(BOX), survey.at([3.0]), misfit=Envelope())
    with pytest.raises(npde.DeclarationError, match=r"PhaseOnly compares spectra, and .* as traces"):
        npde.invert(waves(BOX), survey, method="time", misfit=npde.seismic.PhaseOnly())
