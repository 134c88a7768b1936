"""The Helmholtz problem as arrays: medium, layers, sources and sides of a declaration for the compact schemes."""

import math
import time
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurapde.conditions import PML, Absorbing, Dirichlet, Neumann, Robin, Topography, Treated
from neurapde.core.errors import DeclarationError
from neurapde.core.progress import count_one
from neurapde.core.warn import warn
from neurapde.domains.box import Box
from neurapde.equations.helmholtz import Helmholtz, reflection_note
from neurapde.fields.jumps import Features
from neurapde.fields.sources import GaussianSource, PointSource, Source
from neurapde.problem.problem import Problem
from neurapde.reference_solvers.convergence import richardson
from neurapde.reference_solvers.grids.averaging import average_in_space, cell_average
from neurapde.reference_solvers.grids.grid import Grid, ResolutionError, ResolutionWarning
from neurapde.reference_solvers.grids.sampling import gaussian_density, interpolate, point_density
from neurapde.reference_solvers.helmholtz import ORDER, HelmholtzGrid
from neurapde.reference_solvers.helmholtz_in_space import RESTART, HelmholtzInSpace
from neurapde.reference_solvers.operators.immersed import MARGIN
from neurapde.references.cost import FACTORED_NODE, check_grid, factored
from neurapde.references.faces import Faces, medium_features
from neurapde.references.sides import check_sides, face_nodes
from neurapde.references.solution import GridSolution

_FINE, _FAIR = 24.0, 12.0  # nodes per wavelength: when they are cheap, and when they are not
_CHEAP, _MOST = 513**2, 900**2  # nodes: about 3 s and 15 s on two cores
_CHEAP_IN_SPACE, _MOST_IN_SPACE = 65**3, 129**3
_STEPS, _STEP_NODE = (
    20.0,
    6e-9,
)  # iterations in space, and seconds of one over nodes and the nodes of all axes
_VECTORS = RESTART + 24  # complex fields that the iteration holds
_CONVERGED = 2e-3  # An estimate above this refines a grid that was chosen here.
_ENTRY, _FIELDS = (
    190.0,
    64.0,
)  # bytes: for each of the n log₂ n of a factorisation, and at a node for each shot

TREATED = Treated(
    "the grid solver of the Helmholtz equation",
    (PML, Absorbing, Dirichlet, Neumann, Robin, Topography),
    zero=(Neumann, Robin),
    way="use a source beside that side instead",
)


def solve_helmholtz(
    equation: Helmholtz, problem: Problem, shape: tuple[int, ...] | None, error: bool
) -> GridSolution:
    """The adapter of `npde.reference` for the Helmholtz equation; see there."""
    domain = problem.domain
    if not isinstance(domain, Box) or domain.dimension > 3:
        raise DeclarationError(
            f"the grid solver of the Helmholtz equation works on a Box of one to three dimensions, but the domain is "
            f"{domain}; declare the problem on a Box around it"
        )
    check_sides(problem, TREATED, "PML, Absorbing, Dirichlet or Neumann")
    lower, upper = (corner.tolist() for corner in domain.bounds)
    features = medium_features(equation.complex_speed, domain)
    grid = Grid(lower, upper, shape or _good_shape(equation, problem, domain))
    if (topography := problem.sides.topography) is not None:
        grid = topography.grid(domain, (grid.spacing[0], grid.spacing[1]), 2 * MARGIN)
    solution = _solved(equation, problem, grid, features)
    _warn_unseen(problem, solution)
    estimate, note = None, "no error estimate was requested"
    if error:
        estimate, note = _estimate(problem, _coarser(equation, problem, solution.grid, features), solution)
    while shape is None and estimate is not None and estimate > _CONVERGED:
        coarser = solution.grid
        finer = Grid(coarser.lower, coarser.upper, tuple(2 * n - 1 for n in coarser.shape))
        if finer.size > _sizes(domain)[1]:
            break
        coarse, solution = solution, _solved(equation, problem, finer, features)
        estimate, note = _estimate(problem, coarse, solution)
    notes = (
        f"{'nine' if domain.dimension < 3 else '27'}-point scheme on {_times(solution.grid)} nodes, "
        f"{'chosen automatically' if shape is None else 'as requested'}: {solution.nodes_per_wavelength:.1f} in the "
        "shortest wavelength",
        note,
        *solution.faces.note,
        *reflection_note(equation, problem),
    )
    values = solution.values[..., 0] if solution.values.shape[-1] == 1 else solution.values
    return GridSolution(
        values, solution.grid, solution.seconds, estimate, solution.nodes_per_wavelength, notes
    )


@dataclass(frozen=True)
class _Found:
    """The fields `(*shape, shots)` on one grid."""

    grid: Grid
    values: NDArray[np.complex128]
    nodes_per_wavelength: float
    seconds: float
    faces: Faces


