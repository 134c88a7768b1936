"""Checks of single arguments, shared by all declarations: each returns a plain value or an error."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from neurapde.core.errors import DeclarationError

LONGEST_NAME = 250
MOST = 2**31 - 1
"""The largest count of anything."""
LARGEST, LEAST = 1e100, 1e-100
"""Numbers beyond these cannot be squared and cubed in double precision."""


def shown(value: Any) -> str:
    """A value as it stands in a message: its `repr` in one line, cut after 80 characters."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else f"{text[:77]}…"


def scalar(value: Any, what: str) -> float | complex:
    """A finite number, real or complex; NumPy and torch scalars become Python's, and 1 + 0j is 1."""
    if isinstance(value, np.generic | np.ndarray | torch.Tensor) and value.ndim == 0:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, int | float | complex):
        raise DeclarationError(f"{what} is {shown(value)}, a {type(value).__name__}; give a number")
    if not isinstance(value, int) and not np.isfinite(value):
        raise DeclarationError(f"{what} is {value}; give a finite number")
    if abs(value) > LARGEST:
        raise DeclarationError(
            f"{what} is {shown(value)}, too large to compute with; give at most {LARGEST:g}, in other units"
        )
    return value if isinstance(value, complex) and value.imag != 0 else float(value.real)


def real(value: Any, what: str) -> float:
    """A finite real number."""
    number = scalar(value, what)
    if isinstance(number, complex):
        raise DeclarationError(f"{what} is {number}, which is complex; give a real number")
    return number


def positive(value: Any, what: str) -> float:
    """A finite number above zero."""
    number = real(value, what)
    if number <= 0:
        raise DeclarationError(f"{what} is {number:g}, but must be positive; give a number above 0")
    if number < LEAST:
        raise DeclarationError(
            f"{what} is {number:g}, too small to compute with; give at least {LEAST:g}, in other units"
        )
    return number


def number(value: Any, what: str, rule: Callable[[float], bool], way: str, *, of: str = "") -> float:
    """A finite real number for which a rule holds; `way` is the end of the message where it does not."""
    plain = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not plain or abs(value) > LARGEST or not rule(value):
        raise DeclarationError(f"{what}={shown(value)}{_of(of)}: {way}.")
    return float(value)


def _of(owner: str) -> str:
    return f" of {owner}" if owner else ""


def amount(value: Any, what: str, *, of: str = "") -> float:
    """A finite number above zero."""
    return number(value, what, lambda x: x > 0, "give a positive, finite number", of=of)


def whole(value: Any, what: str, least: int = 1, way: str = "", *, of: str = "") -> int:
    """A whole number from `least` to two thousand million; `way` is added to the message."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise DeclarationError(
            f"{what}={shown(value)}{_of(of)}: give a whole number of at least {least}{way}."
        )
    if value > MOST:
        raise DeclarationError(f"{what}={shown(value)}{_of(of)}: give at most {MOST}.")
    return value


def counts(value: Any, what: str) -> Mapping[str, int]:
    """A whole number of at least 1, or one for each name; as a mapping from how a message names it."""
    given = value if isinstance(value, Mapping) else {what: value}
    several = isinstance(value, Mapping)
    return {key: whole(count, f"{what}: {key}" if several else what) for key, count in given.items()}


def weights(value: Any, what: str = "weights") -> None:
    """Refuse what does not map names to finite numbers from 0 up."""
    if not isinstance(value, Mapping):
        raise DeclarationError(
            f"{what}={shown(value)}: give a number for each constraint, {{'equation': 1.0}}."
        )
    for key, weight in value.items():
        number(weight, f"{what}[{key!r}]", lambda x: x >= 0, "give a finite number, not negative")


def node_counts(value: Any, dimension: int, least: int) -> tuple[int, ...] | None:
    """Nodes along each of the axes, from one number or several; None for what is no such thing."""
    lone = isinstance(value, int | np.integer)
    every = (value,) * dimension if lone else tuple(value) if isinstance(value, list | tuple) else ()
    whole = all(
        isinstance(n, int | np.integer) and not isinstance(n, bool) and least <= n <= MOST for n in every
    )
    return tuple(int(n) for n in every) if whole and len(every) == dimension else None


def flag(value: Any, what: str) -> bool:
    """True or False, and nothing that merely counts as such."""
    if not isinstance(value, bool):
        raise DeclarationError(f"{what}={shown(value)}: give True or False.")
    return value


def kind(value: Any, what: str, kinds: Any, way: str) -> None:
    """Refuse what is none of these classes; `way` is the end of the message."""
    if not isinstance(value, kinds):
        raise DeclarationError(f"{what}={shown(value)}: {way}.")


def text(value: Any, what: str) -> str:
    """Words, or none."""
    if not isinstance(value, str) or not value.isprintable():
        raise DeclarationError(f"{what}={shown(value)}: give printable text, or '' for none.")
    return value


def path(value: Any, what: str = "path") -> Path:
    """The path of a file or folder, from a text or a Path."""
    if not isinstance(value, str | os.PathLike) or not str(value).strip() or "\0" in str(value):
        raise DeclarationError(
            f"{what}={shown(value)}: give the path of a file or folder, such as 'runs/u.h5'."
        )
    return Path(value)


def array(value: Any, what: str, kinds: str = "iuf") -> np.ndarray:
    """An array of numbers of NumPy's `kinds`, from anything that is one; torch's and lists become NumPy's."""
    try:
        numbers = np.asarray(value.detach().cpu() if isinstance(value, torch.Tensor) else value)
    except (TypeError, ValueError):  # rows of different lengths
        numbers = np.empty(0, dtype=object)
    if numbers.dtype.kind not in kinds:
        kind = "numbers" if "c" in kinds else "real numbers"
        raise DeclarationError(f"{what} is {shown(value)}; give an array of {kind}")
    return numbers


