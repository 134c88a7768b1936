"""A field on the nodes of a grid, callable between them: what `npde.reference` returns."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from neurapde.core import checks, pictures
from neurapde.core.arrays import Array, as_points, as_rows, complex_dtype, to_numpy
from neurapde.core.formatting import percent
from neurapde.domains.base import Domain
from neurapde.domains.box import Box
from neurapde.problem.problem import Problem
from neurapde.problem.view import FieldView
from neurapde.reference_solvers.grids.graded import Graded, interpolate_graded
from neurapde.reference_solvers.grids.grid import Grid
from neurapde.reference_solvers.grids.sampling import interpolate
from neurapde.reference_solvers.grids.scattered import from_known_nodes
from neurapde.storage.grids import export

EDGE = 1e-6
"""Points this far outside a domain, in units of the grid's largest extent, count as on its boundary: rounding."""


@dataclass(frozen=True, eq=False)
class GridSolution(FieldView):
    """A field that a grid solver found, its own error bar, and how it came about.

    values: `(*shape)`, or `(*shape, shots)` for several right-hand sides; `values[i, j]` at `(axes[0][i], axes[1][j])`.
    grid: the nodes, boundary included.
    seconds: wall-clock time of the solution, the error estimate not included.
    error_estimate: relative L2 error of `values`, estimated from a grid of twice the spacing; None without one.
    nodes_per_wavelength: in the shortest wavelength; None for fields that are not waves.
    notes: what was chosen, and why.
    domain: of the field, where it is less than the grid's box; the nodes outside are NaN.
    graded: the nodes and values `(*shape)` that it was solved on, where those of `grid` are read from them.
    problem: that was solved; None where that is not known, and nobody is to check it.
    """

    values: NDArray = field(repr=False)
    grid: Grid
    seconds: float
    error_estimate: float | None = None
    nodes_per_wavelength: float | None = None
    notes: Sequence[str] = ()
    domain: Domain | None = field(default=None, repr=False)
    graded: tuple[Graded, NDArray] | None = field(default=None, repr=False)
    problem: Problem | None = field(default=None, repr=False)

    @property
    def axes(self) -> tuple[NDArray[np.float64], ...]:
        """Coordinates of the nodes along each axis."""
        return self.grid.axes

    def __call__(self, points: Array, *others: Array) -> Array:
        """The field at points `(n, d)`, NumPy or torch: `(n,)`, or `(n, shots)`, in kind; of sixth order, beside the
        boundary of a domain that is no box of third. Outside the domain NaN.

        Coordinates of a grid, u(X, Y) or `(*grid, d)`, give values of its shape. Raises: ValueError for points outside.
        """
        rows, grid = as_rows(points, others)
        values = self._at(rows)
        return values if grid is None else values.reshape(*grid, *values.shape[1:])

    def _at(self, points: Array) -> Array:
        points = as_points(points, self.grid.dimension)
        places = to_numpy(points).astype(float)
        if self.graded is None:
            values = interpolate(self.grid, self.values, places)
        else:
            values = interpolate_graded(*self.graded, places)
        unknown = np.flatnonzero(~np.isfinite(values).all(axis=tuple(range(1, values.ndim))))
        if self.domain is not None and len(unknown):
            inside = partial(self._inside, self.domain)
            unknown = unknown[inside(places[unknown])]
            values[unknown] = from_known_nodes(self.grid, self.values, places[unknown], inside)
        if isinstance(points, torch.Tensor):
            dtype = complex_dtype(points) if np.iscomplexobj(values) else points.dtype
            return torch.from_numpy(values).to(device=points.device, dtype=dtype)
        return values

    def _inside(self, domain: Domain, points: NDArray[np.float64]) -> NDArray[np.bool_]:
        slack = EDGE * max(b - a for a, b in zip(self.grid.lower, self.grid.upper, strict=True))
        return np.asarray(to_numpy(domain.signed_distance(points)) <= slack)

    @property
    def _place(self) -> tuple[Domain, Problem | None]:
        box = Box(*zip(self.grid.lower, self.grid.upper, strict=True))
        known = None if self.problem is None else self.problem.domain
        return known or self.domain or box, self.problem

    def export(self, path: str | Path) -> Path:
        """Write the field at the nodes of its grid, in the format that the name's end asks for: see `Solution.export`."""
        domain, _ = self._place
        return export(checks.path(path), domain, self, self.grid.shape)

    def __repr__(self) -> str:
        of = "" if self.problem is None else f" of {self.problem.name!r}"
        return f"<GridSolution{of} on {' × '.join(map(str, self.grid.shape))} nodes, {self.seconds:.3g} s>"

    def _repr_html_(self) -> str:
        error = "not estimated" if self.error_estimate is None else percent(self.error_estimate)
        rows = [
            ("problem", "unknown" if self.problem is None else self.problem.name),
            ("nodes", " × ".join(map(str, self.grid.shape))),
            ("own error (relative L2)", error),
            ("time", f"{self.seconds:.3g} s"),
        ]
        return pictures.html.card("Grid reference", rows, tuple(self.notes))
