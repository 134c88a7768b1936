"""Poisson's equation with constant coefficients on a box, solved axis by axis: its eigenfunctions are products.

Among the polynomials of one axis, those that meet the conditions at both ends, in the basis of the eigenvectors of −∂²,
turn −a Δ + c into a sum of numbers (Lynch, Rice, Thomas 1964; Shen 1994). What the conditions ask for is carried from
face to face by parabolas along each axis. Then the polynomials are written as sines of a longer interval (see
`trials.frame`), by least squares, axis by axis too. n modes along each axis cost O(n⁴), and a field that is smooth up to
the box's edges is approximated faster than any power of n.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.polynomial.legendre import legder, leggauss, legvander
from numpy.typing import NDArray

from neurapde.spectral.modes import AxisModes

DEPENDENT = 1e-10  # singular values, relative to the largest, below which combinations of sines are left out

Array = NDArray[np.float64]
Function = Callable[[Array], Array]


@dataclass(frozen=True)
class Face:
    """a u + b ∂u/∂n = value on one face, n outward; the value a function of points `(n, d)`."""

    a: float
    b: float
    value: Function


class Axis:
    """Orthonormal polynomials of one axis, and those among them that meet the conditions at both ends.

    There are half as many as modes: so many the sines carry, to ten digits, whatever the field. Their number is even,
    so that levels differ for fields that are even about the middle and for odd ones.

    modes: a multiple of 4, on a longer interval. lower, upper: the axis itself. ends: (a, b) of the condition at either end.
    """

    def __init__(
        self, modes: AxisModes, lower: float, upper: float, ends: Sequence[tuple[float, float]]
    ) -> None:
        count, half = 2 * (modes.count // 4), (upper - lower) / 2
        unit, weights = leggauss(2 * modes.count)
        size = np.sqrt((np.arange(count) + 0.5) / half)
        self.nodes, self.tips = lower + half * (unit + 1), np.array([lower, upper])
        values = legvander(unit, count - 1) * size
        self.projection = (
            values * (half * weights)[:, None]
        ).T  # (functions, nodes): from values to coefficients
        slope = np.zeros((count, count))  # from coefficients to those of the derivative
        slope[:-1] = legder(np.diag(size), axis=0) / size[:-1, None] / half
        self.second = slope @ slope
        at_ends = legvander(np.array([-1.0, 1.0]), count - 1) * size
        a, b = np.array(ends, dtype=float).T
        outward = np.array([[-1.0], [1.0]])
        self.rows = a[:, None] * at_ends + b[:, None] * outward * (at_ends @ slope)
        self.lifts = np.zeros((count, 2))
        self.lifts[:3] = np.linalg.pinv(self.rows[:, :3])
        energy = slope.T @ slope - at_ends.T @ (outward * (at_ends @ slope))
        free = np.linalg.qr(self.rows.T, mode="complete")[0][:, 2:]
        energy = free.T @ energy @ free
        self.rates, vectors = np.linalg.eigh((energy + energy.T) / 2)
        self.eigen = free @ vectors
        root = np.sqrt(weights)[:, None]
        self.heads = np.linalg.lstsq(root * modes.values(self.nodes).T, root * values, rcond=DEPENDENT)[0]


def solve_separable(
    axes: Sequence[Axis], source: Function, faces: Sequence[Face], coefficient: float, reaction: float
) -> Array:
    """The amplitudes of −a Δu + c u = f on a box, one for each product of modes, `(n1, …, nd)`.

    axes: one each. faces: lower and upper of the first axis, then of the second, …; their a and b are those of the axes.
    """
    d = len(axes)
    u = np.zeros([len(axis.lifts) for axis in axes])
    for number, axis in enumerate(axes):
        others = [k for k in range(d) if k != number]
        missing = []
        for end in range(2):
            face = faces[2 * number + end]
            grid = [axes[k].nodes for k in others]
            grid.insert(number, axis.tips[end : end + 1])
            values = _at(face.value, grid).squeeze(number)
            wanted = _applied([axes[k].projection for k in others], values)
            missing.append(wanted - np.tensordot(axis.rows[end], u, axes=(0, number)))
        u += np.moveaxis(np.tensordot(axis.lifts, np.stack(missing), axes=(1, 0)), 0, number)
    load = (
        _applied([axis.projection for axis in axes], _at(source, [axis.nodes for axis in axes]))
        - reaction * u
    )
    for number, axis in enumerate(axes):
        load += coefficient * np.moveaxis(np.tensordot(axis.second, u, axes=(1, number)), 0, number)
    rates = sum(np.meshgrid(*(axis.rates for axis in axes), indexing="ij"))
    load = _applied([axis.eigen.T for axis in axes], load) / (coefficient * rates + reaction)
    u += _applied([axis.eigen for axis in axes], load)
    return _applied([axis.heads for axis in axes], u)


def _at(function: Function, grid: Sequence[Array]) -> Array:
    """A function of points on a tensor grid."""
    points = np.stack(np.meshgrid(*grid, indexing="ij"), axis=-1)
    return np.asarray(function(points.reshape(-1, len(grid))), dtype=float).reshape(points.shape[:-1])


def _applied(matrices: Sequence[Array], values: Array) -> Array:
    """One matrix along each axis of an array."""
    for number, matrix in enumerate(matrices):
        values = np.moveaxis(np.tensordot(matrix, values, axes=(1, number)), 0, number)
    return values
