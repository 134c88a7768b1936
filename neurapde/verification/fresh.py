"""Fresh points of a constraint, concentrated where its declaration changes from place to place, with their weights.

The residual of a constant jet depends only on the points: it shows sources, data and coefficients, also those in user
functions. If one point of a scan represents much of the change, or at the known place of a source, a box of points is
drawn, and smaller boxes in it. A part of all points is kept, in proportion to the change.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor

from neurapde.assembly.collocation.samples import Weighed, chosen, near
from neurapde.conditions.constraints import Constraint, Face, Interior, Samples
from neurapde.core.arrays import to_numpy
from neurapde.fields.hidden import hidden_places
from neurapde.operators.base import AroundPoints
from neurapde.problem.problem import Problem
from neurapde.training.optimisation.jacobian import constant_residuals

SCAN = {1: 2**14, 2: 2**17, 3: 2**17}
"""Points at which a constraint is evaluated, by the number of axes of their set."""
BASE = 1024
"""Points for the measurement of changes: as many as in a coarse solve."""
BASE_AROUND = 128
"""Points of a constraint with operators, which have many nodes."""
NEIGHBOURS = 5
"""Number of the nearest of these with whose median a point is compared."""
CHANGING, EVERYWHERE = 2048, 1536
"""Points kept in proportion to the change there, and evenly."""
REACHES, MOST_SOURCES = 1.25, 64
"""Half the side of the box around a source, in units of its reach, and the number of the narrowest sources with one."""
ROUNDS, BOXES, DRAWN = 6, 16, 1024
"""Refinements of the search, boxes in each, and points in each box."""
MUCH = 1e-3
"""Fraction of the total change that one point may represent without a refinement."""
ROUNDING = 1e-12
"""Fraction of a constraint's values: a smaller change does not count."""
PLACES, NESTED = 8, 10.0 ** -np.arange(2.0, 10.0)
"""Number of places hidden between points, and half the sides of the boxes around each, in units of the domain's."""
WIDER = 4.0
"""Side of a box in units of that of the cell which its point stands for."""
SEED = 83417

Bounds = tuple[np.ndarray, np.ndarray]


def fresh_samples(problem: Problem, sizes: Tensor) -> dict[str, Samples]:
    """Samples of every constraint of a problem by name, in float64 on the CPU.

    sizes: of the field and its derivatives (channels,), or with components: the trial jets have these sizes.
    """
    generator = torch.Generator().manual_seed(SEED)
    return {constraint.name: _of(problem, constraint, sizes, generator) for constraint in problem.constraints}


def _of(problem: Problem, constraint: Constraint, sizes: Tensor, generator: torch.Generator) -> Samples:
    sample = constraint.sample
    axes = problem.domain.dimension - isinstance(sample, Face)
    if not isinstance(sample, Interior | Face) or axes == 0:
        count = BASE_AROUND if isinstance(sample, AroundPoints) else BASE
        return sample(count, how="sobol", generator=generator)
    scan = sample(SCAN[min(axes, 3)], how="sobol", generator=generator)
    looked = _Looked(sample, scan, _Changes(problem, constraint, sizes, scan), generator)
    looked.draw([*_declared(problem, constraint), *looked.hidden()])
    for _ in range(ROUNDS):
        carried = looked.carried
        first = torch.argsort(carried, descending=True)[:BOXES]
        closer = [looked.around(int(i), axes) for i in first if carried[i] > MUCH * carried.sum()]
        if looked.draw(closer) == 0:
            break
    return looked.kept()


def _declared(problem: Problem, constraint: Constraint) -> list[Bounds]:
    """Boxes around the sources of an equation with a known place and width."""
    if constraint.name not in {declared.name for declared in problem.equation.constraints(problem)}:
        return []
    lower, upper = problem.domain.bounds
    boxes = []
    for source in (source for side in problem.right_hand_sides for source in side):
        if source.center is not None and source.reach > 0:
            low, high, half = lower.copy(), upper.copy(), REACHES * source.reach
            axes = slice(0, len(source.center))
            low[axes], high[axes] = np.array(source.center) - half, np.array(source.center) + half
            boxes.append((half, (low, high)))
    return [bounds for _, bounds in sorted(boxes, key=lambda box: box[0])[:MOST_SOURCES]]


