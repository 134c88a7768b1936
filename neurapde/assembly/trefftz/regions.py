"""The domain cut into regions of constant coefficients, and their common boundaries cut into panels.

A panel is smooth, a curve in the plane and a surface in space, with one region on its inner side, and another region or a
face of the domain on its outer one.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Generic, TypeVar

import numpy as np
import torch

from neurapde.assembly.trefftz.curves import Array, Curve, cut
from neurapde.core.errors import DeclarationError
from neurapde.domains.base import Domain
from neurapde.domains.combine import faces_of
from neurapde.domains.edges import Segment
from neurapde.spectral.weak import Piece

STEP, SHORT = 1e-7, 1e-3
"""How far beside a panel its sides are looked at: of the domain's extent, and at most of the panel's length."""


SEEN = 65
"""Places of a panel in the plane from which what is near is looked at."""


class AbstractPanel(ABC):
    """A smooth piece of a boundary.

    inner: the region on one side. outer: the region on the other, or None where the domain ends; `face` is its name then.
    shift: of a periodic face, the way to the same place on the opposite one; None of any other.
    """

    inner: int
    outer: int | None
    face: str
    shift: tuple[float, float] | None = None

    @property
    @abstractmethod
    def size(self) -> float:
        """Its length, or its area."""

    @property
    @abstractmethod
    def extent(self) -> float:
        """Its extent."""

    @abstractmethod
    def spread(self, share: float) -> tuple[Array, Array]:
        """About a given number of places spread over it, with normals from the inner to the outer side: (n, d)."""

    @property
    @abstractmethod
    def seen(self) -> Array:
        """Places (n, d) for tests of near objects."""


@dataclass(frozen=True)
class Panel(AbstractPanel):
    """A smooth piece of a boundary in the plane.

    sign:  1 where the curve's own normals point from the inner to the outer side, else −1.
    """

    curve: Curve
    inner: int
    outer: int | None
    sign: float
    face: str = ""
    shift: tuple[float, float] | None = None

    @property
    def size(self) -> float:
        return self.curve.length

    @property
    def extent(self) -> float:
        return self.curve.length

    def spread(self, share: float) -> tuple[Array, Array]:
        t = np.asarray((np.arange(max(4, round(share))) + 0.5) / share, dtype=np.float64)
        t = t[t < 1]
        return self.curve.points(t), self.normals(t)

    @property
    def seen(self) -> Array:
        return self.curve.points(np.linspace(0, 1, SEEN))

    def normals(self, t: Array) -> Array:
        """Unit normals (n, 2) from the inner to the outer side at fractions t (n,) of the length."""
        return self.sign * self.curve.normals(t)


@dataclass(frozen=True)
class Region:
    """A part of the domain with constant coefficients: `value` is that of the medium's field there."""

    index: int
    piece: Piece
    value: complex

    def contains(self, points: Array) -> np.ndarray:
        """Which points (n, 2) of the domain lie in it, (n,)."""
        return self.piece.contains(points)


P = TypeVar("P", bound=AbstractPanel)


@dataclass(frozen=True)
class AbstractPartition(Generic[P]):
    """The regions of a domain, and the panels between them and around them."""

    domain: Domain
    regions: tuple[Region, ...]
    panels: tuple[P, ...] = field(repr=False)

    @cached_property
    def extent(self) -> float:
        """The longest side of the box around the domain."""
        return max(self.domain.extents)

    def border(self, region: Region) -> list[tuple[P, float]]:
        """The panels of a region, each with 1 where its normals point out of the region, else −1."""
        inner = [(panel, 1.0) for panel in self.panels if panel.inner == region.index]
        return inner + [(panel, -1.0) for panel in self.panels if panel.outer == region.index]


@dataclass(frozen=True)
class Partition(AbstractPartition[Panel]):
    """Those of a domain in the plane."""

    @classmethod
    def of(cls, domain: Domain, pieces: Sequence[Piece], cuts: Sequence[Segment] = ()) -> "Partition":
        """The partition of a plane domain whose medium has these constant pieces; panels also end where they meet
        `cuts`.

        Raises: DeclarationError for a piece that is not constant.
        """
        regions = regions_of(pieces)
        extent = max(domain.extents)
        shapes = dict.fromkeys(shape for piece in pieces for shape in (*piece.within, *piece.outside))
        edges = [edge for shape in (domain, *shapes) for edge in shape.edges]
        every = _Sides(domain, regions, STEP * extent)
        panels = [panel for curve in cut(edges, cuts, extent) if (panel := every.panel(curve))]
        used = {index for panel in panels for index in (panel.inner, panel.outer)}
        present = [region for region in regions if region.index in used or len(regions) == 1]
        number = {region.index: i for i, region in enumerate(present)}
        return cls(
            domain,
            tuple(Region(i, region.piece, region.value) for i, region in enumerate(present)),
            tuple(
                Panel(
                    panel.curve,
                    number[panel.inner],
                    None if panel.outer is None else number[panel.outer],
                    panel.sign,
                    panel.face,
                )
                for panel in panels
            ),
        )


def regions_of(pieces: Sequence[Piece]) -> list[Region]:
    """The regions of the pieces of a medium.

    Raises: DeclarationError for a piece that is not constant.
    """
    regions: list[Region] = []
    for piece in pieces:
        if piece.constant is None:
            raise DeclarationError(f"the medium is {piece.field.describe()}, which is not constant by region")
        regions.append(Region(len(regions), piece, piece.constant))
    return regions


@dataclass(frozen=True)
class _Sides:
    """The regions on both sides of a curve."""

    domain: Domain
    regions: Sequence[Region]
    step: float

    def panel(self, curve: Curve) -> Panel | None:
        """The panel along a curve, or None if it separates nothing."""
        half = np.array([0.5])
        middle, normal = curve.points(half), curve.normals(half)
        step = min(self.step, SHORT * curve.length)
        left, right = (self._region_at(middle + sign * step * normal) for sign in (-1.0, 1.0))
        if left == right:
            return None
        if left is not None:
            return Panel(curve, left, right, 1.0, self._face_at(middle) if right is None else "")
        return None if right is None else Panel(curve, right, None, -1.0, self._face_at(middle))

    def _region_at(self, point: Array) -> int | None:
        if not self.domain.contains(point)[0]:
            return None
        return next((region.index for region in self.regions if region.contains(point)[0]), None)

    def _face_at(self, point: Array) -> str:
        """The face of the domain at a point (1, 2)."""
        return min(self._faces, key=lambda name: distance_to(self._faces[name], point))

    @cached_property
    def _faces(self) -> dict[str, Curve]:
        """The edge of each face of the domain."""
        return {name: _edge_of(shape, face) for name, (shape, face) in faces_of(self.domain).items()}


def _edge_of(shape: Domain, face: str) -> Curve:
    """The edge of a shape that a face is."""
    middle = torch.full((1, shape._boundary_cube), 0.5, dtype=torch.float64)
    there = shape._to_boundary(middle, (face,)).points.numpy()
    return min((Curve(edge) for edge in shape.edges), key=lambda curve: distance_to(curve, there))


def distance_to(curve: Curve, point: Array) -> float:
    """The distance from a point (1, 2) to a curve."""
    if isinstance(curve.edge, Segment):
        start, end = np.array(curve.edge.start), np.array(curve.edge.end)
        along = np.clip((point[0] - start) @ (end - start) / curve.length**2, 0, 1)
        return float(np.hypot(*(start + along * (end - start) - point[0])))
    return float(abs(np.hypot(*(point[0] - np.array(curve.edge.center))) - curve.edge.radius))
