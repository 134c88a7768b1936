"""What a wave problem takes on a lattice of sines, foretold from its modes, its time and what drives it."""

import math
from collections.abc import Sequence

from neurapde.assembly.wave_problem import WaveProblem
from neurapde.core.cost import Cost

COPIES, TABLES = 5, 3
"""Of the states at all moments, and of the tables of modes and of polynomials, that are held."""
APPLIED, SUMMED = 8e-9, 5e-10
"""Seconds of a polynomial: of a medium that varies, over the modes along an axis and all of them; and of all states."""
PER_TURN, SURPLUS = 0.55, 30.0
"""Polynomials for each radian that the fastest mode turns, and those beside them."""
POINT, PANELLED = 120.0, 3.0
"""Bytes at a point of quadrature in the plane, and how many points along an axis there are for each mode."""


def wave_cost(waves: WaveProblem, counts: Sequence[int], moments: int) -> Cost:
    """What the states at so many moments take."""
    modes, shots = float(math.prod(counts)), len(waves.problem.right_hand_sides)
    bands = [math.pi * n / extent for n, extent in zip(counts, waves.box.extents, strict=True)]
    fastest = math.hypot(*bands) * waves.speeds[1]
    polynomials = PER_TURN * fastest * waves.time.duration + SURPLUS
    each = SUMMED * modes * moments
    each += 0.0 if waves.medium.uniform is not None else APPLIED * modes * max(counts)
    points = math.prod(PANELLED * n for n in counts)
    states = 3.0 * moments * modes * shots
    tables = sum(2.0 * n * n for n in counts)
    series = 3.0 * moments * polynomials
    memory = 8 * (COPIES * states + TABLES * (tables + series)) + POINT * points
    what = f"{' × '.join(map(str, counts))} sines at {moments} moments"
    return Cost(memory, polynomials * each * shots, what)
