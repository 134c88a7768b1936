"""Particular solutions w of −aΔw + cw = f in three axes, a > 0 and c constant: of Gaussians, points, polynomials."""

import itertools
import math
from dataclasses import dataclass

import numpy as np
from scipy.special import erfc, erfcx

from neurapde.assembly.trefftz.potentials.loads import Array, Medium, Potential, radial_channels
from neurapde.backgrounds.waves import OutgoingWave
from neurapde.fields.sources import GaussianSource, PointSource
from neurapde.jets.layout import Layout

CORE, TERMS = 0.25, 20
"""Up to this r²/2s² the field of a Gaussian is summed in powers of it, and how many."""


@dataclass(frozen=True, eq=False)
class SourceInSpace(Potential):
    """The field of a Gaussian or a point source; zero far away, if the reaction is not negative."""

    source: GaussianSource | PointSource
    coefficient: float
    reaction: float

    def channels(self, points: Array, layout: Layout) -> Array:
        medium = Medium(self.coefficient, self.reaction)
        if medium.reaction < 0:
            wave = OutgoingWave(self.source, medium.wavenumber)
            return np.asarray(-wave.channels(points, layout).real / medium.coefficient)
        away = points - np.asarray(self.source.at, dtype=float)
        square = (away**2).sum(axis=1)
        if isinstance(self.source, PointSource):
            with np.errstate(divide="ignore", invalid="ignore"):  # at the source
                moments = _of_point(square, medium.wavenumber)
        else:
            moments = _of_gaussian(square, self.source.variance, medium.wavenumber)
        factor = float(np.real(self.source.amplitude)) / medium.coefficient
        return radial_channels(away, [factor * moment for moment in moments], layout)

    def describe(self) -> str:
        return f"potential of {self.source.describe()}"


def _of_point(square: Array, kappa: float) -> list[Array]:
    """w = e^{−κr}/4πr, −w′/r and (w′/r)′/r."""
    r = np.sqrt(square)
    value = np.exp(-kappa * r) / (4 * math.pi * r)
    return [
        value,
        value * (1 + kappa * r) / square,
        value * (3 + 3 * kappa * r + kappa**2 * square) / square**2,
    ]


def _of_gaussian(square: Array, variance: float, kappa: float) -> list[Array]:
    """The same of a unit-mass Gaussian.

    With α = κs/√2, β = r/(√2 s): w = e^{α²}(e^{−κr} erfc(α − β) − e^{κr} erfc(α + β))/8πr. Near the source, in ρ = β², it is
    Σ c_m ρ^m, where (m + 1)(2m + 3) c_{m+1} = 2α² c_m − s² f(0) (−1)^m/m!, by the equation.
    """
    rho = square / (2 * variance)
    core = rho <= CORE
    r = np.sqrt(np.where(core, 2 * variance, square))
    alpha, beta = kappa * math.sqrt(variance / 2), r / math.sqrt(2 * variance)
    bell = np.exp(-(beta**2))
    falls = np.where(
        beta < alpha,
        erfcx(np.maximum(alpha - beta, 0)) * bell,
        np.exp(np.minimum(alpha**2 - 2 * alpha * beta, 0)) * erfc(np.minimum(alpha - beta, 0)),
    )
    rises = erfcx(alpha + beta) * bell
    value = (falls - rises) / (8 * math.pi * r)
    bend = math.sqrt(2 / (math.pi * variance)) * bell
    slope = ((2 * bend - kappa * (falls + rises)) / (8 * math.pi) - value) / r
    density = bell / (2 * math.pi * variance) ** 1.5
    moments = [value, -slope / r, (kappa**2 * value - density - 3 * slope / r) / r**2]
    if core.any():
        c = np.zeros(TERMS + 3)
        c[0] = (math.sqrt(2 / (math.pi * variance)) - kappa * float(erfcx(alpha))) / (4 * math.pi)
        load = variance / (2 * math.pi * variance) ** 1.5
        for m in range(TERMS + 2):
            c[m + 1] = (2 * alpha**2 * c[m] - load) / ((m + 1) * (2 * m + 3))
            load /= -(m + 1)
        n = np.arange(TERMS + 3)
        series = (c, -c[1:] * n[1:] / variance, c[2:] * n[2:] * n[1:-1] / variance**2)
        for moment, factors in zip(moments, series, strict=True):
            moment[core] = np.polynomial.polynomial.polyval(rho[core], factors)
    return moments


