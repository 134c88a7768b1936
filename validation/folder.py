"""The common part of all reports: text for a terminal, and a folder for a browser and for programs.

The folder has `report.json` (everything except arrays), `fields.h5` (the arrays), PNG pictures and `report.html`,
which needs none of the others and fits a phone and paper. Pictures and page can be made again from the first two.
"""

from __future__ import annotations

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar, Self

import h5py
import numpy as np

from neurapde.core import atomic, checks
from neurapde.storage import hdf5
from neurapde.validation.pages.page import Block, notes, page, picture

VERSION = 1
"""Version of the layout of `report.json`."""


class SavedReport(ABC):
    """A report that can be printed and saved.

    kind: the type name in its files. title, headline, notes: in text and page.
    versions: of the software. made: when, and by which command.
    """

    kind: ClassVar[str]
    title: str
    notes: tuple[str, ...]
    versions: Mapping[str, str]
    made: Mapping[str, str]

    @property
    @abstractmethod
    def headline(self) -> str:
        """The outcome in one sentence."""

    @property
    def passed(self) -> bool | None:
        """Whether the outcome is as required; None without a requirement."""
        return None

    @abstractmethod
    def _lines(self) -> list[str]:
        """The text between headline and notes."""

    @abstractmethod
    def pictures(self) -> dict[str, tuple[str, bytes]]:
        """File name → (caption, PNG)."""

    def _summary(self) -> Sequence[Block]:
        """The first part of the page."""
        return ()

    @abstractmethod
    def _sections(self) -> Sequence[Block]:
        """The part of the page below the pictures."""

    @abstractmethod
    def _tree(self) -> dict[str, Any]:
        """Its own data without the arrays."""

    @abstractmethod
    def _fill(self, file: h5py.File) -> None:
        """Write the arrays."""

    @classmethod
    @abstractmethod
    def _of_files(cls, tree: Mapping[str, Any], file: h5py.File) -> Self:
        """The report from the data of `as_json` and `fill`."""

    def __str__(self) -> str:
        return self.text()

    def text(self) -> str:
        """Headline, tables, clocks and notes, aligned for a terminal."""
        return "\n".join([self.title, self.headline, *self._lines(), *(f"- {note}" for note in self.notes)])

    def as_json(self) -> dict[str, Any]:
        """Everything except the arrays, as a tree without NaN: a number that is not finite is null."""
        head = {"format": f"neurapde {self.kind}", "version": VERSION}
        said = {
            "title": self.title,
            "headline": self.headline,
            "notes": self.notes,
            "versions": self.versions,
            "made": self.made,
        }
        return {name: _finite(value) for name, value in {**head, **said, **self._tree()}.items()}

    def save(self, folder: str | PathLike[str]) -> None:
        """Write the report into `folder`, created if needed: all its files, or none if one fails."""
        folder = checks.path(folder, "folder")
        atomic.make_folder(folder)
        text = json.dumps(self.as_json(), indent=1, ensure_ascii=False, allow_nan=False).encode()
        fields = hdf5.made(self.kind, self._fill)
        atomic.write_together(folder, {"fields.h5": fields, **self._drawn(), "report.json": text})

    @classmethod
    def load(cls, folder: str | PathLike[str]) -> Self:
        """The report that `save` wrote.

        Raises: FileNotFoundError if a file is missing; StorageError if one is damaged, from another program or newer.
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
        blocks = [
            *self._summary(),
            notes(self.notes),
            *(picture(name, *shown) for name, shown in pictures.items()),
            *self._sections(),
        ]
        return page(self.title, self.headline, self.passed, blocks, self.made, self.versions)


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

    Raises: FileNotFoundError if there is none; StorageError for one that is damaged, from another program or newer.
    """
    tree = _parsed(path)
    if tree.get("format") != f"neurapde {kind}":
        article = "an" if kind.startswith("i") else "a"
        raise hdf5.StorageError(f"{path} is not {article} {kind} of neurapde; give the folder of one.")
    version = tree.get("version")
    if not isinstance(version, int):
        raise hdf5.StorageError(
            f"{path} is damaged: its layout number is {version!r}; make the report again."
        )
    if version > VERSION:
        raise hdf5.StorageError(
            f"{path} has layout {version}, but this neurapde reads up to {VERSION}; upgrade neurapde."
        )
    return tree


def kind_of(folder: Path) -> str:
    """The kind of report in a folder. Raises: as `SavedReport.load`."""
    return str(_parsed(folder / "report.json").get("format")).removeprefix("neurapde ")


def _parsed(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise FileNotFoundError(f"there is no {path}; give the folder that a report was saved in.")
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise hdf5.StorageError(f"{path} is damaged ({error}); make the report again.") from error
    return tree if isinstance(tree, dict) else {}
