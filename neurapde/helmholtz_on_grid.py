"""The Helmholtz problem as arrays: medium, layers, sources and sides of a declaration for the nine-point solver."""

import math
import time
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurapde.boundaries import PML, Dirichlet, Neumann
from neurapde.domains.base import Domain
from neurapde.domains.box import Box
from neurapde.equations.helmholtz import Helmholtz
from neurapde.errors import DeclarationError, ResolutionError, ResolutionWarning
from neurapde.grid_solution import GridSolution
from neurapde.problem import Problem
from neurapde.reference_solvers.averaging import cell_average
from neurapde.reference_solvers.convergence import richardson
from neurapde.reference_solvers.grid import Grid
from neurapde.reference_solvers.helmholtz import ORDER, HelmholtzGrid
from neurapde.reference_solvers.sampling import gaussian_density, interpolate, point_density
from neurapde.sources import GaussianSource, PointSource, Source

_FINE, _FAIR = 24.0, 12.0  # nodes per wavelength: when they are cheap, and when they are not
_CHEAP, _MOST = 513**2, 900**2  # nodes: about 3 s and 15 s on two cores


def solve_helmholtz(
    equation: Helmholtz, problem: Problem, shape: tuple[int, ...] | None, error: bool
) -> GridSolution:
    """The adapter of `npde.reference` for the Helmholtz equation; see there."""
    domain = problem.domain
    if not isinstance(domain, Box) or domain.dimension > 2:
        raise DeclarationError(
            f"the grid solver of the Helmholtz equation works on a Box in one or two dimensions, but the domain is "
            f"{domain}; declare the problem on a Box around it"
        )
    sides = _Sides.of(problem)
    lower, upper = (corner.tolist() for corner in domain.bounds)
    chosen = shape or _good_shape(equation, problem, domain)
    begin = time.perf_counter()
    fine, values = _solved(equation, problem, sides, Grid(lower, upper, chosen))
    seconds = time.perf_counter() - begin
    nodes = fine.nodes_per_wavelength
    notes = [
        f"nine-point scheme on {' × '.join(map(str, chosen))} nodes, {'chosen by itself' if shape is None else 'as asked'}: "
        f"{nodes:.1f} in the shortest wavelength"
    ]
    estimate = None
    if error:
        estimate, note = _error_estimate(equation, problem, sides, fine.grid, values)
        notes.append(note)
    if values.shape[-1] == 1:
        values = values[..., 0]
    return GridSolution(values, fine.grid, seconds, estimate, nodes, tuple(notes))


def _solved(
    equation: Helmholtz, problem: Problem, sides: "_Sides", grid: Grid
) -> tuple[HelmholtzGrid, NDArray[np.complex128]]:
    """The solver and the fields `(*shape, shots)`."""
    stretch = [axis.factor for axis in equation.stretch(problem).axes]
    medium = cell_average(equation.slowness_squared, grid)
    solver = HelmholtzGrid(grid, equation.wavenumber, medium, stretch=stretch, free=sides.free)
    densities = [_density(sources, grid) for sources in problem.right_hand_sides]
    right = solver.load(np.stack(densities, axis=-1))
    return solver, solver.solve(right, sides.values(grid)[..., None] * np.ones(len(densities)))


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
                total += cell_average(source, grid)
    return total


