"""Which derivatives of a field a stack of channels carries, and in which order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from neurapde.core.errors import DeclarationError


@dataclass(frozen=True)
class Layout:
    """Which derivatives a stack of channels carries, and in which order.

    dimension: number of coordinates d.
    order:     0 (value), 1 (and gradient) or 2 (and second derivatives).
    mixed:     pairs (i, j) of mixed second derivatives carried besides the diagonal; stored with i < j.
    in_time:   whether the last axis is time, which a Laplacian leaves out.
    Raises     DeclarationError for an order, axis or pair that does not exist.
    """

    dimension: int
    order: int
    mixed: tuple[tuple[int, int], ...] = ()
    in_time: bool = False

    def __post_init__(self) -> None:
        if self.order not in (0, 1, 2):
            raise DeclarationError(f"a jet of order {self.order} was asked for; the order is 0, 1 or 2.")
        pairs: list[tuple[int, int]] = []
        for i, j in self.mixed:
            if i == j or not 0 <= min(i, j) <= max(i, j) < self.dimension:
                raise DeclarationError(
                    f"mixed=({i}, {j}) names no mixed derivative in {self.dimension} dimensions; "
                    f"give two different axes from 0 to {self.dimension - 1}."
                )
            pair = (min(i, j), max(i, j))
            if pair not in pairs:
                pairs.append(pair)
        if pairs and self.order < 2:
            raise DeclarationError(f"mixed derivatives need order=2, and order={self.order} was asked for.")
        object.__setattr__(self, "mixed", tuple(pairs))

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """The pairs (i, j) of the second derivatives, in the order of their channels."""
        if self.order < 2:
            return ()
        return tuple((i, i) for i in range(self.dimension)) + self.mixed

    @property
    def space(self) -> int:
        """The number of axes in space: all of them, or all but the last."""
        return self.dimension - self.in_time

    @property
    def time(self) -> int:
        """The axis of time. Raises DeclarationError where there is none."""
        if not self.in_time:
            raise DeclarationError(
                "this jet's field does not live in time: it has no u.dt. Declare the domain as "
                "domain.over(npde.Time(0, 1)), or name the axis: u.d(1). On an Interval or a Time alone an "
                "InitialCondition says that it is a time."
            )
        return self.dimension - 1

    @property
    def firsts(self) -> int:
        """The number of first derivatives carried: d, or 0 at order 0."""
        return self.dimension if self.order else 0

    @property
    def count(self) -> int:
        """The number of channels."""
        return 1 + self.firsts + len(self.pairs)

    def shape(self, points: int, outputs: int) -> tuple[int, ...]:
        """The shape of a field's channels at so many points: (channels, n), or (channels, n, outputs) of several."""
        return (self.count, points, outputs) if outputs > 1 else (self.count, points)

    @property
    def derivatives(self) -> tuple[tuple[int, ...], ...]:
        """The axes that each channel is differentiated by: (), (i,), (i, j)."""
        return ((), *((i,) for i in range(self.firsts)), *self.pairs)

    @property
    def degrees(self) -> tuple[tuple[int, ...], ...]:
        """How often each channel is differentiated along each axis."""
        return tuple(tuple(axes.count(i) for i in range(self.dimension)) for axes in self.derivatives)

    def sizes(self, rates: Sequence[float]) -> list[float]:
        """The size of each channel of a field of size 1 that changes at these rates (d,) along its axes."""
        return [float(math.prod(rates[i] for i in axes)) for axes in self.derivatives]

    def first(self, i: int) -> int:
        """The channel of ∂ᵢ."""
        if not 0 <= i < self.dimension:
            raise DeclarationError(
                f"axis {i} does not exist in {self.dimension} dimensions: use 0 to {self.dimension - 1}."
            )
        if self.order < 1:
            raise DeclarationError(
                "this jet has order 0: it carries no derivatives. Ask for jet(points, order=1) or more."
            )
        return 1 + i

    def second(self, i: int, j: int) -> int:
        """The channel of ∂ᵢⱼ."""
        pair = (min(i, j), max(i, j))
        if not 0 <= pair[0] <= pair[1] < self.dimension:
            raise DeclarationError(
                f"axes ({i}, {j}) do not exist in {self.dimension} dimensions: use 0 to {self.dimension - 1}."
            )
        if self.order < 2:
            raise DeclarationError(
                f"this jet has order {self.order}: it carries no second derivatives. "
                "Ask for jet(points, order=2), or declare the equation with order=2."
            )
        if pair not in self.pairs:
            raise DeclarationError(
                f"this jet carries no mixed derivative d2({i}, {j}). "
                f"Ask for jet(points, mixed=({pair},)), or declare the equation with mixed=({pair},)."
            )
        return 1 + self.dimension + self.pairs.index(pair)

    def meet(self, other: Layout) -> Layout:
        """The layout of everything that both layouts carry."""
        if self.dimension != other.dimension:
            raise DeclarationError(
                f"jets in {self.dimension} and {other.dimension} dimensions cannot be combined; evaluate "
                "both at the same points."
            )
        order = min(self.order, other.order)
        mixed = tuple(pair for pair in self.mixed if pair in other.mixed) if order == 2 else ()
        return Layout(self.dimension, order, mixed, self.in_time or other.in_time)

    def channels_of(self, other: Layout) -> list[int]:
        """The channels of this layout that hold what `other` carries."""
        firsts = [1 + i for i in range(other.firsts)]
        return [0, *firsts, *(self.second(i, j) for i, j in other.pairs)]
