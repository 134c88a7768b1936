"""The predicted cost of a stage of an inversion: nodes, memory and time of sparse factorisations."""

import math
from dataclasses import dataclass

from neurapde.reference_solvers.grids.grid import Grid
from neurapde.seismic.survey.survey import Survey

FILL = 5.3
"""Entries of the nine-point matrix's factors, by nested dissection, over n log₂ n; 5.0 at 257² nodes, 5.1 at 385²."""
ENTRY = 32.0
"""Bytes of memory for each while it is factored; 34 at 257² nodes, 29 at 385²."""
FACTORING, SOLVING = 4e-8, 3e-9
"""Seconds of a core over n^1.5 for a factorisation, and for each entry of a solution: 2.1 s and 0.04 s at 385² nodes."""
FIELDS = 4
"""Complex fields held for each column that is solved for: the load, the field, its adjoint, and a copy on the way."""
NODE, HELD = 500.0, 3
"""Bytes that matrices and models take at a node, and copies of each complex wave there."""
REFUSED, DOUBTFUL = 2.5, 4.0
"""Nodes per wavelength below which the nine-point scheme refuses a model, and warns of it."""


@dataclass(frozen=True)
class CostEstimate:
    """The cost of one stage.

    grid: of the stage. solver: as in the `origin` of a survey, "" for none of the reference solvers.
    refused, doubtful: nodes per wavelength below which its waves are useless, or doubtful.
    band: the lowest and the highest frequency of its waves, Hz; None if not known.
    memory: peak in bytes. seconds: of a step, on one core. Both are 0 if not known.
    steps: largest number. work: of a step, in words.
    """

    grid: Grid
    solver: str = ""
    refused: float = 2.0
    doubtful: float = 2.0
    band: tuple[float, float] | None = None
    memory: float = 0.0
    seconds: float = 0.0
    steps: int = 0
    work: str = ""


def band_of(survey: Survey) -> tuple[float, float] | None:
    """The lowest and the highest frequency of spectra, Hz."""
    return (survey.band[0], survey.band[-1]) if survey.band else None


def waves_on(grid: Grid, survey: Survey, columns: int) -> CostEstimate:
    """The cost of a method that stores a number of waves on the nodes of a grid for each frequency, or for a time record."""
    times = len(survey.band) or 1
    nodes = " × ".join(map(str, grid.shape))
    memory = NODE * grid.size + 16.0 * HELD * times * columns * grid.size
    return CostEstimate(
        grid, band=band_of(survey), memory=memory, work=f"waves: {times * columns}, on {nodes} nodes"
    )


def factored(grid: Grid, survey: Survey, columns: int, steps: int) -> CostEstimate:
    """The cost of a method that factors the nine-point matrix of each frequency once a step.

    columns: solutions by each factorisation; at least half of them use the transposed matrix.
    """
    frequencies, n = len(survey.frequencies), grid.size
    entries = FILL * n * math.log2(n)
    field = 16.0 * n * FIELDS * columns / 2
    seconds = FACTORING * n**1.5 + SOLVING * entries * columns
    nodes = " × ".join(map(str, grid.shape))
    return CostEstimate(
        grid,
        "nine-point",
        REFUSED,
        DOUBTFUL,
        band_of(survey),
        frequencies * (ENTRY * entries + field),
        frequencies * seconds,
        steps,
        f"factorisations: {frequencies}, solutions: {frequencies * columns}, on {nodes} nodes",
    )
