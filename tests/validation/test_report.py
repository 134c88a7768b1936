"""Reports as text, folder and pictures: what is written is complete, strict, self-contained, and read again."""

import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import h5py
import numpy as np
import pytest
from matplotlib.colors import LogNorm

from neurapde.core import atomic
from neurapde.core.formatting import percent, significant
from neurapde.core.pictures.style import png
from neurapde.domains import Box, Disk
from neurapde.storage.hdf5 import StorageError
from neurapde.training.run.history import History
from neurapde.validation import report as report_module
from neurapde.validation.annotations import Annotations, outline
from neurapde.validation.figures import convergence_figure, error_figure, fields_figure
from neurapde.validation.inversions.report import InversionReport
from neurapde.validation.report import Report, render

AXES = (np.linspace(-1.0, 1.0, 41), np.linspace(0.0, 1.0, 21))
WAVE = np.exp(9j * AXES[0])[:, None] * np.cos(5 * AXES[1])[None, :]
ANNOTATIONS = Annotations(
    axis_names=("x", "y"),
    outlines={"disk": (((0.0, 0.5), (0.2, 0.6), (0.0, 0.7), (0.0, 0.5)),)},
    physical=((-0.7, 0.2), (0.7, 0.8)),
    sources=(((-0.3, 0.4),),),
)
METRICS = {"points": 861, "relative_l2": 0.00213, "mse": 1.2e-8, "max_error": 0.5, "relative_max": 0.25}
HISTORY = History(
    step=np.array([0.0, 10.0, 20.0]),
    seconds=np.array([0.1, 0.2, 0.3]),
    loss=np.array([3.0, 1.0, 0.3]),
    learning_rate=np.full(3, 1e-4),
    constraints={"helmholtz": np.array([2.0, 0.5, 0.1]), "dirichlet-left": np.array([1.0, 0.5, np.nan])},
)


def made(**changes) -> Report:
    report = Report(
        title="a <wave> & its report",
        problem="a <wave>\n  domain      box",
        errors={
            ("solution", "reference"): {"whole": METRICS, "physical": METRICS, "a long region": METRICS},
            ("solution", "exact"): {"whole": METRICS, "physical": {**METRICS, "relative_l2": 0.001}},
        },
        seconds={"solution": 12.345, "reference": 0.5},
        error_bar=0.004,
        notes=("Know this.",),
        made_by={"method": "Adam, 20 steps", "status": "Converged."},
        solution_notes=("Picked <Adam>.",),
        annotations=ANNOTATIONS,
        axes=AXES,
        fields={"solution": WAVE, "reference": 1.01 * WAVE, "exact": WAVE},
        history=HISTORY,
        tolerance=0.003,
    )
    return replace(report, **changes)


def shots(report: Report) -> Report:
    fields = {name: np.stack([values] * 5, axis=2) for name, values in report.fields.items()}
    annotations = replace(
        report.annotations,
        columns=tuple(f"shot {i + 1}" for i in range(5)),
        sources=tuple(((0.1 * i, 0.4),) for i in range(5)),
    )
    return replace(report, fields=fields, annotations=annotations)


def strict(text: str) -> dict:
    def refuse(literal: str) -> None:
        raise AssertionError(f"{literal} is not JSON")

    return json.loads(text, parse_constant=refuse)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the report; not to be changed."""
    folder = tmp_path_factory.mktemp("saved") / "new" / "folder"
    made().save(folder)
    return folder


@pytest.fixture
def unpictured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports save without drawing, which takes most of the time."""
    monkeypatch.setattr(Report, "pictures", lambda self: {})


