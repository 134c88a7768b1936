"""A field on the nodes of a grid, callable between them: what `npde.reference` returns."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from neurapde.core.arrays import Array, as_points, complex_dtype, to_numpy
from neurapde.domains.box import Box
from neurapde.reference_solvers.grid import Grid
from neurapde.reference_solvers.sampling import interpolate
from neurapde.storage.export import write_mesh


@dataclass(frozen=True, eq=False)
class GridSolution:
    """A field that a grid solver found, its own error bar, and how it came about.

    values: `(*shape)`, or `(*shape, shots)` for several right-hand sides; `values[i, j]` at `(axes[0][i], axes[1][j])`.
    grid: the nodes, boundary included.
    seconds: wall-clock time of the solution, the error estimate not included.
    error_estimate: relative L2 error of `values`, estimated from a grid of twice the spacing; None without one.
    nodes_per_wavelength: in the shortest wavelength; None for fields that are not waves.
    notes: what was chosen, and why.
    """

    values: NDArray = field(repr=False)
    grid: Grid
    seconds: float
    error_estimate: float | None = None
    nodes_per_wavelength: float | None = None
    notes: Sequence[str] = ()

    @property
    def axes(self) -> tuple[NDArray[np.float64], ...]:
        """Coordinates of the nodes along each axis."""
        return self.grid.axes

    def __call__(self, points: Array) -> Array:
        """The field at points `(n, d)`, NumPy or torch: `(n,)`, or `(n, shots)`, in kind; of sixth order.

        Raises: ValueError for points outside the grid.
        """
        points = as_points(points, self.grid.dimension)
        values = interpolate(self.grid, self.values, to_numpy(points).astype(float))
        if isinstance(points, torch.Tensor):
            dtype = complex_dtype(points) if np.iscomplexobj(values) else points.dtype
            return torch.from_numpy(values).to(device=points.device, dtype=dtype)
        return values

    def export(self, path: str | Path) -> Path:
        """Write the field to `path`, .vtu or .xdmf; complex values as their parts."""
        box = Box(*zip(self.grid.lower, self.grid.upper, strict=True))
        return write_mesh(Path(path), box, self, self.grid.shape)
