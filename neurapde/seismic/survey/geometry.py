"""Positions of shots and receivers: checks, and whether they lie in a model, with the probable mistake if not.

It serves `Survey`. The usual mistakes of a geometry (swapped columns, kilometres for metres, elevation for depth) are
found by undoing each one and testing whether the geometry then fits.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import listing, number, point
from neurapde.domains.base import Domain

Positions = NDArray[np.float64]

_TINY = 0.01  # share of the model below which a whole acquisition is suspected to be in other units
SURFACE = 0.15
"""Where all sources and receivers are in this part of the model, at its lower y, y is a depth."""
_ALIKE = 4.0  # factor within which the extents of shots and receivers agree


def positions(value: Any, what: str) -> Positions:
    """Positions `(n, d)` as float64, d = 1, 2 or 3.

    Raises: DeclarationError for another shape, no rows, complex numbers, NaN or infinity.
    """
    places = checks.array(value, what)
    if places.ndim != 2 or places.shape[0] == 0 or places.shape[1] not in (1, 2, 3):
        way = ": rows are positions, columns are axes, so use .T" if _is_transposed(places) else ""
        raise DeclarationError(
            f"{what} have the shape {places.shape}, but must be (n, d), d = 1, 2 or 3 coordinates a row{way}"
        )
    if (bad := np.flatnonzero(~np.isfinite(places).all(axis=1))).size:
        raise DeclarationError(f"{what}[{bad[0]}] is {places[bad[0]].tolist()}; give finite coordinates")
    return places.astype(float)


def _is_transposed(places: NDArray) -> bool:
    return places.ndim == 2 and places.shape[0] in (1, 2, 3) and places.shape[1] > 3


def chosen(value: Any, what: str, counts: Mapping[str, int]) -> NDArray | slice:
    """A selection of the `shots` or `receivers`: a slice, a mask or indices; all for None. counts: of both."""
    count = counts[what]
    if value is None:
        return slice(None)
    if isinstance(value, slice):
        try:
            size = len(range(count)[value])
        except (TypeError, ValueError) as error:
            raise DeclarationError(f"{what}={value!r}: {error}; give whole numbers") from error
    else:
        given = checks.array(value, what, "biu")
        if given.ndim != 1 or (given.dtype.kind == "b" and len(given) != count):
            raise DeclarationError(
                f"{what}={checks.shown(value)}: give a list of indices, a slice, or a mask ({count},)"
            )
        if given.dtype.kind != "b" and ((given < -count) | (given >= count)).any():
            raise DeclarationError(
                f"{what}={checks.shown(value)}, but the survey has {counts['shots']} shots and {counts['receivers']} "
                "receivers, counted from 0; give some of these"
            )
        size = int(given.sum()) if given.dtype.kind == "b" else len(given)
        value = given
    if not size:
        raise DeclarationError(
            f"{what}={checks.shown(value)} selects none of {count} {what}; give at least one"
        )
    return value


def extents(places: Positions, axes: tuple[str, ...]) -> str:
    """`x 0 … 9000, y 25`: the range of each column."""
    ranges = zip(axes, places.min(axis=0), places.max(axis=0), strict=True)
    return ", ".join(
        f"{a} {number(lo)}" if lo == hi else f"{a} {number(lo)} … {number(hi)}" for a, lo, hi in ranges
    )


def check_in(sources: Positions, receivers: Positions, domain: Domain) -> None:
    """Refuse shots or receivers outside the domain, or all within a hundredth of it by a factor of 1000.

    Raises: DeclarationError with the positions, the model and the probable mistake.
    """
    checks.kind(domain, "domain", Domain, "give npde.Box((0, width), (0, depth))")
    space = domain.spatial
    if sources.shape[1] != space.dimension:
        raise DeclarationError(
            f"the survey's positions have {sources.shape[1]} coordinates, but the model {space} has "
            f"{space.dimension} axes ({', '.join(space.axes)}); give one coordinate for each"
        )
    named = {"sources": sources, "receivers": receivers}
    read = "; ".join(f"{name} {extents(places, space.axes)}" for name, places in named.items())
    outside = {name: _outside(places, space) for name, places in named.items()}
    if wrong := {name: rows for name, rows in outside.items() if rows.size}:
        counts = listing(f"{len(rows)} of {len(named[name])} {name}" for name, rows in wrong.items())
        name, rows = next(iter(wrong.items()))
        raise DeclarationError(
            f"{counts} lie outside the model {space}, for example {name}[{rows[0]}] = "
            f"{point(named[name][rows[0]].tolist())}. The positions are {read}. {_guess(named, wrong, space)}"
        )
    if guess := _suspected(named, space):
        raise DeclarationError(
            f"the geometry lies in the model {space}, but its positions are {read}: {guess}"
        )


def _outside(places: Positions, space: Domain) -> NDArray[np.intp]:
    """Rows outside the domain, by more than round-off."""
    slack = 1e-9 * max(space.extents)
    return np.flatnonzero(
        ~(np.asarray(space.contains(places)) | (np.asarray(space.signed_distance(places)) <= slack))
    )


def _mistakes(dimension: int) -> dict[str, Callable[[Positions], Positions]]:
    """Functions that undo each usual mistake, by its message."""
    remedies: dict[str, Callable[[Positions], Positions]] = {}
    if dimension > 1:
        remedies["would fit with the first and the last column swapped: are the axes swapped?"] = lambda p: p[
            :, ::-1
        ]
    remedies["would fit times 1000: are they in kilometres and the model in metres?"] = lambda p: p * 1000
    remedies["would fit divided by 1000: are they in metres and the model in kilometres?"] = lambda p: (
        p / 1000
    )
    remedies["would fit times 0.3048: are they in feet and the model in metres?"] = lambda p: p * 0.3048
    remedies["would fit with the last column's sign changed: is it elevation, and depth in the model?"] = (
        _upside_down
    )
    for axis in range(dimension if dimension > 1 else 0):
        for scale, text in ((1000.0, "times 1000"), (1e-3, "divided by 1000")):
            words = f"would fit with column {axis} {text}: do the columns mix metres and kilometres?"
            remedies[words] = _column_scaled(axis, scale)
    return remedies


def _column_scaled(axis: int, scale: float) -> Callable[[Positions], Positions]:
    def scaled(places: Positions) -> Positions:
        return places * np.where(np.arange(places.shape[1]) == axis, scale, 1.0)

    return scaled


def _upside_down(places: Positions) -> Positions:
    return places * np.where(np.arange(places.shape[1]) == places.shape[1] - 1, -1.0, 1.0)


def _guess(named: Mapping[str, Positions], wrong: Mapping[str, NDArray], space: Domain) -> str:
    """The mistake that explains why these lie outside."""
    for text, undo in _mistakes(space.dimension).items():
        if all(_makes_sense(undo(named[name]), space) for name in wrong):
            mixed = (
                ""
                if len(wrong) == len(named)
                else " Sources and receivers would then be in different units or axes."
            )
            return f"All {listing(wrong)} {text}{mixed}"
    return "Give a model that contains them, or positions in the model's units and axes."


def _makes_sense(places: Positions, space: Domain) -> bool:
    """Whether positions lie in the model and are more than a corner of it."""
    lower, upper = space.bounds
    size = _extent(places)
    return not _outside(places, space).size and not 0 < size < _TINY * float(np.linalg.norm(upper - lower))


def _suspected(named: Mapping[str, Positions], space: Domain) -> str:
    """The message for a geometry inside the model that makes sense only times 1000, else nothing."""
    lower, upper = space.bounds
    whole = np.concatenate(list(named.values()))
    fits = {name: not _outside(places * 1000, space).size for name, places in named.items()}
    if all(fits.values()) and 0 < _extent(whole) < _TINY * float(np.linalg.norm(upper - lower)):
        return (
            f"they span {number(_extent(whole))} of its {number(float(np.linalg.norm(upper - lower)))} and would fit "
            "times 1000: are they in kilometres and the model in metres?"
        )
    for name, other in (("sources", "receivers"), ("receivers", "sources")):
        small, large = _extent(named[name]), _extent(named[other])
        if fits[name] and 0 < small < _TINY * large and large / _ALIKE < 1000 * small < large * _ALIKE:
            return f"the {name} would match the {other} times 1000: do they mix kilometres and metres?"
    return ""


def _extent(places: Positions) -> float:
    return float(np.linalg.norm(np.ptp(places, axis=0)))


def is_depth(sources: Positions, receivers: Positions, domain: Domain) -> bool:
    """Whether the second axis of a model is a depth: all shots and receivers lie near its lower end."""
    lower, upper = domain.bounds
    if len(lower) < 2 or sources.shape[1] < 2:
        return False
    deepest = max(sources[:, 1].max(), receivers[:, 1].max())
    return bool(deepest <= lower[1] + SURFACE * (upper[1] - lower[1]))
