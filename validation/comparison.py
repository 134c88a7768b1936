"""A comparison: the compared fields, the regions of errors, the errors there, and notes for the reader."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from neurapde.core import checks
from neurapde.core.errors import DeclarationWarning
from neurapde.core.formatting import percent
from neurapde.domains.spacetime import SpaceTime
from neurapde.fields.sources import FunctionSource, GaussianSource, Source
from neurapde.problem.problem import Problem
from neurapde.reference_solvers.grids.grid import Grid
from neurapde.storage import hdf5
from neurapde.training.run.history import History
from neurapde.validation.annotations import Annotations
from neurapde.validation.exact import support
from neurapde.validation.pages.made import how_made

Pair = tuple[str, str]
"""A field and the truth for its comparison: ("solution", "exact")."""
Errors = Mapping[str, Mapping[str, float]]
"""Region → metric → value; "points" counts the nodes of the region that were compared."""
PAIRS: tuple[Pair, ...] = (("solution", "reference"), ("solution", "exact"), ("reference", "exact"))
AGREED = 3.0
"""Two fields count as equal if they are this many times nearer than to the exact field and than the reference's error
bar."""
ROUNDING = 1e-6
"""Relative difference from the exact field below which it is not asked why."""
SNAPSHOTS = 5
"""Times after the start at which errors are measured separately."""
CELLS = 2.0
"""Grid cells around a source that the grid does not resolve, which no comparison counts."""


class Solved(Protocol):
    """The interface of a solution for `validate`."""

    @property
    def required_problem(self) -> Problem: ...
    @property
    def method(self) -> str: ...
    @property
    def status(self) -> object: ...
    @property
    def seconds(self) -> float: ...
    @property
    def history(self) -> History: ...
    @property
    def notes(self) -> Sequence[str]: ...
    @property
    def trial(self) -> Any: ...
    def __call__(self, points: NDArray[np.float64]) -> NDArray: ...
    def gradient(self, points: NDArray[np.float64]) -> NDArray: ...


@runtime_checkable
class Referred(Protocol):
    """The interface of a grid solution for `validate`: values of the grid's shape, with one more axis for shots."""

    @property
    def values(self) -> NDArray: ...
    @property
    def grid(self) -> Grid: ...
    @property
    def error_estimate(self) -> float | None: ...
    @property
    def seconds(self) -> float: ...
    @property
    def notes(self) -> Sequence[str]: ...


@runtime_checkable
class FieldOfProblem(Protocol):
    """The minimal interface of a solution: a field that knows its problem."""

    @property
    def required_problem(self) -> Problem: ...
    def __call__(self, points: NDArray[np.float64]) -> NDArray: ...


def check_solution(solution: Any) -> Any:
    """A solution, unchanged. Raises: DeclarationError for anything else."""
    checks.kind(solution, "solution", FieldOfProblem, "give what npde.solve or npde.load returned")
    return solution


@dataclass(frozen=True, eq=False)
class Comparison:
    """The comparison of a solution with known fields of its problem.

    title: the problem's name. problem: the problem as it prints.
    errors: for each pair the metrics by region; the first pair is the requested one.
    seconds: wall time by field. error_bar: the reference's own relative L2 error, if it has an estimate.
    notes: for the reader of the numbers. made_by: method, status, trial of the solution.
    solution_notes: the chosen method and the reason. tolerance: largest `relative_l2`, or None.
    annotations: for pictures. axes: coordinates of the grid, one array an axis.
    fields: arrays of the grid's shape, with one more axis if the annotations name columns.
    history: the losses by constraint. versions: of the software. made: when, and by which command.
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
    made: Mapping[str, str] = field(default_factory=how_made)

    @property
    def metrics(self) -> Errors:
        """Region → metric → value of the first pair: against the reference if there is one, else against the exact field."""
        return next(iter(self.errors.values()))

    @property
    def judge(self) -> str:
        """The best known truth: "exact" if the exact field is known, else "reference"."""
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


def regions_of(problem: Problem, grid: Grid, inside: NDArray[np.bool_]) -> dict[str, NDArray[np.bool_]]:
    """The regions of a problem as masks `(n, columns)` of the grid's nodes, by name.

    whole: the domain, without sources that the grid does not resolve. physical: outside absorbing layers and the
    supports of all sources. Then each named region of the medium, and in space–time the physical part at some times.
    Each shot excludes its own sources. inside: which nodes lie in the domain, `(n,)`.
    """
    points = grid.points
    cell = max(grid.spacing[: problem.domain.spatial.dimension])
    shots = problem.right_hand_sides
    singular = np.stack([_near(shot, points, cell, resolved=True) for shot in shots], axis=1)
    supported = np.stack([_near(shot, points, cell, resolved=False) for shot in shots], axis=1)
    wide = (len(points), problem.outputs)
    singular, supported = np.broadcast_to(singular, wide), np.broadcast_to(supported, wide)
    regions = {
        "whole": inside[:, None] & ~singular,
        "physical": np.asarray(problem.physical(points))[:, None] & inside[:, None] & ~supported,
    }
    for name, region in problem.regions.items():
        title = f"region {name}" if name in regions else name
        regions[title] = np.asarray(region.contains(points))[:, None] & inside[:, None] & ~singular
    if isinstance(problem.domain, SpaceTime):
        time = grid.axes[-1]
        for moment in time[np.unique(np.linspace(0, len(time) - 1, SNAPSHOTS + 1).round().astype(int))[1:]]:
            regions[f"at t = {moment:.3g}"] = regions["physical"] & (points[:, -1] == moment)[:, None]
    return regions


def _near(shot: Sequence[Source], points: NDArray, cell: float, *, resolved: bool) -> NDArray[np.bool_]:
    """The supports of a shot's sources; with `resolved`, only of those that the grid does not resolve."""
    near = np.zeros(len(points), dtype=bool)
    for source in shot:
        if not (resolved and is_resolved(source, cell)):
            near |= support(source, points, least=CELLS * cell)
    return near


