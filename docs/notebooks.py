"""The pages with code as notebooks: text, blocks, and what a page includes of its script, in their order.

The docs build writes them into docs/api/notebooks, and links each from its page. Blocks marked `python` become cells;
those marked `py` take hours and stay text.
"""

import json
import re
from pathlib import Path

DOCS = Path(__file__).resolve().parent
FOLDER = DOCS / "api" / "notebooks"
WITHOUT = ("index", "cluster")
"""Pages without one: the first is the start of the next, and processes cannot import the cells of a notebook."""
FENCE = re.compile(r"^```(.*?)\n(.*?)^```$\n?", re.DOTALL | re.MULTILINE)
Cell = tuple[str, str]


def pages() -> list[Path]:
    """The pages that have code to run."""
    return [
        page
        for page in sorted(DOCS.glob("*.md"))
        if page.stem not in WITHOUT
        and re.search(
            r"^```(python$|\{literalinclude\} examples/)", page.read_text(encoding="utf-8"), re.MULTILINE
        )
    ]


def cells(page: Path) -> list[Cell]:
    """The kind and text of each cell of a page."""
    text = page.read_text(encoding="utf-8")
    made: list[Cell] = []
    end = 0
    for fence in FENCE.finditer(text):
        made.append(("markdown", plain(text[end : fence.start()])))
        end = fence.end()
        kind, body = fence.groups()
        if kind == "python":
            made.append(("code", body.strip("\n")))
        elif kind.startswith("{literalinclude} examples/"):
            made.append(("code", included(DOCS / kind.split()[1], body).strip("\n")))
        elif not kind.startswith("{"):
            made.append(("markdown", fence.group()))
    made.append(("markdown", plain(text[end:])))
    return [(kind, text) for kind, text in made if text]


def included(script: Path, options: str) -> str:
    """The section of a script that a page includes."""
    bounds = dict(re.findall(r'^:(start-after|end-before): "(.*)"$', options, re.MULTILINE))
    text = script.read_text(encoding="utf-8")
    return text.split(bounds["start-after"] + "\n")[1].split(bounds.get("end-before", "\0"))[0]


def plain(text: str) -> str:
    """Text for a notebook: no links to other pages and no pictures, which are not there."""
    text = re.sub(r"^!\[.*?\]\(.*?\)\n?", "", text, flags=re.MULTILINE)
    text = re.sub(r"\[([^\]]*)\]\((?!https?:)[^)]*\)", lambda link: link[1] or "the documentation", text)
    return text.strip("\n")


def notebook(page: Path) -> dict[str, object]:
    """The page in the notebook format, version 4.5."""
    return {
        "cells": [
            {
                "cell_type": kind,
                "id": f"{page.stem}-{number}",
                "metadata": {},
                "source": text.splitlines(keepends=True),
                **({"execution_count": None, "outputs": []} if kind == "code" else {}),
            }
            for number, (kind, text) in enumerate(cells(page))
        ],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def write() -> None:
    """A notebook for each page."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for page in pages():
        text = json.dumps(notebook(page), indent=1, ensure_ascii=False)
        (FOLDER / f"{page.stem}.ipynb").write_text(text + "\n", encoding="utf-8")


def with_link(name: str, source: str) -> str:
    """The source of a page with a link to its notebook below the title."""
    title, rest = source.split("\n", 1)
    return f"{title}\n\n{{download}}`This page as a notebook <api/notebooks/{name}.ipynb>`\n{rest}"


if __name__ == "__main__":
    write()
    print(FOLDER)