def reals(value: Any, what: str) -> np.ndarray:
    """A finite real array in double precision, from anything that is one."""
    numbers = array(value, what).astype(float)
    if not np.isfinite(numbers).all():
        bad = tuple(int(i) for i in np.argwhere(~np.isfinite(numbers))[0])
        raise DeclarationError(f"{what} has {numbers[bad]} at {list(bad)}; give finite numbers")
    if (np.abs(numbers) > LARGEST).any():
        raise DeclarationError(
            f"{what} has {shown(numbers.ravel()[np.abs(numbers).argmax()])}, too large to compute with; "
            f"give at most {LARGEST:g}"
        )
    return numbers


def answer(function: Any, points: np.ndarray, what: str) -> np.ndarray:
    """What a function of NumPy points `(n, d)` returns, as an array; an error that names it where it fails."""
    way = "give a function of points (n, d), written with NumPy, npde.sin and similar functions"
    if not callable(function) or isinstance(function, type):
        raise DeclarationError(f"{what}={shown(function)}: {way}")
    try:
        returned = function(points)
    except DeclarationError:
        raise
    except Exception as error:
        raise DeclarationError(
            f"{what} failed for NumPy points {points.shape}: {type(error).__name__}: {error}; {way}"
        ) from error
    values = array(returned, f"what {what} returns", "biufc")
    if values.ndim == 0 or len(values) != len(points):
        raise DeclarationError(
            f"{what} returned the shape {values.shape} for points {points.shape}; return a row for each point"
        )
    return values


def coordinates(value: Any, what: str, dimension: int | None = None) -> tuple[float, ...]:
    """A point as a tuple of floats; a lone number is a point on a line."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = (value,)
    if isinstance(value, np.ndarray | torch.Tensor):
        if value.ndim != 1:
            raise DeclarationError(
                f"{what} has the shape {tuple(value.shape)}; give one number for each axis"
            )
        value = value.tolist()
    if isinstance(value, str | bytes) or not isinstance(value, Sequence) or not value:
        raise DeclarationError(f"{what} is {shown(value)}; give one number for each axis, such as (0.0, 0.0)")
    if dimension is not None and len(value) != dimension:
        raise DeclarationError(f"{what} is {tuple(value)}, with {len(value)} coordinates; give {dimension}")
    return tuple(real(x, f"{what}[{i}]") for i, x in enumerate(value))


def name(value: Any, what: str) -> str:
    """A name in letters that can be printed, which is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise DeclarationError(f"{what} is {shown(value)}; give a name, such as 'scatterer'")
    if not value.isprintable() or len(value) > LONGEST_NAME:
        raise DeclarationError(
            f"{what} is {value[:40]!r}…, {len(value)} characters; give up to {LONGEST_NAME} printable characters"
        )
    return value


def texts(value: Any, what: str) -> tuple[str, ...]:
    """Several texts."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise DeclarationError(f"{what} is {shown(value)}; give a list of texts")
    return tuple(text(entry, what) for entry in value)


def numbered(names: Iterable[str]) -> tuple[str, ...]:
    """The names made unique, in order: disk, disk-2, disk-3."""
    distinct: list[str] = []
    for wanted in names:
        candidate, count = wanted, 1
        while candidate in distinct:
            count += 1
            candidate = f"{wanted}-{count}"
        distinct.append(candidate)
    return tuple(distinct)
