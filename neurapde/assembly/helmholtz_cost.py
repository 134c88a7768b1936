"""The cost of a Helmholtz problem on a lattice of sines, predicted from its wavenumber and its medium."""

from collections.abc import Iterator

import numpy as np

from neurapde.assembly.head import OPEN_BAND, OVERSAMPLING
from neurapde.assembly.helmholtz import LatticeProblem, field_of
from neurapde.assembly.loads import defects, density_bandwidth, fading
from neurapde.assembly.scattering import WindowedWave
from neurapde.core.cost import Cost
from neurapde.spectral.modes import BLOCK
from neurapde.spectral.operator import LARGEST_ITERATIONS, RESTART, moment_bandwidth, varying
from neurapde.spectral.weak import Piece

EASY, PER_TURN = 5.0, 0.4
"""Iterations, and those for the square of the radians by which a medium that jumps turns waves; as measured."""
ITERATION, FACTORED = 3e-9, 3e-8
"""Seconds of an iteration and of the factors, over the number of modes along an axis, cubed; as measured."""
VALUE, WAVE = (110.0, 1e-9), (290.0, 2e-6)
"""At a point of quadrature: bytes with a value, and seconds for each mode along an axis; the same of a wave, in all."""
PANELLED, BENT = 1.5, 1.5
"""Points of quadrature along an axis, in units of half the bandwidth times the length; times these where edges are bent."""
TABLES = 3
"""Tables of all modes at a block of points that are held."""
FIELDS = 30
"""Fields of all modes that are held beside the Krylov vectors."""
CHANNELS, ROW = 3, 1e-9
"""Of a network's features held at a point, and seconds for each residual and two features."""
LINES = 64
"""Lines along an axis on which the medium is evaluated."""


def lattice_cost(lattice: LatticeProblem, bandwidth: float) -> Cost:
    """The cost of `solve` up to a bandwidth.

    Integrals are computed one after the other, so the memory is that of the largest one, plus permanent arrays.
    """
    n, m = (lattice.count(bandwidth, axis) for axis in range(2))
    turn = _turn(lattice)
    form = lattice.form
    smooth = len(form.pieces) == 1 and not any(form.planes) and not form.detail
    iterations = EASY + (turn if smooth else PER_TURN * turn**2) if turn else 0.0
    if iterations > RESTART:  # from here on what a restart forgets is not found again
        iterations = LARGEST_ITERATIONS
    cube = n * m * (n + m) / 2
    shots = len(lattice.shots)
    seconds = FACTORED * cube + shots * ITERATION * iterations * cube
    most = 0.0
    for piece, band, rows, (size, each) in _integrals(lattice, bandwidth):
        points = _points(lattice, piece, band)
        tables = 0.0 if piece.everywhere else 8.0 * TABLES * rows * max(n, m) * min(points, BLOCK)
        most = max(most, size * points + tables)
        seconds += points * (VALUE[1] * max(n, m) + each)
    held = n * m * (min(iterations, RESTART) + FIELDS + shots)
    return Cost(16.0 * held + most, seconds, f"{n} × {m} sines")


def _integrals(
    lattice: LatticeProblem, bandwidth: float
) -> Iterator[tuple[Piece, float, int, tuple[float, float]]]:
    """For each integral its piece, its bandwidth, the rows of tables for each mode, and bytes and seconds at a point."""
    form = lattice.form
    value = (VALUE[0], 0.0)
    for piece in varying(form, lattice.constant()):
        yield piece, moment_bandwidth(form, piece, bandwidth), 2, value
    for waves, sources in zip(lattice.backgrounds, lattice.densities, strict=True):
        for wave in waves:
            for piece, band in defects(form, wave, bandwidth):
                yield piece, band, 1, WAVE
            if isinstance(wave, WindowedWave):
                yield *fading(wave, bandwidth), 1, WAVE
        for source in sources:
            density = field_of(source)
            yield Piece((), (), density), density_bandwidth(density, bandwidth), 1, value


def _points(lattice: LatticeProblem, piece: Piece, bandwidth: float) -> float:
    """The number of quadrature points over a piece: those over the box around it."""
    low, high = lattice.problem.domain.bounds
    for region in piece.within:
        low, high = np.maximum(low, region.bounds[0]), np.minimum(high, region.bounds[1])
    bent = 1.0 if piece.everywhere else BENT
    return bent * float(np.prod(PANELLED * bandwidth * np.maximum(high - low, 0) / 2))


def head_cost(lattice: LatticeProblem, width: int, bandwidth: float, smooth: bool) -> Cost:
    """The cost of the head of a given network: by points, or against sines if the medium is not smooth."""
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
    """The largest difference of a wave's phase, in radians, along a line across the domain compared with c₀."""
    lower, upper = lattice.problem.domain.bounds
    axes = [a + (b - a) * (np.arange(LINES) + 0.5) / LINES for a, b in zip(lower, upper, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    base = np.sqrt(abs(lattice.constant()))
    apart = np.abs(lattice.wavenumbers(points) - base).reshape(LINES, LINES)
    return float(max((apart.mean(axis=axis) * (upper - lower)[axis]).max() for axis in range(2)))
