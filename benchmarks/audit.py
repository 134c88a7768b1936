"""Is the stated error true? Random problems by the default method, held against exact fields and outside solvers.

Each case is drawn from a family with random places, sizes, contrasts and units. The truth comes from a manufactured field,
from SciPy's integrators, from scikit-fem or from NGSolve, none of which shares code with what is checked. A case is a silent
wrong answer if it is off by more than 1e-3 and by more than 3 times its own estimate, without a warning and with the
status CONVERGED.
"""

import time
import warnings
from collections.abc import Callable
from typing import Any

import audit_elements
import numpy as np
from audit_sides import channel, long_heat, robin_walls, room
from audit_trials import Trial, Values, units
from harness import Measured
from scipy.integrate import solve_ivp

import neurapde as npde

SEED = 60427
WRONG, TOO_SMALL = 1e-3, 3.0
CASES = 12  # of each family
FLOOR = 1e-7  # what the truths themselves are good for


def manufactured_rod(rng: np.random.Generator) -> Trial:
    """A u'' + b u' + c u = f for a sum of waves on an interval."""
    length, _, size = units(rng)
    w, b = rng.uniform(1, 12, 3) / length, rng.uniform(0, 6, 3)
    a = size * rng.uniform(-1, 1, 3)
    drift, reaction = rng.uniform(-5, 5) / length, -rng.uniform(0, 20) / length**2

    def waves(x: Any) -> Any:
        return sum(a[i] * npde.sin(w[i] * x[:, 0] + b[i]) for i in range(3))

    def residual(x: Any, u: npde.Jet) -> Any:
        phases = [w[i] * x[:, 0] + b[i] for i in range(3)]
        f = sum(
            a[i] * ((reaction - w[i] ** 2) * npde.sin(p) + drift * w[i] * npde.cos(p))
            for i, p in enumerate(phases)
        )
        return u.d2(0) + drift * u.d(0) + reaction * u.value - f

    domain = npde.Interval(0, length)
    points = rng.uniform(0, length, (500, 1))
    problem = npde.Problem("rod", domain, npde.Equation(residual), boundary=npde.Dirichlet(waves))
    return Trial(problem, points, waves(points))


def plane_shape(rng: np.random.Generator, length: float) -> npde.Box | npde.Disk | npde.Polygon:
    """A box, a disk or a random convex or star-shaped polygon."""
    kind = rng.integers(3)
    if kind == 0:
        return npde.Box((0, length), (0, length * float(rng.uniform(0.3, 2))))
    if kind == 1:
        return npde.Disk((0.5 * length, 0.5 * length), 0.5 * length)
    count = int(rng.integers(3, 8))
    angles = (np.arange(count) + rng.uniform(-0.3, 0.3, count)) * 2 * np.pi / count
    radii = length * rng.uniform(0.35, 0.6, count)
    return npde.Polygon(
        [(float(r * np.cos(t)), float(r * np.sin(t))) for r, t in zip(radii, angles, strict=True)]
    )


def manufactured_plane(rng: np.random.Generator) -> Trial:
    """−a Δu + c u = f for two plane waves on any shape, with values or slopes and values at its faces."""
    length, _, size = units(rng)
    domain = plane_shape(rng, length)
    w, b = rng.uniform(-8, 8, (2, 2)) / length, rng.uniform(0, 6, 2)
    a = size * rng.uniform(0.3, 1, 2)
    conductivity = float(10 ** rng.uniform(-3, 3))
    reaction = conductivity * float(rng.uniform(0, 10)) / length**2

    def wave(x: Any, i: int) -> Any:
        return a[i] * npde.sin(w[i, 0] * x[:, 0] + w[i, 1] * x[:, 1] + b[i])

    def exact(x: Any) -> Any:
        return wave(x, 0) + wave(x, 1)

    def source(x: Any) -> Any:
        return sum((conductivity * float(w[i] @ w[i]) + reaction) * wave(x, i) for i in range(2))

    points = domain.sample(800, how="grid").numpy()
    problem = npde.Problem(
        "plane", domain, npde.Poisson(conductivity, reaction), [source], npde.Dirichlet(exact)
    )
    return Trial(problem, points, exact(points))


def heat(rng: np.random.Generator) -> Trial:
    """Heat in a rod of any length, for any time, from a sum of its modes."""
    length, duration, size = units(rng)
    diffusivity = float(rng.uniform(0.02, 0.5)) * length**2 / duration
    a = size * rng.uniform(-1, 1, 3)

    def modes(x: Any) -> list[Any]:
        return [a[n] * npde.sin((n + 1) * np.pi * x[:, 0] / length) for n in range(3)]

    def start(x: Any) -> Any:
        return sum(modes(x))

    domain = npde.Interval(0, length).over(npde.Time(0, duration))
    problem = npde.Problem(
        "heat",
        domain,
        npde.Equation(lambda x, u: u.dt - diffusivity * u.d2(0)),
        boundary=[npde.Dirichlet(0.0), npde.InitialCondition(start)],
    )
    points = rng.uniform(0, 1, (800, 2)) * [length, duration]
    decay = [np.exp(-diffusivity * ((n + 1) * np.pi / length) ** 2 * points[:, 1]) for n in range(3)]
    return Trial(problem, points, sum(m * d for m, d in zip(modes(points), decay, strict=True)))


