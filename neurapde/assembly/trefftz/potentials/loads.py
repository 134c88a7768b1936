"""Particular solutions w of −aΔw + cw = f in the plane, a > 0 and c constant: of Gaussians, points, polynomials.

Each gives the channels of a layout: w and its derivatives `(layout.count, n)` at points `(n, 2)`. A `Potential` is a
background of a trial function.

A Gaussian of variance s² is the heat kernel at time s²/2, so its field is an integral over later times: closed for c = 0,
an incomplete Bessel function for c > 0 (Hantush's well function), which is summed here.
"""

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import exp1, factorial, k0, k1
from torch import Tensor

from neurapde.backgrounds.waves import Background, OutgoingWave
from neurapde.fields.sources import GaussianSource, PointSource
from neurapde.jets.jet import Jet
from neurapde.jets.layout import Layout
from neurapde.spectral.quadrature import unit_rule

Array = NDArray[np.float64]
SMALL = 1e-2
"""Arguments below which the quotients of a Gaussian's field are summed as series."""
TERMS = 8
GONE = 40.0
"""exp(−GONE) is nothing."""
NODES, PANEL, LEAST = 14, 2.0, 6
"""Of the quadrature over the logarithm of time: nodes of each panel, its length, and panels at least."""


@dataclass(frozen=True)
class Medium:
    """The coefficients of −aΔu + cu = f."""

    coefficient: float
    reaction: float = 0.0

    @property
    def wavenumber(self) -> float:
        """κ with κ² = |c|/a."""
        return math.sqrt(abs(self.reaction) / self.coefficient)


def gaussian(
    points: Array, center: Array, variance: float, medium: Medium, layout: Layout, unit: float = 1.0
) -> Array:
    """The field of a Gaussian of mass 1; without a reaction up to a constant: w = −log(r/unit)/2πa far away."""
    if medium.reaction < 0:
        source = GaussianSource(tuple(map(float, center)), variance)
        return _standing(source, points, medium, layout)
    away = points - center
    square = (away**2).sum(axis=1)
    if medium.reaction > 0:
        moments = _moments(square, variance, medium.wavenumber**2, layout.order)
    else:
        moments = _free_moments(square, variance, layout.order, unit)
    return radial_channels(away, [moment / medium.coefficient for moment in moments], layout)


def point(points: Array, center: Array, medium: Medium, layout: Layout, unit: float = 1.0) -> Array:
    """The field of a point of mass 1, likewise."""
    if medium.reaction < 0:
        return _standing(PointSource(tuple(map(float, center))), points, medium, layout)
    away = points - center
    square = (away**2).sum(axis=1)
    radius, kappa = np.sqrt(square), medium.wavenumber
    if medium.reaction > 0:
        x = kappa * radius
        moments = [k0(x), kappa * k1(x) / radius, kappa**2 * (k0(x) + 2 * k1(x) / x) / square]
    else:
        moments = [-np.log(radius / unit), 1 / square, 2 / square**2]
    return radial_channels(away, [moment / (2 * np.pi * medium.coefficient) for moment in moments], layout)


def _standing(source: GaussianSource | PointSource, points: Array, medium: Medium, layout: Layout) -> Array:
    """The real part of an outgoing wave, (Δ + κ²)u = f, for a negative reaction."""
    wave = OutgoingWave(source, medium.wavenumber)
    return np.asarray(-wave.channels(points, layout).real / medium.coefficient)


def radial_channels(away: Array, moments: list[Array], layout: Layout) -> Array:
    """The channels of `layout` for w(r), from w, −w′/r and (w′/r)′/r."""
    channels = [moments[0]]
    for axes in layout.derivatives[1:]:
        if len(axes) == 1:
            channels.append(-away[:, axes[0]] * moments[1])
        else:
            i, j = axes
            channels.append(away[:, i] * away[:, j] * moments[2] - (moments[1] if i == j else 0.0))
    return np.stack(channels)


def _free_moments(square: Array, variance: float, order: int, unit: float) -> list[Array]:
    rho = square / (2 * variance)
    safe = np.maximum(rho, SMALL)
    n = np.arange(1, TERMS + 1)
    signs = (-1.0) ** (n + 1) / factorial(n)
    powers = np.minimum(rho, SMALL)[:, None] ** (n - 1)
    entire = np.where(  # Ein(ρ) − γ
        rho < SMALL, rho * (powers @ (signs / n)) - np.euler_gamma, np.log(safe) + exp1(safe)
    )
    moments = [-(np.log(2 * variance / unit**2) + entire) / (4 * np.pi)]
    if order > 0:
        quotient = np.where(rho < SMALL, powers @ signs, -np.expm1(-safe) / safe)
        moments.append(quotient / (4 * np.pi * variance))
    if order > 1:
        series = powers[:, :-1] @ (-n[:-1] * signs[1:])
        slope = np.where(rho < SMALL, series, (1 - np.exp(-safe) * (1 + safe)) / safe**2)
        moments.append(slope / (4 * np.pi * variance**2))
    return moments


def _moments(square: Array, variance: float, kappa2: float, order: int) -> list[Array]:
    """∫ exp(−q(eᵗ − 1) − p e⁻ᵗ) (s² eᵗ)⁻ʲ dt / 4π from 0 on, q = κ²s²/2 and p = r²/2s², for j up to `order`."""
    q = kappa2 * variance / 2
    last = math.log1p(GONE / q)
    panels = max(math.ceil(last / PANEL), LEAST)
    x, w = unit_rule(NODES)
    t = (last / panels) * (np.arange(panels)[:, None] + x).ravel()
    weights = np.tile(w * last / panels, panels)
    grown = np.exp(t)
    integrand = np.exp(-(square / (2 * variance))[:, None] / grown) * (weights * np.exp(-q * (grown - 1)))
    return [integrand @ (variance * grown) ** -j / (4 * np.pi) for j in range(order + 1)]


