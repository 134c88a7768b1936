"""Where functions of space jump, or change within a short length: seen on lines, then closed in by bisection.

A function can only be asked for values, so what it does between them stays unknown: `Features.looked` says how fine it
was looked at. Methods take from here whether a field is rough, where a quadrature or a grid must have its breaks, and
where a check needs points.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from neurapde.core.arrays import to_numpy
from neurapde.core.formatting import number
from neurapde.domains.base import Domain
from neurapde.fields.hidden import hidden_places
from neurapde.fields.line_search import (
    INSIDE,
    Array,
    Asked,
    Function,
    closely,
    evenly,
    met_on_lines,
    spread_points,
)
from neurapde.fields.medium import Field, FunctionField, Piecewise
from neurapde.fields.sources import GaussianSource, PointSource, Source, total

LINES, ALONG = {1: 1, 2: 128}, {1: 65536, 2: 1024}
"""Lines along each axis, and points on each, by the number of axes."""
MANY, SOME = 144, 512
"""Lines and points with more axes."""
WITHIN = 16
"""Lines along layers that were found, to their ends."""
FOLLOWED = 4e-3
"""Part of an axis: a hidden part that is wider is followed by more of them."""
SAME, COMMON = 1e-9, 3
"""Part of an axis within which places are one, and lines that must share a place to make it a plane across the axis."""


@dataclass(frozen=True)
class Features:
    """Places `(m, d)` where a function changes abruptly along an axis.

    axes:    `(m,)`, the axis along which it was followed.
    widths:  `(m,)`, the length within which most of the change, or one by the function's range, happens; 0 for a jump.
    gaps:    `(m,)`, the distance to the next such place on the same line, the thickness of a layer; infinite without one.
    spacing: `(d,)`, the distance between the points looked at along each axis.
    lines:   the number of lines looked at along each axis; 0 where there was no function to look at.
    hidden:  `(m,)`, which of the places are met only on lines through hidden ones, see `fields.hidden`.
    """

    points: Array
    axes: NDArray[np.int64]
    widths: Array
    gaps: Array
    spacing: Array
    lines: int
    extents: Array = field(repr=False)
    hidden: NDArray[np.bool_] = field(repr=False)

    def __len__(self) -> int:
        return len(self.points)

    @property
    def in_view(self) -> "Features":
        """Those that are not hidden, and of the hidden the planes across the axes."""
        planes = np.any(
            [(self.axes == i) & self.on_planes(i) & (self.widths == 0) for i in range(len(self.extents))],
            axis=0,
        )
        visible = ~self.hidden | planes
        return replace(
            self,
            points=self.points[visible],
            axes=self.axes[visible],
            widths=self.widths[visible],
            gaps=self.gaps[visible],
            hidden=self.hidden[visible],
        )

    @property
    def scales(self) -> Array:
        """`(m,)`, the length that a method must resolve at each place: of a steep change, else of the layer it bounds.

        A chord close to the rim of a round region is short, but the region is not thin there: the longest of the three
        nearest chords counts.
        """
        scales = np.where(self.widths > 0, self.widths, self.gaps)
        layers = np.flatnonzero(np.isfinite(self.gaps) & (self.widths == 0))
        if len(layers):
            _, near = cKDTree(self.points[layers]).query(self.points[layers], k=min(5, len(layers)))
            scales[layers] = self.gaps[layers][near.reshape(len(layers), -1)].max(axis=1)
        return scales

    @property
    def narrowest(self) -> float:
        """The least of the scales; infinite where there are none."""
        return float(self.scales.min(initial=np.inf))

    def planes(self, axis: int) -> Array:
        """Coordinates along an axis, increasing, at which several lines meet a jump: planes across it."""
        chosen = (self.axes == axis) & (self.widths == 0)
        places = np.sort(self.points[chosen, axis])
        if not len(places):
            return places
        groups = np.split(places, np.flatnonzero(np.diff(places) > SAME * self.extents[axis]) + 1)
        needed = min(COMMON, self.lines)
        return np.array([np.median(group) for group in groups if len(group) >= needed])

    def on_planes(self, axis: int) -> NDArray[np.bool_]:
        """`(m,)`, whether each place lies on one of the planes across an axis."""
        away = np.abs(self.points[:, axis, None] - self.planes(axis)).min(axis=1, initial=np.inf)
        return np.asarray(away <= SAME * self.extents[axis])

    @property
    def askew(self) -> bool:
        """Whether it jumps, or changes steeply, elsewhere than on planes across the axes."""
        return any(((self.axes == axis) & ~self.on_planes(axis)).any() for axis in range(len(self.extents)))

    @property
    def jumps(self) -> bool:
        """Whether anything is no matter of more points: a jump, or what lies between any points."""
        return bool((self.widths == 0).any()) or self.unseen

    @property
    def unseen(self) -> bool:
        """Whether anything lies between any points, and is narrower than many polynomials or sines follow."""
        return bool((self.hidden & (self.widths < FOLLOWED * self.extents[self.axes])).any())

    @property
    def looked(self) -> str:
        """How fine the functions were looked at, in words."""
        finest = " and ".join(dict.fromkeys(number(float(f"{h:.2g}")) for h in self.spacing))
        return f"every {finest} on {self.lines} line{'s' if self.lines > 1 else ''} along each axis"

    @property
    def note(self) -> tuple[str, ...]:
        """The sentence on how fine the functions were looked at; none where there was none."""
        return (
            (f"Functions were sampled {self.looked}; thinner details may be missed.",) if self.lines else ()
        )


def narrow_features(
    function: Function, domain: Domain, contains: Callable[[Array], NDArray] | None = None
) -> Features:
    """Where a function of points `(n, d)`, real or complex `(n,)`, changes abruptly in a domain.

    contains: which points `(n, d)` it may be asked at; those of the domain unless given.
    """
    lower, upper = (np.asarray(corner, dtype=float) for corner in domain.bounds)
    dimension = len(lower)
    lines, along = LINES.get(dimension, MANY), ALONG.get(dimension, SOME)
    asked = Asked(function, domain.contains if contains is None else contains)
    spread = spread_points(lines, dimension)
    starts = lower + (upper - lower) * (INSIDE + (1 - 2 * INSIDE) * spread)
    met = [
        met_on_lines(asked, lower, upper, axis, starts, evenly(along, spread[:, axis]))
        for axis in range(dimension)
    ]
    axes = list(range(dimension))
    for axis in range(
        dimension if dimension > 1 else 0
    ):  # along what was found to be thin across, to its ends
        inner = np.concatenate([met[other].middles for other in range(dimension) if other != axis])
        inner = inner[:: max(1, len(inner) // WITHIN)]
        if len(inner):
            fractions = evenly(along, spread[: len(inner), axis])
            met.append(met_on_lines(asked, lower, upper, axis, inner, fractions))
            axes.append(axis)
    places, open_to_view = hidden_places(function, lower, upper, asked.contains), len(met)
    for axis in range(dimension if len(places) else 0):
        parts = (places[:, axis] - lower[axis]) / (upper - lower)[axis]
        met.append(met_on_lines(asked, lower, upper, axis, places, closely(parts)))
        axes.append(axis)
    counts = [len(features.points) for features in met]
    return Features(
        np.concatenate([features.points for features in met]),
        np.repeat(axes, counts),
        np.concatenate([features.widths for features in met]),
        np.concatenate([features.gaps for features in met]),
        (upper - lower) / along,
        lines,
        upper - lower,
        np.repeat(np.arange(len(met)) >= open_to_view, counts),
    )


def features_of(fields: Sequence[Field], domain: Domain) -> Features:
    """Where the functions among fields, those within `Piecewise` too, change abruptly; what is declared is not looked at."""
    several = [
        narrow_features(function, domain, contains)
        for field in fields
        for function, contains in _functions(field, domain.contains)
    ]
    return joined(several, domain)


def features_of_sources(sides: Sequence[Sequence[Source]], domain: Domain) -> Features:
    """Where the densities of right-hand sides change abruptly, all looked at as one function."""
    loads = [
        [source for source in side if not isinstance(source, GaussianSource | PointSource)] for side in sides
    ]

    def mixed(points: Array) -> NDArray:
        every = (to_numpy(total(load, points)) for load in loads)
        return np.asarray(sum((1 + 0.37 * i) * density for i, density in enumerate(every)))

    return narrow_features(mixed, domain) if any(loads) else joined([], domain)


def joined(several: Sequence[Features], domain: Domain) -> Features:
    """The features of several functions in a domain as one."""
    lower, upper = (np.asarray(corner, dtype=float) for corner in domain.bounds)
    none = np.empty(0)
    empty = Features(
        np.empty((0, len(lower))),
        none.astype(int),
        none,
        none,
        0 * lower,
        0,
        upper - lower,
        none.astype(bool),
    )
    every = [empty, *several]
    return Features(
        np.concatenate([features.points for features in every]),
        np.concatenate([features.axes for features in every]),
        np.concatenate([features.widths for features in every]),
        np.concatenate([features.gaps for features in every]),
        every[-1].spacing,
        every[-1].lines,
        upper - lower,
        np.concatenate([features.hidden for features in every]),
    )


def _functions(
    field: Field, contains: Callable[[Array], NDArray]
) -> list[tuple[Function, Callable[[Array], NDArray]]]:
    """The functions of a field that can only be asked for values, each with where it holds."""
    if isinstance(field, Piecewise):
        functions = _functions(field.background, contains)
        for region, value in field.pieces:
            functions += _functions(value, _both(contains, region.contains))
        return functions
    return [(field, contains)] if isinstance(field, FunctionField) else []


def _both(
    contains: Callable[[Array], NDArray], other: Callable[[Array], NDArray]
) -> Callable[[Array], NDArray]:
    return lambda points: contains(points) & other(points)
