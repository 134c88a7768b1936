"""Times and positions in SEG-Y trace headers, for `segy`."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurapde.core import checks
from neurapde.core.errors import DeclarationError, DeclarationWarning
from neurapde.core.formatting import number
from neurapde.core.warn import warn
from neurapde.seismic.survey.geometry import positions

FOOT = 0.3048  # metres
BENT = 0.05  # of a line's length: farther off it, projecting is warned of
BYTES = {"sources": "73–80", "receivers": "81–88"}

Column = NDArray[np.int64]
Places = NDArray[np.float64]


class Field(IntEnum):
    """First bytes of the trace header's entries, SEG-Y rev 1."""

    FIELD_RECORD = 9
    TRACE_NUMBER = 13
    SHOT_POINT = 17
    KIND = 29
    RECEIVER_ELEVATION = 41
    SURFACE_ELEVATION = 45
    SOURCE_DEPTH = 49
    ELEVATION_SCALAR = 69
    SCALAR = 71
    SOURCE_X = 73
    SOURCE_Y = 77
    RECEIVER_X = 81
    RECEIVER_Y = 85
    UNITS = 89
    DELAY = 109
    SAMPLES = 115
    INTERVAL = 117
    TIME_SCALAR = 215


SHORT = frozenset(
    {
        Field.KIND,
        Field.ELEVATION_SCALAR,
        Field.SCALAR,
        Field.UNITS,
        Field.DELAY,
        Field.SAMPLES,
        Field.INTERVAL,
        Field.TIME_SCALAR,
    }
)
"""Entries of two bytes; the others have four."""
LEGAL = (1, 10, 100, 1000, 10_000)
"""What coordinates are multiplied or, negative, divided by."""
SCALARS = {
    Field.ELEVATION_SCALAR: "the scalar of elevations and depths (bytes 69–70)",
    Field.SCALAR: "the scalar of coordinates (bytes 71–72)",
    Field.TIME_SCALAR: "the scalar of times (bytes 215–216)",
}


@dataclass(frozen=True)
class Given:
    """The caller's arguments for missing headers.

    sources: `(S, 2)` in the order of the shots in the file, or `(n, 2)` for its n traces. receivers: `(R, 2)` for
    shots of R traces each, or `(n, 2)`. source_depth, receiver_depth: numbers instead of the headers.
    """

    sources: Any = None
    receivers: Any = None
    source_depth: float | None = None
    receiver_depth: float | None = None


@dataclass(frozen=True)
class Headers:
    """Columns `(n,)` of n traces by field. system: 1 metres, 2 feet, 0 not given, which means metres."""

    columns: dict[Field, Column]
    system: int

    def __getitem__(self, field: Field) -> Column:
        return self.columns[field]

    def only(self, rows: NDArray[np.bool_]) -> "Headers":
        """These traces alone."""
        return Headers({field: column[rows] for field, column in self.columns.items()}, self.system)

    @property
    def seismic(self) -> NDArray[np.bool_]:
        """`(n,)`: all but dummies and auxiliary traces (codes 3 to 8: time break, uphole, sweep, …)."""
        return (self[Field.KIND] < 3) | (self[Field.KIND] > 8)

    @property
    def dead(self) -> NDArray[np.bool_]:
        """`(n,)`: marked dead."""
        return self[Field.KIND] == 2

    def scaled(self, field: Field, scalar: Field) -> Places:
        """A column in its units: a positive scalar multiplies, a negative one divides, 0 counts as 1."""
        scale = self[scalar].astype(float)
        values = self[field].astype(float)
        return np.where(
            scale < 0, values / np.where(scale < 0, -scale, 1.0), values * np.where(scale > 0, scale, 1.0)
        )

    def legal(self, name: str) -> "Headers":
        """The same with scalars outside the standard counted as 1. Warns: DeclarationWarning of them."""
        columns = dict(self.columns)
        for field, what in SCALARS.items():
            known = np.isin(np.abs(columns[field]), (0, *LEGAL))
            if not known.all():
                text = f"{what} of {name} is {int(columns[field][~known][0])} in {int((~known).sum())} traces"
                warn(f"{text}; it is not one of ±1, ±10, …, ±10000, so 1 is used", DeclarationWarning)
                columns[field] = np.where(known, columns[field], 1)
        return Headers(columns, self.system)

    @property
    def delays(self) -> Places:
        """`(n,)`, of the first samples, s."""
        return self.scaled(Field.DELAY, Field.TIME_SCALAR) * 1e-3

    def start_time(self, name: str) -> float:
        """The delay of all traces, s."""
        delays = self.delays
        if np.ptp(delays) > 0:
            raise DeclarationError(
                f"the traces of {name} start at {number(delays.min())} to {number(delays.max())} s (delay recording "
                "time, bytes 109–110); read their spectra, with frequencies=, or give traces that start at the same "
                "time"
            )
        return float(delays[0])


