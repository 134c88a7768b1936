"""Velocity models in files, by suffix: values on nodes (x, z), z the depth, positive downwards."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import listing
from neurapde.fields.grid_field import GridField
from neurapde.seismic.models import hdf5_models, raw_models, rsf_models, segy_models, vtk_models
from neurapde.seismic.models.plane import Plane, Said

READERS = {
    ".sgy": segy_models.read,
    ".segy": segy_models.read,
    ".rsf": rsf_models.read,
    ".bin": raw_models.read,
    ".raw": raw_models.read,
    ".npy": raw_models.read_npy,
    ".h5": hdf5_models.read,
    ".hdf5": hdf5_models.read,
    ".vti": vtk_models.read,
    ".vtk": vtk_models.read,
}
WRITERS = {
    ".sgy": segy_models.write,
    ".segy": segy_models.write,
    ".rsf": rsf_models.write,
    ".bin": raw_models.write,
    ".raw": raw_models.write,
    ".npy": raw_models.write_npy,
    ".h5": hdf5_models.write,
    ".hdf5": hdf5_models.write,
    ".vti": vtk_models.write,
}


def read_model(
    path: str | Path,
    *,
    shape: Sequence[int] | None = None,
    spacing: Sequence[float] | None = None,
    origin: Sequence[float] | None = None,
    transposed: bool = False,
    dtype: str | None = None,
) -> GridField:
    """The velocity model in a file of another program, as a start model or for simulations.

    path: .sgy or .segy (a trace for each x), .rsf of Madagascar, .bin or .raw (numbers alone), .npy, .h5 or .hdf5 with a
        dataset `speed` (nx, nz), .vti or .vtk.
    shape: (nx, nz) of a .bin or .raw. spacing: (dx, dz) of nodes; origin: (x, z) of the first one, by default that of
        the file, or 0. Both override the file; if neither gives a spacing, the model fills the domain.
    transposed: whether x runs fastest, or comes last, instead of z. dtype: of a .bin or .raw, by default "<f4"; ">f4"
        for the other byte order. Raises: DeclarationError for missing or inconsistent arguments; StorageError for a
        file that is not of its format; FileNotFoundError.
    """
    file = checks.path(path)
    suffix = _suffix(file, READERS, "read")
    said = Said(shape, spacing, origin, transposed, dtype)
    if not file.is_file():
        raise FileNotFoundError(f"there is no file {file}.")
    raw = suffix in (".bin", ".raw")
    for name, value in (("shape", shape), ("dtype", dtype)):
        if value is not None and not raw:
            raise DeclarationError(f"{name}= has no effect for a file {suffix}; leave it out")
    return READERS[suffix](file, said).field(said, file.name)


def write_model(path: str | Path, model: GridField) -> Path:
    """Write a velocity model: .sgy, .segy, .rsf, .bin, .raw, .npy, .h5, .hdf5 or .vti, completely or not at all.

    model: of two axes (x, z), with bounds. In .sgy, .rsf, .bin and .raw numbers have 32 bits, z running fastest.
    Raises: DeclarationError for what the format cannot hold.
    """
    file = checks.path(path)
    suffix = _suffix(file, WRITERS, "write")
    way = "give npde.GridField(values, bounds=((x, z), (x, z)))"
    checks.kind(model, "model", GridField, way)
    if model.bounds is None or model.values.ndim != 2 or model.values.dtype.kind == "c":
        what = "without bounds" if model.bounds is None else f"of {model.values.ndim} axes"
        raise DeclarationError(f"the model is a GridField {what}; {way} with real values (nx, nz)")
    WRITERS[suffix](file, Plane.of(model))
    return file


def _suffix(file: Path, known: dict[str, Any], what: str) -> str:
    suffix = file.suffix.lower()
    if suffix not in known:
        raise DeclarationError(
            f"cannot {what} {file.name!r}, whose suffix is unknown; give a velocity model as {listing(known, 'or')}"
        )
    return suffix