def _solved(equation: Helmholtz, problem: Problem, grid: Grid, features: Features | None) -> _Found:
    check_grid(_memory(problem, grid), grid.shape, problem.name, _seconds(problem, grid))
    begin = time.perf_counter()
    if problem.sides.topography is not None:
        return _below(problem.sides.topography, equation, problem, grid, features, begin)
    stretch = [axis.factor for axis in equation.stretch(problem).axes]
    faces = Faces.of(equation.complex_speed, problem.domain, grid, features)
    if grid.dimension < 3:
        medium = cell_average(equation.slowness_squared, grid, faces=faces.places, leaves=faces.leaves(grid))
    else:
        medium = average_in_space(equation.slowness_squared, grid)
    scheme = HelmholtzGrid if grid.dimension < 3 else HelmholtzInSpace
    solver = scheme(
        grid,
        equation.wavenumber,
        medium,
        stretch=stretch,
        free=list(_free(problem)),
        impedance=_impedance(equation, problem, grid),
    )
    densities = [_density(sources, grid) for sources in problem.right_hand_sides]
    right = solver.load(np.stack(densities, axis=-1))
    values = solver.solve(right, _values(problem, grid)[..., None] * np.ones(len(densities)))
    count_one()
    return _Found(grid, values, solver.nodes_per_wavelength, time.perf_counter() - begin, faces)


def _below(
    topography: Topography,
    equation: Helmholtz,
    problem: Problem,
    grid: Grid,
    features: Features | None,
    begin: float,
) -> _Found:
    """The fields below a surface: their continuation some cells above it, for who reads between nodes, and NaN beyond."""
    faces = Faces.of(equation.complex_speed, problem.domain, grid, features)
    solver = HelmholtzGrid(
        grid,
        equation.wavenumber,
        cell_average(lambda x: equation.slowness_squared(topography.lowered(x)), grid),
        stretch=[axis.factor for axis in equation.stretch(problem).axes],
        free=list(_free(problem)),
        impedance=_impedance(equation, problem, grid),
        surface=topography.surface(grid, problem.sides.core.sides[0]),
    )
    loads = [_load(sources, solver) for sources in problem.right_hand_sides]
    values = solver.solve(np.stack(loads, axis=-1), _values(problem, grid)[..., None] * np.ones(len(loads)))
    count_one()
    return _Found(
        grid, solver.continued(values), solver.nodes_per_wavelength, time.perf_counter() - begin, faces
    )


def _load(sources: tuple[Source, ...], solver: HelmholtzGrid) -> NDArray[np.complex128]:
    """The right-hand side `(*shape)` of sources that radiate together, below a surface."""
    total = np.zeros(solver.grid.shape, complex)
    for source in sources:
        match source:
            case GaussianSource():
                total += solver.gaussian_load(source.center, source.variance, source.amplitude)
            case PointSource():
                total += solver.point_load([source.center], source.amplitude)[..., 0]
            case _:
                raise DeclarationError(
                    f"{source.describe()} below a Topography is not treated; use a PointSource or a GaussianSource"
                )
    return total


def _memory(problem: Problem, grid: Grid) -> float:
    """Bytes that a solution takes at most."""
    matrix = factored(grid.size, _ENTRY) if grid.dimension < 3 else 16.0 * _VECTORS * grid.size
    return matrix + _FIELDS * grid.size * len(problem.right_hand_sides)


def _seconds(problem: Problem, grid: Grid) -> float:
    """Of a core; an iteration in space is that of a medium without trapped waves."""
    if grid.dimension < 3:
        return FACTORED_NODE * grid.size**1.5 if grid.dimension == 2 else 0.0
    return len(problem.right_hand_sides) * _STEPS * _STEP_NODE * grid.size * sum(grid.shape)


def _sizes(domain: Box) -> tuple[int, int]:
    """Nodes of a grid that is cheap, and of one that is affordable."""
    return (_CHEAP, _MOST) if domain.dimension < 3 else (_CHEAP_IN_SPACE, _MOST_IN_SPACE)


def _warn_unseen(problem: Problem, solution: _Found) -> None:
    faces, grid = solution.faces, solution.grid
    if faces.unseen(grid):
        warn(
            f"the medium of {problem.name!r} has a layer {faces.thinnest:.2g} thin, but the cells of the grid are "
            f"{max(grid.spacing):.2g} wide: the average over a cell may be wrong, and the error estimate does not "
            "include that; give a larger shape, or a thicker layer",
            ResolutionWarning,
        )


def _density(sources: tuple[Source, ...], grid: Grid) -> NDArray[np.complex128]:
    """The density `(*shape)` of sources that radiate together, each with its exact mass."""
    total = np.zeros(grid.shape, complex)
    for source in sources:
        match source:
            case GaussianSource():
                total += gaussian_density(grid, source.center, source.variance, source.amplitude)
            case PointSource():
                total += point_density(grid, [source.center], source.amplitude)[..., 0]
            case _:
                total += cell_average(source, grid) if grid.dimension < 3 else average_in_space(source, grid)
    return total


