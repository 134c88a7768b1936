"""What predicts data from a model: an engine that takes m = 1/c² on the nodes of its grid, with the exact derivative.

Methods of inversion see nothing else of the wave equation: `predict` is one differentiable torch operation, whatever
is behind it. Data are for unit sources where the survey's wavelet is unknown, else for its own.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from neurapde.reference_solvers.grids.grid import Grid


@dataclass(frozen=True)
class Forward:
    """The waves in one model.

    data:   predicted, shaped like the survey's: complex `(frequencies, shots, receivers)` or real traces.
    fields: complex `(frequencies, shots, *grid.shape)`, of no frequencies for an engine in time.
    held:   what the engine needs to go backward: factors, checkpoints.
    """

    data: np.ndarray
    fields: np.ndarray
    held: Any


class Modelling(ABC):
    """An engine for one survey in one domain.

    grid: its nodes are where m is wanted; they fill the domain's box.
    """

    grid: Grid

    @abstractmethod
    def forward(self, slowness_squared: np.ndarray) -> Forward:
        """The waves in the model `(grid.size,)`, and what they are at the receivers."""

    @abstractmethod
    def backward(self, forward: Forward, cotangent: np.ndarray) -> np.ndarray:
        """The gradient `(grid.size,)` of Re Σ conj(cotangent)·data, cotangent shaped like the data and held fixed."""

    @abstractmethod
    def describe(self) -> str:
        """One line on the discretisation, for notes and reports."""

    def predict(self, slowness_squared: Tensor) -> Tensor:
        """The data of a model `(grid.size,)`, float64 on the CPU, differentiable once by torch."""
        return _Prediction.apply(slowness_squared, self)  # type: ignore[no-untyped-call]


class FrequencyModelling(Modelling):
    """An engine whose data derive from m by products of two fields: δdata[f, s, r] = Σ_i U[f, s, i] G[f, r, i] δm[i]."""

    @abstractmethod
    def receiver_fields(self, forward: Forward) -> np.ndarray:
        """G `(frequencies, receivers, grid.size)`: what a change of m under a unit field sends to the receivers."""


class _Prediction(torch.autograd.Function):
    """`Modelling.forward`, differentiated by `Modelling.backward`."""

    @staticmethod
    def forward(ctx: Any, slowness_squared: Tensor, modelling: Modelling) -> Tensor:
        forward = modelling.forward(slowness_squared.detach().cpu().numpy())
        ctx.modelling, ctx.found = modelling, forward
        return torch.from_numpy(np.ascontiguousarray(forward.data))

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, cotangent: Tensor) -> tuple[Tensor, None]:
        gradient = ctx.modelling.backward(ctx.found, cotangent.resolve_conj().numpy())
        return torch.from_numpy(gradient), None
