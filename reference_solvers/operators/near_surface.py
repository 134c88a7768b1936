"""Point sources near a surface: what they and their images leave of the condition at ghosts.

Near a source the field is as rough as a logarithm, which no interpolation between nodes reads: without this a source less
than a cell below a tilted surface radiates 2 % too little or too much. The rough part does not depend on the medium:
the scheme without its mass gives it, on a patch of the grid around the source and its image.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import splu
from scipy.special import exp1

from neurapde.reference_solvers.grids.grid import Grid
from neurapde.reference_solvers.operators.immersed import Immersed
from neurapde.reference_solvers.operators.nine_point import NinePoint

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]
Pair = tuple[Array, Array]
"""A source and its image."""

HALF = 14
"""Cells of a patch to either side of the middle of a source and its image."""
WITHIN = 7.0
"""Cells around there within which ghosts are corrected; further off the logarithm is smooth."""
NARROW = 1.5
"""Cells: a wider Gaussian makes a smooth field, and needs no correction."""


class NearSurface:
    """The corrections of a scheme with a surface, for sources that are points or narrow."""

    def __init__(self, scheme: NinePoint, immersed: Immersed) -> None:
        self._grid, self._immersed, self._points = scheme.grid, immersed, scheme.grid.points
        self._shape = tuple(min(2 * HALF + 1, n) for n in scheme.grid.shape)
        lengths = [step * (n - 1) for step, n in zip(scheme.grid.spacing, self._shape, strict=True)]
        self._patch = NinePoint(
            Grid((0.0, 0.0), lengths, self._shape), [None] * 2, [(False, False)] * 2, scheme.weights
        )
        self._least = (1e-6 * min(scheme.grid.spacing)) ** 2
        self._inner = ~self._patch.fixed.ravel()
        self._factors = splu(self._patch.laplacian.real[self._inner][:, self._inner].tocsc())

    def rows(
        self, density: NDArray, sources: Array, images: Array, strengths: Complex, variance: float
    ) -> Complex:
        """`(*shape, shots)`: what u(ghost) + u(image of the ghost) is in place of zero, as nodes tell it.

        It is what nodes tell of the rough part alone, less what its closed form says.
        density: `(*shape, shots)`, of the sources less their images. sources, images: `(shots, 2)`. variance: of Gaussians.
        strengths: `(shots,)` of the sources, 0 for one that needs no correction.
        """
        ghosts, read = self._immersed.ghosts, self._immersed.read
        places, size = self._points[ghosts], self._grid.size
        result = np.zeros((size, len(sources)), complex)
        for shot in np.flatnonzero(strengths):
            pair, strength = (sources[shot], images[shot]), strengths[shot]
            middle = np.mean(pair, axis=0)
            near = np.flatnonzero(np.linalg.norm((places - middle) / self._grid.spacing, axis=1) < WITHIN)
            nodes = self._nodes(middle)
            here = np.zeros(size, bool)
            here[nodes] = True
            missed = abs(read[near]) @ (~here).astype(float)
            near = near[(missed == 0) & here[ghosts[near]]]
            field = np.zeros(size)
            field[nodes] = self._discrete(
                (density[..., shot].ravel()[nodes] / strength).real, nodes, pair, variance
            )
            known = sum(
                self._logarithm(at, pair, variance) for at in (places[near], self._immersed.reflected[near])
            )
            result[ghosts[near], shot] = strength * (field[ghosts[near]] + read[near] @ field - known)
        return result.reshape(*self._grid.shape, -1)

    def _nodes(self, middle: Array) -> NDArray[np.int64]:
        """Flat indices of the nodes of the patch around a point."""
        nearest = np.round((middle - self._grid.lower) / self._grid.spacing).astype(int)
        starts = np.clip(nearest - HALF, 0, np.array(self._grid.shape) - self._shape)
        axes = [np.arange(start, start + n) for start, n in zip(starts, self._shape, strict=True)]
        return np.ravel_multi_index(tuple(np.meshgrid(*axes, indexing="ij")), tuple(self._grid.shape)).ravel()

    def _discrete(self, density: Array, nodes: NDArray[np.int64], pair: Pair, variance: float) -> Array:
        """The scheme's field without mass of a source of strength 1 and its image, on the patch."""
        field = self._logarithm(self._points[nodes], pair, variance) * ~self._inner
        right = self._patch.mass @ density - self._patch.laplacian.real @ field
        field[self._inner] = self._factors.solve(right[self._inner])
        return field

    def _logarithm(self, at: Array, pair: Pair, variance: float) -> Array:
        """The same in closed form at `(n, 2)`: log(r/r')/2π, of Gaussians with what rounds the logarithm off."""
        total = np.zeros(len(at))
        for sign, place in zip((1, -1), pair, strict=True):
            squared = np.maximum(((at - place) ** 2).sum(axis=1), self._least)
            rounded = exp1(squared / (2 * variance)) if variance else 0.0
            total += sign * (np.log(squared) + rounded) / (4 * np.pi)
        return total
