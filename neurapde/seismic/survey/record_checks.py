"""Checks of recorded arrays: shapes, axes, weights, frequencies, wavelets, for `records`."""

from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import number

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

MOST_DAMPED = 200.0
"""Damping times the length of a record, above which its spectrum is that of its first samples alone."""


def spectra(
    size: tuple[int, int], weights: Any, data: Any, frequencies: Any, wavelet: Any
) -> tuple[Complex, Real, Complex | None, Real]:
    """Data, frequencies, wavelet and weights of a frequency survey of `size` (S, R)."""
    scale, band = _weights(weights, size), ascending(frequencies)
    values = _values(data, (len(band), *size), "data", "(F, S, R)", complex)
    muted, live_weights = _live(values, 0, scale, "data", complex)
    return muted, band, _spectral_wavelet(wavelet, len(band), size[0]), live_weights


def traces(
    size: tuple[int, int], weights: Any, recorded: Any, dt: Any, wavelet: Any, window: Any
) -> tuple[Real, float, Real | None, Real | None, Real]:
    """Traces, dt, wavelet, window and weights of a time survey of `size` (S, R)."""
    scale, interval = _weights(weights, size), checks.positive(dt, "dt of the survey")
    given = checks.array(recorded, "traces")
    if given.ndim == 3 and given.shape[2] < 2:
        raise DeclarationError(f"traces have {given.shape[2]} sample each; give at least 2")
    values = _values(given, (*size, _samples(given.shape, size)), "traces", "(S, R, T)", float)
    factor = None
    if window is not None:
        factor = _not_negative(_values(window, values.shape, "window", "(S, R, T)", float), "window")
        values = np.where(factor > 0, values, 0.0)
    muted, live_weights = _live(values, 2, scale, "traces", float)
    return muted, interval, _sampled_wavelet(wavelet, muted.shape[2]), factor, live_weights


def _samples(shape: tuple[int, ...], size: tuple[int, int]) -> int:
    """T of traces of this shape, for any order of axes."""
    rest = list(shape)
    for count in size:
        if count in rest:
            rest.remove(count)
    return rest[-1] if len(shape) == 3 and rest else 0


def _values(value: Any, shape: tuple[int, ...], what: str, letters: str, kind: type) -> NDArray:
    array = checks.array(value, what, "iufc" if kind is complex else "iuf")
    if array.shape != shape:
        way = _rearranged(array.shape, shape) or "; check the counts of sources and receivers"
        raise DeclarationError(f"{what} have the shape {array.shape}, but must be {letters} = {shape}{way}")
    return array


