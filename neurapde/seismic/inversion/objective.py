"""The objective of an inversion: misfit of the data plus priors, as one function of an unknown's parameters."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from neurapde.seismic.inversion.misfits import Misfit
from neurapde.seismic.inversion.parametrisation import Parametrisation
from neurapde.seismic.modelling.base import Forward, Modelling
from neurapde.seismic.survey.survey import Survey
from neurapde.training.run.method import Snapshot

CODE = "code"
"""The name of the prior on the parameters in losses, history and report."""


@dataclass(frozen=True)
class Value:
    """The objective at one model.

    total: the differentiable sum. parts: misfit and priors by name. data: predicted, scaled to the observed.
    residual: ‖√w(p − d)‖ / ‖√w d‖ over all data; residuals: the same for each frequency, or for all traces.
    scales: complex `(frequencies, shots)`, or real `(shots,)` for traces; 1 where the wavelet is known.
    """

    total: Tensor
    parts: Mapping[str, float]
    data: Tensor
    residual: float
    residuals: np.ndarray
    scales: Tensor


class Objective:
    """The misfit of an engine's data to a survey's, and the priors on m, at the parameters of an unknown.

    reference: the mean of the start model's m in the region, the unit of m in priors.
    start: the start model in this unit.
    """

    def __init__(
        self, modelling: Modelling, unknown: Parametrisation, survey: Survey, misfit: Misfit
    ) -> None:
        self.modelling, self.unknown, self.survey, self.misfit = modelling, unknown, survey, misfit
        grid = modelling.grid
        self.sample = unknown.sampler(grid.points, grid.spacing)
        self.observed = torch.from_numpy(survey.record.values.copy())
        weights = survey.record.spread(torch.from_numpy(survey.weights.copy()))
        self.weights = weights.expand(self.observed.shape)
        self._inner = inner_nodes(modelling, unknown)
        self.reference = float(np.mean(unknown.start(self._inner_points())))
        self.start = self.relative(torch.from_numpy(unknown.start_mean(grid.points, grid.spacing)))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parts, the misfit first."""
        believed = (CODE,) if self.unknown.weight else ()
        return (self.misfit.name, *(prior.name for prior in self.unknown.velocity.prior), *believed)

    def __call__(self) -> Value:
        """The objective at the unknown's present parameters."""
        model = self.sample()
        misfit, predicted, scales = self.explained(model)
        parts = {self.misfit.name: misfit}
        relative = self.relative(model)
        for prior in self.unknown.velocity.prior:
            parts[prior.name] = prior(relative, self.start, self.modelling.grid.spacing)
        if self.unknown.weight:
            squares = torch.stack([parameter.square().sum() for parameter in self.unknown.parameters()])
            parts[CODE] = 0.5 * self.unknown.weight * squares.sum()
        residuals, residual = self._residuals(predicted.detach())
        total = torch.stack(list(parts.values())).sum()
        return Value(
            total, {k: float(v.detach()) for k, v in parts.items()}, predicted, residual, residuals, scales
        )

    def explained(self, model: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The misfit of a model `(grid.size,)`, its data scaled to the observed, and the scales."""
        predicted, scales = self.scaled(self.predicted(model))
        return self.misfit(predicted, self.observed, self.weights), predicted, scales

    def predicted(self, model: Tensor) -> Tensor:
        """Data of a model `(grid.size,)`, not yet scaled."""
        return self.modelling.predict(model)

    def parameters(self) -> list[Tensor]:
        """The parameters that may change: those of the unknown."""
        return list(self.unknown.parameters())

    def tensors(self) -> dict[str, Tensor]:
        """The tensors of a checkpoint besides the unknown."""
        return {}

    def restore(self, snapshot: Snapshot) -> None:
        """Restore them."""
        return

    def scaled(self, predicted: Tensor) -> tuple[Tensor, Tensor]:
        """Data times the scale of each shot (and frequency) that brings them closest to the observed, if unknown."""
        axes = self.survey.record.summed
        known = self.survey.wavelet is not None
        scales = scales_of(predicted, self.observed, self.weights, axes, known)
        return predicted * scales.reshape(*scales.shape, *(1,) * len(axes)), scales

    def fitted(self, forward: Forward) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Data and scales as `scaled` gives them, and the fields times their scale."""
        data, scales = (tensor.numpy() for tensor in self.scaled(torch.from_numpy(forward.data)))
        fields = forward.fields * scales[..., None, None] if len(forward.fields) else forward.fields
        return data, scales, fields

    def relative(self, model: Tensor) -> Tensor:
        """The part of a model `(grid.size,)` for priors: that in the region, `(nx, ny)`, in units of `reference`."""
        return model.reshape(tuple(self.modelling.grid.shape))[self._inner] / self.reference

    def _inner_points(self) -> np.ndarray:
        grid = self.modelling.grid
        return grid.points.reshape(*grid.shape, 2)[self._inner].reshape(-1, 2)

    def _residuals(self, predicted: Tensor) -> tuple[np.ndarray, float]:
        error = (self.weights * (predicted - self.observed).abs() ** 2).sum(dim=(-2, -1)).numpy()
        size = (self.weights * self.observed.abs() ** 2).sum(dim=(-2, -1)).numpy()
        return np.sqrt(error / size), float(np.sqrt(error.sum() / size.sum()))


def scales_of(
    predicted: Tensor, observed: Tensor, weights: Tensor, axes: tuple[int, ...], known: bool
) -> Tensor:
    """The factor of each shot (and frequency) that brings predicted data closest to the observed; 1 if that is known."""
    if known:
        return torch.ones(predicted.shape[: -len(axes)], dtype=predicted.dtype)
    above = (weights * predicted.conj() * observed).sum(dim=axes)
    below = (weights * predicted.conj() * predicted).sum(dim=axes)
    return above / below


def inner_nodes(modelling: Modelling, unknown: Parametrisation) -> tuple[slice, slice]:
    """The nodes in the region of the model, for priors."""
    lower, upper = unknown.domain.region.bounds
    slices = []
    for axis, low, high in zip(modelling.grid.axes, lower, upper, strict=True):
        slack = 1e-9 * (high - low)
        inside = np.flatnonzero((axis >= low - slack) & (axis <= high + slack))
        slices.append(slice(int(inside[0]), int(inside[-1]) + 1))
    return slices[0], slices[1]
