"""The wave problem as arrays: medium, sides, sources and start of a declaration for the leapfrog solver."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from neurapde.conditions import Sides
from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.core.memory import check_fits
from neurapde.core.progress import count_one
from neurapde.domains.spacetime import SpaceTime
from neurapde.equations.wave import Wave
from neurapde.fields.pulses import Pulse
from neurapde.fields.sources import PointSource
from neurapde.problem.problem import Problem
from neurapde.reference_solvers.convergence import richardson
from neurapde.reference_solvers.grids.grid import Grid
from neurapde.references.cost import STEPPED_NODE, check_grid, warn_long
from neurapde.references.solution import GridSolution
from neurapde.references.wave_resolution import LEAF, spectrum_of
from neurapde.references.wave_stage import THICK, Stage, box_of, padded

NODES = 8.0  # in the shortest of the waves that matter
TURN = 1.2  # radians of the fastest wave between two snapshots
KEPT = {1: 2001, 2: 201, 3: 65}  # nodes an axis that are kept of a grid chosen here
MOST = {1: 20_001, 2: 1025, 3: 129}  # nodes an axis of a grid chosen here
LEAST = 17  # nodes an axis of a grid that can be halved once more
SNAPSHOTS = (41, 401)  # fewest and most
SMOOTH, ROUGH, ROUGHEST = 4.0, 2.0, 0.5  # orders of convergence: of the scheme, beside jumps, and the least
THICKER = 0.6  # of the longest side: layers of a second run, to see what they send back
MIDDLE = np.array([3.0, -25.0, 150.0, 150.0, -25.0, 3.0]) / 256  # interpolation of sixth order
SKIPPED = 16.0
NODE, VALUE = 900.0, 8.0  # bytes at a node, and of a value that is kept

Array = NDArray[np.float64]


def solve_wave(equation: Wave, problem: Problem, shape: tuple[int, ...] | None, error: bool) -> GridSolution:
    """The adapter of `npde.reference` for the wave equation; `shape` counts nodes in space, then snapshots."""
    domain = problem.domain
    assert isinstance(domain, SpaceTime)
    chosen = shape is None
    counts, snapshots, stride = (shape[:-1], shape[-1], 1) if shape is not None else _good_shape(problem)
    solution = _solved(problem, counts, snapshots)
    values = solution.values[(slice(None, None, stride),) * len(counts)]
    estimate, note = None, "no error estimate was requested"
    if error:
        estimate, note = _estimate(problem, counts, snapshots, solution.values, values)
    lower, upper = (corner.tolist() for corner in domain.bounds)
    grid = Grid(lower, upper, values.shape[: len(counts) + 1])
    notes = (
        f"leapfrog of fourth order on {' × '.join(map(str, counts))} nodes, "
        f"{'chosen automatically' if chosen else 'as requested'}, in {solution.steps} steps of "
        f"{domain.time.duration / solution.steps:.3g} (stable up to {solution.stable:.3g}); {snapshots} snapshots kept"
        + (f", of one node in {stride} along each axis" if stride > 1 else ""),
        *solution.notes,
        note,
    )
    values = values[..., 0] if values.shape[-1] == 1 else values
    return GridSolution(values, grid, solution.seconds, estimate, None, notes)


@dataclass(frozen=True)
class _Found:
    """Fields (*counts, snapshots, shots) and how they came about."""

    values: Array
    seconds: float
    steps: int
    stable: float
    notes: tuple[str, ...]


def _solved(
    problem: Problem,
    counts: tuple[int, ...],
    snapshots: int,
    thick: float = THICK,
) -> _Found:
    assert isinstance(problem.domain, SpaceTime)
    duration = problem.domain.time.duration
    nodes, shots = _nodes(problem, counts, thick), len(problem.right_hand_sides)
    output = VALUE * snapshots * shots * (nodes + math.prod(counts))
    check_grid(NODE * nodes + output, (*counts, snapshots), problem.name)
    begin = time.perf_counter()
    stage = Stage.of(problem, counts, thick)
    least = math.ceil(duration / (0.8 * stage.wave.stable_step))
    warn_long(STEPPED_NODE * nodes * least * shots, counts, problem.name)
    every = math.ceil(least / (snapshots - 1))
    fields = [
        np.moveaxis(
            stage.run(
                sources, duration=duration, steps=every * (snapshots - 1), snapshot_every=every
            ).snapshots[(slice(None), *stage.cut)],
            0,
            -1,
        )
        for sources in problem.right_hand_sides
    ]
    count_one()
    seconds = time.perf_counter() - begin
    notes = ("layers outside the absorbing sides let the waves leave",) if problem.sides.open else ()
    return _Found(np.stack(fields, axis=-1), seconds, every * (snapshots - 1), stage.wave.stable_step, notes)


def _nodes(problem: Problem, counts: tuple[int, ...], thick: float = THICK) -> int:
    """Nodes of the grid with the layers that are put outside the domain."""
    _, pads = padded(problem, counts, thick)
    return math.prod(n + sum(pad) for n, pad in zip(counts, pads, strict=True))


@dataclass(frozen=True)
class Recording:
    """Traces (shots, receivers, samples) dt apart from the domain's first time on, and the nodes of its space."""

    traces: Array
    dt: float
    counts: tuple[int, ...]


