"""What a condition at the boundary is."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from neurapde.conditions.constraints import Constraint
from neurapde.core import checks
from neurapde.core.declaration import Declaration
from neurapde.core.errors import DeclarationError
from neurapde.domains.base import Domain


@dataclass(frozen=True)
class Boundary(Declaration, ABC):
    """A condition at the boundary of a domain."""

    @abstractmethod
    def on_domain(self, domain: Domain) -> "Boundary":
        """The same condition, checked against the domain and with everything it takes from it filled in."""

    @abstractmethod
    def constraints(self, domain: Domain) -> tuple[Constraint, ...]:
        """The named constraints that it implies."""

    @abstractmethod
    def describe(self, domain: Domain) -> str:
        """The condition as mathematics."""


def face_names(on: Any, what: str) -> tuple[str, ...] | None:
    """Face names as a tuple, from one, several or None."""
    if on is None:
        return None
    names = (on,) if isinstance(on, str) else tuple(on) if isinstance(on, Sequence) else ()
    if not names or not all(isinstance(name, str) and name.strip() for name in names):
        raise DeclarationError(
            f"{what}={checks.shown(on)} names no faces; give a face name, several, or None for all"
        )
    return names


def beside(coefficient: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """A coefficient `(n,)` in the shape that multiplies values `(n,)` or `(n, c)`."""
    return coefficient[:, None] if values.ndim == 2 else coefficient
