"""The rows of a linear problem: every named constraint at its points, applied to every feature of the trial.

A residual is any function of a jet, so the jet of each feature in turn gives its rows (vectorised by
`torch.func.vmap`), after the residual for u = 0 is subtracted. The linearity is checked.
"""

import math
from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

from neurapde.assembly.collocation.interfaces import Interface, interfaces
from neurapde.assembly.collocation.samples import Weighed, chosen, drawn, in_parts, near, together
from neurapde.assembly.collocation.weighing import System, joined, weighed
from neurapde.conditions.constraints import AtPoints, Constraint, Face, Samples
from neurapde.core.errors import DeclarationError
from neurapde.jets.jet import Jet, Layout
from neurapde.problem.equation import Transmission
from neurapde.problem.problem import Problem
from neurapde.training.optimisation.balance import balance_of
from neurapde.training.optimisation.lengths import axis_lengths
from neurapde.trials.base import TrialFunction
from neurapde.trials.fourier_extension import FourierExtensionTrial
from neurapde.trials.piecewise import PiecewiseFunction

OVERSAMPLING = 2.5  # interior points for each feature
EDGEWISE = 30.0  # points on the boundary for each feature along an axis: corners need many
CANCELLED = 1e-14  # of the features' size: what a residual may leave where its terms cancel
LOST, MOST_DOUBLINGS = 1e-3, 300  # part of what a residual leaves for u = 0 that features must add to it
AFFINE = 1e-6  # relative departure from linearity that rounding may cause


Residual: TypeAlias = Callable[[Tensor], Tensor]

TOP_UPS, DRAW = 40, 4096  # further draws, of so many points each, for parts that are small


class NotAffineError(DeclarationError):
    """A residual that is not affine in u for fields of size 1."""


