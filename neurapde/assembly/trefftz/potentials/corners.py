"""Corners: the ends of panels, the regions that meet there, and the behaviour of the field."""

import cmath
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from neurapde.assembly.trefftz.potentials.exponents import MOST, corner_exponent
from neurapde.assembly.trefftz.regions import Panel, Partition
from neurapde.assembly.trefftz.seams import opposite

SAME = 1e-8
"""Of the domain's extent: ends of panels nearer than this are one corner."""
STRAIGHT = 1e-6
"""Radians: sides that turn by less go on."""
BENT = 1e-4
"""Of the domain's extent: rough data that are nearer to a corner are its own."""
ROUGH = 0.5
"""Exponent that is taken where data are rough."""
WEAK = 2.0
"""Exponent of what a change of curvature alone leaves."""


class Arm(NamedTuple):
    """A panel that ends at a corner: which end, its direction (radians) there, and the regions beside it."""

    panel: Panel
    end: float
    angle: float
    left: int | None
    right: int | None


@dataclass(frozen=True)
class Sector:
    """A region at a corner: its opening (radians) and the direction out of it, of modulus 1."""

    region: int
    opening: float
    out: complex


@dataclass(frozen=True)
class Corner:
    """A place with the regions that meet there.

    exponent: the field varies as r^α. reach: the length of this behaviour. jump: of the given values on both sides.
    """

    at: complex
    exponent: float
    sectors: tuple[Sector, ...]
    reach: float
    jump: float = 0.0


Fixes = Callable[[Panel], bool | None]
"""Whether the value (else the slope) is given on a panel of the domain's boundary; None where it is joined to another."""
Jump = Callable[[tuple[Panel, float], tuple[Panel, float]], float]
"""By how much the values given on two panels differ at one end of each."""


def corners_of(
    partition: Partition, flux: Sequence[float], fixes: Fixes, jump: Jump, rough: Sequence[complex]
) -> list[Corner]:
    """The corners at which a field is not smooth.

    flux: the coefficient a of every region. fixes, jump: of the panels at the domain's boundary. rough: places where
    data bend, jump, or are singular.
    """
    corners = []
    meeting = [(at, arms, list(_chains(arms))) for at, arms in _meeting(partition)]
    glued = Glued(partition, [chain for *_, chains in meeting for chain in chains], flux)
    for at, arms, chains in meeting:
        bent = any(abs(at - place) < BENT * partition.extent for place in rough)
        exponents = [
            min(_exponent(glued.around(chain), flux, fixes), ROUGH if bent else MOST) for chain in chains
        ]
        jumps = [
            0.0
            if chain[0] is chain[-1]
            else jump((chain[0].panel, chain[0].end), (chain[-1].panel, chain[-1].end))
            for chain in chains
        ]
        reach = _reach(partition, at, arms)
        for chain, exponent, step in zip(chains, exponents, jumps, strict=True):
            if exponent < MOST or step > 0:
                corners.append(Corner(at, exponent, _openings(chain), reach, step))
    return corners


def openings(partition: Partition) -> Iterator[tuple[complex, Sector]]:
    """Every end of panels, with the regions that meet there."""
    for at, arms in _meeting(partition):
        for chain in _chains(arms):
            for sector in _openings(chain):
                yield at, sector


def _openings(chain: Sequence[Arm]) -> tuple[Sector, ...]:
    return tuple(
        Sector(region, opening, cmath.exp(1j * (start + opening / 2 + math.pi)))
        for region, start, opening in _sectors(chain)
    )


def _meeting(partition: Partition) -> Iterator[tuple[complex, list[Arm]]]:
    """The ends of panels, each with its arms counterclockwise."""
    places: list[complex] = []
    arms: list[list[Arm]] = []
    for panel in partition.panels:
        if panel.curve.closed:
            continue
        for end in (0.0, 1.0):
            t = np.array([end])
            x, y = panel.curve.points(t)[0]
            normal = complex(*panel.curve.normals(t)[0])
            leaves = 1j * normal * (1 if end == 0 else -1)  # the curve's own normal is on its right
            left, right = (panel.inner, panel.outer) if panel.sign > 0 else (panel.outer, panel.inner)
            if end == 1:
                left, right = right, left
            here = complex(x, y)
            near = [i for i, place in enumerate(places) if abs(place - here) < SAME * partition.extent]
            if not near:
                places.append(here)
                arms.append([])
            arms[near[0] if near else -1].append(Arm(panel, end, cmath.phase(leaves), left, right))
    for at, mine in zip(places, arms, strict=True):
        yield at, sorted(mine, key=lambda arm: arm.angle)


