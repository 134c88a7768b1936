"""SEG-Y and SU files through segyio: from traces with headers to a survey in the plane, and back.

The plane is (distance along the line, depth below the datum), metres. Depth is positive downwards: for a source its
depth minus the surface elevation, for a receiver minus its elevation. Coordinates in feet become metres.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurapde.core import atomic
from neurapde.core.errors import DeclarationError, DeclarationWarning
from neurapde.core.formatting import number
from neurapde.core.memory import check_fits
from neurapde.core.warn import warn
from neurapde.seismic.survey.formats import segy_files, segy_headers, segy_written
from neurapde.seismic.survey.formats.format import Format
from neurapde.seismic.survey.formats.segy_headers import Field, Given
from neurapde.seismic.survey.record_checks import ascending, at_least_zero, damping_of
from neurapde.seismic.survey.recording import Recording
from neurapde.seismic.survey.records import Arguments, Spectra
from neurapde.seismic.survey.transforms import spectrum

try:
    import segyio
except ImportError:  # An extra: everything but SEG-Y works without it.
    segyio = None

IEEE = 5
MOST_SAMPLES = 2**16 - 1
"""Of a trace: what the two bytes for their number hold."""
PLACES = frozenset({"sources", "receivers", "source_depth", "receiver_depth"})
"""Arguments that replace headers."""
ASKS = PLACES | {"frequencies", "taper", "damping", "header_bytes"}
"""Arguments for a file."""


def read(
    path: Path,
    given: Given,
    frequencies: Any = None,
    taper: float = 0.0,
    header_bytes: Any = None,
    damping: float = 0.0,
) -> Arguments:
    """The arguments of a Survey: of traces, or of spectra at `frequencies`; only these are then held in memory.

    Raises: DeclarationError for missing coordinates, sampling interval or segyio; StorageError for no SEG-Y file.
    Source: SEG-Y rev 1 and 2 (SEG Technical Standards Committee, 2002, 2017): header bytes, coordinate scalars, units.
    """
    moved = segy_files.moved_entries(header_bytes)
    with segy_files.opened(path) as file:
        headers, interval = segy_files.headers_of(file, path, moved)
        if not headers.seismic.any():
            raise DeclarationError(
                f"{path.name} has no seismic traces by trace identification code, bytes 29–30"
            )
        rows = np.flatnonzero(headers.seismic)
        headers = headers.only(headers.seismic).legal(path.name)
        if interval <= 0:
            raise DeclarationError(
                f"{path.name} has no sampling interval (binary header bytes 3217–3218, trace header bytes 117–118); "
                "write it there"
            )
        sources, receivers, shots = segy_headers.geometry(headers, given, path.name)
        first = np.unique(shots, return_index=True)[1]
        spread, columns = _distinct(receivers)
        _check_single(shots * len(spread) + columns, spread, path.name)
        places = len(first), len(spread)
        blocks = segy_files.blocks_of(file, path, rows)
        if frequencies is None:
            record, loud = _traces(blocks, (*places, len(file.samples)), shots, columns, path.name)
            record |= {"dt": interval, "start_time": headers.start_time(path.name)}
        else:
            band = ascending(frequencies)
            longest = float(np.abs(headers.delays).max()) + interval * len(file.samples)
            selection = _Kept(
                band,
                interval,
                headers.delays,
                at_least_zero(taper, "taper"),
                damping_of(damping, longest),
            )
            record, loud = _spectra(blocks, selection, (len(band), *places), shots, columns, path.name)
            record["damping"] = selection.damping
    weights = np.zeros(places)
    weights[shots, columns] = ~headers.dead & loud
    sounding = weights.any(axis=1)
    if sounding.any() and not sounding.all():
        silent = np.flatnonzero(~sounding)
        warn(
            f"{len(silent)} of {len(first)} shots of {path.name} have no live trace and are left out, for example shot "
            f"{silent[0]}",
            DeclarationWarning,
        )
        weights, first = weights[sounding], first[sounding]
        if frequencies is None:
            record["traces"] = np.asarray(record["traces"])[sounding]
        else:
            record["data"] = np.asarray(record["data"])[:, sounding]
    return {"sources": sources[first], "receivers": spread, "weights": weights, **record}


Blocks = Iterator[tuple[slice, NDArray]]


def _traces(
    blocks: Blocks, size: tuple[int, int, int], shots: NDArray, columns: NDArray, name: str
) -> tuple[Arguments, NDArray[np.bool_]]:
    """The traces of every shot at every receiver, and which traces of the file are not zero."""
    check_fits(
        8 * np.prod(size, dtype=float),
        f"a survey stores every shot at every receiver, and {name} has {size[0]} shots and {size[1]} receiver "
        f"positions, with {size[2]} samples",
        "read only spectra, with frequencies=, or pass receivers= with positions that several shots share",
    )
    gathers, loud = np.zeros(size), np.zeros(len(shots), dtype=bool)
    for rows, traces in blocks:
        gathers[shots[rows], columns[rows]] = traces
        loud[rows] = traces.any(axis=1)
    return {"traces": gathers}, loud


@dataclass(frozen=True)
class _Kept:
    """The spectra to keep: at frequencies `(F,)` and a damping; delays `(n,)` of the traces, s."""

    frequencies: NDArray[np.float64]
    interval: float
    delays: NDArray[np.float64]
    taper: float
    damping: float

    def of(self, rows: slice, traces: NDArray) -> NDArray[np.complex128]:
        """The spectra `(F, n)` of some traces `(n, T)`, each from its own first sample on."""
        highest = float(self.frequencies.max())
        if highest >= 0.5 / self.interval:
            raise DeclarationError(
                f"{number(highest)} Hz is not below {number(0.5 / self.interval)} Hz, the Nyquist frequency of the "
                "traces; give lower frequencies"
            )
        spectra = spectrum(
            traces.astype(float), self.interval, self.frequencies, taper=self.taper, damping=self.damping
        )
        return spectra * np.exp(-np.outer(2j * np.pi * self.frequencies + self.damping, self.delays[rows]))


def _spectra(
    blocks: Blocks, selection: _Kept, size: tuple[int, int, int], shots: NDArray, columns: NDArray, name: str
) -> tuple[Arguments, NDArray[np.bool_]]:
    """The spectra of every shot at every receiver, and which traces of the file are not zero."""
    check_fits(
        16 * np.prod(size, dtype=float),
        f"{name} has {size[1]} shots and {size[2]} receiver positions, for {size[0]} frequencies",
        "ask for fewer frequencies",
    )
    data, loud = np.zeros(size, complex), np.zeros(len(shots), dtype=bool)
    for rows, traces in blocks:
        data[:, shots[rows], columns[rows]] = selection.of(rows, traces)
        loud[rows] = traces.any(axis=1)
    return {"data": data, "frequencies": selection.frequencies}, loud


def _check_single(pairs: NDArray[np.intp], spread: NDArray[np.float64], name: str) -> None:
    """Refuse two traces of one shot at one place; pairs: shot · R + receiver of each trace."""
    values, counts = np.unique(pairs, return_counts=True)
    if (counts > 1).any():
        shot, column = divmod(int(values[counts > 1][0]), len(spread))
        raise DeclarationError(
            f"shot {shot} of {name} has more than one trace at {spread[column].tolist()}; keep one of them, or give "
            "receivers="
        )


def _distinct(places: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """The distinct rows in the order of their first appearance, and the place of each row among them."""
    _, first, which = np.unique(places, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return places[first[order]], rank[which.ravel()]


def write(path: Path, survey: Recording, ibm: bool) -> None:
    """Write a time survey in the plane: every shot with every receiver; those without weight are marked dead.

    Numbers are IEEE floats of 32 bits, or IBM's. Raises: DeclarationError for spectra, other dimensions than 2, and
    surveys that could not be read back. Warns of rounded positions and of weights that become 1.
    """
    record, sources, receivers, weights = survey.record, survey.sources, survey.receivers, survey.weights
    if isinstance(record, Spectra):
        raise DeclarationError(
            f"SEG-Y stores time traces, but the survey has spectra; save {path.stem}.h5, or use to_time"
        )
    segy_files.check_segyio()
    if sources.shape[1] != 2:
        raise DeclarationError(
            f"SEG-Y is written only for surveys in a plane, but positions have {sources.shape[1]} coordinates"
        )
    traces, dt = record.windowed, record.dt
    interval, count = segy_written.microseconds(dt), traces.shape[2]
    _check_samples(traces, weights)
    headers = segy_written.of(sources, receivers, weights, record.start_time)
    segy_written.check_read_back(headers, len(sources), len(receivers))
    specification = segyio.spec()
    specification.format = segy_files.IBM if ibm else IEEE
    specification.samples = np.arange(count) * dt * 1e3
    specification.tracecount = len(headers)
    with atomic.replacing(path) as (temporary,), segyio.create(str(temporary), specification) as file:
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
            f"the traces have {traces.shape[2]} samples, but SEG-Y stores up to {MOST_SAMPLES}; save as .h5, or sample "
            "them more coarsely"
        )
    peaks = np.abs(traces).max(axis=2)[weights > 0]
    limits = np.finfo(np.float32)
    if peaks.max() > limits.max or peaks.min() < limits.tiny / limits.eps:
        raise DeclarationError(
            f"the largest values of the traces go from {peaks.min():.3g} to {peaks.max():.3g}, but 32-bit numbers keep "
            f"their precision only from {limits.tiny / limits.eps:.3g} to {limits.max:.3g}; scale the traces, or save "
            "as .h5"
        )
    if ((weights > 0) & (weights != 1)).any():
        warn(
            f"SEG-Y marks a trace only as live or dead: weights from {weights[weights > 0].min():g} to "
            f"{weights.max():g} will be read as 1; save as .h5 to keep them",
            DeclarationWarning,
        )


def _read_said(path: Path, said: Mapping[str, Any]) -> Arguments:
    given = Given(**{name: said[name] for name in PLACES & set(said)})
    return read(path, given, **{name: said[name] for name in (ASKS - PLACES) & set(said)})


SEGY = Format((".sgy", ".segy"), _read_said, ASKS, write)
SU = Format((".su",), _read_said, ASKS)