def geometry(headers: Headers, given: Given, name: str) -> tuple[Places, Places, NDArray[np.intp]]:
    """Sources `(n, 2)` and receivers `(n, 2)` of n traces, and the shot of each `(n,)`, counted from 0.

    Raises: DeclarationError for coordinates that are missing, that are angles, or that do not fit the shots.
    """
    count = len(headers[Field.KIND])
    unit = FOOT if headers.system == 2 else 1.0
    needed = [
        side for side, value in (("sources", given.sources), ("receivers", given.receivers)) if value is None
    ]
    if needed and (headers[Field.UNITS] > 1).any():
        raise DeclarationError(
            f"{name} has coordinates as angles (bytes 89–90 are {int(headers[Field.UNITS].max())}); project them to "
            "metres, or pass sources= and receivers="
        )
    flat = {
        "sources": _horizontal(headers, Field.SOURCE_X, Field.SOURCE_Y) * unit,
        "receivers": _horizontal(headers, Field.RECEIVER_X, Field.RECEIVER_Y) * unit,
    }
    shots = _shots(headers, flat["sources"] if given.sources is None else np.zeros((count, 2)), name)
    _check_present(needed, flat, shots, name)
    elevation = headers.scaled(Field.RECEIVER_ELEVATION, Field.ELEVATION_SCALAR)
    surface = headers.scaled(Field.SURFACE_ELEVATION, Field.ELEVATION_SCALAR)
    depth = headers.scaled(Field.SOURCE_DEPTH, Field.ELEVATION_SCALAR)
    depths = {"sources": (depth - surface) * unit, "receivers": 0.0 - elevation * unit}
    for side, value in (("sources", given.source_depth), ("receivers", given.receiver_depth)):
        if value is not None:
            depths[side] = np.full(count, checks.real(value, f"{side[:-1]}_depth"))
    along = _along({side: flat[side] for side in needed}, name)
    places = {side: np.column_stack([along[side], depths[side]]) for side in needed}
    if given.sources is not None:
        places["sources"] = _spread("sources", given.sources, shots, shots, name)
    if given.receivers is not None:
        order = np.argsort(shots, kind="stable")
        counts = np.bincount(shots)
        turn = np.empty_like(shots)
        turn[order] = np.arange(len(shots)) - np.repeat(np.cumsum(counts) - counts, counts)
        places["receivers"] = _spread("receivers", given.receivers, turn, shots, name)
    return places["sources"], places["receivers"], shots


def _horizontal(headers: Headers, x: Field, y: Field) -> Places:
    return np.column_stack([headers.scaled(x, Field.SCALAR), headers.scaled(y, Field.SCALAR)])


def _groups(keys: NDArray) -> NDArray[np.intp]:
    """The group of each row; groups are counted in the order of their appearance."""
    _, first, which = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    order = np.empty(len(first), dtype=np.intp)
    order[np.argsort(first)] = np.arange(len(first))
    return order[which.ravel()]


def _shots(headers: Headers, sources: Places, name: str) -> NDArray[np.intp]:
    """The shot of each trace: by field record, or by source position if all records are the same."""
    records, at = _groups(headers[Field.FIELD_RECORD][:, None]), _groups(sources)
    every = _groups(np.column_stack([records, at]))
    if records.max() == 0 and at.max() == 0:
        return _groups(headers[Field.SHOT_POINT][:, None])
    if records.max() == 0 or (records.max() + 1 == len(records) > at.max() + 1 and at.max() > 0):
        return at
    if every.max() > records.max():
        torn = next(r for r in range(records.max() + 1) if len(set(at[records == r])) > 1)
        row = int(np.flatnonzero(records == torn)[0])
        raise DeclarationError(
            f"field record {headers[Field.FIELD_RECORD][row]} of {name} (bytes 9–12) has traces with "
            f"{len(set(at[records == torn]))} source positions (bytes 73–80); give sources="
        )
    return records


