"""A field on cells as XDMF: a short text, and beside it the numbers as HDF5, which are put together in memory."""

import io
from collections.abc import Mapping
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, tostring

import h5py
import numpy as np

from neurapde.core import atomic

TOPOLOGIES = {2: "Polyline", 4: "Quadrilateral", 8: "Hexahedron"}
"""What XDMF calls a cell of so many corners."""
KINDS = {"f": "Float", "i": "Int"}


def write(path: Path, points: np.ndarray, cells: np.ndarray, data: Mapping[str, np.ndarray]) -> None:
    """Write `path` and `<stem>.data.h5`, both or neither.

    points: `(n, 3)`. cells: `(m, corners)`, in VTK's order. data: `(n,)` by name, real.
    """
    numbers = path.with_name(f"{path.stem}.data.h5")  # not `<stem>.h5`, which may be a solution
    root = Element("Xdmf", Version="3.0")
    mesh = SubElement(SubElement(root, "Domain"), "Grid", Name="Grid")
    content = io.BytesIO()
    with h5py.File(content, "w") as file:

        def put(parent: Element, array: np.ndarray) -> None:
            name = f"data{len(file)}"
            file.create_dataset(name, data=array)
            said = {
                "DataType": KINDS[array.dtype.kind],
                "Precision": str(array.dtype.itemsize),
                "Dimensions": " ".join(map(str, array.shape)),
                "Format": "HDF",
            }
            item = SubElement(parent, "DataItem", said)
            item.text = f"{numbers.name}:/{name}"

        put(SubElement(mesh, "Geometry", GeometryType="XYZ"), points)
        count, corners = map(str, cells.shape)
        topology = {
            "TopologyType": TOPOLOGIES[cells.shape[1]],
            "NumberOfElements": count,
            "NodesPerElement": corners,
        }
        put(SubElement(mesh, "Topology", topology), cells)
        for name, values in data.items():
            put(SubElement(mesh, "Attribute", Name=name, AttributeType="Scalar", Center="Node"), values)
    atomic.write_together(path.parent, {numbers.name: content.getbuffer(), path.name: tostring(root)})
