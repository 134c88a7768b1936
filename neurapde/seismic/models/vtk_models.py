"""Velocity models of ParaView: `.vti`, and the older `.vtk` of structured points. One of three axes has a single node."""

from pathlib import Path

import numpy as np

from neurapde.core import atomic
from neurapde.core.errors import StorageError
from neurapde.core.readers.images import read_vti, read_vtk
from neurapde.core.readers.isolated import isolated
from neurapde.seismic.models.plane import Plane, Said
from neurapde.storage import vtk_files


def read(path: Path, said: Said) -> Plane:
    """Its first scalars at points, or in cells."""
    reader = read_vti if path.suffix.lower() == ".vti" else read_vtk
    arrays = isolated(reader, path, "a regular grid of VTK")
    wide = np.flatnonzero(arrays["shape"] > 1)
    if len(wide) != 2:
        raise StorageError(
            f"{path.name} has {' × '.join(map(str, arrays['shape']))} nodes; give a plane, with one node along one axis"
        )
    values = arrays["values"].reshape(arrays["shape"][wide], order="F")
    steps, starts = arrays["spacing"][wide].tolist(), arrays["origin"][wide].tolist()
    return Plane(values, (steps[0], steps[1]), (starts[0], starts[1]))


def write(path: Path, plane: Plane) -> None:
    """A `.vti` with `speed` at its points."""
    assert plane.spacing is not None
    axes = [
        start + step * np.arange(count)
        for start, step, count in zip(plane.origin, plane.spacing, plane.values.shape, strict=True)
    ]
    atomic.write(path, vtk_files.image(axes, {"speed": plane.values}))