def _check_present(needed: list[str], flat: dict[str, Places], shots: NDArray[np.intp], name: str) -> None:
    """Refuse coordinates that were not filled in: zeros for all, or for some far from all others."""
    several, given = shots.max() > 0, {side: bool(places.any()) for side, places in flat.items()}
    for side in needed:
        repeated = several if side == "sources" else len(shots) > shots.max() + 1
        if not given[side] and (repeated or not any(given.values())):
            raise DeclarationError(_missing(side, flat[side], name))
    rest = np.concatenate([places[places.any(axis=1)] for places in flat.values()])
    if not len(rest):
        return
    lower, upper = rest.min(axis=0), rest.max(axis=0)
    reach = float(np.linalg.norm(upper - lower))
    for side in needed:
        zero = ~flat[side].any(axis=1)
        if zero.any() and not zero.all() and np.linalg.norm(np.clip(0.0, lower, upper)) > reach > 0:
            raise DeclarationError(_missing(side, flat[side], name))


def _missing(side: str, places: Places, name: str) -> str:
    zero = (places == 0).all(axis=1)
    return (
        f"{side[:-1]} coordinates are missing from {name}: trace header bytes {BYTES[side]} are zero in "
        f"{int(zero.sum())} of {len(places)} traces; pass {side}= with positions (x, depth)"
    )


def _along(flat: dict[str, Places], name: str) -> dict[str, NDArray[np.float64]]:
    """Distances along the line that fits all positions best; x or y itself if the line is along that axis.

    The line is the principal axis; 0 is its first position in the direction of growing x (or else y).
    """
    if not flat:
        return {}
    everything = np.concatenate(list(flat.values()))
    for axis in (0, 1):
        if np.ptp(everything[:, 1 - axis]) == 0:
            return {side: places[:, axis] for side, places in flat.items()}
    middle = everything.mean(axis=0)
    direction = np.linalg.svd(everything - middle, full_matrices=False)[2][0]
    leading = direction[np.abs(direction) > 1e-9][0]
    direction = direction * np.sign(leading)
    start = float(((everything - middle) @ direction).min())
    length = float(np.ptp((everything - middle) @ direction))
    off = float(np.abs((everything - middle) @ np.array([-direction[1], direction[0]])).max())
    if off > BENT * length:
        warn(
            f"the geometry of {name} deviates by up to {number(off)} from the line of length {number(length)} on which "
            "it is projected, so offsets are wrong by that much; pass sources= and receivers= with positions (x, "
            "depth) of your own",
            DeclarationWarning,
        )
    return {side: (places - middle) @ direction - start for side, places in flat.items()}


def _spread(side: str, value: object, index: NDArray, shots: NDArray, name: str) -> Places:
    """Given positions for each trace: by its index (its shot, or its number in the shot), or one by one."""
    places = positions(value, side)
    if places.shape[1] != 2:
        raise DeclarationError(f"{side} have {places.shape[1]} coordinates; give (x, depth) for SEG-Y")
    if len(places) == len(index):
        return places
    if len(places) == index.max() + 1:
        if side == "receivers" and len(set(np.bincount(shots).tolist())) > 1:
            raise DeclarationError(
                f"the shots of {name} have {np.bincount(shots).min()} to {np.bincount(shots).max()} traces, so "
                f"{len(places)} receiver positions are ambiguous; give one position for each of the {len(index)} traces"
            )
        return places[index]
    raise DeclarationError(
        f"{len(places)} {side} were given, but {name} has {shots.max() + 1} shots of up to {np.bincount(shots).max()} "
        f"traces, {len(index)} in all; give one for each {'shot' if side == 'sources' else 'trace of a shot'}, or for "
        "each trace"
    )
