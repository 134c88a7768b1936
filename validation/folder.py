"""What every report is: text for a terminal, and a folder that a browser and a program can read.

The folder holds `report.json` (everything but arrays), `fields.h5` (the arrays), PNG pictures and `report.html`, which
needs none of the others and is fit for a telephone and for paper. Pictures and page can be made again from the first two.
"""

from __future__ import annotations

import base64
import json
import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar, Self

import h5py
import numpy as np

from neurapde.core import atomic, checks
from neurapde.storage import hdf5

VERSION = 1
"""Version of the layout of `report.json`."""
STYLE = """
:root { color-scheme: light; --ink: #1b1f24; --soft: #5a6472; --line: #d9dee5; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.2rem; max-width: 56rem; color: var(--ink); background: #fff;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .3rem; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; font-weight: 600; margin: 1.2rem 0 .3rem; }
.headline { font-size: 1.1rem; margin: .3rem 0; }
.verdict { display: inline-block; padding: 0 .5rem; border-radius: .3rem; font-weight: 600; color: #fff; }
.passed { background: #1d7a3c; }
.failed { background: #b3261e; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .92rem; }
th, td { padding: .25rem .7rem; text-align: right; white-space: nowrap;
  border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
thead th { color: var(--soft); font-weight: 600; }
.facts td { text-align: left; vertical-align: top; }
.facts td:last-child { white-space: normal; }
pre { margin: 0; padding: .8rem; background: #f5f7f9; border-radius: .3rem; font-size: .85rem;
  overflow-x: auto; }
figure { margin: 1.2rem 0; break-inside: avoid; }
img { display: block; max-width: 100%; height: auto; }
figcaption, footer { color: var(--soft); font-size: .88rem; }
footer { margin-top: 2rem; }
ul { padding-left: 1.2rem; }
li { margin: .3rem 0; }
@media print {
  body { max-width: none; padding: 0; font-size: 10pt; }
  h2, h3 { break-after: avoid; }
  table, pre { break-inside: avoid; }
  pre { white-space: pre-wrap; }
  .scroll { overflow: visible; }
  table { font-size: 8.5pt; }
  th, td { padding: .15rem .4rem; }
}
"""


class SavedReport(ABC):
    """A report that prints and is saved.

    kind: what its files say that they are. title, headline, notes, versions: of the software; on text and page alike.
    """

    kind: ClassVar[str]
    title: str
    notes: tuple[str, ...]
    versions: Mapping[str, str]

    @property
    @abstractmethod
    def headline(self) -> str:
        """The outcome in one sentence."""

    @property
    def passed(self) -> bool | None:
        """Whether the outcome is what it should be; None where nobody asks."""
        return None

    @abstractmethod
    def _lines(self) -> list[str]:
        """What the text says between headline and notes."""

    @abstractmethod
    def pictures(self) -> dict[str, tuple[str, bytes]]:
        """File name → (caption, PNG)."""

    def _summary(self) -> str:
        """What the page says before all else."""
        return ""

    @abstractmethod
    def _sections(self) -> Sequence[str]:
        """What the page says below the pictures."""

    @abstractmethod
    def _tree(self) -> dict[str, Any]:
        """Everything of its own but the arrays."""

    @abstractmethod
    def _fill(self, file: h5py.File) -> None:
        """Write the arrays."""

    @classmethod
    @abstractmethod
    def _of_files(cls, tree: Mapping[str, Any], file: h5py.File) -> Self:
        """The report of what `as_json` and `fill` wrote."""

    def __str__(self) -> str:
        return self.text()

    def text(self) -> str:
        """Headline, tables, clocks and notes, aligned for a terminal."""
        return "\n".join([self.title, self.headline, *self._lines(), *(f"- {note}" for note in self.notes)])

    def as_json(self) -> dict[str, Any]:
        """Everything but the arrays, as a tree without NaN: a number that is not finite is null."""
        head = {"format": f"neurapde {self.kind}", "version": VERSION}
        said = {
            "title": self.title,
            "headline": self.headline,
            "notes": self.notes,
            "versions": self.versions,
        }
        return {name: _finite(value) for name, value in {**head, **said, **self._tree()}.items()}

    def save(self, folder: str | PathLike[str]) -> None:
        """Write the report into `folder`, made if need be: all its files, or none where one cannot be."""
        folder = checks.path(folder, "folder")
        atomic.make_folder(folder)
        text = json.dumps(self.as_json(), indent=1, ensure_ascii=False, allow_nan=False).encode()
        fields = hdf5.made(self.kind, self._fill)
        atomic.write_together(folder, {"fields.h5": fields, **self._drawn(), "report.json": text})

    @classmethod
    def load(cls, folder: str | PathLike[str]) -> Self:
        """The report that `save` wrote.

        Raises: FileNotFoundError if a file is missing; StorageError if one is damaged, foreign or newer.
        """
        tree = _read(Path(folder) / "report.json", cls.kind)
        with hdf5.reading(Path(folder) / "fields.h5", cls.kind) as file:
            return cls._of_files(tree, file)

    @classmethod
    def render(cls, folder: str | PathLike[str]) -> Self:
        """Draw the pictures and the page of a saved report again; the report itself. Raises: as `load`."""
        report = cls.load(folder)
        atomic.write_together(Path(folder), report._drawn())
        return report

    def _drawn(self) -> dict[str, bytes]:
        """Pictures and page, by the names of their files."""
        pictures = self.pictures()
        images = {name: image for name, (_, image) in pictures.items()}
        return {**images, "report.html": self._page(pictures).encode()}

    def _page(self, pictures: Mapping[str, tuple[str, bytes]]) -> str:
        """The report as one HTML page with its pictures inlined."""
        verdict = "" if self.passed is None else "passed" if self.passed else "failed"
        mark = f' <span class="verdict {verdict}">{verdict}</span>' if verdict else ""
        parts = [
            f"<h1>{escape(self.title)}</h1>",
            f'<p class="headline">{escape(self.headline)}{mark}</p>',
            self._summary(),
            notes(self.notes),
            *(_picture(name, *shown) for name, shown in pictures.items()),
            *self._sections(),
            f"<footer>{escape(', '.join(f'{name} {v}' for name, v in self.versions.items()))}</footer>",
        ]
        return (
            '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f'<link rel="icon" href="data:,"><title>{escape(self.title)}</title>'
            f"<style>{STYLE}</style></head>\n<body>"
            + "\n".join(part for part in parts if part)
            + "</body></html>\n"
        )


