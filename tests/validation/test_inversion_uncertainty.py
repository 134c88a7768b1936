"""The report of an inversion with its uncertainty: shown, kept in files, and held against the truth."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

import neurapde as npde
from neurapde.validation import InversionReport, inversion_report
from support import plane_survey, waves

SPEED, TRUE = 2000.0, 2080.0


@cache
def found() -> tuple[npde.seismic.Inversion, npde.seismic.Uncertainty]:
    """Of the uniform plane of `plane_survey`, begun 4 % too slow."""
    survey = plane_survey(TRUE).at([3.0]).replace(wavelet=None)
    velocity = npde.Velocity(SPEED, bounds=(1600.0, 2600.0), prior=())
    method = npde.seismic.Adjoint(descent=npde.seismic.BoundedLBFGS(2), per_wavelength=8.0)
    box = npde.Box((0, 1000), (0, 1000))
    inversion = npde.invert(waves(box), survey, unknown=velocity, method=method, progress=False)
    return inversion, npde.seismic.uncertainty(inversion, deviation=80.0, length=200.0)


@pytest.mark.slow
def test_the_page_shows_the_deviation_and_the_error_in_units_of_it(tmp_path: Path) -> None:
    inversion, sure = found()
    report = inversion_report(inversion, true=TRUE, classical=False, uncertainty=sure, progress=False)
    assert report.deviation is not None
    assert report.deviation.shape == report.start.shape
    np.testing.assert_allclose(report.deviation.max(), sure.deviation.values.max(), rtol=0.05)
    assert report.off is not None
    expected = np.abs(report.first.speed - TRUE) / report.deviation
    np.testing.assert_allclose(report.off, expected, rtol=1e-12)
    assert str(sure) in str(report)
    assert "Within two of them of the truth lie" in str(report)
    assert "uncertainty.png" in report.pictures()
    report.save(tmp_path)
    loaded = InversionReport.load(tmp_path)
    np.testing.assert_array_equal(loaded.deviation, report.deviation)
    assert loaded.certainty == report.certainty
    assert report.certainty in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_the_headline_gives_the_start_beside_what_was_found() -> None:
    report = inversion_report(found()[0], true=lambda x: TRUE + x[:, 0], classical=False, progress=False)
    similarity = report.yardsticks["start model"]["similarity"]
    assert f"structural similarity {report.measures['similarity']:.3f} ({similarity:.3f})" in report.headline
    assert report.deviation is None
    assert report.certainty == ""


def test_the_uncertainty_of_another_inversion_is_refused() -> None:
    inversion, sure = found()
    other = npde.invert(
        waves(npde.Box((0, 1000), (0, 1000))),
        plane_survey(TRUE).at([4.0]).replace(wavelet=None),
        unknown=npde.Velocity(SPEED, bounds=(1600.0, 2600.0), prior=()),
        method=npde.seismic.Adjoint(descent=npde.seismic.BoundedLBFGS(1), per_wavelength=8.0),
        progress=False,
    )
    with pytest.raises(npde.DeclarationError, match=r"uncertainty is of .* at 3 Hz, and the inversion of"):
        inversion_report(other, classical=False, uncertainty=sure, progress=False)
    with pytest.raises(npde.DeclarationError, match=r"make one by npde\.seismic\.uncertainty"):
        inversion_report(inversion, classical=False, uncertainty=3.0)  # type: ignore[arg-type]
