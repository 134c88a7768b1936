"""Points of one face with the length or area of each: how an integral along a domain's boundary is summed."""

import math

import numpy as np
import torch
from numpy.typing import NDArray

from neurapde.domains.base import Domain

BISECTIONS = 40
INSET = 1e-6  # of a face: at its very ends, where a part may touch another, nothing is asked

Array = NDArray[np.float64]


def boundary_rule(domain: Domain, face: str, spacing: float) -> tuple[Array, Array, Array]:
    """Points and outward normals `(n, d)` of a face, at most `spacing` apart or nearly, and their weights `(n,)`.

    In the plane the face's pieces, as another shape cuts them, are found by bisection, and each has a midpoint rule of
    its own; in space, points that are cut off are left out.
    """
    size = domain.boundary_size((face,))
    cube = domain._boundary_cube
    count = max(math.ceil((size / spacing ** (domain.dimension - 1)) ** (1 / cube)), 2)
    if domain.dimension == 2:
        return _along(domain, face, size, count)
    line = (torch.arange(count, dtype=torch.float64) + 0.5) / count
    points, normals, inside = domain._to_boundary(
        torch.cartesian_prod(*[line] * cube).reshape(-1, cube), (face,)
    )
    weights = np.full(int(inside.sum()), size / count**cube)
    return points[inside].numpy(), normals[inside].numpy(), weights


def _along(domain: Domain, face: str, size: float, count: int) -> tuple[Array, Array, Array]:
    def rows(unit: Array) -> tuple[Array, Array, NDArray[np.bool_]]:
        cube = torch.as_tensor(unit)[:, None].expand(-1, domain._boundary_cube)
        points, normals, inside = domain._to_boundary(cube, (face,))
        return points.numpy(), normals.numpy(), inside.numpy()

    unit = np.concatenate([[INSET], (np.arange(count) + 0.5) / count, [1 - INSET]])
    inside = rows(unit)[2]
    turns = np.flatnonzero(inside[1:] != inside[:-1])
    low, high, before = unit[turns], unit[turns + 1], inside[turns]
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        same = rows(middle)[2] == before
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    ends = np.concatenate([[0.0] if inside[0] else [], (low + high) / 2, [1.0] if inside[-1] else []])
    places, weights = [np.empty(0)], [np.empty(0)]
    for start, stop in ends.reshape(-1, 2):
        parts = max(math.ceil((stop - start) * count), 1)
        places.append(start + (stop - start) * (np.arange(parts) + 0.5) / parts)
        weights.append(np.full(parts, (stop - start) * size / parts))
    points, normals, _ = rows(np.concatenate(places))
    return points, normals, np.concatenate(weights)
