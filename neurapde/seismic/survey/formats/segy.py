"""SEG-Y files through segyio: traces with their headers' times and places to a survey in the plane, and back.

The plane is (distance along the line, depth below the datum), metres. Depth is positive downwards: of a source its
depth less the surface elevation, of a receiver minus its elevation. Coordinates in feet become metres.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurapde.core import atomic
from neurapde.core.errors import DeclarationError, DeclarationWarning, StorageError
from neurapde.core.memory import check_fits
from neurapde.core.warn import warn
from neurapde.seismic.survey.formats import segy_headers, segy_written
from neurapde.seismic.survey.formats.format import Format
from neurapde.seismic.survey.formats.segy_headers import Field, Given, Headers
from neurapde.seismic.survey.recording import Recording
from neurapde.seismic.survey.records import Arguments, Spectra

try:
    import segyio
except ImportError:  # An extra: everything but SEG-Y works without it.
    segyio = None

IBM, IEEE = 1, 5
MOST_SAMPLES = 2**16 - 1
"""Of a trace: what the two bytes for their number hold."""
ASKS = frozenset({"sources", "receivers", "source_depth", "receiver_depth"})
"""What may be said in place of the headers."""


def read(path: Path, given: Given) -> Arguments:
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
    first = np.unique(shots, return_index=True)[1]
    spread, columns = _distinct(receivers)
    size = (len(first), len(spread), traces.shape[1])
    check_fits(
        8 * np.prod(size, dtype=float),
        f"a survey holds every shot at every receiver, and {path.name} has {size[0]} shots and {size[1]} places of "
        f"receivers, of {size[2]} samples",
        "split the file, or pass receivers= with places that several shots share, such as those of the nearest station",
    )
    _check_single(shots * len(spread) + columns, spread, path.name)
    gathers, weights = np.zeros(size), np.zeros(size[:2])
    if not np.isfinite(traces).all():
        raise StorageError(f"{path.name} has samples that are no numbers; give traces of finite values")
    gathers[shots, columns] = traces
    weights[shots, columns] = ~headers.dead
    sounding = np.zeros(len(first), dtype=bool)
    np.logical_or.at(sounding, shots, ~headers.dead & traces.any(axis=1))
    if sounding.any() and not sounding.all():
        silent = np.flatnonzero(~sounding)
        warn(
            f"{len(silent)} of {len(first)} shots of {path.name} have no live trace and are left out, "
            f"shot {silent[0]} for one",
            DeclarationWarning,
        )
        gathers, weights, first = gathers[sounding], weights[sounding], first[sounding]
    return {
        "sources": sources[first],
        "receivers": spread,
        "traces": gathers,
        "dt": interval,
        "start_time": headers.start_time(path.name),
        "weights": weights,
    }


def _check_single(pairs: NDArray[np.intp], spread: NDArray[np.float64], name: str) -> None:
    """Refuse two traces of one shot at one place; pairs: shot · R + receiver of each trace."""
    values, counts = np.unique(pairs, return_counts=True)
    if (counts > 1).any():
        shot, column = divmod(int(values[counts > 1][0]), len(spread))
        raise DeclarationError(
            f"shot {shot} of {name} has more than one trace at {spread[column].tolist()}; keep one of them, or give "
            "receivers="
        )


def _check_segyio() -> None:
    if segyio is None:
        raise DeclarationError(
            "SEG-Y files need segyio, which is not installed: pip install 'neurapde[seismic]'"
        )


def _content(path: Path) -> tuple[Headers, NDArray, float]:
    try:
        with np.errstate(all="ignore"), segyio.open(str(path), ignore_geometry=True) as file:
            count, samples = file.tracecount, len(file.samples)
            check_fits(
                (12 * samples + 8 * len(Field)) * float(count),
                f"{path.name} has {count} traces of {samples} samples",
                "split the file",
            )
            columns = {field: file.attributes(int(field))[:].astype(np.int64) for field in Field}
            system = int(file.bin[segyio.BinField.MeasurementSystem])
            return Headers(columns, system), file.trace.raw[:], segyio.dt(file, fallback_dt=0.0) * 1e-6
    except DeclarationError:
        raise
    except Exception as error:  # A damaged file ends in errors of any kind.
        raise StorageError(f"{path} cannot be read as SEG-Y ({error}).") from error


def _distinct(places: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """The distinct rows in the order in which they first appear, and of each row its place among them."""
    _, first, which = np.unique(places, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return places[first[order]], rank[which.ravel()]


def write(path: Path, survey: Recording, ibm: bool) -> None:
    """Write a time survey in the plane: every shot with every receiver, those without weight marked dead.

    Numbers are IEEE floats of 32 bits, or IBM's. Raises: DeclarationError for spectra, other dimensions than 2, and
    whatever would not be read back. Warns where positions are rounded, and of weights that become 1.
    """
    record, sources, receivers, weights = survey.record, survey.sources, survey.receivers, survey.weights
    if isinstance(record, Spectra):
        raise DeclarationError(
            f"SEG-Y holds time traces, but the survey has spectra; save {path.stem}.h5, or use to_time"
        )
    _check_segyio()
    if sources.shape[1] != 2:
        raise DeclarationError(
            f"SEG-Y is written of surveys in a plane, but positions have {sources.shape[1]} coordinates"
        )
    traces, dt = record.values, record.dt
    interval, count = segy_written.microseconds(dt), traces.shape[2]
    _check_samples(traces, weights)
    headers = segy_written.of(sources, receivers, weights, record.start_time)
    segy_written.check_read_back(headers, len(sources), len(receivers))
    specification = segyio.spec()
    specification.format = IBM if ibm else IEEE
    specification.samples = np.arange(count) * dt * 1e3
    specification.tracecount = len(headers)
    with atomic.replacing(path) as (part,), segyio.create(str(part), specification) as file:
        title = f"Survey {survey.name}".encode("ascii", "replace").decode()
        file.text[0] = segyio.tools.create_text_header(
            {1: title[:76], 2: "x along the line, z depth below the datum, metres"}
        )
        ensemble = len(receivers) if len(receivers) < 2**15 else 0
        file.bin.update(hdt=interval, hns=count, mfeet=1, rev=1, ntrpr=ensemble, nart=0)
        flat = traces.reshape(-1, count).astype(np.float32)
        for index, header in enumerate(headers):
            file.header[index] = {**header, Field.SAMPLES: count, Field.INTERVAL: interval}
            file.trace[index] = flat[index]


def _check_samples(traces: NDArray[np.float64], weights: NDArray[np.float64]) -> None:
    """Refuse traces that are too long or too large for SEG-Y, or so small that numbers of 32 bits lose their digits."""
    if traces.shape[2] > MOST_SAMPLES:
        raise DeclarationError(
            f"the traces have {traces.shape[2]} samples, but SEG-Y holds up to {MOST_SAMPLES}; save as .h5, or sample them "
            "more coarsely"
        )
    peaks = np.abs(traces).max(axis=2)[weights > 0]
    limits = np.finfo(np.float32)
    if peaks.max() > limits.max or peaks.min() < limits.tiny / limits.eps:
        raise DeclarationError(
            f"the largest values of the traces go from {peaks.min():.3g} to {peaks.max():.3g}, but numbers of 32 bits hold "
            f"traces from {limits.tiny / limits.eps:.3g} to {limits.max:.3g} to their precision; scale them, or save as .h5"
        )
    if ((weights > 0) & (weights != 1)).any():
        warn(
            f"SEG-Y says of a trace that it is live or dead: weights from {weights[weights > 0].min():g} to "
            f"{weights.max():g} will be read as 1; save as .h5 to keep them",
            DeclarationWarning,
        )


def _read_said(path: Path, said: Mapping[str, Any]) -> Arguments:
    return read(path, Given(**{name: said[name] for name in ASKS & set(said)}))


SEGY = Format((".sgy", ".segy"), _read_said, ASKS, write)