def record_wave(
    problem: Problem, receivers: Array, counts: tuple[int, ...] | None, dt: float | None = None
) -> Recording:
    """What receivers `(r, d)` record of each shot.

    counts: nodes on each axis of space; None for those that `npde.reference` takes. dt: sampling interval, of which
    the solver takes a whole part as its step; None for every step of its own.
    Raises: DeclarationError as `npde.reference` does, and for a dt longer than the problem's time.
    """
    assert isinstance(problem.domain, SpaceTime)
    duration = problem.domain.time.duration
    counts = _good_shape(problem)[0] if counts is None else counts
    nodes = _nodes(problem, counts)
    check_grid(NODE * nodes, counts, problem.name)
    stage = Stage.of(problem, counts)
    samples = None if dt is None else math.floor(duration / dt * (1 + 1e-12))
    if samples == 0:
        raise DeclarationError(
            f"dt = {dt:g} is longer than the problem's time, {duration:g}; give a shorter dt"
        )
    if samples is None or dt is None:
        samples = math.ceil(duration / (0.8 * stage.wave.stable_step))
        dt = duration / samples
    every = math.ceil(dt / (0.8 * stage.wave.stable_step) * (1 - 1e-12))
    shots, steps = len(problem.right_hand_sides), float(samples) * every
    check_fits(
        VALUE * len(receivers) * (2 * steps + shots * samples),
        f"traces of {samples} samples, in steps of {dt / every:.2g}, at {len(receivers)} receivers for {shots} shots of "
        f"{problem.name} need too much memory",
        "give a longer dt, a shorter time, or fewer receivers",
    )
    records = [
        stage.run(sources, duration=samples * dt, steps=samples * every, receivers=receivers)
        for sources in problem.right_hand_sides
    ]
    return Recording(np.stack([r.traces[::every].T for r in records]), dt, counts)


