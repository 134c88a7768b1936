"""Right-hand sides of a weak form on a lattice of sines: densities, and the remaining load of a known background.

For a source in the medium c_s at its place, the background u₀ solves the equation with c_s everywhere, so the rest u −
u₀ has the right-hand side −E (c − c_s) u₀, without a peak. A background faded out by a window χ adds χ's commutator.
"""

import numpy as np

from neurapde.assembly.scattering import INNER, WindowedWave
from neurapde.backgrounds.waves import OutgoingWave
from neurapde.domains import Disk
from neurapde.equations.helmholtz_residual import StrongForm
from neurapde.fields.medium import Constant, Field
from neurapde.spectral.modes import AxisModes, along_all, project
from neurapde.spectral.quadrature import FloatArray
from neurapde.spectral.weak import Piece, WeakForm

Modes = tuple[AxisModes, AxisModes]
SAME = 1e-12  # of the coefficient at the source: a medium that differs by less is the source's own
NEAR = 3.0  # the ring around a source within which the rule is refined spans this factor in radius


def density_load(form: WeakForm, modes: Modes, density: Field) -> np.ndarray:
    """∫ E f φ for every mode, (count_0, count_1), of a density f that is smooth or given on a grid."""
    (x, wx), (y, wy) = density_rule(form, modes, density)
    points = _mesh(x, y)
    values = (form.scale(points) * density(points)).reshape(len(x), len(y))
    return along_all([modes[0].values(x) * wx, modes[1].values(y) * wy], values)


def density_rule(
    form: WeakForm, modes: Modes, density: Field
) -> tuple[tuple[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]:
    """Nodes and weights along each axis for the load of a density."""
    return _tensor_rule(form, density_bandwidth(density, _largest(modes)))


def defect_load(
    form: WeakForm, strong: StrongForm, modes: Modes, background: OutgoingWave | WindowedWave
) -> np.ndarray:
    """∫ (f − L background) φ for every mode, (count_0, count_1)."""
    total = np.zeros((modes[0].count, modes[1].count), dtype=complex)
    for piece, bandwidth in defects(form, background, _largest(modes)):
        total -= _medium_load(form, piece, modes, background, bandwidth)
    if isinstance(background, WindowedWave):
        points, weights = form.rule(*fading(background, _largest(modes)))
        values = weights * background.commutator(points, strong)
        total -= project([axis_modes.values for axis_modes in modes], points, values)
    return total


def density_bandwidth(density: Field, largest: float) -> float:
    """The bandwidth of a density times modes up to the bandwidth `largest`, and half as much again."""
    return 3 * largest + Piece((), (), density).bandwidth


def defects(
    form: WeakForm, background: OutgoingWave | WindowedWave, largest: float
) -> list[tuple[Piece, float]]:
    """The pieces where c differs from c_s, each with the bandwidth of (c − c_s) u₀ times modes up to `largest`."""
    wave = _wave(background)
    square = wave.wavenumber**2
    window = 40 / background.radius if isinstance(background, WindowedWave) else 0.0
    bandwidths: list[tuple[Piece, float]] = []
    for piece in form.pieces:
        constant = form.constant(piece)
        if constant is None or abs(constant - square) > SAME * abs(square):
            bandwidth = 1.5 * (largest + abs(wave.wavenumber)) + piece.bandwidth + form.detail + window
            parts = [(piece, 0.0)] if piece.everywhere else _rings(piece, wave)
            bandwidths += [(ring, bandwidth + sharpness) for ring, sharpness in parts]
    return bandwidths


def fading(background: WindowedWave, largest: float) -> tuple[Piece, float]:
    """The ring where a background is faded out, with the bandwidth of the resulting load times modes up to `largest`."""
    center, radius = background.center, background.radius
    ring = Piece((Disk(center, radius),), (Disk(center, INNER * radius),), Constant(0.0))
    return ring, 1.5 * (largest + abs(background.wave.wavenumber)) + 40 / radius


def defect_density(
    form: WeakForm, strong: StrongForm, background: OutgoingWave | WindowedWave, points: FloatArray
) -> np.ndarray:
    """E f − L background at points (n, 2), complex (n,): the load of the features in the strong form."""
    square = form.scale(points) * _wave(background).wavenumber ** 2
    density = -(strong.zeroth(points) - square) * background.values(points)
    if isinstance(background, WindowedWave):
        density = density - background.commutator(points, strong)
    return np.asarray(density)


def _wave(background: OutgoingWave | WindowedWave) -> OutgoingWave:
    return background if isinstance(background, OutgoingWave) else background.wave


def _largest(modes: Modes) -> float:
    return max(axis_modes.bandwidth for axis_modes in modes)


def _mesh(x: FloatArray, y: FloatArray) -> FloatArray:
    return np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)


def _tensor_rule(
    form: WeakForm, bandwidth: float
) -> tuple[tuple[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]:
    return form.axis_rule(0, bandwidth), form.axis_rule(1, bandwidth)


def _medium_load(
    form: WeakForm, piece: Piece, modes: Modes, background: OutgoingWave | WindowedWave, bandwidth: float
) -> np.ndarray:
    """∫ E (c − c_s) u₀ φ over a piece."""
    square = _wave(background).wavenumber ** 2

    def defect(points: FloatArray) -> np.ndarray:
        density = form.scale(points) * (form.values(piece, points) - square)
        changed = abs(density) > SAME * square
        density[changed] *= background.values(points[changed])
        return np.where(changed, density, 0.0)

    if piece.everywhere:
        (x, wx), (y, wy) = _tensor_rule(form, bandwidth)
        values = defect(_mesh(x, y)).reshape(len(x), len(y))
        return along_all([modes[0].values(x) * wx, modes[1].values(y) * wy], values)
    points, weights = form.rule(piece, bandwidth)
    return project([axis_modes.values for axis_modes in modes], points, weights * defect(points))


def _rings(piece: Piece, wave: OutgoingWave) -> list[tuple[Piece, float]]:
    """A piece cut into rings about a nearby source, each with the bandwidth that u₀ adds there.

    The wave varies on the scale of the distance to the source, or of the source's own width if that is larger.
    """
    center = tuple(wave.source.at)
    edges = [
        abs(float(region.signed_distance(np.array([center]))[0]))
        for region in (*piece.within, *piece.outside)
    ]
    width = wave.source.reach / 4
    nearest = max(min(edges), width)
    if nearest == 0:  # a point source on an edge of the medium
        nearest = 1e-3 / abs(wave.wavenumber)
    rings: list[tuple[Piece, float]] = []
    hole: tuple[Disk, ...] = ()
    scale = nearest
    while scale < np.pi / abs(wave.wavenumber):
        disk = Disk(center, NEAR * scale)
        rings.append((Piece((*piece.within, disk), (*piece.outside, *hole), piece.field), 12 / scale))
        hole, scale = (disk,), NEAR * scale
    return [*rings, (Piece(piece.within, (*piece.outside, *hole), piece.field), 12 / scale)]
