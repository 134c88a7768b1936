"""Poisson's problem on a Box where coefficients or sources jump: nodes on the faces of the medium, closer in thin layers."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurapde.conditions.base import Mixed
from neurapde.core.progress import count_one
from neurapde.core.warn import warn
from neurapde.domains.base import Domain
from neurapde.domains.box import Box
from neurapde.domains.edges import Segment
from neurapde.equations.poisson import Poisson
from neurapde.fields.grid_field import GridField
from neurapde.fields.jumps import Features, joined, narrow_features
from neurapde.fields.line_search import spread_points
from neurapde.fields.medium import Constant
from neurapde.fields.sources import total
from neurapde.problem.problem import Problem
from neurapde.reference_solvers.grids.graded import Graded, graded, interpolate_graded
from neurapde.reference_solvers.grids.grid import Grid, ResolutionWarning
from neurapde.reference_solvers.grids.sides import Side
from neurapde.reference_solvers.operators.volumes import edge_means, node_means, side_means
from neurapde.reference_solvers.poisson import solve_poisson
from neurapde.references.poisson_cost import check_poisson_grid
from neurapde.references.sides import volume_side
from neurapde.references.solution import GridSolution

MOST = {1: 16384, 2: 512, 3: 64}
"""Nodes along an axis, by the number of axes."""
PARTS, FINEST = {1: 8, 2: 2, 3: 1}, {1: 64, 2: 8, 3: 3}
"""Parts of half a cell along each axis for averages, where the medium follows the axes and where it does not."""
PER_LAYER = 6
"""Cells across a thin layer of a function, where there is room for them."""
RESOLVED = 2.0
"""Cells across a layer askew below which what it conducts along itself is lost."""
SAME = 1e-7
"""Part of an axis within which two planes across it are one."""
PROBES = 4000

Values = NDArray[np.float64]
Function = Callable[[Values], Values]


@dataclass(frozen=True)
class Medium:
    """Where the coefficients and the source of a problem change abruptly.

    breaks: for each axis coordinates of the planes across it. askew: whether they do elsewhere, too.
    """

    features: Features
    breaks: tuple[Values, ...]
    askew: bool


def medium_of(equation: Poisson, problem: Problem) -> Medium | None:
    """The faces of a problem's medium, declared or found; None where nothing changes abruptly."""
    domain = problem.domain
    fields = [
        field
        for field in (equation.coefficient, equation.reaction)
        if not isinstance(field, Constant | GridField)
    ]
    functions: list[Function] = [lambda x, field=field: np.asarray(field(x), dtype=float) for field in fields]  # type: ignore[misc]
    if problem.right_hand_sides[0]:
        functions.append(density_of(problem))
    features = joined([narrow_features(function, domain) for function in functions], domain)
    regions = tuple(equation.regions.values())
    if not len(features) and not regions:
        return None
    breaks = tuple(
        _distinct(
            np.concatenate([*(_planes(region, axis) for region in regions), features.planes(axis)]), *ends
        )
        for axis, ends in enumerate(zip(*domain.bounds, strict=True))
    )
    return Medium(features, breaks, features.askew)


def density_of(problem: Problem) -> Function:
    """The source of Poisson's problem at points (n, d): (n,)."""
    sources = problem.right_hand_sides[0]
    return lambda points: np.asarray(total(sources, points), dtype=float)


def _distinct(planes: Values, lower: float, upper: float) -> Values:
    """The planes within an axis, increasing, each once: the first given where several are one."""
    places: list[float] = []
    for place in planes.tolist():
        if min(abs(place - other) for other in (*places, lower, upper)) > SAME * (upper - lower):
            places.append(place)
    return np.sort([place for place in places if lower < place < upper])


def _planes(region: Domain, axis: int) -> Values:
    """Coordinates along an axis of the sides of a region that lie across it."""
    if isinstance(region, Box):
        return np.array(region.sides[axis])
    if region.dimension != 2:
        return np.empty(0)
    sides = [edge for edge in region.edges if isinstance(edge, Segment)]
    return np.array([side.start[axis] for side in sides if side.start[axis] == side.end[axis]])


def solve_graded_problem(
    equation: Poisson,
    problem: Problem,
    medium: Medium,
    shape: tuple[int, ...],
    error: bool,
) -> GridSolution:
    """The reference on a Box with such a medium, `shape` its nodes where nothing asks for more."""
    solver = _Solver(equation, problem, medium, shape)
    check_poisson_grid(equation, problem, solver.grid(1.0).shape)
    started = time.perf_counter()
    grid, values = solver.solve(1.0)
    seconds = time.perf_counter() - started
    uniform = Grid(grid.lower, grid.upper, shape)
    size = "×".join(map(str, grid.shape))
    notes = [f"finite volumes on {size} nodes, placed on the faces of the medium and closer in thin layers"]
    notes += medium.features.note
    estimate = None
    if error:
        estimate = solver.difference((grid, values), solver.solve(2.0)) / solver.shrinks
        if (across := solver.across(grid)) < RESOLVED:
            other = solver.solve(1.0, harmonic=False)
            estimate = max(estimate, solver.difference((grid, values), other))
            warn(
                f"the medium of {problem.name!r} has a layer oblique to the axes, {across:.2g} cells thick: the error "
                f"of the reference is up to {estimate:.1e}; give a larger shape, or a thicker layer",
                ResolutionWarning,
            )
    on_nodes = interpolate_graded(grid, values, uniform.points).reshape(shape)
    return GridSolution(on_nodes, uniform, seconds, estimate, None, tuple(notes), graded=(grid, values))


