"""Places where fields change fast: sources, and the ends of panels."""

import math
from dataclasses import dataclass

MOST = 2.0
"""The largest exponent of a corner that is counted on."""


@dataclass(frozen=True)
class Spot:
    """A place where fields change within `width`: a source."""

    at: tuple[float, ...]
    width: float = 0.0


@dataclass(frozen=True)
class End:
    """An end of a panel. exponent: the field varies as r^exponent there.

    wedge: the smallest angle, in radians, between the panel and another one, on a side with poles.
    """

    exponent: float = MOST
    wedge: float = math.pi
