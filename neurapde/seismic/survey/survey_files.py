"""Surveys in files, by suffix: HDF5 of our own, the paper's MAT, SEG-Y. It serves `Survey.read` and `Survey.write`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import listing
from neurapde.seismic.survey import mat, segy, segy_headers
from neurapde.seismic.survey.provenance import Provenance
from neurapde.storage import hdf5

HDF5, MAT, SEGY = (".h5", ".hdf5"), (".mat",), (".sgy", ".segy")
ARRAYS = ("sources", "receivers", "data", "frequencies", "traces", "weights", "wavelet")


def read(path: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of the survey in a file.

    given: what the caller says of the file, by name; None where nothing is said.
    Raises: DeclarationError for a suffix that is not known, or for what a format does not ask for; StorageError
        for a file that is not of its format; FileNotFoundError.
    """
    suffix = _known(path, (*HDF5, *MAT, *SEGY), "read")
    said = {name: value for name, value in given.items() if value is not None}
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}.")
    if suffix in HDF5:
        _refuse(said, set(), suffix, "use survey.replace(…) on what was read")
        return _read_hdf5(path)
    common = {"wavelet", "source_variance", "noise", "name"}
    if suffix in MAT:
        _refuse(said, {*common, "frequency"}, suffix, "leave it out")
        found = mat.read(path, said.pop("frequency", None))
    else:
        own = {"sources", "receivers", "source_depth", "receiver_depth"}
        _refuse(said, {*common, *own}, suffix, "leave it out")
        found = segy.read(path, segy_headers.Given(**{name: said.pop(name) for name in own & set(said)}))
    return {"name": path.stem, **found, **said}


def write(path: Path, fields: Mapping[str, Any], *, ibm: bool) -> None:
    """Write the fields of a survey, whole or not at all."""
    suffix = _known(path, (*HDF5, *SEGY), "write")
    if suffix in SEGY:
        segy.write(path, fields, ibm=ibm)
    elif ibm:
        raise DeclarationError(
            f"ibm=True is a format of numbers in SEG-Y, but {path.name} is HDF5; leave it out"
        )
    else:
        hdf5.write(path, "survey", lambda file: _fill(file, fields))


def _known(path: Path, suffixes: tuple[str, ...], what: str) -> str:
    suffix = path.suffix.lower()
    if suffix not in suffixes:
        raise DeclarationError(
            f"cannot {what} {path.name!r} by its suffix; surveys {what} as {listing(suffixes)}"
        )
    return suffix


def _refuse(said: Mapping[str, Any], allowed: set[str], suffix: str, way: str) -> None:
    if unknown := sorted(set(said) - allowed):
        raise DeclarationError(f"{unknown[0]}= says nothing about a file {suffix}; {way}")


def _fill(file: h5py.File, fields: Mapping[str, Any]) -> None:
    hdf5.put_arrays(file, "arrays", {name: fields[name] for name in ARRAYS if fields[name] is not None})
    plain = {name: fields[name] for name in ("dt", "start_time", "source_variance", "noise", "name")}
    origin: Provenance | None = fields["origin"]
    made = None if origin is None else dict(vars(origin))
    hdf5.put_json(file, "survey", {**plain, "origin": made})


def _read_hdf5(path: Path) -> dict[str, Any]:
    with hdf5.reading(path, "survey") as file:
        arrays: Mapping[str, np.ndarray] = hdf5.get_arrays(file, "arrays")
        plain = hdf5.get_json(file, "survey")
    origin = plain.pop("origin")
    return {**arrays, **plain, "origin": None if origin is None else Provenance(**origin)}
