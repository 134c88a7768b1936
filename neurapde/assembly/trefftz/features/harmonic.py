"""Harmonic functions of the plane, the features of Laplace's equation: real and imaginary parts of analytic ones.

For u = Re F(x + iy) the derivative by x is Re F′, and that by y is Re iF′. So polynomials, negative powers about a
hole, simple poles, and logarithms have all derivatives in closed form.
"""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurapde.assembly.trefftz.features.base import Array, Features
from neurapde.assembly.trefftz.features.krylov import Complex, Krylov
from neurapde.jets.layout import Layout

FEW = 2**16
"""Pairs of a place and a function that are summed together, so that they stay near the processor."""


def as_complex(points: Array) -> Complex:
    """x + iy of points (n, 2)."""
    return np.asarray(points[:, 0] + 1j * points[:, 1])


@dataclass(frozen=True, eq=False)
class _Analytic(Features):
    """Re F and, unless they are single, Im F of some functions F."""

    single = False

    @property
    @abstractmethod
    def functions(self) -> int:
        """The number of F."""

    @abstractmethod
    def analytic(self, z: Complex, order: int) -> Complex:
        """F and its derivatives up to `order` at places z (n,): (order + 1, n, functions)."""

    @property
    def count(self) -> int:
        return self.functions if self.single else 2 * self.functions

    def channels(self, points: Array, layout: Layout) -> NDArray[Any]:
        channels = np.empty((layout.count, len(points), self.count))
        values = self.analytic(as_complex(points), layout.order)
        for channel, axes in enumerate(layout.derivatives):
            turned = 1j ** axes.count(1) * values[len(axes)]
            channels[channel, :, : self.functions] = turned.real
            if not self.single:
                channels[channel, :, self.functions :] = turned.imag
        return channels

    def summed(self, points: Array, layout: Layout, amplitudes: NDArray[Any]) -> NDArray[Any]:
        """The sums, as real parts of sums of F with complex amplitudes."""
        wholes = amplitudes[: self.functions].astype(complex)
        if not self.single:
            wholes -= 1j * amplitudes[self.functions :]
        sums = np.empty((layout.count, len(points), amplitudes.shape[1]))
        step = max(1, FEW // max(self.functions, 1))
        for start in range(0, len(points), step):
            rows = slice(start, start + step)
            with np.errstate(
                divide="ignore", invalid="ignore"
            ):  # a point outside of the region may be a pole
                values = self.analytic(as_complex(points[rows]), layout.order) @ wholes
            for channel, axes in enumerate(layout.derivatives):
                sums[channel, rows] = (1j ** axes.count(1) * values[len(axes)]).real
        return sums


@dataclass(frozen=True, eq=False)
class Powers(_Analytic):
    """Orthogonal polynomials in z − c, or in 1/(z − c) about a hole: the recurrence of `Krylov`."""

    center: complex
    scale: float
    outside: bool
    recurrence: Complex

    @classmethod
    def of(cls, krylov: Krylov) -> "Powers":
        """The functions of a known recurrence."""
        return cls(krylov.center, krylov.scale, krylov.outside, krylov.recurrence)

    @property
    def functions(self) -> int:
        return int(self.recurrence.shape[1])

    def analytic(self, z: Complex, order: int) -> Complex:
        return Krylov(self.center, self.scale, self.outside, self.recurrence)(z, order)


@dataclass(frozen=True, eq=False)
class SimplePoles(_Analytic):
    """size/(z − pole) of poles (m,) outside the region; size (m,) is the distance that one has from it."""

    at: Complex
    sizes: Array

    @property
    def functions(self) -> int:
        return len(self.at)

    def analytic(self, z: Complex, order: int) -> Complex:
        inverse = 1 / (z[:, None] - self.at)
        derivatives = np.empty((order + 1, len(z), len(self.at)), dtype=complex)
        derivatives[0] = self.sizes * inverse
        for d in range(order):
            derivatives[d + 1] = -(d + 1) * derivatives[d] * inverse
        return derivatives


@dataclass(frozen=True, eq=False)
class Charges(_Analytic):
    """log(|z − charge| / unit) of charges (m,) outside the region."""

    at: Complex
    unit: float = 1.0
    single = True

    @property
    def functions(self) -> int:
        return len(self.at)

    def analytic(self, z: Complex, order: int) -> Complex:
        return _logarithm(z[:, None] - self.at, order, np.log(np.abs(z[:, None] - self.at) / self.unit))


@dataclass(frozen=True, eq=False)
class Angles(_Analytic):
    """The angle around points (m,) at the rim of a region, from a cut outside it with the direction (m,)."""

    at: Complex
    cuts: Complex
    single = True

    @property
    def functions(self) -> int:
        return len(self.at)

    def analytic(self, z: Complex, order: int) -> Complex:
        away = z[:, None] - self.at
        safe = np.where(away == 0, 1.0, away)
        return -1j * _logarithm(safe, order, 1j * np.angle(-safe / self.cuts))


@dataclass(frozen=True, eq=False)
class Unity(_Analytic):
    """The constant 1."""

    single = True

    @property
    def functions(self) -> int:
        return 1

    def analytic(self, z: Complex, order: int) -> Complex:
        derivatives = np.zeros((order + 1, len(z), 1), dtype=complex)
        derivatives[0] = 1.0
        return derivatives


def _logarithm(away: Complex, order: int, value: NDArray[Any]) -> Complex:
    derivatives = np.empty((order + 1, *away.shape), dtype=complex)
    derivatives[0] = value
    if order > 0:
        derivatives[1] = 1 / away
    if order > 1:
        derivatives[2] = -1 / away**2
    return derivatives
