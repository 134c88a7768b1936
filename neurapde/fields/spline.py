"""Values on a grid, joined smoothly: where a field's second derivatives matter, lines between nodes will not do."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from neurapde.core.arrays import Array
from neurapde.domains.base import Domain
from neurapde.fields.grid_field import GridField, interpolated
from neurapde.fields.medium import Field


@dataclass(frozen=True)
class CubicField(Field):
    """The nodes of a GridField, joined by cubic splines: twice continuously differentiable, constant beyond.

    The ends of each axis are "not a knot": the spline through the nodes of a cubic polynomial is that polynomial.
    Source: de Boor (1978), A Practical Guide to Splines, chapter IV.
    """

    grid: GridField

    def on(self, domain: Domain, part: Domain | None = None) -> "CubicField":
        return CubicField(self.grid.on(domain, part))

    @cached_property
    def coefficients(self) -> np.ndarray:
        """Of the B-splines, two more on each axis than nodes."""
        coefficients = self.grid.values
        for axis, nodes in enumerate(self.grid.values.shape):
            coefficients = np.moveaxis(
                np.tensordot(_to_coefficients(nodes), coefficients, axes=(1, axis)), 0, axis
            )
        return coefficients

    def __call__(self, points: Array) -> Array:
        return interpolated(points, self.coefficients, self.grid.bounds, _weights)

    def describe(self) -> str:
        return f"{self.grid.placed}, cubic between, constant beyond"


def _weights(t: Array) -> tuple[Array, Array, Array, Array]:
    """The four cubic B-splines that are not zero at the part t of a cell."""
    s = 1.0 - t
    return s**3 / 6, (3 * t**3 - 6 * t**2 + 4) / 6, (3 * s**3 - 6 * s**2 + 4) / 6, t**3 / 6


def _to_coefficients(nodes: int) -> np.ndarray:
    """The matrix (nodes + 2, nodes) from values at nodes to coefficients of B-splines."""
    matrix = np.zeros((nodes + 2, nodes + 2))
    for i in range(nodes):
        matrix[i, i : i + 3] = (1 / 6, 4 / 6, 1 / 6)
    if nodes == 2:  # a line: no second derivative at either end
        ends = [[1, -2, 1, 0], [0, 1, -2, 1]]
    elif nodes == 3:  # a parabola: no third derivative in either cell
        ends = [[-1, 3, -3, 1, 0], [0, -1, 3, -3, 1]]
    else:  # the third derivative goes on at the second and the last node but one
        knot, rest = [1, -4, 6, -4, 1], [0] * (nodes - 3)
        ends = [knot + rest, rest + knot]
    matrix[nodes:] = ends
    return np.linalg.inv(matrix)[:, :nodes]
