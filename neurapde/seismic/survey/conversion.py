"""A survey's record from time to frequency, back, and in part: what changes of its fields. It serves `Survey`."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import number
from neurapde.core.memory import check_fits
from neurapde.seismic.survey import records, transforms
from neurapde.seismic.survey.records import Complex, Real

Fields = Mapping[str, Any]


def recorded_traces(fields: Fields, what: str) -> tuple[Real, float]:
    """Traces and dt. Raises: DeclarationError for a frequency survey."""
    if fields["traces"] is None:
        raise DeclarationError(
            f"{what} belong to a time survey, but {fields['name']!r} holds spectra; use to_time(dt, samples) first"
        )
    return fields["traces"], fields["dt"]


def recorded_spectra(fields: Fields, what: str) -> tuple[Complex, Real]:
    """Data and frequencies. Raises: DeclarationError for a time survey."""
    if fields["data"] is None:
        raise DeclarationError(
            f"{what} belong to a frequency survey, but {fields['name']!r} holds time traces; use at(frequencies) first"
        )
    return fields["data"], fields["frequencies"]


def to_spectra(fields: Fields, frequencies: ArrayLike, taper: float) -> dict[str, Any]:
    """What `Survey.at` changes of a time survey."""
    traces, dt = recorded_traces(fields, "spectra")
    wanted = records.ascending(frequencies)
    if wanted[-1] * 2 * dt >= 1:
        raise DeclarationError(
            f"frequency {number(wanted[-1])} is not below {number(0.5 / dt)}, Nyquist's for dt = {number(dt)}; "
            "ask for lower frequencies"
        )
    start, taper = fields["start_time"], records.at_least_zero(taper, "taper")
    data = transforms.spectrum(traces, dt, wanted, start_time=start, taper=taper)
    wavelet, noise = fields["wavelet"], fields["noise"]
    if wavelet is not None:
        wavelet = -transforms.spectrum(wavelet, dt, wanted, start_time=start)
    if noise is not None:
        noise *= float(np.linalg.norm(traces) * dt * np.sqrt(len(wanted)) / np.linalg.norm(data))
    changed = {"data": data, "frequencies": wanted, "traces": None, "dt": None, "start_time": 0.0}
    return {**changed, "wavelet": wavelet, "noise": noise}


def to_traces(fields: Fields, dt: float, samples: int, start_time: float) -> dict[str, Any]:
    """What `Survey.to_time` changes of a frequency survey."""
    data, frequencies = recorded_spectra(fields, "spectra")
    dt, start_time = checks.positive(dt, "dt"), checks.real(start_time, "start_time")
    checks.whole(samples, "samples", 2)
    records.check_period(frequencies, dt, samples)
    check_fits(
        16.0 * samples * data.shape[1] * data.shape[2],
        f"{data.shape[1]} x {data.shape[2]} traces of {samples} samples",
        "ask for fewer samples, or select shots or receivers",
    )
    wavelet = fields["wavelet"]
    if wavelet is not None:
        if not np.allclose(wavelet, wavelet[:, :1], rtol=1e-9, atol=0.0):
            raise DeclarationError(
                "the wavelet differs by shot, and a time survey has one for all; transform the shots one by one: "
                "survey.select(shots=[0]).to_time(…)"
            )
        wavelet = transforms.traces_of(-wavelet[:, 0], frequencies, dt, samples, start_time=start_time)
    traces = transforms.traces_of(data, frequencies, dt, samples, start_time=start_time)
    changed = {"data": None, "frequencies": None, "traces": traces, "dt": dt, "start_time": start_time}
    return {**changed, "wavelet": wavelet}


def _indices(fields: Fields, chosen: Any, what: str) -> NDArray | slice:
    """What chooses some of the shots or receivers: a slice, a mask or a list of indices; all for None."""
    have = {"shots": len(fields["sources"]), "receivers": len(fields["receivers"])}
    count = have[what]
    if chosen is None:
        return slice(None)
    if isinstance(chosen, slice):
        try:
            left = len(range(count)[chosen])
        except (TypeError, ValueError) as error:
            raise DeclarationError(f"{what}={chosen!r}: {error}; give whole numbers") from error
    else:
        given = checks.array(chosen, what, "biu")
        if given.ndim != 1 or (given.dtype.kind == "b" and len(given) != count):
            raise DeclarationError(
                f"{what}={checks.shown(chosen)}: give a list of indices, a slice, or a mask ({count},)"
            )
        if given.dtype.kind != "b" and ((given < -count) | (given >= count)).any():
            raise DeclarationError(
                f"{what}={checks.shown(chosen)}, but the survey has {have['shots']} shots and {have['receivers']} "
                "receivers, counted from 0; give some of those"
            )
        left = int(given.sum()) if given.dtype.kind == "b" else len(given)
        chosen = given
    if not left:
        raise DeclarationError(f"{what}={checks.shown(chosen)} leaves none of {count} {what}; give some")
    return chosen


def part(fields: Fields, frequencies: ArrayLike | None, shots: Any, receivers: Any) -> dict[str, Any]:
    """What `Survey.select` changes."""
    band: slice | NDArray[np.intp] = slice(None)
    if frequencies is not None:
        band = records.find(frequencies, recorded_spectra(fields, "frequencies")[1])
    rows, columns = _indices(fields, shots, "shots"), _indices(fields, receivers, "receivers")
    changed = {"sources": fields["sources"][rows], "receivers": fields["receivers"][columns]}
    changed["weights"] = fields["weights"][rows][:, columns]
    if fields["traces"] is not None:
        return {**changed, "traces": fields["traces"][rows][:, columns]}
    wavelet = fields["wavelet"]
    return {
        **changed,
        "data": fields["data"][band][:, rows][:, :, columns],
        "frequencies": fields["frequencies"][band],
        "wavelet": None if wavelet is None else wavelet[band][:, rows],
    }
