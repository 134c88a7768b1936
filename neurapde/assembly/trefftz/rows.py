"""The rows of a level: residuals of features and known fields on interfaces and faces, at points along the panels."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from neurapde.assembly.trefftz.elimination import Block
from neurapde.assembly.trefftz.family import Family
from neurapde.assembly.trefftz.features.base import Features
from neurapde.assembly.trefftz.known import Known
from neurapde.assembly.trefftz.regions import AbstractPanel, AbstractPartition, Region
from neurapde.assembly.trefftz.seams import opposite
from neurapde.core.arrays import to_numpy
from neurapde.fields.medium import Field
from neurapde.jets.layout import Layout


class Rim(Protocol):
    """A panel with the places (n, d) of its rows, unit normals from the inner to the outer side, and weights (n,).

    away: the distance of the rows (n,) from infinite slopes; infinite without such a place.
    """

    @property
    def panel(self) -> AbstractPanel: ...

    @property
    def points(self) -> NDArray[np.float64]: ...

    @property
    def normals(self) -> NDArray[np.float64]: ...

    @property
    def weights(self) -> NDArray[np.float64]: ...

    @property
    def away(self) -> NDArray[np.float64]: ...


@dataclass(frozen=True)
class Basis:
    """The features of every region, and the known fields there."""

    family: Family
    partition: AbstractPartition[Any]
    features: tuple[tuple[Features, ...], ...]
    known: tuple[Known, ...]

    @cached_property
    def starts(self) -> list[int]:
        """The first column of every region, and finally the number of columns."""
        counts = [sum(functions.count for functions in mine) for mine in self.features]
        return [0, *np.cumsum(counts).tolist()]

    @property
    def count(self) -> int:
        """Features in all."""
        return self.starts[-1]

    @property
    def dtype(self) -> Any:
        """Of the numbers."""
        return np.complex128 if self.family.is_complex else np.float64

    def at(self, region: Region, points: NDArray[np.float64], layout: Layout) -> NDArray[Any]:
        """The features of a region at points: (layout.count, n, features of it)."""
        mine = [functions.channels(points, layout) for functions in self.features[region.index]]
        return (
            np.concatenate(mine, axis=2)
            if mine
            else np.zeros((layout.count, len(points), 0), dtype=self.dtype)
        )


def system_of(basis: Basis, rims: Sequence[Rim]) -> list[Block]:
    """The rows of a basis at the points of rims, weighted so that the sums of their squares are integrals over the
    panels."""
    joined = opposite([rim.panel for rim in rims])
    blocks = []
    for i, rim in enumerate(rims):
        inner = basis.partition.regions[rim.panel.inner]
        if i in joined:
            other = rims[joined[i]]
            outer = _Side(basis.partition.regions[other.panel.inner], other, (-1.0, 1.0))
            blocks += _across(basis, rim, (_Side(inner, rim), outer))
        elif rim.panel.outer is not None:
            outer = _Side(basis.partition.regions[rim.panel.outer], rim, (-1.0, -1.0))
            blocks += _across(basis, rim, (_Side(inner, rim), outer))
        elif rim.panel.shift is None:
            blocks += _on_face(basis, rim, inner)
    return blocks


@dataclass(frozen=True)
class _Side:
    """A region beside a panel, the rim on which it is asked, and the signs of its values and of its slopes in the rows."""

    region: Region
    rim: Rim
    signs: tuple[float, float] = (1.0, 1.0)


def _across(basis: Basis, rim: Rim, sides: Sequence[_Side]) -> list[Block]:
    """[u] = 0 and [a ∂u/∂n] = 0 of the regions on two sides of a rim, which may be one."""
    root = np.sqrt(rim.weights)[:, None]
    parts = [(side, *_traces(basis, side.rim, side.region)) for side in sides]
    size = _scale(basis.family, rim, basis.partition, [side.region for side in sides])
    flux = max(abs(basis.family.flux(side.region)) for side in sides)
    blocks = []
    for which, scale in ((0, root), (1, root / (flux * size[:, None]))):
        columns: dict[int, NDArray[Any]] = {}
        right = np.zeros((len(rim.weights), len(basis.known[0].shots)), dtype=basis.dtype)
        for side, features, known in parts:
            factor = side.signs[which] * scale * (basis.family.flux(side.region) if which else 1.0)
            columns[side.region.index] = columns.get(side.region.index, 0.0) + factor * features[which]
            right -= factor * known[which]
        blocks.append(Block(columns, right))
    return blocks


def _on_face(basis: Basis, rim: Rim, region: Region) -> list[Block]:
    """a u + b ∂u/∂n = value, in units of the coefficient of the larger of u and its slope."""
    condition = basis.family.condition(rim.panel, region)
    if condition is None:
        return []
    a, b, value = (_at(field, rim.points)[:, None] for field in (condition.a, condition.b, condition.value))
    features, known = _traces(basis, rim, region)
    unit = np.maximum(np.abs(a), np.abs(b) * _scale(basis.family, rim, basis.partition, [region])[:, None])
    factor = np.sqrt(rim.weights)[:, None] / unit
    columns = {region.index: factor * (a * features[0] + b * features[1])}
    sides = factor * (value - a * known[0] - b * known[1])
    return [Block(columns, np.asarray(sides, dtype=basis.dtype))]


def _traces(basis: Basis, rim: Rim, region: Region) -> tuple[NDArray[Any], NDArray[Any]]:
    """Values and slopes along the rim's normals, of the features (2, n, count) and of the known fields (2, n, shots)."""
    normals = (basis.family.slopes(rim.points) * rim.normals).T[..., None]
    first = Layout(rim.points.shape[1], 1)
    traces = []
    for channels in (
        basis.at(region, rim.points, first),
        basis.known[region.index].channels(rim.points, first, basis.dtype),
    ):
        traces.append(np.stack([channels[0], (channels[1:] * normals).sum(0)]))
    return traces[0], traces[1]


def _scale(
    family: Family, rim: Rim, partition: AbstractPartition[Any], regions: Sequence[Region]
) -> NDArray[np.float64]:
    """The unit that makes slopes at the rows (n,) as large as values: the rate of the waves, or one over the domain's
    extent.

    Near a corner with infinite slopes their squares are weighted with the distance r: ∫ r |∂u/∂n|² dr is finite, and
    measures the field like the squares of values.
    """
    least = max(*(family.rate(region) for region in regions), 1 / partition.extent)
    return np.maximum(least, np.sqrt(least / rim.away))


def _at(field: Field, points: NDArray[np.float64]) -> NDArray[Any]:
    return np.asarray(to_numpy(field(points)))