def _free(problem: Problem) -> tuple[tuple[bool, bool], ...]:
    """For each axis, whether the field is free at its lower and its upper face; behind a layer it is zero."""
    sides = problem.sides
    held = {*sides.fixed, *(face for face, width in sides.open.items() if width)}
    if sides.topography is not None:
        held.add(sides.topography.on)
    return sides.pairs(lambda face: face not in held)


def _impedance(
    equation: Helmholtz, problem: Problem, grid: Grid
) -> list[tuple[NDArray[np.complex128], NDArray[np.complex128]]]:
    """For each axis β of ∂u/∂n + β u = 0 on the nodes of its lower and its upper face, 0 where it is fixed."""
    sides, factors = problem.sides, []
    for number, face in enumerate(problem.domain.faces):
        _, points = face_nodes(grid, number)
        flat = points.reshape(-1, grid.dimension)
        beta, given = np.zeros(len(flat), complex), sides.data.get(face)
        if sides.open.get(face) == 0:
            beta = 1j * equation.wavenumber * np.sqrt(equation.slowness_squared(flat))
        elif given is not None and not given.fixes:
            share = np.asarray(given.b(flat))
            if (share == 0).any():
                raise DeclarationError(
                    f"the Robin condition on {face} has b = 0, so it gives no slope; use Dirichlet there"
                )
            beta = np.asarray(given.a(flat)) / share
        factors.append(beta.astype(complex).reshape(points.shape[:-1]))
    return list(zip(factors[::2], factors[1::2], strict=True))


def _values(problem: Problem, grid: Grid) -> NDArray[np.complex128]:
    """`(*shape)`, the values on the faces that have one, 0 elsewhere."""
    result = np.zeros(grid.shape, complex)
    for number, face in enumerate(problem.domain.faces):
        if face in problem.sides.fixed:
            where, points = face_nodes(grid, number)
            values = problem.sides.data[face].value(points.reshape(-1, grid.dimension))
            result[where] = np.asarray(values).reshape(points.shape[:-1])
    return result


def _good_shape(equation: Helmholtz, problem: Problem, domain: Box) -> tuple[int, ...]:
    """Odd numbers of nodes, equally spaced: fine while that is cheap, fair while it is affordable."""
    lower, upper = (corner.tolist() for corner in domain.bounds)
    trial = Grid(lower, upper, ((201,) if domain.dimension < 3 else (41,)) * domain.dimension)
    slowest = math.sqrt(float(np.abs(equation.slowness_squared(trial.points)).max()))
    wavelength = 2 * math.pi / (equation.wavenumber * slowest)
    widths = [
        math.sqrt(source.variance)
        for sources in problem.right_hand_sides
        for source in sources
        if isinstance(source, GaussianSource)
    ]
    cheap, most = (_spacing_of(domain, nodes) for nodes in _sizes(domain))
    spacing = max(min(wavelength / _FINE, *widths, math.inf), cheap)
    spacing = max(min(spacing, wavelength / _FAIR), most)
    return tuple(2 * max(3, math.ceil(extent / (2 * spacing))) + 1 for extent in domain.extents)


def _spacing_of(domain: Box, nodes: int) -> float:
    return float((math.prod(domain.extents) / nodes) ** (1 / domain.dimension))


def _coarser(equation: Helmholtz, problem: Problem, grid: Grid, features: Features | None) -> _Found | None:
    """The fields on a grid of twice the spacing, or None if that resolves nothing."""
    coarse = Grid(grid.lower, grid.upper, tuple((n + 1) // 2 for n in grid.shape))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResolutionWarning)
            return _solved(equation, problem, coarse, features)
    except ResolutionError:
        return None


def _estimate(problem: Problem, coarse: _Found | None, fine: _Found) -> tuple[float | None, str]:
    """Relative L2 error of `fine` outside layers and sources, by Richardson; and a note about it."""
    if coarse is None:
        return None, "no error estimate: a grid of twice the spacing does not resolve the shortest wavelength"
    counted = _away_from_sources(problem, coarse.grid)
    values = interpolate(fine.grid, fine.values, coarse.grid.points)[counted]
    size = float(np.linalg.norm(values))
    if not size > 0:
        return None, "no error estimate: the field is zero outside layers and sources"
    difference = richardson(coarse.values.reshape(coarse.grid.size, -1)[counted], values, ORDER)
    estimate = float(np.linalg.norm(difference)) / size
    return estimate, (
        f"error {estimate:.1e} (relative L2 outside layers and sources) by Richardson from {_times(coarse.grid)} "
        "nodes"
    )


def _times(grid: Grid) -> str:
    return " × ".join(map(str, grid.shape))


def _away_from_sources(problem: Problem, grid: Grid) -> NDArray[np.bool_]:
    """`(size,)`, nodes outside the layers, the sources and three cells around them."""
    result = np.asarray(problem.physical(grid.points))
    for sources in problem.right_hand_sides:
        for source in sources:
            if source.center is not None:
                distance = np.linalg.norm(grid.points - np.asarray(source.center), axis=1)
                result &= distance > max(source.reach, 3 * max(grid.spacing))
    return result
