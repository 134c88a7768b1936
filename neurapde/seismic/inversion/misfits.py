"""How far predicted data are from observed ones: functionals of two arrays, differentiable by torch.

Each is a mean over the frequencies (of traces: over the shots) of a sum over all that was recorded, divided by the same
sum for data of zero: 1 means that nothing is explained. The factor ½ of least squares is included, so a relative residual
r of every frequency gives r²/2.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from neurapde.core import checks
from neurapde.core.declaration import Declaration


@dataclass(frozen=True)
class Misfit(Declaration, ABC):
    """A distance of data; `weights` (0 where nothing was recorded) broadcast against the data."""

    @property
    def name(self) -> str:
        """Its name in losses, history and report."""
        return f"{type(self).__name__} misfit"

    @abstractmethod
    def __call__(self, predicted: Tensor, observed: Tensor, weights: Tensor) -> Tensor:
        """The misfit, a scalar.

        predicted, observed: complex `(frequencies, shots, receivers)` or real `(shots, receivers, samples)`.
        """


@dataclass(frozen=True)
class L2(Misfit):
    """½ Σ w |p − d|² / Σ w |d|²: least squares, right for Gaussian noise."""

    def __call__(self, predicted: Tensor, observed: Tensor, weights: Tensor) -> Tensor:
        residual = weights * _square(predicted - observed)
        return 0.5 * _mean_ratio(residual, weights * _square(observed))


@dataclass(frozen=True)
class L1(Misfit):
    """Σ w |p − d| / Σ w |d|: outliers count once. Rounded off below `rounding` of the mean amplitude."""

    rounding: float = 1e-3

    def __post_init__(self) -> None:
        object.__setattr__(self, "rounding", checks.positive(self.rounding, "rounding of L1"))

    def __call__(self, predicted: Tensor, observed: Tensor, weights: Tensor) -> Tensor:
        size = self.rounding * _mean_amplitude(observed, weights)
        absolute = torch.sqrt(_square(predicted - observed) + size**2) - size
        return _mean_ratio(weights * absolute, weights * torch.sqrt(_square(observed)))


@dataclass(frozen=True)
class Huber(Misfit):
    """Least squares for residuals below `threshold` of the mean amplitude, absolute values above it."""

    threshold: float = 0.1

    def __post_init__(self) -> None:
        object.__setattr__(self, "threshold", checks.positive(self.threshold, "threshold of Huber"))

    def __call__(self, predicted: Tensor, observed: Tensor, weights: Tensor) -> Tensor:
        limit = self.threshold * _mean_amplitude(observed, weights)
        square = _square(predicted - observed)
        absolute = torch.sqrt(torch.maximum(square, limit**2))
        loss = torch.where(square <= limit**2, 0.5 * square, limit * (absolute - 0.5 * limit))
        return _mean_ratio(weights * loss, weights * _square(observed))


@dataclass(frozen=True)
class PhaseOnly(Misfit):
    """½ Σ w |p/|p| − d/|d||² / Σ w: amplitudes, which attenuation and coupling spoil, do not count. Spectra only."""

    def __call__(self, predicted: Tensor, observed: Tensor, weights: Tensor) -> Tensor:
        tiny = 1e-9 * _mean_amplitude(observed, weights)
        residual = _square(_phase(predicted, tiny) - _phase(observed, tiny))
        return 0.5 * _mean_ratio(weights * residual, (weights + 0 * residual))


def _phase(data: Tensor, tiny: Tensor) -> Tensor:
    return data / torch.sqrt(_square(data) + tiny**2)


def _square(data: Tensor) -> Tensor:
    return data.real**2 + data.imag**2 if data.is_complex() else data**2


def _mean_amplitude(observed: Tensor, weights: Tensor) -> Tensor:
    size = (weights * _square(observed)).sum(dim=(-2, -1), keepdim=True)
    count = ((weights > 0) * torch.ones_like(observed.real if observed.is_complex() else observed)).sum(
        dim=(-2, -1), keepdim=True
    )
    return torch.sqrt(size / count.clamp(min=1))


def _mean_ratio(above: Tensor, below: Tensor) -> Tensor:
    """The mean over the first axis (frequencies, or the shots of traces) of Σ above / Σ below."""
    return (above.sum(dim=(-2, -1)) / below.sum(dim=(-2, -1))).mean()
