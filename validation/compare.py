"""`validate`: compare a solution with a grid reference and the exact field, and those two with each other.

All are evaluated at the nodes of one grid. There are several regions: the whole domain, its physical part (outside
absorbing layers and sources), and every named region of the medium.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.core.memory import check_fits
from neurapde.equations.fit import Fit
from neurapde.equations.helmholtz import Helmholtz
from neurapde.problem.problem import Problem
from neurapde.reference_solvers.grids.grid import Grid
from neurapde.references.solution import GridSolution
from neurapde.storage.encoding import difference, encode
from neurapde.storage.fingerprint import fingerprints
from neurapde.validation.annotations import annotations_of
from neurapde.validation.comparison import (
    PAIRS,
    Errors,
    Referred,
    Solved,
    check_solution,
    regions_of,
    remarks,
)
from neurapde.validation.exact import ExactField, exact_solution
from neurapde.validation.metrics import all_metrics, psnr
from neurapde.validation.report import Report
from neurapde.validation.surfaces import surface_notes

PER_WAVELENGTH = 10
"""Nodes in the shortest wavelength on a grid chosen here."""
PER_NODE = 250.0
"""Bytes for a node and each component of the field."""
_FREE = ("name", "exact")
"""Parts of a problem that do not change its solution."""
_WHOSE = ("in the problem that was solved", "in the problem of the reference")
_NODES = {1: (1001, 4001), 2: (257, 513), 3: (49, 97)}  # least and most on an axis, by dimension


@dataclass(frozen=True)
class _UserExact:
    """`Problem.exact`, instead of a recognised field."""

    function: Callable[[NDArray], Any]
    text: str = "given with the problem"
    notes: tuple[str, ...] = ()

    def __call__(self, points: NDArray[np.float64]) -> NDArray:
        return np.asarray(self.function(points))


def validate(
    solution: Solved,
    reference: Referred | None = None,
    *,
    shape: Sequence[int] | None = None,
    tolerance: float | None = None,
) -> Report:
    """Compare a solution with a reference, with the exact solution, or with both.

    Args:
        solution: of `npde.solve` or `npde.load`.
        reference: of `npde.reference(problem)`; the comparison is made on its grid.
        shape: nodes of the grid when there is no reference; by default ten in the shortest wavelength.
        tolerance: largest relative L2 error in the physical region, for the report's verdict.

    Returns: a Report. With a reference and an exact field (`Problem.exact`, or that of a recognised problem) it has
    three comparisons: solution against reference, solution against exact, reference against exact.
    Raises: DeclarationError if there is neither, or the reference is of another problem.
    Warns: DeclarationWarning if solution and reference agree with each other, but not with the exact field.
    """
    problem = check_solution(solution).required_problem
    exact = exact_solution(problem) if problem.exact is None else _UserExact(problem.exact)
    _check_arguments(problem, reference, exact, shape, tolerance)
    grid = _grid(problem, shape) if reference is None else _checked(problem, reference)
    check_fits(
        PER_NODE * grid.size * problem.outputs,
        f"comparing on {' × '.join(map(str, grid.shape))} nodes needs too much memory",
        "give a smaller shape=…",
    )
    inside = np.asarray(problem.domain.contains(grid.points))
    fields = _fields(solution, reference, exact, grid, inside)
    regions = regions_of(problem, grid, inside)
    pairs = [(a, b) for a, b in PAIRS if a in fields and b in fields]
    errors = {(a, b): _by_region(problem, fields[a], fields[b], regions) for a, b in pairs}
    error_bar = None if reference is None else reference.error_estimate
    annotations = annotations_of(problem)
    known = () if exact is None else (f"The exact field: {exact.text}.", *exact.notes)
    said = () if reference is None else reference.notes
    notes = remarks(problem, known, said, error_bar, errors, grid)
    wide = (-1,) if annotations.columns else ()
    return Report(
        title=problem.name,
        problem=str(problem),
        errors=errors,
        seconds={
            "solution": solution.seconds,
            **({} if reference is None else {"reference": reference.seconds}),
        },
        error_bar=error_bar,
        notes=(*notes, *surface_notes(solution)),
        made_by={
            "method": solution.method,
            "trial": solution.trial.spec.describe(),
            "status": str(solution.status),
            "compared on": f"{' × '.join(map(str, grid.shape))} nodes",
        },
        solution_notes=tuple(solution.notes),
        annotations=annotations,
        axes=grid.axes,
        fields={name: values.reshape(*grid.shape, *wide) for name, values in fields.items()},
        history=solution.history,
        tolerance=tolerance,
    )


def _fields(
    solution: Solved,
    reference: Referred | None,
    exact: ExactField | _UserExact | None,
    grid: Grid,
    inside: NDArray[np.bool_],
) -> dict[str, NDArray]:
    """All known fields, `(n, columns)` at the nodes, by name; NaN outside the domain."""
    problem, points = solution.required_problem, grid.points
    fields = {"solution": _columns(problem, np.asarray(solution(points)), "the solution")}
    if reference is not None:
        values = np.asarray(reference.values).reshape(grid.size, *reference.values.shape[grid.dimension :])
        fields["reference"] = _columns(problem, values, "the reference")
    if exact is not None:
        known = _columns(problem, np.asarray(exact(points[inside])), "the exact field")
        fields["exact"] = np.full((len(points), known.shape[1]), np.nan, dtype=known.dtype)
        fields["exact"][inside] = known
    for values in fields.values():
        values[~inside] = np.nan
    if problem.equation.leaves_constant(problem):
        fields = {name: values - values[inside].mean(axis=0) for name, values in fields.items()}
    return fields


def _check_arguments(problem: Problem, reference: Any, exact: object, shape: Any, tolerance: Any) -> None:
    """Refuse arguments that cannot be compared."""
    way = "give npde.reference(problem), or None if an exact field is known"
    checks.kind(reference, "reference", Referred | None, way)
    if tolerance is not None:
        checks.amount(tolerance, "tolerance")
    if reference is None and exact is None:
        raise DeclarationError(
            f"there is nothing to compare with: no exact solution of {problem.name} is known. Give a reference, "
            "validate(solution, npde.reference(problem)), or declare Problem(exact=…)."
        )
    if reference is not None and shape is not None:
        raise DeclarationError(
            f"shape={checks.shown(shape)} together with a reference: the comparison uses the reference's own grid; "
            "leave shape out."
        )


def _grid(problem: Problem, shape: Sequence[int] | None) -> Grid:
    lower, upper = problem.domain.bounds
    if shape is not None:
        counts = checks.node_counts(shape, problem.domain.dimension, 2)
        if counts is None:
            raise DeclarationError(
                f"shape={checks.shown(shape)}: give {problem.domain.dimension} whole numbers of nodes, at least 2 each"
            )
        return Grid(lower.tolist(), upper.tolist(), counts)
    least, most = _NODES[min(problem.domain.dimension, 3)]
    extent = upper - lower
    spacing = float(extent.max()) / (least - 1)
    if isinstance(problem.equation, Helmholtz):
        points = problem.domain.sample(2048, how="grid").numpy()
        slowness = math.sqrt(float(np.max(np.abs(problem.equation.slowness_squared(points)))))
        spacing = min(spacing, 2 * math.pi / (problem.equation.wavenumber * slowness) / PER_WAVELENGTH)
    counts = np.clip(np.ceil(extent / spacing).astype(int), 8, most - 1)
    return Grid(lower.tolist(), upper.tolist(), tuple(int(n) + 1 for n in counts))


def _checked(problem: Problem, reference: Referred) -> Grid:
    """The reference's grid, which must cover the problem's domain; if its problem is known, it must be the same."""
    if isinstance(reference, GridSolution) and reference.problem is not None:
        _check_same(problem, reference.problem)
    grid = reference.grid
    lower, upper = problem.domain.bounds
    if grid.dimension != len(lower) or not np.allclose([grid.lower, grid.upper], [lower, upper]):
        raise DeclarationError(
            f"the reference covers {grid.lower} to {grid.upper}, but {problem.name} covers {tuple(lower.tolist())} to "
            f"{tuple(upper.tolist())}; give npde.reference of the same problem."
        )
    return grid


def _check_same(solved: Problem, referred: Problem) -> None:
    """Refuse a reference of another problem, and name the first difference (DeclarationError)."""
    if text := _difference(solved, referred):
        raise DeclarationError(
            f"the reference is of another problem: {text}. Give npde.reference of {solved.name} itself."
        )


def _difference(solved: Problem, referred: Problem) -> str | None:
    if solved is referred:
        return None
    fields, other = encode(solved).tree["fields"], encode(referred).tree["fields"]
    for name in fields:
        if name not in _FREE and (text := difference(fields[name], other[name], name, _WHOSE)):
            return text
    made, expected = (
        {name: fingerprints(getattr(p, name), name) for name in fields} for p in (solved, referred)
    )
    for name in fields:
        for place in made[name] | expected[name]:
            if name not in _FREE and made[name].get(place) != expected[name].get(place):
                return f"{place} is another function, or has other values"
    return None


def _columns(problem: Problem, values: NDArray, what: str) -> NDArray:
    """Values as `(n, columns)`, checked against the number of the problem's fields."""
    table = np.array(values, dtype=np.result_type(values, float)).reshape(len(values), -1)
    if table.shape[1] != problem.outputs:
        raise DeclarationError(
            f"{what} has {table.shape[1]} columns, but {problem.name} has {problem.outputs}; "
            "give that of the same problem."
        )
    return table


def _by_region(
    problem: Problem, field: NDArray, truth: NDArray, regions: dict[str, NDArray[np.bool_]]
) -> Errors:
    """The metrics in each region where the truth is known; for fits also those of pictures and sounds."""
    known = np.isfinite(truth)
    metrics = {}
    for name, mask in regions.items():
        counted = mask & known
        metrics[name] = {"points": int(counted.any(axis=1).sum()), **all_metrics(field, truth, counted)}
        if isinstance(problem.equation, Fit):
            metrics[name]["psnr"] = psnr(field, truth, counted)
    return metrics
