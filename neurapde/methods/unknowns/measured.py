"""Data: measured values of the field at points, with their noise if known."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from neurapde.conditions.constraints import AtPoints, Constraint, Samples, at_points
from neurapde.core import checks
from neurapde.core.arrays import Array
from neurapde.core.errors import DeclarationError

if TYPE_CHECKING:
    from neurapde.jets.jet import Jet


@dataclass(frozen=True)
class Misfit:
    """u − measured, of one component or all; noise: its standard deviation, None to estimate it from the misfit."""

    component: int | None = None
    noise: float | None = None

    def __call__(self, samples: Samples, u: "Jet") -> torch.Tensor:
        predicted = u.value if self.component is None else u.value[:, self.component]
        return predicted - samples.measured.to(predicted)


def measured(
    name: str, points: Array, values: Array, *, noise: float | None = None, component: int | None = None
) -> Constraint:
    """A constraint for measured data: u = values at points, up to noise.

    name: of the data set; a problem may have several. points: `(n, d)`. values: `(n,)`, or `(n, c)` of all
    components. noise: standard deviation of each value, in units of u; None if it is unknown, to estimate it from the
    misfit. component: the measured one; None for all.
    """
    if noise is not None:
        checks.number(noise, "noise", lambda x: x > 0, "give a positive standard deviation, or None")
    if component is not None:
        checks.whole(component, "component", 0)
    targets = checks.reals(values, "values")
    count = len(at_points(points).points)
    if targets.ndim == 0 or len(targets) != count:
        raise DeclarationError(
            f"values have the shape {targets.shape} for {count} points; give one value, or a row, for each point"
        )
    where = at_points(points, targets=targets)
    if component is not None and where.measured.ndim > 1:
        raise DeclarationError(
            f"values of component {component} have the shape {tuple(where.measured.shape)}; give one for each point"
        )
    which = "u" if component is None else f"u[{component}]"
    known = "unknown noise" if noise is None else f"noise {noise:g}"
    return Constraint(
        name, Misfit(component, noise), where, 0, f"{which} at {len(where.points)} points, {known}"
    )


def is_data(constraint: Constraint) -> bool:
    """Whether a constraint holds up to noise: it has given points."""
    return isinstance(constraint.sample, AtPoints)


def noise_of(constraint: Constraint) -> float | None:
    """The standard deviation of data, if given."""
    return constraint.residual.noise if isinstance(constraint.residual, Misfit) else None
