"""Where the medium of a grid jumps: places on the faces of declared regions, and of what functions are found to do."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurapde.core.arrays import to_numpy
from neurapde.domains.base import Domain
from neurapde.fields.grid_field import GridField
from neurapde.fields.jumps import Features, features_of, narrow_features
from neurapde.fields.medium import Constant, Field
from neurapde.reference_solvers.grids.averaging import LEAVES
from neurapde.reference_solvers.grids.grid import Grid

MOST_LEAVES = {1: 1024, 2: 48, 3: LEAVES}
"""Parts of a cell along each axis for averages of a thin layer."""
PER_LAYER = 2.5
"""Parts across a thin layer."""
MOST_PLACES = 200_000

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Faces:
    """Places `(m, d)` on the faces, the thinnest layer between two of them, and how fine functions were looked at."""

    places: Values
    thinnest: float
    note: tuple[str, ...]

    @classmethod
    def of(cls, field: Field, domain: Domain, grid: Grid, features: Features | None = None) -> "Faces":
        """Those of a field, less than a cell of the grid apart. found: its `medium_features`, where they are known."""
        features = medium_features(field, domain) if features is None else features
        if features is None:
            return cls(np.empty((0, grid.dimension)), math.inf, ())
        places = [
            _between_lines(features.points, features.axes, features.extents / max(features.lines, 1), grid)
        ]
        for region in field.regions.values():
            count = math.ceil(4 * region.boundary_size(region.faces) / min(grid.spacing)) + 8
            if grid.dimension == 1:
                count = 2
            places.append(region.sample_boundary(min(count, MOST_PLACES), how="grid").points.numpy())
        every = np.concatenate(places)
        return cls(every[grid.contains(every)], features.narrowest, features_of([field], domain).note)

    def leaves(self, grid: Grid) -> int:
        """Parts of a cell along each axis that see the thinnest layer."""
        wanted = math.ceil(PER_LAYER * max(grid.spacing) / self.thinnest)
        return min(max(LEAVES, wanted), MOST_LEAVES[grid.dimension])

    def unseen(self, grid: Grid) -> bool:
        """Whether the thinnest layer is thinner than such a part."""
        return self.thinnest * self.leaves(grid) < max(grid.spacing)


def medium_features(field: Field, domain: Domain) -> Features | None:
    """Where a field changes abruptly, whatever the grid; None for one that has no jumps to be found."""
    if isinstance(field, Constant | GridField):
        return None
    return narrow_features(lambda points: to_numpy(field(points)), domain)


def _between_lines(points: Values, axes: NDArray[np.int64], apart: Values, grid: Grid) -> Values:
    """Places found on lines, and those half a cell apart beside them, half-way to the next line."""
    places = [points]
    for axis in range(grid.dimension):
        steps = math.ceil(apart[axis] / grid.spacing[axis]) + 1
        across = points[axes != axis]
        for k in range(-steps, steps + 1):
            places.append(across + k / 2 * grid.spacing[axis] * np.eye(grid.dimension)[axis])
    return np.concatenate(places)
