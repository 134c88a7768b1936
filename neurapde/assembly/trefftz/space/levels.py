"""Levels in three axes: spherical functions about the centres of balls, and about that of the box around them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neurapde.assembly.trefftz.curves import Array
from neurapde.assembly.trefftz.family import Family
from neurapde.assembly.trefftz.features.base import Features
from neurapde.assembly.trefftz.levels import Plan, RimLevels, Solved
from neurapde.assembly.trefftz.regions import Region
from neurapde.assembly.trefftz.rims import FAR, SPARE, last_order
from neurapde.assembly.trefftz.rows import Basis
from neurapde.assembly.trefftz.space.partition import Patch, SpacePartition
from neurapde.assembly.trefftz.space.surfaces import Rectangle, Sphere, clearance
from neurapde.domains.box import Box

NEAR = 0.85
"""The largest ratio by which orders about a sphere are taken to fall."""
MORE = 20
"""Rows of a surface beside those that its functions ask for."""
SHARE = 4.0
"""Rows of all faces of a box for every function about its centre, about."""


@dataclass(frozen=True, eq=False)
class SurfaceRim:
    """A patch with the places of its rows: see `rows.Rim`."""

    panel: Patch
    points: Array
    normals: Array
    weights: Array

    @property
    def away(self) -> Array:
        return np.full(len(self.weights), np.inf)


class SpaceLevels(RimLevels):
    """Levels with spherical functions."""

    partition: SpacePartition

    def __init__(self, family: Family) -> None:
        super().__init__(family)
        self.rates = [family.rate(region) for region in self.partition.regions]

    def plan(self, digits: float) -> Plan:
        orders = {patch: self._order(patch, digits) for patch in self.partition.panels}
        features = tuple(self._features(region, orders) for region in self.partition.regions)
        rims, fresh = (
            tuple(self._rim(patch, order, turned) for patch, order in orders.items())
            for turned in (False, True)
        )
        return Plan(Basis(self.family, self.partition, features, self.known), rims, fresh)

    def solve(self, plan: Plan) -> Solved:
        solved = super().solve(plan)
        problem = self.family.problem
        return self.balanced(solved) if problem.equation.leaves_constant(problem) else solved

    def _order(self, patch: Patch, digits: float) -> int:
        """The order of a patch's functions: all faces of a box have those about its centre."""
        if isinstance(patch.surface, Rectangle):
            return self._order_in_box(patch.surface.box, digits)
        assert isinstance(patch.surface, Sphere)
        radius = patch.surface.radius
        room = self._room(patch)
        ratio = min(max(radius / (radius + room), FAR), NEAR)
        rate = max(self.rates[index] for index in (patch.inner, patch.outer) if index is not None)
        return last_order(rate * radius, ratio, digits)

    def _room(self, patch: Patch) -> float:
        """The distance of a sphere from other patches and from spots."""
        surface = patch.surface
        assert isinstance(surface, Sphere)
        room = min(
            (clearance(surface, other.surface) for other in self.partition.panels if other is not patch),
            default=math.inf,
        )
        for spot in self.family.spots:
            away = abs(math.dist(spot.at, surface.center) - surface.radius)
            room = min(room, math.hypot(away, spot.width))
        return room

    def _order_in_box(self, box: Box, digits: float) -> int:
        """The order about the centre of a box: an object near a face has its image at the same distance beyond it.

        On [−1, 1] a function with its nearest singularity at 1 + δ is a polynomial up to ρ^−n, ρ = 1 + δ + √(δ(2 + δ)).
        """
        least = math.inf
        for patch in self.partition.panels:
            if not isinstance(patch.surface, Rectangle):
                continue
            half = box.extents[patch.surface.axis] / 2
            plane = float(box.bounds[patch.surface.end][patch.surface.axis])
            near = [math.hypot(plane - spot.at[patch.surface.axis], spot.width) for spot in self.family.spots]
            near += [clearance(patch.surface, other.surface) for other in self.partition.panels]
            least = min(least, min(near, default=math.inf) / half)
        least = min(least, 2.0)
        grows = 1 + least + math.sqrt(least * (2 + least))
        (region,) = {patch.inner for patch in self.partition.panels if isinstance(patch.surface, Rectangle)}
        diagonal = math.hypot(*box.extents) / 2
        return last_order(self.rates[region] * diagonal, 1 / grows, digits)

    def _features(self, region: Region, orders: dict[Patch, int]) -> tuple[Features, ...]:
        """All features of a region, those of its outer surface first."""
        within: dict[Box | Sphere, Sequence[Features]] = {}
        around: list[Features] = []
        for patch, order in orders.items():
            surface = patch.surface
            if isinstance(surface, Rectangle):
                if patch.inner == region.index:
                    lower, upper = surface.box.bounds
                    center = tuple(((lower + upper) / 2).tolist())
                    radius = math.hypot(*surface.box.extents) / 2
                    within[surface.box] = self.family.inside(region, center, radius, order)
                continue
            assert isinstance(surface, Sphere)
            if patch.region_within() == region.index:
                within[surface] = self.family.inside(region, surface.center, surface.radius, order)
            if patch.region_around() == region.index:
                around += self.family.outside(region, surface.center, surface.radius, order)
        return (*(functions for parts in within.values() for functions in parts), *around)

    def _rim(self, patch: Patch, order: int, turned: bool) -> SurfaceRim:
        count = (order + 1) ** 2
        rows = float(count if turned else SPARE * count) + MORE
        if isinstance(patch.surface, Rectangle):
            rows = SHARE / SPARE * rows / 6 + MORE
        places = patch.places(rows, turned)
        return SurfaceRim(patch, places.points, places.normals, places.weights)
