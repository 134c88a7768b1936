"""What a kind of file that holds surveys is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neurapde.seismic.survey.recording import Recording
from neurapde.seismic.survey.records import Arguments


@dataclass(frozen=True)
class Format:
    """A kind of file of another program.

    suffixes: of its files, in lower case.
    read: the path, and what the caller says of the file by name, to the arguments of a Survey.
    asks: what may be said of it beside the wavelet, source_variance, noise and name.
    write: path, survey, and whether numbers are IBM's; None for a format that is read only.
    """

    suffixes: tuple[str, ...]
    read: Callable[[Path, Mapping[str, Any]], Arguments]
    asks: frozenset[str] = frozenset()
    write: Callable[[Path, Recording, bool], None] | None = None
