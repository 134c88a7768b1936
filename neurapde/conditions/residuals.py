"""Residuals of a user: one row for each point, real where the field is real; and those of one component of a field."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from neurapde.conditions.constraints import Residual, Samples
from neurapde.core import checks
from neurapde.core.errors import DeclarationError

if TYPE_CHECKING:
    from neurapde.jets.jet import Jet

FEW = 8
"""Up to so many points a square residual (n, n) may be one with n columns."""


@dataclass(frozen=True)
class CheckedResidual:
    """A user's residual(samples, u) whose values are checked to be rows of numbers, real for a real field.

    A list or tuple of residuals counts as the columns of one.
    """

    residual: Callable[..., Any]
    what: str
    complex: bool

    def __call__(self, samples: Samples, u: "Jet") -> torch.Tensor:
        is_complex = self.complex or u.value.is_complex()
        return as_rows(self.residual(samples, u), len(samples.points), self.what, is_complex)


def as_rows(values: Any, count: int, what: str, is_complex: bool) -> torch.Tensor:
    """What a residual returned for `count` points as `(n,)` or `(n, c)`; a list of such as its columns side by side.

    Raises: DeclarationError for anything else, and for complex values where the field is real.
    """
    if isinstance(values, list | tuple):
        parts = [as_rows(column, count, f"{what}[{i}]", is_complex) for i, column in enumerate(values)]
        if parts:
            return torch.cat([column[:, None] if column.ndim == 1 else column for column in parts], dim=1)
    if not isinstance(values, torch.Tensor):
        raise DeclarationError(
            f"{what} returned a {type(values).__name__}; return a torch tensor (n,) or (n, c) made of u.value, "
            "u.gradient, u.laplacian, u.d(0) or other derivatives, and use npde.sin, npde.exp, … instead of NumPy's "
            "functions"
        )
    shape = tuple(values.shape)
    if len(shape) == 2 and shape == (count, count) and count > FEW:
        raise DeclarationError(
            f"{what} returned the shape {shape} for {count} points, which combines every point with every other point: "
            "a column (n, 1) was combined with u.value (n,); write columns of x as x[:, 0], not x[:, 0:1]"
        )
    if len(shape) not in (1, 2) or shape[0] != count:
        raise DeclarationError(
            f"{what} returned the shape {shape} for {count} points; return (n,) or (n, c), a row for each point"
        )
    if not values.is_floating_point() and not values.is_complex():
        raise DeclarationError(
            f"{what} returned values of type {values.dtype}; return real or complex numbers"
        )
    if values.is_complex() and not is_complex:
        raise DeclarationError(
            f"{what} returned complex values, but u is real; return real numbers (.real and .imag as separate columns), "
            "or declare the field complex: Equation(residual, complex=True), as Helmholtz is by itself"
        )
    return values


def check_component(component: Any) -> None:
    """Refuse what is no number of a component."""
    if component is None or (
        isinstance(component, int) and not isinstance(component, bool) and 0 <= component <= checks.MOST
    ):
        return
    raise DeclarationError(
        f"component={checks.shown(component)}: give a whole number from 0, or None for all components"
    )


def of_component(residual: Residual, component: int | None) -> Residual:
    """A residual of a field with one component as one of that component; itself for None."""
    return residual if component is None else ComponentResidual(residual, component)


@dataclass(frozen=True)
class ComponentResidual:
    """A residual of one component."""

    residual: Residual
    component: int

    def __call__(self, samples: Samples, u: "Jet") -> torch.Tensor:
        return self.residual(samples, u[self.component])
