"""Jets: a field's value and coordinate derivatives at a set of points, as residuals of a PDE read them.

All derivatives live in one tensor, the value first, then ∂₁ … ∂_d, then ∂₁₁ … ∂_dd, then the mixed second, the third
and the fourth derivatives that were asked for. A `Layout` says which channel is which; a `Jet` gives them their names and
knows the sum and product rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import compress, product
from operator import not_
from typing import Any

import numpy as np
import torch
from torch import Tensor

from neurapde.core.errors import DeclarationError
from neurapde.jets.layout import Layout as Layout


@dataclass(frozen=True, eq=False)
class Jet:
    """A field's value and derivatives at n points in d dimensions.

    channels: `(layout.count, n)`, or `(layout.count, n, c)` for c components; real or complex.
    layout:   which channel is which derivative.

    Jets add, subtract and multiply by the rules of calculus; the result carries what both operands carry.
    Numbers and plain tensors of shape `()`, `(n,)` or `(n, c)` count as constants in space: adding one moves
    the value only, multiplying by one scales every derivative. Make a `Jet` of a coefficient whose own
    derivatives matter.
    """

    channels: Tensor
    layout: Layout

    __array_ufunc__ = None  # NumPy scalars on the left defer to the operators below

    @staticmethod
    def of(
        value: Tensor,
        gradient: Tensor | None = None,
        hessian_diagonal: Tensor | None = None,
        mixed: dict[tuple[int, int], Tensor] | None = None,
        *,
        dimension: int | None = None,
    ) -> Jet:
        """Make a jet of its parts.

        value:            (n,), or (n, c) for c components.
        gradient:         (n, d) or (n, c, d).
        hessian_diagonal: like the gradient.
        mixed:            {(i, j): derivative like the value}.
        dimension:        the number of coordinates, needed only where no gradient tells it.
        """
        mixed = mixed or {}
        parts = [value.unsqueeze(0)]
        if gradient is not None:
            dimension = gradient.shape[-1]
            parts.append(gradient.movedim(-1, 0))
        if hessian_diagonal is not None:
            parts.append(hessian_diagonal.movedim(-1, 0))
        parts.extend(slopes.unsqueeze(0) for slopes in mixed.values())
        if dimension is None or (gradient is None and len(parts) > 1):
            raise DeclarationError("a jet needs its gradient (n, d), or dimension=… if it has only a value.")
        order = 0 if gradient is None else 1 if hessian_diagonal is None else 2
        return Jet(torch.cat(parts), Layout(dimension, order, tuple(mixed)))

    @property
    def order(self) -> int:
        """0 to 4: the highest derivatives carried."""
        return self.layout.order

    @property
    def dimension(self) -> int:
        """The number of coordinates d."""
        return self.layout.dimension

    @property
    def value(self) -> Tensor:
        """The field, (n,) or (n, c)."""
        return self.channels[0]

    @property
    def gradient(self) -> Tensor:
        """The first derivatives, (n, d) or (n, c, d)."""
        start = self.layout.first(0)
        return self.channels[start : start + self.dimension].movedim(0, -1)

    @property
    def hessian_diagonal(self) -> Tensor:
        """The unmixed second derivatives, (n, d) or (n, c, d)."""
        start = self.layout.second(0, 0)
        return self.channels[start : start + self.dimension].movedim(0, -1)

    @property
    def laplacian(self) -> Tensor:
        """The sum of the unmixed second derivatives in space, (n,) or (n, c)."""
        if not self.layout.space:
            raise DeclarationError(
                "this jet's field depends only on time, so it has no Laplacian; use u.dtt."
            )
        start = self.layout.second(0, 0)
        return self.channels[start : start + self.layout.space].sum(0)

    @property
    def dt(self) -> Tensor:
        """u_t, (n,) or (n, c), in a problem whose domain is space over time."""
        return self.d(self.layout.time)

    @property
    def dtt(self) -> Tensor:
        """u_tt, (n,) or (n, c), in a problem whose domain is space over time."""
        return self.d2(self.layout.time)

    def in_time(self) -> Jet:
        """The same jet, its last axis known to be time."""
        return Jet(self.channels, replace(self.layout, in_time=True))

    def d(self, i: int) -> Tensor:
        """The first derivative along axis i, (n,) or (n, c)."""
        return self.channels[self.layout.first(i)]

    def d2(self, i: int, j: int | None = None) -> Tensor:
        """The second derivative along axes i and j (i twice when j is left out), (n,) or (n, c)."""
        return self.channels[self.layout.second(i, i if j is None else j)]

    def d3(self, *axes: int) -> Tensor:
        """The third derivative along an axis, d3(0), or along three, d3(0, 0, 1): (n,) or (n, c)."""
        return self.channels[self.layout.further(_every(axes, 3))]

    def d4(self, *axes: int) -> Tensor:
        """The fourth derivative along an axis, d4(0), or along four, d4(0, 0, 1, 1): (n,) or (n, c)."""
        return self.channels[self.layout.further(_every(axes, 4))]

    @property
    def bilaplacian(self) -> Tensor:
        """The Laplacian of the Laplacian in space, (n,) or (n, c)."""
        space = range(self.layout.space)
        return torch.stack([self.d4(i, i, j, j) for i in space for j in space]).sum(0)

    def restricted(self, layout: Layout) -> Jet:
        """The part of this jet that `layout` names."""
        if layout == self.layout:
            return self
        return Jet(self.channels[self.layout.channels_of(layout)], layout)

    @property
    def real(self) -> Jet:
        """The real part of the field and of its derivatives."""
        return Jet(self.channels.real, self.layout) if self.channels.is_complex() else self

    @property
    def imag(self) -> Jet:
        """The imaginary part of the field and of its derivatives."""
        channels = self.channels.imag if self.channels.is_complex() else torch.zeros_like(self.channels)
        return Jet(channels, self.layout)

    def __getitem__(self, component: int) -> Jet:
        """The jet of one component of a field with several."""
        if self.channels.ndim != 3:
            raise DeclarationError(
                "this jet is of a scalar field, which has no components; use it without an index."
            )
        count = self.channels.shape[-1]
        if not -count <= component < count:
            raise DeclarationError(f"component {component} of a field with {count}; use 0 to {count - 1}.")
        return Jet(self.channels[..., component], self.layout)

    def __neg__(self) -> Jet:
        return Jet(-self.channels, self.layout)

    def __add__(self, other: Any) -> Jet:
        if isinstance(other, Jet):
            mine, theirs, layout = _aligned(self, other)
            return Jet(mine + theirs, layout)
        shifted = self.channels[:1] + _constant(self, other)
        return Jet(torch.cat((shifted, self.channels[1:].to(shifted.dtype))), self.layout)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Jet:
        return self + (-other)

    def __rsub__(self, other: Any) -> Jet:
        return -self + other

    def __mul__(self, other: Any) -> Jet:
        if isinstance(other, Jet):
            return _product(self, other)
        return Jet(self.channels * _constant(self, other), self.layout)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Jet:
        if isinstance(other, Jet):
            return NotImplemented
        return Jet(self.channels / _constant(self, other), self.layout)


def _constant(jet: Jet, other: Any) -> Any:
    """A number or a tensor like the values of `jet`, shaped so that it broadcasts against its channels."""
    if isinstance(other, int | float | complex):
        return other
    if isinstance(other, np.generic):
        return other.item()
    shape = tuple(jet.value.shape)
    if not isinstance(other, Tensor) or tuple(other.shape) not in ((), shape[:1], shape):
        what = f"a tensor {tuple(other.shape)}" if isinstance(other, Tensor) else f"a {type(other).__name__}"
        raise DeclarationError(
            f"a jet with values {shape} cannot be combined with {what}; give a number, a tensor with one number for "
            "each point, a tensor of that shape, or another jet."
        )
    return other.unsqueeze(-1) if other.ndim == 1 and len(shape) == 2 else other


def _aligned(a: Jet, b: Jet) -> tuple[Tensor, Tensor, Layout]:
    """The channels that two jets share, with a scalar field broadcast over the components of the other."""
    layout = a.layout.meet(b.layout)
    x, y = a.restricted(layout).channels, b.restricted(layout).channels
    if x.ndim != y.ndim:
        x, y = (x.unsqueeze(-1), y) if x.ndim < y.ndim else (x, y.unsqueeze(-1))
    return x, y, layout


def _every(axes: tuple[int, ...], order: int) -> tuple[int, ...]:
    """The axes of a derivative: one stands for all."""
    every = axes * order if len(axes) == 1 else axes
    if len(every) != order:
        raise DeclarationError(f"d{order}{axes} names {len(axes)} axes; give one, or {order}.")
    return every


def _product(a: Jet, b: Jet) -> Jet:
    """The product rule: ∂ᵢ(ab) = a∂ᵢb + b∂ᵢa, and so on: each axis differentiates one factor or the other.

    Of a third or fourth derivative the result has what both factors' lower derivatives are carried for.
    """
    x, y, layout = _aligned(a, b)
    carried = {axes: channel for channel, axes in enumerate(layout.derivatives)}
    parts = {axes: list(_split(axes)) for axes in carried}
    derivable = [
        axes for axes in carried if all(factor in carried for pair in parts[axes] for factor in pair)
    ]
    rows = [
        sum(x[carried[factor]] * y[carried[other]] for factor, other in parts[axes]) for axes in derivable
    ]
    mixed = tuple(axes for axes in layout.mixed if axes in derivable)
    return Jet(torch.stack(rows), replace(layout, mixed=mixed))  # type: ignore[arg-type]


def _split(axes: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """The ways to share axes among two factors."""
    for chosen in product((True, False), repeat=len(axes)):
        yield tuple(compress(axes, chosen)), tuple(compress(axes, map(not_, chosen)))