def is_resolved(source: Source, cell: float) -> bool:
    """Whether a grid of this spacing shows the source's shape; never that of a point."""
    return isinstance(source, FunctionSource) or (
        isinstance(source, GaussianSource) and math.sqrt(source.variance) >= CELLS * cell
    )


def remarks(
    problem: Problem,
    exact: Sequence[str],
    reference: Sequence[str],
    bar: float | None,
    errors: Mapping[Pair, Errors],
    grid: Grid,
) -> list[str]:
    """The notes of a comparison.

    exact, reference: the notes on either, or nothing. bar: the reference's error estimate.
    Warns: DeclarationWarning if solution and reference agree with each other, but not with the exact field.
    """
    notes = _on_agreement(bar, errors)
    if problem.equation.leaves_constant(problem):
        notes.append(
            "The data do not determine a constant: the mean of every field is subtracted before the "
            "comparison."
        )
    notes += exact
    if ("solution", "reference") in errors:
        notes += _on_the_bar(bar, errors, known=("solution", "exact") in errors)
        notes += [f"The reference: {note}" for note in reference]
    sources = [source for shot in problem.right_hand_sides for source in shot]
    if any(not is_resolved(source, max(grid.spacing)) for source in sources):
        notes.append(
            "The grid does not resolve the source: all regions leave out a disk around it, with a radius of 6 standard "
            f"deviations of a Gaussian and at least {CELLS:g} cells."
        )
    for (name, truth), regions in errors.items():
        for region, metrics in regions.items():
            if metrics["points"] == 0:
                notes.append(
                    f"Region {region} has no node at which to compare {name} and {truth}; use a finer grid."
                )
            elif math.isnan(metrics["relative_l2"]):
                notes.append(f"The {name} is not finite everywhere in region {region}.")
    return notes


def _on_agreement(bar: float | None, errors: Mapping[Pair, Errors]) -> list[str]:
    """The note and warning if two fields from different methods agree, but differ from the exact one."""
    if any(pair not in errors for pair in PAIRS):
        return []
    between, *from_exact = (errors[pair]["physical"]["relative_l2"] for pair in PAIRS)
    least = max(ROUNDING, AGREED * between, 0.0 if bar is None or math.isnan(bar) else AGREED * bar)
    if not min(from_exact) > least:
        return []
    text = (
        f"The solution and the reference agree to {percent(between)}, but both differ from the exact field, by "
        f"{percent(from_exact[0])} and {percent(from_exact[1])}: the exact field belongs to another problem, or both "
        "miss the same detail, such as a source or a layer between their points."
    )
    warnings.warn(text, DeclarationWarning, stacklevel=4)
    return [text]


def _on_the_bar(bar: float | None, errors: Mapping[Pair, Errors], *, known: bool) -> list[str]:
    """A note on whether the reference is accurate enough to measure the difference."""
    if bar is None or math.isnan(bar):
        return ["The reference has no error estimate: differences from it may be the reference's own error."]
    difference = errors["solution", "reference"]["physical"]["relative_l2"]
    if bar >= difference:
        return [
            f"The reference's own error bar, {percent(bar)}, is larger than the difference measured, "
            f"{percent(difference)}: that number is a bound, not a measurement. The solution's error may be "
            f"anything up to about {percent(bar + difference)}; "
            + ("see the comparison with the exact field." if known else "a finer reference would decide.")
        ]
    if bar > 0.3 * difference:
        return [
            f"Of the difference from the reference, {percent(difference)}, up to {percent(bar)} may be the reference's "
            "own error."
        ]
    return []