class Links(HTMLParser):
    """Everything on a page that a browser would fetch, and whether tags close."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [
            value for name, value in attrs if name in ("src", "href", "srcset", "data") and value
        ]
        if tag not in ("meta", "link", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_text_leads_with_the_number_that_counts() -> None:
    lines = str(made()).splitlines()
    assert lines[0] == "a <wave> & its report"
    assert lines[1] == (
        "Relative L2 error in the physical region against the exact field: 0.1 %, within the tolerance of 0.3 %."
    )
    assert "time: solution 12.3 s, reference 0.5 s" in lines
    assert "the reference's own error bar (relative L2): 0.4 %" in lines
    assert lines[-1] == "- Know this."


def test_tables_are_aligned() -> None:
    lines = str(made()).splitlines()
    start = lines.index("Solution against the grid reference") + 1
    rows = lines[start : start + 4]
    assert len({len(row) for row in rows}) == 1
    assert rows[0].split()[:2] == ["region", "points"]
    assert rows[3].startswith("  a long region  ")
    assert rows[1].split() == ["whole", "861", "0.00213", "1.2e-08", "0.5", "0.25"]


def test_numbers_are_worded_for_people() -> None:
    assert [significant(x) for x in (0.0021345, 1.2e-8, 52296, float("nan"))] == [
        "0.00213",
        "1.2e-08",
        "52296",
        "n/a",
    ]
    assert [percent(x) for x in (0.00213, 0.5, float("nan"))] == ["0.213 %", "50 %", "n/a"]


def test_a_saved_report_is_complete(saved: Path) -> None:
    names = {path.name for path in saved.iterdir()}
    assert names == {
        "report.json",
        "report.html",
        "fields.h5",
        "fields.png",
        "error.png",
        "convergence.png",
    }


@pytest.mark.usefixtures("unpictured")
def test_the_json_is_strict_and_says_everything(tmp_path: Path) -> None:
    broken = {**METRICS, "relative_l2": float("nan"), "max_error": float("inf")}
    made(errors={("solution", "exact"): {"physical": broken}}, error_bar=float("nan")).save(tmp_path)
    tree = strict((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert tree["metrics"]["physical"]["relative_l2"] is None
    assert tree["metrics"]["physical"]["max_error"] is None
    assert tree["metrics"]["physical"]["points"] == 861
    assert tree["error_bar"] is None
    assert tree["passed"] is False
    assert tree["problem"].startswith("a <wave>")
    assert tree["made_by"]["status"] == "Converged."
    assert {"python", "neurapde", "torch", "numpy"} <= set(tree["versions"])


@pytest.mark.usefixtures("unpictured")
def test_a_report_is_read_back_as_it_was(tmp_path: Path) -> None:
    for i, report in enumerate(
        (made(), shots(made()), made(history=History(), tolerance=None, error_bar=None))
    ):
        report.save(tmp_path / str(i))
        loaded = Report.load(tmp_path / str(i))
        assert loaded.as_json() == report.as_json()
        assert str(loaded) == str(report)
        assert loaded.annotations == report.annotations
        for name, values in report.fields.items():
            assert np.array_equal(loaded.fields[name], values)
        assert np.array_equal(loaded.history.step, report.history.step)
        assert loaded.history.names == report.history.names


def test_pictures_and_page_are_made_again_from_the_data(saved: Path, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in saved.glob("*.[ph][nt]*")}
    assert len(before) == 4
    for name in ("report.json", "fields.h5"):
        shutil.copy(saved / name, tmp_path)
    assert render(tmp_path).relative_l2 == 0.001
    for name, content in before.items():
        assert (tmp_path / name).read_bytes() == content, name


def test_the_page_needs_nothing_else(saved: Path) -> None:
    text = (saved / "report.html").read_text(encoding="utf-8")
    links = Links()
    links.feed(text)
    assert links.open == []
    assert [link.partition(",")[0] for link in links.fetched].count("data:image/png;base64") == 3
    assert all(link.startswith("data:") for link in links.fetched)
    assert not re.search(r"url\(|@import|<script", text)
    assert 'name="viewport"' in text


def test_the_page_shows_text_as_text(saved: Path) -> None:
    text = (saved / "report.html").read_text(encoding="utf-8")
    assert "<wave>" not in text
    assert "a &lt;wave&gt; &amp; its report" in text
    assert "Picked &lt;Adam&gt;." in text
    assert '<span class="verdict passed">passed</span>' in text


@pytest.mark.slow
def test_of_many_shots_the_first_three_are_pictured() -> None:
    pictures = shots(made()).pictures()
    assert list(pictures) == [
        "fields-1.png",
        "error-1.png",
        "fields-2.png",
        "error-2.png",
        "fields-3.png",
        "error-3.png",
        "convergence.png",
    ]
    assert pictures["fields-2.png"][0].startswith("shot 2 of 5: ")


@pytest.mark.usefixtures("unpictured")
def test_an_interrupted_save_leaves_the_old_report_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made().save(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def fail(source: Path, target: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(atomic.os, "replace", fail)
    with pytest.raises(KeyboardInterrupt):
        made(title="another").save(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_reports_of_the_first_release_load() -> None:
    earlier = Path(__file__).parents[1] / "storage" / "files" / "layout-2"
    report = Report.load(earlier / "report")
    assert report.relative_l2 == 0.001
    assert np.array_equal(report.fields["solution"], WAVE[::4, ::4])
    assert np.array_equal(report.history["helmholtz"], HISTORY["helmholtz"])
    inversion = InversionReport.load(earlier / "inversion-report")
    assert list(inversion.accounts) == ["joint", "adjoint"]
    assert inversion.headline.startswith("The model explains the data to 9.33 %; model error 0.933")
    assert inversion.first.speed.shape == inversion.start.shape == tuple(map(len, inversion.axes))
    assert len(inversion.first.history) == 11
    for kind, other in ((Report, "inversion-report"), (InversionReport, "report")):
        with pytest.raises(StorageError, match=r"is not (a|an inversion) report of neurapde"):
            kind.load(earlier / other)


@pytest.mark.usefixtures("unpictured")
def test_foreign_damaged_and_newer_reports_say_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="give the folder that a report was saved in"):
        Report.load(tmp_path)
    made().save(tmp_path)
    text = (tmp_path / "report.json").read_text(encoding="utf-8")
    for content, message in (
        (text[: len(text) // 2], "is damaged"),
        ("[1, 2]", "is not a report of neurapde"),
        (text.replace('"version": 1', '"version": 99'), "layout 99, but this neurapde reads up to 1"),
    ):
        (tmp_path / "report.json").write_text(content, encoding="utf-8")
        with pytest.raises(StorageError, match=message):
            Report.load(tmp_path)


def test_the_fields_are_plain_hdf5(saved: Path) -> None:
    with h5py.File(saved / "fields.h5") as file:
        assert np.array_equal(file["axes/y"][()], AXES[1])
        assert np.array_equal(file["fields/reference"][()], 1.01 * WAVE)
        assert np.array_equal(file["constraints/helmholtz"][()], HISTORY["helmholtz"])


def test_solution_and_truth_share_one_symmetric_scale_that_a_peak_does_not_set() -> None:
    peaked = WAVE.copy()
    peaked[10, 10] = 1e6
    figure = fields_figure(ANNOTATIONS, AXES, {"solution": peaked, "exact": WAVE})
    norms = {panel.images[0].norm for panel in figure.axes if panel.images}
    assert len(norms) == 1
    norm = norms.pop()
    assert norm.vmin == -norm.vmax
    assert 0.9 < norm.vmax <= 1.0


def test_pictures_are_the_right_way_up() -> None:
    ramp = AXES[0][:, None] + 10 * AXES[1][None, :]
    figure = fields_figure(ANNOTATIONS, AXES, {"solution": ramp})
    (image,) = [panel.images[0] for panel in figure.axes if panel.images]
    shown = image.get_array()
    assert shown.shape == (21, 41)
    assert image.origin == "lower"
    assert shown[20, 0] == ramp[0, 20] == 9.0
    x0, x1, y0, y1 = image.get_extent()
    assert (x0, x1, y0, y1) == pytest.approx((-1.025, 1.025, -0.025, 1.025))


def test_errors_have_a_logarithmic_scale_of_their_own_and_gaps_are_masked() -> None:
    error = 1e-3 * WAVE
    error[:5] = np.nan
    error[20, 3] = 0
    figure = error_figure(ANNOTATIONS, AXES, {"solution − exact": error, "reference − exact": 0.01 * error})
    images = [panel.images[0] for panel in figure.axes if panel.images]
    assert len(images) == 2
    assert isinstance(images[0].norm, LogNorm)
    assert images[0].norm is images[1].norm
    assert 5e-4 < images[0].norm.vmax <= 1e-3
    assert np.ma.getmaskarray(images[0].get_array())[:, :5].all()
    assert not np.ma.getmaskarray(images[0].get_array())[:, 5:].any()


@pytest.mark.parametrize("size", [0.0, np.nan])
def test_a_field_of_nothing_is_drawn_without_complaint(size: float) -> None:
    nothing = np.full((41, 21), size)
    assert png(fields_figure(ANNOTATIONS, AXES, {"solution": nothing})).startswith(b"\x89PNG")
    assert png(error_figure(ANNOTATIONS, AXES, {"solution − exact": nothing})).startswith(b"\x89PNG")


def test_lines_and_cuts_are_drawn_in_one_and_three_dimensions() -> None:
    line = Annotations(axis_names=("x",), physical=((-0.7,), (0.7,)), sources=(((0.1,),),))
    wave = np.exp(9j * AXES[0])
    figure = fields_figure(line, AXES[:1], {"solution": wave, "exact": 1.01 * wave})
    assert [panel.get_ylabel() for panel in figure.axes] == ["real part", "imaginary part"]
    assert [panel.lines[0].get_label() for panel in figure.axes] == ["solution", "solution"]
    assert error_figure(line, AXES[:1], {"solution − exact": 0.01 * wave}).axes[0].get_yscale() == "log"
    cube = Annotations(axis_names=("x", "y", "z"), physical=((-0.7, 0.2, -1), (0.7, 0.8, 1)))
    values = WAVE.real[:, :, None] * np.array([0.0, 0.0, 1.0, 0.0, 0.0])
    figure = fields_figure(cube, (*AXES, np.linspace(-1, 1, 5)), {"solution": values})
    (image,) = [panel.images[0] for panel in figure.axes if panel.images]
    assert np.array_equal(image.get_array(), WAVE.real.T)


def test_the_convergence_has_a_line_for_each_constraint() -> None:
    (panel,) = convergence_figure(HISTORY).axes
    assert [line.get_label() for line in panel.lines] == ["weighted sum", "helmholtz", "dirichlet-left"]
    assert panel.get_yscale() == "log"
    assert panel.get_xlabel() == "step"
    change = np.array([1e-1, 1e-2, 1e-3])
    direct = History(np.arange(3), np.zeros(3), change, np.full(3, np.nan), {"change between levels": change})
    (panel,) = convergence_figure(direct).axes
    assert [line.get_label() for line in panel.lines] == ["change between levels"]
    assert panel.get_xlabel() == "features"


def test_outlines_follow_the_region_and_stop_at_the_window() -> None:
    window = Box((-1.0, 1.0), (-1.0, 1.0))
    (circle,) = outline(Disk((0.2, -0.1), 0.3), window)
    radius = np.hypot(*(np.array(circle) - [0.2, -0.1]).T)
    assert np.allclose(radius, 0.3, atol=1e-4)
    assert circle[0] == circle[-1]
    ring = outline(Disk((0.0, 0.0), 0.5) - Disk((0.0, 0.0), 0.2), window)
    assert sorted(round(float(np.hypot(*line[0])), 2) for line in ring) == [0.2, 0.5]
    (cut,) = outline(Disk((1.0, 0.0), 0.4), window)
    assert max(x for x, _ in cut) == pytest.approx(1.0)


def test_drawing_leaves_no_global_state() -> None:
    folder = Path(report_module.__file__).parent
    for path in folder.glob("*.py"):
        assert "pyplot" not in path.read_text(encoding="utf-8"), path.name