def _finite(tree: Any) -> Any:
    """The tree with null for numbers that are not finite."""
    if isinstance(tree, Mapping):
        return {str(key): _finite(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [_finite(value) for value in tree]
    if isinstance(tree, float | np.floating):
        return float(tree) if math.isfinite(tree) else None
    return tree


def _read(path: Path, kind: str) -> dict[str, Any]:
    """The tree of a report of this kind.

    Raises: FileNotFoundError where there is none; StorageError for one that is damaged, foreign or newer.
    """
    tree = _parsed(path)
    if tree.get("format") != f"neurapde {kind}":
        raise hdf5.StorageError(f"{path} is no {kind} of neurapde; give the folder of one.")
    found = tree.get("version")
    if not isinstance(found, int):
        raise hdf5.StorageError(
            f"{path} is damaged: its layout has the number {found!r}; make the report again."
        )
    if found > VERSION:
        raise hdf5.StorageError(
            f"{path} has layout {found}, but this neurapde reads up to {VERSION}; upgrade neurapde."
        )
    return tree


def kind_of(folder: Path) -> str:
    """Which kind of report a folder says it holds. Raises: as `SavedReport.load`."""
    return str(_parsed(folder / "report.json").get("format")).removeprefix("neurapde ")


def _parsed(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise FileNotFoundError(f"there is no {path}; give the folder that a report was saved in.")
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise hdf5.StorageError(f"{path} is damaged ({error}); make the report again.") from error
    return tree if isinstance(tree, dict) else {}


def titled(title: str, level: int = 2) -> str:
    """A heading."""
    return f"<h{level}>{escape(title)}</h{level}>"


def verbatim(text: str) -> str:
    """Text line by line as it is."""
    return f"<pre>{escape(text)}</pre>"


def grid(cells: Sequence[Sequence[str]]) -> str:
    """A table; the first row holds the headings."""
    head, *rows = cells
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def facts(items: Iterable[tuple[str, str]]) -> str:
    """Labels and texts."""
    rows = "".join(f"<tr><td>{escape(a)}</td><td>{escape(b)}</td></tr>" for a, b in items)
    return f'<table class="facts">{rows}</table>' if rows else ""


def notes(texts: Iterable[str]) -> str:
    """A list of sentences."""
    items = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return f"<ul>{items}</ul>" if items else ""


def _picture(name: str, caption: str, image: bytes) -> str:
    """A PNG and its caption."""
    data = base64.b64encode(image).decode()
    return (
        f'<figure><img src="data:image/png;base64,{data}" alt="{escape(caption)}">'
        f"<figcaption>{escape(caption[:1].upper() + caption[1:])} ({escape(name)})</figcaption></figure>"
    )
