"""Random problems whose coefficients are constant by region, each with its exact field.

Disks in open space, of any speed, sound-hard or sound-soft, near each other and near the source: the fields of all disks are
Bessel and Hankel series about their centres, and Graf's addition theorem carries each to the others. Rooms and plates: a
polygon with a re-entrant corner, in which the field is a wave, or a potential, that goes as r^(1/opening) there, and another
whose pole is beside the rim. None of this shares code with what is checked.
"""

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import h2vp, hankel2, jv, jvp

import neurapde as npde

Values = NDArray[Any]
LOOKED = 500
ROUNDED = 1e-9
"""How near two numbers of orders must be for a series to be the truth."""


@dataclass(frozen=True)
class Case:
    """A problem, where it is looked at `(n, 2)`, and its true values there."""

    problem: npde.Problem
    points: Values
    truth: Values


@dataclass(frozen=True)
class Scatterer:
    """A disk: a centre, a radius, and a speed, or "hard" or "soft"."""

    center: complex
    radius: float
    inside: float | str


def several_disks(k: float, at: complex, disks: list[Scatterer], extra: float) -> Callable[[Values], Values]:
    """The field (Δ + k²/c²) u = δ at a place outside all disks, by orders up to kr + 4 (kr)^(1/3) + more."""
    size = [k * scatterer.radius for scatterer in disks]
    orders = [np.arange(-(n := math.ceil(x + 4 * x ** (1 / 3) + extra)), n + 1) for x in size]
    ends = np.cumsum([0, *map(len, orders)])
    parts = [slice(a, b) for a, b in pairwise(ends)]
    matrix, right = np.eye(ends[-1], dtype=complex), np.zeros(ends[-1], dtype=complex)
    answers = [_answer(k, scatterer, n) for scatterer, n in zip(disks, orders, strict=True)]
    for i, (scatterer, n) in enumerate(zip(disks, orders, strict=True)):
        radiated = answers[i] * hankel2(n, size[i])  # amplitudes are in units of the wave at the rim
        away = at - scatterer.center
        right[parts[i]] = radiated * 0.25j * hankel2(n, k * abs(away)) * np.exp(-1j * n * np.angle(away))
        for j, (other, m) in enumerate(zip(disks, orders, strict=True)):
            if i != j:
                shift, turns = scatterer.center - other.center, m - n[:, None]
                carried = hankel2(turns, k * abs(shift)) * np.exp(1j * turns * np.angle(shift))
                matrix[parts[i], parts[j]] = -radiated[:, None] * carried / hankel2(m, size[j])
    if any((answer == 0).any() for answer in answers):  # of so high orders numbers are too small
        return lambda points: np.full(len(points), np.nan, dtype=complex)
    solution = np.linalg.solve(matrix, right)
    amplitudes = [solution[block] / hankel2(n, x) for block, n, x in zip(parts, orders, size, strict=True)]

    def field(points: Values) -> Values:
        z = points[:, 0] + 1j * points[:, 1]
        total = 0.25j * hankel2(0, k * np.abs(z - at))
        for scatterer, n, a in zip(disks, orders, amplitudes, strict=True):
            away = z[:, None] - scatterer.center
            total += (hankel2(n, k * np.abs(away)) * np.exp(1j * n * np.angle(away))) @ a
        for scatterer, n, a, answer in zip(disks, orders, amplitudes, answers, strict=True):
            inside = np.abs(z - scatterer.center) < scatterer.radius
            if isinstance(scatterer.inside, str):
                total[inside] = np.nan
                continue
            x, y = k * scatterer.radius, k * scatterer.radius / scatterer.inside
            below = h2vp(n, x) * jv(n, y) - jvp(n, y) * hankel2(n, x) / scatterer.inside
            b = a / answer * (-2j / (math.pi * x)) / below
            away = z[inside, None] - scatterer.center
            total[inside] = (jv(n, k / scatterer.inside * np.abs(away)) * np.exp(1j * n * np.angle(away))) @ b
        return np.asarray(total)

    return field


def _answer(k: float, scatterer: Scatterer, n: Values) -> Values:
    """The outgoing wave of each order that a regular one of size 1 calls forth."""
    x = k * scatterer.radius
    if scatterer.inside == "soft":
        return np.asarray(-jv(n, x) / hankel2(n, x))
    if scatterer.inside == "hard":
        return np.asarray(-jvp(n, x) / h2vp(n, x))
    speed = float(scatterer.inside)
    y = x / speed
    above = jvp(n, x) * jv(n, y) - jvp(n, y) * jv(n, x) / speed
    return np.asarray(-above / (h2vp(n, x) * jv(n, y) - jvp(n, y) * hankel2(n, x) / speed))


def disks(rng: np.random.Generator) -> Case:
    """One to three disks of contrast 0.2 to 5, hard or soft, gaps down to a tenth of a radius, a source near a rim."""
    return _disks(rng, (7, 60), (-1.0, 0.5), (-1.0, 0.3))


