"""−aΔ + c on a box with constant a and c, by products of the eigenfunctions of its axes: a number for each product.

The eigenfunctions of one axis (`spectral.legendre`) turn the equation into division by a(λ_i + λ_j + …) + c (Lynch, Rice,
Thomas 1964; Shen 1994). n of them along each of d axes cost O(n^(d+1)).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurapde.spectral.legendre import LegendreAxis
from neurapde.spectral.modes import along_all

Array = NDArray[np.float64]
Values = NDArray[Any]

NULL = 1e-11
"""Of the size of the slowest eigenvalues: one that is smaller is none, and its field is left out."""


class Separated:
    """The form with constant a and c, in the basis of products of eigenfunctions: a number for each of them."""

    def __init__(self, axes: Sequence[LegendreAxis], coefficient: float, reaction: float) -> None:
        self.vectors = [axis.eigen[1] for axis in axes]
        each = np.meshgrid(*(axis.eigen[0] for axis in axes), indexing="ij")
        self.rates: Array = coefficient * np.sum(each, axis=0) + reaction
        scale = coefficient * sum(1 / axis.half**2 for axis in axes)
        null = np.abs(self.rates) <= NULL * scale
        self.slowest = float(np.abs(self.rates[~null]).min())
        self.definite = bool(np.all(self.rates[~null] > 0))
        self.inverse = np.where(null, 0.0, 1 / np.where(null, 1.0, self.rates))
        self.root = np.sqrt(np.abs(self.inverse))

    def __call__(self, load: Values) -> Values:
        modal = along_all([vectors.T for vectors in self.vectors], load)
        return along_all(self.vectors, self.inverse[..., None] * modal)

    def field(self, s: Array) -> Array:
        """Amplitudes (n1, …, 1) of coordinates (n,) in which the form with constant a and c is ±1."""
        return along_all(self.vectors, (self.root * s.reshape(self.root.shape))[..., None])

    def tested(self, load: Array) -> Array:
        """A load (n1, …, 1) against the products of eigenfunctions in these coordinates, (n,)."""
        return (self.root * along_all([vectors.T for vectors in self.vectors], load)[..., 0]).ravel()

    def coordinates(self, u: Array) -> Array:
        """The coordinates (n,) of amplitudes (n1, …, 1)."""
        inside = [np.asarray(np.linalg.pinv(vectors)) for vectors in self.vectors]
        root = np.where(self.root > 0, self.root, 1.0)
        return (along_all(inside, u)[..., 0] / root).ravel()


def constant_form(axes: Sequence[LegendreAxis], coefficient: float, reaction: float, u: Values) -> Values:
    """∫ a ∇u·∇ψ + c u ψ with the conditions at the ends, for amplitudes u (n1, …, nd, columns)."""
    product = reaction * along_all([axis.mass for axis in axes], u)
    for number, axis in enumerate(axes):
        matrices = [axis.mass for axis in axes]
        matrices[number] = axis.stiffness + axis.robin
        product = product + coefficient * along_all(matrices, u)
    return product
