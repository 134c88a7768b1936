"""Velocity models of Madagascar: a header whose first axis runs fastest and is the depth, and its numbers."""

import re
from pathlib import Path

import numpy as np

from neurapde.core import atomic
from neurapde.core.errors import StorageError
from neurapde.seismic.models.plane import Plane, Said

END = b"\x0c\x0c\x04"
"""What stands between a header and numbers in the same file."""
HEADER = 1_000_000
"""Bytes that a header may have."""
ENTRY = re.compile(r'([\w#]+)=("[^"]*"|\'[^\']*\'|\S+)')
TYPES = {"native_float": "<f", "xdr_float": ">f", "native_double": "<f", "native_int": "<i", "xdr_int": ">i"}


def read(path: Path, said: Said) -> Plane:
    """Source: Fomel et al. (2013), J. Open Research Software 1(1), e8; the guide to the RSF file format."""
    with path.open("rb") as file:
        head, _, rest = file.read(HEADER).partition(END)
    entries = {
        key: value.strip("\"'") for key, value in ENTRY.findall(head.decode("utf-8", "replace"))
    }  # the last one counts
    counts = {axis: _number(path, entries, f"n{axis}", 1) for axis in range(1, 10)}
    wide = [axis for axis, count in counts.items() if count > 1]
    if len(wide) != 2 or any(count != int(count) or count < 1 for count in counts.values()):
        sizes = ", ".join(f"n{axis}={count:g}" for axis, count in counts.items() if count != 1)
        raise StorageError(f"{path} has {sizes or 'no n1='}; a velocity model in the plane has two axes")
    shape = tuple(int(counts[axis]) for axis in wide)
    flat = _numbers(path, entries, shape[0] * shape[1], len(head) + len(END) if rest else 0)
    steps = [_number(path, entries, f"d{axis}", 1.0) for axis in wide]
    starts = [_number(path, entries, f"o{axis}", 0.0) for axis in wide]
    return Plane(flat.reshape(shape[::-1]).astype(float), (steps[1], steps[0]), (starts[1], starts[0]))


def _numbers(path: Path, entries: dict[str, str], count: int, beside: int) -> np.ndarray:
    """The numbers, from the file that the header names, or after the header."""
    kind, place = entries.get("data_format", "native_float"), entries.get("in", "")
    if kind == "ascii_float":
        numbers = np.array(_binary(path, place, beside).split(), dtype=float)
    elif kind in TYPES:
        width = int(_number(path, entries, "esize", 8 if kind == "native_double" else 4))
        if width not in (4, 8):
            raise StorageError(f"{path} has esize={width}; only 4 or 8 bytes are supported")
        content = _binary(path, place, beside)
        numbers = np.frombuffer(content[: len(content) // width * width], f"{TYPES[kind]}{width}")
    else:
        raise StorageError(f"{path} has data_format={kind}; supported are ascii_float, {', '.join(TYPES)}")
    if len(numbers) != count:
        raise StorageError(f"{path} declares {count} numbers, but has {len(numbers)}")
    return numbers


def _binary(path: Path, place: str, beside: int) -> bytes:
    if place in ("stdin", "stdout", "") and beside:
        return path.read_bytes()[beside:]
    other = path.parent / place
    if not place or not other.is_file():
        raise StorageError(f"{path} has its numbers in {place!r}, which does not exist")
    return other.read_bytes()


def _number(path: Path, entries: dict[str, str], key: str, default: float) -> float:
    try:
        return float(entries.get(key, default))
    except ValueError as error:
        raise StorageError(f"{path} has {key}={entries[key]}, which is not a number") from error


def write(path: Path, plane: Plane) -> None:
    """A header, and next to it `name.rsf@` with its numbers."""
    assert plane.spacing is not None
    (nx, nz), (dx, dz), (x, z) = plane.values.shape, plane.spacing, plane.origin
    header = (
        f'\tn1={nz} o1={z!r} d1={dz!r} label1="Depth"\n\tn2={nx} o2={x!r} d2={dx!r} label2="Distance"\n'
        f'\tesize=4 data_format="native_float" in="./{path.name}@"\n'
    )
    numbers = plane.values.astype("<f4").tobytes()
    atomic.write_together(path.parent, {f"{path.name}@": numbers, path.name: header.encode()})