class _Changes:
    """The change of a constraint at points (n,): its difference from most of the nearest of a few points.

    One of these may lie at a change itself.
    """

    def __init__(self, problem: Problem, constraint: Constraint, sizes: Tensor, scan: Samples) -> None:
        self.problem, self.constraint, self.sizes = problem, constraint, sizes
        self.base = cKDTree(to_numpy(scan.points[:BASE]))
        values = self._says(scan)
        self.few = values[:BASE]
        rounding = ROUNDING * values.abs().amax(0) + torch.finfo(torch.float64).tiny
        self.most = torch.maximum(self._change(scan, values).amax(0), rounding)

    def at(self, samples: Samples) -> Tensor:
        """The change in units of the largest size of the scan, over all its values."""
        return (self._change(samples, self._says(samples)) / self.most).sum(1)

    def said(self, samples: Samples) -> Tensor:
        """The size of all its values (n,)."""
        return torch.linalg.vector_norm(self._says(samples), dim=1)

    def _change(self, samples: Samples, values: Tensor) -> Tensor:
        _, nearest = self.base.query(to_numpy(samples.points), k=NEIGHBOURS)
        return (values - self.few[torch.as_tensor(nearest)].median(1).values).abs()

    def _says(self, samples: Samples) -> Tensor:
        """The residuals of constant jets, (n, columns)."""
        return constant_residuals(self.problem, self.constraint, samples, self.sizes, SEED)


@dataclass(frozen=True, eq=False)
class _Drawn:
    """A box, the density of points drawn in it, and the points that lie in the set."""

    low: Tensor
    high: Tensor
    density: float
    samples: Samples


def _joined(several: Sequence[Samples]) -> Samples:
    """Samples one after another."""
    normals = None if several[0].normals is None else torch.cat([samples.outward for samples in several])
    return Samples(torch.cat([samples.points for samples in several]), normals)


