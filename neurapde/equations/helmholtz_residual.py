"""The strong form of the Helmholtz equation with absorbing layers, and what it leaves of a jet."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from neurapde.conditions import beside
from neurapde.conditions.base import normal_derivative
from neurapde.conditions.constraints import Samples
from neurapde.conditions.stretch import Stretch
from neurapde.core.arrays import Array
from neurapde.fields.sources import Source, total

if TYPE_CHECKING:
    from neurapde.jets.jet import Jet


@dataclass(frozen=True)
class StrongForm:
    """L u = Σ second_i ∂_ii u + first_i ∂_i u + zeroth u = scale · f, its coefficients in closed form.

    All take points `(n, d)`, NumPy or torch, to complex arrays `(n,)`; slowness_squared, m = 1/c², likewise.
    """

    wavenumber: float
    slowness_squared: Callable[[Array], Array]
    stretch: Stretch

    def second(self, points: Array) -> list[Array]:
        """E/e_i² for each axis i."""
        factors = self.stretch.factors(points)
        return [_product(factors, i) / e for i, e in enumerate(factors)]

    def first(self, points: Array) -> list[Array]:
        """∂_i(E/e_i²) for each axis i."""
        factors = self.stretch.factors(points)
        slopes = [axis.derivative(points[:, i]) for i, axis in enumerate(self.stretch.axes)]
        return [
            -_product(factors, i) * slope / e**2
            for i, (e, slope) in enumerate(zip(factors, slopes, strict=True))
        ]

    def zeroth(self, points: Array) -> Array:
        """E k² m."""
        return self.scale(points) * (self.wavenumber**2 * self.slowness_squared(points))

    def scale(self, points: Array) -> Array:
        """E."""
        return _product(self.stretch.factors(points), None)


def _product(factors: list[Array], without: int | None) -> Array:
    chosen = [e for i, e in enumerate(factors) if i != without]
    return math.prod(chosen[1:], start=chosen[0]) if chosen else factors[0] * 0 + 1


@dataclass(frozen=True)
class HelmholtzResidual:
    """L u − E f for one right-hand side `(n,)`, or for several `(n, shots)`."""

    strong: StrongForm
    right_hand_sides: tuple[tuple[Source, ...], ...]

    def __call__(self, samples: Samples, u: "Jet") -> torch.Tensor:
        x = samples.points
        second, first = self.strong.second(x), self.strong.first(x)
        applied = beside(self.strong.zeroth(x), u.value) * u.value
        for i in range(x.shape[1]):
            applied = applied + beside(second[i], u.value) * u.d2(i) + beside(first[i], u.value) * u.d(i)
        densities = [total(sources, x) for sources in self.right_hand_sides]
        f = densities[0] if u.value.ndim == 1 else torch.stack(densities, dim=1)
        return applied - beside(self.strong.scale(x), u.value) * f


@dataclass(frozen=True)
class OutflowResidual:
    """∂u/∂n + i (k/c) u: zero for what leaves straight on, with the time factor e^{+iωt}."""

    wavenumber: float
    slowness_squared: Callable[[Array], Array]

    def __call__(self, samples: Samples, u: "Jet") -> torch.Tensor:
        local = self.wavenumber * self.slowness_squared(samples.points) ** 0.5
        return normal_derivative(samples, u) + 1j * beside(local, u.value) * u.value
