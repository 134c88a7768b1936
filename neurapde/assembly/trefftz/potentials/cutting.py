"""The panels of a partition cut where their data jump or bend, with cells that follow the data between."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from neurapde.assembly.trefftz.curves import Array
from neurapde.assembly.trefftz.features.harmonic import as_complex
from neurapde.assembly.trefftz.potentials.data import JOINED, MOST, SHORT, along, data_on, largest, resolved
from neurapde.assembly.trefftz.regions import Panel, Partition
from neurapde.conditions.base import Mixed

WITHIN = JOINED * SHORT
"""Of a panel's length: breaks nearer to its ends are theirs."""


@dataclass(frozen=True, eq=False)
class Cut:
    """The result of cutting panels.

    panels: all of them. cells: of each, the fractions (m + 1,) at which cells end. rough: places where data jump or
    bend.
    size: the largest given value. reason: why the data are too rough, or None.
    """

    panels: tuple[Panel, ...]
    cells: tuple[Array, ...]
    rough: tuple[complex, ...]
    size: float = 0.0
    reason: str | None = None


def cut_by_data(partition: Partition, conditions: Sequence[Mixed | None]) -> Cut:
    """The cut panels of a partition, each with a condition or None."""
    size = {
        fixes: max(
            (
                largest(panel, condition.value)
                for panel, condition in zip(partition.panels, conditions, strict=True)
                if condition is not None and condition.fixes == fixes
            ),
            default=0.0,
        )
        for fixes in (True, False)
    }
    panels: list[Panel] = []
    cells: list[Array] = []
    rough: list[complex] = []
    for panel, condition in zip(partition.panels, conditions, strict=True):
        if condition is None:
            panels.append(panel)
            cells.append(np.array([0.0, 1.0]))
            continue
        fields = [(condition.value, size[condition.fixes])]
        fields += [(coefficient, largest(panel, coefficient)) for coefficient in (condition.a, condition.b)]
        data = data_on(panel, fields)
        if data is None:
            panels.append(panel)
            cells.append(np.array([0.0, 1.0]))
            continue
        ends, breaks = resolved(data)
        if len(breaks) > MOST:
            return _refused(panel)
        places = [0.0, *(place for place in breaks if WITHIN < place < 1 - WITHIN), 1.0]
        rough += [complex(place) for place in as_complex(panel.curve.points(np.array(breaks)))]
        if len(places) == 2:
            panels.append(panel)
            cells.append(ends)
            continue
        for start, stop in pairwise(places):
            curve = panel.curve
            width = curve.stop - curve.start
            piece = replace(
                panel,
                curve=replace(curve, start=curve.start + start * width, stop=curve.start + stop * width),
            )
            piece_data = data_on(piece, fields)
            assert piece_data is not None
            ends, further = resolved(piece_data)
            if any(WITHIN < place < 1 - WITHIN for place in further):
                return _refused(panel)
            panels.append(piece)
            cells.append(ends)
    return Cut(tuple(panels), tuple(cells), tuple(rough), size[True])


def _refused(panel: Panel) -> Cut:
    reason = (
        f"the condition on {panel.face} jumps or bends at more than {MOST} places, or at places that are too close "
        "to each other"
    )
    return Cut((), (), (), 0.0, reason)


def jump(
    first: tuple[Panel, float], second: tuple[Panel, float], conditions: Sequence[Mixed | None]
) -> float:
    """The difference of the given values on two panels where they meet: at the fraction 0 or 1 of each."""
    values = []
    for (panel, end), condition in zip((first, second), conditions, strict=True):
        if condition is None or not condition.fixes:
            return 0.0
        values.append(float(along(panel, condition.value, np.array([end]))[0]))
    return abs(values[0] - values[1])
