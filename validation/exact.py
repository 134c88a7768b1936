"""Exact fields of a uniform medium and of one penetrable disk in it, and the declared problems that have them.

The formulas share no code with the trials that they check. All follow (Δ + k²/c²) u = +f with e^{+iωt}: waves leave as
H⁽²⁾, and f = δ gives (i/4) H0⁽²⁾(kr). With the stretched x̃ = ∫e_x dx instead of x they also solve the equation inside
perfectly matched layers. Helmholtz problems in a Box with absorbing layers on every side and point or Gaussian sources
are recognised.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import hankel2

from neurapde.domains.box import Box
from neurapde.domains.disk import Ball
from neurapde.equations.helmholtz import Helmholtz
from neurapde.fields.medium import Constant, Field, Piecewise
from neurapde.fields.sources import GaussianSource, PointSource, Source
from neurapde.problem.problem import Problem
from neurapde.validation.cylinder import Complex, DiskSeries

SUPPORT = 6.0
"""Standard deviations of a Gaussian source within which the formulas do not hold."""
_CLEAR = 5.0  # standard deviations that a Gaussian source keeps from a rim or a layer
_RIM = 3e-3  # the part of the radius that a point source keeps from the rim, so that the series ends
_WORTH_A_NOTE = 1e-4  # reflection from the layers' end

Wave = Callable[[NDArray, Source], Complex]
"""(possibly stretched points, source) → field `(n,)`."""


def outgoing(
    points: ArrayLike,
    source_at: ArrayLike,
    wavenumber: float,
    *,
    variance: float = 0.0,
    amplitude: complex = 1.0,
) -> Complex:
    """Field of one source in an unbounded uniform medium, outside the source's support.

    With r̃² = Σ (x̃_j − a_j)², and g = amplitude · exp(−k²s²/2) as a Gaussian radiates less than a point:
    g (i/2k) e^{−ik r̃} in 1-D, g (i/4) H0⁽²⁾(k r̃) in 2-D, −g e^{−ik r̃}/(4π r̃) in 3-D.

    Args:
        points: `(n, d)`, d = 1, 2, 3; complex if stretched.
        source_at: `(d,)`, real: a source lies outside the layers.
        wavenumber: k > 0 of the medium (ω/c).
        variance: s² ≥ 0 of the Gaussian; 0 is a point source. Within about 6 s the formula does not hold.
        amplitude: the source's mass.

    Returns: `(n,)` complex; NaN at the source itself in 2-D and 3-D.
    """
    offset = np.atleast_2d(np.asarray(points)) - np.asarray(source_at)
    dimension = offset.shape[1]
    _check(dimension in (1, 2, 3), f"outgoing waves are known in 1, 2 and 3 dimensions, not in {dimension}")
    _check(wavenumber > 0, f"the wavenumber is {wavenumber}; it must be positive")
    # In the layers Re · Im ≤ 0 of every offset: the principal root has Re r̃ > 0 and Im r̃ ≤ 0: outgoing.
    r = np.sqrt(np.sum(offset * offset, axis=1) + 0j)
    scale = amplitude * np.exp(-(wavenumber**2) * variance / 2)
    if dimension == 1:
        return scale * 0.5j / wavenumber * np.exp(-1j * wavenumber * r)
    r = np.where(r == 0, np.nan, r)
    if dimension == 2:
        return scale * 0.25j * hankel2(0, wavenumber * r)
    return -scale * np.exp(-1j * wavenumber * r) / (4 * np.pi * r)


def penetrable_disk(
    points: ArrayLike,
    source_at: ArrayLike,
    *,
    center: ArrayLike,
    radius: float,
    wavenumber: float,
    speed_inside: float,
    speed_outside: float = 1.0,
    amplitude: complex = 1.0,
    variance: float = 0.0,
) -> Complex:
    """Field of a line source beside or inside one disk of another speed, in the plane.

    u and ∂u/∂r are continuous at the rim (constant density). The incident field is in closed form. The scattered or
    refracted field is a series over angular orders (Graf's addition theorem), truncated at rounding. Its terms fall as
    (R²/ρρ_s)^n outside, so a source close to the rim needs more orders.

    Args:
        points: `(n, 2)`; complex if stretched (only outside the disk).
        source_at: `(2,)`, not on the rim. A Gaussian's formula holds if it is several s away from the rim.
        center, radius: the disk.
        wavenumber: k = ω, the wavenumber where the speed is 1.
        speed_inside, speed_outside: c > 0 in the disk and around it.
        amplitude: the source's mass.
        variance: s² of a Gaussian source; 0 is a point source.

    Returns: `(n,)` complex; NaN at the source itself.
    Raises: ValueError if the source is so close to the rim that the series is longer than 20 000 orders.
    Source: Abramowitz & Stegun 9.1.79 (Graf); the coefficients follow from the two conditions at the rim.
    """
    x = np.atleast_2d(np.asarray(points)) - np.asarray(center, dtype=float)
    start = np.asarray(source_at, dtype=float) - np.asarray(center, dtype=float)
    _check(
        x.shape[1] == 2 and start.shape == (2,), f"the disk's series is two-dimensional; points are {x.shape}"
    )
    for name, value in (("radius", radius), ("wavenumber", wavenumber), ("speed_inside", speed_inside)):
        _check(value > 0, f"{name} is {value}; it must be positive")
    _check(speed_outside > 0, f"speed_outside is {speed_outside}; it must be positive")
    disk = DiskSeries(start, radius, wavenumber / speed_outside, wavenumber / speed_inside)
    k_source = disk.k_in if disk.source_inside else disk.k_out
    inside = np.hypot(x[:, 0].real, x[:, 1].real) < radius
    field = np.empty(len(x), dtype=complex)
    field[inside], field[~inside] = disk.inside(np.real(x[inside])), disk.outside(x[~inside])
    field *= 0.25j * amplitude * np.exp(-(k_source**2) * variance / 2)
    direct = inside == disk.source_inside
    field[direct] += outgoing(x[direct], start, k_source, variance=variance, amplitude=amplitude)
    return field


@dataclass(frozen=True)
class ExactField:
    """The exact solution of a problem: points `(n, d)` → complex `(n,)`, or `(n, shots)`; NaN where unknown.

    text: a short description. notes: its limits.
    """

    problem: Problem
    wave: Wave
    text: str
    notes: tuple[str, ...] = ()

    def __call__(self, points: NDArray[np.float64]) -> Complex:
        """The sum of the waves of each shot's sources, in stretched coordinates."""
        equation = self.problem.equation
        assert isinstance(equation, Helmholtz)
        stretched = equation.stretch(self.problem).coordinates(points)
        columns = [self._column(points, stretched, sources) for sources in self.problem.right_hand_sides]
        return columns[0] if len(columns) == 1 else np.stack(columns, axis=1)

    def _column(self, points: NDArray, stretched: NDArray, sources: Sequence[Source]) -> Complex:
        total = np.zeros(len(points), dtype=complex)
        for source in sources:
            total += np.where(support(source, points), np.nan, self.wave(stretched, source))
        return total


def exact_solution(problem: Problem) -> ExactField | None:
    """The exact solution of a recognised problem, else None."""
    return exact_uniform(problem) or exact_disk(problem)


def exact_uniform(problem: Problem) -> ExactField | None:
    """The waves of point and Gaussian sources in a uniform medium, in 1, 2 or 3 dimensions, else None."""
    equation = problem.equation
    if not _is_open(problem) or not isinstance(equation, Helmholtz) or problem.domain.dimension > 3:
        return None
    speed = _uniform_speed(equation.complex_speed)
    if speed is None:
        return None
    k = equation.wavenumber / speed

    def wave(points: NDArray, source: Source) -> Complex:
        at, variance, amplitude = _radiating(source)
        return outgoing(points, at, k, variance=variance, amplitude=amplitude)

    return ExactField(problem, wave, "outgoing waves in a uniform medium", _notes(problem))


def exact_disk(problem: Problem) -> ExactField | None:
    """The waves of point and Gaussian sources beside or inside one disk in a uniform medium, else None.

    The disk lies outside the layers, and no source is at its rim.
    """
    equation = problem.equation
    if not _is_open(problem) or not isinstance(equation, Helmholtz) or problem.domain.dimension != 2:
        return None
    medium = equation.complex_speed
    if not isinstance(medium, Piecewise) or len(medium.pieces) != 1:
        return None
    ((disk, value),) = medium.pieces
    outside, inside = _uniform_speed(medium.background), _uniform_speed(value)
    if not isinstance(disk, Ball) or outside is None or inside is None:
        return None
    center, radius = np.asarray(disk.center), disk.radius
    corners = center + radius * np.array([[1, 1], [-1, -1]])
    sources = [source for shot in problem.right_hand_sides for source in shot]
    if not problem.physical(corners).all() or any(_at_rim(source, disk) for source in sources):
        return None

    def wave(points: NDArray, source: Source) -> Complex:
        at, variance, amplitude = _radiating(source)
        return penetrable_disk(
            points,
            at,
            center=center,
            radius=radius,
            wavenumber=equation.wavenumber,
            speed_inside=inside,
            speed_outside=outside,
            amplitude=amplitude,
            variance=variance,
        )

    return ExactField(problem, wave, "the Bessel-Hankel series of a penetrable disk", _notes(problem))


def support(source: Source, points: NDArray[np.float64], least: float = 0.0) -> NDArray[np.bool_]:
    """Which points `(n, d)` lie within 6 s of a Gaussian source, or within `least` of any source with a position."""
    if source.center is None:
        return np.zeros(len(points), dtype=bool)
    spread = SUPPORT * np.sqrt(source.variance) if isinstance(source, GaussianSource) else 0.0
    center = np.asarray(source.center)  # in space alone, for a pulse in space–time
    distance = np.linalg.norm(points[:, : len(center)] - center, axis=1)
    return distance < max(float(spread), least)


def _is_open(problem: Problem) -> bool:
    """Whether only sources and layers on every side act on the field."""
    domain, layers = problem.domain, problem.pml
    if not isinstance(domain, Box) or layers is None or len(problem.boundary) > 1 or problem.extra:
        return False
    sources = [source for shot in problem.right_hand_sides for source in shot]
    return (
        len(sources) > 0
        and set(layers.widths(domain)) == set(domain.faces)
        and all(isinstance(source, GaussianSource | PointSource) for source in sources)
        and all(_clear_of_layers(source, problem) for source in sources)
    )


def _clear_of_layers(source: Source, problem: Problem) -> bool:
    at, variance, _ = _radiating(source)
    step = _CLEAR * np.sqrt(variance) * np.eye(len(at))
    return bool(problem.physical(np.concatenate([at + step, at - step])).all())


def _at_rim(source: Source, disk: Ball) -> bool:
    at, variance, _ = _radiating(source)
    distance = abs(float(np.linalg.norm(at - np.asarray(disk.center))) - disk.radius)
    return distance < max(_CLEAR * np.sqrt(variance), _RIM * disk.radius)


def _uniform_speed(field: Field) -> float | None:
    if isinstance(field, Piecewise) and not field.pieces:
        field = field.background
    if not isinstance(field, Constant) or np.imag(field.value) != 0:
        return None
    return float(np.real(field.value))


def _radiating(source: Source) -> tuple[NDArray[np.float64], float, complex]:
    """Place, variance and amplitude."""
    if isinstance(source, GaussianSource):
        return np.asarray(source.at, dtype=float), source.variance, source.amplitude
    assert isinstance(source, PointSource)
    return np.asarray(source.at, dtype=float), 0.0, source.amplitude


def _notes(problem: Problem) -> tuple[str, ...]:
    """A note on layers that reflect, because the formulas assume infinite layers."""
    assert isinstance(problem.equation, Helmholtz)
    worst = max(problem.equation.reflections(problem).values())
    if worst < _WORTH_A_NOTE:
        return ()
    return (
        f"The exact field assumes infinitely deep absorbing layers; these layers reflect {worst:.2g} of a wave at "
        "normal incidence, so differences of that size are due to the layers.",
    )


def _check(condition: bool, otherwise: str) -> None:
    if not condition:
        raise ValueError(otherwise)
