"""What a comparison found, as data: the errors by region with everything that is needed to read and to draw
them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from neurapde.run.history import History
from neurapde.storage import hdf5
from neurapde.validation.annotations import Annotations
from neurapde.validation.formatting import percent

Pair = tuple[str, str]
"""A field and the truth it is held against: ("solution", "exact")."""
Errors = Mapping[str, Mapping[str, float]]
"""Region → metric → value; "points" counts the nodes of the region that were compared."""


@dataclass(frozen=True, eq=False)
class Findings:
    """The comparison of a solution with what is known about its problem.

    title: the problem's name. problem: the problem as it prints.
    errors: for each pair the metrics by region; the first pair is the one that was asked for.
    seconds: wall clock by field. error_bar: the reference's own relative L2 error, where it has an estimate.
    notes: what must be known to read the numbers. made_by: method, status, trial of the solution.
    solution_notes: what was picked for the solution and why. tolerance: what `relative_l2` may be, or None.
    annotations: what stands where. axes: coordinates of the grid, one array an axis.
    fields: arrays of the grid's shape, with one more axis where the annotations names columns.
    history: the losses by constraint. versions: of the software.
    """

    title: str
    problem: str
    errors: Mapping[Pair, Errors]
    seconds: Mapping[str, float]
    error_bar: float | None
    notes: tuple[str, ...]
    made_by: Mapping[str, str]
    solution_notes: tuple[str, ...]
    annotations: Annotations
    axes: tuple[NDArray[np.float64], ...]
    fields: Mapping[str, NDArray]
    history: History = field(default_factory=History)
    tolerance: float | None = None
    versions: Mapping[str, str] = field(default_factory=hdf5.versions)

    @property
    def metrics(self) -> Errors:
        """Region → metric → value of the first pair: against the reference if there is one, else exact."""
        return next(iter(self.errors.values()))

    @property
    def judge(self) -> str:
        """The best truth there is: "exact" where the exact field is known, else "reference"."""
        return "exact" if ("solution", "exact") in self.errors else "reference"

    @property
    def judged(self) -> Mapping[str, float]:
        """The metrics that count: against `judge`, in the physical region."""
        return self.errors["solution", self.judge]["physical"]

    @property
    def relative_l2(self) -> float:
        """The one number: the relative L2 error against `judge`, in the physical region."""
        return self.judged["relative_l2"]

    @property
    def passed(self) -> bool | None:
        """Whether `relative_l2` is within the tolerance; None without one. NaN is not."""
        return None if self.tolerance is None else bool(self.relative_l2 <= self.tolerance)

    @property
    def headline(self) -> str:
        """The outcome in one sentence."""
        truth = "the exact field" if self.judge == "exact" else "the grid reference"
        text = f"Relative L2 error in the physical region against {truth}: {percent(self.relative_l2)}"
        if self.tolerance is None:
            return text + "."
        return (
            f"{text}, {'within' if self.passed else 'NOT within'} the tolerance of {percent(self.tolerance)}."
        )
