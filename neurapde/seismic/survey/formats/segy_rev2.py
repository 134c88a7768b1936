"""SEG-Y revision 2, which segyio supports in part: both byte orders, further trace headers, stanzas after the traces.

It serves `segy_files`, with the parts of segyio's interface in use there.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from neurapde.core.errors import StorageError
from neurapde.seismic.survey.formats.segy_headers import SHORT, Field

TEXT, BINARY, STANZA, HEADER = 3200, 400, 3200, 240
REVISION = 2
ORDERS = {b"\x01\x02\x03\x04": ">", b"\x04\x03\x02\x01": "<"}
"""Of bytes, by the constant 16909060."""
FORMATS = {
    1: "u4",
    2: "i4",
    3: "i2",
    5: "f4",
    6: "f8",
    8: "i1",
    9: "i8",
    10: "u4",
    11: "u2",
    12: "u8",
    16: "u1",
}
"""Samples as NumPy names them; those of format 1 are IBM's."""
THREE_BYTES = {7: True, 15: False}
"""Formats of samples of three bytes, and whether they have a sign."""
IBM = 1
END = "((SEG: EndText))"
FIRST_EXTENSION = b"SEG00001"
"""The name of the trace header whose entries override those of the standard one, at its bytes 233–240."""
EXTENDED = {
    Field.RECEIVER_ELEVATION: 33,
    Field.SURFACE_ELEVATION: 49,
    Field.SOURCE_DEPTH: 57,
    Field.SOURCE_X: 97,
    Field.SOURCE_Y: 105,
    Field.RECEIVER_X: 113,
    Field.RECEIVER_Y: 121,
}
"""First bytes there of places, doubles that no scalar belongs to."""
SCALARS = {
    Field.SCALAR: (Field.SOURCE_X, Field.SOURCE_Y, Field.RECEIVER_X, Field.RECEIVER_Y),
    Field.ELEVATION_SCALAR: (Field.RECEIVER_ELEVATION, Field.SURFACE_ELEVATION, Field.SOURCE_DEPTH),
}


@dataclass(frozen=True)
class RevisionTwo:
    """A file of revision 2.

    rows: the bytes of the traces `(n, stride)`, mapped. order: "<" or ">". format, count: of samples. interval: s, 0
    if not given. system: of units, 1 metres, 2 feet. further: number of headers of each trace after the first.

    Source: SEG-Y_r2.0 (SEG Technical Standards Committee, 2017), tables 2 and 4.
    """

    rows: NDArray[np.uint8]
    order: str
    format: int
    count: int
    interval: float
    system: int
    further: int

    @property
    def tracecount(self) -> int:
        """n."""
        return len(self.rows)

    @property
    def samples(self) -> NDArray[np.float64]:
        """`(T,)`, their times or depths, ms or m, by the delay of the first trace."""
        delay = float(self.attributes(Field.DELAY)[0])
        return np.asarray(delay + 1e3 * self.interval * np.arange(self.count), dtype=np.float64)

    def attributes(self, at: int) -> NDArray[np.int64]:
        """`(n,)`, the entry of the standard headers at a first byte."""
        return self.entry(at, 2 if at in SHORT else 4)

    def entry(self, at: int, width: int) -> NDArray[np.int64]:
        """`(n,)`, the value in `width` bytes of the headers from the byte `at` on, counted from 1."""
        words = np.ascontiguousarray(self.rows[:, at - 1 : at - 1 + width])
        return words.view(f"{self.order}i{width}")[:, 0].astype(np.int64)

    def columns(self, moved: Mapping[Field, int]) -> dict[Field, NDArray]:
        """The entries of the headers `(n,)`; positions from the first extension, if it has them, with scalars of 1."""
        columns: dict[Field, NDArray] = {
            field: self.entry(moved.get(field, int(field)), 2 if field in SHORT else 4) for field in Field
        }
        if not self.further or bytes(self.rows[0, HEADER + 232 : HEADER + 240]) != FIRST_EXTENSION:
            return columns
        for scalar, fields in SCALARS.items():
            there = {field: self._double(EXTENDED[field]) for field in fields if field not in moved}
            if not any(values.any() for values in there.values()):
                continue
            scale = columns[scalar].astype(float)
            factor = np.where(
                scale < 0, -1.0 / np.where(scale < 0, scale, 1.0), np.where(scale > 0, scale, 1.0)
            )
            for field in fields:
                given = there.get(field)
                columns[field] = columns[field] * factor if given is None or not given.any() else given
            columns[scalar] = np.ones(self.tracecount, np.int64)
        return columns

    def _double(self, at: int) -> NDArray[np.float64]:
        words = np.ascontiguousarray(self.rows[:, HEADER + at - 1 : HEADER + at + 7])
        return words.view(f"{self.order}f8")[:, 0].astype(float)

    def traces(self, first: int, stop: int) -> NDArray:
        """The samples `(m, T)` of successive traces."""
        raw = np.ascontiguousarray(self.rows[first:stop, HEADER * (1 + self.further) :])
        if self.format in THREE_BYTES:
            return _three_bytes(raw, self.order, THREE_BYTES[self.format])
        values = raw.view(f"{self.order}{FORMATS[self.format]}")
        return from_ibm(values) if self.format == IBM else values.astype(values.dtype.newbyteorder("="))


