"""Periodic sides: their panels are cut alike, so that each lies opposite another one, with which it is joined."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from neurapde.assembly.trefftz.curves import SAME, Array, Curve
from neurapde.assembly.trefftz.regions import AbstractPanel, Panel, Partition, distance_to
from neurapde.conditions.base import ONE
from neurapde.conditions.sides import Sides
from neurapde.core.errors import DeclarationError
from neurapde.domains.edges import Segment
from neurapde.fields.sources import PointSource
from neurapde.problem.problem import Problem
from neurapde.spectral.weak import Piece


def joined(partition: Partition, sides: Sides) -> Partition:
    """The partition with the panels of periodic faces cut alike; the upper ones are the lower ones moved.

    Raises: DeclarationError where a hole meets one of two joined faces, but not the other at the same places.
    """
    panels = partition.panels
    for condition in sides.conditions:
        if condition.periodic:
            lower, upper = condition.faces(partition.domain)
            panels = _cut_alike(panels, lower, upper, partition)
    return replace(partition, panels=panels)


def opposite(panels: Sequence[AbstractPanel]) -> dict[int, int]:
    """The numbers of the panels on lower periodic faces, each with that of the panel opposite it."""
    places: dict[int, tuple[float, ...]] = {
        i: tuple(panel.seen[len(panel.seen) // 2])
        for i, panel in enumerate(panels)
        if panel.shift is not None
    }
    pairs = {}
    for i, place in places.items():
        shift = panels[i].shift
        assert shift is not None
        if max(shift) > 0:
            aim = np.add(place, shift)
            pairs[i] = min(places, key=lambda j: float(np.hypot(*(aim - places[j]))))
    return pairs


def _cut_alike(panels: Sequence[Panel], lower: str, upper: str, partition: Partition) -> tuple[Panel, ...]:
    """With the panels of two faces cut where one of the other ends."""
    below, above = (
        [panel for panel in panels if panel.outer is None and panel.face == face] for face in (lower, upper)
    )
    others = [panel for panel in panels if panel not in below and panel not in above]
    axis = partition.domain.faces.index(lower) // 2
    shift = [0.0, 0.0]
    shift[axis] = float(partition.domain.extents[axis])
    along = 1 - axis
    ends = np.sort([_ends(panel, along) for panel in (*below, *above)], axis=None)
    ends = ends[np.diff(ends, prepend=-np.inf) > SAME * partition.extent]
    pairs: list[Panel] = []
    for start, stop in pairwise(ends):
        first, second = (_at(mine, (start + stop) / 2, along) for mine in (below, above))
        if first is None and second is None:
            continue
        if first is None or second is None:
            raise DeclarationError(
                f"{lower} and {upper} are joined, but a hole of {partition.domain} ends at one of them from {start:g} to "
                f"{stop:g}, and not at the other"
            )
        curve = _part(first.curve, start, stop, along)
        segment = curve.edge
        assert isinstance(segment, Segment)
        moved = Segment(_moved(segment.start, shift), _moved(segment.end, shift))
        pairs.append(replace(first, curve=curve, shift=(shift[0], shift[1])))
        pairs.append(
            replace(
                second,
                curve=replace(curve, edge=moved),
                sign=-first.sign,
                shift=(-shift[0], -shift[1]),
            )
        )
    return (*others, *pairs)


def _ends(panel: Panel, along: int) -> list[float]:
    """Its two ends along an axis, increasing."""
    return sorted(panel.curve.points(np.array([0.0, 1.0]))[:, along].tolist())


def _at(panels: Sequence[Panel], place: float, along: int) -> Panel | None:
    """The panel on which a place of a face lies."""
    return next((panel for panel in panels if _ends(panel, along)[0] < place < _ends(panel, along)[1]), None)


def _part(curve: Curve, start: float, stop: float, along: int) -> Curve:
    """The part of a straight curve between two coordinates."""
    assert isinstance(curve.edge, Segment)
    begin, length = curve.edge.start[along], curve.edge.end[along] - curve.edge.start[along]
    first, last = sorted(((start - begin) / length, (stop - begin) / length))
    return Curve(curve.edge, first, last)


def _moved(place: tuple[float, float], shift: Sequence[float]) -> tuple[float, float]:
    return place[0] + shift[0], place[1] + shift[1]


def at_lower_faces(places: Array, partition: Partition) -> Array:
    """Places (n, 2), those on upper periodic faces moved to the lower ones."""
    moved = places.copy()
    upper = partition.domain.bounds[1]
    for axis in {
        int(np.argmax(np.abs(panel.shift))) for panel in partition.panels if panel.shift is not None
    }:
        beyond = np.abs(places[:, axis] - upper[axis]) < 10 * SAME * partition.extent
        moved[beyond, axis] -= partition.domain.extents[axis]
    return moved


def unjoined(problem: Problem) -> str | None:
    """Why the periodic sides of a problem in the plane cannot be joined; None where they can, or there are none."""
    if not problem.sides.periodic:
        return None
    try:
        partition = joined(Partition.of(problem.domain, [Piece((), (), ONE)]), problem.sides)
    except DeclarationError as error:
        return str(error)
    for source in (source for shot in problem.right_hand_sides for source in shot):
        if isinstance(source, PointSource):
            at = np.array([source.at], dtype=float)
            seams = (panel.curve for panel in partition.panels if panel.shift is not None)
            if min(distance_to(curve, at) for curve in seams) < SAME * partition.extent:
                return (
                    f"its source {source.describe()} lies on a periodic side; move the sides, or the source"
                )
    return None
