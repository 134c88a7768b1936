"""Values on the regular grids of VTK. Run alone by `child`: it imports nothing of this package.

They give `values` `(n,)`, x running fastest, `shape`, `spacing` and `origin` `(3,)` of what they lie at.
"""

import base64
import re
import zlib
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

TYPES = {
    "Float32": "f4", "Float64": "f8", "Int8": "i1", "UInt8": "u1", "Int16": "i2", "UInt16": "u2", "Int32": "i4",
    "UInt32": "u4", "Int64": "i8", "UInt64": "u8",
}  # fmt: skip
LEGACY = {"float": ">f4", "double": ">f8", "int": ">i4", "short": ">i2", "unsigned_char": ">u1"}
SCALARS = re.compile(
    rb"SCALARS\s+\S+\s+(\w+)(?:\s+1)?\s*\nLOOKUP_TABLE\s+\S+\s*?\n|FIELD\s+\S+\s+\d+\s*\n\S+\s+1\s+\d+\s+(\w+)\s*?\n"
)

Arrays = dict[str, NDArray]


def read_vti(path: str) -> Arrays:
    """ImageData in XML: text, base64 or raw, packed by zlib or not."""
    content = Path(path).read_bytes()
    head, mark, appended = content.partition(b"<AppendedData")
    if mark:
        appended = appended[appended.index(b"_") + 1 :]
        head += b"</VTKFile>"
    root = ElementTree.fromstring(head)
    image = root.find("ImageData")
    pieces = [] if image is None else image.findall("Piece")
    if image is None or len(pieces) != 1:
        raise ValueError(f"it has {len(pieces)} pieces of image data, not one")
    ends = np.array(image.attrib["WholeExtent"].split(), dtype=int).reshape(3, 2)
    spacing, origin = (np.array(image.attrib[name].split(), dtype=float) for name in ("Spacing", "Origin"))
    points, cells = pieces[0].find("PointData"), pieces[0].find("CellData")
    for element, shape in ((points, ends[:, 1] - ends[:, 0] + 1), (cells, (ends[:, 1] - ends[:, 0]).clip(1))):
        for array in () if element is None else element.findall("DataArray"):
            if int(array.attrib.get("NumberOfComponents", 1)) == 1:
                values = _values(root, array, appended, b'encoding="raw"' in content)
                first = origin + spacing * (ends[:, 0] + (0.0 if element is points else 0.5))
                return {"values": values.astype(float), "shape": shape, "spacing": spacing, "origin": first}
    raise ValueError("it has no scalars")


def _values(root: ElementTree.Element, array: ElementTree.Element, appended: bytes, raw: bool) -> NDArray:
    order = "<" if root.attrib.get("byte_order", "LittleEndian") == "LittleEndian" else ">"
    kind = np.dtype(order + TYPES[array.attrib["type"]])
    if array.attrib["format"] == "ascii":
        return np.array((array.text or "").split(), dtype=kind)
    word = np.dtype(order + TYPES[root.attrib.get("header_type", "UInt32")])
    packed = root.attrib.get("compressor")
    if packed not in (None, "vtkZLibDataCompressor"):
        raise ValueError(f"it is packed by {packed}, not by zlib")
    if array.attrib["format"] == "binary":
        content, raw = "".join((array.text or "").split()).encode(), False
    else:
        content = appended[int(array.attrib["offset"]) :]
    return np.frombuffer(_unpacked(content, word, packed is not None, raw), kind)


def _unpacked(content: bytes, word: np.dtype, packed: bool, raw: bool) -> bytes:
    """The bytes of an array behind its header of words: their number, or numbers and sizes of blocks."""

    def taken(first: int, count: int) -> bytes:
        if raw:
            return content[first : first + count]
        start = -(-first // 3) * 4 if first else 0
        length = -(-count // 3) * 4
        return base64.b64decode(content[start : start + length])[:count]

    if not packed:
        size = int(np.frombuffer(taken(0, word.itemsize), word)[0])
        whole = taken(0, word.itemsize + size)
        return whole[word.itemsize :]
    blocks = int(np.frombuffer(taken(0, word.itemsize), word)[0])
    head = (3 + blocks) * word.itemsize
    sizes = np.frombuffer(taken(0, head), word)[3:].astype(int)
    body = taken(head, int(sizes.sum()))
    edges = np.concatenate([[0], np.cumsum(sizes)])
    return b"".join(zlib.decompress(body[a:b]) for a, b in pairwise(edges))


def read_vtk(path: str) -> Arrays:
    """STRUCTURED_POINTS of the legacy format, text or binary."""
    content = Path(path).read_bytes()
    start = SCALARS.search(content)
    if start is None:
        raise ValueError("it has no scalars")
    kind, body = next(filter(None, start.groups())).decode(), content[start.end() :]
    lines = [line.split() for line in content[: start.start()].decode("ascii", "replace").splitlines()]
    said = {line[0].upper(): line[1:] for line in lines[2:] if line}
    if said.get("DATASET") != ["STRUCTURED_POINTS"]:
        raise ValueError(f"its data set is {said.get('DATASET')}, not STRUCTURED_POINTS")
    shape = np.array(said["DIMENSIONS"], dtype=int)
    spacing, origin = (np.array(said[name], dtype=float) for name in ("SPACING", "ORIGIN"))
    if "CELL_DATA" in said:
        shape, origin = (shape - 1).clip(1), origin + spacing / 2
    count = int(np.prod(shape))
    if "BINARY" in said:
        values = np.frombuffer(body, LEGACY[kind], count)
    else:
        values = np.array(body.split()[:count], dtype=float)
    return {"values": values.astype(float), "shape": shape, "spacing": spacing, "origin": origin}
