"""Poisson's problem as arrays: coefficients, sources and sides of a declaration for the finite-volume solvers."""

import math
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from neurapde.conditions import Dirichlet, Neumann, Periodic, Robin, Treated
from neurapde.conditions.base import Mixed
from neurapde.conditions.boundary_data import narrowest_data
from neurapde.core.arrays import to_numpy
from neurapde.core.errors import DeclarationError
from neurapde.core.progress import count_one
from neurapde.core.warn import warn
from neurapde.domains.base import Domain
from neurapde.domains.box import Box
from neurapde.domains.polygon import Polygon
from neurapde.equations.poisson import Poisson, of_points
from neurapde.fields.hidden import at_corners
from neurapde.fields.jumps import Features
from neurapde.fields.sources import total
from neurapde.problem.problem import Problem
from neurapde.reference_solvers.cut_poisson import Boundary as BoundaryPoints
from neurapde.reference_solvers.cut_poisson import solve_cut_poisson
from neurapde.reference_solvers.embedded_poisson import solve_embedded_poisson
from neurapde.reference_solvers.grids.grid import Grid, ResolutionError, ResolutionWarning
from neurapde.reference_solvers.grids.sides import Side
from neurapde.reference_solvers.poisson import ORDER, solve_poisson
from neurapde.references.graded_poisson import RESOLVED, medium_of, solve_graded_problem
from neurapde.references.poisson_cost import check_poisson_grid, held_all_round
from neurapde.references.sides import check_sides, face_nodes, volume_side
from neurapde.references.solution import GridSolution
from neurapde.spectral.boundary_rule import boundary_rule

NODES = {1: 2049, 2: 257, 3: 49}  # along the longest axis, where no shape is asked for

PER_CELL = {1: 1, 2: 8, 3: 4}  # points of the boundary along a cell's side
TREATED = Treated("the grid solver of Poisson's equation", (Dirichlet, Neumann, Robin, Periodic))
LEAST_ORDER = 0.5  # of convergence, that the error estimate counts on

Values = NDArray[np.float64]


def solve_poisson_problem(
    equation: Poisson, problem: Problem, shape: tuple[int, ...] | None, error: bool
) -> GridSolution:
    """The adapter of `npde.reference` for Poisson's equation: a Box by its sides, other domains cut out of a grid."""
    if problem.domain.dimension > 3:
        raise DeclarationError(
            f"the grid solver of Poisson's equation takes up to three axes, not {problem.domain}"
        )
    if len(problem.right_hand_sides) > 1:
        raise DeclarationError(
            "the grid solver of Poisson's equation takes one right-hand side; declare a problem for each"
        )
    if reason := of_points(problem):
        raise DeclarationError(f"the grid solver of Poisson's equation takes densities, and {reason}")
    counts = shape or _good_shape(problem)
    lower, upper = (corner.tolist() for corner in problem.domain.bounds)
    grid = Grid(lower, upper, counts)
    check_poisson_grid(equation, problem, grid.shape)
    medium = medium_of(equation, problem)
    if isinstance(problem.domain, Box):
        check_sides(problem, TREATED)
    if isinstance(problem.domain, Box) and medium is not None:
        _warn_unseen(problem, grid, math.inf)  # the grid is placed on its medium
        return solve_graded_problem(equation, problem, medium, counts, error)
    _warn_unseen(problem, grid, math.inf if medium is None else _thinnest(medium.features, problem.domain))
    solve = _counted(
        _on_box(equation, problem) if isinstance(problem.domain, Box) else _cut_out(equation, problem)
    )
    started = time.perf_counter()
    values = solve(grid)
    seconds = time.perf_counter() - started
    estimate = _estimate(values, _on_coarser(solve, grid)) if error and grid.has_coarser else None
    size = "×".join(map(str, grid.shape))
    notes = (f"finite volumes on {size} nodes", *(() if medium is None else medium.features.note))
    cut = None if isinstance(problem.domain, Box) else problem.domain
    return GridSolution(values, grid, seconds, estimate, None, notes, cut)


def _counted(solve: Callable[[Grid], Values]) -> Callable[[Grid], Values]:
    """A solver whose grids are counted for who waits."""

    def counted(grid: Grid) -> Values:
        values = solve(grid)
        count_one()
        return values

    return counted


def _thinnest(features: Features, domain: Domain) -> float:
    """The length within which a medium or a load changes; what is singular at a corner is not thin."""
    scales = features.scales
    if isinstance(domain, Polygon) and len(scales):
        corners = np.asarray(domain.vertices, dtype=float)
        singular = at_corners(features.points, corners, np.asarray(domain.extents))
        scales = scales[~(features.hidden & singular)]
    return float(scales.min(initial=math.inf))


def _warn_unseen(problem: Problem, grid: Grid, thinnest: float) -> None:
    """Warn of data on the boundary, or of a medium that is as thin somewhere, that fall between the nodes."""
    thinnest = min(thinnest, narrowest_data(problem.sides))
    if thinnest < RESOLVED * max(grid.spacing):
        warn(
            f"the data of {problem.name!r} change within {thinnest:.2g}, but the cells of the grid are "
            f"{max(grid.spacing):.2g} wide: details between the nodes are lost, and the error estimate does not include "
            "that; give a larger shape, or wider data",
            ResolutionWarning,
        )