@dataclass(frozen=True, eq=False)
class PolynomialInSpace(Potential):
    """Σ fᵢⱼₖ Xⁱ Yʲ Zᵏ with X = (x − cₓ)/s and so on: coefficients `(m, m, m)`, center `(3,)`, scale s."""

    coefficients: Array
    center: Array
    scale: float

    def channels(self, points: Array, layout: Layout) -> Array:
        powers = np.arange(len(self.coefficients))
        scaled = (points - self.center) / self.scale
        tables = [[scaled[:, i, None] ** powers for i in range(3)]]
        for d in range(layout.order):
            step = powers[1:] / self.scale
            tables.append([np.pad(table[:, :-1] * step, ((0, 0), (1, 0))) for table in tables[d]])
        return np.stack(
            [
                np.einsum(
                    "ijk,ni,nj,nk->n",
                    self.coefficients,
                    *(tables[order][axis] for axis, order in enumerate(orders)),
                    optimize=True,
                )
                for orders in layout.degrees
            ]
        )

    def particular(self, medium: Medium) -> "PolynomialInSpace":
        """w, of degree two more without a reaction, else of the same degree.

        Of a homogeneous f of degree d, Σ c_j r^{2j + 2} Δ^j f has the Laplacian f, with c_0 = 1/2(2d + 3) and
        c_j = −c_{j−1}/((2j + 2)(2(d − j) + 3)).
        """
        stretched = medium.coefficient / self.scale**2
        if medium.reaction != 0:
            coefficients, term = np.zeros_like(self.coefficients), self.coefficients / medium.reaction
            while np.any(term):
                coefficients = coefficients + term
                term = _laplacian(term) * (stretched / medium.reaction)
            return PolynomialInSpace(coefficients, self.center, self.scale)
        size = len(self.coefficients)
        total = np.zeros((3 * size + 2,) * 3)
        degrees = np.indices(self.coefficients.shape).sum(axis=0)
        for degree in np.unique(degrees[self.coefficients != 0]):
            term = np.where(degrees == degree, self.coefficients, 0.0)
            factor, ball = -1 / stretched, np.ones((1, 1, 1))
            for j in range(int(degree) // 2 + 1):
                factor /= (-1.0 if j else 1.0) * (2 * j + 2) * (2 * (degree - j) + 3)
                ball = _times_square(ball)
                for at in zip(*np.nonzero(ball), strict=True):
                    where = tuple(slice(i, i + size) for i in at)
                    total[where] += factor * ball[at] * term
                term = _laplacian(term)
        last = max((max(at) for at in zip(*np.nonzero(total), strict=True)), default=0) + 1
        return PolynomialInSpace(total[:last, :last, :last], self.center, self.scale)

    def describe(self) -> str:
        return f"polynomial of degree {len(self.coefficients) - 1}"


def _laplacian(f: Array) -> Array:
    coefficients = np.zeros_like(f)
    n = np.arange(2, len(f))
    for axis in range(3):
        moved, result = np.moveaxis(f, axis, 0), np.moveaxis(coefficients, axis, 0)
        result[:-2] += (n * (n - 1))[:, None, None] * moved[2:]
    return coefficients


def _times_square(f: Array) -> Array:
    """Times x² + y² + z²."""
    size = len(f)
    product = np.zeros((size + 2,) * 3)
    for axis in range(3):
        where = [slice(0, size)] * 3
        where[axis] = slice(2, size + 2)
        product[tuple(where)] += f
    return product


def polynomial_through(points: Array, values: Array, degree: int) -> PolynomialInSpace | None:
    """The polynomial of a degree nearest to values (n,) at points (n, 3); None if there are too few points."""
    lower, upper = points.min(axis=0), points.max(axis=0)
    center, scale = (lower + upper) / 2, float(np.max(upper - lower)) / 2
    scaled = (points - center) / scale
    powers = [each for each in itertools.product(range(degree + 1), repeat=3) if sum(each) <= degree]
    if 3 * len(powers) > len(points):
        return None
    columns = np.stack([(scaled**each).prod(axis=1) for each in powers], axis=1)
    solution = np.linalg.lstsq(columns, values, rcond=None)[0]
    coefficients = np.zeros((degree + 1,) * 3)
    for each, coefficient in zip(powers, solution, strict=True):
        coefficients[each] = coefficient
    return PolynomialInSpace(coefficients, center, scale)
