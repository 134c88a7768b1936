"""`neurapde fwi`: from files of every kind to a report, stopped and gone on with, and mistakes met with a way out."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from scipy.io import savemat

import neurapde as npde
from neurapde.cli.main import INTERRUPTED, OK, USAGE, main
from neurapde.seismic.inversion.invert import FILE
from neurapde.seismic.modelling.computational_domain import ComputationalDomain
from neurapde.seismic.modelling.grid_modelling import GridModelling
from support import waves

ANGLES = np.linspace(0, 2 * np.pi, 12, endpoint=False)
RECEIVERS = 0.45 * np.column_stack([np.cos(ANGLES), np.sin(ANGLES)])
SOURCES = 0.4 * np.column_stack([np.cos(ANGLES[1::4]), np.sin(ANGLES[1::4])])
FREQUENCIES = [0.8, 1.2]
PLANE = (
    "--domain=-1,1,-1,1",
    "--pml",
    "0.5,5",
    "--start",
    "1",
    "--bounds",
    "0.9,1.8",
    "--window=-.3,.3,-.3,.3",
)
ADJOINT = ("--method", "adjoint", "--steps", "2")
METRES = ("--domain", "0,400,0,300", "--start", "2000", "--bounds", "1600,2600")


def spectra() -> npde.Survey:
    """What a smooth bump sends to a ring of receivers."""
    given: dict[str, Any] = {"frequencies": FREQUENCIES, "wavelet": 1.0, "name": "ring"}
    survey = npde.Survey(SOURCES, RECEIVERS, data=np.ones((2, 3, 12), complex), **given)
    problem = waves(npde.Box((-1, 1), (-1, 1)), npde.PML(width=0.5, strength=5.0))
    domain = ComputationalDomain.of(problem, 1.0)
    modelling = GridModelling(survey, domain, (1.0, 1.0), per_wavelength=17.0)
    r2 = (modelling.grid.points**2).sum(axis=1)
    return survey.replace(data=modelling.forward((1 + 0.2 * np.exp(-r2 / 0.01)) ** -2.0).data)


def traces() -> npde.Survey:
    """Metres and seconds; depth is positive downwards; arrivals of the uniform plane."""
    sources = np.array([[40.0, 20.0], [360.0, 20.0]])
    receivers = np.column_stack([np.linspace(30.0, 370.0, 8), np.full(8, 280.0)])
    offsets = np.linalg.norm(sources[:, None] - receivers, axis=2)
    times, pulse, s = 0.002 * np.arange(200), npde.Ricker(15.0, 0.08), np.linspace(0, 3, 401)
    arrivals = pulse(times[:, None] - offsets[..., None, None] / 2100.0 * np.cosh(s)) / (2 * np.pi)
    traces = np.trapezoid(arrivals, s, axis=-1)
    return npde.Survey(sources, receivers, traces=traces, dt=0.002, wavelet=pulse(times), name="line")


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return spectra().save(tmp_path_factory.mktemp("survey") / "ring.h5")


@pytest.fixture(scope="module")
def segy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return traces().write(tmp_path_factory.mktemp("survey") / "line.sgy")


@pytest.mark.slow
def test_a_survey_becomes_a_report_with_pictures_that_is_shown_again(
    ring: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    command = ["fwi", str(ring), *PLANE, "--prior", "tv:1e-3", "--method", "reduced", "--steps", "2"]
    assert main([*command, "--out", str(out)]) == OK
    shown = capsys.readouterr().out
    assert "shots       3" in shown
    assert "reduced: nine-point grid solver, Adam, 2 steps" in shown
    assert "adjoint" in shown  # the classical inversion beside it
    assert str(out / "report.html") in shown
    pictures = {"models.png", "wells.png", "data.png", "misfit.png", "waves.png"}
    assert pictures | {"report.html", "report.json", "inversion.h5"} <= {path.name for path in out.iterdir()}
    page = (out / "report.html").read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,") >= len(pictures)
    inversion = npde.seismic.Inversion.load(out / "inversion.h5")
    assert [prior.name for prior in inversion.setting.velocity.prior] == ["total variation"]
    assert inversion.setting.velocity.bounds == (0.9, 1.8)
    for name in (*pictures, "report.html"):
        (out / name).unlink()
    assert main(["report", str(out)]) == OK
    assert (out / "report.html").read_text(encoding="utf-8") == page
    assert all((out / name).read_bytes()[:4] == b"\x89PNG" for name in pictures)
    assert "reduced" in capsys.readouterr().out


@pytest.mark.slow
def test_the_papers_layout_is_inverted_with_what_it_does_not_say(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    survey, path = spectra(), tmp_path / "paper.mat"
    savemat(path, {"source": SOURCES, "receivers": RECEIVERS, "rec_val": survey.data[1].T})
    command = ["fwi", str(path), *PLANE, *ADJOINT, "--frequency", "1.2", "--wavelet", "1", "--noise", "0.01"]
    command += ["--attenuation", "400,1"]
    assert main([*command, "--out", str(tmp_path / "run")]) == OK
    inversion = npde.seismic.Inversion.load(tmp_path / "run" / "inversion.h5")
    assert inversion.survey.frequencies.tolist() == [1.2]
    assert inversion.setting.survey.noise == 0.01
    assert inversion.setting.domain.attenuation == npde.KolskyFutterman(400.0, 1.0)
    assert np.array_equal(inversion.setting.survey.data[0], survey.data[1])
    assert "This inversion is itself the classical one" in capsys.readouterr().out


@pytest.mark.slow
def test_seg_y_is_inverted_by_stages_from_a_process_of_its_own(segy: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    stages = ("--frequencies", "12;12,16", "--free-surface", "bottom", "--prior", "smoothness:1e-3")
    command = ["fwi", str(segy), *METRES, *stages, *ADJOINT, "--out", str(out)]
    done = subprocess.run(
        [sys.executable, "-m", "neurapde", *command], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == OK, done.stderr
    assert "unknown, to be estimated" in done.stdout
    inversion = npde.seismic.Inversion.load(out / "inversion.h5")
    assert [stage.frequencies for stage in inversion.stages] == [(12.0,), (12.0, 16.0)]
    assert any(isinstance(condition, npde.Dirichlet) for condition in inversion.setting.domain.boundary)
    assert (out / "report.html").is_file()
    assert npde.validation.InversionReport.load(out).downwards  # the lower side is the surface


@pytest.mark.slow
def test_an_inversion_starts_from_what_another_found_or_from_a_dataset(ring: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    rest = [*ADJOINT, "--no-classical", "--frequencies", "1.2", "--out"]
    assert main(["fwi", str(ring), *PLANE, *rest, str(first)]) == OK
    words = [str(first / "inversion.h5") if word == "1" else word for word in PLANE]
    assert main(["fwi", str(ring), *words, *rest, str(second)]) == OK
    one, two = (npde.seismic.Inversion.load(folder / "inversion.h5") for folder in (first, second))
    residuals = one.history["relative residual"]
    assert two.history["relative residual"][0] == pytest.approx(residuals[-1], abs=0.1 * residuals[0])
    assert residuals[-1] < 0.5 * residuals[0]
    with h5py.File(tmp_path / "start.h5", "w") as file:
        file["speed"] = np.full((5, 5), 1.1)
    words = [str(tmp_path / "start.h5") if word == "1" else word for word in PLANE]
    assert main(["fwi", str(ring), *words, *rest, str(second)]) == OK
    far = np.array([[0.48, 0.48]])
    assert npde.seismic.Inversion.load(second / "inversion.h5")(far) == pytest.approx(1.1)


@pytest.mark.slow
def test_traces_are_inverted_in_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = traces().save(tmp_path / "line.h5")
    command = ["fwi", str(path), *METRES, "--method", "time", "--steps", "2", "--spacing", "14"]
    assert main([*command, "--out", str(tmp_path / "run")]) == OK
    assert "time domain: leapfrog, Adam, 2 steps" in capsys.readouterr().out
    residual = npde.seismic.Inversion.load(tmp_path / "run" / "inversion.h5").history["relative residual"]
    assert residual[-1] < residual[0]
    assert (tmp_path / "run" / "data.png").is_file()


@pytest.mark.slow
def test_ctrl_c_keeps_a_checkpoint_from_which_the_run_goes_on(
    ring: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["fwi", str(ring), *PLANE, "--method", "reduced", "--steps", "3", "--no-classical", "--out"]
    assert main([*command, str(tmp_path / "whole")]) == OK
    right, calls = GridModelling.forward, iter(range(100))

    def interrupted(self: GridModelling, model: np.ndarray) -> Any:
        if next(calls) == 4:  # in the second step, which is undone
            signal.raise_signal(signal.SIGINT)
        return right(self, model)

    out = tmp_path / "part"
    with monkeypatch.context() as patch:
        patch.setattr(GridModelling, "forward", interrupted)
        assert main([*command, str(out)]) == INTERRUPTED
    assert (out / FILE).is_file()
    assert not (out / "report.html").exists()
    assert f"the same command with --out {out} --resume" in capsys.readouterr().out
    stopped_run = npde.seismic.Inversion.load(out / "inversion.h5")
    assert 0 < stopped_run.history.step[-1] < 3
    assert main([*command, str(out), "--resume"]) == OK
    rest, whole = (
        npde.seismic.Inversion.load(folder / "inversion.h5") for folder in (out, tmp_path / "whole")
    )
    assert np.array_equal(rest.predicted, whole.predicted)
    assert rest.history.step.tolist() == [0, 1, 2, 3]
    assert (out / "report.html").is_file()


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--method", "irwri", "--misfit", "l1"], "works only with L2"),
        (["--method", "irwri", "--prior", "smoothness:1"], "supports one prior, TotalVariation"),
        (["--method", "time"], "has spectra, and this method works in time"),
        (["--frequencies", "3"], "no data at 3 Hz; it has 0.8 and 1.2 Hz"),
        (["--bounds", "1"], "--bounds takes 2 numbers with commas between them, but got 1"),
        (["--bounds", "1.2,1.8"], "outside its bounds"),
        (["--attenuation", "40"], "--attenuation takes 2 numbers with commas between them, but got 1"),
        (["--attenuation=-40,1"], "quality_factor is −40, but must be positive"),
        (["--attenuation", "40,1", "--method", "joint"], "which this method does not model"),
        (["--window", "0,1"], "--window takes 4 numbers"),
        (["--start", "no.h5"], "--start no.h5: this is neither a file nor a number"),
        (["--start", "-3"], "positive"),
        (["--pml", "1,2,3"], "--pml takes a width, and a strength"),
        (["--free-surface", "sky"], "sky"),
        (["--topography", "nowhere.txt"], "--topography nowhere.txt: "),
        (["--topography", "receivers:deep"], "give a text file with rows of x and y, or receivers:DEPTH"),
        (["--topography", "receivers", "--free-surface", "left"], "give 'bottom', where"),
        (["--domain=1,3,1,3"], "lie outside the model"),
        (["--method", "adjoint", "--steps", "0"], "steps=0: give a whole number"),
        (["--frequency", "1"], "has no effect for a file .h5"),
        (["--spacing", "0.5", "--method", "adjoint"], "use at least 4, by spacing="),
        (["--spacing", "0.3", "--method", "joint"], "the method Joint has no setting --spacing"),
    ],
)
def test_a_mistake_is_told_on_stderr_with_status_2(
    words: list[str], text: str, ring: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = [word for word in PLANE if not (words[0] == "--free-surface" and word in ("--pml", "0.5,5"))]
    assert main(["fwi", str(ring), *plain, "--out", str(tmp_path), *words]) == USAGE
    stderr = capsys.readouterr().err
    assert stderr.startswith("neurapde: ")
    assert text in stderr
    assert "Traceback" not in stderr


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--prior", "tv"], "write one of tv, smoothness, tikhonov and a weight"),
        (["--prior", "sparse:1"], "write one of tv, smoothness, tikhonov and a weight"),
        (["--wavelet", "loud"], "'loud' is not a number"),
        (["--frequencies", "3-5"], "write numbers with commas"),
        (["--frequencies", "0"], "give positive frequencies in each, in Hz"),
        (["--frequencies", "3;;4"], "write numbers with commas"),
        (["--prior", "tv:1,2"], "write one of tv, smoothness, tikhonov and a weight"),
        (["--prior", "tv:-1"], "positive"),
        (["--method", "magic"], "invalid choice"),
    ],
)
def test_what_does_not_parse_exits_with_usage(
    words: list[str], text: str, ring: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["fwi", str(ring), *PLANE, *words])
    assert text in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("none.h5", None, "none.h5"),
        ("odd.txt", "x", "whose suffix is unknown; use"),
        ("odd.h5", "x", "odd.h5"),
        ("odd.sgy", "x", "odd.sgy"),
        ("odd.mat", "x", "odd.mat"),
    ],
)
def test_a_file_that_is_no_survey_is_named(
    name: str, content: str | None, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    assert main(["fwi", str(tmp_path / name), *PLANE]) == USAGE
    assert text in capsys.readouterr().err


def test_an_unknown_wavelet_in_time_says_the_way_out(segy: Path, tmp_path: Path, capsys: Any) -> None:
    assert main(["fwi", str(segy), *METRES, "--method", "time", "--out", str(tmp_path)]) == USAGE
    assert "traces of an unknown wavelet, but this method needs the wavelet" in capsys.readouterr().err
