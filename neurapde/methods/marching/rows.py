"""The rows of a constraint at places in space and all stages of a window, and their slopes by the field."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from neurapde.conditions.constraints import Constraint, Samples
from neurapde.jets.jet import Jet
from neurapde.problem.problem import Problem
from neurapde.training.optimisation.jacobian import real_residuals, slope_of

Matrix = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Stages:
    """A field at the start of a window and its stages, in real components (complex ones count twice).

    times: (stages,). rates: of `Radau`, for the window's length. values: (stages + 1, nodes, components).
    begin: The contribution of u′ at the start to u″ at each stage, (stages, nodes, components).
    """

    times: Matrix
    rates: Matrix
    values: Matrix
    begin: Matrix


@dataclass(frozen=True, eq=False)
class Stencil:
    """Places on elements, and operators from the nodes there.

    places: (elements, places, axes in space). nodes: numbers of the nodes of each element (elements, nodes).
    operators: (elements, places, derivatives, nodes), for the value and derivatives along x.
    normals: outward, (axes,), on a side or at the start; None inside.
    """

    places: Matrix
    nodes: NDArray[np.int64]
    operators: Matrix
    normals: Matrix | None = None


def moment(time: float, values: Matrix) -> Stages:
    """One moment, with any values of u, u′ and u″ there: values (4, nodes, components), the first of them unused."""
    return Stages(np.array([time]), np.eye(3, 4, 1)[:, None], values, np.zeros((1, *values.shape[1:])))


class Rows:
    """A constraint at places: rows run over stages, elements, places and equations.

    A domain with as many axes as the places has no time, and its derivatives are those in space.
    """

    def __init__(self, problem: Problem, constraint: Constraint, stencil: Stencil) -> None:
        self.constraint, self.stencil = constraint, stencil
        self.layout = problem.layout(constraint)
        self.outputs, self.complex = problem.outputs, problem.equation.complex
        self.over_time = problem.domain.dimension > stencil.places.shape[-1]
        self.derivatives = [
            (degrees[-1], sum(degrees[:-1])) if self.over_time else (0, sum(degrees))
            for degrees in self.layout.degrees
        ]

    def residual(self, stages: Stages) -> Matrix:
        """(stages, elements, places, equations)."""
        with torch.no_grad():
            residuals = self._residuals(stages.times, self._channels(stages))
        return self._shaped(residuals.numpy(), len(stages.times))

    def linearised(self, stages: Stages) -> tuple[Matrix, Matrix]:
        """The residuals, and their slopes by the nodes of each element at the stages.

        Slopes: (elements, stages, places, equations, stages, nodes, components).
        """
        residual, slopes_of_rows = self._pulled(stages)
        count, pulls = len(stages.times), slopes_of_rows.numpy()
        elements, places = self.stencil.places.shape[:2]
        pulls = pulls.reshape(len(pulls), self.layout.count, count, elements, places, -1)
        operators = self.stencil.operators
        slopes: Matrix | float = 0.0
        for along in range(operators.shape[2]):
            felt: Matrix | float = 0.0
            for channel, (a, b) in enumerate(self.derivatives):
                if b == along and pulls[:, channel].any():
                    felt = felt + np.einsum("qiepc,ij->eipqjc", pulls[:, channel], stages.rates[a][:, 1:])
            if np.ndim(felt):
                slopes = slopes + np.einsum(
                    "eipqjc,epn->eipqjnc", felt, operators[:, :, along], optimize=True
                )
        if not np.ndim(slopes):
            shape = (elements, count, places, len(pulls), count, operators.shape[3], pulls.shape[-1])
            slopes = np.zeros(shape)
        return self._shaped(residual.detach().numpy(), count), np.asarray(slopes)

    def felt(self, stages: Stages, rate: int) -> NDArray[np.bool_]:
        """The components whose derivatives of this order in time the constraint uses, (components,)."""
        _, pulls = self._pulled(stages)
        chosen = [channel for channel, (a, _) in enumerate(self.derivatives) if a == rate]
        if not chosen:
            return np.zeros(self.components, dtype=bool)
        return pulls[:, chosen].flatten(0, 2).reshape(-1, self.components).abs().amax(0).numpy() > 0

    def local(self, stages: Stages) -> NDArray[np.bool_]:
        """Which real equations use no derivative along x, (equations,)."""
        _, pulls = self._pulled(stages)
        along = [channel for channel, (_, b) in enumerate(self.derivatives) if b > 0]
        return ~pulls[:, along].flatten(1).any(1).numpy()

    def bends(self, stages: Stages) -> bool:
        """Whether the constraint uses second derivatives along x."""
        leaf = self._channels(stages).requires_grad_()
        with torch.enable_grad():
            pull = slope_of(self._residuals(stages.times, leaf), leaf)
        chosen = [channel for channel, (_, b) in enumerate(self.derivatives) if b == 2]
        return bool(pull[chosen].any())

    def _pulled(self, stages: Stages) -> tuple[Tensor, Tensor]:
        """The residuals of all rows, (rows, equations), and their slopes by the jets there, (equations, *channels)."""
        leaf = self._channels(stages).requires_grad_()
        with torch.enable_grad():
            residual = self._residuals(stages.times, leaf)
            pulls = torch.stack([slope_of(column, leaf) for column in residual.unbind(1)])
        return residual, pulls

    @property
    def components(self) -> int:
        """Real components of the field."""
        return self.outputs * (2 if self.complex else 1)

    def _channels(self, stages: Stages) -> Tensor:
        """The jets at all rows, real numbers (channels, rows, outputs) or (channels, rows), complex ones in pairs."""
        stencil = self.stencil
        values = stages.values[:, stencil.nodes]
        along = np.einsum("epbn,jenc->bjepc", stencil.operators, values, optimize=True)
        channels = []
        for a, b in self.derivatives:
            channel = np.tensordot(stages.rates[a], along[b], axes=1)
            if a == 2:
                begin = stages.begin[:, stencil.nodes]
                channel = channel + np.einsum("epn,jenc->jepc", stencil.operators[:, :, b], begin)
            channels.append(channel)
        size = self.layout.shape(channel[..., 0].size, self.outputs)
        return torch.from_numpy(np.stack(channels)).reshape(*size, *((2,) if self.complex else ()))

    def _residuals(self, times: Matrix, channels: Tensor) -> Tensor:
        jet = Jet(torch.view_as_complex(channels) if self.complex else channels, self.layout)
        return real_residuals(self.constraint, self._samples(times), jet)

    def _samples(self, times: Matrix) -> Samples:
        stencil = self.stencil
        elements, places, axes = stencil.places.shape
        points = np.empty((len(times), elements, places, axes + self.over_time))
        points[..., :axes] = stencil.places
        if self.over_time:
            points[..., -1] = times[:, None, None]
        flat = torch.from_numpy(points.reshape(-1, points.shape[-1]))
        normals = stencil.normals
        outward = (
            None if normals is None else torch.from_numpy(normals[: points.shape[-1]]).expand(len(flat), -1)
        )
        return Samples(flat, outward)

    def _shaped(self, residuals: Matrix, count: int) -> Matrix:
        return residuals.reshape(count, *self.stencil.places.shape[:2], -1)
