"""The default of `neurapde.solve` beside curved finite elements of high order, NGSolve's, on linear problems.

NGSolve's time has its mesh, assembly and factorisation, and nothing else; ours is that of `solve`. Errors are relative L2
at points of the physical region that keep away from sources, against exact series, or against NGSolve at a much higher
order where there is none. One element a wavelength and order 8 are what serves NGSolve best at these accuracies.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import elements_of_ngsolve as ngs
import numpy as np
from harness import Lap, Measured, in_turns, summary, timed
from numpy.typing import NDArray
from scipy.special import h2vp, hankel2, jv, jvp

import neurapde as npde
from neurapde.problems import helmholtz_disk, helmholtz_square, poisson_inclusion, poisson_square
from neurapde.validation.exact import exact_solution

Values = NDArray[Any]
AT, VARIANCE = (-0.35, 0.0), 1e-4
SQUARE = npde.Box((-1, 1), (-1, 1))
DISKS = (((-0.1, 0.15), 0.12, 2.0), ((0.2, -0.2), 0.15, 0.6), ((0.25, 0.25), 0.1, 1.5))
POLYGON = ((-0.25, -0.4), (-0.02, -0.4), (-0.1, -0.15))
HOLES = (((0.5, 0.5), 0.2), ((0.4, -0.4), 0.4), ((-0.2, -0.7), 0.1), ((-0.6, 0.5), 0.3))
"""Of the Poisson–Boltzmann problem of PINNacle (Hao et al. 2023), table 4."""
KAPPA = 8.0


@dataclass(frozen=True)
class Race:
    """A problem, its truth at points, and NGSolve's way to it: order → the field as a function of points."""

    name: str
    problem: npde.Problem
    elements: Callable[[int], Callable[[Values], Values]]
    order: int = 8
    truth: Callable[[Values], Values] | None = None
    finer: int = 14


def races(small: bool) -> list[Race]:
    """What is solved both ways."""
    wavenumbers = (20.0,) if small else (20.0, 40.0, 80.0, 160.0)
    disks = [_disk(k) for k in wavenumbers]
    if small:
        return [*disks, _inclusion()]
    around = npde.Piecewise(
        1.0, *((npde.Disk(c, r), speed) for c, r, speed in DISKS), (npde.Polygon(POLYGON), 1.7)
    )
    several = _waves("three disks and a polygon, k = 20", 20.0, around)
    square = helmholtz_square()
    lenses = [_lens(k) for k in (20.0, 40.0, 80.0)]
    hole = npde.Disk((0, 0), 0.1)
    scattering = [
        Race(
            name,
            npde.Problem(
                name,
                SQUARE - hole,
                npde.Helmholtz(20.0),
                _source(),
                [npde.PML(0.5), condition(0.0, on="disk")],
            ),
            lambda order, soft=soft: ngs.waves(
                order, 20.0, AT, VARIANCE, disks=[((0, 0), 0.1, None)], soft=soft
            ),
            truth=lambda x, soft=soft: scattered(x, 20.0, 0.1, soft),
        )
        for name, soft, condition in (
            ("sound-soft disk, k = 20", True, npde.Dirichlet),
            ("sound-hard disk, k = 20", False, npde.Neumann),
        )
    ]
    return [
        *disks,
        Race("helmholtz-square", square, ngs.square_of_speed),
        Race(
            several.name,
            several,
            lambda order: ngs.waves(order, 20.0, AT, VARIANCE, disks=DISKS, polygon=(POLYGON, 1.7)),
        ),
        *scattering,
        *lenses,
        _inclusion(),
        Race(
            "poisson-square", poisson_square(), ngs.sines_on_a_square, order=12, truth=poisson_square().exact
        ),
        Race("Poisson–Boltzmann, four holes", boltzmann(), lambda order: ngs.screened(order, KAPPA, HOLES)),
    ]


def _lens(k: float) -> Race:
    """A smooth medium, slower by 0.3 in the middle of a lens that has faded out where the layers begin."""
    place, spread, depth = (0.1, 0.0), 0.0075, 0.3

    def speed(x: Values) -> Values:
        square = (x[:, 0] - place[0]) ** 2 + (x[:, 1] - place[1]) ** 2
        return 1 - depth * npde.exp(-square / (2 * spread))

    problem = npde.Problem("lens", SQUARE, npde.Helmholtz(k, speed=speed), _source(), npde.PML(0.5))
    lens = (place, spread, depth)
    return Race(
        f"smooth lens, k = {k:g}", problem, lambda order: ngs.waves(order, k, AT, VARIANCE, lens=lens)
    )


def boltzmann() -> npde.Problem:
    """−Δu + κ²u = 0 between four disks at 1 and a square at 0.2."""
    domain: npde.Domain = SQUARE
    for number, (centre, radius) in enumerate(HOLES):
        domain = domain - npde.Disk(centre, radius, name=f"hole {number}")
    holes = [face for face in domain.faces if face.startswith("hole")]
    sides = [face for face in domain.faces if not face.startswith("hole")]
    boundary = [npde.Dirichlet(1.0, on=tuple(holes)), npde.Dirichlet(0.2, on=tuple(sides))]
    return npde.Problem("boltzmann", domain, npde.Poisson(reaction=KAPPA**2), boundary=boundary)


