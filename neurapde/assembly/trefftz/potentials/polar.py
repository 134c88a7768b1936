"""Loads r^β g(r, θ) that are singular at a re-entrant corner, g smooth there: sums of r^(β + m) e^{iμθ}, and their fields.

With p = β + m, the field of −Δw = r^p e^{iμθ} is −r^(p + 2) e^{iμθ}/((p + 2)² − μ²). In θ the waves are those of a
sector twice as wide, and in r there are powers; a smooth part of the load has its own powers.
"""

import math
from dataclasses import dataclass

import numpy as np

from neurapde.assembly.trefftz.features.base import BATCH
from neurapde.assembly.trefftz.features.harmonic import as_complex
from neurapde.assembly.trefftz.features.krylov import Complex
from neurapde.assembly.trefftz.potentials.loads import Array, Potential
from neurapde.assembly.trefftz.potentials.sines import fitted, frame
from neurapde.jets.layout import Layout
from neurapde.spectral.quadrature import unit_rule

LENGTHS = (1.93, 2.03, 2.11, 2.23)
"""Of the larger sector in units of the corner's; the one is taken whose waves are farthest from harmonic ones."""
NEAREST = 1e-14
"""Of the radius: points that are nearer to the corner count as this far."""
OCTAVES = range(6, 15)
"""Radii 2^−k, in units of the largest, at which a load's growth is looked at."""
KNOWN = 1e-6
"""How near a growth must be to be known."""


@dataclass(frozen=True, eq=False)
class Sector:
    """The part of the plane around a corner up to a radius, within `half` radians on either side of the direction `into`."""

    at: complex
    into: complex
    half: float
    radius: float

    def places(self, s: Array, t: Array) -> Array:
        """Points (n, 2) at all pairs of radii s, in units of the largest, and angles t."""
        z = self.at + self.radius * self.into * s[:, None] * np.exp(1j * self.half * t)
        return np.stack([z.real, z.imag], axis=-1).reshape(-1, 2)

    def polar(self, points: Array) -> tuple[Array, Array]:
        """r in units of the radius, and θ, of points."""
        away = (as_complex(points) - self.at) / (self.into * self.radius)
        return np.maximum(np.abs(away), NEAREST), np.angle(away)


