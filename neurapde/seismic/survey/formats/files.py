"""Surveys in files of other programs, by suffix. It serves `Survey.read` and `Survey.write`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import listing
from neurapde.seismic.survey.formats.format import Format
from neurapde.seismic.survey.formats.mat import MAT
from neurapde.seismic.survey.formats.segy import SEGY
from neurapde.seismic.survey.recording import Recording
from neurapde.seismic.survey.records import Arguments

FORMATS: tuple[Format, ...] = (MAT, SEGY)
"""Every format that is known."""
COMMON = frozenset({"wavelet", "source_variance", "noise", "name"})
"""What may be said of any file, over what is in it."""


def read(path: Path, given: Mapping[str, Any]) -> Arguments:
    """The arguments of the survey in a file of another program.

    given: what the caller says of the file, by name; None where nothing is said.
    Raises: DeclarationError for a suffix that is not known, or for what a format does not ask for; StorageError
        for a file that is not of its format; FileNotFoundError.
    """
    found = _known(path, FORMATS, "read")
    said = {name: value for name, value in given.items() if value is not None}
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}.")
    refuse(said, COMMON | found.asks, path.suffix.lower(), "leave it out")
    over = {name: value for name, value in said.items() if name in COMMON}
    return {"name": path.stem, **found.read(path, said), **over}  # type: ignore[typeddict-item]


def refuse(said: Mapping[str, Any], allowed: frozenset[str], suffix: str, way: str) -> None:
    """Refuse what is said of a file that says it itself, or has no such thing."""
    if unknown := sorted(set(said) - allowed):
        raise DeclarationError(f"{unknown[0]}= says nothing about a file {suffix}; {way}")


def write(path: Path, survey: Recording, ibm: bool) -> None:
    """Write a survey, whole or not at all."""
    found = _known(path, tuple(one for one in FORMATS if one.write is not None), "write")
    assert found.write is not None
    found.write(path, survey, ibm)


def _known(path: Path, formats: tuple[Format, ...], what: str) -> Format:
    suffix = path.suffix.lower()
    for one in formats:
        if suffix in one.suffixes:
            return one
    suffixes = listing(name for one in formats for name in one.suffixes)
    raise DeclarationError(f"cannot {what} {path.name!r} by its suffix; surveys {what} as {suffixes}")
