"""Stretched coordinates: the complex factors by which a PML absorbs, with derivative and integral.

Per axis e = 1 − i a₀ (ℓ/L)², with ℓ the depth into the layer (0 outside it); x̃ = ∫ e dx is the stretched
coordinate, equal to x where there is no layer. A solution continued to x̃ solves the equation in the layer.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from neurapde.conditions import PML
from neurapde.core.arrays import Array, check_shape, maximum, namespace
from neurapde.core.declaration import Declaration
from neurapde.domains.base import Domain
from neurapde.domains.box import outer_box


@dataclass(frozen=True)
class AxisStretch(Declaration):
    """The stretch along one axis. Its functions take coordinates `(n,)` to complex `(n,)`, NumPy or torch.

    Args:
        lower, upper: ends of the axis.
        widths: L at the lower and the upper end; 0 where there is no layer.
        strengths: a₀ at the lower and the upper end.
    """

    lower: float
    upper: float
    widths: tuple[float, float] = (0.0, 0.0)
    strengths: tuple[float, float] = (0.0, 0.0)

    @property
    def breaks(self) -> tuple[float, ...]:
        """Where layers begin, ascending: none, one or two coordinates."""
        low = (self.lower + self.widths[0],) if self.widths[0] else ()
        high = (self.upper - self.widths[1],) if self.widths[1] else ()
        return low + high

    @cached_property
    def _layers(self) -> tuple[tuple[float, float, float], ...]:
        """(where it begins, ±1 the direction it deepens in, a₀/L²) of each layer."""
        ends = ((self.lower + self.widths[0], -1.0), (self.upper - self.widths[1], 1.0))
        layers = zip(ends, self.widths, self.strengths, strict=True)
        return tuple((begin, sign, a0 / width**2) for (begin, sign), width, a0 in layers if width)

    def factor(self, x: Array) -> Array:
        """e(x)."""
        return 1.0 - 1j * self._depth_sum(x, power=2, odd=False)

    def derivative(self, x: Array) -> Array:
        """e'(x)."""
        return -2j * self._depth_sum(x, power=1, odd=True)

    def integral(self, x: Array) -> Array:
        """x̃ = ∫ e dx, equal to x between the layers."""
        return x - 1j * self._depth_sum(x, power=3, odd=True) / 3.0

    def _depth_sum(self, x: Array, *, power: int, odd: bool) -> Array:
        """Σ over layers of (a₀/L²) ℓ^power, with the sign of the layer's direction where `odd`."""
        result = namespace(x).zeros_like(x)
        if isinstance(x, np.ndarray) and x.dtype.kind == "f":  # most points of a solve are in no layer
            for begin, sign, rate in self._layers:
                depth = np.maximum(sign * (x - begin), 0.0)
                if depth.any():
                    result = result + (sign if odd else 1.0) * rate * math.prod([depth] * power)
            return result
        for begin, sign, rate in self._layers:
            result = result + (sign if odd else 1.0) * rate * maximum(sign * (x - begin), 0.0) ** power
        return result

    def physical(self, x: Array) -> Array:
        """Which coordinates lie outside the layers: bool `(n,)`."""
        low = self.lower + self.widths[0]
        high = self.upper - self.widths[1]
        return (x >= low) & (x <= high)


@dataclass(frozen=True)
class Stretch(Declaration):
    """The stretch of every axis of a domain by a PML, or by none (then e = 1 and x̃ = x).

    wavenumber: k, which a PML given by its reflection needs.
    """

    domain: Domain
    pml: PML | None
    wavenumber: float

    def __post_init__(self) -> None:
        if self.pml is not None:
            self.pml.on_domain(self.domain)

    @cached_property
    def axes(self) -> tuple[AxisStretch, ...]:
        """One stretch for each axis."""
        lower, upper = (bound.tolist() for bound in self.domain.bounds)
        box = outer_box(self.domain)
        if self.pml is None or box is None:
            return tuple(AxisStretch(a, b) for a, b in zip(lower, upper, strict=True))
        widths = self.pml.widths(self.domain)
        strengths = {side: self.pml.strength_for(self.wavenumber, side) for side in widths}
        pairs = [box.faces[2 * i : 2 * i + 2] for i in range(self.domain.dimension)]
        return tuple(
            AxisStretch(
                a,
                b,
                (widths.get(low, 0.0), widths.get(high, 0.0)),
                (strengths.get(low, 0.0), strengths.get(high, 0.0)),
            )
            for a, b, (low, high) in zip(lower, upper, pairs, strict=True)
        )

    def axis(self, i: int) -> AxisStretch:
        """The stretch along the i-th axis."""
        return self.axes[i]

    def factors(self, points: Array) -> list[Array]:
        """e of each axis at points `(n, d)`: d complex arrays `(n,)`."""
        check_shape(points, self.domain.dimension)
        return [axis.factor(points[:, i]) for i, axis in enumerate(self.axes)]

    def coordinates(self, points: Array) -> Array:
        """The stretched coordinates x̃ of points `(n, d)`: complex `(n, d)`."""
        check_shape(points, self.domain.dimension)
        columns = [axis.integral(points[:, i]) for i, axis in enumerate(self.axes)]
        return namespace(points).stack(columns, axis=1)

    def physical(self, points: Array) -> Array:
        """Which points lie outside all layers: bool `(n,)`."""
        check_shape(points, self.domain.dimension)
        inside = self.axes[0].physical(points[:, 0])
        for i, axis in enumerate(self.axes[1:], start=1):
            inside = inside & axis.physical(points[:, i])
        return inside
