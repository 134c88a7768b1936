"""The eikonal equation on a grid: travel times by fast sweeping, and the known distance of a surface at the nodes."""

import math
import time

import numpy as np
from numpy.typing import NDArray

from neurapde.core.errors import DeclarationError
from neurapde.core.progress import count_one
from neurapde.domains.base import Domain
from neurapde.domains.box import Box
from neurapde.domains.cloud import PointCloud
from neurapde.domains.mesh import Mesh
from neurapde.equations.eikonal import Eikonal, sources_of
from neurapde.problem.problem import Problem
from neurapde.reference_solvers.convergence import richardson
from neurapde.reference_solvers.eikonal import ORDER, solve_eikonal
from neurapde.reference_solvers.grids.grid import Grid
from neurapde.references.cost import SWEPT_NODE, check_grid
from neurapde.references.solution import GridSolution

_NODES = {2: 301, 3: 61}  # on the longest axis, where no shape is asked for: some 5 s on two cores

_NODE = 350.0  # bytes at a node for each source


def solve_travel_times(
    equation: Eikonal, problem: Problem, shape: tuple[int, ...] | None, error: bool
) -> GridSolution:
    """The adapter of `npde.reference` for the eikonal equation; see there."""
    domain = problem.domain
    if not isinstance(domain, Box) or domain.dimension not in _NODES:
        raise DeclarationError(
            f"the grid solver of the eikonal equation works on a Box in two or three dimensions, but the domain is "
            f"{domain}; declare the problem on a Box around it"
        )
    lower, upper = (corner.tolist() for corner in domain.bounds)
    grid = Grid(lower, upper, shape or _shape(domain))
    work = float(grid.size * len(problem.right_hand_sides))
    check_grid(_NODE * work, grid.shape, problem.name, SWEPT_NODE * work)
    if equation.surface is not None:
        return _distances(equation.surface, grid, error)
    begin = time.perf_counter()
    values = _times(equation, problem, grid)
    seconds = time.perf_counter() - begin
    notes = [f"factored second-order fast sweeping on {_text(grid)} nodes"]
    estimate = None
    if error and all(n >= 9 for n in grid.shape):
        coarse = Grid(grid.lower, grid.upper, tuple((n + 1) // 2 for n in grid.shape))
        exact_nodes = all(n % 2 for n in grid.shape)
        fine = values[(slice(None, None, 2),) * grid.dimension] if exact_nodes else None
        if fine is not None:
            difference = richardson(_times(equation, problem, coarse), fine, ORDER)
            estimate = float(np.linalg.norm(difference) / np.linalg.norm(fine))
            notes.append(f"error {estimate:.1e} (relative L2) by Richardson from {_text(coarse)} nodes")
        else:
            notes.append("no error estimate: it needs an odd number of nodes on each axis")
    return GridSolution(values, grid, seconds, estimate, None, tuple(notes))


def _times(equation: Eikonal, problem: Problem, grid: Grid) -> NDArray[np.float64]:
    """`(*shape)`, or `(*shape, shots)` for several sources."""
    slowness = np.asarray(equation.slowness(grid.points), dtype=float).reshape(grid.shape)
    times = np.moveaxis(solve_eikonal(grid, slowness, np.asarray(sources_of(problem))), 0, -1)
    count_one()
    return times[..., 0] if times.shape[-1] == 1 else times


def _distances(surface: Domain, grid: Grid, error: bool) -> GridSolution:
    """The signed distance of the surface at the nodes; of a cloud with the error that its gaps leave."""
    begin = time.perf_counter()
    values = np.asarray(surface.signed_distance(grid.points)).reshape(grid.shape)
    seconds = time.perf_counter() - begin
    way = "by formula"
    estimate = 0.0 if error else None
    if isinstance(surface, Mesh):
        way = "to the nearest triangle or segment, found by a KD-tree"
    if isinstance(surface, PointCloud):
        way = f"to the planes through {len(surface.points)} points, {surface.spacing:.2g} apart"
        if error:  # half of the points have twice the square spacing, and so twice the error
            half = PointCloud(surface.points[::2], surface.normals[::2])
            change = half.signed_distance(grid.points) - values.ravel()
            estimate = float(np.linalg.norm(change) / np.linalg.norm(values))
            way += f"; half of them give {estimate:.1e} (relative L2) else"
    return GridSolution(values, grid, seconds, estimate, None, (f"signed distance {way}",))


def _shape(domain: Box) -> tuple[int, ...]:
    """Odd numbers of nodes, equally spaced."""
    spacing = max(domain.extents) / (_NODES[domain.dimension] - 1)
    return tuple(2 * max(4, math.ceil(extent / (2 * spacing) - 1e-9)) + 1 for extent in domain.extents)


def _text(grid: Grid) -> str:
    return " × ".join(map(str, grid.shape))