def wave_on_a_line(rng: np.random.Generator) -> Trial:
    """A Gaussian that begins at rest in two layers and leaves at both ends, by reflection and transmission."""
    length, duration, size = units(rng)
    c1 = float(rng.uniform(0.6, 1.0)) * length / duration
    c2 = c1 * float(rng.uniform(0.4, 2.0))
    width, at, edge = 0.03 * length, float(rng.uniform(0.25, 0.4)) * length, 0.6 * length

    def bump(x: Any) -> Any:
        return size * npde.exp(-((x - at) ** 2) / (2 * width**2))

    domain = npde.Interval(0, length).over(npde.Time(0, duration))
    speed = npde.Piecewise(c1, (npde.Interval(edge, length), c2))
    boundary = [npde.InitialCondition(lambda x: bump(x[:, 0])), npde.Absorbing()]
    problem = npde.Problem("layers", domain, npde.Wave(speed), boundary=boundary)
    x, t = (rng.uniform(0, 1, (2, 2000)).T * [length, duration]).T
    back, on = (c2 - c1) / (c1 + c2), 2 * c2 / (c1 + c2)
    left = 0.5 * (bump(x - c1 * t) + bump(x + c1 * t) + back * bump(2 * edge - x - c1 * t))
    right = 0.5 * on * bump(edge + (x - edge) * c1 / c2 - c1 * t)
    return Trial(problem, np.column_stack([x, t]), np.where(x < edge, left, right))


def nonlinear(rng: np.random.Generator) -> Trial:
    """Logistic growth or a pendulum, in any units, against an integrator at 1e-11."""
    _, duration, size = units(rng)
    domain = npde.Interval(0, duration)
    points = np.linspace(0, duration, 400)
    start, rate = 0.2 * size, float(rng.uniform(1, 5)) / duration
    if rng.integers(2):
        equation = npde.Equation(lambda x, u: u.d(0) - rate * u.value * (1 - u.value / size), order=1)
        sides = [npde.Dirichlet(start, on="left")]
        truth = size / (1 + (size / start - 1) * np.exp(-rate * points))
    else:
        equation = npde.Equation(lambda x, u: u.d2(0) + rate**2 * npde.sin(u.value))
        sides = [npde.Dirichlet(1.0, on="left"), npde.Neumann(0.0, on="left")]
        truth = solve_ivp(
            lambda t, y: (y[1], -(rate**2) * np.sin(y[0])),
            (0, duration),
            (1.0, 0.0),
            rtol=1e-11,
            atol=1e-13,
            t_eval=points,
        ).y[0]
    return Trial(npde.Problem("nonlinear", domain, equation, boundary=sides), points[:, None], truth)


def scattered_data(rng: np.random.Generator) -> tuple[Values, list[tuple[Values, float, float]]]:
    """A place for a source, and disks apart from it and from one another: centre, radius, contrast."""
    at = rng.uniform(-0.3, 0.3, 2)
    disks: list[tuple[Values, float, float]] = []
    for _ in range(40):
        centre, radius = rng.uniform(-0.35, 0.35, 2), float(rng.uniform(0.05, 0.15))
        clear = np.hypot(*(centre - at)) > radius + 0.1
        if clear and all(np.hypot(*(centre - other)) > radius + r + 0.03 for other, r, _ in disks):
            disks.append((centre, radius, float(10 ** rng.uniform(-0.7, 0.7))))
        if len(disks) == 2:
            break
    return at, disks


def regions(disks: list[tuple[Values, float, float]]) -> list[tuple[npde.Disk, float]]:
    """The disks as they are declared."""
    return [
        (npde.Disk((float(centre[0]), float(centre[1])), radius), value) for centre, radius, value in disks
    ]


def conductors(rng: np.random.Generator) -> Trial:
    """Poisson's equation with two disks of other conductivity beside a Gaussian, against NGSolve."""
    at, disks = scattered_data(rng)
    variance = float(10 ** rng.uniform(-4.5, -2))
    box = npde.Box((-0.5, 0.5), (-0.5, 0.5))
    source = npde.GaussianSource(at=tuple(at.tolist()), variance=variance)
    problem = npde.Problem(
        "conductors",
        box,
        npde.Poisson(npde.Piecewise(1.0, *regions(disks))),
        [source],
        [npde.Dirichlet(0.0, on=("left", "top")), npde.Neumann(0.0, on=("right", "bottom"))],
    )
    points = box.sample(900, how="grid").numpy()
    return Trial(problem, points, audit_elements.poisson_disks(points, at, variance, disks))


