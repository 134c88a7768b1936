"""What an object shows of itself in a notebook: a title, facts in rows and notes, as HTML without styles of its own."""

from collections.abc import Iterable, Sequence
from html import escape

CELL = "text-align: left; vertical-align: top; padding: 0.1em 0.8em 0.1em 0"


def card(title: str, rows: Iterable[tuple[str, str]], notes: Sequence[str] = (), below: str = "") -> str:
    """A title, labels with their texts, and notes that unfold. below: HTML that stands between rows and notes."""
    cells = "".join(
        f'<tr><td style="{CELL}"><em>{escape(label)}</em></td><td style="{CELL}">{escape(text)}</td></tr>'
        for label, text in rows
    )
    items = "".join(f"<li>{escape(note)}</li>" for note in notes)
    unfolding = f"<details><summary>{len(notes)} notes</summary><ul>{items}</ul></details>" if items else ""
    return f"<div><strong>{escape(title)}</strong><table>{cells}</table>{below}{unfolding}</div>"


def table(cells: Sequence[Sequence[str]]) -> str:
    """A table; the first row holds the headings."""
    head, *rows = cells
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"