def close_disks(rng: np.random.Generator) -> Case:
    """The same for k = 40 to 100, gaps of 0.01 to 0.1 radii, and a source at 0.01 to 1 from a rim."""
    return _disks(rng, (40, 100), (-2.0, -1.0), (-2.0, 0.0))


def _disks(
    rng: np.random.Generator,
    wavenumbers: tuple[float, float],
    gap_exponents: tuple[float, float],
    source_exponents: tuple[float, float],
) -> Case:
    """Disks beside each other; gaps, and the distance of the source, are powers of ten in units of a radius."""
    least = 10 ** min(gap_exponents[0], source_exponents[0])
    while True:
        k = float(np.exp(rng.uniform(*np.log(wavenumbers))))
        scatterers: list[Scatterer] = []
        for _ in range(int(rng.integers(1, 4))):
            radius, kind = float(rng.uniform(0.05, 0.2)), rng.integers(5)
            inside = "hard" if kind == 0 else "soft" if kind == 1 else float(5 ** rng.uniform(-1, 1))
            if scatterers:  # beside the last one
                gap = radius * 10 ** rng.uniform(*gap_exponents)
                turn = np.exp(1j * rng.uniform(0, 2 * math.pi))
                center = scatterers[-1].center + (scatterers[-1].radius + radius + gap) * turn
            else:
                center = complex(*rng.uniform(-0.2, 0.2, 2))
            scatterers.append(Scatterer(complex(center), radius, inside))
        first = scatterers[0]
        away = first.radius * (1 + 10 ** rng.uniform(*source_exponents))
        at = complex(first.center + away * np.exp(1j * rng.uniform(0, 2 * math.pi)))
        gaps = [
            abs(scatterer.center - two.center) - scatterer.radius - two.radius
            for i, scatterer in enumerate(scatterers)
            for two in scatterers[:i]
        ]
        near = [abs(at - scatterer.center) - scatterer.radius for scatterer in scatterers[1:]]
        out = [
            max(abs(scatterer.center.real), abs(scatterer.center.imag)) + scatterer.radius
            for scatterer in scatterers
        ]
        if (
            max(out) < 0.45
            and max(abs(at.real), abs(at.imag)) < 0.45
            and min([1.0, *gaps, *near]) > least * min(scatterer.radius for scatterer in scatterers)
        ):
            break
    case = _in_open_space(rng, k, at, scatterers)
    return _disks(rng, wavenumbers, gap_exponents, source_exponents) if case is None else case


def _in_open_space(
    rng: np.random.Generator, k: float, at: complex, scatterers: list[Scatterer]
) -> Case | None:
    """None where the series are no truth."""
    domain: npde.Domain = npde.Box((-1, 1), (-1, 1))
    conditions: list[Any] = [npde.PML(width=0.5)]
    pieces = []
    for number, scatterer in enumerate(scatterers):
        disk = npde.Disk(
            (scatterer.center.real, scatterer.center.imag), scatterer.radius, name=f"disk {number}"
        )
        if isinstance(scatterer.inside, str):
            domain = domain - disk
            kind = npde.Neumann if scatterer.inside == "hard" else npde.Dirichlet
            conditions.append(kind(0.0, on=disk.name))
        else:
            pieces.append((disk, scatterer.inside))
    speed = npde.Piecewise(1.0, *pieces) if pieces else 1.0
    problem = npde.Problem(
        "disks", domain, npde.Helmholtz(k, speed), [npde.PointSource((at.real, at.imag))], conditions
    )
    points = rng.uniform(-0.5, 0.5, (LOOKED, 2))
    points = points[np.hypot(points[:, 0] - at.real, points[:, 1] - at.imag) > 0.03]
    for added in (25.0, 40.0, 60.0):
        with np.errstate(all="ignore"):
            coarse, fine = (several_disks(k, at, scatterers, by * added)(points) for by in (0.8, 1.0))
        known = np.isfinite(fine)
        if known.any() and np.linalg.norm((fine - coarse)[known]) < ROUNDED * np.linalg.norm(fine[known]):
            return Case(problem, points[known], fine[known])
    return None


def _notched(rng: np.random.Generator, opening: float) -> tuple[list[complex], complex, complex]:
    """Corners of a polygon that all of is seen from the first one, of that opening in π; the corner, and its first side."""
    at, turn = complex(*rng.uniform(-0.5, 0.5, 2)), np.exp(1j * rng.uniform(0, 2 * math.pi))
    count = int(rng.integers(5, 9))
    angles = np.linspace(0, opening * math.pi, count)
    angles[1:-1] += rng.uniform(-0.25, 0.25, count - 2) * (angles[1] - angles[0])
    return [at, *(at + turn * rng.uniform(0.6, 1.2, count) * np.exp(1j * angles))], at, turn


def _polar(points: Any, at: complex, turn: complex) -> tuple[Values, Values, Values]:
    """r, θ from the first side and the unit vectors of r, as complex numbers."""
    away = (points[:, 0] - at.real) + 1j * (points[:, 1] - at.imag)
    angle = np.angle(away / turn)
    r = np.maximum(np.abs(away), 1e-300)
    return r, np.where(angle < -1e-7, angle + 2 * math.pi, angle), away / r


