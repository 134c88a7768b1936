"""Surveys: what is declared is kept, what cannot be is refused with what was read, and files give it back."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

import neurapde as npde

SOURCES = np.array([[1000.0, 10.0], [2000.0, 10.0], [4000.0, 10.0]])
RECEIVERS = np.column_stack([np.linspace(500.0, 8500.0, 17), np.full(17, 25.0)])
MODEL = npde.Box((0, 9000), (0, 3000))


def spectra(**changes: Any) -> npde.Survey:
    rng = np.random.default_rng(10463)
    data = rng.standard_normal((2, 3, 17)) + 1j * rng.standard_normal((2, 3, 17))
    return npde.Survey(
        **{"sources": SOURCES, "receivers": RECEIVERS, "data": data, "frequencies": [3.0, 5.0], **changes}
    )


def traces(**changes: Any) -> npde.Survey:
    rng = np.random.default_rng(77801)
    arguments = {"traces": rng.standard_normal((3, 17, 21)), "dt": 0.004}
    return npde.Survey(**{"sources": SOURCES, "receivers": RECEIVERS, **arguments, **changes})


def test_a_survey_keeps_what_it_was_given_and_nobody_changes_it() -> None:
    given = SOURCES.copy()
    survey = spectra(sources=given, wavelet=2 + 1j)
    given[0] = 0.0
    assert survey.sources[0].tolist() == [1000.0, 10.0]
    with pytest.raises(ValueError, match="read-only"):
        survey.sources[0, 0] = 1.0
    assert (survey.kind, survey.shots, survey.dimension) == ("frequency", 3, 2)
    assert survey.wavelet is not None
    assert survey.wavelet.shape == (2, 3)
    assert survey.weights.tolist() == np.ones((3, 17)).tolist()


@pytest.mark.parametrize(("given", "at"), [(1 + 2j, 1 + 2j), ([1, 2j], 2j), ([[1, 2, 3], [4, 5, 6j]], 6j)])
def test_wavelets_of_a_frequency_survey_are_told_apart(given: Any, at: complex) -> None:
    wavelet = spectra(wavelet=given).wavelet
    assert wavelet is not None
    assert wavelet[1, 2] == at


def test_dead_traces_lose_their_weight() -> None:
    values = np.array(traces().traces)
    values[1, 4] = 0.0
    survey = traces(traces=values, weights=np.full((3, 17), 2.0))
    assert survey.weights[1, 4] == 0
    assert np.count_nonzero(survey.weights == 2.0) == 3 * 17 - 1
    assert "50 live of 51" in str(survey)


def test_what_was_not_recorded_may_be_anything() -> None:
    values = np.array(traces().traces)
    values[0, 2, 5] = np.nan
    weights = np.ones((3, 17))
    weights[0, 2] = 0
    survey = traces(traces=values, weights=weights)
    assert not survey.traces[0, 2].any()


def bad_values(kind: float) -> np.ndarray:
    values = np.array(traces().traces)
    values[2, 3, 1] = kind
    return values


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"traces": bad_values(np.nan)}, "1 of 51 traces .* shot 2, receiver 3"),
        ({"traces": bad_values(np.inf)}, "not finite"),
        ({"traces": np.zeros((3, 17, 21))}, "nothing was recorded"),
        ({"traces": np.zeros((3, 17, 1))}, "at least 2"),
        (
            {"traces": np.ones((17, 3, 21))},
            r"\(17, 3, 21\), but must be \(S, R, T\) = \(3, 17, 21\), so use \.transpose\(1, 0, 2\)",
        ),
        ({"traces": np.ones((3, 21, 17))}, r"so use \.transpose\(0, 2, 1\)"),
        ({"dt": 0.0}, "dt of the survey is 0"),
        ({"dt": None}, "no dt"),
        ({"sources": SOURCES.T.repeat(2, 1)}, r"use \.T"),
        ({"sources": np.array([[np.nan, 1.0]])}, r"sources\[0\] is \[nan"),
        ({"receivers": RECEIVERS[:, :1]}, "2 coordinates and receivers 1"),
        ({"data": np.ones((1, 3, 17)), "frequencies": [1.0]}, "both spectra and traces"),
        ({"traces": None, "dt": None}, "neither"),
        ({"weights": np.ones((17, 3))}, r"weights have the shape \(17, 3\)"),
        ({"weights": -np.ones((3, 17))}, "not negative"),
        ({"weights": np.r_[np.ones((2, 17)), np.zeros((1, 17))]}, "shot 2 has no live trace"),
        ({"wavelet": np.zeros(21)}, "not all zero"),
        ({"wavelet": np.ones(20)}, r"real samples \(21,\)"),
        ({"noise": -0.1}, "noise of the survey is -0.1"),
        ({"source_variance": -1.0}, "source_variance"),
        ({"name": ""}, "name of the survey"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(npde.DeclarationError, match=text):
        traces(**changes)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"frequencies": [5.0, 3.0]}, "increasing"),
        ({"frequencies": [-1.0, 3.0]}, "positive"),
        ({"frequencies": [3.0, np.inf]}, "finite"),
        ({"frequencies": [3.0]}, r"must be \(F, S, R\) = \(1, 3, 17\)"),
        ({"data": np.zeros((2, 3, 17))}, "nothing was recorded"),
        ({"data": np.ones((2, 17, 3))}, r"so use \.transpose\(0, 2, 1\)"),
        ({"data": np.ones((17, 3)), "frequencies": [3.0]}, r"\.T\[None\]"),
        ({"data": np.full((2, 3, 17), "x")}, "give an array of numbers"),
        ({"wavelet": [0.0, 1.0]}, "wavelet is zero"),
        ({"wavelet": np.ones(5)}, r"\(F, S\) = \(2, 3\)"),
    ],
)
def test_spectra_that_cannot_be_are_refused(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(npde.DeclarationError, match=text):
        spectra(**changes)


def test_a_part_keeps_what_belongs_to_it() -> None:
    survey = spectra(wavelet=[[1, 2, 3], [4, 5, 6]])
    chosen = survey.select(frequencies=5.0, shots=[2, 0], receivers=slice(3, 6))
    assert chosen.wavelet is not None
    assert chosen.data.tolist() == survey.data[1:, [2, 0]][:, :, 3:6].tolist()
    assert chosen.wavelet.tolist() == [[6, 4]]
    assert chosen.receivers.tolist() == RECEIVERS[3:6].tolist()
    with pytest.raises(npde.DeclarationError, match="frequency 4 is not in the survey"):
        survey.select(frequencies=[4.0])
    with pytest.raises(npde.DeclarationError, match="3 shots and 17 receivers"):
        survey.select(shots=[3])
    with pytest.raises(npde.DeclarationError, match=r"at\(frequencies\)"):
        traces().select(frequencies=[4.0])


def test_a_geometry_in_the_model_passes() -> None:
    spectra().check_in(MODEL)
    spectra().check_in(MODEL.over(npde.Time(0, 1)))
    # On the very edge, too, and of one place alone.
    spectra(sources=SOURCES * [1, 0], receivers=RECEIVERS * [1, 0]).check_in(MODEL)
    spectra(receivers=RECEIVERS[[3] * 17] + 0.1).check_in(MODEL)


@pytest.mark.parametrize(
    ("changes", "model", "text"),
    [
        ({"sources": SOURCES[:, ::-1], "receivers": RECEIVERS[:, ::-1]}, MODEL, "axes swapped"),
        ({"sources": SOURCES[:, ::-1]}, MODEL, "axes swapped.* would then be in different units or axes"),
        ({}, npde.Box((0, 9), (0, 3)), "divided by 1000.*the model in kilometres"),
        ({"sources": SOURCES / 1000, "receivers": RECEIVERS / 1000}, MODEL, "lies in the model.*times 1000"),
        ({"sources": SOURCES / 1000}, MODEL, "sources would match the receivers times 1000"),
        ({"receivers": RECEIVERS / 1000}, MODEL, "receivers would match the sources times 1000"),
        ({"receivers": RECEIVERS * 1000}, MODEL, "All receivers would fit divided by 1000.*different units"),
        (
            {"sources": SOURCES / [1000, 1], "receivers": RECEIVERS / [1000, 1]},
            npde.Box((0, 9), (0, 3)),
            "column 1 divided by 1000.*mix metres and kilometres",
        ),
        ({"sources": SOURCES / 0.3048, "receivers": RECEIVERS / 0.3048}, MODEL, "feet"),
        ({"sources": -SOURCES * [-1, 1], "receivers": -RECEIVERS * [-1, 1]}, MODEL, "elevation"),
        (
            {"receivers": RECEIVERS + np.array([1234.0, 0.0])},
            MODEL,
            r"2 of 17 receivers .* receivers x 1734 … 9734",
        ),
        ({}, npde.Interval(0, 9000), "2 coordinates, but the model .* 1 axes"),
    ],
)
def test_a_geometry_outside_the_model_is_read_back_and_explained(
    changes: dict[str, Any], model: npde.Domain, text: str
) -> None:
    with pytest.raises(npde.DeclarationError, match=text):
        spectra(**changes).check_in(model)


def test_the_report_reads_like_an_acquisition() -> None:
    text = str(traces(noise=0.1, start_time=-0.02))
    assert "shots       3: x 1000 … 4000, y 10" in text
    assert "offsets     15 … 7500.01" in text
    assert "21 samples of 0.004, from −0.02 to 0.06" in text
    assert "unknown, to be estimated" in text
    assert "3 … 5" in str(spectra())


def test_quality_finds_the_frequency_of_a_pulse_and_what_is_wrong() -> None:
    times = 0.004 * np.arange(500)
    values = np.tile(npde.Ricker(12.0, 1.0)(times), (3, 17, 1))
    values[2] *= 1e3
    values[0, 5] = 0.0
    quality = traces(traces=values, receivers=np.r_[SOURCES[:1], RECEIVERS[1:]]).quality()
    assert quality.peak_frequency == pytest.approx(12.0, abs=0.5)
    # ∫ f⁵ e^{−2g²} / ∫ f⁴ e^{−2g²}, g = f/12: the centroid of a Ricker wavelet's power.
    assert quality.centroid_frequency == pytest.approx(
        12 * 8 * np.sqrt(2) / (3 * np.sqrt(np.pi)) / 2, rel=1e-3
    )
    assert quality.dead_by_shot.tolist() == [1, 0, 0]
    assert quality.offsets[0] == 0
    assert quality.amplitudes[2] == pytest.approx(1e3 * quality.amplitudes[1])
    assert "are at their source" in str(quality)
    assert "shot 2 is 1000 times as loud" in str(quality)
    assert any("may be cut" in note for note in traces().quality().notes)
    assert spectra().quality().peak_frequency in (3.0, 5.0)


@pytest.mark.parametrize("suffix", [".h5", ".hdf5"])
@pytest.mark.parametrize("make", [spectra, traces])
def test_everything_comes_back_from_hdf5(make: Any, suffix: str, tmp_path: Path) -> None:
    weights = np.ones((3, 17))
    weights[1, 3] = 0
    survey = make(weights=weights, noise=0.1, source_variance=2.0, name="line 7", start_time=-0.25)
    back = npde.Survey.load(survey.save(tmp_path / f"survey{suffix}"))
    for name, value in survey.arguments().items():
        assert np.array_equal(back.arguments()[name], value), name
    assert back.kind == survey.kind


@pytest.mark.filterwarnings("default:Survey:DeprecationWarning")
def test_read_and_write_take_hdf5_for_one_release_more_and_warn(tmp_path: Path) -> None:
    with pytest.warns(DeprecationWarning, match=r"use survey\.save\('line\.h5'\)"):
        path = traces().write(tmp_path / "line.h5")
    with pytest.warns(DeprecationWarning, match=r"use npde\.Survey\.load\('line\.h5'\)"):
        back = npde.Survey.read(path)
    np.testing.assert_array_equal(back.traces, traces().traces)


def test_save_and_load_are_for_hdf5_alone(tmp_path: Path) -> None:
    with pytest.raises(npde.DeclarationError, match=r"cannot save 'line\.sgy'.* use \.h5 and \.hdf5"):
        traces().save(tmp_path / "line.sgy")
    with pytest.raises(npde.DeclarationError, match=r"cannot load 'line\.mat'.* use \.h5 and \.hdf5"):
        npde.Survey.load(tmp_path / "line.mat")


@pytest.mark.parametrize(
    ("make", "names", "way"),
    [
        (spectra, ("traces", "dt", "start_time", "times"), "belong to a time survey.*to_time"),
        (traces, ("data", "frequencies"), r"belong to a frequency survey.*at\(frequencies\)"),
    ],
)
def test_what_belongs_to_the_other_kind_is_refused_with_the_way_to_it(
    make: Any, names: tuple[str, ...], way: str
) -> None:
    for name in names:
        with pytest.raises(npde.DeclarationError, match=f"{name} {way}"):
            getattr(make(), name)


def test_files_that_are_no_surveys_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no file"):
        npde.Survey.load(tmp_path / "none.h5")
    with pytest.raises(npde.DeclarationError, match=r"'line\.txt', whose suffix is unknown"):
        npde.Survey.read(tmp_path / "line.txt")
    (tmp_path / "broken.h5").write_bytes(b"nothing")
    with pytest.raises(npde.StorageError, match="damaged, or it is not an HDF5"):
        npde.Survey.load(tmp_path / "broken.h5")
    (tmp_path / "broken.mat").write_bytes(b"nothing at all " * 40)
    with pytest.raises(npde.StorageError, match="cannot be read as a MAT file"):
        npde.Survey.read(tmp_path / "broken.mat", frequency=3.0)
    path = spectra().save(tmp_path / "survey.h5")
    with pytest.raises(npde.DeclarationError, match="frequency= has no effect"):
        npde.Survey.read(path, frequency=3.0)
    with pytest.raises(npde.DeclarationError, match="ibm=True"):
        spectra().write(path, ibm=True)


def test_the_papers_layout_is_read(tmp_path: Path) -> None:
    rng = np.random.default_rng(60913)
    values = rng.standard_normal((17, 3)) + 1j
    path = tmp_path / "paper.mat"
    savemat(path, {"source": SOURCES, "receivers": RECEIVERS, "rec_val": values})
    survey = npde.Survey.read(path, frequency=20 / (2 * np.pi), wavelet=1 + 1j, source_variance=1e-4)
    assert np.array_equal(survey.data[0], values.T)
    assert (survey.source_variance, survey.name, survey.noise) == (1e-4, "paper", None)
    with pytest.raises(npde.DeclarationError, match="give frequency="):
        npde.Survey.read(path)
    savemat(path, {"source": SOURCES, "receiver": RECEIVERS, "rec_val": values})
    with pytest.raises(npde.StorageError, match="no receivers; its keys are source, receiver, rec_val"):
        npde.Survey.read(path, frequency=1.0)
    savemat(path, {"source": SOURCES, "receivers": RECEIVERS, "rec_val": values.T})
    with pytest.raises(npde.StorageError, match=r"rec_val has the shape \(3, 17\)"):
        npde.Survey.read(path, frequency=1.0)


def papers_data() -> Path:
    """The SIREN paper's receiver data, or a skip where they are not."""
    folder = Path(os.environ.get("NEURAPDE_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
    if not (path := folder / "data_cylinder_5.mat").is_file():
        pytest.skip(f"there is no {path}: set NEURAPDE_DATA to the folder that holds it")
    return path


def test_the_papers_own_data_are_those_of_a_disk() -> None:
    measured = npde.Survey.read(
        papers_data(), frequency=20 / (2 * np.pi), wavelet=1 + 1j, source_variance=1e-4
    )
    measured.check_in(npde.Box((-0.5, 0.5), (-0.5, 0.5)))
    assert (measured.shots, len(measured.receivers)) == (5, 30)
    disk = npde.Disk((0, 0), 0.1)
    problem = npde.Problem(
        name="disk",
        domain=npde.Box((-1, 1), (-1, 1)),
        equation=npde.Helmholtz(20.0, npde.Piecewise(1.0, (disk, 2.0))),
        sources=npde.Shots(*[npde.GaussianSource(at, 1e-4, 1 + 1j) for at in measured.sources]),
        boundary=npde.PML(width=0.5, strength=5.0),
    )
    made = npde.Survey.simulate(problem, measured.receivers, shape=161)
    assert np.linalg.norm(made.data - measured.data) < 0.02 * np.linalg.norm(measured.data)
