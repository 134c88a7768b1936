"""The report in a browser, as wide as a desk and as wide as a phone: Chromium without a screen, where there is one."""

import html
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neurapde as npde

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))),
    None,
)
WIDTHS = (1280, 390)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: `apt install chromium` brings it"),
]

MEASURE = """<!DOCTYPE html><meta charset="utf-8"><body><pre id="found"></pre>
<iframe id="page" style="width: WIDTHpx; height: 900px; border: 0" src="REPORT"></iframe>
<script>
const frame = document.getElementById("page");
const errors = [];
frame.contentWindow.addEventListener("error", event => errors.push(String(event.message)), true);
frame.addEventListener("load", async () => {
  const inside = frame.contentDocument, width = inside.documentElement.clientWidth;
  for (const image of inside.images) { image.loading = "eager"; }
  for (const details of inside.querySelectorAll("details")) { details.open = true; }
  await new Promise(resolve => setTimeout(resolve, 1000));
  const scrolled = element => element.closest(".scroll") !== null;
  const wide = [...inside.body.querySelectorAll("*")].filter(element =>
    !scrolled(element) && element.getBoundingClientRect().right > width + 1);
  const boxes = [...inside.querySelectorAll(".scroll")];
  const cut = [...inside.querySelectorAll("th")].filter(cell => {
    const word = inside.createRange(), text = cell.firstChild;
    word.setStart(text, 0);
    word.setEnd(text, text.textContent.split(/\\s/)[0].length);
    return word.getClientRects().length > 1;
  }).map(cell => cell.textContent);
  const focused = [];
  for (const element of inside.querySelectorAll("a, button, summary, [tabindex]")) {
    element.focus({focusVisible: true});
    focused.push(inside.activeElement === element &&
      frame.contentWindow.getComputedStyle(element).outlineStyle !== "none");
  }
  document.getElementById("found").textContent = JSON.stringify({
    width: width,
    page: inside.documentElement.scrollWidth,
    wide: wide.map(element => element.outerHTML.slice(0, 200)),
    boxes: boxes.map(box => ({clipped: box.scrollWidth > box.clientWidth + 1, reached: box.tabIndex === 0,
      named: box.getAttribute("aria-label") !== null})),
    headings: [...inside.querySelectorAll("h1, h2, h3, h4")].map(heading => Number(heading.tagName[1])),
    unnamed: [...inside.images].filter(image => !image.alt.trim()).length,
    broken: [...inside.images].filter(image => image.naturalWidth === 0).length,
    pictures: inside.images.length,
    cut: cut,
    language: inside.documentElement.lang,
    focused: focused,
    errors: errors,
  });
});
</script>"""


def poisson() -> Any:
    """A comparison with the exact field."""
    return npde.validate(npde.solve(npde.problems.poisson_square(), progress=False), shape=33)


def wave() -> Any:
    """A comparison in time, with a film."""
    return npde.validate(npde.solve(npde.problems.wave_string(), progress=False))


def own() -> Any:
    """An equation of one's own, whose source is printed."""
    problem = npde.Problem(
        "own",
        npde.Interval(0, 1),
        npde.Equation(lambda x, u: u.d2(0) + npde.sin(np.pi * x[:, 0]) - 0.25 * u.value),
        boundary=npde.Dirichlet(0.0),
        exact=lambda x: npde.sin(np.pi * x[:, 0]) / (np.pi**2 + 0.25),
    )
    return npde.validate(npde.solve(problem, progress=False))


def inversion() -> Any:
    """The report of an inversion, with wells, data and two models."""
    problem = npde.problems.fwi_disk(wavenumber=10.0)
    descent = npde.seismic.AdamDescent(3)
    found = problem.invert(npde.seismic.Joint(descent=descent), progress=False)
    return npde.validation.inversion_report(found, true=problem.truth, classical=False, progress=False)


def looked_at(report: Path, width: int, folder: Path) -> dict[str, Any]:
    """What a browser finds in a page of this width."""
    page = folder / f"look-{width}.html"
    page.write_text(MEASURE.replace("WIDTH", str(width)).replace("REPORT", report.as_uri()), encoding="utf-8")
    command = [
        str(CHROMIUM), "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
        "--allow-file-access-from-files",
        f"--user-data-dir={folder / 'profile'}", "--window-size=1400,1000", "--virtual-time-budget=20000", "--dump-dom",
        page.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    said = re.search(r'<pre id="found">(.+?)</pre>', done.stdout, re.DOTALL)
    assert said, done.stderr[-2000:]
    return json.loads(html.unescape(said[1]))


@pytest.mark.parametrize("make", [poisson, wave, own, inversion], ids=lambda make: make.__name__)
def test_a_report_fits_a_desk_and_a_phone_and_is_read_without_a_mouse(
    make: Callable[[], Any], tmp_path: Path
) -> None:
    make().save(tmp_path)
    for width in WIDTHS:
        found = looked_at(tmp_path / "report.html", width, tmp_path)
        assert found["width"] == width
        assert found["page"] <= width, found["wide"]
        assert (found["wide"], found["cut"]) == ([], [])
        assert found["headings"][0] == 1
        assert found["headings"].count(1) == 1
        assert all(b - a <= 1 for a, b in zip(found["headings"], found["headings"][1:], strict=False))
        assert found["pictures"] > 0
        assert (found["unnamed"], found["broken"], found["errors"]) == (0, 0, [])
        assert found["language"] == "en"
        assert all(found["focused"])
        assert all(box["reached"] and box["named"] for box in found["boxes"])
