"""One component of a field with several, for conditions that hold for it alone."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from neurapde.conditions.constraints import Residual, Samples
from neurapde.core import checks
from neurapde.core.errors import DeclarationError

if TYPE_CHECKING:
    from neurapde.jets.jet import Jet


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
