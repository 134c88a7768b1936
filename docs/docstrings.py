"""Docstrings as reStructuredText: prose as prose, arguments as a list, aligned columns and examples as they are written.

Docstrings here are plain text: paragraphs, `name: text` for each argument, and formulas.
"""

import re
from collections.abc import Iterator

ITEM = re.compile(r"^(?P<names>[\w.*]+(, [\w.*]+)*):\s+(?P<text>\S.*)$")
SENTENCE = re.compile(r"^(Returns|Raises|Source|Warns|Reads|Writes)\b")
"""How a line begins that is no argument, although it may have a colon."""


def restructured(lines: list[str], names: set[str]) -> list[str]:
    """The lines of a docstring for Sphinx. names: of the arguments."""
    made: list[str] = []
    for paragraph in paragraphs(lines):
        made += [*shown(paragraph, names), ""]
    return made


def paragraphs(lines: list[str]) -> Iterator[list[str]]:
    """Lines between empty ones."""
    paragraph: list[str] = []
    for line in [*lines, ""]:
        if line.strip():
            paragraph.append(line.rstrip())
        elif paragraph:
            yield paragraph
            paragraph = []


def shown(paragraph: list[str], names: set[str]) -> Iterator[str]:
    """One paragraph: what belongs together in it is shown in one way."""
    if paragraph[0] == "Args:" and len(paragraph) > 1:
        indent = len(paragraph[1]) - len(paragraph[1].lstrip())
        listed = [line[indent:] for line in paragraph[1:] if line[:indent].isspace()]
        names = names | {
            name for line in listed if (item := ITEM.match(line)) for name in item["names"].split(", ")
        }
        paragraph = listed + [line for line in paragraph[1:] if not line[:indent].isspace()]
    if aligned(paragraph, names):
        yield from (".. code-block:: text", "", *(f"    {line}" for line in paragraph))
        return
    listed = False
    for number, text in enumerate(entries(paragraph, names)):
        is_item = is_argument(text, names)
        if number and not (listed and is_item):
            yield ""
        yield argument(text) if is_item else inline(text)
        listed = is_item


def argument(text: str) -> str:
    """`a, b: text` as an item of a list."""
    names, _, said = text.partition(":")
    return f"* {', '.join(f'**{escaped(name)}**' for name in names.split(', '))}: {inline(said.strip())}"


def entries(paragraph: list[str], names: set[str]) -> Iterator[str]:
    """Whole entries, each on one line: arguments, sentences that begin anew, and what goes on below them."""
    entry: list[str] = []
    for line in paragraph:
        begins = not line[0].isspace() and (is_argument(line, names) or bool(SENTENCE.match(line)))
        after = bool(entry) and is_argument(entry[0], names) and not line[0].isspace()
        if entry and (begins or after):
            yield " ".join(entry)
            entry = []
        entry.append(line.strip())
    yield " ".join(entry)


def is_argument(line: str, names: set[str]) -> bool:
    """Whether a line says what an argument is."""
    item = ITEM.match(line)
    return bool(item) and set(item["names"].split(", ")) <= names  # type: ignore[index]


def aligned(paragraph: list[str], names: set[str]) -> bool:
    """Whether a paragraph is an example, a formula or a table, whose lines are to stay as they are."""
    if paragraph[0].startswith(">>>") or paragraph[0][0].isspace():
        return True
    return any(re.search(r"\S {3,}\S", line) and not is_argument(line, names) for line in paragraph)


def inline(text: str) -> str:
    """Prose, with what is in backquotes as code."""
    parts = re.split(r"`+([^`]+)`+", re.sub(r"\s+", " ", text))
    kept = [f"``{part.strip()}``" if i % 2 else escaped(part) for i, part in enumerate(parts)]
    return "\\ ".join(part for part in kept if part)


def escaped(text: str) -> str:
    """Text in which no character has a meaning of its own."""
    return re.sub(r"([\\*|_`<>])", r"\\\1", text)