def _chains(arms: Sequence[Arm]) -> Iterator[list[Arm]]:
    """Arms in turn with regions between them: from the outside to the outside, or a full turn with the first repeated."""
    starts = [i for i, arm in enumerate(arms) if arm.right is None]
    if not starts:
        yield [*arms, arms[0]]
    for start in starts:
        chain = [arms[start]]
        for k in range(1, len(arms) + 1):
            chain.append(arms[(start + k) % len(arms)])
            if chain[-1].left is None:
                break
        yield chain


def _sectors(chain: Sequence[Arm]) -> list[tuple[int, float, float]]:
    """Region, direction of the first side, and opening."""
    sectors = []
    for first, second in pairwise(chain):
        opening = (second.angle - first.angle) % (2 * math.pi)
        if opening < STRAIGHT and len(chain) == 2:
            opening = 2 * math.pi
        assert first.left is not None
        sectors.append((first.left, first.angle, opening))
    return sectors


class Glued:
    """Chains that go on at the opposite place where they end at a periodic face."""

    def __init__(self, partition: Partition, chains: Sequence[list[Arm]], flux: Sequence[float]) -> None:
        panels = partition.panels
        pairs = [(panels[i], panels[j]) for i, j in opposite(panels).items()]
        self.flux = flux
        self.mates = {id(a): b for pair in pairs for a, b in (pair, pair[::-1])}
        self.starting = {(id(chain[0].panel), chain[0].end): chain for chain in chains}
        self.ending = {(id(chain[-1].panel), chain[-1].end): chain for chain in chains}

    def around(self, chain: list[Arm]) -> list[Arm]:
        """The chain with those that it goes on in, without the arms that separate one coefficient from itself."""
        links = [chain]
        while (following := self._beyond(links[-1][-1], self.starting)) and following is not chain:
            links.append(following)
        while following is None and (before := self._beyond(links[0][0], self.ending)):
            links.insert(0, before)
        arms = [arm for link in links for arm in link[:-1]]
        kept = [arm for i, arm in enumerate(arms) if not self._seam(arms, i)]
        return [*kept, *(kept[:1] if following is chain else links[-1][-1:])]

    def _beyond(self, arm: Arm, chains: Mapping[tuple[int, float], list[Arm]]) -> list[Arm] | None:
        """The chain at the panel opposite to an arm's."""
        mate = self.mates.get(id(arm.panel))
        return None if mate is None else chains.get((id(mate), arm.end))

    def _seam(self, arms: Sequence[Arm], i: int) -> bool:
        """Whether an arm is along a periodic face with one coefficient on either side."""
        left, before = arms[i].left, arms[i - 1].left
        if arms[i].panel.shift is None or left is None or before is None:
            return False
        return self.flux[left] == self.flux[before]


def _exponent(chain: Sequence[Arm], flux: Sequence[float], fixes: Fixes) -> float:
    if not chain:
        return MOST
    sectors = _sectors(chain)
    openings = [opening for *_, opening in sectors]
    coefficients = [flux[region] for region, *_ in sectors]
    whole = chain[0] is chain[-1]
    if len(sectors) == (2 if whole else 1) and all(abs(opening - math.pi) < STRAIGHT for opening in openings):
        first, second = chain[0].panel, chain[1].panel
        if first.face == second.face or whole:
            return (
                WEAK
                if abs(1 / first.curve.radius - 1 / second.curve.radius) * first.curve.length > SAME
                else MOST
            )
    if whole:
        return corner_exponent(openings, coefficients)
    ends = fixes(chain[0].panel), fixes(chain[-1].panel)
    if ends[0] is None or ends[1] is None:
        return MOST if len(sectors) == 1 else 1.0
    exponent = corner_exponent(openings, coefficients, (ends[0], ends[1]))
    return min(exponent, WEAK) if len(sectors) == 1 and abs(openings[0] - math.pi) < STRAIGHT else exponent


def _reach(partition: Partition, at: complex, arms: Sequence[Arm]) -> float:
    """The length of the shortest panel that ends here, or the distance to the nearest other one."""
    mine = [arm.panel for arm in arms]
    lengths = [
        math.dist(*arm.panel.curve.points(np.array([0.0, 1.0]))) or arm.panel.curve.length / 4 for arm in arms
    ]
    fractions = np.linspace(0, 1, 33)
    for panel in partition.panels:
        if panel not in mine:
            x, y = panel.curve.points(fractions).T
            lengths.append(float(np.abs(x + 1j * y - at).min()))
    return min(lengths)
