"""The near fields of radiating points in a wave problem, and their evolution in time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from neurapde.assembly.forcing import Later
from neurapde.assembly.wave import WaveLattice
from neurapde.assembly.wave_problem import WaveProblem
from neurapde.fields.pulses import Pulse
from neurapde.fields.sources import PointSource
from neurapde.spectral.near_field import ORDERS, NearField
from neurapde.spectral.propagation import oscillate
from neurapde.spectral.quadrature import FloatArray

REACH = 24.0  # bandwidth of the lattice times the radius of a near field
POLYNOMIAL = 2e-4  # of a near field's highest frequencies that are then its polynomial's
TRIED = np.array([0.3, 0.75, 0.98])  # (K/κ)² at which a fit is tried


@dataclass(frozen=True)
class Near:
    """A near field of one shot, with C_j and its first two derivatives at the knots: (3, knots, orders).

    misfit: relative error of the fit of the modes beyond the lattice.
    """

    shot: int
    field: NearField
    amplitudes: FloatArray
    misfit: float

    def coefficients(self, lattice: WaveLattice) -> FloatArray:
        """The part of Ψ_j on the lattice: (*shape, orders)."""
        transform = self.field.transform(np.sqrt(lattice.stiffness))
        return transform * lattice.modes_at(np.array(self.field.at[0]))[..., None]

    def at(self, points: FloatArray) -> FloatArray:
        """The field at points (n, d) and the knots: (knots, n)."""
        (table,) = self.field.table(points, [(0,) * points.shape[1]])
        return self.amplitudes[0] @ np.stack([np.asarray(row) for row in table])


def near_fields(waves: WaveProblem, lattice: WaveLattice, times: FloatArray) -> Iterator[Near]:
    """The near field of every radiating point with a smooth signal; none in three dimensions."""
    if len(lattice.modes) > 2:
        return
    band = min(axis_modes.bandwidth for axis_modes in lattice.modes)
    for shot, sources in enumerate(waves.problem.right_hand_sides):
        for source in sources:
            if not isinstance(source, Pulse) or not isinstance(source.shape, PointSource):
                continue
            at = source.shape.at
            slowness = float(waves.medium.slowness_squared(np.array([at]))[0])
            signal = Later(source.signal, waves.time.start)
            amplitudes, misfit = _amplitudes(signal, times, band, slowness)
            if amplitudes.shape[-1]:
                radius = min(REACH / band, *waves.box.extents)
                images, signs = _images(lattice, at, radius)
                field = NearField(images, signs, radius, amplitudes.shape[-1])
                yield Near(shot, field, float(np.real(source.shape.amplitude)) * amplitudes, misfit)


def _amplitudes(signal: Later, times: FloatArray, band: float, slowness: float) -> tuple[FloatArray, float]:
    """C_j at the knots, (3, knots, orders), for the number of orders that fits the modes beyond the bandwidth best,
    maybe none.

    The relative error of the best fit is returned, too.
    """
    places = [np.cos((np.arange(n) + 0.5) * np.pi / n) / 2 + 0.5 for n in range(1, ORDERS + 1)]
    y = np.concatenate([*places, TRIED])
    square = band**2 / y
    modes = oscillate(square / slowness, times, signal, 0.0, 0.0) * square  # κ² q, smooth in y
    tried = modes[..., -len(TRIED) :]
    size = float(np.linalg.norm(tried[0]))
    best, least = np.zeros((*modes.shape[:2], 0)), size
    start = 0
    for orders, place in enumerate(places, 1):
        block = modes[..., start : start + orders]
        start += orders
        fit = block @ np.linalg.inv(np.vander(place, increasing=True)).T
        deviation = float(np.linalg.norm(fit[0] @ np.vander(TRIED, orders, increasing=True).T - tried[0]))
        if deviation < least:
            best, least = fit * band ** (2.0 * np.arange(orders)), deviation
    return best, POLYNOMIAL + (least / size if size else 0.0)


def _images(
    lattice: WaveLattice, at: Sequence[float], radius: float
) -> tuple[list[tuple[float, ...]], list[float]]:
    """The point and its mirror images in the sides of the lattice that are nearer than the radius, and their signs."""
    lines = []
    for x, axis_modes in zip(at, lattice.modes, strict=True):
        line = [(float(x), 1.0)]
        for end, free in zip((axis_modes.lower, axis_modes.upper), axis_modes.free, strict=True):
            if abs(x - end) < radius:
                line.append((2 * end - x, 1.0 if free else -1.0))
        lines.append(line)
    pairs = list(product(*lines))
    return [tuple(x for x, _ in pair) for pair in pairs], [
        float(np.prod([s for _, s in pair])) for pair in pairs
    ]
