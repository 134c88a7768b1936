"""The uncertainty of an inversion: the posterior deviation of its speed, and the resolution of a change of it.

Near the found model the data are taken as linear and the noise as normal. The prior of the speed is normal, with a
deviation and a correlation length. The matrix that the data add to the prior's inverse covariance has low rank: a few
hundred products with random vectors give it. `data_hessian` computes each without a wave.
Source: Bui-Thanh, Ghattas, Martin, Stadler (2013), SIAM J. Sci. Comput. 35(6); Halko, Martinsson, Tropp (2011), SIAM Review
53(2).
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import number, percent
from neurapde.seismic.images.image import Image, Linearised
from neurapde.seismic.inversion.methods.gauss_newton import data_hessian
from neurapde.seismic.inversion.misfits import L2
from neurapde.seismic.inversion.result import Inversion, Posterior
from neurapde.seismic.modelling.grid_modelling import GridModelling
from neurapde.seismic.survey.survey import Survey

FIRST, MOST, MORE = 40, 1280, 12
"""Eigenvalues sought first and at most; random vectors beyond them."""
NEGLIGIBLE = 0.05
"""Smaller eigenvalues are left out, because data add almost nothing to the prior there."""
PER_WAVELENGTH = 8.0
"""Nodes in the shortest wavelength of the model found."""

Real = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Uncertainty(Posterior):
    """The posterior uncertainty of an inversion.

    deviation: posterior, of the speed, with its ratio to the prior deviation as `illumination` 0 … 1. eigenvalues: of
    the data's matrix in units of the prior's: those above 1 are directions that the data determine better than the
    prior. noise: assumed relative level.
    """

    deviation: Image
    eigenvalues: Real
    noise: float
    _spread: tuple[Real, Real]
    _prior: Real
    _vectors: Real
    _product: Any

    @property
    def survey(self) -> Survey:
        return self.deviation.survey

    def deviation_at(self, points: Real) -> Real:
        return np.asarray(self.deviation.field(points))

    def samples(self, count: int, seed: int) -> Real:
        """Random changes of the found speed from the posterior distribution, `(count, nx, ny)`."""
        checks.whole(count, "count")
        generator = np.random.default_rng(checks.whole(seed, "seed", 0))
        white = generator.standard_normal((self._vectors.shape[0], count))
        shrunk = 1 - 1 / np.sqrt(1 + self.eigenvalues)
        posterior = white - self._vectors @ (shrunk[:, None] * (self._vectors.T @ white))
        return np.stack([self._root(column) for column in posterior.T])

    def resolved(self, change: Any) -> Image:
        """The result of an inversion of noiseless data for a change of the speed: blurred, and weaker where data say
        little.

        change: a function of points `(n, 2)`, such as a `Checkerboard` or a spike, or a Field; in units of the speed.
        """
        grid, shape = self.deviation.grid, tuple(self.deviation.grid.shape)
        given = checks.answer(change, grid.points, "change").astype(float).reshape(shape)
        seen = self._root_transposed(self._product(given))
        shrinkage = self.eigenvalues / (1 + self.eigenvalues)
        blurred = self._root(seen - self._vectors @ (shrinkage * (self._vectors.T @ seen)))
        return Image(blurred, "what is resolved", grid, self.deviation.survey)

    def _root(self, white: Real) -> Real:
        return root(self._spread, self._prior, white)

    def _root_transposed(self, values: Real) -> Real:
        return root_transposed(self._spread, self._prior, values)

    def __str__(self) -> str:
        values, count = self.deviation.values, int((self.eigenvalues > 1).sum())
        return (
            f"deviation of the speed {number(float(values[self._prior > 0].min()))} to {number(float(values.max()))}, "
            f"noise {percent(self.noise)}; the data determine {count} combinations of the speeds better than the prior"
        )


@dataclass(frozen=True)
class Checkerboard:
    """A change of the speed by ±`height` in squares of this `size`: sin(πx/size) sin(πy/size)."""

    size: float
    height: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", checks.positive(self.size, "size of the Checkerboard"))
        object.__setattr__(self, "height", checks.real(self.height, "height of the Checkerboard"))

    def __call__(self, points: Real) -> Real:
        values: Real = self.height * np.prod(np.sin(np.pi * points / self.size), axis=1)
        return values


def uncertainty(
    inversion: Inversion,
    *,
    deviation: float,
    length: float | None = None,
    noise: float | None = None,
    seed: int = 0,
) -> Uncertainty:
    """The posterior deviation of the speed of an inversion, from the data of its last stage.

    deviation: prior deviation of the true speed from the found model, in units of the speed.
    length: prior correlation length; None for a quarter of the shortest wavelength.
    noise: relative; None for that of the survey or the residual, whichever is larger. The prior is normal, with the
    covariance deviation² exp(−r²/2 length²), where the velocity is free; it does not include the bounds and the prior
    of the inversion. Raises: DeclarationError for an inversion of traces in time.
    """
    deviation = checks.positive(deviation, "deviation of the speed")
    checks.kind(inversion, "inversion", Inversion, "make one by npde.invert(…)")
    survey = inversion.survey
    if not survey.band:
        raise DeclarationError(
            "the inversion used traces in time, but deviations are computed at frequencies; invert "
            "survey.at(frequencies=[…])"
        )
    generator = np.random.default_rng(checks.whole(seed, "seed", 0))
    at = _linearised(inversion, survey)
    shortest = float(at.speed.min()) / survey.band[-1]
    length = shortest / 4 if length is None else checks.positive(length, "length of correlation")
    level = max(survey.noise or 0.0, inversion.residual) if noise is None else checks.positive(noise, "noise")
    product = _product(at, survey, level)
    spread = tuple(
        _kernel(count, step, length) for count, step in zip(at.grid.shape, at.grid.spacing, strict=True)
    )
    pair, prior = (spread[0], spread[1]), deviation * at.free

    def whitened(block: Real) -> Real:
        columns = [root_transposed(pair, prior, product(root(pair, prior, white))) for white in block.T]
        return np.stack(columns, axis=1)

    values, vectors = _leading(whitened, at.grid.size, generator)
    explained = np.zeros(at.grid.shape)
    for share, vector in zip(values / (1 + values), vectors.T, strict=True):
        explained += share * root(pair, prior, vector) ** 2
    posterior = np.sqrt(np.maximum(prior**2 - explained, 0.0))
    image = Image(posterior, "deviation of speed", at.grid, survey, posterior / deviation)
    return Uncertainty(image, values, level, pair, prior, vectors, product)


def _linearised(inversion: Inversion, survey: Survey) -> Linearised:
    """The found model, fixed where it was not free, without priors, on a grid for its own waves."""
    setting = inversion.setting
    velocity = replace(setting.velocity, start=inversion.speed, prior=(), trial=None)
    fastest = velocity.slowest_and_fastest(setting.domain.region)
    plain = replace(setting, survey=survey, velocity=velocity, start=fastest, misfit=L2())
    return Linearised(plain, GridModelling(survey, setting.domain, fastest, None, PER_WAVELENGTH))


def _product(at: Linearised, survey: Survey, noise: float) -> Any:
    """The product of δc `(nx, ny)` and the second derivative of −log likelihood by the speed.

    With noise of relative level ε at each of F frequencies of N live data, −log likelihood is 2 F N / ε² times the
    misfit L2.
    """
    hessian = data_hessian(at.objective, at.model, at.objective())
    factor = 2 * len(survey.band) * float(survey.live.sum()) / noise**2
    by_speed = -2 * at.speed**-3 * at.free

    def product(change: Real) -> Real:
        moved = hessian(torch.from_numpy(at.spread(by_speed * change))).numpy()
        return np.asarray(factor * by_speed * at.cut(moved))

    return product


def _kernel(count: int, step: float, length: float) -> Real:
    """S `(n, n)` of one axis with rows of norm 1, so that S Sᵀ is nearly exp(−r²/2 length²), and 1 on its diagonal."""
    places = step * np.arange(count)
    kernel = np.exp(-(((places[:, None] - places) / length) ** 2))
    return np.asarray(kernel / np.linalg.norm(kernel, axis=1, keepdims=True))


def root(spread: tuple[Real, Real], prior: Real, white: Real) -> Real:
    """L w, L Lᵀ the prior covariance: uncorrelated numbers `(n,)` to a change of the speed `(nx, ny)`."""
    return np.asarray(prior * (spread[0] @ white.reshape(prior.shape) @ spread[1].T))


def root_transposed(spread: tuple[Real, Real], prior: Real, values: Real) -> Real:
    """Lᵀ v `(n,)`."""
    return np.asarray(spread[0].T @ (prior * values) @ spread[1]).ravel()


def _leading(whitened: Any, size: int, generator: np.random.Generator) -> tuple[Real, Real]:
    """Eigenvalues above `NEGLIGIBLE` and their vectors `(n, k)`, of a matrix by its products with blocks of vectors."""
    wanted = min(FIRST, size)
    while True:
        drawn = generator.standard_normal((size, min(size, wanted + MORE)))
        basis, _ = np.linalg.qr(whitened(drawn))
        small = basis.T @ whitened(basis)
        values, turned = np.linalg.eigh((small + small.T) / 2)
        values, vectors = values[::-1], basis @ turned[:, ::-1]
        if values[min(wanted, len(values)) - 1] < NEGLIGIBLE or wanted >= min(size, MOST):
            significant = values > NEGLIGIBLE
            return values[significant], vectors[:, significant]
        wanted = math.ceil(1.8 * wanted)
