"""The result of a solve: a function of space, with its history, that can be saved and exported."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from os import PathLike
from pathlib import Path

import torch
from torch import Tensor

from neurapde.conditions.constraints import Constraint, Samples
from neurapde.core import checks, pictures
from neurapde.core.arrays import Array, as_points, as_rows, to_numpy
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import listing
from neurapde.core.gradients import differentiating
from neurapde.domains.base import Domain
from neurapde.domains.spacetime import SpaceTime
from neurapde.jets.jet import Jet
from neurapde.problem.problem import Problem
from neurapde.problem.view import FieldView
from neurapde.solution import files as storage
from neurapde.solution.beside_jumps import warn_beside_jumps
from neurapde.solution.record import Record
from neurapde.storage.grids import export
from neurapde.training.run.history import History
from neurapde.training.run.method import Status
from neurapde.trials.with_unknowns import Found, WithUnknownsTrial

CHUNK_BYTES = 256 * 2**20
"""Memory that one chunk of points may take in the widest layer of an evaluation, roughly."""
ASSUMED_WIDTH = 512
"""Features per point that a chunk is sized for at least."""
EDGE = 1e-6
"""Points this far outside, in units of the domain's largest extent, count as on its boundary: rounding."""


@dataclass(frozen=True, eq=False)
class Solution(Record, FieldView):
    """A solved problem as a function: `u(points)`, `u.gradient(points)`, `u.laplacian(points)`, in time `u.dt` and `u.dtt`.

    Points are `(n, d)`, any number of them. NumPy arrays (and lists) give NumPy arrays; torch tensors give
    tensors on their own device. The precision is the trial function's. Outside the domain, where the problem
    says nothing, every value is NaN; a point within rounding of the boundary counts as inside. Tensors that
    require grad are evaluated in one piece, and the result can be differentiated by torch.
    """

    @property
    def status(self) -> Status:
        """How the last stage ended; its text is the message."""
        return self.stages[-1].status

    @property
    def method(self) -> str:
        """What solved it, stage by stage."""
        return ", then ".join(stage.method for stage in self.stages)

    @property
    def seconds(self) -> float:
        """Wall clock of all stages together."""
        return sum(stage.seconds for stage in self.stages)

    @property
    def history(self) -> History:
        """Losses of all stages, one after the other."""
        return History.joined(stage.history for stage in self.stages)

    @property
    def unknowns(self) -> dict[str, Found]:
        """The unknowns of the problem as they were found, by name: `value` and `standard_error`, or fields to be asked."""
        return self.trial.found if isinstance(self.trial, WithUnknownsTrial) else {}

    @property
    def required_problem(self) -> Problem:
        """The problem; DeclarationError, saying how to supply it, when it was lost in a file."""
        if self.problem is None:
            raise DeclarationError(
                f"this solution was loaded without its problem: {self.missing}. "
                "Give it when loading: npde.load(path, problem=problem)."
            )
        return self.problem

    def __call__(self, points: Array, *others: Array) -> Array:
        """The field at `points` (n, d): (n,), or (n, c) for c components or several right-hand sides.

        Coordinates of a grid are taken too, an array for each axis as of `numpy.meshgrid`, u(X, Y), or one array
        `(*grid, d)`: the values then have the shape of the grid.
        Raises DeclarationError for points of another shape, or that are not finite.
        """
        rows, grid = as_rows(points, others)
        values = self._evaluate(rows, 0, lambda x: self.trial(x))
        return values if grid is None else values.reshape(*grid, *values.shape[1:])

    def gradient(self, points: Array) -> Array:
        """The gradient at `points` (n, d): (n, d), or (n, c, d); in space–time its last entry is u_t.

        Warns: ResolutionWarning beside a jump of the coefficient of Poisson's equation, as for the Laplacian.
        """
        warn_beside_jumps(self.problem, self.trial, points, "gradient")
        return self._evaluate(points, 1, lambda x: self.trial.jet(x, order=1).gradient)

    def laplacian(self, points: Array) -> Array:
        """The Laplacian at `points` (n, d): (n,), or (n, c); in space–time that of space, without u_tt.

        Warns: ResolutionWarning where points lie so near to a jump of the coefficients that sines which run across it
            do not have the Laplacian of either side.
        """
        warn_beside_jumps(self.problem, self.trial, points, "Laplacian")
        return self._evaluate(points, 2, lambda x: self._jet(x, 2).laplacian)

    def dt(self, points: Array) -> Array:
        """u_t at `points` (n, d), t last: (n,), or (n, c). Raises DeclarationError where there is no time."""
        return self._evaluate(points, 1, lambda x: self._jet(x, 1).dt)

    def dtt(self, points: Array) -> Array:
        """u_tt at `points` (n, d), t last: (n,), or (n, c). Raises DeclarationError where there is no time."""
        return self._evaluate(points, 2, lambda x: self._jet(x, 2).dtt)

    def residual(self, points: Array, constraint: str | None = None) -> Array:
        """What a constraint leaves at `points` (n, d), 0 where it is met: (n,), or (n, c).

        constraint: a name of `problem.constraints`; None for the equation. Conditions that read normals are not asked.
        Raises DeclarationError for another name, and where the solution was loaded without its problem.
        """
        asked = self._constraint(constraint)

        def left(x: Tensor) -> Tensor:
            u = self.trial.jet(x, order=asked.order, mixed=asked.mixed)
            residual: Tensor = asked.residual(Samples(x), u)
            return residual

        return self._evaluate(points, asked.order, left)

    def _constraint(self, name: str | None) -> Constraint:
        problem = self.required_problem
        wanted = problem.equation.constraints(problem)[0].name if name is None else name
        matching = [constraint for constraint in problem.constraints if constraint.name == wanted]
        if not matching:
            raise DeclarationError(
                f"constraint={checks.shown(name)}: {problem.name} has "
                f"{listing(constraint.name for constraint in problem.constraints)}; "
                "name one of these."
            )
        return matching[0]

    def _jet(self, points: Tensor, order: int) -> Jet:
        jet = self.trial.jet(points, order=order)
        in_time = isinstance(self.domain, SpaceTime) or (self.problem is not None and self.problem.in_time)
        return jet.in_time() if in_time else jet

    def _evaluate(self, points: Array, order: int, field: Callable[[Tensor], Tensor]) -> Array:
        checked = as_points(points, self.trial.dimension)
        keep_graph = torch.is_grad_enabled() and isinstance(checked, Tensor) and checked.requires_grad
        with differentiating():
            tensor = (
                checked if isinstance(checked, Tensor) else torch.tensor(checked)
            )  # a copy: it may be read-only
            values = self._values(tensor, order, field, keep_graph)
        return values.to(checked.device) if isinstance(checked, Tensor) else to_numpy(values)

    def _values(self, x: Tensor, order: int, field: Callable[[Tensor], Tensor], keep_graph: bool) -> Tensor:
        """The field at points of any device and precision, differentiable by them where `kept`."""
        anchor = next(chain(self.trial.parameters(), self.trial.buffers()), torch.zeros(0))
        x = (x.clone() if x.is_inference() else x).to(device=anchor.device, dtype=anchor.dtype.to_real())
        if keep_graph:
            return self._inside(x, field(x))
        channels = (1, 1 + x.shape[1], 1 + 2 * x.shape[1])[order]
        shapes = [tensor.shape for tensor in chain(self.trial.parameters(), self.trial.buffers())]
        width = max([ASSUMED_WIDTH, *(max(shape, default=1) for shape in shapes)])
        size = max(1, CHUNK_BYTES // (channels * width * x.element_size()))
        with torch.no_grad():
            return torch.cat([self._inside(block, field(block)) for block in torch.split(x, size)])

    def _inside(self, points: Tensor, values: Tensor) -> Tensor:
        if self.domain is None:
            return values
        beyond = self.domain.signed_distance(points) > EDGE * max(self.domain.extents)
        return values.masked_fill(
            beyond.reshape(-1, *[1] * (values.ndim - 1)),
            complex(torch.nan, torch.nan) if values.is_complex() else torch.nan,
        )

    def save(
        self, path: str | PathLike[str], *, dtype: torch.dtype | None = None, problem: bool = True
    ) -> Path:
        """Write everything to one HDF5 file, in one step: an existing file is replaced whole or not at all.

        Python functions in the problem are stored by name only; see `load`.
        dtype: of the parameters in the file: torch.float16 or torch.float32, None for as they are. They are rounded, and
            loaded in the precision that they had.
        problem: whether the problem is stored: one with a mesh is larger than most networks. Without it the file holds the
            field and its domain.
        """
        file = checks.path(path)
        checks.flag(problem, "problem")
        if dtype not in (None, torch.float16, torch.float32):
            raise DeclarationError(
                f"dtype={checks.shown(dtype)} of a file: give torch.float16, torch.float32 or None."
            )
        if file.is_dir():
            raise DeclarationError(
                f"path={str(path)!r} is a folder; give the name of a file in it, such as u.h5."
            )
        record = self if problem else replace(self, problem=None, stages=())
        storage.write(file, record, dtype=dtype)
        return file

    def export(self, path: str | PathLike[str], shape: int | Sequence[int] | None = None) -> Path:
        """Write the field on a regular grid, in the format that the name's end asks for.

        path: `.vtu` or `.xdmf`, the cells inside the domain, and `.vti`, a box of voxels, are for ParaView; `.pvd` is a list
            of `.vti`, one for each time; `.csv` is a table of the nodes inside; `.npz` holds the axes and `u` for NumPy. A
            complex u becomes u_re, u_im and u_abs, but in `.npz`. Outside the domain `.vti` and `.npz` hold NaN.
        shape: nodes per axis, boundary included; one number for all, or one per axis. Default 513, 257 or 65
            per axis in one, two or three dimensions; of a `.pvd` 21 times.
        """
        domain, _ = self._place
        return export(checks.path(path), domain, self, shape)

    @property
    def _place(self) -> tuple[Domain, Problem | None]:
        if self.domain is None:
            raise DeclarationError(
                f"the domain is not known: {self.missing}. Use npde.load(path, problem=problem)."
            )
        return self.domain, self.problem

    def __str__(self) -> str:
        lines = [self.text, f"Solved by {self.method} in {self.seconds:.1f} s. {self.status}", *self.notes]
        return "\n".join(lines)

    def __repr__(self) -> str:
        of = "" if self.problem is None else f" of {self.problem.name!r}"
        return f"<Solution{of} by {self.method}, {self.seconds:.3g} s: {self.status}>"

    def _repr_html_(self) -> str:
        rows = [
            ("problem", self.text.partition("\n")[0]),
            ("solved by", self.method),
            ("trial function", self.trial.spec.describe()),
            ("time", f"{self.seconds:.3g} s"),
            ("status", str(self.status)),
        ]
        return pictures.html.card("Solution", rows, self.notes)
