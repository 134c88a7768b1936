"""Surveys in files: HDF5 of our own; of others, by suffix, the paper's MAT and SEG-Y. It serves `Survey`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import h5py

from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import listing
from neurapde.seismic.survey import mat, segy, segy_headers
from neurapde.seismic.survey.provenance import Provenance
from neurapde.seismic.survey.records import Arguments
from neurapde.storage import hdf5

HDF5, MAT, SEGY = (".h5", ".hdf5"), (".mat",), (".sgy", ".segy")
ARRAYS = ("sources", "receivers", "data", "frequencies", "traces", "weights", "wavelet")


def read(path: Path, given: Mapping[str, Any]) -> Arguments:
    """The arguments of the survey in a file of another program.

    given: what the caller says of the file, by name; None where nothing is said.
    Raises: DeclarationError for a suffix that is not known, or for what a format does not ask for; StorageError
        for a file that is not of its format; FileNotFoundError.
    """
    suffix = check_suffix(path, (*MAT, *SEGY), "read")
    said = {name: value for name, value in given.items() if value is not None}
    _check_file(path)
    common = {"wavelet", "source_variance", "noise", "name"}
    if suffix in MAT:
        refuse(said, {*common, "frequency"}, suffix, "leave it out")
        found = mat.read(path, said.pop("frequency", None))
    else:
        own = {"sources", "receivers", "source_depth", "receiver_depth"}
        refuse(said, {*common, *own}, suffix, "leave it out")
        found = segy.read(path, segy_headers.Given(**{name: said.pop(name) for name in own & set(said)}))
    return {"name": path.stem, **found, **said}  # type: ignore[typeddict-item]


def check_suffix(path: Path, suffixes: tuple[str, ...], what: str) -> str:
    """The suffix of a path, one of those known."""
    suffix = path.suffix.lower()
    if suffix not in suffixes:
        raise DeclarationError(
            f"cannot {what} {path.name!r} by its suffix; surveys {what} as {listing(suffixes)}"
        )
    return suffix


def _check_file(path: Path) -> None:
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}.")


def refuse(said: Mapping[str, Any], allowed: set[str], suffix: str, way: str) -> None:
    """Refuse what is said of a file that says it itself, or has no such thing."""
    if unknown := sorted(set(said) - allowed):
        raise DeclarationError(f"{unknown[0]}= says nothing about a file {suffix}; {way}")


def save(path: Path, arguments: Arguments) -> None:
    """Write a survey as HDF5, whole or not at all."""
    check_suffix(path, HDF5, "save")
    given: Mapping[str, Any] = arguments
    origin = arguments["origin"]
    plain = {name: given[name] for name in ("dt", "start_time", "source_variance", "noise", "name")}

    def fill(file: h5py.File) -> None:
        hdf5.put_arrays(file, "arrays", {name: given[name] for name in ARRAYS if given[name] is not None})
        hdf5.put_json(file, "survey", {**plain, "origin": None if origin is None else dict(vars(origin))})

    hdf5.write(path, "survey", fill)


def load(path: Path) -> Arguments:
    """What `save` wrote."""
    check_suffix(path, HDF5, "load")
    with hdf5.reading(path, "survey") as file:
        found: Any = {**hdf5.get_arrays(file, "arrays"), **hdf5.get_json(file, "survey")}
    if found["origin"] is not None:
        found["origin"] = Provenance(**found["origin"])
    return cast(Arguments, found)
