"""What the pages say is so: names exist, commands parse, links lead somewhere, and the scripts run."""

import ast
import importlib
import importlib.util
import inspect
import operator
import re
import runpy
import shlex
from pathlib import Path
from types import ModuleType

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt

import neurapde as npde
from neurapde.cli.main import build_parser
from neurapde.methods.adam import Adam

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
CLUSTER = ROOT / "docs" / "examples" / "cluster.py"
EXAMPLES = sorted(set((ROOT / "docs" / "examples").glob("*.py")) - {CLUSTER})


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of one language; among those of Python, in its place, what the page includes of a script."""
    found = []
    for kind, body in re.findall(
        r"^```(.*?)\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    ):
        if kind == language:
            found.append(body)
        elif language == "python" and kind.startswith("{literalinclude} examples/"):
            found.append(included(page.parent / kind.split()[1], body))
    return found


def included(script: Path, options: str) -> str:
    """The lines of a script from one mark to another."""
    first, last = (
        re.search(rf'^:{option}: "(.*)"$', options, re.M) for option in ("start-after", "end-before")
    )
    assert first, options
    _, section = script.read_text(encoding="utf-8").split(first[1] + "\n")
    return section.split(last[1])[0] if last else section


NAMESPACES = ("data", "domains", "learning", "seismic", "training", "trials", "validation")


def public_names() -> set[str]:
    """What `import neurapde as npde` offers, a name of its namespaces as `seismic.Survey`, each once."""
    objects = {name: getattr(npde, name) for name in dir(npde) if name[0] != "_"}
    for space in NAMESPACES:
        flat = set(map(id, objects.values()))
        objects |= {
            f"{space}.{name}": getattr(getattr(npde, space), name)
            for name in dir(getattr(npde, space))
            if name[0] != "_" and id(getattr(getattr(npde, space), name)) not in flat
        }
    return {name for name, value in objects.items() if not isinstance(value, ModuleType)}


def public(name: str) -> object:
    """The object of a public name."""
    return operator.attrgetter(name)(npde)


def page_name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_names_in_code_exist(page: Path) -> None:
    for block in blocks(page, "python") + blocks(page, "py"):
        for node in ast.walk(ast.parse(block)):
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id == "npde"
            ):
                assert hasattr(npde, node.attr), f"npde.{node.attr}"


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_commands_parse(page: Path) -> None:
    for block in blocks(page, "console"):
        for line in block.splitlines():
            words = shlex.split(line.removeprefix("$ "), comments=True)
            if words[:1] == ["neurapde"]:
                build_parser().parse_args(words[1:])


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" not in link and not link.startswith("#"):
            assert (page.parent / link.partition("#")[0]).exists(), link


def test_every_public_name_is_in_the_reference() -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\.\. auto\w+:: neurapde\.([\w.]+)$", text, re.MULTILINE))
    documented = {name for name in documented if not name.startswith(("problems.", "reference_solvers."))}
    assert documented == public_names()


def test_every_export_says_what_it_is() -> None:
    bare = {name for name in public_names() if callable(public(name)) and not public(name).__doc__}
    assert bare == set()


def test_every_named_problem_is_in_the_gallery_once_with_its_picture() -> None:
    gallery = runpy.run_path(str(ROOT / "docs" / "gallery.py"))
    problems = {case.name for case in (*npde.problems.CASES, *npde.problems.INVERSIONS)}
    shown = re.findall(r"^```\{figure\} /(\S+)$", gallery["page"](), re.MULTILINE)
    assert len(shown) == len(set(shown))
    assert all((ROOT / "docs" / picture).is_file() for picture in shown)
    pictures = {path.stem for path in gallery["PICTURES"].iterdir()}
    assert {Path(picture).stem for picture in shown} == pictures == problems
    assert sum(path.stat().st_size for path in gallery["PICTURES"].iterdir()) < 2**20
    declared = re.findall(r"<neurapde\.problems\.(\w+)>", gallery["page"]())
    reference = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert [name for name in declared if f":: neurapde.problems.{name}\n" not in reference] == []


NOTEBOOKS = runpy.run_path(str(ROOT / "docs" / "notebooks.py"))


@pytest.mark.parametrize("page", NOTEBOOKS["pages"](), ids=page_name)
def test_a_notebook_holds_the_code_of_its_page_in_order(page: Path) -> None:
    made = NOTEBOOKS["notebook"](page)
    code = ["".join(cell["source"]) for cell in made["cells"] if cell["cell_type"] == "code"]
    places = [code.index(block.strip("\n")) for block in blocks(page, "python")]
    assert places == sorted(places)
    assert all(compile(cell, page.name, "exec") for cell in code)
    assert not any(re.search(r"\]\((?!https?:)", cell) for cell in code)
    if (nbformat := importlib.util.find_spec("nbformat")) is not None and nbformat.loader is not None:
        importlib.import_module("nbformat").validate(made)


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_what_a_page_shows_of_a_script_is_no_scaffolding(page: Path) -> None:
    """Names of the script's own drawing and its folders mean nothing to a reader."""
    assert re.findall(r"__file__|IMAGES|HERE|\bfolder\b|\bdraw\(", "".join(blocks(page, "python"))) == []


