"""What placing and weighing points is worth: each way on one problem, beside the same training without it.

All trainings of a problem take the same number of steps on the same number of points, from the same networks, one for each
seed. A way that does not lower the error on any problem has no place in the package.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import cases
from harness import Measured, timed

import neurapde as npde
from neurapde.trials.base import Trial

Trained: TypeAlias = npde.Adam | npde.NaturalGradient
SMALL = npde.MLP(20, 3)
WAVES = npde.Siren(24, 2, 4.0, 4.0)
SEEDS = (12007, 40093)


@dataclass(frozen=True)
class Comparison:
    """A problem, what is compared on it, and the network; `ways` takes the number of steps."""

    case: Callable[[], cases.Case]
    what: str
    steps: int
    network: Trial
    ways: Callable[[int], dict[str, Trained]]


def followed(steps: int) -> dict[str, npde.NaturalGradient]:
    """Points where the residual is large, beside points that stay and points drawn anew as often."""
    counts = {"equation": 1500, "dirichlet": 100, "initial-value": 200}
    weights = {"dirichlet": 10.0, "initial-value": 10.0}
    return {
        "Fixed('sobol')": npde.NaturalGradient(steps, counts, weights),
        "Fixed('sobol'), redraw=10": npde.NaturalGradient(steps, counts, weights, redraw=10),
        "ResidualAdaptive(every=10)": npde.NaturalGradient(
            steps, counts, weights, sampling=npde.training.ResidualAdaptive(every=10)
        ),
    }


def spread(steps: int) -> dict[str, npde.NaturalGradient]:
    """Few points, that stay or are drawn anew: spread evenly, or by chance."""
    counts = {"equation": 1000, "dirichlet": 200}
    ways = [npde.training.Fixed(how) for how in ("uniform", "sobol", "grid")]
    ways += [npde.training.Fresh(how) for how in ("uniform", "sobol")]
    return {str(way): npde.NaturalGradient(steps, counts, {"dirichlet": 100.0}, sampling=way) for way in ways}


def drawn(steps: int) -> dict[str, npde.Adam]:
    """The same question put to Adam, whose own noise is larger."""
    counts = {"equation": 128, "dirichlet": 64}
    plain = settings(2e-3, counts) | {"weights": {"dirichlet": 100.0}}
    ways = [npde.training.Fresh(how) for how in ("uniform", "sobol")]
    return {str(way): npde.Adam(steps, sampling=way, **plain) for way in ways}


def balanced(steps: int) -> dict[str, npde.Adam]:
    """An equation whose loss is ten thousand times that of the sides, at first."""
    return weighed(steps, settings(2e-3, {"equation": 1000, "dirichlet": 200}))


def front(steps: int) -> dict[str, npde.Adam]:
    """Conditions that are easily met, and a front that is not."""
    return weighed(steps, settings(5e-3, {"equation": 1000, "dirichlet": 100, "initial-value": 100}))


def weighed(steps: int, plain: dict[str, Any]) -> dict[str, npde.Adam]:
    """Constraints balanced, single points weighed, and both, on points that stay."""
    plain = plain | {"sampling": npde.training.Fixed("sobol")}
    weighting, each = (
        {"weights": npde.training.GradientNorm()},
        {"point_weights": npde.training.SelfAdaptive()},
    )
    return {
        "weights 1": npde.Adam(steps, **plain),
        "GradientNorm()": npde.Adam(steps, **plain, **weighting),
        "SelfAdaptive()": npde.Adam(steps, **plain, **each),
        "both": npde.Adam(steps, **plain, **weighting, **each),
    }


def settings(lr: float, points: int | dict[str, int]) -> dict[str, Any]:
    """What all trainings by Adam have in common."""
    return {
        "lr": lr,
        "points": points,
        "loss": npde.training.MeanSquare(),
        "schedule": npde.training.Cosine(),
    }


def in_order(steps: int) -> dict[str, npde.Adam]:
    """Early times first; and, on points that stay, whatever is missed longest."""
    plain = settings(5e-3, 512) | {"weights": {"initial-value": 100.0}}
    stay = npde.training.Fixed("sobol")
    return {
        "all times at once": npde.Adam(steps, **plain),
        "Causal()": npde.Adam(steps, curriculum=npde.training.Causal(), **plain),
        "Curriculum": npde.Adam(steps, curriculum=npde.training.Curriculum(2 * steps // 3 or 1), **plain),
        "all at once, Fixed('sobol')": npde.Adam(steps, sampling=stay, **plain),
        "SelfAdaptive()": npde.Adam(
            steps, sampling=stay, point_weights=npde.training.SelfAdaptive(), **plain
        ),
    }


COMPARISONS = (
    Comparison(cases.burgers, "NaturalGradient", 100, SMALL, followed),
    Comparison(cases.manufactured_helmholtz, "NaturalGradient", 50, WAVES, spread),
    Comparison(cases.manufactured_helmholtz, "Adam", 1500, WAVES, drawn),
    Comparison(cases.manufactured_helmholtz, "Adam", 1500, WAVES, balanced),
    Comparison(cases.burgers, "Adam", 2000, SMALL, front),
    Comparison(cases.reaction, "Adam", 2000, npde.MLP(32, 3), in_order),
    Comparison(cases.advection, "Adam", 2000, npde.MLP(32, 3), in_order),
)


def measure(small: bool) -> Measured:
    """Train each from each seed; small: two steps of everything, from one."""
    seeds = SEEDS[:1] if small else SEEDS
    heads = ["problem, method", "way", "steps", "computed", *(f"error, seed {seed}" for seed in seeds)]
    rows, table = [], [heads]
    for comparison in COMPARISONS:
        case = comparison.case()
        for way, method in comparison.ways(2 if small else comparison.steps).items():
            row = {"problem": case.problem.name, "method": comparison.what, "way": way, "steps": method.steps}
            runs = [row | trained(case, comparison.network, method, seed) for seed in seeds]
            rows += runs
            table.append(
                [
                    f"{case.problem.name}, {comparison.what}",
                    way,
                    str(method.steps),
                    f"{runs[0]['computed']:.3g} s",
                    *(f"{each['error']:.1e}" for each in runs),
                ]
            )
    return Measured({"networks": [comparison.network.describe() for comparison in COMPARISONS]}, rows, table)


def trained(case: cases.Case, network: Trial, method: Trained, seed: int) -> dict[str, float]:
    """Times and the error of one training."""
    solutions: list[npde.Solution] = []
    lap = timed(
        lambda: solutions.append(npde.solve(case.problem, network, method, progress=False, seed=seed))
    )()
    return {"seed": seed, "wall": lap.wall, "computed": lap.computed, "error": case.error(solutions[0])}
