"""What a Helmholtz problem takes on a lattice of sines, foretold from its wavenumber and its medium."""

import numpy as np

from neurapde.core.cost import Cost
from neurapde.galerkin.head import OPEN_BAND, OVERSAMPLING
from neurapde.galerkin.lattice import LatticeProblem
from neurapde.galerkin.operator import LARGEST_ITERATIONS, RESTART

EASY, PER_TURN = 5.0, 0.4
"""Iterations, and those for the square of the radians by which a medium that jumps turns waves; as measured."""
ITERATION, FACTORED = 3e-9, 3e-8
"""Seconds of an iteration and of the factors, over the number of modes along an axis, cubed; as measured."""
POINT = (120.0, 1e-9)
"""Bytes at a point of quadrature, and seconds for each with one mode along an axis."""
PANELLED = 1.5
"""Points of quadrature along an axis, in units of half the bandwidth times the length."""
FIELDS = 30
"""Fields of all modes that are held beside the Krylov vectors."""
CHANNELS, ROW = 3, 1e-9
"""Of a network's features held at a point, and seconds for each residual and two features."""
LINES = 64
"""Lines along an axis on which the medium is looked at."""


def lattice_cost(lattice: LatticeProblem, bandwidth: float) -> Cost:
    """What `solve` takes up to a bandwidth."""
    lower, upper = lattice.problem.domain.bounds
    n, m = (lattice.count(bandwidth, axis) for axis in range(2))
    turn = _turn(lattice)
    form = lattice.form
    smooth = len(form.pieces) == 1 and not any(form.planes) and not form.detail
    iterations = EASY + (turn if smooth else PER_TURN * turn**2) if turn else 0.0
    if iterations > RESTART:  # from here on what a restart forgets is not found again
        iterations = LARGEST_ITERATIONS
    share = 0.0
    for piece in form.pieces:
        low, high = lower, upper
        for region in piece.within:
            low, high = np.maximum(low, region.bounds[0]), np.minimum(high, region.bounds[1])
        if piece.within or form.constant(piece) is None:
            share += float(np.prod(np.maximum(high - low, 0) / (upper - lower)))
    rough = 3 * bandwidth + max(piece.bandwidth for piece in form.pieces) + form.detail
    points = share * float(np.prod(rough * (upper - lower) / 2 * PANELLED))
    cube = n * m * (n + m) / 2
    shots = len(lattice.shots)
    seconds = FACTORED * cube + shots * (ITERATION * iterations * cube + POINT[1] * points * max(n, m))
    held = n * m * (min(iterations, RESTART) + FIELDS + shots)
    return Cost(16.0 * held + POINT[0] * points, seconds, f"{n} × {m} sines")


def head_cost(lattice: LatticeProblem, width: int, bandwidth: float, smooth: bool) -> Cost:
    """What the head of a given network of so many features takes: by points, or against sines where it is not smooth."""
    lower, upper = lattice.problem.domain.bounds
    area = float(np.prod(upper - lower))
    if smooth:
        rows = points = OVERSAMPLING * max(width, area * (bandwidth / np.pi) ** 2)
    else:
        band = max(bandwidth, np.pi * float(np.sqrt(OVERSAMPLING * width / area)))
        rows = area * (band / np.pi) ** 2
        points = area * (OPEN_BAND * band / 2 * PANELLED) ** 2
    memory = 16.0 * width * (3 * rows + CHANNELS * points)
    return Cost(memory, ROW * rows * width**2, f"{width} features and {rows:.0f} residuals")


def _turn(lattice: LatticeProblem) -> float:
    """By how many radians more a wave turns than with c₀, or less, along a line across the domain; the most of any."""
    lower, upper = lattice.problem.domain.bounds
    axes = [a + (b - a) * (np.arange(LINES) + 0.5) / LINES for a, b in zip(lower, upper, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    base = np.sqrt(abs(lattice.constant()))
    apart = np.abs(lattice.wavenumbers(points) - base).reshape(LINES, LINES)
    return float(max((apart.mean(axis=axis) * (upper - lower)[axis]).max() for axis in range(2)))