@dataclass(frozen=True)
class _Sides:
    """What holds at each face of the box: a value, or no flux."""

    conditions: dict[str, Dirichlet | Neumann]
    faces: tuple[str, ...]

    @classmethod
    def of(cls, problem: Problem) -> "_Sides":
        domain = problem.domain
        found: dict[str, Dirichlet | Neumann] = {}
        if problem.pml is not None:
            found = dict.fromkeys(problem.pml.widths(domain), Dirichlet(0.0))
        for condition in problem.boundary:
            if isinstance(condition, PML):
                continue
            if not isinstance(condition, Dirichlet | Neumann):
                raise DeclarationError(
                    f"the grid solver of the Helmholtz equation takes Dirichlet, Neumann and PML, got {condition!r}"
                )
            if isinstance(condition, Neumann) and _is_driven(condition, domain):
                raise DeclarationError(
                    f"the grid solver of the Helmholtz equation takes Neumann(0) only, got {condition.describe(domain)}; "
                    "use a source beside that side instead"
                )
            found.update(dict.fromkeys(domain.check_faces(condition.on, "the condition"), condition))
        if missing := [face for face in domain.faces if face not in found]:
            raise DeclarationError(
                f"nothing is declared at {', '.join(missing)} of {problem.name!r}; give PML, Dirichlet or Neumann there"
            )
        return cls(found, domain.faces)

    @property
    def free(self) -> list[tuple[bool, bool]]:
        """For each axis, whether its lower and its upper face have no flux."""
        is_free = [isinstance(self.conditions[face], Neumann) for face in self.faces]
        return list(zip(is_free[::2], is_free[1::2], strict=True))

    def values(self, grid: Grid) -> NDArray[np.complex128]:
        """`(*shape)`, the values on the faces that have one, 0 elsewhere."""
        result = np.zeros(grid.shape, complex)
        points = grid.points.reshape(*grid.shape, grid.dimension)
        for number, face in enumerate(self.faces):
            condition = self.conditions[face]
            if isinstance(condition, Dirichlet):
                axis, end = divmod(number, 2)
                where: tuple[slice | int, ...] = (*[slice(None)] * axis, -end)
                on_face = points[where].reshape(-1, grid.dimension)
                result[where] = np.asarray(condition.value(on_face)).reshape(result[where].shape)
        return result


def _is_driven(condition: Neumann, domain: Domain) -> bool:
    on_faces = domain.sample_boundary(64, on=condition.on, how="grid").points.numpy()
    return bool(np.any(np.asarray(condition.value(on_faces)) != 0))


def _good_shape(equation: Helmholtz, problem: Problem, domain: Box) -> tuple[int, ...]:
    """Odd numbers of nodes, equally spaced: fine while that is cheap, fair while it is affordable."""
    lower, upper = (corner.tolist() for corner in domain.bounds)
    trial = Grid(lower, upper, (201,) * domain.dimension)
    slowest = math.sqrt(float(np.abs(equation.slowness_squared(trial.points)).max()))
    wavelength = 2 * math.pi / (equation.wavenumber * slowest)
    widths = [
        math.sqrt(source.variance)
        for sources in problem.right_hand_sides
        for source in sources
        if isinstance(source, GaussianSource)
    ]
    cheap, most = (_spacing_of(domain, nodes) for nodes in (_CHEAP, _MOST))
    spacing = max(min(wavelength / _FINE, *widths, math.inf), cheap)
    spacing = max(min(spacing, wavelength / _FAIR), most)
    return tuple(2 * max(3, math.ceil(extent / (2 * spacing))) + 1 for extent in domain.extents)


def _spacing_of(domain: Box, nodes: int) -> float:
    return float((math.prod(domain.extents) / nodes) ** (1 / domain.dimension))


def _error_estimate(
    equation: Helmholtz, problem: Problem, sides: _Sides, grid: Grid, values: NDArray[np.complex128]
) -> tuple[float | None, str]:
    """Relative L2 error outside layers and sources, by Richardson from a grid of twice the spacing; and a note."""
    coarse = Grid(grid.lower, grid.upper, tuple((n + 1) // 2 for n in grid.shape))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResolutionWarning)
            _, coarse_values = _solved(equation, problem, sides, coarse)
    except ResolutionError:
        return None, (
            f"no error estimate: the grid of twice the spacing, {' × '.join(map(str, coarse.shape))}, does not "
            "resolve the shortest wavelength"
        )
    counted = _away_from_sources(problem, coarse)
    on_coarse = interpolate(grid, values, coarse.points)[counted]
    difference = richardson(coarse_values.reshape(coarse.size, -1)[counted], on_coarse, ORDER)
    size = float(np.linalg.norm(on_coarse))
    if not size > 0:
        return None, "no error estimate: the field is zero outside layers and sources"
    estimate = float(np.linalg.norm(difference)) / size
    return estimate, (
        f"error {estimate:.1e} (relative L2 outside layers and sources) by Richardson from "
        f"{' × '.join(map(str, coarse.shape))} nodes; the layers' own reflection is not in it"
    )


def _away_from_sources(problem: Problem, grid: Grid) -> NDArray[np.bool_]:
    """`(size,)`, nodes outside the layers, the sources and three cells around them."""
    result = np.asarray(problem.physical(grid.points))
    for sources in problem.right_hand_sides:
        for source in sources:
            if source.center is not None:
                distance = np.linalg.norm(grid.points - np.asarray(source.center), axis=1)
                result &= distance > max(source.reach, 3 * max(grid.spacing))
    return result
