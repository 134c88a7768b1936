"""Modelling engines: they predict data from m = 1/c² on the nodes of their grid, with the exact derivative.

This is the only part of the wave equation that inversion methods use: `predict` is one differentiable torch operation
for every engine. The sources have unit amplitude if the survey's wavelet is unknown, otherwise this wavelet.
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
    fields: complex `(frequencies, shots, *grid.shape)`, without frequencies for an engine in time.
    held:   data of the engine for the backward pass: factors, checkpoints.
    """

    data: np.ndarray
    fields: np.ndarray
    held: Any


class Modelling(ABC):
    """An engine for one survey in one domain.

    grid: of the nodes of m; they fill the domain's box.
    """

    grid: Grid

    @abstractmethod
    def forward(self, slowness_squared: np.ndarray) -> Forward:
        """The waves in the model `(grid.size,)`, and their values at the receivers."""

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
        """G `(frequencies, receivers, grid.size)`: the effect at the receivers of a change of m under a unit field."""


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
