"""Checks of single arguments, shared by all declarations: each returns a plain value or an error."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch

from neurapde.core.errors import DeclarationError

LONGEST_NAME = 250


def scalar(value: Any, what: str) -> float | complex:
    """A finite number, real or complex; NumPy and torch scalars become Python's, and 1 + 0j is 1."""
    if isinstance(value, np.generic | np.ndarray | torch.Tensor) and value.ndim == 0:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, int | float | complex):
        raise DeclarationError(f"{what} is {value!r}, a {type(value).__name__}; give a number")
    if not np.isfinite(value):
        raise DeclarationError(f"{what} is {value}; give a finite number")
    return value if isinstance(value, complex) and value.imag != 0 else float(value.real)


def real(value: Any, what: str) -> float:
    """A finite real number."""
    found = scalar(value, what)
    if isinstance(found, complex):
        raise DeclarationError(f"{what} is {found}, which is complex; give a real number")
    return found


def positive(value: Any, what: str) -> float:
    """A finite number above zero."""
    found = real(value, what)
    if found <= 0:
        raise DeclarationError(f"{what} is {found:g}, but must be positive; give a number above 0")
    return found


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
    if isinstance(value, str) or not isinstance(value, Sequence) or not value:
        raise DeclarationError(f"{what} is {value!r}; give one number for each axis, such as (0.0, 0.0)")
    if dimension is not None and len(value) != dimension:
        raise DeclarationError(f"{what} is {tuple(value)}, with {len(value)} coordinates; give {dimension}")
    return tuple(real(x, f"{what}[{i}]") for i, x in enumerate(value))


def name(value: Any, what: str) -> str:
    """A name in letters that can be printed, which is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise DeclarationError(f"{what} is {value!r}; give a name, such as 'scatterer'")
    if not value.isprintable() or len(value) > LONGEST_NAME:
        raise DeclarationError(
            f"{what} is {value[:40]!r}…, {len(value)} letters; give up to {LONGEST_NAME} that can be printed"
        )
    return value


def numbered(names: Iterable[str]) -> tuple[str, ...]:
    """The names made unique, in order: disk, disk-2, disk-3."""
    found: list[str] = []
    for wanted in names:
        candidate, count = wanted, 1
        while candidate in found:
            count += 1
            candidate = f"{wanted}-{count}"
        found.append(candidate)
    return tuple(found)
