"""Fields for ParaView on a regular grid: `.vti`, one picture of voxels, and `.pvd`, a list of such by their time."""

import base64
from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element, SubElement, tostring

import numpy as np
from numpy.typing import NDArray

AXES = 3


def image(axes: Sequence[NDArray[np.float64]], values: Mapping[str, NDArray]) -> bytes:
    """A `.vti` of real values `(*shape)` by name, at the nodes of equally spaced axes, up to three."""
    counts = [len(axis) for axis in axes] + [1] * (AXES - len(axes))
    origin = [float(axis[0]) for axis in axes] + [0.0] * (AXES - len(axes))
    spacing = [float(axis[-1] - axis[0]) / (len(axis) - 1) for axis in axes] + [1.0] * (AXES - len(axes))
    extent = " ".join(f"0 {count - 1}" for count in counts)
    root = Element(
        "VTKFile", type="ImageData", version="1.0", byte_order="LittleEndian", header_type="UInt64"
    )
    said = {"WholeExtent": extent, "Origin": _text(origin), "Spacing": _text(spacing)}
    data = SubElement(SubElement(SubElement(root, "ImageData", said), "Piece", Extent=extent), "PointData")
    for name, field in values.items():
        array = np.ascontiguousarray(field.ravel(order="F").astype("<f8"))  # x runs fastest
        content = base64.b64encode(np.uint64(array.nbytes).astype("<u8").tobytes() + array.tobytes())
        SubElement(data, "DataArray", type="Float64", Name=name, format="binary").text = content.decode()
    return tostring(root, xml_declaration=True, encoding="utf-8")


def collection(files: Mapping[float, str]) -> bytes:
    """A `.pvd`: the names of files beside it by their time."""
    root = Element("VTKFile", type="Collection", version="1.0", byte_order="LittleEndian")
    listed = SubElement(root, "Collection")
    for moment, name in files.items():
        SubElement(listed, "DataSet", timestep=repr(float(moment)), part="0", file=name)
    return tostring(root, xml_declaration=True, encoding="utf-8")


def _text(numbers: Sequence[float]) -> str:
    return " ".join(repr(number) for number in numbers)
