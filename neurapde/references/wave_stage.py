"""A declared wave problem put on a grid: medium, sides, sources and start as arrays, ready to run shot by shot."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurapde.conditions import PML, Absorbing, Dirichlet, Neumann, Sides, Treated
from neurapde.core.errors import DeclarationError
from neurapde.domains.box import Box
from neurapde.domains.spacetime import SpaceTime
from neurapde.equations.wave import Wave
from neurapde.fields.medium import Field
from neurapde.fields.pulses import Pulse
from neurapde.fields.sources import GaussianSource, PointSource
from neurapde.problem.problem import Problem
from neurapde.reference_solvers.grids.averaging import average_in_space, cell_average
from neurapde.reference_solvers.grids.grid import Grid
from neurapde.reference_solvers.grids.sampling import gaussian_density
from neurapde.reference_solvers.wave import Absorbing as Layer
from neurapde.reference_solvers.wave import Mirror, Wall, WaveGrid, WaveRecord, point_source
from neurapde.reference_solvers.wave import Source as GridSource
from neurapde.references.sides import check_sides

THICK = 0.3  # of the longest side: the layer of a side that absorbs, put outside as far as it is not within
TREATED = Treated(
    "the grid solver of the wave equation",
    (Absorbing, PML, Dirichlet, Neumann),
    zero=(Dirichlet, Neumann),
    way="compare with an exact solution",
)
LOOKED = 4096  # points at which the fastest wave in space is looked for
INWARD = 1e-9  # of an axis: the medium at a side is what it is just inside

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Stage:
    """A declaration on a grid: nodes of the domain (inner), of the layers put outside too (grid), and the solver."""

    problem: Problem
    inner: Grid
    grid: Grid
    pads: list[tuple[int, ...]]
    wave: WaveGrid

    @classmethod
    def of(
        cls,
        problem: Problem,
        counts: tuple[int, ...],
        thick: float = THICK,
    ) -> "Stage":
        equation, sides = problem.equation, problem.sides
        assert isinstance(equation, Wave)
        inner, pads = padded(problem, counts, thick)
        steps = inner.spacing
        lower = [a - pad[0] * h for a, pad, h in zip(inner.lower, pads, steps, strict=True)]
        upper = [b + pad[1] * h for b, pad, h in zip(inner.upper, pads, steps, strict=True)]
        grid = Grid(lower, upper, [n + sum(pad) for n, pad in zip(counts, pads, strict=True)])
        ends = [(a + INWARD * (b - a), b - INWARD * (b - a)) for a, b in sides.core.sides]
        core = np.array(ends).T  # in a layer the medium is as it is where the layer begins

        def squared(points: Array) -> Array:
            return np.asarray(1.0 / np.asarray(equation.speed(np.clip(points, *core)), dtype=float) ** 2)

        least = squared(inner.points).min() / 16  # averages overshoot beside jumps, even below zero
        averaged = cell_average if inner.dimension < 3 else average_in_space
        slowness = np.maximum(averaged(squared, inner), least)
        speed = np.pad(1 / np.sqrt(slowness), pads, mode="edge")
        layers = [
            tuple(_side(sides, face, pad * h) for face, pad in zip(pair, padding, strict=True))
            for pair, padding, h in zip(sides.pairs(str), pads, steps, strict=True)
        ]
        return cls(problem, inner, grid, pads, WaveGrid(grid, speed, sides=layers))  # type: ignore[arg-type]

    @property
    def cut(self) -> tuple[slice, ...]:
        """The domain's nodes among the grid's."""
        return tuple(slice(pad[0], pad[0] + n) for pad, n in zip(self.pads, self.inner.shape, strict=True))

    def run(
        self,
        sources: Sequence[object],
        *,
        duration: float,
        steps: int,
        snapshot_every: int | None = None,
        receivers: Array | None = None,
    ) -> WaveRecord:
        """One shot, from the declared start on."""
        domain = self.problem.domain
        assert isinstance(domain, SpaceTime)
        start = self.problem.sides.start
        return self.wave.run(
            duration,
            steps=steps,
            displacement=_nodal(start.value, self.inner, self.pads),
            velocity=_nodal(start.velocity, self.inner, self.pads),
            sources=[_source(source, self, domain) for source in sources],
            receivers=receivers,
            snapshot_every=snapshot_every,
            energy=False,
        )


def _nodal(field: Field | None, inner: Grid, pads: list[tuple[int, ...]]) -> Array:
    """A field at the nodes, zero beyond the domain."""
    values = np.zeros(inner.size) if field is None else np.asarray(field(inner.points), dtype=float)
    return np.pad(np.broadcast_to(values, (inner.size,)).reshape(inner.shape), pads)


def _source(source: object, stage: Stage, domain: SpaceTime) -> GridSource:
    inner, grid, pads = stage.inner, stage.grid, stage.pads
    if not isinstance(source, Pulse):
        raise DeclarationError(
            f"the grid solver takes sources that are a shape in space times a signal, not {source!r}; use RickerSource or "
            "PulsedSource"
        )
    shape, start, signal = source.shape, domain.time.start, source.signal

    def series(times: Array) -> Array:
        return np.broadcast_to(np.asarray(signal(times + start), dtype=float), times.shape)

    if isinstance(shape, PointSource):
        pattern = point_source(grid, np.array(shape.at), series)
        mass = float(np.real(shape.amplitude))
        return GridSource(mass * pattern.pattern / _shares(grid, stage.problem.sides), series)
    if isinstance(shape, GaussianSource):
        density = gaussian_density(grid, shape.at, shape.variance, shape.amplitude)
        return GridSource(np.ascontiguousarray(density.real), series)
    values = np.broadcast_to(np.asarray(shape(inner.points), dtype=float), (inner.size,))
    return GridSource(np.pad(values.reshape(inner.shape), pads), series)


def _shares(grid: Grid, sides: Sides) -> Array:
    """Of a cell that belongs to each node: a half on a mirror, where all of a point's mass is to be within."""
    shares = np.ones(tuple(grid.shape))
    for axis, pair in enumerate(sides.natural):
        for end, mirror in zip((0, -1), pair, strict=True):
            np.moveaxis(shares, axis, 0)[end] *= 0.5 if mirror else 1.0
    return shares