def scattered(points: Values, k: float, radius: float, soft: bool) -> Values:
    """The field of the Gaussian source beside a disk at the origin that lets nothing in: Graf's addition theorem."""
    count = int(k * radius + 40)
    orders = np.arange(-count, count + 1)
    place = complex(*AT)
    z = points[:, 0] + 1j * points[:, 1]
    bound, out = (jv, hankel2) if soft else (jvp, h2vp)
    factors = [-bound(n, k * radius) / out(n, k * radius) * hankel2(n, k * abs(place)) for n in orders]
    size = 0.25j * np.exp(-(k**2) * VARIANCE / 2) * (1 + 1j)
    total = hankel2(0, k * np.abs(z - place))
    for n, factor in zip(orders, factors, strict=True):
        total = total + factor * hankel2(n, k * np.abs(z)) * np.exp(1j * n * (np.angle(z) - np.angle(place)))
    return np.asarray(size * total)


def measure(small: bool) -> Measured:
    """Every race in turns."""
    rows: list[dict[str, Any]] = []
    for race in races(small):
        rows += _run(race, 1 if small else 3)
    if not small:
        rows += _shots()
    settings = {"order": 8, "elements a wavelength": 1, "tolerance": "the default's"}
    notes = ["64 shots are right-hand sides of one factorisation; 1 shot stands beside them."]
    return Measured(settings, rows, _table(rows), [] if small else notes)


def _run(race: Race, repeats: int) -> list[dict[str, Any]]:
    made: dict[str, Any] = {}

    def ours() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made["neurapde"] = npde.solve(race.problem, progress=False)

    def theirs() -> None:
        made["ngsolve"] = race.elements(race.order)

    laps: dict[str, list[Lap]] = in_turns({"neurapde": timed(ours), "ngsolve": timed(theirs)}, repeats)
    points = _points(race.problem)
    truth = _truth(race)(points)
    known = np.isfinite(truth)
    stage = made["neurapde"].stages[-1]
    fields = {"estimate": stage.extras.get("error_estimate"), "status": stage.status.name}
    rows = []
    for way, extra in (("neurapde", fields), ("ngsolve", {"estimate": None, "status": ""})):
        error = float(np.linalg.norm((made[way](points) - truth)[known]) / np.linalg.norm(truth[known]))
        rows.append({"problem": race.name, "way": way, "error": error, **extra, **summary(laps[way])})
    return rows


def _truth(race: Race) -> Callable[[Values], Values]:
    if race.truth is not None:
        return race.truth
    exact = exact_solution(race.problem)
    return race.elements(race.finer) if exact is None else exact


def _points(problem: npde.Problem) -> Values:
    points = problem.domain.sample(4000, how="grid").numpy()
    points = points[np.asarray(problem.physical(points))]
    away = np.ones(len(points), dtype=bool)
    for side in problem.right_hand_sides:
        for source in side:
            if isinstance(source, npde.GaussianSource):
                away &= np.linalg.norm(points - np.asarray(source.at), axis=1) > 8 * source.variance**0.5
    return np.asarray(points[away])


def _source() -> npde.GaussianSource:
    return npde.GaussianSource(AT, VARIANCE, 1 + 1j)


def _waves(name: str, k: float, speed: npde.Piecewise) -> npde.Problem:
    return npde.Problem(name, SQUARE, npde.Helmholtz(k, speed), _source(), npde.PML(0.5))


def _disk(k: float) -> Race:
    problem = helmholtz_disk(wavenumber=k)
    disks = [((0.0, 0.0), 0.1, 2.0)]
    return Race(
        f"helmholtz-disk, k = {k:g}", problem, lambda order: ngs.waves(order, k, AT, VARIANCE, disks=disks)
    )


def _inclusion() -> Race:
    problem = poisson_inclusion()
    return Race("poisson-inclusion", problem, ngs.inclusion, order=12, truth=problem.exact)


def _shots() -> list[dict[str, Any]]:
    rows = []
    for count in (1, 64):
        angles = 2 * np.pi * np.arange(count) / count
        sources = npde.Shots(
            *[[npde.GaussianSource((0.4 * np.cos(a), 0.4 * np.sin(a)), VARIANCE)] for a in angles]
        )
        speed = npde.Piecewise(1.0, (npde.Disk((0, 0), 0.1), 2.0))
        problem = npde.Problem("shots", SQUARE, npde.Helmholtz(20.0, speed), sources, npde.PML(0.5))
        laps = in_turns({"neurapde": timed(lambda problem=problem: npde.solve(problem, progress=False))}, 3)
        extras = npde.solve(problem, progress=False).stages[-1].extras
        rows.append(
            {
                "problem": f"{count} shots, k = 20",
                "way": "neurapde",
                "error": None,
                "estimate": extras["error_estimate"],
                "status": "",
                **summary(laps["neurapde"]),
            }
        )
    return rows


def _table(rows: Sequence[dict[str, Any]]) -> list[list[str]]:
    table = [["problem", "way", "wall", "computed", "error", "its own estimate", "status"]]
    for row in rows:
        numbers = ["" if row[key] is None else f"{row[key]:.1e}" for key in ("error", "estimate")]
        table.append(
            [
                row["problem"],
                row["way"],
                f"{row['wall']:.3g} s",
                f"{row['computed']:.3g} s",
                *numbers,
                row["status"].lower(),
            ]
        )
    return table
