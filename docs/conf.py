"""Sphinx settings: Markdown pages, the reference as the docstrings are written, the commands' own help."""

import contextlib
import io
import os
import re
import runpy
import tomllib
from pathlib import Path

from sphinx.application import Sphinx

from neurapde.cli.main import main

DOCS = Path(__file__).resolve().parent
PYPROJECT = tomllib.loads((DOCS.parent / "pyproject.toml").read_text(encoding="utf-8"))

project = "neurapde"
author = "the neurapde authors"
project_copyright = author
release = version = PYPROJECT["project"]["version"]
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.mathjax", "sphinx.ext.viewcode"]
myst_enable_extensions = ["dollarmath", "amsmath", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"neurapde {release}"
html_theme_options = {"light_css_variables": {"code-font-size": "0.72rem"}}
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
# Types in signatures that are also the names of fields ("complex") are ambiguous as links, and need none.
suppress_warnings = ["ref.python"]


def _as_written(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Show a docstring as its author aligned it: the first paragraph as prose, the rest as preformatted text.

    Docstrings here are plain text with aligned columns and formulas, not reStructuredText.
    """
    end = next((i for i, line in enumerate(lines) if not line.strip()), len(lines))
    prose_and_code = re.split(r"`+([^`]+)`+", " ".join(line.strip() for line in lines[:end]))
    parts = [
        f"``{part.strip()}``" if i % 2 else re.sub(r"([\\*|_`<>])", r"\\\1", part)
        for i, part in enumerate(prose_and_code)
    ]
    details = "\n".join(lines[end:]).strip("\n").split("\n")
    shown = ["", ".. code-block:: text", "", *(f"    {line}" for line in details)] if any(details) else []
    lines[:] = ["\\ ".join(part for part in parts if part), *shown, ""]


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


def setup(app: Sphinx) -> None:
    """Connect the above."""
    _write_help(DOCS / "api")
    runpy.run_path(str(DOCS / "architecture.py"), run_name="__main__")
    app.connect("autodoc-process-docstring", _as_written)