@dataclass(frozen=True)
class Polynomial:
    """Σ fᵢⱼ Xⁱ Yʲ with X = (x − cₓ)/s, Y likewise: coefficients `(m, m)`, center `(2,)`, scale s."""

    coefficients: Array
    center: Array
    scale: float

    def __call__(self, points: Array) -> Array:
        """Values `(n,)` at points `(n, 2)`."""
        return np.asarray(self.channels(points, Layout(2, 0))[0])

    def channels(self, points: Array, layout: Layout) -> Array:
        """The channels of `layout` at points `(n, 2)`: `(layout.count, n)`."""
        powers = np.arange(len(self.coefficients))
        scaled = (points - self.center) / self.scale
        tables = [[scaled[:, i, None] ** powers for i in range(2)]]
        for d in range(layout.order):
            step = powers[1:] / self.scale
            tables.append([np.pad(table[:, :-1] * step, ((0, 0), (1, 0))) for table in tables[d]])
        return np.stack(
            [((tables[i][0] @ self.coefficients) * tables[j][1]).sum(axis=1) for i, j in layout.degrees]
        )

    def particular(self, medium: Medium) -> "Polynomial":
        """w, of degree two more without a reaction, else of the same degree."""
        f, stretched = self.coefficients, medium.coefficient / self.scale**2
        if medium.reaction == 0:
            coefficients = -_inverse_laplacian(f) / stretched
        else:
            coefficients, term = np.zeros_like(f), f / medium.reaction
            while np.any(term):
                coefficients = coefficients + term
                term = _laplacian(term) * (stretched / medium.reaction)
        return Polynomial(coefficients, self.center, self.scale)


def _laplacian(f: Array) -> Array:
    size = len(f)
    coefficients = np.zeros_like(f)
    n = np.arange(2, size)
    coefficients[:-2] += (n * (n - 1))[:, None] * f[2:]
    coefficients[:, :-2] += n * (n - 1) * f[:, 2:]
    return coefficients


def _inverse_laplacian(f: Array) -> Array:
    """A polynomial W with ΔW = f, monomial by monomial: integrals along one axis, corrected along the other."""
    size = len(f)
    coefficients = np.zeros((size + 2, size + 2))
    for i, j in zip(*np.nonzero(f), strict=True):
        high, low, into = (i, j, coefficients) if i >= j else (j, i, coefficients.T)
        value = f[i, j]
        while low >= 0:
            value = value / ((high + 1) * (high + 2))
            into[high + 2, low] += value
            value = -value * low * (low - 1)
            high, low = high + 2, low - 2
            if value == 0:
                break
            if high + 2 >= len(coefficients):
                coefficients = np.pad(coefficients, ((0, 2), (0, 2)))
                into = coefficients if i >= j else coefficients.T
    return coefficients


@dataclass(frozen=True, eq=False)
class Potential(Background):
    """A field −aΔw + cw = f; no gradient flows from it into the points."""

    @abstractmethod
    def channels(self, points: Array, layout: Layout) -> Array:
        """The channels of `layout` at points (n, d): (layout.count, n)."""

    def jet(self, points: Tensor, order: int = 2, mixed: Sequence[tuple[int, ...]] = ()) -> Jet:
        layout = Layout(points.shape[1], order, tuple(mixed))
        channels = self.channels(points.detach().double().cpu().numpy(), layout)
        return Jet(torch.as_tensor(channels).to(points), layout)


@dataclass(frozen=True, eq=False)
class SourcePotential(Potential):
    """The field of a source about a point; without a reaction it is zero far away up to a logarithm, in this unit of
    length."""

    source: GaussianSource | PointSource
    coefficient: float
    reaction: float
    unit: float

    @abstractmethod
    def of_mass_one(self, points: Array, center: Array, medium: Medium, layout: Layout) -> Array:
        """Channels (C, n) at points (n, 2)."""

    def channels(self, points: Array, layout: Layout) -> Array:
        medium = Medium(self.coefficient, self.reaction)
        channels = self.of_mass_one(points, np.asarray(self.source.at, dtype=float), medium, layout)
        return float(np.real(self.source.amplitude)) * channels

    def describe(self) -> str:
        return f"potential of {self.source.describe()}"


@dataclass(frozen=True, eq=False)
class GaussianPotential(SourcePotential):
    """The field of a Gaussian source."""

    source: GaussianSource

    def of_mass_one(self, points: Array, center: Array, medium: Medium, layout: Layout) -> Array:
        return gaussian(points, center, self.source.variance, medium, layout, self.unit)


@dataclass(frozen=True, eq=False)
class PointPotential(SourcePotential):
    """The field of a point source; infinite there."""

    source: PointSource

    def of_mass_one(self, points: Array, center: Array, medium: Medium, layout: Layout) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):  # at the source
            return point(points, center, medium, layout, self.unit)


@dataclass(frozen=True, eq=False)
class PolynomialPotential(Potential):
    """A polynomial: see `Polynomial`."""

    coefficients: Array
    center: Array
    scale: float

    def channels(self, points: Array, layout: Layout) -> Array:
        return Polynomial(self.coefficients, self.center, self.scale).channels(points, layout)

    def describe(self) -> str:
        return f"polynomial of degree {len(self.coefficients) - 1}"