@dataclass(frozen=True, eq=False)
class PolarPotential(Potential):
    """Re Σ c_mj r^{p_m} e^{iμ_jθ}, r in units of a radius and θ from the direction `into`.

    coefficients: `(m, j)`, complex. exponents: `(m,)`. frequencies: `(j,)`.
    """

    coefficients: Complex
    exponents: Array
    frequencies: Array
    at: complex
    into: complex
    radius: float

    def channels(self, points: Array, layout: Layout) -> Array:
        step = max(1, BATCH // max(self.coefficients.shape))
        parts = [self._part(points[i : i + step], layout) for i in range(0, max(len(points), 1), step)]
        return np.concatenate(parts, axis=1)

    def _part(self, points: Array, layout: Layout) -> Array:
        r, angle = Sector(self.at, self.into, math.pi, self.radius).polar(points)
        powers = r[:, None] ** self.exponents
        waves = np.exp(1j * angle[:, None] * self.frequencies)
        turn = r * np.exp(1j * angle)

        def sums(up: int, down: int) -> Complex:
            """∂_z^up ∂_z̄^down, z = r e^{iθ}."""
            p, mu = self.exponents[:, None], self.frequencies
            factors = self.coefficients
            for k in range(up):
                factors = factors * ((p + mu) / 2 - k)
            for k in range(down):
                factors = factors * ((p - mu) / 2 - k)
            total = np.einsum("ij,ij->i", powers @ factors, waves)
            return np.asarray(total / (turn**up * turn.conj() ** down))

        unit = (
            self.radius * self.into
        )  # ∂_x = (∂_z/unit + ∂_z̄/conj(unit)), ∂_y = i(∂_z/unit − ∂_z̄/conj(unit))
        first, second = 1 / unit, 1 / np.conj(unit)
        channels = []
        for axes in layout.derivatives:
            total = np.zeros(len(points), dtype=complex)
            for choice in np.ndindex(*(2 for _ in axes)):
                down = sum(choice)
                factor = first ** (len(axes) - down) * second**down
                for axis, which in zip(axes, choice, strict=True):
                    factor *= 1.0 if axis == 0 else (-1j if which else 1j)
                total += factor * sums(len(axes) - down, down)
            channels.append(total.real)
        return np.stack(channels)

    def describe(self) -> str:
        return f"{len(self.exponents)} powers at a corner"


@dataclass(frozen=True, eq=False)
class PolarLoad:
    """A load at a corner: coefficients as in `PolarPotential`."""

    coefficients: Complex
    exponents: Array
    frequencies: Array
    sector: Sector

    def _potential(self, coefficients: Complex, exponents: Array) -> PolarPotential:
        sector = self.sector
        return PolarPotential(
            coefficients, exponents, self.frequencies, sector.at, sector.into, sector.radius
        )

    def __call__(self, points: Array) -> Array:
        """Its density (n,) at points (n, 2)."""
        return np.asarray(
            self._potential(self.coefficients, self.exponents).channels(points, Layout(2, 0))[0]
        )

    def particular(self, coefficient: float) -> PolarPotential:
        """Its field, without a reaction."""
        raised = self.exponents + 2
        symbol = _symbol(raised, self.frequencies) * coefficient / self.sector.radius**2
        return self._potential(-self.coefficients / symbol, raised)


def _symbol(raised: Array, frequencies: Array) -> Array:
    return np.asarray(raised[:, None] ** 2 - frequencies**2)


def growth(values: Array) -> float | None:
    """β of values (radii, angles) that vary as r^β (g + r g′ + …) at the radii 2^−k of `OCTAVES`, or None."""
    sizes = np.linalg.norm(values, axis=1)
    if not np.isfinite(sizes).all() or (sizes == 0).any():
        return None
    table = np.log2(sizes[:-1] / sizes[1:])
    before = np.inf
    for k in range(1, len(table)):
        before, table = float(table[-1]), table[1:] + (table[1:] - table[:-1]) / (2.0**k - 1)
        if abs(table[-1] - before) < KNOWN**2:
            break
    return float(table[-1]) if abs(float(table[-1]) - before) < KNOWN else None


@dataclass(frozen=True, eq=False)
class PolarRule:
    """The points for a load at a corner, and the factors of the tables that fit it."""

    sector: Sector
    exponents: Array
    frequencies: Array
    points: Array
    roots: Array
    radial: tuple[Array, Array, Array]
    angular: tuple[Array, Array, Array]

    @classmethod
    def of(cls, sector: Sector, beta: float, order: int) -> "PolarRule":
        """The rule with powers β … β + order and, unless β is an integer, 0 … order."""
        whole = np.arange(order + 1.0)
        exponents = whole + beta if beta == round(beta) else np.concatenate([whole + beta, whole])
        least = float(exponents.min())
        s, weights = unit_rule(2 * len(exponents))
        roots = np.sqrt(weights)
        radial = np.linalg.svd(s[:, None] ** (exponents - least) * roots[:, None], full_matrices=False)
        extension = max(
            (frame(order, length) for length in LENGTHS),
            key=lambda candidate: float(
                np.abs(_symbol(exponents + 2, candidate.frequencies / sector.half)).min()
            ),
        )
        return cls(
            sector,
            exponents,
            extension.frequencies / sector.half,
            sector.places(s, extension.nodes),
            (s**-least * roots)[:, None] * extension.roots,
            (radial[0], radial[1], radial[2]),
            (extension.left, extension.sizes, extension.right),
        )

    def load(self, values: Array) -> PolarLoad:
        """The sum nearest to values at the points, in units of the smallest power."""
        coefficients = fitted(values.reshape(self.roots.shape) * self.roots, self.radial, self.angular)
        count = len(self.frequencies)
        sines = np.pad(coefficients[:, count:], ((0, 0), (1, 0)))
        return PolarLoad(coefficients[:, :count] - 1j * sines, self.exponents, self.frequencies, self.sector)
