"""What a file format of surveys is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neurapde.seismic.survey.recording import Recording
from neurapde.seismic.survey.records import Arguments


@dataclass(frozen=True)
class Format:
    """A file format of another program.

    suffixes: of its files, in lower case.
    read: path and the caller's arguments by name, to the arguments of a Survey.
    asks: the arguments that it takes besides wavelet, source_variance, noise and name.
    write: path, survey, and whether numbers are IBM's; None for a read-only format.
    """

    suffixes: tuple[str, ...]
    read: Callable[[Path, Mapping[str, Any]], Arguments]
    asks: frozenset[str] = frozenset()
    write: Callable[[Path, Recording, bool], None] | None = None
