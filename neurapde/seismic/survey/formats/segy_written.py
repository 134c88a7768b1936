"""Trace headers with a survey's times and positions, and a check that they can be read back, for `segy`."""

import math

import numpy as np
from numpy.typing import NDArray

from neurapde.core.errors import DeclarationError, DeclarationWarning
from neurapde.core.formatting import number
from neurapde.core.warn import warn
from neurapde.seismic.survey.formats.segy_headers import Field, Given, Headers, Places, geometry

_SCALES = (1, 10, 100, 1000, 10_000)
_WORD, _HALF = 2**31 - 1, 2**15 - 1


def _whole(values: NDArray[np.float64], limit: int, what: str) -> tuple[NDArray[np.int64], int]:
    """Values as integers and their divisor: the smallest power of ten that makes them integers, up to 10⁴."""
    largest = float(np.abs(values).max(initial=0.0))
    fitting = [scale for scale in _SCALES if largest * scale <= limit]
    if not fitting:
        raise DeclarationError(
            f"{what} of {largest:g} is more than a SEG-Y header can store, {limit}; use larger units, or save as .h5"
        )
    for scale in fitting:
        scaled = values * scale
        if np.allclose(scaled, np.round(scaled), rtol=1e-12, atol=1e-7):
            return np.round(scaled).astype(np.int64), scale
    return np.round(values * fitting[-1]).astype(np.int64), fitting[-1]


def microseconds(dt: float) -> int:
    """A sampling interval in SEG-Y's unit."""
    value = round(dt * 1e6)
    if not (math.isclose(value, dt * 1e6, rel_tol=1e-9) and 0 < value <= _HALF):
        raise DeclarationError(
            f"dt = {number(dt)} s is {number(dt * 1e6)} µs, but SEG-Y stores whole microseconds up to {_HALF}; simulate "
            "with another dt=, or save as .h5"
        )
    return value


def of(sources: Places, receivers: Places, weights: Places, start_time: float) -> list[dict[int, int]]:
    """The trace headers of a survey in the plane, shot by shot, every receiver in each."""
    across, scale = _whole(np.concatenate([sources[:, 0], receivers[:, 0]]), _WORD, "x")
    depths, depth_scale = _whole(np.concatenate([sources[:, 1], receivers[:, 1]]), _WORD, "a depth")
    delay, delay_scale = _whole(np.array([start_time * 1e3]), _HALF, "a start_time, in ms,")
    everything = np.concatenate([sources, receivers])
    rounded = np.column_stack([across / scale, depths / depth_scale])
    if (off := float(np.abs(rounded - everything).max())) > 1e-6 * float(np.ptp(everything, axis=0).max()):
        warn(
            f"positions are rounded by up to {number(off)}, since SEG-Y stores ten-thousandths; save as .h5 to keep "
            "them exact",
            DeclarationWarning,
        )
    if not math.isclose(delay[0] / delay_scale, start_time * 1e3, rel_tol=1e-9, abs_tol=1e-9):
        raise DeclarationError(
            f"start_time = {start_time} s is not a whole number of tenths of a microsecond, which SEG-Y stores"
        )
    shots, count = len(sources), len(receivers)
    return [
        {
            Field.FIELD_RECORD: i + 1,
            Field.TRACE_NUMBER: j + 1,
            Field.SHOT_POINT: i + 1,
            Field.KIND: 1 if weights[i, j] > 0 else 2,
            Field.RECEIVER_ELEVATION: -int(depths[shots + j]),
            Field.SOURCE_DEPTH: int(depths[i]),
            Field.ELEVATION_SCALAR: -depth_scale,
            Field.SCALAR: -scale,
            Field.SOURCE_X: int(across[i]),
            Field.RECEIVER_X: int(across[shots + j]),
            Field.UNITS: 1,
            Field.DELAY: int(delay[0]),
            Field.TIME_SCALAR: -delay_scale,
        }
        for i in range(shots)
        for j in range(count)
    ]


def check_read_back(headers: list[dict[int, int]], shots: int, receivers: int) -> None:
    """Refuse a geometry that cannot be read back from these headers.

    Raises: DeclarationError if `geometry` refuses them (coordinates that are zero look like missing ones), or finds
        other shots or positions than those of the survey.
    """
    columns = {field: np.array([header.get(field, 0) for header in headers], np.int64) for field in Field}
    way = "move the origin (add a number to x of all sources and receivers), or save as .h5"
    try:
        given = geometry(Headers(columns, 1), Given(), "the file")
    except DeclarationError as error:
        raise DeclarationError(f"SEG-Y cannot store this geometry: {error}. To write it, {way}") from error
    places = len(np.unique(given[1][:receivers], axis=0))
    if given[2].max() + 1 != shots or places != receivers:
        raise DeclarationError(
            f"SEG-Y cannot store this geometry: of {shots} shots and {receivers} receivers {given[2].max() + 1} and "
            f"{places} would be read, since positions that agree to a ten-thousandth become one; {way}"
        )
