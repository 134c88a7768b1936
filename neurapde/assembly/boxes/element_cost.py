"""The cost of a Helmholtz problem on elements of a box, predicted from its wavenumber and its medium."""

import math

import numpy as np

from neurapde.assembly.boxes.element_form import MOST_STEPS, RESTART
from neurapde.assembly.boxes.element_waves import POINTS, ElementWaves
from neurapde.core.cost import Cost

LINES = 24
"""Lines along an axis on which the medium is evaluated."""
SEPARATED, EASY, PER_TURN = 10.0, 5.0, 0.4
"""Iterations that the separated form counts for; those of a medium, with those for the square of its turn in radians."""
ITERATION = 3e-9
"""Seconds of an iteration, over the products of polynomials times the polynomials of all axes; as measured."""
LOCAL, FACTORED, ENTRIES = 6e-8, 3e-7, 4.5
"""Seconds of an element over its products squared, and of the factors over the products on all edges^1.5; their entries."""
FIELDS, GRIDS = 12, 6
"""Fields of all amplitudes, and of all points of the quadrature, that are held beside the Krylov vectors."""


def element_cost(waves: ElementWaves, bandwidth: float) -> Cost:
    """The cost of `solve` up to a bandwidth."""
    every = waves.degrees(bandwidth)
    counts = [sum(p + 1 for p in degrees) for degrees in every]
    if len(counts) == 2:
        return _direct(every, counts, len(waves.densities))
    products, shots = float(math.prod(counts)), len(waves.densities)
    turn = _turn(waves)
    steps = min(EASY + turn + PER_TURN * turn**2, MOST_STEPS) if turn else 0.0
    seconds = shots * ITERATION * (SEPARATED + steps) * products * sum(counts)
    grid = POINTS ** len(counts) * products
    held = products * (min(steps, RESTART) + FIELDS + 2 * shots) + GRIDS * grid
    return Cost(16.0 * held, seconds, f"{' × '.join(map(str, counts))} polynomials")


def _direct(degrees: list[list[int]], counts: list[int], shots: int) -> Cost:
    """The cost of a direct solution in the plane: elements one by one, and the factors of their edges."""
    first, second = (np.array(counts, dtype=float) for counts in degrees)
    local = np.multiply.outer(first + 1, second + 1)
    edges = float(np.sum(np.add.outer(first, second) - 1))
    inside = float(np.sum(local * (local + 8 * np.sqrt(local))))
    seconds = LOCAL * float(np.sum(local**2)) + FACTORED * edges**1.5
    memory = 16.0 * (ENTRIES * edges**1.5 + inside + (GRIDS + 4 * shots) * math.prod(counts))
    return Cost(memory, seconds, f"{' × '.join(map(str, counts))} polynomials")


def _turn(waves: ElementWaves) -> float:
    """The largest difference of a wave's phase, in radians, along a line across the domain compared with c₀."""
    if waves.uniform:
        return 0.0
    axes = [a + (b - a) * (np.arange(LINES) + 0.5) / LINES for a, b in waves.box.sides]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))
    local = np.sqrt(np.abs(waves.coefficient(points)))
    apart = np.abs(local - abs(waves.constant) ** 0.5).reshape([LINES] * len(axes))
    return float(max((apart.mean(axis=axis) * extent).max() for axis, extent in enumerate(waves.box.extents)))
