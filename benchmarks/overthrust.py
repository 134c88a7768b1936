"""The Overthrust slice from its surface, 3 to 12 Hz: a SIREN through the grid solver beside values on a grid.

Both have the same data (made on another grid, with 2 % of noise), start model, bounds, prior and stages, and end a stage
where the data are explained down to the noise. The slice is `overthrust_slice.h5`, found by NEURAPDE_DATA or in
../shared/data; where it is missing, a layered and faulted model of our own. Nothing looks at the truth before the table.
"""

import time
from collections.abc import Callable
from typing import Any

from harness import Measured

from neurapde.problems.inversions.fwi import fwi_overthrust
from neurapde.problems.inversions.overthrust import found_slice
from neurapde.seismic.inversion.result import Inversion
from neurapde.validation.inversions.comparison import (
    COLUMNS,
    MODEL_ERROR,
    RESIDUAL,
    SIMILARITY,
    SPEED_ERROR,
    measured,
)

SMALL: dict[str, Any] = {"shots": 3, "receivers": 12, "stages": ((2.0,),), "steps": 3, "per_wavelength": 5.0}


def measure(small: bool) -> Measured:
    """Errors of both models, and what they took."""
    problem = fwi_overthrust(**SMALL) if small else fwi_overthrust()
    survey = problem.survey
    runs = {
        "reduced, Siren": timed(lambda: problem.invert(progress=False)),
        "adjoint, grid": timed(lambda: problem.invert_classically(progress=False)),
    }
    first, second = (inversion for inversion, _ in runs.values())
    judged = measured(first, second, problem.truth)
    scores = [judged["yardsticks"]["start model"], *(a.measures for a in judged["accounts"].values())]
    seconds = [{"computed": 0.0, "wall": 1e-9}, *(spent for _, spent in runs.values())]
    counts = [0, *(inversion.unknown.parameter_count for inversion, _ in runs.values())]
    start = first.stages[-1].history["relative residual"][0]
    rows = []
    for way, score, spent, count in zip(("start model", *runs), scores, seconds, counts, strict=True):
        plain = {name: float(score[name]) for name in COLUMNS if name in score}
        rows.append({"way": way, "residual": plain.get(RESIDUAL, start), "numbers": count, **plain, **spent})
    settings = {
        "data": "overthrust_slice.h5" if found_slice() else "a model of our own",
        "method": str(problem.method),
        "classical": str(problem.classical),
        "velocity": str(problem.unknown.trial),
        "frequencies": problem.frequencies.describe(),
        "shots, receivers": [survey.shots, len(survey.receivers)],
    }
    return Measured(settings, rows, table(rows), notes(problem, first, second, settings["data"]))


def timed(work: Callable[[], Inversion]) -> tuple[Inversion, dict[str, float]]:
    """An inversion, and the seconds it took."""
    wall, computed = time.perf_counter(), time.process_time()
    result = work()
    return result, {"wall": time.perf_counter() - wall, "computed": time.process_time() - computed}


def table(rows: list[dict[str, Any]]) -> list[list[str]]:
    """A line for each way."""
    head = [
        "way",
        "numbers",
        "data residual",
        "RMS speed error, km/s",
        "similarity",
        "model error",
        "computed, s",
    ]
    lines = [head]
    for row in rows:
        lines.append(
            [
                row["way"],
                str(row["numbers"] or ""),
                f"{row['residual']:.1%}" if row["numbers"] else "",
                f"{row[SPEED_ERROR]:.3f}",
                f"{row[SIMILARITY]:.3f}",
                f"{row[MODEL_ERROR]:.3f}",
                f"{row['computed']:.0f}" if row["numbers"] else "",
            ]
        )
    return lines


def notes(problem: Any, first: Inversion, second: Inversion, data: str) -> list[str]:
    """What belongs under the table."""
    steps = [
        ", ".join(str(int(stage.history.step[-1])) for stage in inversion.stages)
        for inversion in (first, second)
    ]
    prior = ", ".join(f"{prior.name} of {prior.weight:g}" for prior in problem.unknown.prior) or "none"
    return [
        f"Model: {data}. Prior of both: {prior}. Steps in the stages: {steps[0]} of the network, {steps[1]} of the grid.",
        "Residual: of the last stage. Errors where the velocity is unknown, below the water; similarity: structural, of",
        "speeds, in windows of 7² of 201 × 61 nodes. Model error: ‖m − m*‖/‖m* − m_start‖ of m = 1/c².",
    ]
