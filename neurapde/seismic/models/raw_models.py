"""Velocity models as plain numbers: `.bin` and `.raw`, which need a shape, and NumPy's `.npy`."""

import io
from pathlib import Path

import numpy as np

from neurapde.core import atomic, checks
from neurapde.core.errors import DeclarationError, StorageError
from neurapde.seismic.models.plane import Plane, Said

DTYPES = ("<f4", ">f4", "<f8", ">f8")


def read(path: Path, said: Said) -> Plane:
    """Numbers of 32 or 64 bits, z running fastest, or x where it is transposed."""
    dtype = DTYPES[0] if said.dtype is None else said.dtype
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise DeclarationError(f"dtype={checks.shown(dtype)} of {path.name}; give one of {', '.join(DTYPES)}")
    size, width = path.stat().st_size, np.dtype(dtype).itemsize
    shape = checks.node_counts(said.shape, 2, 2)
    if shape is None or isinstance(said.shape, int):
        raise DeclarationError(
            f"{path.name} holds {size // width} numbers of {width} bytes and no shape, but shape is "
            f"{checks.shown(said.shape)}; give shape=(nx, nz)"
        )
    if shape[0] * shape[1] * width != size:
        raise DeclarationError(
            f"{path.name} has {size} bytes, {size / width:g} numbers of {width} bytes, but shape={shape} has "
            f"{shape[0] * shape[1]}; give the shape (nx, nz) and dtype that it was written with"
        )
    stored = shape[::-1] if said.transposed else shape
    return Plane(np.fromfile(path, dtype).reshape(stored).astype(float))


def write(path: Path, plane: Plane) -> None:
    """Numbers of 32 bits, z running fastest."""
    atomic.write(path, plane.values.astype(DTYPES[0]).tobytes())


def read_npy(path: Path, said: Said) -> Plane:
    """An array `(nx, nz)`."""
    try:
        return Plane(np.asarray(np.load(path, allow_pickle=False), dtype=float))
    except Exception as error:  # A damaged file ends in errors of any kind.
        raise StorageError(f"{path} cannot be read as an array of NumPy ({error}).") from error


def write_npy(path: Path, plane: Plane) -> None:
    """An array `(nx, nz)`."""
    content = io.BytesIO()
    np.save(content, plane.values)
    atomic.write(path, content.getbuffer())
