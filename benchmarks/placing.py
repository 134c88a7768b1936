"""What placing and weighing points is worth: each way on one problem, beside the same training without it.

All trainings of a problem take the same number of steps on the same number of points, from the same network. A way that does
not lower the error on any problem has no place in the package.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cases
from harness import Measured, timed

import neurapde as npde
from neurapde.trials.base import Trial

SMALL = npde.MLP(20, 3)
WAVES = npde.Siren(24, 2, 4.0, 4.0)


@dataclass(frozen=True)
class Comparison:
    """A problem, what is compared on it, and the network; `ways` takes the number of steps."""

    case: Callable[[], cases.Case]
    what: str
    steps: int
    network: Trial
    ways: Callable[[int], dict[str, npde.Adam | npde.NaturalGradient | npde.LBFGS]]


def followed(steps: int) -> dict[str, npde.NaturalGradient]:
    """Points where the residual is large, beside points that stay and points drawn anew as often."""
    counts = {"equation": 1500, "dirichlet": 100, "initial-value": 200}
    weights = {"dirichlet": 10.0, "initial-value": 10.0}
    return {
        "Fixed('sobol')": npde.NaturalGradient(steps, counts, weights),
        "Fixed('sobol'), redraw=10": npde.NaturalGradient(steps, counts, weights, redraw=10),
        "ResidualAdaptive(every=10)": npde.NaturalGradient(
            steps, counts, weights, sampling=npde.ResidualAdaptive(every=10)
        ),
    }


def spread(steps: int) -> dict[str, npde.LBFGS | npde.NaturalGradient]:
    """Few points that stay: spread evenly, or by chance."""
    counts = {"equation": 1000, "dirichlet": 200}
    return {
        f"Fixed({how!r})": npde.NaturalGradient(steps, counts, {"dirichlet": 100.0}, sampling=npde.Fixed(how))
        for how in ("uniform", "sobol", "grid")
    }


def balanced(steps: int) -> dict[str, npde.Adam]:
    """An equation whose loss is ten thousand times that of the sides, at first."""
    counts = {"equation": 512, "dirichlet": 128}
    plain = {"lr": 2e-3, "points": counts, "loss": "l2", "schedule": npde.Cosine()}
    return {
        "weights 1": npde.Adam(steps, **plain),
        "GradientNorm()": npde.Adam(steps, weights=npde.GradientNorm(), **plain),
    }


def in_order(steps: int) -> dict[str, npde.Adam]:
    """Early times first."""
    plain = {"lr": 2e-3, "points": 512, "loss": "l2", "schedule": npde.Cosine()}
    plain["weights"] = {"initial-value": 100.0}
    return {
        "all times at once": npde.Adam(steps, **plain),
        "Causal()": npde.Adam(steps, curriculum=npde.Causal(), **plain),
        "Curriculum": npde.Adam(steps, curriculum=npde.Curriculum(steps // 2), **plain),
    }


COMPARISONS = (
    Comparison(cases.burgers, "NaturalGradient", 100, SMALL, followed),
    Comparison(cases.manufactured_helmholtz, "NaturalGradient", 50, WAVES, spread),
    Comparison(cases.manufactured_helmholtz, "Adam", 1500, WAVES, balanced),
    Comparison(cases.advection, "Adam", 2000, npde.MLP(40, 2), in_order),
)


def measure(small: bool) -> Measured:
    """Train each; small: two steps of everything."""
    rows = []
    for one in COMPARISONS:
        case = one.case()
        for way, method in one.ways(2 if small else one.steps).items():
            found: list[npde.Solution] = []

            def train(method=method, case=case, network=one.network, found=found) -> None:
                found.append(npde.solve(case.problem, network, method, progress=False, seed=12007))

            lap = timed(train)()
            rows.append(
                {
                    "problem": case.problem.name,
                    "method": one.what,
                    "way": way,
                    "steps": method.steps,
                    "wall": lap.wall,
                    "computed": lap.computed,
                    "error": case.error(found[0]),
                }
            )
    table = [["problem, method", "way", "steps", "computed", "error"]]
    table += [
        [
            f"{row['problem']}, {row['method']}",
            row["way"],
            str(row["steps"]),
            f"{row['computed']:.3g} s",
            f"{row['error']:.1e}",
        ]
        for row in rows
    ]
    return Measured({"networks": [one.network.describe() for one in COMPARISONS]}, rows, table)