class Assembly:
    """Builds the rows of a problem for a piecewise trial of frames; columns are in the order of parts, then outputs.

    about: the field about which residuals are linearised; None for a linear problem, which is checked.
    placed: the samples of constraints by name, instead of samples drawn here; the unknown is then the correction of
        the field `about`. linear: whether residuals are assumed linear in u, which is checked, and not differentiated.
    """

    def __init__(
        self,
        problem: Problem,
        trial: PiecewiseFunction,
        generator: torch.Generator,
        about: TrialFunction | None = None,
        placed: Mapping[str, Samples] | None = None,
        linear: bool = False,
    ) -> None:
        self.problem, self.trial, self.generator, self.about = problem, trial, generator, about
        self.placed, self.linear = placed, linear
        self.frames = [frame for frame in trial.trials if isinstance(frame, FourierExtensionTrial)]
        self.widths = [len(frame.amplitudes) for frame in self.frames]
        self.outputs = trial.outputs
        self.lengths = axis_lengths(problem)
        self.sizes = balance_of(problem).sizes
        self.bandwidth = max(
            axis.bandwidth * length
            for frame in self.frames
            for axis, length in zip(frame.axes, self.lengths, strict=True)
        )
        self.device = self.frames[0].amplitudes.device

    @property
    def columns(self) -> int:
        """The number of unknowns."""
        return sum(self.widths) * self.outputs

    @property
    def column_sizes(self) -> np.ndarray:
        """The size of the component of each unknown, (columns,)."""
        return np.concatenate([np.repeat(self.sizes, width) for width in self.widths])

    def assemble(self) -> System:
        """The rows of all constraints, of the outer edge of a PML, and of interfaces between parts."""
        return joined(list(self.parts().values()))

    def parts(self) -> dict[str, System]:
        """The same rows by the name of their constraint."""
        constraints = self.problem.equation.constraints(self.problem)
        names = {constraint.name for constraint in constraints if not isinstance(constraint.sample, Face)}
        held = [] if self.problem.pml is None else [self.problem.pml.edge(self.problem.domain)]
        systems = {
            constraint.name: self._constraint(constraint, constraint.name in names)
            for constraint in (*self.problem.constraints, *held)
        }
        transmission = self.problem.equation.transmission(self.problem)
        if transmission is not None and (between := self._interfaces(transmission)):
            systems["interfaces"] = joined(between)
        return systems

    def _boundary_points(self) -> int:
        return int(EDGEWISE * max(self.widths) ** (1 - 1 / self.trial.dimension)) + 2

    def _draw(self, constraint: Constraint, count: int) -> Samples:
        """Points of a constraint; all given ones."""
        if isinstance(constraint.sample, AtPoints):
            count = max(count, len(constraint.sample.points))
        return drawn(constraint.sample, count, self.generator, self.device)

    def _constraint(self, constraint: Constraint, inside: bool) -> System:
        """One constraint's rows; inside the domain every part gets points in proportion to its features."""
        systems = []
        for part, samples in enumerate(self._by_part(constraint, inside)):
            if len(samples.points):
                numbers = self.problem.layout(constraint).count * self.widths[part]
                several = [
                    self._rows(constraint, few, self.frames[part]) for few in in_parts(samples, numbers)
                ]
                rows = joined(several) if len(several) > 1 else several[0]
                systems.append(System(self._placed(rows.matrix, part), rows.loads, rows.equations))
        if inside:
            systems = [self._weighed(system, constraint.order) for system in systems]
        whole = joined(systems)
        return whole if inside else self._weighed(whole, constraint.order)

    def _by_part(self, constraint: Constraint, inside: bool) -> list[Samples]:
        samples = self._draw(
            constraint, int(OVERSAMPLING * sum(self.widths)) if inside else self._boundary_points()
        )
        if self.placed is not None:
            samples = self.placed.get(constraint.name, samples)
        split = [
            chosen(samples, self.trial.part_of(samples.points) == part) for part in range(len(self.frames))
        ]
        if len(split) == 1 or self.placed is not None:
            return split
        return [self._topped_up(constraint, inside, part, samples) for part, samples in enumerate(split)]

    def _topped_up(self, constraint: Constraint, inside: bool, part: int, samples: Samples) -> Samples:
        """The samples of a part, with more from the box around it, or its faces, if there are few for its features."""
        sample = near(constraint.sample, self.frames[part].box)
        if sample is None:
            return samples
        least = int(OVERSAMPLING * self.widths[part] if inside else EDGEWISE)
        for _ in range(TOP_UPS):
            missing = least - len(samples.points)
            if missing <= 0:
                break
            extra = drawn(sample, DRAW, self.generator, self.device)
            within = torch.as_tensor(self.problem.domain.contains(extra.points))
            extra = chosen(extra, within & (self.trial.part_of(extra.points) == part))
            samples = together(samples, extra, missing)
        return samples

    def _rows(self, constraint: Constraint, samples: Samples, frame: FourierExtensionTrial) -> System:
        """The residual's rows (m, features · outputs) for one part, and minus the residual for u = 0."""
        carried = self.problem.layout(constraint)
        features = frame.feature_jet(samples.points, carried.order, carried.mixed)

        def residual(channels: Tensor) -> Tensor:
            return constraint.residual(samples, Jet(channels, features.layout)).flatten()

        zero = self._zero(features.layout, len(samples.points))
        equations = math.prod(constraint.residual(samples, Jet(zero, features.layout)).shape[1:])
        change, offset = self._linearised(residual, zero, samples.points, features)
        blocks = []
        for output in range(self.outputs):
            unit = self._unit(output)
            jets = features.channels.to(zero.dtype)
            jets = jets if self.outputs == 1 else jets[:, :, None, :] * unit[None, None, :, None]
            blocks.append(torch.func.vmap(change, in_dims=-1, out_dims=-1)(jets) / self.sizes[output])
        matrix = torch.cat(blocks, dim=1)
        if self.about is None or self.linear:
            self._check_affine(constraint, features, matrix, residual(zero), residual, equations)
        if isinstance(samples, Weighed) and samples.weights is not None:
            roots = samples.weights.sqrt().repeat_interleave(len(offset) // len(samples.points))
            matrix, offset = roots[:, None] * matrix, roots * offset
        return System(matrix, -offset, equations)

    def _linearised(
        self, residual: Residual, zero: Tensor, points: Tensor, features: Jet
    ) -> tuple[Residual, Tensor]:
        """The contributions of channels to a residual, and the rest (m,): J φ, and r(u) − J u about a field u."""
        if self.about is None:
            return self._probed(residual, features, residual(zero))
        layout = features.layout
        with torch.no_grad():
            field = self.about.jet(points, layout.order, layout.mixed).channels.to(zero.dtype)
        if self.linear:
            probed, offset = self._probed(residual, features, residual(zero))
            return probed, residual(field) if self.placed else offset

        value, pull = torch.func.vjp(residual, field)[:2]
        push = torch.func.vjp(lambda rows: pull(rows)[0], torch.zeros_like(value))[1]  # the adjoint's adjoint

        return lambda channels: push(channels)[0], value if self.placed else value - push(field)[0]

    def _probed(self, residual: Residual, features: Jet, offset: Tensor) -> tuple[Residual, Tensor]:
        """The contributions of channels to a linear residual, at a size that is not lost next to the residual for u = 0."""
        jets = features.channels.sum(dim=-1).to(offset.dtype)
        jets = jets if self.outputs == 1 else jets[..., None] * torch.as_tensor(self.sizes).to(jets)
        least = LOST * float(torch.linalg.vector_norm(offset))
        sizes = (2.0**power for power in range(0, MOST_DOUBLINGS, 10))
        heard = (size for size in sizes if float((residual(size * jets) - offset).norm()) >= least)
        size = next(heard, 1.0)
        return lambda channels: (residual(size * channels) - offset) / size, offset

    def _zero(self, layout: Layout, count: int) -> Tensor:
        dtype = torch.complex128 if self.trial.complex else torch.float64
        return torch.zeros(layout.shape(count, self.outputs), dtype=dtype, device=self.device)

    def _unit(self, output: int) -> Tensor:
        """The unit vector of a component with its own size, (outputs,)."""
        dtype = torch.complex128 if self.trial.complex else torch.float64
        unit = torch.nn.functional.one_hot(torch.tensor(output), self.outputs)
        return self.sizes[output] * unit.to(device=self.device, dtype=dtype)

    def _check_affine(
        self,
        constraint: Constraint,
        features: Jet,
        matrix: Tensor,
        offset: Tensor,
        residual: object,
        equations: int,
    ) -> None:
        assert callable(residual)
        width = features.channels.shape[-1]
        amplitudes = torch.cos(1.7 * torch.arange(width * self.outputs, dtype=torch.float64)).to(
            matrix.device
        )
        sizes = torch.as_tensor(self.sizes, device=matrix.device).repeat_interleave(width)
        amplitudes = (sizes * (0.3 + amplitudes)).to(matrix.dtype)
        jets = features.channels.to(matrix.dtype) @ amplitudes.reshape(self.outputs, width).T
        residuals = residual(jets.squeeze(-1) if self.outputs == 1 else jets)
        expected = matrix @ amplitudes + offset
        size = (matrix.abs() @ amplitudes.abs() + offset.abs()).reshape(-1, equations).amax(0)
        rounding = CANCELLED * float(features.channels.abs().max())
        departure = (residuals - expected).abs().reshape(-1, equations).amax(0)
        if bool((departure > AFFINE * size + rounding).any()):
            raise NotAffineError(f"constraint {constraint.name!r} of {self.problem.name} is not linear in u.")

    def _placed(self, block: Tensor, part: int) -> Tensor:
        """Rows of one part among the columns of all."""
        start = sum(self.widths[:part]) * self.outputs
        placed = block.new_zeros((len(block), self.columns))
        placed[:, start : start + block.shape[1]] = block
        return placed

    def _weighed(self, system: System, order: int) -> System:
        frequencies = np.concatenate(
            [np.tile(frame.frequencies(self.lengths), self.outputs) for frame in self.frames]
        )
        return weighed(system, order, frequencies, self.column_sizes, self.bandwidth**0.5)

    def _interfaces(self, transmission: Transmission) -> list[System]:
        """[u] = 0 and [a ∂u/∂n] = 0 on the edges between parts; the correction of a placed field removes its jumps."""
        systems = []
        count, domain = self._boundary_points(), self.problem.domain
        for interface in interfaces(domain, transmission, count, self.generator, self.device):
            sides = [self.trial.part_of(end) for end in interface.ends]
            between = torch.nonzero(sides[0] != sides[1]).squeeze(1)
            if len(between):
                values, fluxes = self._jumps(transmission, interface, sides, between)
                systems += [self._weighed(values, 0), self._weighed(fluxes, 1)]
        return systems

    def _jumps(
        self, transmission: Transmission, interface: Interface, sides: list[Tensor], between: Tensor
    ) -> tuple[System, System]:
        dtype = torch.complex128 if self.trial.complex else torch.float64
        shape = (len(between) * self.outputs, self.columns)
        value, flux = (torch.zeros(shape, dtype=dtype, device=self.device) for _ in range(2))
        for side, sign in enumerate((1.0, -1.0)):
            for part, frame in enumerate(self.frames):
                chosen = torch.nonzero(sides[side][between] == part).squeeze(1)
                if not len(chosen):
                    continue
                rows = between[chosen]
                jet = frame.feature_jet(interface.points[rows], 1)
                slopes = torch.stack([jet.d(i) for i in range(jet.dimension)])
                slope = interface.flux(transmission, slopes, side, rows)
                start, width = sum(self.widths[:part]) * self.outputs, self.widths[part]
                for output in range(self.outputs):
                    columns = slice(start + output * width, start + (output + 1) * width)
                    value[chosen * self.outputs + output, columns] = (sign * jet.value).to(dtype)
                    flux[chosen * self.outputs + output, columns] = (sign * slope).to(dtype)
        loads = [torch.zeros(len(value), dtype=dtype, device=self.device) for _ in range(2)]
        if self.placed is not None and self.about is not None:
            jumps = interface.jumps(transmission, self.about)
            loads = [-jump[between].flatten().to(dtype) for jump in jumps]
        return System(value, loads[0], self.outputs), System(flux, loads[1], self.outputs)

    def set_amplitudes(self, solution: Tensor) -> None:
        """Set the part of a solution (columns,) of every part."""
        start = 0
        for frame, width in zip(self.frames, self.widths, strict=True):
            share = solution[start : start + width * self.outputs].reshape(self.outputs, width).T
            frame.set_amplitudes(share)
            start += width * self.outputs