def test_every_tutorial_has_a_notebook() -> None:
    tutorials = {page for page in PAGES if page.read_text(encoding="utf-8").startswith("# Tutorial")}
    assert tutorials - set(NOTEBOOKS["pages"]()) == set()


def test_docstrings_are_shown_with_their_arguments_as_a_list() -> None:
    restructured = runpy.run_path(str(ROOT / "docs" / "docstrings.py"))["restructured"]
    text = """Draw `u`.

    Args:
        ax: axes, or None
            for new ones.
        low, high: the scale.
    Raises: ValueError if low > high.

    x   y
    1   2

    >>> draw()
    """
    lines = inspect.cleandoc(text).split("\n")
    assert restructured(lines, {"ax", "low", "high"}) == [
        r"Draw \ ``u``\ .",
        "",
        "* **ax**: axes, or None for new ones.",
        "* **low**, **high**: the scale.",
        "",
        r"Raises: ValueError if low \> high.",
        "",
        ".. code-block:: text",
        "",
        "    x   y",
        "    1   2",
        "",
        ".. code-block:: text",
        "",
        "    >>> draw()",
        "",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=page_name)
def test_the_code_of_a_page_runs_from_top_to_bottom_as_typed(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        npde, "Adam", lambda steps, points=64, **settings: Adam(min(steps, 2), points=64, **settings)
    )
    names: dict[str, object] = {}  # as in a new notebook
    for block in blocks(page, "python"):
        exec(compile(block, page.name, "exec"), names)
    plt.close("all")


def loaded(script: Path) -> ModuleType:
    """The module of a script."""
    spec = importlib.util.spec_from_file_location(f"example_{script.stem}", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_the_script_for_clusters_finds_the_lens_on_two_threads() -> None:
    script = loaded(CLUSTER)
    inversion, points = (
        script.run(small=True),
        npde.Box((300, 700), (300, 700)).sample(200, how="grid").numpy(),
    )
    assert np.linalg.norm(inversion(points) - script.rock(points)) < 0.6 * np.linalg.norm(
        2000 - script.rock(points)
    )


@pytest.mark.slow
@pytest.mark.parametrize("script", EXAMPLES, ids=page_name)
def test_the_script_runs_and_draws(script: Path, tmp_path: Path) -> None:
    mpl.use("agg")
    report = loaded(script).main(small=True, folder=tmp_path)
    if isinstance(report, npde.validation.InversionReport):
        account = next(iter(report.accounts.values()))
        assert account.measures["model error"] < 0.8
    else:
        assert report.relative_l2 < 0.02
    drawn = {path.name for path in tmp_path.iterdir()}
    assert drawn
    assert drawn <= {
        path.name for path in (ROOT / "docs" / "images").glob("*.png")
    }  # those that the page shows


def test_the_drawing_of_the_rooms_is_that_of_the_imports(tmp_path: Path) -> None:
    architecture = runpy.run_path(str(ROOT / "docs" / "architecture.py"))
    rooms, picture = architecture["rooms"](), architecture["PICTURE"]
    floors = architecture["floors"](rooms)
    assert all(floors[used] < floors[room] for room, direct in rooms.items() for used in direct)
    drawn = architecture["save"](tmp_path / "again.svg").read_text(encoding="utf-8")
    for svg in (drawn, picture.read_text(encoding="utf-8")):
        assert set(re.findall(r"<text[^>]*>([^<]*)</text>", svg)) == set(rooms)
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert {room for room in rooms if f"`{room}/" not in page and f"{room}.py" not in page} == set()