class _Looked:
    """Points drawn evenly from a set, and from boxes within it.

    density: (n,), of all of them together, in points per measure. change: (n,), at the points.
    """

    def __init__(
        self, sample: Interior | Face, scan: Samples, changes: _Changes, generator: torch.Generator
    ) -> None:
        self.sample, self.samples, self.changes, self.generator = sample, scan, changes, generator
        self.change = changes.at(scan)
        self.measure = _measure(sample)
        self.even = len(scan.points) / self.measure
        self.density = torch.full((len(scan.points),), self.even, dtype=torch.float64)
        self.boxes: list[_Drawn] = []
        self.bounds = tuple(torch.as_tensor(end, dtype=torch.float64) for end in sample.domain.bounds)

    @property
    def carried(self) -> Tensor:
        """The change in the volume that each point (n,) represents."""
        return self.change / self.density

    def draw(self, boxes: Sequence[Bounds]) -> int:
        """Add points in boxes, and return how many; none in a box that the set does not touch or may not touch."""
        drawn = [box for bounds in boxes if (box := self._drawn(bounds)) is not None]
        if not drawn:
            return 0
        new = _joined([box.samples for box in drawn])
        points = new.points
        self.change = torch.cat([self.change, self.changes.at(new)])
        even = torch.full((len(points),), self.even, dtype=torch.float64)
        self.density = torch.cat([self.density, _within(points, self.boxes, even)])
        self.samples = _joined([self.samples, new])
        self.density = _within(self.samples.points, drawn, self.density)
        self.boxes += drawn
        return len(points)

    def _drawn(self, bounds: Bounds) -> "_Drawn | None":
        """Points in a box, if there are any."""
        ends = [torch.as_tensor(end, dtype=torch.float64) for end in bounds]
        low, high = torch.maximum(ends[0], self.bounds[0]), torch.minimum(ends[1], self.bounds[1])
        if bool((low >= high).any()):
            return None
        within = near(self.sample, (tuple(low.tolist()), tuple(high.tolist())))
        if within is None:
            return None
        new = within(DRAWN, how="uniform", generator=self.generator)
        assert isinstance(within, Interior | Face)
        density = float(
            np.float32(len(new.points) / _measure(within))
        )  # sums of such are exact, in any order
        if isinstance(self.sample, Interior):
            new = chosen(new, torch.as_tensor(self.sample.domain.contains(new.points)))
        return _Drawn(low, high, density, new) if len(new.points) else None

    def hidden(self) -> list[Bounds]:
        """Nested boxes around places where a change may be hidden; for faces, those across an axis."""
        points = to_numpy(self.samples.points)
        lower, upper = (to_numpy(end) for end in self.bounds)
        free = np.ptp(points, axis=0) > 0
        flat = isinstance(self.sample, Interior) or np.count_nonzero(~free) == 1
        if not flat or not free.any():
            return []

        def placed(parts: np.ndarray) -> Samples:
            every = np.tile(points[0], (len(parts), 1))
            every[:, free] = np.asarray(parts)
            normals = self.samples.normals
            return Samples(
                torch.as_tensor(every), None if normals is None else normals[:1].expand(len(parts), -1)
            )

        def contains(parts: np.ndarray) -> np.ndarray:
            if not isinstance(self.sample, Interior):
                return np.ones(len(parts), dtype=bool)
            return np.asarray(self.sample.domain.contains(parts))

        places = hidden_places(
            lambda parts: self.changes.said(placed(parts)).numpy(), lower[free], upper[free], contains
        )
        boxes = []
        for place in places[:PLACES]:
            at = points[0].copy()
            at[free] = place
            boxes += [(at - half * (upper - lower), at + half * (upper - lower)) for half in NESTED]
        return boxes

    def around(self, index: int, axes: int) -> Bounds:
        """A box around a point, with the size of the point's cell along each axis, in units of the domain."""
        volume = 1 / (float(self.density[index]) * self.measure)
        half = (WIDER / 2 * volume ** (1 / axes) * (self.bounds[1] - self.bounds[0])).numpy()
        at = self.samples.points[index].numpy()
        return at - half, at + half

    def kept(self) -> Weighed:
        """A random part of the points, each kept in proportion to the change that it represents, or evenly, with weights."""
        shares, carried = 1 / self.density, self.carried
        total = carried.sum().clamp(min=torch.finfo(torch.float64).tiny)
        chance = (CHANGING * carried / total + EVERYWHERE * shares / shares.sum()).clamp(max=1.0)
        mixed = torch.randperm(
            len(chance), generator=self.generator
        )  # Sobol points in their turn lie in clumps
        marks = torch.cumsum(chance[mixed], 0)
        keep = torch.zeros(len(chance), dtype=torch.bool)
        keep[mixed] = torch.floor(marks) > torch.floor(marks - chance[mixed])
        points = chosen(self.samples, keep)
        weights = shares[keep] / chance[keep]
        return Weighed(points.points, points.normals, None, weights * (len(weights) / float(weights.sum())))


def _measure(sample: Interior | Face) -> float:
    domain = sample.domain
    return float(domain.measure if isinstance(sample, Interior) else domain.boundary_size(sample.on))


def _within(points: Tensor, boxes: Sequence[_Drawn], densities: Tensor) -> Tensor:
    """Densities (n,) and those of the closed boxes that points (n, d) lie in, added in turn: (n,)."""
    places = points.numpy()
    order = np.argsort(places[:, 0])
    first = places[order, 0]
    total = densities.numpy().copy()
    for box in boxes:
        low, high = box.low.numpy(), box.high.numpy()
        near = order[np.searchsorted(first, low[0]) : np.searchsorted(first, high[0], side="right")]
        rest = places[near, 1:]
        total[near[((rest >= low[1:]) & (rest <= high[1:])).all(axis=1)]] += box.density
    return torch.from_numpy(total)
