"""The wave problem as arrays: medium, sides, sources and start of a declaration for the leapfrog solver."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurapde.boundaries import PML, Absorbing, Dirichlet, InitialCondition
from neurapde.core.errors import DeclarationError
from neurapde.core.wording import listing
from neurapde.domains.box import Box
from neurapde.domains.spacetime import SpaceTime
from neurapde.equations.wave import Wave
from neurapde.galerkin.evolution import WaveProblem
from neurapde.grids.solution import GridSolution
from neurapde.medium import Constant, Field, Piecewise
from neurapde.problem import Problem
from neurapde.pulses import Pulse
from neurapde.reference_solvers.averaging import cell_average
from neurapde.reference_solvers.convergence import richardson
from neurapde.reference_solvers.grid import Grid
from neurapde.reference_solvers.sampling import gaussian_density
from neurapde.reference_solvers.wave import Absorbing as Layer
from neurapde.reference_solvers.wave import Source as GridSource
from neurapde.reference_solvers.wave import Wall, WaveGrid, point_source
from neurapde.sources import GaussianSource, PointSource

NODES = 6.0  # in the shortest of the waves that matter
MATTERS = 2e-3  # of the norm: what shorter waves may hold
TURN = 1.2  # radians of the fastest wave between two snapshots
KEPT = {1: 2001, 2: 201}  # nodes an axis that are kept of a grid chosen here
MOST = {1: 20_001, 2: 1025}  # nodes an axis of a grid chosen here
SNAPSHOTS = (41, 401)  # fewest and most
THICK = 0.3  # of the longest side: a layer put outside a side that absorbs
SMOOTH, ROUGH = 4.0, 2.0  # orders of convergence in smooth media and in those that jump

Array = NDArray[np.float64]


def solve_wave(equation: Wave, problem: Problem, shape: tuple[int, ...] | None, error: bool) -> GridSolution:
    """The adapter of `npde.reference` for the wave equation; `shape` counts nodes in space, then snapshots."""
    domain = problem.domain
    assert isinstance(domain, SpaceTime)
    if not isinstance(domain.space, Box) or domain.space.dimension > 2:
        raise DeclarationError(
            f"the grid solver of the wave equation works on a Box in one or two dimensions, but the domain is {domain}; "
            "declare the problem on a Box around it"
        )
    sides = _sides(problem, domain.space)
    chosen = shape is None
    counts, snapshots, stride = (shape[:-1], shape[-1], 1) if shape is not None else _good_shape(problem)
    found = _solved(equation, problem, domain, sides, counts, snapshots)
    values = found.values[(slice(None, None, stride),) * len(counts)]
    estimate, note = None, "no error estimate asked for"
    if error:
        estimate, note = _estimate(equation, problem, domain, sides, counts, snapshots, found.values)
    lower, upper = (corner.tolist() for corner in domain.bounds)
    grid = Grid(lower, upper, values.shape[: len(counts) + 1])
    notes = (
        f"leapfrog of fourth order on {' × '.join(map(str, counts))} nodes, {'chosen by itself' if chosen else 'as asked'}, "
        f"in {found.steps} steps of {domain.time.duration / found.steps:.3g} (stable up to {found.stable:.3g}); "
        f"{snapshots} snapshots kept" + (f", of every {stride}th node" if stride > 1 else ""),
        *found.notes,
        note,
    )
    values = values[..., 0] if values.shape[-1] == 1 else values
    return GridSolution(values, grid, found.seconds, estimate, None, notes)


@dataclass(frozen=True)
class _Found:
    """Fields (*counts, snapshots, shots) and how they came about."""

    values: Array
    seconds: float
    steps: int
    stable: float
    notes: tuple[str, ...]


def _solved(
    equation: Wave,
    problem: Problem,
    domain: SpaceTime,
    sides: "tuple[tuple[_Side, _Side], ...]",
    counts: tuple[int, ...],
    snapshots: int,
) -> _Found:
    begin = time.perf_counter()
    space = domain.space
    first, last = (corner.tolist() for corner in space.bounds)
    inner = Grid(first, last, counts)
    pads = [
        tuple(
            side.pad(step, max(inner.upper[i] - inner.lower[i] for i in range(len(counts)))) for side in pair
        )
        for pair, step in zip(sides, inner.spacing, strict=True)
    ]
    steps = inner.spacing
    lower = [a - pad[0] * h for a, pad, h in zip(inner.lower, pads, steps, strict=True)]
    upper = [b + pad[1] * h for b, pad, h in zip(inner.upper, pads, steps, strict=True)]
    grid = Grid(lower, upper, [n + sum(pad) for n, pad in zip(counts, pads, strict=True)])
    slowness = cell_average(lambda points: 1.0 / np.asarray(equation.speed(points)) ** 2, inner)
    speed = np.pad(1 / np.sqrt(slowness), pads, mode="edge")
    layers = [
        tuple(side.layer(pad * h) for side, pad in zip(pair, padding, strict=True))
        for pair, padding, h in zip(sides, pads, steps, strict=True)
    ]
    wave = WaveGrid(grid, speed, sides=layers)  # type: ignore[arg-type]
    least = math.ceil(domain.time.duration / (0.8 * wave.stable_step))
    every = math.ceil(least / (snapshots - 1))
    starts = [part for part in problem.boundary if isinstance(part, InitialCondition)]
    start = starts[0] if starts else InitialCondition(0.0, 0.0)
    shots = []
    for sources in problem.right_hand_sides:
        record = wave.run(
            domain.time.duration,
            steps=every * (snapshots - 1),
            displacement=_nodal(start.value, inner, pads),
            velocity=_nodal(start.velocity, inner, pads),
            sources=[_source(source, inner, grid, pads, domain) for source in sources],
            snapshot_every=every,
        )
        cut = tuple(slice(pad[0], pad[0] + n) for pad, n in zip(pads, counts, strict=True))
        shots.append(np.moveaxis(record.snapshots[(slice(None), *cut)], 0, -1))
    seconds = time.perf_counter() - begin
    open_sides = any(side.kind == "open" for pair in sides for side in pair)
    notes = ("layers outside the sides that absorb let the waves leave",) if open_sides else ()
    return _Found(np.stack(shots, axis=-1), seconds, every * (snapshots - 1), wave.stable_step, notes)


def _nodal(field: Field | None, inner: Grid, pads: list[tuple[int, ...]]) -> Array:
    """A field at the nodes, zero beyond the domain."""
    values = np.zeros(inner.size) if field is None else np.asarray(field(inner.points), dtype=float)
    return np.pad(np.broadcast_to(values, (inner.size,)).reshape(inner.shape), pads)


def _source(
    source: object, inner: Grid, grid: Grid, pads: list[tuple[int, ...]], domain: SpaceTime
) -> GridSource:
    if not isinstance(source, Pulse):
        raise DeclarationError(
            f"the grid solver takes sources that are a shape in space times a signal, not {source!r}; use RickerSource or "
            "PulsedSource"
        )
    shape, start, signal = source.shape, domain.time.start, source.signal

    def series(times: Array) -> Array:
        return np.broadcast_to(np.asarray(signal(times + start), dtype=float), times.shape)

    if isinstance(shape, PointSource):
        found = point_source(grid, np.array(shape.at), series)
        return GridSource(float(np.real(shape.amplitude)) * found.pattern, series)
    if isinstance(shape, GaussianSource):
        density = gaussian_density(grid, shape.at, shape.variance, shape.amplitude)
        return GridSource(np.ascontiguousarray(density.real), series)
    values = np.broadcast_to(np.asarray(shape(inner.points), dtype=float), (inner.size,))
    return GridSource(np.pad(values.reshape(inner.shape), pads), series)


@dataclass(frozen=True)
class _Side:
    """One side. kind: "wall", "layer" (a PML inside the domain) or "open" (absorbing: the layer is put outside)."""

    kind: str
    width: float = 0.0
    reflection: float = 1e-5

    def pad(self, step: float, longest: float) -> int:
        """Nodes to add outside: an even number, so that a grid of twice the spacing has the same layer."""
        return 2 * math.ceil(THICK * longest / step / 2) if self.kind == "open" else 0

    def layer(self, outside: float) -> Wall | Layer:
        """The side as the solver knows it."""
        if self.kind == "wall":
            return Wall()
        return Layer(outside if self.kind == "open" else self.width, self.reflection)


def _sides(problem: Problem, space: Box) -> tuple[tuple[_Side, _Side], ...]:
    found: dict[str, _Side] = {}
    for part in problem.boundary:
        if isinstance(part, PML):
            for face, width in part.widths(space).items():
                found[face] = _Side("layer", width, part.reflection or 1e-5)
        elif isinstance(part, Absorbing):
            found |= dict.fromkeys(space.check_faces(part.on, "Absorbing"), _Side("open"))
        elif isinstance(part, Dirichlet) and part.value == Constant(0.0):
            found |= dict.fromkeys(space.check_faces(part.on, "Dirichlet"), _Side("wall"))
        elif not isinstance(part, InitialCondition):
            raise DeclarationError(
                f"the grid solver of the wave equation knows sides that absorb or hold u = 0, not "
                f"{part.describe(problem.domain)}; compare with an exact solution"
            )
    if missing := [face for face in space.faces if face not in found]:
        raise DeclarationError(
            f"nothing is said about {listing(missing)}; give Absorbing, PML or Dirichlet there"
        )
    ordered = [found[face] for face in space.faces]
    return tuple(zip(ordered[::2], ordered[1::2], strict=True))


def _good_shape(problem: Problem) -> tuple[tuple[int, ...], int, int]:
    """Nodes of the grid, odd on each axis, snapshots, and of how many nodes one is kept."""
    waves = WaveProblem(problem)
    dimension = waves.space.dimension
    demands = waves.demands(MATTERS, {1: 4096, 2: 384}[dimension])
    band = max((one.bandwidth * max(1.0, one.speed / waves.speeds[0]) for one in demands), default=1.0)
    turn = max((one.bandwidth * one.speed for one in demands), default=1.0)
    spacing = 2 * math.pi / band / NODES
    wanted = [max(65, math.ceil(extent / spacing) + 1) for extent in waves.space.extents]
    stride = max(1, math.ceil(max(wanted) / KEPT[dimension]))
    block = 2 * stride
    counts = tuple(
        min(math.ceil((n - 1) / block) * block, MOST[dimension] // block * block) + 1 for n in wanted
    )
    snapshots = int(np.clip(math.ceil(waves.time.duration * turn / TURN) + 1, *SNAPSHOTS))
    return counts, snapshots, stride


def _estimate(
    equation: Wave,
    problem: Problem,
    domain: SpaceTime,
    sides: tuple[tuple[_Side, _Side], ...],
    counts: tuple[int, ...],
    snapshots: int,
    values: Array,
) -> tuple[float | None, str]:
    """The relative L2 error over space and time from a grid of twice the spacing, and how it was found."""
    if any(n % 2 == 0 for n in counts):
        return None, "no error estimate: an even number of nodes has no grid of twice the spacing inside"
    coarser = tuple((n - 1) // 2 + 1 for n in counts)
    coarse = _solved(equation, problem, domain, sides, coarser, snapshots)
    common = values[(slice(None, None, 2),) * len(counts)]
    order = ROUGH if isinstance(equation.speed, Piecewise) and equation.speed.pieces else SMOOTH
    lower, upper = (corner.tolist() for corner in domain.space.bounds)
    counted = _away(problem, Grid(lower, upper, coarser))
    error = richardson(coarse.values, common, order)[counted]
    size = float(np.linalg.norm(common[counted]))
    estimate = float(np.linalg.norm(error)) / size if size else 0.0
    return estimate, f"error estimated by the grid of twice the spacing, for order {order:g}"


def _away(problem: Problem, grid: Grid) -> NDArray[np.bool_]:
    """The nodes in the physical region, two cells and more from any point that radiates."""
    at = np.column_stack([grid.points, np.full(grid.size, problem.domain.bounds[0][-1])])
    kept = np.asarray(problem.physical(at))
    for source in (s for sources in problem.right_hand_sides for s in sources):
        if isinstance(source, Pulse) and isinstance(source.shape, PointSource):
            distance = np.linalg.norm(grid.points - np.array(source.shape.at), axis=1)
            kept &= distance > 3 * max(grid.spacing)
    return kept.reshape(grid.shape)


def seismogram(field: Callable[[Array], Array], receivers: Array, times: Array) -> Array:
    """What receivers record of a field in space–time: traces (n_times, n_receivers).

    field: points (n, d + 1) to (n,): a Solution, a GridSolution, an exact field. receivers: (r, d). times: (n,).
    """
    places, moments = np.atleast_2d(np.asarray(receivers, dtype=float)), np.asarray(times, dtype=float)
    points = np.column_stack([np.tile(places, (len(moments), 1)), np.repeat(moments, len(places))])
    values = np.asarray(field(points))
    return values.reshape(len(moments), len(places), *values.shape[1:])
