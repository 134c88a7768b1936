"""The page of a report: formulas as MathML, tables that fit, and what a real browser makes of them."""

import shutil
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import neurapde as npde
from neurapde.validation.pages.made import how_made
from neurapde.validation.pages.page import declared, grid
from neurapde.validation.pages.typeset import formula

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("u_tt = c² Δu + f", "<msup><mi>c</mi><mrow><mn>2</mn></mrow></msup>"),
        ("u_tt = c² Δu + f", "<msub><mi>u</mi><mrow><mi>t</mi><mi>t</mi></mrow></msub>"),
        ("|∇T| = 1/c", "<mfrac><mn>1</mn><mi>c</mi></mfrac>"),
        ("a < b & c", "&lt;"),
        ("u real", "<mtext>real</mtext>"),
    ],
)
def test_a_formula_is_well_formed_and_reads_aloud_as_it_was(text: str, part: str) -> None:
    markup = formula(text)
    assert part in markup
    tree = ElementTree.fromstring(markup)
    assert tree.get("aria-label") == text
    spoken = "".join("".join(tree.itertext()).split()).translate(str.maketrans("²", "2"))
    assert spoken == "".join(text.split()).replace("_", "").replace("/", "").replace("²", "2")


def test_a_table_of_many_columns_is_turned() -> None:
    wide = [["region", *"abcdefg"], ["whole", *"1234567"]]
    assert grid(wide).content == list(zip(*wide, strict=True))
    assert grid([["region", "a"], ["whole", "1"]]).content == [["region", "a"], ["whole", "1"]]


@pytest.mark.parametrize(
    ("typed", "command"),
    [
        (["-c"], ""),
        ([""], ""),
        (["/usr/bin/neurapde", "run", "poisson-rod"], "neurapde run poisson-rod"),
        (["/home/me/mine.py", "two words"], "python mine.py 'two words'"),
    ],
)
def test_a_report_says_which_command_makes_it_again_where_there_was_one(
    typed: list[str], command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", typed)
    assert how_made()["command"] == command


def own() -> npde.Problem:
    def cooling(x: Any, u: Any) -> Any:
        return u.dt - 0.1 * u.laplacian

    start = npde.InitialCondition(lambda x: npde.sin(np.pi * x[:, 0]))

    def exact(x: Any) -> Any:
        return npde.exp(-0.1 * np.pi**2 * x[:, 1]) * npde.sin(np.pi * x[:, 0])

    domain = npde.Interval(0, 1).over(npde.Time(0, 1))
    return npde.Problem(
        "own", domain, npde.Equation(cooling), boundary=[npde.Dirichlet(0.0), start], exact=exact
    )


def test_an_equation_of_ones_own_shows_its_source() -> None:
    equation, rest = declared(str(own()))
    assert (
        "<pre>def cooling(x: Any, u: Any) -&gt; Any:\n    return u.dt - 0.1 * u.laplacian</pre>"
        in equation.content
    )
    assert [label for label, _ in rest.content] == ["domain", "boundary", "constraint", "exact"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    npde.validate(npde.solve(own(), progress=False), shape=17, tolerance=1e-3).save(folder)
    return folder


def test_the_page_says_first_how_it_ended_and_last_how_it_was_made(folder: Path) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    places = [
        page.index(text)
        for text in ("<h1>own", 'class="verdict passed"', "def cooling", "<figure>", "Made 20")
    ]
    assert places == sorted(places)


@pytest.mark.parametrize("width", [1280, 390])
def test_a_browser_shows_all_of_it_without_an_error(folder: Path, width: int) -> None:
    driver = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip("there is no Chromium")
    said: list[str] = []
    with driver.sync_playwright() as play:
        page = play.chromium.launch(executable_path=browser, args=["--no-sandbox"]).new_page(
            viewport={"width": width, "height": 900}
        )
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto((folder / "report.html").as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        right = "[...document.querySelectorAll('body *')].map(e => e.getBoundingClientRect().right)"
        assert max(page.evaluate(right)) <= width + 1
        assert page.evaluate("[...document.images].every(e => e.alt && (!e.complete || e.naturalWidth > 0))")
        assert page.evaluate("document.querySelectorAll('math').length") > 0
        assert page.evaluate("getComputedStyle(document.querySelector('math')).display") != "none"
    assert said == []
