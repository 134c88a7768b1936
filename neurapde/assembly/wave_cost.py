"""What a wave problem takes on a lattice of sines, predicted from its modes, its time and what drives it."""

import math
from collections.abc import Sequence

import numpy as np

from neurapde.assembly.wave_levels import SEEN, is_modal
from neurapde.assembly.wave_problem import WaveProblem
from neurapde.core.cost import Cost
from neurapde.spectral.propagation import blocks_of

COPIES, TABLES = 5, 3
"""Of the states at all moments, and of the tables of modes and of polynomials, that are held."""
APPLIED, SUMMED = 8e-9, 5e-10
"""Seconds of a polynomial: of a medium that varies, over the modes along an axis and all of them; and of all states."""
OWN, TURNED = 2e-9, 2e-7
"""Seconds of a number of a matrix whose own vectors are found, and of an oscillation from one moment to the next."""
PER_TURN, SURPLUS = 0.55, 30.0
"""Polynomials for each radian that the fastest mode turns, and those beside them."""
POINT, PANELLED = 120.0, 3.0
"""Bytes at a point of quadrature in the plane, and how many points along an axis there are for each mode."""


def wave_cost(waves: WaveProblem, counts: Sequence[int], moments: int) -> Cost:
    """What the states at so many moments take."""
    modes, shots = float(math.prod(counts)), len(waves.problem.right_hand_sides)
    bands = [math.pi * n / extent for n, extent in zip(counts, waves.box.extents, strict=True)]
    fastest = math.hypot(*bands) * waves.speeds[1]
    reach, intervals = fastest * waves.time.duration, max(moments - 1, 1)
    blocks = blocks_of(reach / intervals, intervals)
    reach, held = reach / blocks, moments / blocks
    polynomials = PER_TURN * reach + SURPLUS
    each = SUMMED * modes * held
    each += 0.0 if waves.medium.uniform is not None else APPLIED * modes * max(counts)
    points = math.prod(PANELLED * n for n in counts)
    states = 3.0 * moments * modes * shots
    tables = sum(2.0 * n * n for n in counts)
    series = 3.0 * held * polynomials
    compared = float(moments * shots * SEEN[len(counts)] ** len(counts))
    memory = 8 * (COPIES * (states + compared) + TABLES * (tables + series)) + POINT * points
    what = f"{' × '.join(map(str, counts))} sines at {moments} moments"
    if is_modal(
        counts,
        waves.medium.uniform is not None,
        fastest,
        np.linspace(0, waves.time.duration, max(moments, 2)),
    ):
        own = 0.0 if waves.medium.uniform is not None else modes
        return Cost(memory + 8 * TABLES * own**2, OWN * own**3 + TURNED * moments * modes * shots, what)
    vectors = 1 if blocks == 1 else 2 * blocks  # a block goes on from values and rates
    return Cost(memory, polynomials * each * vectors * shots, what)
