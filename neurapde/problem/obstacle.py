"""Obstacles: bounds that a field keeps, and touches where its equation alone would take it beyond them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from neurapde.conditions.residuals import as_rows
from neurapde.core import checks
from neurapde.core.arrays import to_numpy
from neurapde.core.declaration import Declaration
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import number, point
from neurapde.domains.base import Domain
from neurapde.fields.medium import Field, as_field

if TYPE_CHECKING:
    from neurapde.jets.jet import Jet

PROBES, SEED = 64, 83437


@dataclass(frozen=True)
class Obstacle(Declaration):
    """The residual of a field that a bound holds: u ≥ below, r ≥ 0, and one of the two is an equality at each point.

        npde.Equation(npde.Obstacle(lambda x, u: -u.laplacian - f(x), below=ψ))

    It is min(w (u − ψ), r), which is zero exactly there; for u ≤ above it is max(w (u − φ), r), with r ≤ 0 on the bound.
    The sign of r is that of the force that the bound adds: −Δu − f, or u.dt − Δu − f. The other one is refused. `Newton`,
    `SpectralElements` and `TimeMarching` find where the field touches a bound by active sets; a training takes the residual
    as it is.

    Args:
        residual: (points, Jet) -> `(n,)`, what is zero where the field touches no bound; of a real field with one component.
        below: the least value of u, a number, a function of points or a GridField; None for none.
        above: the largest value, likewise.
        weight: w, positive: residuals in units of u. None for that of the residual on a field as long as the domain.
    """

    residual: Callable[..., Any]
    below: Any = None
    above: Any = None
    weight: float | None = None

    def __post_init__(self) -> None:
        if not callable(self.residual) or isinstance(self.residual, type):
            raise DeclarationError(
                f"residual of the Obstacle is {checks.shown(self.residual)}; give a function residual(x, u)"
            )
        if self.below is None and self.above is None:
            raise DeclarationError("the Obstacle has no bound; give below=…, above=… or both")
        for name in ("below", "above"):
            if getattr(self, name) is not None:
                field = as_field(getattr(self, name), f"{name} of the Obstacle")
                object.__setattr__(self, name, field)
        if self.weight is not None:
            checks.amount(self.weight, "weight", of="the Obstacle")

    def on(self, domain: Domain, jets: "Iterator[Jet]") -> "Obstacle":
        """The same on a domain. jets: of trial fields at `PROBES` points, to be tried until one can be read.

        Raises: DeclarationError for bounds that leave no field, and for a residual of the other sign.
        """
        bounds: dict[str, Any] = {name: field.on(domain) for name, field in self._bounds()}
        placed = replace(self, **bounds)
        points = domain.sample(PROBES, how="grid")
        placed._check_bounds(points)
        for jet in jets:
            try:
                slopes = self._slopes(points[: jet.channels.shape[1]], jet)
            except DeclarationError:
                raise
            except Exception:  # the user's own function: what is wrong with it is said when it is checked
                continue
            _check_sign(jet, slopes)
            size = float((slopes.abs().mean(1) * _units(jet, domain)).sum())
            return replace(placed, weight=self.weight or size or 1.0)
        return placed

    def sharpened(self, by: float) -> "Obstacle":
        """The same residual with a bound that weighs more."""
        return replace(self, weight=by * (self.weight or 1.0))

    def __call__(self, points: Any, u: "Jet") -> Tensor:
        values = self._free(points, u)
        weight = 1.0 if self.weight is None else self.weight
        if self.below is not None:
            values = torch.minimum(values, weight * (u.value - self.below(points)))
        if self.above is not None:
            values = torch.maximum(values, weight * (u.value - self.above(points)))
        return values

    def describe(self) -> str:
        """Its formula."""
        name = getattr(self.residual, "__name__", type(self.residual).__name__)
        formula = f"{'residual' if name == '<lambda>' else name}(x, u)"
        if self.below is not None:
            formula = f"min({formula}, u − {_term(self.below)})"
        return formula if self.above is None else f"max({formula}, u − {_term(self.above)})"

    @property
    def bounds(self) -> tuple[Field, ...]:
        """Those that there are."""
        return tuple(field for _, field in self._bounds())

    def _bounds(self) -> list[tuple[str, Field]]:
        return [(name, getattr(self, name)) for name in ("below", "above") if getattr(self, name) is not None]

    def _free(self, points: Any, u: "Jet") -> Tensor:
        if u.value.ndim > 1 or u.value.is_complex():
            raise DeclarationError(
                "an Obstacle holds a real field with one component; leave out outputs=… and complex=True"
            )
        values = as_rows(self.residual(points, u), len(points), "residual of the Obstacle", False)
        if values.ndim > 1:
            raise DeclarationError(
                f"residual of the Obstacle returned the shape {tuple(values.shape)}; return one equation, (n,)"
            )
        return values

    def _check_bounds(self, points: Tensor) -> None:
        values = {}
        for name, field in self._bounds():
            values[name] = np.asarray(to_numpy(field(points)))
            if not np.isfinite(values[name]).all() or np.iscomplexobj(values[name]):
                i = int(np.argmin(np.isfinite(values[name])))
                raise DeclarationError(
                    f"{name} of the Obstacle is {values[name][i]} at {point(points[i].tolist())}; give finite, real values"
                )
        if len(values) == 2 and (values["below"] >= values["above"]).any():
            i = int(np.argmax(values["below"] - values["above"]))
            raise DeclarationError(
                f"below of the Obstacle is {number(values['below'][i])} at {point(points[i].tolist())}, and above is "
                f"{number(values['above'][i])}; give bounds with room between them"
            )

    def _slopes(self, points: Tensor, jet: "Jet") -> Tensor:
        """The derivative of r by each channel of a jet, (channels, n)."""
        leaf = jet.channels.clone().requires_grad_()
        with torch.enable_grad():
            total = self._free(points, type(jet)(leaf, jet.layout)).sum()
            if not total.requires_grad:
                return torch.zeros_like(leaf)
            (slopes,) = torch.autograd.grad(total, leaf)
        return torch.as_tensor(slopes)


def _term(bound: Field) -> str:
    text = bound.describe()
    return f"({text})" if text.startswith(("-", "−")) else text


def _units(jet: "Jet", domain: Domain) -> Tensor:
    """Sizes (channels,) of the derivatives of a field of size 1 that is as long as the domain."""
    sizes = jet.layout.sizes([1 / extent for extent in domain.extents])
    return jet.channels.real.new_tensor(sizes)


def _check_sign(jet: "Jet", slopes: Tensor) -> None:
    """Refuse a residual that falls with u.dt, or grows with a second derivative in space: a bound would push it away."""
    layout = jet.layout
    if layout.order > 2 and any(len(axes) > 2 for axes in layout.derivatives):
        return
    late = layout.dimension - 1 if layout.in_time else layout.dimension
    if layout.in_time and layout.order > 1 and slopes[layout.second(late, late)].any():
        raise DeclarationError(
            "residual of the Obstacle reads u.dtt, but what a field does when it hits a bound the equation does not say; "
            "give an equation of first order in time"
        )
    wrong = []
    if layout.in_time and layout.order > 0 and (slopes[layout.first(late)] < 0).any():
        wrong.append("falls as u.dt grows")
    if layout.order > 1:
        wrong += [f"grows with u.d2({i})" for i in range(late) if (slopes[layout.second(i, i)] > 0).any()]
    if wrong:
        raise DeclarationError(
            f"residual of the Obstacle {' and '.join(wrong)}, so that a bound would push the field away; give it the sign "
            "of u.dt − u.laplacian, or −u.laplacian"
        )