def smooth_conductor(rng: np.random.Generator) -> Trial:
    """Poisson's equation with a coefficient that varies smoothly, against scikit-fem."""
    depth, waves = float(rng.uniform(0.2, 0.8)), rng.uniform(1, 6, 2)
    box = npde.Box((0, 1), (0, 1))

    def coefficient(x: Any) -> Any:
        return 1 + depth * npde.sin(waves[0] * x[:, 0]) * npde.cos(waves[1] * x[:, 1])

    problem = npde.Problem("smooth", box, npde.Poisson(coefficient), [1.0], npde.Dirichlet(0.0))
    points = box.sample(900, how="grid").numpy()
    return Trial(problem, points, audit_elements.poisson_smooth(points, coefficient))


def scatterers(rng: np.random.Generator) -> Trial:
    """Waves beside two disks of other speed in the open plane, against NGSolve and its own layers."""
    at, disks = scattered_data(rng)
    k = float(rng.uniform(5, 25))
    box = npde.Box((-1, 1), (-1, 1))
    problem = npde.Problem(
        "scatterers",
        box,
        npde.Helmholtz(k, npde.Piecewise(1.0, *regions(disks))),
        [npde.GaussianSource(at=tuple(at.tolist()), variance=4e-4)],
        npde.PML(0.45, reflection=1e-7),
    )
    points = rng.uniform(-0.5, 0.5, (900, 2))
    return Trial(problem, points, audit_elements.helmholtz_disks(points, at, 4e-4, k, disks))


FAMILIES: tuple[Callable[[np.random.Generator], Trial], ...] = (
    manufactured_rod,
    manufactured_plane,
    heat,
    wave_on_a_line,
    nonlinear,
    smooth_conductor,
    conductors,
    scatterers,
    long_heat,
    channel,
    robin_walls,
    room,
)
QUICK = (manufactured_rod, wave_on_a_line, smooth_conductor, channel, room)


def audited(family: Callable[[np.random.Generator], Trial], seed: int) -> dict[str, Any]:
    """Solve one case by the default method and hold it against its truth."""
    trial = family(np.random.default_rng([SEED, FAMILIES.index(family), seed]))
    began, started = time.perf_counter(), time.process_time()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        solution = npde.solve(trial.problem, progress=False)
    values = np.asarray(solution(trial.points))
    true = float(np.linalg.norm(values - trial.truth) / np.linalg.norm(trial.truth))
    estimate = solution.stages[-1].extras.get("error_estimate")
    stated = None if estimate is None else float(estimate)
    spoken = bool(caught) or solution.status is not npde.Status.CONVERGED
    return {
        "family": family.__name__,
        "case": seed,
        "true": true,
        "estimate": stated,
        "status": solution.status.name,
        "warnings": [str(warning.message) for warning in caught],
        "wall": time.perf_counter() - began,
        "computed": time.process_time() - started,
        "silent_wrong": not spoken and true > WRONG and (stated is None or true > TOO_SMALL * stated),
    }


def measure(small: bool) -> Measured:
    """Every family, or one case of those that take a second."""
    count = 1 if small else CASES
    families = QUICK if small else FAMILIES
    rows = [audited(family, seed) for family in families for seed in range(count)]
    table = [
        [
            "family",
            "cases",
            "converged",
            "warned",
            "silent wrong",
            "worst true",
            "ratio, median",
            "90 %",
            "worst",
            "CPU s",
        ]
    ]
    for name in (*(family.__name__ for family in families), "all"):
        these = [row for row in rows if name in (row["family"], "all")]
        ratios = [
            max(row["true"] - FLOOR, 0) / max(row["estimate"], FLOOR)
            for row in these
            if row["status"] == "CONVERGED" and row["estimate"] is not None
        ]
        shown = (
            [f"{q:.2f}" for q in (np.median(ratios), np.quantile(ratios, 0.9), max(ratios))]
            if ratios
            else ["", "", ""]
        )
        table.append(
            [
                name,
                str(len(these)),
                str(sum(row["status"] == "CONVERGED" for row in these)),
                str(sum(bool(row["warnings"]) for row in these)),
                str(sum(row["silent_wrong"] for row in these)),
                f"{max(row['true'] for row in these):.1e}",
                *shown,
                f"{sum(row['computed'] for row in these):.0f}",
            ]
        )
    notes = ["Ratios are true error over stated estimate, where a case converged."]
    return Measured({"seed": SEED, "cases": count}, rows, table, notes)
