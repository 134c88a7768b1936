"""A field on cells as XDMF: a short text, and beside it the numbers as HDF5, which are put together in memory."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, tostring

import numpy as np

from neurapde.core import atomic
from neurapde.late import Late

h5py = Late("h5py")

if TYPE_CHECKING:
    import meshio

TOPOLOGIES = {2: "Polyline", 4: "Quadrilateral", 8: "Hexahedron"}
"""What XDMF calls a cell of so many corners."""
KINDS = {"f": "Float", "i": "Int"}


def write(path: Path, mesh: meshio.Mesh) -> None:
    """Write `path` and `<stem>.data.h5`, both or neither.

    mesh: of one kind of cells, with real data at its nodes. meshio's own writer ends the process where the disk is full.
    """
    cells = mesh.cells[0].data
    numbers = path.with_name(f"{path.stem}.data.h5")  # not `<stem>.h5`, which may be a solution
    root = Element("Xdmf", Version="3.0")
    grid = SubElement(SubElement(root, "Domain"), "Grid", Name="Grid")
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

        put(SubElement(grid, "Geometry", GeometryType="XYZ"), mesh.points)
        count, corners = map(str, cells.shape)
        topology = {
            "TopologyType": TOPOLOGIES[cells.shape[1]],
            "NumberOfElements": count,
            "NodesPerElement": corners,
        }
        put(SubElement(grid, "Topology", topology), cells)
        for name, values in mesh.point_data.items():
            put(SubElement(grid, "Attribute", Name=name, AttributeType="Scalar", Center="Node"), values)
    atomic.write_together(path.parent, {numbers.name: content.getbuffer(), path.name: tostring(root)})