def _good_shape(problem: Problem) -> tuple[int, ...]:
    extents = problem.domain.extents
    most = NODES[problem.domain.dimension] - 1
    return tuple(2 * max(4, math.ceil(most * (extent / max(extents)) / 2)) + 1 for extent in extents)


def _on_coarser(solve: Callable[[Grid], Values], grid: Grid) -> list[Values]:
    """The values on the grid of twice the spacing, and on that of four times, where there is one that meets the domain."""
    solutions = [solve(grid.coarser())]
    if grid.coarser().has_coarser:
        with suppress(ResolutionError):
            solutions.append(solve(grid.coarser().coarser()))
    return solutions


def _estimate(fine: Values, coarser: Sequence[Values]) -> float | None:
    """Relative L2 error of the fine grid, by Richardson; nodes outside the domain do not count.

    The order is that which three grids show, the scheme's at most: where the field is singular at a corner it is less.
    """
    changes = [_change(*pair) for pair in pairwise((fine, *coarser))]
    if changes[0] is None:
        return None
    ratio = changes[1] / changes[0] if len(changes) > 1 and changes[1] and changes[0] else math.inf
    order = float(np.clip(math.log2(ratio), LEAST_ORDER, ORDER))
    return changes[0] / (2**order - 1)


def _change(fine: Values, coarse: Values) -> float | None:
    """Relative L2 norm of what the finer of two grids changes; None where the field is zero."""
    on_coarse = fine[tuple(slice(None, None, 2) for _ in fine.shape)]
    known = np.isfinite(on_coarse) & np.isfinite(coarse)
    size = float(np.linalg.norm(on_coarse[known]))
    return float(np.linalg.norm((on_coarse - coarse)[known])) / size if size else None


def _at(function: Callable[[Values], Values], grid: Grid) -> Values:
    return np.asarray(function(grid.points), dtype=float).reshape(grid.shape)


def _density(problem: Problem) -> Callable[[Values], Values]:
    sources = problem.right_hand_sides[0]
    return lambda points: np.asarray(total(sources, points), dtype=float)


def _on_box(equation: Poisson, problem: Problem) -> Callable[[Grid], Values]:
    """The solver of a Box, with the condition of each face."""
    faces, data = problem.domain.faces, problem.sides.data

    def solve(grid: Grid) -> Values:
        sides = [_side(equation, data.get(face), grid, number) for number, face in enumerate(faces)]
        return solve_poisson(
            grid,
            _at(_density(problem), grid),
            coefficient=_at(equation.coefficient, grid),
            reaction=_at(equation.reaction, grid),
            sides=list(zip(sides[::2], sides[1::2], strict=True)),
        )

    return solve


def _side(equation: Poisson, given: Mixed | None, grid: Grid, number: int) -> Side:
    """One face's condition with its data on the face's nodes."""
    _, points = face_nodes(grid, number)

    def on_face(field: Callable[[Values], Values]) -> Values:
        values = np.asarray(field(points.reshape(-1, grid.dimension)), dtype=float)
        return values.reshape(points.shape[:-1])

    return volume_side(given, equation.coefficient, on_face, on_face)


def _cut_out(equation: Poisson, problem: Problem) -> Callable[[Grid], Values]:
    """The solver of a domain that is no Box, with the condition of each face."""
    domain = problem.domain
    if reason := problem.sides.unknown(TREATED):
        raise DeclarationError(reason)

    def level(points: Values) -> Values:
        return to_numpy(domain.signed_distance(points))

    def solve(grid: Grid) -> Values:
        source, coefficient, reaction = (
            _at(field, grid) for field in (_density(problem), equation.coefficient, equation.reaction)
        )
        only = held_all_round(problem)
        if only is not None:
            return solve_embedded_poisson(
                grid,
                level(grid.points).reshape(grid.shape),
                source,
                boundary=lambda points: np.asarray(only.value(points), dtype=float),
                coefficient=coefficient,
                reaction=reaction,
            )
        spacing = min(grid.spacing) / PER_CELL[domain.dimension]
        parts = [_piece(equation, problem, face, spacing) for face in domain.faces]
        columns = zip(*(piece for piece in parts if piece is not None), strict=True)
        return solve_cut_poisson(
            grid,
            level,
            source,
            boundary=BoundaryPoints(*(np.concatenate(column) for column in columns)),
            coefficient=coefficient,
            reaction=reaction,
        )

    return solve


def _piece(equation: Poisson, problem: Problem, face: str, spacing: float) -> tuple[NDArray, ...] | None:
    """One face as the columns of `BoundaryPoints`; None where nothing of it is boundary."""
    points, normals, weights = boundary_rule(problem.domain, face, spacing)
    if not len(points):
        return None
    given = problem.sides.data.get(face)
    if given is None:
        said = "is periodic at" if problem.sides.by_face[face] else "has no condition on"
        raise DeclarationError(
            f"{problem.name!r} {said} {face}, but on a domain that is no Box the grid solver needs Dirichlet, Neumann or "
            "Robin there"
        )

    def at(field: Callable[[Values], Values]) -> Values:
        return np.asarray(field(points), dtype=float)

    a, b = at(given.a), at(given.b)
    fixed = b == 0  # there, a u = value
    share = np.where(fixed, 1.0, at(equation.coefficient)) / np.where(fixed, a, b)
    return points, normals, weights, fixed, share * a, share * at(given.value)
