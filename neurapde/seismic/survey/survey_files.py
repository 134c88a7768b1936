"""Surveys in our HDF5 format, for `Survey.save` and `Survey.load`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import listing
from neurapde.late import Late
from neurapde.seismic.survey.provenance import Provenance
from neurapde.seismic.survey.records import Arguments
from neurapde.storage import hdf5

if TYPE_CHECKING:
    import h5py
else:
    h5py = Late("h5py")

HDF5 = (".h5", ".hdf5")
ARRAYS = ("sources", "receivers", "data", "frequencies", "traces", "weights", "wavelet", "window")

PLAIN = ("dt", "start_time", "source_variance", "noise", "name", "damping", "processing")


def check_suffix(path: Path, what: str, known: Collection[str] = HDF5) -> str:
    """The suffix of a path, which must be known; by default one of our own files."""
    suffix = path.suffix.lower()
    if suffix not in known:
        raise DeclarationError(f"cannot {what} {path.name!r}, whose suffix is unknown; use {listing(known)}")
    return suffix


def save(path: Path, arguments: Arguments) -> None:
    """Write a survey as HDF5, completely or not at all."""
    check_suffix(path, "save")
    given: Mapping[str, Any] = arguments
    origin = arguments["origin"]
    plain = {name: given[name] for name in PLAIN}

    def fill(file: h5py.File) -> None:
        hdf5.put_arrays(file, "arrays", {name: given[name] for name in ARRAYS if given[name] is not None})
        hdf5.put_json(file, "survey", {**plain, "origin": None if origin is None else dict(vars(origin))})

    hdf5.write(path, "survey", fill)


def load(path: Path) -> Arguments:
    """What `save` wrote."""
    check_suffix(path, "load")
    with hdf5.reading(path, "survey") as file:
        arguments: Any = {**hdf5.get_arrays(file, "arrays"), **hdf5.get_json(file, "survey")}
    if arguments["origin"] is not None:
        arguments["origin"] = Provenance(**arguments["origin"])
    return cast(Arguments, arguments)
