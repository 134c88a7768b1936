"""Problem kinds of DeepXDE's examples and of PINNacle, said by their mathematics and solved by default.

A row says how many lines of 100 columns the declaration takes, the relative L2 error of the worst component against an
exact field or one computed apart (of unknowns: the worst number or field), what the solver itself estimates, and seconds of
a core. A solve is interrupted after a minute, and what it then has counts. `--only NAME` takes one or a few.
"""

import os
import signal
import time
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from harness import Measured
from kinds import evolutions, inverses, lines, planes
from kinds.kind import Kind, Told, relative

import neurapde as npde

KINDS = (*lines.kinds, *planes.kinds, *evolutions.kinds, *inverses.kinds)
NAMES = tuple(kind.name for kind in KINDS)
UNSAID = {
    "function-with-uncertainty": "a network with dropout is no field, and its spread no error",
    "diffusion-built-in": "hard=True is for fields of space alone; the start is met by training or solving",
    "fractional-poisson-inverse-line": "the order of a fractional derivative is a number that is known",
    "fractional-poisson-inverse-disk": "the order of a fractional derivative is a number that is known",
    "american-put": "there are no inequalities",
}
"""Kinds that cannot be declared, and why."""
UNTRIED = {
    "fractional-diffusion": "FractionalLaplacian over a Time says it; its nodes are too many for a minute",
    "fractional-poisson-ball": "FractionalLaplacian on a Ball says it; its nodes are too many for a minute",
    "beltrami-flow": "said in ten lines, on four axes, and trained for longer than a minute",
    "backward-step": "no oracle of its own yet",
    "flow-for-long": "no oracle of its own yet",
    "heat-for-long": "no oracle of its own yet",
    "navier-stokes-inverse": "its data are another solver's",
    "poisson-inverse": "elliptic-field-with-noise on two axes",
}
"""Kinds that can be declared and have no row yet, and why."""
LIMIT, PROBES = 60.0, 2000
SMALL = ("ode-system", "poisson-robin", "burgers", "brinkman-forchheimer")
HEADER = ("problem", "lines", "error", "estimate", "seconds", "status", "method")


@dataclass(frozen=True)
class Chosen:
    """The benchmark of a few kinds; of all of them, or at the small size of the quick ones, where none is named."""

    names: tuple[str, ...] = ()

    def measure(self, small: bool) -> Measured:
        """Every kind by itself."""
        wanted = self.names or (SMALL if small else NAMES)
        rows = []
        for kind in KINDS:
            if kind.name in wanted:
                rows.append(_row(kind))
                print("  ".join(_cells(rows[-1])), flush=True)
        near = sum(row["error"] is not None and row["error"] < 1e-3 for row in rows)
        notes = [f"{len(rows)} kinds are declared and solved, {near} of them within 1e-3."]
        notes += [f"Cannot be declared: {name}: {why}." for name, why in UNSAID.items()]
        notes += [f"No row yet: {name}: {why}." for name, why in UNTRIED.items()]
        settings = {"limit": LIMIT, "probes": PROBES, "unsaid": UNSAID}
        return Measured(settings, rows, [HEADER, *map(_cells, rows)], notes)


def measure(small: bool) -> Measured:
    """All kinds."""
    return Chosen().measure(small)


def _row(kind: Kind) -> dict[str, Any]:
    row: dict[str, Any] = {"problem": kind.name, "lines": kind.lines, "error": None, "estimate": None}
    wall, computed = time.perf_counter(), time.process_time()
    try:
        declared = kind.declare()
        solution = _solved(declared.problem)
        row |= {"wall": time.perf_counter() - wall, "computed": time.process_time() - computed}
        row |= {
            "error": _error(declared, solution),
            "status": solution.status.name,
            "method": solution.method,
        }
        row["estimate"] = solution.stages[-1].extras.get("error_estimate")
    except (Exception, KeyboardInterrupt) as error:
        row |= {"wall": time.perf_counter() - wall, "computed": time.process_time() - computed}
        row |= {"status": "FAILED", "method": f"{type(error).__name__}: {error}"[:200]}
    return row


def _solved(problem: npde.Problem) -> npde.Solution:
    """The default solution, or what there is of it after a minute of a core."""
    before = signal.signal(signal.SIGPROF, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    signal.setitimer(signal.ITIMER_PROF, LIMIT)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return npde.solve(problem, progress=False)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        signal.signal(signal.SIGPROF, before)


def _error(declared: Told, solution: npde.Solution) -> float:
    """The worst relative error of what is known."""
    errors = [abs(solution.unknowns[name].value / value - 1) for name, value in declared.numbers.items()]
    x = declared.problem.domain.sample(PROBES, how="grid").numpy()
    errors += [relative(solution.unknowns[name](x), truth(x)) for name, truth in declared.fields.items()]
    if declared.field is not None and not declared.fields:
        errors.append(relative(solution(x), declared.field(x)))
    if declared.places is not None:
        points, component, values = declared.places
        errors.append(relative(solution(points)[:, component], np.asarray(values)))
    return max(errors)


def _cells(row: dict[str, Any]) -> list[str]:
    numbers = ["" if row[key] is None else f"{row[key]:.0e}" for key in ("error", "estimate")]
    return [
        row["problem"],
        str(row["lines"]),
        *numbers,
        f"{row['computed']:.1f}",
        row["status"].lower(),
        row["method"],
    ]
