"""A domain in three axes cut into regions by spheres, within a box or a sphere."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from neurapde.assembly.trefftz.curves import SAME, Array
from neurapde.assembly.trefftz.regions import (
    STEP,
    AbstractPanel,
    AbstractPartition,
    Region,
    regions_of,
)
from neurapde.assembly.trefftz.space.surfaces import (
    Places,
    Rectangle,
    Surface,
    clearance,
    surfaces_of,
)
from neurapde.core.errors import DeclarationError
from neurapde.domains.base import Domain
from neurapde.domains.box import Box
from neurapde.domains.combine import faces_of, leaves
from neurapde.spectral.weak import Piece

LOOKED = 200
"""Places of a surface at which its sides are looked at, and from which what is near is."""


@dataclass(frozen=True)
class Patch(AbstractPanel):
    """A surface between two regions, or between one and the outside.

    sign: 1 where the shape's own normals point from the inner to the outer side, else −1.
    """

    surface: Surface
    inner: int
    outer: int | None
    sign: float
    face: str = ""

    @property
    def size(self) -> float:
        return self.surface.area

    @property
    def extent(self) -> float:
        return math.sqrt(self.surface.area)

    def spread(self, share: float) -> tuple[Array, Array]:
        places = self.places(max(4.0, share))
        return places.points, places.normals

    @property
    def seen(self) -> Array:
        return self.surface.places(LOOKED).points

    def places(self, count: float, turned: bool = False) -> Places:
        """Those of the surface, with normals from the inner to the outer side."""
        places = self.surface.places(count, turned)
        return Places(places.points, self.sign * places.normals, places.weights)

    def region_within(self) -> int | None:
        """The region on the shape's own side."""
        return self.inner if self.sign > 0 else self.outer

    def region_around(self) -> int | None:
        """The region on the other side."""
        return self.outer if self.sign > 0 else self.inner


@dataclass(frozen=True)
class SpacePartition(AbstractPartition[Patch]):
    """The regions of a domain in three axes."""

    def no_ball(self) -> str | None:
        """A message that it is only a box."""
        if all(isinstance(patch.surface, Rectangle) for patch in self.panels):
            return "it is a box without a ball in it"
        return None

    @classmethod
    def of(cls, domain: Domain, pieces: Sequence[Piece]) -> "SpacePartition":
        """The partition of a domain whose medium has these constant pieces.

        Raises: DeclarationError, whose message ends a sentence, for shapes other than balls in a box or a ball, apart from
        each other.
        """
        regions = regions_of(pieces)
        patches: list[Patch] = []
        for surface, face in _surfaces(domain, pieces):
            patch = _patch(surface, face, domain, regions)
            if patch is not None:
                patches.append(patch)
        extent = max(domain.extents)
        for i, patch in enumerate(patches):
            for other in patches[:i]:
                if clearance(patch.surface, other.surface) < SAME * extent:
                    raise DeclarationError("some of its surfaces touch or cross")
        used = sorted(
            {index for patch in patches for index in (patch.inner, patch.outer) if index is not None}
        )
        number = {index: i for i, index in enumerate(used)}
        return cls(
            domain,
            tuple(Region(i, regions[index].piece, regions[index].value) for index, i in number.items()),
            tuple(
                Patch(
                    patch.surface,
                    number[patch.inner],
                    None if patch.outer is None else number[patch.outer],
                    patch.sign,
                    patch.face,
                )
                for patch in patches
            ),
        )


def _surfaces(domain: Domain, pieces: Sequence[Piece]) -> Iterator[tuple[Surface, str]]:
    """Every surface once, with the name of its face of the domain."""
    found: set[Surface] = set()
    for face, (shape, own) in faces_of(domain).items():
        surfaces = surfaces_of(shape)
        if surfaces is None:
            raise DeclarationError(
                f"it has the shape {shape}, and in three dimensions only balls and boxes are supported"
            )
        if surfaces[own] not in found:
            found.add(surfaces[own])
            yield surfaces[own], face
    for shape in dict.fromkeys(shape for piece in pieces for shape in (*piece.within, *piece.outside)):
        for leaf in leaves(shape):
            surfaces = surfaces_of(leaf)
            if surfaces is None or isinstance(leaf, Box):
                raise DeclarationError(
                    f"its medium has the region {leaf}, and in three dimensions only balls are supported"
                )
            for surface in surfaces.values():
                if surface not in found:
                    found.add(surface)
                    yield surface, ""


def _patch(surface: Surface, face: str, domain: Domain, regions: Sequence[Region]) -> Patch | None:
    """The patch of a surface; None if it separates nothing."""
    places = surface.places(LOOKED)
    step = STEP * max(domain.extents) * places.normals
    within, around = (_sides(places.points + sign * step, domain, regions) for sign in (-1.0, 1.0))
    if within == around:
        return None
    if within is not None:
        return Patch(surface, within, around, 1.0, face if around is None else "")
    assert around is not None
    return Patch(surface, around, None, -1.0, face)


def _sides(points: Array, domain: Domain, regions: Sequence[Region]) -> int | None:
    """The region of all the points; None outside the domain."""
    index = np.full(len(points), -1)
    for region in reversed(regions):
        index[region.contains(points)] = region.index
    index[~np.asarray(domain.contains(points))] = -1
    if (index != index[0]).any():
        raise DeclarationError("some of its surfaces cross")
    return None if index[0] < 0 else int(index[0])


def in_boxes_of(domain: Domain) -> list[str]:
    """The faces of a domain that are faces of a box."""
    return [face for face, (shape, _) in faces_of(domain).items() if isinstance(shape, Box)]