def revision_two(path: Path) -> RevisionTwo | None:
    """The file if its header says revision 2, else None.

    Raises: StorageError for an unknown format, swapped pairs of bytes, traces of several lengths, or fewer traces than
        in the header.
    """
    with path.open("rb") as file:
        head = file.read(TEXT + BINARY)
        if len(head) < TEXT + BINARY or head[3500] != REVISION:
            return None
        constant = head[3296:3300]
        if constant not in ORDERS and any(constant):
            raise StorageError(
                f"{path.name} has {constant.hex(' ')} in bytes 3297–3300, where 01 02 03 04 or 04 03 02 01 tells the "
                "order of bytes; write it in one of these orders"
            )
        order = ORDERS.get(constant) or _order_by_format(head)
        number = _Numbers(head, order)
        form = number("h", 3225)
        if form not in FORMATS and form not in THREE_BYTES:
            raise StorageError(
                f"{path.name} has samples of format {form} (bytes 3225–3226), which is not read"
            )
        size = path.stat().st_size
        first = number("Q", 3521) or TEXT + BINARY + STANZA * _stanzas(file, number("h", 3505))
    count, further = number("I", 3269) or number("H", 3221), number("i", 3507)
    width = 3 if form in THREE_BYTES else np.dtype(FORMATS[form]).itemsize
    stride = HEADER * (1 + max(0, further)) + width * count
    traces, left = divmod(size - first - STANZA * max(0, number("i", 3529)), stride)
    said = number("Q", 3513)
    if count < 1 or said > traces or (left and not said) or (said or traces) < 1:
        raise StorageError(
            f"{path.name} has {size} bytes, which are not {said or 'whole'} traces of {count} samples and "
            f"{max(0, further) + 1} headers each; traces of several lengths are not read"
        )
    rows = np.memmap(path, np.uint8, "r", first, (said or traces, stride))
    found = RevisionTwo(rows, order, form, count, 0.0, number("h", 3255), max(0, further))
    lengths = found.entry(Field.SAMPLES, 2) & 0xFFFF
    if count < 2**16 and not np.isin(lengths, (0, count)).all():
        raise StorageError(
            f"{path.name} has traces of {lengths.min()} to {lengths.max()} samples; only one length is read"
        )
    microseconds = number("d", 3273)
    if not (np.isfinite(microseconds) and microseconds > 0):
        microseconds = number("H", 3217) or (found.entry(Field.INTERVAL, 2) & 0xFFFF).max()
    return replace(found, interval=float(microseconds) * 1e-6)


class _Numbers:
    """Entries of the header of a file, by their first byte counted from 1."""

    def __init__(self, head: bytes, order: str) -> None:
        self.head, self.order = head, order

    def __call__(self, kind: str, at: int) -> int:
        (value,) = struct.unpack_from(self.order + kind, self.head, at - 1)
        return value


def _order_by_format(head: bytes) -> str:
    """The byte order that gives an existing format."""
    known = {*FORMATS, *THREE_BYTES}
    little, big = (int.from_bytes(head[3224:3226], order) in known for order in ("little", "big"))
    return "<" if little and not big else ">"


def _stanzas(file: BinaryIO, said: int) -> int:
    """The number of extended textual headers: the given one, or up to the one marked as the last."""
    if said >= 0:
        return said
    count = 0
    while stanza := file.read(STANZA):
        count += 1
        if any(END in stanza.decode(code, "replace") for code in ("ascii", "cp500")):
            break
    return count


def from_ibm(words: NDArray) -> NDArray[np.float64]:
    """IBM's floating-point numbers of 32 bits, normalised or not."""
    bits = words.astype(np.int64)
    fractions = np.where(bits >> 31, -1.0, 1.0) * (bits & 0xFFFFFF)
    return np.asarray(np.ldexp(fractions, 4 * (bits >> 24 & 0x7F) - 280))


def _three_bytes(raw: NDArray[np.uint8], order: str, signed: bool) -> NDArray[np.int32]:
    """Whole numbers of three bytes."""
    parts = raw.reshape(len(raw), -1, 3).astype(np.int32)
    low, middle, high = (parts[..., i] for i in ((0, 1, 2) if order == "<" else (2, 1, 0)))
    values = low | middle << 8 | high << 16
    return values - ((values >> 23) << 24 if signed else 0)
