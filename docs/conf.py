"""Sphinx settings: Markdown pages, the reference as the docstrings are written, the commands' own help."""

import contextlib
import inspect
import io
import os
import runpy
import tomllib
from pathlib import Path

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

from neurapde.cli.main import main

DOCS = Path(__file__).resolve().parent
PYPROJECT = tomllib.loads((DOCS.parent / "pyproject.toml").read_text(encoding="utf-8"))

DOCSTRINGS = runpy.run_path(str(DOCS / "docstrings.py"))
NOTEBOOKS = runpy.run_path(str(DOCS / "notebooks.py"))

project = "neurapde"
author = "the neurapde authors"
project_copyright = author
release = version = PYPROJECT["project"]["version"]
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.viewcode"]
myst_enable_extensions = ["dollarmath", "amsmath", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build", "api"]
html_theme = "furo"
html_math_renderer = "mathml"
html_static_path = ["static"]
html_css_files = ["pages.css"]
html_title = f"neurapde {release}"
html_theme_options = {"light_css_variables": {"code-font-size": "0.72rem"}}
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
# Types in signatures that are also the names of fields ("complex") are ambiguous as links, and need none.
suppress_warnings = ["ref.python"]


def _restructured(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Show a docstring's prose, arguments and examples each in their way."""
    try:
        names = set(inspect.signature(obj).parameters)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        names = set()
    lines[:] = DOCSTRINGS["restructured"](lines, names)


def _write_help(folder: Path) -> None:
    """Write what `neurapde COMMAND --help` prints into a file for each command."""
    folder.mkdir(exist_ok=True)
    os.environ["COLUMNS"] = "88"
    for command in (
        (),
        ("list",),
        ("run",),
        ("fwi",),
        ("validate",),
        ("report",),
        ("doctor",),
        ("completion",),
    ):
        text = io.StringIO()
        with contextlib.redirect_stdout(text), contextlib.suppress(SystemExit):
            main([*command, "--help"])
        (folder / f"{'-'.join(('neurapde', *command))}.txt").write_text(text.getvalue(), encoding="utf-8")


def _with_notebook(app: Sphinx, name: str, source: list[str]) -> None:
    """Link the notebook of a page below its title."""
    if (DOCS / "api" / "notebooks" / f"{name}.ipynb").is_file():
        source[0] = NOTEBOOKS["with_link"](name, source[0])


def _formula(self: HTML5Translator, node: nodes.math) -> None:
    """A formula as MathML, which browsers show without a script and without a network."""
    self.body.append(convert(node.astext()))
    raise nodes.SkipNode


def _displayed(self: HTML5Translator, node: nodes.math_block) -> None:
    """A formula on lines of its own."""
    self.body.append(f'<div class="math">{convert(node.astext(), display="block")}</div>')
    raise nodes.SkipNode


def _without_empty_ends(app: Sphinx, doctree: nodes.document) -> None:
    """Drop the empty lines at the end of what is shown of a file."""
    for block in doctree.findall(nodes.literal_block):
        block.children = [nodes.Text(block.astext().rstrip("\n"))]
        block.rawsource = block.astext()


def setup(app: Sphinx) -> None:
    """Write what pages show and link, and connect the above."""
    _write_help(DOCS / "api")
    runpy.run_path(str(DOCS / "architecture.py"), run_name="__main__")
    runpy.run_path(str(DOCS / "gallery.py"))["write"]()
    NOTEBOOKS["write"]()
    app.add_html_math_renderer("mathml", (_formula, None), (_displayed, None))
    app.connect("source-read", _with_notebook)
    app.connect("doctree-read", _without_empty_ends)
    app.connect("autodoc-process-docstring", _restructured)