def padded(
    problem: Problem, counts: tuple[int, ...], thick: float = THICK
) -> tuple[Grid, list[tuple[int, ...]]]:
    """The nodes of the domain, and for each axis how many are put outside its (lower, upper) side for a layer."""
    first, last = (corner.tolist() for corner in box_of(problem).bounds)
    inner, sides = Grid(first, last, counts), problem.sides
    longest = max(b - a for a, b in zip(inner.lower, inner.upper, strict=True))
    pairs = zip(sides.pairs(sides.open.get), inner.spacing, strict=True)
    if inner.dimension == 3:
        thick = _unreached(problem) * thick / THICK / longest
    return inner, [tuple(_padding(width, h, thick * longest) for width in pair) for pair, h in pairs]


def _unreached(problem: Problem) -> float:
    """How far out a wall sends nothing back before the end, where no layers stand: half the fastest wave's way."""
    equation, domain = problem.equation, problem.domain
    assert isinstance(equation, Wave)
    assert isinstance(domain, SpaceTime)
    points = domain.space.sample(LOOKED, how="grid").numpy()
    fastest = float(np.max(np.asarray(equation.speed(points), dtype=float)))
    return fastest * domain.time.duration / 2


def _padding(width: float | None, step: float, thick: float) -> int:
    """Nodes to add outside an open side with `width` of layer within: an even number, for grids of twice the spacing."""
    if width is None or thick <= width:
        return 0
    return 2 * math.ceil((thick - width) / step / 2)


def _side(sides: Sides, face: str, outside: float) -> Wall | Mirror | Layer:
    """A side as the solver knows it, with so much of a layer outside."""
    if face in sides.open and len(sides.domain.spatial.axes) < 3:
        return Layer(sides.open[face] + outside)
    return Mirror() if sides.is_natural(face) else Wall()


def box_of(problem: Problem) -> Box:
    """The box in space of a problem whose domain and sides the grid solver takes.

    Raises: DeclarationError for any other.
    """
    space = problem.domain.spatial
    if not isinstance(space, Box) or space.dimension > 3:
        raise DeclarationError(
            "the grid solver of the wave equation works on a Box of one to three dimensions, but the domain is "
            f"{problem.domain}; declare the problem on a Box around it"
        )
    check_sides(problem, TREATED, TREATED.names)
    return space