def _good_shape(problem: Problem) -> tuple[tuple[int, ...], int, int]:
    """Nodes of the grid, odd on each axis, snapshots, and of how many nodes one is kept."""
    space = box_of(problem)
    assert isinstance(problem.domain, SpaceTime)
    asked, dimension = spectrum_of(problem), space.dimension
    spacing = min(2 * math.pi / (asked.wavenumber or 1e-9) / NODES, LEAF * asked.thinnest)
    wanted = [
        max(65, math.ceil(min(extent / spacing, 2.0 * MOST[dimension])) + 1) for extent in space.extents
    ]
    stride = max(1, math.ceil(max(wanted) / KEPT[dimension]))
    block = 4 * stride  # so that two grids of twice the spacing fit inside
    counts = tuple(
        min(math.ceil((n - 1) / block) * block, MOST[dimension] // block * block) + 1 for n in wanted
    )
    turns = problem.domain.time.duration * asked.frequency / TURN
    snapshots = int(np.clip(math.ceil(turns) + 1, *SNAPSHOTS))
    return counts, snapshots, stride


def _estimate(
    problem: Problem,
    counts: tuple[int, ...],
    snapshots: int,
    values: Array,
    recorded: Array,
) -> tuple[float | None, str]:
    """The relative L2 error over space and time, and how it was found.

    Three terms: what coarser grids say, for the order of convergence that they show; what layers twice as thick change
    on the coarser grid; and what is off between the nodes and snapshots that are kept.
    """
    if any(n % 2 == 0 for n in counts):
        return None, "no error estimate: an even number of nodes does not contain a grid of twice the spacing"
    coarse = tuple((n - 1) // 2 + 1 for n in counts)
    fields = [values, _solved(problem, coarse, snapshots).values]
    if _halves(problem.sides, coarse):
        coarsest = tuple((n - 1) // 2 + 1 for n in coarse)
        fields.append(_solved(problem, coarsest, snapshots).values)
    nodes = (slice(None, None, 2),) * len(counts)
    lower, upper = (corner.tolist() for corner in problem.domain.spatial.bounds)
    counted = _away(problem, Grid(lower, upper, fields[1].shape[: len(counts)]))
    order = ROUGH if len(fields) < 3 else _observed(*fields, nodes=nodes, counted=counted)
    size = float(np.linalg.norm(values[nodes][counted]))
    if not size:
        return 0.0, "the field is zero"
    resolved = float(np.linalg.norm(richardson(fields[1], values[nodes], order)[counted])) / size
    reflected = 0.0
    if problem.sides.open:
        other = _solved(problem, coarse, snapshots, thick=THICKER).values
        reflected = float(np.linalg.norm((other - fields[1])[counted])) / size
    between = _between(recorded, _away(problem, Grid(lower, upper, recorded.shape[: len(counts)])))
    grids = (
        "grids of twice and four times the spacing" if len(fields) > 2 else "the grid of twice the spacing"
    )
    text = (
        f"error estimated by {grids}, for the order {order:.2g} ({resolved:.1e}), by thicker layers ({reflected:.1e}) "
        f"and between the kept snapshots ({between:.1e})"
    )
    return resolved + reflected + between, text


def _between(values: Array, counted: NDArray[np.bool_]) -> float:
    """What interpolation between nodes and snapshots is off, relative: by that from every second of them.

    That of sixth order is then off by 64 times as much in the end; by so much as `SKIPPED` at least.
    """
    space, total = counted.ndim, 0.0
    size = float(np.linalg.norm(values[counted]))
    for axis in range(space + 1):
        count = values.shape[axis]
        if count < 2 * len(MIDDLE) or not size:
            continue
        length = count - 2 * (len(MIDDLE) - 1)
        moved = np.moveaxis(values, axis, 0)
        middles = sum(w * moved[2 * i : 2 * i + length] for i, w in enumerate(MIDDLE))
        middle = len(MIDDLE) - 1
        missed = np.moveaxis(middles - moved[middle : middle + length], 0, axis)
        mask = counted
        if axis < space:
            mask = ndimage.minimum_filter1d(counted, 2 * len(MIDDLE) - 1, axis=axis)
            mask = np.moveaxis(np.moveaxis(mask, axis, 0)[middle : middle + length], 0, axis)
        total += float(np.linalg.norm(missed[mask])) / size / SKIPPED
    return total


def _halves(sides: Sides, counts: tuple[int, ...]) -> bool:
    """Whether a grid of twice the spacing still holds the domain and its layers, each 4 spacings wide or more."""
    if any(n % 2 == 0 or n < LEAST for n in counts):
        return False
    lower, upper = sides.domain.spatial.bounds
    spacings = 2 * (upper - lower) / (np.array(counts) - 1)
    layers = sides.pairs(lambda face: sides.open.get(face) or math.inf)
    return all(min(pair) >= 4 * h for pair, h in zip(layers, spacings, strict=True))


def _observed(
    fine: Array, coarse: Array, coarsest: Array, *, nodes: tuple[slice, ...], counted: NDArray[np.bool_]
) -> float:
    """The order of convergence that three grids show, between the least and the scheme's own."""
    first = np.linalg.norm((fine[nodes] - coarse)[counted])
    second = np.linalg.norm((coarse[nodes] - coarsest)[counted[nodes]])
    share = 2.0 ** len(nodes)  # as many nodes more on the finer of the two grids
    ratio = second * math.sqrt(share) / first if first else math.inf
    return float(np.clip(math.log2(ratio) if 0 < ratio < math.inf else SMOOTH, ROUGHEST, SMOOTH))


def _away(problem: Problem, grid: Grid) -> NDArray[np.bool_]:
    """The nodes in the physical region, in the plane two cells and more from any point that radiates."""
    at = np.column_stack([grid.points, np.full(grid.size, problem.domain.bounds[0][-1])])
    away = np.asarray(problem.physical(at))
    for source in (s for sources in problem.right_hand_sides for s in sources):
        if grid.dimension > 1 and isinstance(source, Pulse) and isinstance(source.shape, PointSource):
            distance = np.linalg.norm(grid.points - np.array(source.shape.at), axis=1)
            away &= distance > 3 * max(grid.spacing)
    return away.reshape(grid.shape)


def seismogram(field: Callable[[Array], Array], receivers: Array, times: Array) -> Array:
    """The traces that receivers record of a field in space–time: (n_times, n_receivers).

    field: points (n, d + 1) to (n,): a Solution, a GridSolution, an exact field. receivers: (r, d). times: (n,).
    """
    if not callable(field):
        raise DeclarationError(
            f"field={checks.shown(field)}: give a Solution, or a function of points (n, d + 1)"
        )
    places, moments = np.atleast_2d(checks.reals(receivers, "receivers")), checks.reals(times, "times")
    if places.ndim != 2 or moments.ndim != 1 or not places.size or not moments.size:
        raise DeclarationError(
            f"receivers have the shape {places.shape} and times {moments.shape}; give receivers (r, d) and times (n,)"
        )
    points = np.column_stack([np.tile(places, (len(moments), 1)), np.repeat(moments, len(places))])
    values = checks.answer(field, points, "field")
    return values.reshape(len(moments), len(places), *values.shape[1:])
