"""Which derivatives of a field a stack of channels carries, and in which order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from neurapde.core.errors import DeclarationError

HIGHEST = 4
"""Order of derivatives that are carried."""


@dataclass(frozen=True)
class Layout:
    """Which derivatives a stack of channels carries, and in which order.

    dimension: number of coordinates d.
    order:     0 (value), 1 (and gradient), 2 (and second derivatives), and up to 4 with those that `mixed` names.
    mixed:     pairs (i, j) of mixed second derivatives carried besides the diagonal, and axes of all third and fourth
               derivatives that are carried, (0, 0, 1); stored in ascending order.
    in_time:   whether the last axis is time, which a Laplacian leaves out.
    Raises     DeclarationError for an order, axis or derivative that does not exist.
    """

    dimension: int
    order: int
    mixed: tuple[tuple[int, ...], ...] = ()
    in_time: bool = False

    def __post_init__(self) -> None:
        if self.order not in range(HIGHEST + 1):
            raise DeclarationError(
                f"a jet of order {self.order} was asked for; give the order 0, 1, 2, 3 or {HIGHEST}."
            )
        if self.mixed and self.order < 2:
            raise DeclarationError(f"mixed derivatives need order=2, but order={self.order} was asked for.")
        derivatives = {tuple(sorted(axes)): None for axes in self.mixed}
        for axes in derivatives:
            plain = len(axes) == 2 and axes[0] == axes[1]
            if plain or not 2 <= len(axes) <= self.order or not 0 <= axes[0] <= axes[-1] < self.dimension:
                raise DeclarationError(
                    f"mixed={axes} is not a mixed derivative of order {self.order} in {self.dimension} dimensions; give "
                    f"two different axes from 0 to {self.dimension - 1}, or three or four."
                )
        object.__setattr__(self, "mixed", tuple(sorted(derivatives, key=len)))

    @classmethod
    def within(cls, dimension: int, order: int, mixed: Sequence[tuple[int, ...]]) -> Layout:
        """A layout with those of the derivatives `mixed` that its order has."""
        return cls(dimension, order, tuple(axes for axes in mixed if len(axes) <= order))

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """The pairs (i, j) of the second derivatives, in the order of their channels."""
        if self.order < 2:
            return ()
        mixed = tuple((axes[0], axes[1]) for axes in self.mixed if len(axes) == 2)
        return tuple((i, i) for i in range(self.dimension)) + mixed

    @property
    def higher(self) -> tuple[tuple[int, ...], ...]:
        """The axes of the third and fourth derivatives, in the order of their channels, which come last."""
        return tuple(axes for axes in self.mixed if len(axes) > 2)

    @property
    def space(self) -> int:
        """The number of axes in space: all of them, or all but the last."""
        return self.dimension - self.in_time

    @property
    def time(self) -> int:
        """The axis of time. Raises DeclarationError where there is none."""
        if not self.in_time:
            raise DeclarationError(
                "this jet's field does not depend on time, so it has no u.dt. Declare the domain as "
                "domain.over(npde.Time(0, 1)), or name the axis: u.d(1). On an Interval or a Time without space, an "
                "InitialCondition makes the axis a time."
            )
        return self.dimension - 1

    @property
    def firsts(self) -> int:
        """The number of first derivatives carried: d, or 0 at order 0."""
        return self.dimension if self.order else 0

    @property
    def count(self) -> int:
        """The number of channels."""
        return 1 + self.firsts + len(self.pairs) + len(self.higher)

    def shape(self, points: int, outputs: int) -> tuple[int, ...]:
        """The shape of a field's channels at so many points: (channels, n), or (channels, n, outputs) of several."""
        return (self.count, points, outputs) if outputs > 1 else (self.count, points)

    @property
    def derivatives(self) -> tuple[tuple[int, ...], ...]:
        """The axes that each channel is differentiated by: (), (i,), (i, j), (i, j, k)."""
        return ((), *((i,) for i in range(self.firsts)), *self.pairs, *self.higher)

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
                "this jet has order 0, so it has no derivatives. Ask for jet(points, order=1) or more."
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
                f"this jet has order {self.order}, so it has no second derivatives. Ask for jet(points, order=2), or "
                "declare the equation with order=2."
            )
        if pair not in self.pairs:
            raise DeclarationError(
                f"this jet has no mixed derivative d2({i}, {j}). Ask for jet(points, mixed=({pair},)), or declare the "
                f"equation with mixed=({pair},)."
            )
        return 1 + self.dimension + self.pairs.index(pair)

    def further(self, axes: Sequence[int]) -> int:
        """The channel of a third or fourth derivative, by its axes."""
        wanted = tuple(sorted(axes))
        if wanted not in self.higher:
            raise DeclarationError(
                f"this jet has no derivative along the axes {wanted}. Ask for jet(points, order={len(wanted)}, "
                f"mixed=({wanted},)), or declare the equation or the constraint with order={len(wanted)}, which finds "
                "mixed derivatives automatically."
            )
        return 1 + self.firsts + len(self.pairs) + self.higher.index(wanted)

    def meet(self, other: Layout) -> Layout:
        """The layout of everything that both layouts carry."""
        if self.dimension != other.dimension:
            raise DeclarationError(
                f"jets in {self.dimension} and {other.dimension} dimensions cannot be combined; evaluate "
                "both at the same points."
            )
        order = min(self.order, other.order)
        mixed = tuple(axes for axes in self.mixed if axes in other.mixed)
        return Layout(self.dimension, order, mixed, self.in_time or other.in_time)

    def channels_of(self, other: Layout) -> list[int]:
        """The channels of this layout that hold what `other` carries."""
        firsts = [1 + i for i in range(other.firsts)]
        seconds = [self.second(i, j) for i, j in other.pairs]
        return [0, *firsts, *seconds, *map(self.further, other.higher)]
