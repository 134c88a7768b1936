"""The medium of waves that leave a box: m = 1/c² as declared inside, beyond that of the nearest point of the box.

A lattice of modes uses only the cosine moments of the medium. They are sums of three kinds of integrals: over the box,
over the strips beyond its sides, where m varies only along the side, and over the corners, where it is constant. The
quadrature panels end where the medium jumps: on the edges of declared regions, and at jumps found in functions.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from neurapde.core.arrays import Array, maximum, minimum, namespace
from neurapde.domains.base import Domain
from neurapde.domains.box import Box, Interval
from neurapde.fields.jumps import Features, features_of, narrow_features
from neurapde.fields.medium import Field
from neurapde.spectral.modes import AxisModes, along_all, project
from neurapde.spectral.quadrature import FloatArray, interval_rule
from neurapde.spectral.region_quadrature import region_rule
from neurapde.spectral.weak import Piece, pieces_of

PROBED = {1: 2001, 2: 161, 3: 41}  # points an axis at which the speed is asked
INWARD = 1e-9  # of an axis: the medium at a side is what it is just inside
RESOLVED = 6.0  # bandwidth of a steep change, in units of one over its width
IN_SPACE = 2.2  # bandwidth of the rule in space, in units of the modes'
FINEST = 4000.0  # of an axis: the largest bandwidth, times its length, that a steep change is given


@dataclass(frozen=True)
class Continued(Field):
    """A field of a box, continued beyond it with the value just inside its nearest side."""

    field: Field
    box: Box

    def __call__(self, points: Array) -> Array:
        xp = namespace(points)
        columns = []
        for i, (a, b) in enumerate(self.box.sides):
            inward = INWARD * (b - a)
            columns.append(minimum(maximum(points[:, i], a + inward), b - inward))
        return self.field(xp.stack(columns, axis=1))

    def describe(self) -> str:
        return self.field.describe()


class WaveMedium:
    """m of a speed on the box `core`, continued beyond, and its cosine moments on lattices of larger boxes."""

    def __init__(self, speed: Field, core: Box) -> None:
        self.core, self.speed = core, Continued(speed, core)
        self.pieces = pieces_of(speed)

    def slowness_squared(self, points: FloatArray) -> FloatArray:
        """m at points (n, d)."""
        return np.asarray(1.0 / np.asarray(self.speed(points), dtype=float) ** 2)

    @cached_property
    def uniform(self) -> float | None:
        """m if it is constant, else None."""
        if len(self.pieces) == 1 and self.pieces[0].constant is not None:
            return 1.0 / float(np.real(self.pieces[0].constant)) ** 2
        return None

    @cached_property
    def features(self) -> Features:
        """Places where functions of the medium jump or are steep, except parts that are too thin to resolve."""
        return features_of([self.speed.field], self.core).in_view

    @cached_property
    def detail(self) -> float:
        """The bandwidth of steep changes and of values on grids, rad per unit length."""
        steep = self.features.widths[self.features.widths > 0].min(initial=np.inf)
        most = FINEST / max(self.core.extents)
        return min(max(RESOLVED / steep, *(piece.bandwidth for piece in self.pieces)), most)

    @cached_property
    def probes(self) -> FloatArray:
        """Points (n, d) in the whole core, in its declared regions and on both sides of found changes."""
        counts = PROBED[self.core.dimension]
        axes = [np.linspace(a, b, counts) for a, b in self.core.sides]
        points = [np.stack([x.ravel() for x in np.meshgrid(*axes, indexing="ij")], axis=-1)]
        points += [region.sample(512, how="grid").numpy() for region in _regions(self.pieces)]
        steps = np.zeros_like(self.features.points)
        if len(steps):
            rows = np.arange(len(steps))
            steps[rows, self.features.axes] = np.maximum(
                self.features.widths, INWARD * max(self.core.extents)
            )
            points += [self.features.points + steps, self.features.points - steps]
        return np.concatenate(points)

    @cached_property
    def speeds(self) -> tuple[float, float]:
        """The least and the largest speed."""
        values = np.asarray(self.speed(self.probes), dtype=float)
        return float(values.min()), float(values.max())

    @property
    def jumps(self) -> bool:
        """Whether it jumps, or changes as fast as a jump."""
        return len(self.pieces) > 1 or len(self.features) > 0

    @property
    def fastest(self) -> float:
        """The largest speed."""
        return self.speeds[1]

    def moments(self, modes: Sequence[AxisModes]) -> FloatArray:
        """∫ m Π cos over the box of the modes, for frequencies up to twice theirs."""
        rough = self.rough(modes)
        if len(modes) == 1:
            return self._on_line(modes[0], rough)
        if len(modes) == 3:
            return self._in_space(modes)
        inside = self._in_plane(modes, rough)
        for axis in range(2):
            inside = inside + self._strips(modes, axis, rough)
        return inside + self._corners(modes, rough)

    def rules(self, modes: Sequence[AxisModes]) -> list[tuple[list[float], FloatArray]]:
        """The ends of the panels within the core on each axis, with the nodes."""
        ends = [self._breaks(axis, sides) for axis, sides in enumerate(self.core.sides)]
        return [(edges, interval_rule(edges, self.rough(modes))[0]) for edges in ends]

    def rough(self, modes: Sequence[AxisModes]) -> float:
        """The bandwidth of its rules."""
        return 3 * max(axis_modes.bandwidth for axis_modes in modes) + self.detail

    def _on_line(self, axis_modes: AxisModes, rough: float) -> FloatArray:
        x, weights = interval_rule(self._breaks(0, (axis_modes.lower, axis_modes.upper)), rough)
        return np.asarray(axis_modes.cosines(x) @ (weights * self.slowness_squared(x[:, None])))

    def _in_space(self, modes: Sequence[AxisModes]) -> FloatArray:
        """The moments over the whole box by one rule, whose panels end only at planes, and no finer than needed."""
        rough = IN_SPACE * max(axis_modes.bandwidth for axis_modes in modes) + self.detail
        axes = [
            interval_rule(self._breaks(axis, (axis_modes.lower, axis_modes.upper)), rough)
            for axis, axis_modes in enumerate(modes)
        ]
        mesh = np.stack(np.meshgrid(*(x for x, _ in axes), indexing="ij"), axis=-1).reshape(-1, 3)
        values = self.slowness_squared(mesh).reshape([len(x) for x, _ in axes])
        return np.asarray(
            along_all(
                [axis_modes.cosines(x) * w for axis_modes, (x, w) in zip(modes, axes, strict=True)], values
            )
        )

    def planes(self, axis: int) -> list[float]:
        """Coordinates on an axis where it jumps, everywhere or in part: found in functions, or ends of regions."""
        ends = [float(x) for region in _regions(self.pieces) for x in np.transpose(region.bounds)[axis]]
        return [*ends, *self.features.planes(axis).tolist()]

    def _breaks(self, axis: int, ends: tuple[float, float]) -> list[float]:
        a, b = ends
        return [a, *sorted({x for x in (*self.planes(axis), *self.core.sides[axis]) if a < x < b}), b]

    def _in_plane(self, modes: Sequence[AxisModes], rough: float) -> FloatArray:
        """The moments over the core: the background, and the change by every piece."""
        *others, background = self.pieces
        axes = [interval_rule(self._breaks(axis, self.core.sides[axis]), rough) for axis in range(2)]
        mesh = np.stack(np.meshgrid(axes[0][0], axes[1][0], indexing="ij"), axis=-1).reshape(-1, 2)
        values = squared(background, mesh).reshape(*(len(x) for x, _ in axes))
        tables = [axis_modes.cosines(x) * w for axis_modes, (x, w) in zip(modes, axes, strict=True)]
        total = along_all(tables, values)
        inner = [self._breaks(axis, self.core.sides[axis])[1:-1] for axis in range(2)]
        for piece in others:
            edges = [edge for region in (*piece.within, *piece.outside) for edge in region.edges]
            points, weights = region_rule(
                piece.contains, edges, (self.core.sides[0], self.core.sides[1]), (inner[0], inner[1]), rough
            )
            change = squared(piece, points) - squared(background, points)
            total = (
                total + project([axis_modes.cosines for axis_modes in modes], points, weights * change).real
            )
        return np.asarray(total)

    def _strips(self, modes: Sequence[AxisModes], axis: int, rough: float) -> FloatArray:
        """The moments beyond the two sides of an axis, between those of the other."""
        other = 1 - axis
        (a, b), (low, high) = self.core.sides[axis], self.core.sides[other]
        total = np.zeros([2 * axis_modes.count + 1 for axis_modes in modes])
        for edge, outer in ((a, (modes[axis].lower, a)), (b, (b, modes[axis].upper))):
            if not outer[1] - outer[0] > INWARD * (b - a):
                continue

            def side(x: FloatArray, edge: float = edge) -> FloatArray:
                columns = [np.full(len(x), edge), np.ravel(x)]
                return self.slowness_squared(np.stack(columns[:: 1 - 2 * axis], axis=1))

            jumps = [float(x) for x in narrow_features(side, Interval(low, high)).planes(0)]
            x, weights = interval_rule([low, *(x for x in jumps if low < x < high), high], rough)
            along = modes[other].cosines(x) @ (weights * side(x))
            across = _whole(modes[axis], outer, rough)
            pair = (across, along) if axis == 0 else (along, across)
            total += np.multiply.outer(*pair)
        return total

    def _corners(self, modes: Sequence[AxisModes], rough: float) -> FloatArray:
        outer = [
            ((axis_modes.lower, a), (b, axis_modes.upper))
            for axis_modes, (a, b) in zip(modes, self.core.sides, strict=True)
        ]
        total = np.zeros([2 * axis_modes.count + 1 for axis_modes in modes])
        for first, second in itertools.product(*outer):
            if first[1] > first[0] and second[1] > second[0]:
                m = self.slowness_squared(np.array([[np.mean(first), np.mean(second)]]))[0]
                total += m * np.multiply.outer(
                    _whole(modes[0], first, rough), _whole(modes[1], second, rough)
                )
        return total


def _whole(axis_modes: AxisModes, ends: tuple[float, float], rough: float) -> FloatArray:
    """∫ cos between two ends."""
    x, weights = interval_rule(ends, rough)
    return np.asarray(axis_modes.cosines(x) @ weights)


def squared(piece: Piece, points: FloatArray) -> FloatArray:
    """m of a piece at points (n, d), inside it or not: (n,)."""
    return np.asarray(1.0 / np.asarray(piece.field(points), dtype=float) ** 2)


def _regions(pieces: Sequence[Piece]) -> list[Domain]:
    return list(itertools.chain.from_iterable((*piece.within, *piece.outside) for piece in pieces))
