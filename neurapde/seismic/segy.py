"""SEG-Y files through segyio: traces with their headers' times and places to a survey in the plane, and back.

The plane is (distance along the line, depth below the datum), metres. Depth is positive downwards: of a source its
depth less the surface elevation, of a receiver minus its elevation. Coordinates in feet become metres.
"""

import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurapde.core.errors import DeclarationError, DeclarationWarning
from neurapde.seismic import segy_headers
from neurapde.seismic.geometry import positions
from neurapde.seismic.segy_headers import Field, Headers
from neurapde.storage.hdf5 import StorageError

try:
    import segyio
except ImportError:  # An extra: everything but SEG-Y works without it.
    segyio = None

IBM, IEEE = 1, 5


@dataclass(frozen=True)
class Given:
    """What the caller says where headers do not.

    sources: `(S, 2)` in the order of the shots in the file, or `(n, 2)` for its n traces. receivers: `(R, 2)` for
    shots of R traces each, or `(n, 2)`. source_depth, receiver_depth: numbers, in place of the headers'.
    """

    sources: Any = None
    receivers: Any = None
    source_depth: float | None = None
    receiver_depth: float | None = None


def read(path: Path, given: Given) -> dict[str, Any]:
    """The arguments of a Survey.

    Raises: DeclarationError for missing coordinates, sampling interval or segyio; StorageError for no SEG-Y file.
    Source: SEG-Y rev 1 (SEG Technical Standards Committee, 2002): header bytes, coordinate scalars, units.
    """
    _check_segyio()
    headers, traces, interval = _content(path)
    used = headers.seismic
    if not used.any():
        raise DeclarationError(f"{path.name} has no seismic traces by trace identification code, bytes 29–30")
    headers, traces = headers.only(used), traces[used]
    if interval <= 0:
        raise DeclarationError(
            f"{path.name} has no sampling interval (binary header bytes 3217–3218, trace header bytes 117–118); "
            "write it there"
        )
    sources, receivers, shots = segy_headers.geometry(headers, given, path.name)
    first = [int(np.flatnonzero(shots == shot)[0]) for shot in range(shots.max() + 1)]
    spread, columns = _distinct(receivers)
    gathers = np.zeros((len(first), len(spread), traces.shape[1]))
    weights = np.zeros((len(first), len(spread)))
    pairs = shots * len(spread) + columns
    if len(set(pairs.tolist())) < len(pairs):
        values, counts = np.unique(pairs, return_counts=True)
        shot, column = divmod(int(values[counts > 1][0]), len(spread))
        raise DeclarationError(
            f"shot {shot} of {path.name} has more than one trace at {spread[column].tolist()}; keep one of them, or give "
            "receivers="
        )
    gathers[shots, columns] = traces
    weights[shots, columns] = ~headers.dead
    heard = ((weights > 0) & gathers.any(axis=2)).any(axis=1)
    if heard.any() and not heard.all():
        silent = np.flatnonzero(~heard)
        warnings.warn(
            f"{len(silent)} of {len(first)} shots of {path.name} have no live trace and are left out, "
            f"shot {silent[0]} for one",
            DeclarationWarning,
            stacklevel=2,
        )
        gathers, weights, first = gathers[heard], weights[heard], np.array(first)[heard].tolist()
    return {
        "sources": sources[first],
        "receivers": spread,
        "traces": gathers,
        "dt": interval,
        "start_time": headers.start_time(path.name),
        "weights": weights,
    }


def _check_segyio() -> None:
    if segyio is None:
        raise DeclarationError(
            "SEG-Y files need segyio, which is not installed: pip install 'neurapde[seismic]'"
        )


def _content(path: Path) -> tuple[Headers, NDArray, float]:
    try:
        with segyio.open(str(path), ignore_geometry=True) as file:
            columns = {field: file.attributes(int(field))[:].astype(np.int64) for field in Field}
            system = int(file.bin[segyio.BinField.MeasurementSystem])
            return Headers(columns, system), file.trace.raw[:], segyio.dt(file, fallback_dt=0.0) * 1e-6
    except (RuntimeError, OSError, ValueError) as error:
        raise StorageError(f"{path} cannot be read as SEG-Y ({error}).") from error


def _distinct(places: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """The distinct rows in the order in which they first appear, and of each row its place among them."""
    _, first, which = np.unique(places, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return places[first[order]], rank[which.ravel()]


def write(path: Path, fields: Mapping[str, Any], *, ibm: bool) -> None:
    """Write a time survey in the plane: every shot with every receiver, those without weight marked dead.

    Numbers are IEEE floats of 32 bits, or IBM's. Raises: DeclarationError for spectra, other dimensions than 2, and
    times that SEG-Y's whole microseconds cannot hold. Warns where positions are rounded.
    """
    _check_segyio()
    traces, dt = fields["traces"], fields["dt"]
    if traces is None:
        raise DeclarationError(
            f"SEG-Y holds time traces, but the survey has spectra; write {path.stem}.h5, or use to_time"
        )
    sources, receivers = positions(fields["sources"], "sources"), positions(fields["receivers"], "receivers")
    if sources.shape[1] != 2:
        raise DeclarationError(
            f"SEG-Y is written of surveys in a plane, but positions have {sources.shape[1]} coordinates"
        )
    headers = segy_headers.of(sources, receivers, fields["weights"], fields["start_time"])
    interval, count = segy_headers.microseconds(dt), traces.shape[2]
    specification = segyio.spec()
    specification.format = IBM if ibm else IEEE
    specification.samples = np.arange(count) * dt * 1e3
    specification.tracecount = len(headers)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"cannot write {path}: there is no folder {path.parent}. Make it first.")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with segyio.create(str(temporary), specification) as file:
            file.text[0] = segyio.tools.create_text_header(
                {1: f"Survey {fields['name']}"[:76], 2: "x along the line, z depth below the datum, metres"}
            )
            file.bin.update(hdt=interval, hns=count, mfeet=1, rev=1)
            flat = traces.reshape(-1, count).astype(np.float32)
            for index, header in enumerate(headers):
                file.header[index] = {**header, Field.SAMPLES: count, Field.INTERVAL: interval}
                file.trace[index] = flat[index]
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
