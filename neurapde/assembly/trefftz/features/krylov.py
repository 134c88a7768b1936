"""Polynomials in a function g of z = x + iy that are orthogonal on given points: Vandermonde with Arnoldi.

Powers gⁿ become parallel to rounding as n grows. The Arnoldi process multiplies by g and orthogonalises at every step;
its recurrence then gives the polynomials and their derivatives anywhere. With g = z they are polynomials, with g =
1/(z − c) the negative powers for a hole about c.

Source: Brubeck, Nakatsukasa, Trefethen (2021), Vandermonde with Arnoldi, SIAM Review 63(2), 405–415.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Complex = NDArray[np.complex128]
TWICE = 2
"""Orthogonalisations at every step: two make it as good as rounding allows."""


@dataclass(frozen=True)
class Krylov:
    """1, q₁(g), …, qₙ(g) by their recurrence.

    center:     c `()`, complex; scale: length s. g = (z − c)/s, or its inverse if `outside`.
    recurrence: the Hessenberg matrix `(n + 1, n)`.
    """

    center: complex
    scale: float
    outside: bool
    recurrence: Complex

    @classmethod
    def on(cls, places: Complex, degree: int, center: complex, *, outside: bool = False) -> Self:
        """Orthogonal at `places` `(m,)` with equal weights; `degree` is at most m − 1."""
        distances = np.abs(places - center)
        scale = float(distances.min() if outside else distances.max()) or 1.0
        degree = min(degree, len(places) - 1)
        krylov = cls(center, scale, outside, np.zeros((degree + 1, degree), dtype=complex))
        g = krylov._multiplier(places, 0)[0]
        basis = np.ones((len(places), degree + 1), dtype=complex)
        for k in range(degree):
            new, known = g * basis[:, k], basis[:, : k + 1]
            for _ in range(TWICE):
                coefficients = known.conj().T @ new / len(places)
                new = new - known @ coefficients
                krylov.recurrence[: k + 1, k] += coefficients
            krylov.recurrence[k + 1, k] = np.sqrt(np.mean(np.abs(new) ** 2))
            basis[:, k + 1] = new / krylov.recurrence[k + 1, k]
        return krylov

    @property
    def degree(self) -> int:
        """n."""
        return self.recurrence.shape[1]

    def __call__(self, places: Complex, order: int = 0) -> Complex:
        """q₁ … qₙ at `places` `(m,)` with their complex derivatives up to `order` ≤ 2: `(order + 1, m, n)`."""
        g = self._multiplier(places, order)
        values = np.zeros((order + 1, self.degree + 1, len(places)), dtype=complex)
        values[0, 0] = 1.0
        for k in range(self.degree):
            column = self.recurrence[: k + 1, k]
            for d in range(order + 1):
                new = -np.tensordot(column, values[d, : k + 1], axes=1)
                for j, binomial in enumerate(_BINOMIALS[d]):
                    new += binomial * g[j] * values[d - j, k]
                values[d, k + 1] = new / self.recurrence[k + 1, k]
        return values[:, 1:].transpose(0, 2, 1)

    def _multiplier(self, places: Complex, order: int) -> list[Complex]:
        """g and its derivatives up to `order`."""
        inner = (places - self.center) / self.scale
        if not self.outside:
            return [inner, np.full_like(inner, 1 / self.scale), np.zeros_like(inner)][: order + 1]
        derivatives = [1 / inner]
        for d in range(order):
            derivatives.append(-(d + 1) * derivatives[-1] / (inner * self.scale))
        return derivatives


_BINOMIALS = ((1,), (1, 1), (1, 2, 1))