def _room(
    rng: np.random.Generator,
    name: str,
    equation: Any,
    wave: Callable[..., tuple[Values, Values]],
    is_complex: bool,
) -> Case:
    """A polygon with values, slopes or both given side by side. wave: values and complex slopes at points."""
    opening = float(rng.uniform(1.1, 1.8))
    corners, at, turn = _notched(rng, opening)
    middle = np.mean(corners)
    size = np.max(np.abs(np.array(corners) - at))
    beside = 2 * math.pi - (2 - opening) * math.pi / 2  # the pole is in the notch, or beyond the far sides
    pole = at + turn * np.exp(1j * beside) * size * rng.uniform(0.3, 0.6)
    if rng.integers(2):
        pole = at + (middle - at) / abs(middle - at) * size * rng.uniform(1.3, 1.6)
    domain = npde.Polygon([(corner.real, corner.imag) for corner in corners])
    amplitude = rng.uniform(0.5, 2)

    def field(points: Values) -> tuple[Values, Values]:
        return wave(points, at, turn, 1 / opening, complex(pole), amplitude)

    sides = []
    for i, face in enumerate(domain.faces):
        along = corners[(i + 1) % len(corners)] - corners[i]
        normal = -1j * along / abs(along)
        a, b = [(1.0, 0.0), (0.0, 1.0), (3j if is_complex else 2.0, 1.0)][int(rng.integers(3)) if i else 0]

        def value(x: Values, a: complex = a, b: float = b, normal: complex = normal) -> Values:
            u, (dx, dy) = field(np.asarray(x))
            return np.asarray(a * u + b * (dx * normal.real + dy * normal.imag))

        if b == 0:
            sides.append(npde.Dirichlet(value, on=face))
        elif a == 0:
            sides.append(npde.Neumann(value, on=face))
        else:
            sides.append(npde.Robin(a, b, value, on=face))
    points = domain.sample(LOOKED, how="grid").numpy()
    return Case(npde.Problem(name, domain, equation, [], sides), points, field(points)[0])


def rooms(rng: np.random.Generator) -> Case:
    """Waves in polygons with a re-entrant corner: J of order α, sin αθ, and H₀ of a pole outside."""
    k = float(rng.uniform(3, 25))

    def wave(
        points: Values, at: complex, turn: complex, alpha: float, pole: complex, amplitude: float
    ) -> tuple[Values, Values]:
        r, angle, out = _polar(points, at, turn)
        radial = alpha / r * jv(alpha, k * r) - k * jv(alpha + 1, k * r)
        along = radial * np.sin(alpha * angle)
        across = alpha * jv(alpha, k * r) / r * np.cos(alpha * angle)
        slope = (along + 1j * across) * out
        away = points[:, 0] + 1j * points[:, 1] - pole
        d = np.abs(away)
        outer = -k * amplitude * hankel2(1, k * d) / d
        value = jv(alpha, k * r) * np.sin(alpha * angle) + amplitude * hankel2(0, k * d)
        return value, np.stack([slope.real + outer * away.real, slope.imag + outer * away.imag])

    return _room(rng, "room", npde.Helmholtz(k), wave, True)


def plates(rng: np.random.Generator) -> Case:
    """Potentials in polygons with a re-entrant corner: r^α sin αθ, and the logarithm of a pole outside."""

    def wave(
        points: Values, at: complex, turn: complex, alpha: float, pole: complex, amplitude: float
    ) -> tuple[Values, Values]:
        r, angle, out = _polar(points, at, turn)
        slope = alpha * r ** (alpha - 1) * (np.sin(alpha * angle) + 1j * np.cos(alpha * angle)) * out
        away = points[:, 0] + 1j * points[:, 1] - pole
        d = np.abs(away)
        value = r**alpha * np.sin(alpha * angle) + amplitude * np.log(d)
        slope = slope + amplitude * away / d**2
        return value, np.stack([slope.real, slope.imag])

    return _room(rng, "plate", npde.Poisson(), wave, False)


FAMILIES = (disks, close_disks, rooms, plates)
SEED = 60427


@dataclass(frozen=True)
class Judged:
    """What the default made of a case; `silent` is a wrong estimate of which nothing warns."""

    method: str
    true: float
    estimate: float
    converged: bool
    warned: bool

    @property
    def silent(self) -> bool:
        """Whether the error is more than three times what is stated, less what the truth is good for."""
        return not self.warned and self.true > 3 * self.estimate + ROUNDED


def judged(family: Callable[[np.random.Generator], Case], number: int) -> Judged:
    """The case of a family with a number, by the default method."""
    case = family(np.random.default_rng([SEED, number]))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        solution = npde.solve(case.problem, progress=False)
    stage = solution.stages[-1]
    values = np.asarray(solution(torch.as_tensor(case.points)))
    true = float(np.linalg.norm(values - case.truth) / np.linalg.norm(case.truth))
    estimate, converged = float(stage.extras["error_estimate"]), stage.status is npde.Status.CONVERGED
    return Judged(stage.method.split()[0], true, estimate, converged, bool(caught))
