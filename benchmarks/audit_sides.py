"""Families of the audit whose fields last long, or meet sides that take part of what comes: Robin and absorbing ones."""

from typing import Any

import audit_elements
import numpy as np
from audit_trials import Trial, units

import neurapde as npde

FACES = ("left", "right", "bottom", "top")


def long_heat(rng: np.random.Generator) -> Trial:
    """Heat in a rod or a plate for many diffusion times, held or insulated, with decay or slow growth, from its modes."""
    length, duration, size = units(rng)
    axes = int(rng.integers(1, 3))
    times = float(10 ** rng.uniform(-0.5, 1.5))
    diffusivity = times * length**2 / duration
    insulated = bool(rng.integers(2))
    rate = float(rng.uniform(-3, 0.2)) / duration
    a = size * rng.uniform(0.3, 1, 3)

    def modes(x: Any) -> list[Any]:
        wave = npde.cos if insulated else npde.sin
        first = 0 if insulated else 1
        along = [[wave((n + first) * np.pi * x[:, i] / length) for i in range(axes)] for n in range(3)]
        return [
            a[n] * (factors[0] * factors[1] if axes == 2 else factors[0]) for n, factors in enumerate(along)
        ]

    side = npde.Neumann(0.0) if insulated else npde.Dirichlet(0.0)
    box = npde.Interval(0, length) if axes == 1 else npde.Box((0, length), (0, length))
    problem = npde.Problem(
        "long heat",
        box.over(npde.Time(0, duration)),
        npde.Equation(lambda x, u: u.dt - diffusivity * u.laplacian - rate * u.value),
        boundary=[side, npde.InitialCondition(lambda x: sum(modes(x)))],
    )
    points = rng.uniform(0, 1, (800, axes + 1)) * [*[length] * axes, duration]
    numbers = np.arange(3) + (0 if insulated else 1)
    decay = [np.exp((rate - axes * diffusivity * (n * np.pi / length) ** 2) * points[:, -1]) for n in numbers]
    truth = sum(m * d for m, d in zip(modes(points), decay, strict=True))
    return Trial(problem, points, np.asarray(truth))


def robin_walls(rng: np.random.Generator) -> Trial:
    """−Δu + c u = 1 in a square whose walls let through what they like, declared as Poisson or as an own equation."""
    c = float(rng.uniform(0, 20)) if rng.integers(2) else 0.0
    walls = {face: (float(10 ** rng.uniform(-1.5, 1.5)), float(rng.uniform(-1, 1))) for face in FACES}
    sides = [npde.Robin(a, 1.0, g, on=face) for face, (a, g) in walls.items()]
    box = npde.Box((0, 1), (0, 1))
    if rng.integers(2):
        problem = npde.Problem("walls", box, npde.Poisson(1.0, c), [1.0], sides)
    else:
        equation = npde.Equation(lambda x, u: u.laplacian - c * u.value + 1.0)
        problem = npde.Problem("walls", box, equation, boundary=sides)
    points = box.sample(900, how="grid").numpy()
    return Trial(problem, points, audit_elements.poisson_walls(points, c, walls))


def room(rng: np.random.Generator) -> Trial:
    """Waves of a Gaussian source in a square whose walls have impedances, absorbing among them, with a disk in it."""
    k = float(rng.uniform(3, 12))
    at, centre = rng.uniform(0.15, 0.4, 2), rng.uniform(0.6, 0.8, 2)
    disk = (centre, float(rng.uniform(0.05, 0.15)), float(10 ** rng.uniform(-0.3, 0.3)))
    walls = {face: complex(1j * k) if rng.integers(2) else complex(*rng.uniform([0, 1], 6)) for face in FACES}
    sides = [
        npde.Absorbing(on=face) if value == 1j * k else npde.Robin(value, 1.0, on=face)
        for face, value in walls.items()
    ]
    speed = npde.Piecewise(1.0, (npde.Disk((float(centre[0]), float(centre[1])), disk[1]), disk[2]))
    source = npde.GaussianSource(at=tuple(at.tolist()), variance=4e-4)
    box = npde.Box((0, 1), (0, 1))
    problem = npde.Problem("room", box, npde.Helmholtz(k, speed), [source], sides)
    points = rng.uniform(0.02, 0.98, (900, 2))
    points = points[np.hypot(*(points - at).T) > 0.1]
    return Trial(problem, points, audit_elements.helmholtz_room(points, at, 4e-4, k, walls, disk))


def channel(rng: np.random.Generator) -> Trial:
    """A pulse that leaves a channel at both ends, or comes back from one of them, on one axis or two."""
    length, duration, size = units(rng)
    c, axes = float(rng.uniform(0.8, 3)) * length / duration, int(rng.integers(1, 3))
    width, at = float(rng.uniform(0.03, 0.06)) * length, float(rng.uniform(0.35, 0.65)) * length
    held = bool(rng.integers(2))

    def bump(x: Any) -> Any:
        return size * npde.exp(-((x - at) ** 2) / (2 * width**2))

    walls = [] if axes == 1 else [npde.Neumann(0.0, on=("bottom", "top"))]
    ends = (
        [npde.Dirichlet(0.0, on="left"), npde.Absorbing(on="right")]
        if held
        else [npde.Absorbing(on=("left", "right"))]
    )
    box = npde.Interval(0, length) if axes == 1 else npde.Box((0, length), (0, 0.2 * length))
    problem = npde.Problem(
        "channel",
        box.over(npde.Time(0, duration)),
        npde.Wave(c),
        boundary=[npde.InitialCondition(lambda x: bump(x[:, 0])), *ends, *walls],
    )
    points = rng.uniform(0, 1, (3000, axes + 1)) * [*[length, 0.2 * length][:axes], duration]
    x, t = points[:, 0], points[:, -1]
    truth = 0.5 * (bump(x - c * t) + bump(x + c * t)) - (0.5 * bump(c * t - x) if held else 0.0)
    return Trial(problem, points, truth)