class _Solver:
    """The problem on graded grids of any fineness."""

    def __init__(
        self,
        equation: Poisson,
        problem: Problem,
        medium: Medium,
        shape: tuple[int, ...],
    ) -> None:
        self.equation, self.problem, self.medium = equation, problem, medium
        lower, upper = problem.domain.bounds
        self.lower, self.upper, self.dimension = lower, upper, len(lower)
        self.spacing = (upper - lower) / (np.array(shape) - 1)
        self.most = max(MOST[self.dimension], max(shape))
        cornered = sum(len(breaks) > 0 for breaks in medium.breaks) > 1
        # by how much twice the distance of the nodes multiplies the error, less one: second order in plain layers
        self.shrinks = 1.0 if medium.askew or cornered else 3.0

    def grid(self, coarser: float) -> Graded:
        features, close = self.medium.features, []
        scales = features.scales
        for axis in range(self.dimension):
            thin = np.isfinite(scales)
            places, wanted = features.points[thin, axis], coarser * scales[thin] / PER_LAYER
            close.append(_sparse(places, wanted, float(self.spacing[axis])))
        return graded(
            self.lower.tolist(),
            self.upper.tolist(),
            (coarser * self.spacing).tolist(),
            self.medium.breaks,
            close,
            math.ceil(self.most / coarser),
        )

    def solve(self, coarser: float, harmonic: bool = True) -> tuple[Graded, Values]:
        grid = self.grid(coarser)
        parts = PARTS[self.dimension]
        if self.medium.askew:
            largest = max(float(steps.max()) for steps in grid.steps)
            wanted = math.ceil(2 * largest / self.medium.features.narrowest)
            parts = min(max(wanted, 2 * parts), FINEST[self.dimension])
        a = self._field(self.equation.coefficient)
        sides = [
            self._side(self.problem.sides.data.get(face), grid, *divmod(number, 2), parts)
            for number, face in enumerate(self.problem.domain.faces)
        ]
        values = solve_poisson(
            grid,
            node_means(density_of(self.problem), grid, PARTS[self.dimension]),
            coefficient=edge_means(a, grid, parts, harmonic=harmonic),
            reaction=node_means(self._field(self.equation.reaction), grid, PARTS[self.dimension]),
            sides=list(zip(sides[::2], sides[1::2], strict=True)),
        )
        count_one()
        return grid, values

    @staticmethod
    def _field(field: Function) -> Function:
        return lambda points: np.asarray(field(points), dtype=float)

    def _side(self, given: Mixed | None, grid: Graded, axis: int, end: int, parts: int) -> Side:
        """One face's condition, its fluxes averaged over what each node owns of the face."""

        def mean(function: Function) -> Values:
            return side_means(self._field(function), grid, axis, -end, parts)

        def at_nodes(function: Function) -> Values:
            points = grid.points.reshape(*grid.shape, grid.dimension).take(-end, axis=axis)
            values = np.asarray(function(points.reshape(-1, grid.dimension)), dtype=float)
            return values.reshape(points.shape[:-1])

        return volume_side(given, self.equation.coefficient, at_nodes, mean)

    def difference(self, field: tuple[Graded, Values], other: tuple[Graded, Values]) -> float:
        """Relative L2 difference of two fields at points that are nodes of neither."""
        points = self.lower + (self.upper - self.lower) * spread_points(PROBES, self.dimension)
        first, second = interpolate_graded(*field, points), interpolate_graded(*other, points)
        size = float(np.linalg.norm(first))
        return float(np.linalg.norm(first - second)) / size if size else 0.0

    def across(self, grid: Graded) -> float:
        """Cells in the thinnest layer that conducts more than what is around and runs askew; infinite without one."""
        features, least = self.medium.features, math.inf
        for axis, (nodes, steps) in enumerate(zip(grid.nodes, grid.steps, strict=True)):
            chosen = (features.axes == axis) & ~features.on_planes(axis) & np.isfinite(features.scales)
            points, scales = features.points[chosen], features.scales[chosen]
            cells = np.clip(np.searchsorted(nodes, points[:, axis]) - 1, 0, len(steps) - 1)
            thin = np.flatnonzero(scales < RESOLVED * steps[cells])
            conducts = thin[self._conducts(points[thin], scales[thin], axis)]
            least = min(least, float((scales / steps[cells])[conducts].min(initial=math.inf)))
        return least

    def _conducts(self, points: Values, scales: Values, axis: int) -> NDArray[np.bool_]:
        """Whether of the two sides of each place the one that is a thin layer has the larger coefficient."""
        a, conducting = self._field(self.equation.coefficient), np.zeros(len(points), dtype=bool)
        for sign in (-1, 1):
            there, beyond, back = (
                a(
                    np.clip(
                        points + sign * offset * scales[:, None] * np.eye(self.dimension)[axis],
                        self.lower,
                        self.upper,
                    )
                )
                for offset in (0.5, 1.5, -0.5)
            )
            conducting |= (abs(there - beyond) > abs(there - back) / 2) & (there > back)
        return conducting


def _sparse(places: Values, wanted: Values, spacing: float) -> tuple[Values, Values]:
    """The least distance wanted in each stretch of the axis, at the place that wants it."""
    if not len(places):
        return places, wanted
    order = np.lexsort((wanted, np.floor(2 * places / spacing)))
    stretch = np.floor(2 * places[order] / spacing)
    first = order[np.concatenate([[True], np.diff(stretch) > 0])]
    return places[first], wanted[first]
