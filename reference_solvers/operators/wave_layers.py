"""Absorbing layers for u_tt = c^2 laplacian(u): coordinates stretched in time, by one auxiliary flux an axis.

With s_k = 1 + zeta_k / (i omega) the stretched equation in the plane is
(1/c^2) (u_tt + (zeta_1 + zeta_2) u_t + zeta_1 zeta_2 u) = laplacian(u) + div(phi),
phi_k,t = -zeta_k phi_k + (zeta_other - zeta_k) du/dx_k, and the start of the layer does not reflect.
Source: Grote, Sim (2010), arXiv:1001.0319, with 1/c^2 beside the time derivatives.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from neurapde.reference_solvers.grids.grid import Grid
from neurapde.reference_solvers.grids.stencils import along, outer, staggered_difference

Array = NDArray[np.float64]

ROUNDING = 1e-12  # of a layer's width: so that it begins at the same node on either side


@dataclass(frozen=True)
class Wall:
    """u = 0 on the side: a fixed end, or a free surface for the pressure."""


@dataclass(frozen=True)
class Mirror:
    """du/dn = 0 on the side: the field continues beyond it as its mirror image."""


@dataclass(frozen=True)
class Absorbing:
    """A layer of `width` along the side, inside the grid, closed by u = 0 at its end.

    Args:
        width: in the units of the grid; half a wavelength or more.
        reflection: R, the reflection at normal incidence without the grid's own error: the damping is zeta = 3 c
            ln(1/R) / (2 width) (depth / width)^2.
    """

    width: float
    reflection: float = 1e-5

    def __post_init__(self) -> None:
        if not self.width > 0:
            raise ValueError(f"an absorbing layer needs a positive width; got {self.width}.")
        if not 0 < self.reflection < 1:
            raise ValueError(f"the reflection of a layer must lie between 0 and 1; got {self.reflection}.")


WaveSide = Wall | Mirror | Absorbing


def mirrors(pair: tuple[WaveSide, WaveSide]) -> tuple[bool, bool]:
    """Which sides of an axis are mirrors."""
    return isinstance(pair[0], Mirror), isinstance(pair[1], Mirror)


def unknowns(pair: tuple[WaveSide, WaveSide]) -> slice:
    """The nodes of an axis where u is unknown: all inner ones, and those on mirrors."""
    low, high = mirrors(pair)
    return slice(0 if low else 1, None if high else -1)


def weights(nodes: int, pair: tuple[WaveSide, WaveSide]) -> Array:
    """Of the unknowns of an axis in sums over the domain: one half on mirrors, 1 elsewhere."""
    share = np.ones(nodes)
    share[[0, -1]] = 0.5
    return share[unknowns(pair)]


def differences(
    grid: Grid, pairs: Sequence[tuple[WaveSide, WaveSide]]
) -> tuple[list[sparse.csr_array], list[sparse.csr_array], Array]:
    """Along each axis d/dx of the unknowns, between them, its negative adjoint, and the unknowns' fractions of a cell."""
    shares = [weights(n, pair) for n, pair in zip(grid.shape, pairs, strict=True)]
    shape = tuple(map(len, shares))
    gradients = [
        along(staggered_difference(n, h, mirrors(pair)), shape, axis)
        for axis, (n, h, pair) in enumerate(zip(grid.shape, grid.spacing, pairs, strict=True))
    ]
    divergences = [
        -(along(sparse.diags_array(1.0 / share), shape, axis) @ g.T)
        for axis, (share, g) in enumerate(zip(shares, gradients, strict=True))
    ]
    return gradients, divergences, outer(shares).ravel()


def damping(axis: Array, pair: tuple[WaveSide, WaveSide], speed: float) -> Array:
    """zeta, `(n,)`, at points `(n,)` that run from one end of the grid to the other, ends included."""
    zeta = np.zeros(len(axis))
    for side, into in zip(pair, (axis - axis[0], axis[-1] - axis), strict=True):
        if isinstance(side, Absorbing):
            depth = np.maximum(0.0, 1.0 - into / side.width - ROUNDING)
            zeta += 1.5 * speed * np.log(1.0 / side.reflection) / side.width * depth**2
    return zeta


