"""The page of a report: blocks of text, tables and pictures, put into the template `page.html.j2`."""

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from neurapde.validation.pages.typeset import formula

WIDE = 5
"""Number of columns above which a table is transposed, so that it fits a phone."""
OWN = re.compile(r"\w+\(x, u\) = 0")
"""The formula of an equation of the user's: its source is in the lines below."""
LABEL = 12
"""Letters that a problem's text has for the label of a line, behind two spaces."""


@dataclass(frozen=True)
class Block:
    """A part of a page: its kind in the template, and its content."""

    kind: str
    content: Any
    level: int = 2


def titled(title: str, level: int = 2) -> Block:
    """A heading."""
    return Block("heading", title, level)


def verbatim(text: str) -> Block:
    """Preformatted text."""
    return Block("text", text)


def grid(cells: Sequence[Sequence[str]]) -> Block:
    """A table; the first row has the headings. One with many columns and fewer rows is transposed."""
    if len(cells[0]) > WIDE and len(cells) < len(cells[0]):
        cells = list(zip(*cells, strict=True))
    return Block("table", cells)


def facts(items: Iterable[tuple[str, Any]]) -> Block:
    """Labels and texts."""
    return Block("facts", list(items))


def notes(texts: Iterable[str]) -> Block:
    """A list of sentences."""
    return Block("notes", list(texts))


def picture(name: str, caption: str, image: bytes) -> Block:
    """A PNG or a GIF with its caption, within the page."""
    data = base64.b64encode(image).decode()
    kind = Path(name).suffix.removeprefix(".")
    return Block("picture", (name, caption[:1].upper() + caption[1:], f"data:image/{kind};base64,{data}"))


def declared(text: str) -> tuple[Block, Block]:
    """A problem as it prints, with its equation typeset, or with the source code of a user's own equation."""
    rows: list[tuple[str, list[str]]] = []
    for line in text.splitlines()[1:]:
        label, rest = line[2 : 2 + LABEL].strip(), line[2 + LABEL :]
        if label or not rows:
            rows.append((label, []))
        rows[-1][1].append(rest)
    equation = next((lines for label, lines in rows if label == "equation"), [""])
    others = [(label, Markup("<br>").join(lines)) for label, lines in rows if label != "equation"]
    return Block("equation", _equation(equation)), facts(others)


def _equation(lines: Sequence[str]) -> Markup:
    first, *others = lines
    if OWN.match(first):
        source = Markup("<pre>{}</pre>").format("\n".join(others)) if others else Markup("")
        return Markup(formula(first)) + source
    return Markup("<br>").join(Markup(formula(line)) for line in lines)


def page(
    title: str,
    headline: str,
    passed: bool | None,
    blocks: Iterable[Block],
    made: Mapping[str, str],
    versions: Mapping[str, str],
) -> str:
    """The complete page, which needs no other file."""
    places = FileSystemLoader(Path(__file__).parent)
    environment = Environment(loader=places, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    verdict = "" if passed is None else "passed" if passed else "failed"
    return environment.get_template("page.html.j2").render(
        title=title, headline=headline, verdict=verdict, blocks=list(blocks), made=made, versions=versions
    )