def _rearranged(shape: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    """The exchange of axes that gives the expected shape, in words, or nothing."""
    if len(shape) == 2 and wanted[0] == 1:
        return {wanted[1:]: ", so use [None]", wanted[:0:-1]: ", so use .T[None]"}.get(shape, "")
    for order in permutations(range(len(wanted))):
        if len(shape) == len(wanted) and tuple(shape[i] for i in order) == wanted:
            return f", so use .transpose{order}"
    return ""


def _weights(value: Any, size: tuple[int, int]) -> Real:
    if value is None:
        return np.ones(size)
    weights = checks.array(value, "weights", "biuf")
    if weights.shape != size:
        raise DeclarationError(f"weights have the shape {weights.shape}, but must be (S, R) = {size}")
    return _not_negative(weights, "weights")


def _not_negative(given: NDArray, what: str) -> Real:
    numbers = given.astype(float)
    if not (np.isfinite(numbers).all() and (numbers >= 0).all()):
        raise DeclarationError(
            f"{what} goes from {numbers.min():g} to {numbers.max():g}; give finite numbers that are not negative"
        )
    return numbers


def _live(values: NDArray, axis: int, weights: Real, what: str, kind: type) -> tuple[NDArray, Real]:
    """Values with 0 where there is no weight, weights with 0 where all values are 0.

    Nothing is written where there is no weight, so only the live traces of a large survey take memory.
    """
    muted: NDArray = np.zeros(values.shape, kind)
    into, given = np.moveaxis(muted, axis, 2), np.moveaxis(values, axis, 2)
    finite, sounding = np.ones(weights.shape, dtype=bool), np.zeros(weights.shape, dtype=bool)
    for shot, live in enumerate(weights > 0):
        recorded = given[shot, live]
        into[shot, live] = recorded
        finite[shot, live] = np.isfinite(recorded).all(axis=1)
        sounding[shot, live] = recorded.any(axis=1)
    if not finite.all():
        shot, receiver = np.argwhere(~finite)[0]
        raise DeclarationError(
            f"{int((~finite).sum())} of {finite.size} traces in {what} are not finite, for example shot {shot}, "
            f"receiver {receiver}; give weights= that are 0 there"
        )
    live_weights = np.where(sounding, weights, 0.0)
    if not live_weights.any():
        raise DeclarationError(
            f"{what} are zero for all {len(weights)} shots and {weights.shape[1]} receivers: nothing was recorded; "
            "check how the file was read"
        )
    if (silent := np.flatnonzero(~(live_weights > 0).any(axis=1))).size:
        raise DeclarationError(
            f"shot {silent[0]} has no live trace ({len(silent)} of {len(weights)} shots have none); leave it out"
        )
    return muted, live_weights


def ascending(value: Any) -> Real:
    """Frequencies `(F,)`, positive and ascending; a number is one of them."""
    frequencies = np.atleast_1d(checks.array(value, "frequencies"))
    if frequencies.ndim != 1 or frequencies.size == 0:
        raise DeclarationError(f"frequencies are {checks.shown(value)}; give one or more real numbers, Hz")
    frequencies = frequencies.astype(float)
    if not (np.isfinite(frequencies).all() and (frequencies > 0).all() and (np.diff(frequencies) > 0).all()):
        raise DeclarationError(
            f"frequencies are {frequencies.tolist()}; give finite, positive, increasing frequencies"
        )
    for frequency in frequencies[[0, -1]]:
        checks.positive(frequency, "a frequency")
    return frequencies


def _finite_wavelet(value: Any) -> NDArray:
    wavelet = checks.array(value, "wavelet", "iufc")
    if not np.isfinite(wavelet).all():
        raise DeclarationError(
            f"wavelet is {checks.shown(value)}; give finite numbers, or None if it is unknown"
        )
    return wavelet


def _sampled_wavelet(value: Any, count: int) -> Real | None:
    if value is None:
        return None
    wavelet = _finite_wavelet(value)
    if wavelet.shape != (count,) or wavelet.dtype.kind == "c" or not wavelet.any():
        raise DeclarationError(
            f"wavelet has the shape {wavelet.shape} of {wavelet.dtype}; give real samples ({count},) at the times of "
            "the traces, not all zero, or None if it is unknown"
        )
    return wavelet.astype(float)


def _spectral_wavelet(value: Any, count: int, shots: int) -> Complex | None:
    if value is None:
        return None
    wavelet = _finite_wavelet(value)
    if wavelet.shape not in ((), (count,), (count, shots)):
        raise DeclarationError(
            f"wavelet has the shape {wavelet.shape}; give a number, (F,) = ({count},) or (F, S) = ({count}, {shots})"
        )
    if (wavelet == 0).any():
        raise DeclarationError("the wavelet is zero for a frequency and shot; leave that frequency out")
    columns = wavelet[:, None] if wavelet.ndim == 1 else wavelet
    return np.array(np.broadcast_to(columns, (count, shots)), dtype=complex)


def at_least_zero(value: Any, what: str) -> float:
    """A finite number that is not negative."""
    real = checks.real(value, what)
    if real < 0:
        raise DeclarationError(f"{what} is {real:g}; give a number that is not negative")
    return real


def damping_of(value: Any, longest: float) -> float:
    """σ of e^{−σt} over times up to `longest`: a number from 0 up that stays in the range of double precision."""
    damping = at_least_zero(value, "damping")
    if damping * longest > MOST_DAMPED:
        raise DeclarationError(
            f"damping is {damping:g}, so e^(-damping t) changes by e^{damping * longest:.3g} over the record; give at "
            f"most {number(MOST_DAMPED / longest)}"
        )
    return damping


def check_period(frequencies: Real, dt: float, samples: int) -> None:
    """Refuse frequencies that cannot give traces of this length."""
    if len(frequencies) < 2 or not np.allclose(
        np.diff(frequencies), frequencies[1] - frequencies[0], rtol=1e-6
    ):
        raise DeclarationError(
            f"traces need two or more equally spaced frequencies, but the survey has {frequencies.tolist()}; select "
            "frequencies that are"
        )
    step = float(frequencies[1] - frequencies[0])
    if frequencies[-1] * 2 * dt >= 1:
        raise DeclarationError(
            f"dt = {number(dt)} samples frequencies below {number(0.5 / dt)}, but the survey goes up to "
            f"{number(frequencies[-1])}; use a shorter dt"
        )
    if samples < 2 or samples * dt * step > 1 + 1e-9:
        raise DeclarationError(
            f"{samples} samples of {number(dt)} last {number(samples * dt)}, but frequencies {number(step)} apart make "
            f"traces of period {number(1 / step)}; ask for 2 to {int(1 / step / dt + 1e-9)} samples"
        )