def check_layers(grid: Grid, pairs: list[tuple[WaveSide, WaveSide]]) -> None:
    """ValueError for layers without space between them or in more than two dimensions."""
    widths = [[side.width for side in pair if isinstance(side, Absorbing)] for pair in pairs]
    if any(widths) and grid.dimension > 2:
        raise ValueError(f"absorbing layers need 1 or 2 dimensions, got {grid.dimension}; use walls.")
    for axis, (layers, low, high) in enumerate(zip(widths, grid.lower, grid.upper, strict=True)):
        if sum(layers) >= high - low:
            raise ValueError(
                f"the layers of axis {axis}, {sum(layers):g} wide together, fill the grid of {high - low:g}; "
                "widen the grid or narrow the layers."
            )
        if layers and min(layers) < 4 * grid.spacing[axis]:
            raise ValueError(
                f"a layer of axis {axis} is {min(layers) / grid.spacing[axis]:.2g} spacings wide; use at "
                "least 4 "
                f"spacings, {4 * grid.spacing[axis]:.3g}."
            )


class Layers:
    """The layers of all sides on the unknown nodes of a grid, and their auxiliary fluxes in time.

    `clear` is 1 at nodes from which a Laplacian reaches no layer. The correction of fourth order in time is used only
    there: in a layer u and phi need the same differences, otherwise they grow without bound.
    """

    def __init__(
        self,
        grid: Grid,
        pairs: list[tuple[WaveSide, WaveSide]],
        speed: float,
        gradients: list[sparse.csr_array],
        divergences: list[sparse.csr_array],
    ) -> None:
        inner = tuple(len(axis[unknowns(pair)]) for axis, pair in zip(grid.axes, pairs, strict=True))
        nodes, halves, clear = [], [], np.ones(inner)
        for k, (axis, pair) in enumerate(zip(grid.axes, pairs, strict=True)):
            doubled = np.sort(np.concatenate([axis, (axis[1:] + axis[:-1]) / 2]))
            zeta = damping(doubled, pair, speed)
            reach = np.convolve(zeta, np.ones(13), mode="same")  # three nodes to either side
            line = [-1 if k == j else 1 for j in range(grid.dimension)]
            nodes.append(zeta[::2][unknowns(pair)].reshape(line))
            halves.append(zeta[1::2].reshape(line))
            clear = clear * (reach[::2][unknowns(pair)] == 0).reshape(line)
        self.present = any(zeta.any() for zeta in nodes)
        self.friction = (sum(nodes) + np.zeros(inner)).ravel()
        self.stiffness = (nodes[0] * nodes[1]).ravel() if grid.dimension == 2 else 0.0
        self.clear = clear.ravel()
        rows, columns, decay, drive = [], [], [], []
        for k, (gradient, divergence) in enumerate(zip(gradients, divergences, strict=True)):
            shape = tuple(grid.shape[k] - 1 if j == k else n for j, n in enumerate(inner))
            along = np.broadcast_to(halves[k], shape).ravel()
            others = sum(
                (np.broadcast_to(z, shape).ravel() for j, z in enumerate(nodes) if j != k),
                np.zeros(along.size),
            )
            inside = (along > 0) | (others > 0)
            rows.append(gradient[inside])
            columns.append(divergence.tocsc()[:, inside])
            decay.append(along[inside])
            drive.append((others - along)[inside])
        self.gradient = sparse.vstack(rows, format="csr")
        self.divergence = sparse.hstack(columns, format="csr")
        self.decay, self.drive = np.concatenate(decay), np.concatenate(drive)

    def advance(self, flux: Array, slope: Array, new_slope: Array, step: float) -> Array:
        """The fluxes one step on, by the trapezoidal rule; slopes are `gradient @ u` before and after."""
        half = 0.5 * step
        return ((1.0 - half * self.decay) * flux + half * self.drive * (slope + new_slope)) / (
            1.0 + half * self.decay
        )
