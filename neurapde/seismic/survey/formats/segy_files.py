"""SEG-Y and SU files by segyio: their byte order, headers as columns, and traces block by block."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurapde.core.errors import DeclarationError, StorageError
from neurapde.core.formatting import listing
from neurapde.core.memory import check_fits
from neurapde.seismic.survey.formats.segy_headers import SHORT, Field, Headers
from neurapde.seismic.survey.formats.segy_rev2 import RevisionTwo, from_ibm, revision_two

try:
    import segyio
except ImportError:  # An extra: everything but SEG-Y works without it.
    segyio = None

FORMAT_AT, ORDER_AT = 3224, 3296
"""Offsets of the format of samples, and of 16909060 by which rev 2 tells the order of bytes."""
FORMATS = frozenset({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 15, 16})
"""Of samples, that the standard knows."""
HEADER, IBM = 240, 1
BLOCK = 64_000_000
"""Bytes of samples that are read at a time."""


def check_segyio() -> None:
    """Raise an error without segyio."""
    if segyio is None:
        raise DeclarationError(
            "SEG-Y and SU files need segyio, which is not installed: pip install 'neurapde[seismic]'"
        )


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """The open file. Raises: StorageError for any failure of a damaged one."""
    check_segyio()
    try:
        with np.errstate(all="ignore"):
            if path.suffix.lower() != ".su" and (second := revision_two(path)):
                yield second
                return
            if path.suffix.lower() == ".su":
                file = segyio.su.open(str(path), ignore_geometry=True, endian=_order_of_su(path))
            else:
                file = segyio.open(str(path), ignore_geometry=True, endian=_order(path))
            with file:
                yield file
    except (DeclarationError, StorageError):
        raise
    except Exception as error:  # A damaged file ends in errors of any kind.
        raise StorageError(f"{path} cannot be read as {kind(path)} ({error}).") from error


def kind(path: Path) -> str:
    """The name of a file's format, by its suffix."""
    return "SU" if path.suffix.lower() == ".su" else "SEG-Y"


def _order(path: Path) -> str:
    """The byte order: from the field of rev 2, else the one that gives an existing format."""
    with path.open("rb") as file:
        head = file.read(3600)
    if head[ORDER_AT : ORDER_AT + 4] in (b"\x01\x02\x03\x04", b"\x04\x03\x02\x01"):
        return "big" if head[ORDER_AT] == 1 else "little"
    word = head[FORMAT_AT : FORMAT_AT + 2]
    big, little = (int.from_bytes(word, order) in FORMATS for order in ("big", "little"))
    return "little" if little and not big else "big"


def _order_of_su(path: Path) -> str:
    """The byte order for which the number of samples fits the size of the file; if both do, that of most machines."""
    size = path.stat().st_size
    with path.open("rb") as file:
        word = file.read(HEADER)[Field.SAMPLES - 1 : Field.SAMPLES + 1]
    fits = {
        order: not size % (HEADER + 4 * (int.from_bytes(word, order) or size)) for order in ("little", "big")
    }
    return "big" if fits["big"] and not fits["little"] else "little"


def headers_of(file: Any, path: Path, moved: Mapping[Field, int]) -> tuple[Headers, float]:
    """The headers and the sampling interval, s, 0 if not given; moved: entries that begin at other bytes."""
    count = file.tracecount
    check_fits(8.0 * len(Field) * count, f"{path.name} has {count} traces", "split the file")
    if isinstance(file, RevisionTwo):
        return Headers(file.columns(moved), file.system), file.interval
    columns = {
        field: file.attributes(int(field))[:].astype(np.int64) for field in Field if field not in moved
    }
    if moved:
        raw = _raw(file, path)[:, :HEADER]
        little = (_order_of_su(path) if kind(path) == "SU" else _order(path)) == "little"
        for field, at in moved.items():
            width = 2 if field in SHORT else 4
            words = np.ascontiguousarray(raw[:, at - 1 : at - 1 + width]).view(
                f"{'<' if little else '>'}i{width}"
            )
            columns[field] = words[:, 0].astype(np.int64)
    if kind(path) == "SU":  # It has no header beside those of its traces.
        return Headers(columns, 0), float(columns[Field.INTERVAL].max(initial=0)) * 1e-6
    system = int(file.bin[segyio.BinField.MeasurementSystem])
    return Headers(columns, system), interval_of(file)


def interval_of(file: Any) -> float:
    """The sampling interval of a SEG-Y file, s, 0 if not given."""
    return file.interval if isinstance(file, RevisionTwo) else segyio.dt(file, fallback_dt=0.0) * 1e-6


def blocks_of(file: Any, path: Path, rows: NDArray[np.intp]) -> Iterator[tuple[slice, NDArray]]:
    """Traces of these rows of the file, ascending, in blocks: which of `rows`, and their samples `(n, T)`.

    Raises: StorageError for samples that are not numbers.
    """
    size = max(1, BLOCK // (4 * len(file.samples)))
    for first in range(0, len(rows), size):
        block = rows[first : first + size]
        traces = samples(file, path, int(block[0]), int(block[-1]) + 1)[block - block[0]]
        if not np.isfinite(traces).all():
            raise StorageError(f"{path.name} has samples that are not numbers; give traces of finite values")
        yield slice(first, first + len(block)), traces


def samples(file: Any, path: Path, first: int, stop: int) -> NDArray:
    """The samples `(n, T)` of successive traces. IBM's floats are decoded here, because segyio assumes that all are
    normalised."""
    if isinstance(file, RevisionTwo):
        return file.traces(first, stop)
    if kind(path) == "SU" or int(file.format) != IBM:
        return np.asarray(file.trace.raw[first:stop])
    order = "<" if _order(path) == "little" else ">"
    words = np.ascontiguousarray(_raw(file, path)[first:stop, HEADER:]).view(f"{order}u4")
    return from_ibm(words)


def _raw(file: Any, path: Path) -> NDArray[np.uint8]:
    """The bytes of the traces with their headers, one row each, as in the file."""
    count = file.tracecount
    stride = HEADER + np.dtype(file.dtype).itemsize * len(file.samples)
    return np.memmap(path, np.uint8, "r", path.stat().st_size - count * stride, (count, stride))


def moved_entries(given: Any) -> dict[Field, int]:
    """Entries of trace headers by name, with the first byte of each, from `header_bytes=`."""
    if given is None:
        return {}
    names = {field.name.lower(): field for field in Field}
    if not isinstance(given, Mapping) or (unknown := [name for name in given if name not in names]):
        what = "no mapping" if not isinstance(given, Mapping) else f"the entry {unknown[0]!r}"
        raise DeclarationError(
            f"header_bytes has {what}; give first bytes by name, such as {{'source_x': 197}}, of {listing(names)}"
        )
    first_bytes = {}
    for name, at in given.items():
        width = 2 if names[name] in SHORT else 4
        if isinstance(at, bool) or not isinstance(at, int) or not 1 <= at <= HEADER + 1 - width:
            raise DeclarationError(
                f"header_bytes has {name} at {at!r}; give a whole number from 1 to {HEADER + 1 - width}"
            )
        first_bytes[names[name]] = at
    return first_bytes
