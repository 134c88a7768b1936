"""The three wave problems of the SIREN paper: a Helmholtz equation in a square with absorbing layers.

(Δ + k²/c²) u = f on [−1, 1]², the outer 0.5 of which absorb; f is a narrow Gaussian of complex amplitude.
Source: Sitzmann, Martel, Bergman, Lindell, Wetzstein (2020), Implicit Neural Representations with Periodic
Activation Functions, NeurIPS 33, section 4.3 and supplement. The disk is the one that its receiver data were
made with; the size of the square is ours.

The keywords that the factories share:
  wavenumber            k where c = 1, radians per unit of length
  background            speed c outside the inclusion
  source_at             centre of the source, (x, y), outside the layers
  variance, amplitude   of the source: amplitude times a Gaussian of unit mass, variance its width squared
  half_width            a of the square [−a, a]², layers included
  pml_width             width of the layer at each side, inside the square
  strength, reflection  of the layers: the coefficient a₀ (5 if neither is given), or the reflection it is for
"""

from neurapde.conditions import PML
from neurapde.domains.box import Box
from neurapde.domains.disk import Disk
from neurapde.equations.helmholtz import Helmholtz
from neurapde.fields.medium import Piecewise
from neurapde.fields.sources import GaussianSource
from neurapde.problem.problem import Problem

Position = tuple[float, float]


def helmholtz_uniform(
    *,
    wavenumber: float = 20.0,
    background: float = 1.0,
    source_at: Position = (0.0, 0.0),
    variance: float = 1e-4,
    amplitude: complex = 1 + 1j,
    half_width: float = 1.0,
    pml_width: float = 0.5,
    strength: float | None = None,
    reflection: float | None = None,
) -> Problem:
    """A source in a uniform medium; the keywords are described above."""
    return Problem(
        name="helmholtz-uniform",
        domain=_square(half_width),
        equation=Helmholtz(wavenumber=wavenumber, speed=background),
        sources=[GaussianSource(at=source_at, variance=variance, amplitude=amplitude)],
        boundary=PML(width=pml_width, strength=strength, reflection=reflection),
    )


def helmholtz_disk(
    *,
    wavenumber: float = 20.0,
    speed: float = 2.0,
    center: Position = (0.0, 0.0),
    radius: float = 0.1,
    background: float = 1.0,
    source_at: Position = (-0.35, 0.0),
    variance: float = 1e-4,
    amplitude: complex = 1 + 1j,
    half_width: float = 1.0,
    pml_width: float = 0.5,
    strength: float | None = None,
    reflection: float | None = None,
) -> Problem:
    """A source beside a disk of this `speed`, `center` and `radius`; otherwise as `helmholtz_uniform`."""
    disk = Disk(center=center, radius=radius)
    return Problem(
        name="helmholtz-disk",
        domain=_square(half_width),
        equation=Helmholtz(wavenumber=wavenumber, speed=Piecewise(background, (disk, speed))),
        sources=[GaussianSource(at=source_at, variance=variance, amplitude=amplitude)],
        boundary=PML(width=pml_width, strength=strength, reflection=reflection),
    )


def helmholtz_square(
    *,
    wavenumber: float = 20.0,
    speed: float = 2.0,
    center: Position = (0.0, 0.0),
    side: float = 0.6,
    background: float = 1.0,
    source_at: Position = (-0.4, 0.0),
    variance: float = 1e-4,
    amplitude: complex = 1 + 1j,
    half_width: float = 1.0,
    pml_width: float = 0.5,
    strength: float | None = None,
    reflection: float | None = None,
) -> Problem:
    """A source beside a square of this `speed`, `center` and `side`; otherwise as `helmholtz_uniform`."""
    (x, y), half = center, side / 2
    inclusion = Box((x - half, x + half), (y - half, y + half), name="square")
    return Problem(
        name="helmholtz-square",
        domain=_square(half_width),
        equation=Helmholtz(wavenumber=wavenumber, speed=Piecewise(background, (inclusion, speed))),
        sources=[GaussianSource(at=source_at, variance=variance, amplitude=amplitude)],
        boundary=PML(width=pml_width, strength=strength, reflection=reflection),
    )


def _square(half_width: float) -> Box:
    return Box((-half_width, half_width), (-half_width, half_width))
