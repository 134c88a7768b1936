"""The smoothness of a field where panels meet: it varies as r^α, with α from the angles and the conditions."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neurapde.assembly.trefftz.curves import Array
from neurapde.assembly.trefftz.family import Family
from neurapde.assembly.trefftz.near import MOST, End
from neurapde.assembly.trefftz.regions import Panel, Partition
from neurapde.assembly.trefftz.seams import at_lower_faces
from neurapde.domains.edges import Arc

JUMPING = 0.5
"""At corners between regions of different flux coefficients, at worst about."""
AWAY = 1e-3
"""Of a panel's length: where its direction is taken."""
FLAT = 1e-3
"""Radians by which a straight boundary may turn."""


@dataclass(frozen=True)
class _Ray:
    """A panel from a place: its direction, and the regions on its left and right, None beyond faces."""

    panel: int
    end: int
    angle: float
    left: int | None
    right: int | None


def ends_of(partition: Partition, family: Family) -> list[tuple[End, End]]:
    """Both ends of every panel; those of closed ones do not count."""
    panels = partition.panels
    ends = [(i, which) for i, panel in enumerate(panels) if not panel.curve.closed for which in (0, 1)]
    places = np.array([panels[i].curve.points(np.array([float(t)]))[0] for i, t in ends]).reshape(-1, 2)
    glued = at_lower_faces(places, partition)
    pairs = [[End(), End()] for _ in panels]
    for together in _groups(glued, partition):
        exponent = _exponent(_glued([_ray(panels, *ends[j]) for j in together], panels), partition, family)
        for here in (np.array(together)[group] for group in _groups(places[together], partition)):
            rays = sorted((_ray(panels, *ends[j]) for j in here), key=lambda ray: ray.angle)
            for i, ray in enumerate(rays):
                pairs[ray.panel][ray.end] = End(exponent, _wedge([*rays[i:], *rays[:i]]))
    return [(first, second) for first, second in pairs]


def _groups(places: Array, partition: Partition) -> list[list[int]]:
    """The numbers of places (n, 2), those together that are one place."""
    groups, unvisited = [], set(range(len(places)))
    while unvisited:
        at = places[min(unvisited)]
        here = [j for j in sorted(unvisited) if math.dist(places[j], at) < 1e-8 * partition.extent]
        unvisited -= set(here)
        groups.append(here)
    return groups


def _glued(rays: Sequence[_Ray], panels: Sequence[Panel]) -> list[_Ray]:
    """In the order of their angles, with the two along a periodic face and the opposite one as one between two regions."""
    one: list[_Ray] = []
    for ray in sorted(rays, key=lambda ray: ray.angle):
        same = [other for other in one if _are_one(ray, other, panels)]
        if same:
            one.remove(same[0])
            left = ray.left if ray.left is not None else same[0].left
            right = ray.right if ray.right is not None else same[0].right
            ray = _Ray(ray.panel, ray.end, ray.angle, left, right)
        one.append(ray)
    return one


def _are_one(ray: _Ray, other: _Ray, panels: Sequence[Panel]) -> bool:
    """Whether two rays are along opposite panels of periodic faces."""
    shift, back = panels[ray.panel].shift, panels[other.panel].shift
    if shift is None or back is None or abs(ray.angle - other.angle) > FLAT:
        return False
    return math.hypot(shift[0] + back[0], shift[1] + back[1]) < FLAT * math.hypot(*shift)


def _wedge(rays: Sequence[_Ray]) -> float:
    """The free angle, at most π, for the poles beside the first of the rays in turn.

    Poles on the left belong to the region on the right, so the limit is where that region begins again.
    """
    first, angle = rays[0], math.pi
    for other in rays[1:]:
        if first.right is not None and other.left == first.right:
            angle = min(angle, (other.angle - first.angle) % (2 * math.pi))
        if first.left is not None and other.right == first.left:
            angle = min(angle, (first.angle - other.angle) % (2 * math.pi))
    return angle


def _ray(panels: Sequence[Panel], index: int, end: int) -> _Ray:
    panel = panels[index]
    curve = panel.curve
    step = AWAY if isinstance(curve.edge, Arc) else 1.0
    start, later = curve.points(np.array([float(end), end + (step if end == 0 else -step)]))
    angle = math.atan2(later[1] - start[1], later[0] - start[0])
    inner_left = (panel.sign > 0) == (end == 0)
    sides = (panel.inner, panel.outer) if inner_left else (panel.outer, panel.inner)
    return _Ray(index, end, angle, *sides)


def _exponent(rays: Sequence[_Ray], partition: Partition, family: Family) -> float:
    """The exponent of a place from its rays, in the order of their angles."""
    fluxes = {
        family.flux(partition.regions[index])
        for ray in rays
        for index in (ray.left, ray.right)
        if index is not None
    }
    if len(fluxes) > 1:
        return JUMPING
    walls = [i for i, ray in enumerate(rays) if ray.left is None or ray.right is None]
    exponent = MOST
    for i in walls:
        ray = rays[i]
        if ray.left is None:
            continue
        other = next(rays[j % len(rays)] for j in range(i + 1, i + 1 + len(rays)) if j % len(rays) in walls)
        turn = (other.angle - ray.angle) % (2 * math.pi) or 2 * math.pi
        alike = _fixes(ray, partition, family) == _fixes(other, partition, family)
        if alike and abs(turn - math.pi) < FLAT:
            continue
        exponent = min(exponent, math.pi / turn / (1 if alike else 2))
    return exponent


def _fixes(ray: _Ray, partition: Partition, family: Family) -> bool:
    """Whether a wall has a given value, and not a slope."""
    panel = partition.panels[ray.panel]
    condition = family.condition(panel, partition.regions[panel.inner])
    return condition is not None and condition.fixes
