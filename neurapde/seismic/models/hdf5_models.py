"""Velocity models in HDF5: a dataset `speed` `(nx, nz)`, and the nodes' `x` and `z` if given."""

import io
from pathlib import Path

import h5py
import numpy as np

from neurapde.core import atomic
from neurapde.core.errors import StorageError
from neurapde.core.formatting import listing
from neurapde.core.readers.isolated import isolated
from neurapde.core.readers.matrices import read_hdf5
from neurapde.seismic.models.plane import Plane, Said, evenly


def read(path: Path, said: Said) -> Plane:
    """The dataset `speed`, on the nodes of `x` and `z` if there are both."""
    arrays = isolated(read_hdf5, path, "an HDF5 file", "speed", "x", "z")
    if "speed" not in arrays:
        names = listing(arrays["names"].tolist())
        raise StorageError(f"{path.name}: the file has {names}; give one with a dataset `speed` (nx, nz)")
    if not {"x", "z"} <= arrays.keys():
        return Plane(arrays["speed"])
    (x, dx), (z, dz) = (evenly(arrays[name], f"{name} of {path.name}") for name in ("x", "z"))
    return Plane(arrays["speed"], (dx, dz), (x, z))


def write(path: Path, plane: Plane) -> None:
    """`speed`, `x` and `z`, in double precision."""
    assert plane.spacing is not None
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        file["speed"] = plane.values
        for name, start, step, count in zip(
            "xz", plane.origin, plane.spacing, plane.values.shape, strict=True
        ):
            file[name] = start + step * np.arange(count)
    atomic.write(path, content.getbuffer())
