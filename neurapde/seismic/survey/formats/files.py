"""Surveys in files of other programs, by suffix, for `Survey.read` and `Survey.write`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from neurapde.core.errors import DeclarationError
from neurapde.seismic.survey.formats.format import Format
from neurapde.seismic.survey.formats.mat import MAT
from neurapde.seismic.survey.formats.segy import SEGY, SU
from neurapde.seismic.survey.recording import Recording
from neurapde.seismic.survey.records import Arguments
from neurapde.seismic.survey.survey_files import check_suffix

FORMATS: tuple[Format, ...] = (MAT, SEGY, SU)
"""All known formats."""
COMMON = frozenset({"wavelet", "source_variance", "noise", "name"})
"""Arguments for any file, which override its content."""


def read(path: Path, given: Mapping[str, Any]) -> Arguments:
    """The arguments of the survey in a file of another program.

    given: the caller's arguments by name; None if not given. Raises: DeclarationError for an unknown suffix, or for an
    argument that a format does not take; StorageError for a file that is not of its format; FileNotFoundError.
    """
    ways = {suffix: file_format for file_format in FORMATS for suffix in file_format.suffixes}
    suffix = check_suffix(path, "read", ways)
    file_format = ways[suffix]
    said = {name: value for name, value in given.items() if value is not None}
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}.")
    refuse(said, COMMON | file_format.asks, suffix, "leave it out")
    over = {name: value for name, value in said.items() if name in COMMON}
    return {"name": path.stem, **file_format.read(path, said), **over}  # type: ignore[typeddict-item]


def refuse(said: Mapping[str, Any], allowed: frozenset[str], suffix: str, way: str) -> None:
    """Refuse an argument that the file contains itself, or that its format does not have."""
    if unknown := sorted(set(said) - allowed):
        raise DeclarationError(f"{unknown[0]}= has no effect for a file {suffix}; {way}")


def write(path: Path, survey: Recording, ibm: bool) -> None:
    """Write a survey, completely or not at all."""
    ways = {
        suffix: file_format.write
        for file_format in FORMATS
        if file_format.write is not None
        for suffix in file_format.suffixes
    }
    ways[check_suffix(path, "write", ways)](path, survey, ibm)
