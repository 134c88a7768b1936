"""Misfits of predicted and observed data: functionals of two arrays, differentiable by torch.

Each is a mean over the frequencies (for traces, over the shots) of a sum over all recorded data, divided by the same
sum for zero data: 1 means that nothing is explained. Least squares have the factor ½, so a relative residual r of
every frequency gives r²/2.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from neurapde.core import checks
from neurapde.core.declaration import Declaration


@dataclass(frozen=True)
class Misfit(Declaration, ABC):
    """A distance of data; `weights` (0 without a record) broadcast against the data.

    of: the kind of survey that it is for, `frequency` or `time`; None for both.
    """

    of: ClassVar[str | None] = None

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
    """Σ w |p − d| / Σ w |d|: outliers count linearly. Smooth below `rounding` of the mean amplitude."""

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
    """½ Σ w |p/|p| − d/|d||² / Σ w: amplitudes do not count, because attenuation and coupling change them. Spectra only."""

    of: ClassVar[str | None] = "frequency"

    def __call__(self, predicted: Tensor, observed: Tensor, weights: Tensor) -> Tensor:
        tiny = 1e-9 * _mean_amplitude(observed, weights)
        residual = _square(_phase(predicted, tiny) - _phase(observed, tiny))
        return 0.5 * _mean_ratio(weights * residual, (weights + 0 * residual))


@dataclass(frozen=True)
class Correlation(Misfit):
    """½ Σ |p/‖p‖ − d/‖d‖|², 1 minus the correlation of each trace: trace amplitudes do not count. Traces in time only.

    Source: Choi and Alkhalifah (2012), Geophys. Prospecting 60(4).
    """

    of: ClassVar[str | None] = "time"

    def __call__(self, predicted: Tensor, observed: Tensor, weights: Tensor) -> Tensor:
        modelled, there = (_unit(torch.sqrt(weights) * data) for data in (predicted, observed))
        return 0.5 * _mean_ratio(_square(modelled - there), _square(there))


@dataclass(frozen=True)
class Envelope(Misfit):
    """½ Σ |E(p) − E(d)|² / Σ E(d)², E the envelope of a weighted trace: without cycles, none is skipped. Traces in
    time only.

    It compares arrival times that differ by up to the length of the wavelet, and ignores polarity.

    Source: Wu, Luo, Wu (2014), Geophysics 79(3).
    """

    of: ClassVar[str | None] = "time"

    def __call__(self, predicted: Tensor, observed: Tensor, weights: Tensor) -> Tensor:
        modelled, there = (_envelope(torch.sqrt(weights) * data) for data in (predicted, observed))
        return 0.5 * _mean_ratio(_square(modelled - there), _square(there))


@dataclass(frozen=True)
class Transport(Misfit):
    """½ W₂² / σ²: optimal transport in time of a trace's energy to the observed one, of variance σ² in time.

    The energy is the squared envelope, normalised: a pulse with the delay τ costs ½ τ²/σ² for any τ. Every live trace
    counts the same. Traces in time only.

    floor: added to the energies, as a fraction of their mean, so that times between pulses have some energy.
    Source: Engquist and Froese (2014), Commun. Math. Sci. 12(5), who use the trace instead of its energy.
    """

    floor: float = 0.01

    of: ClassVar[str | None] = "time"

    def __post_init__(self) -> None:
        object.__setattr__(self, "floor", checks.positive(self.floor, "floor of Transport"))

    def __call__(self, predicted: Tensor, observed: Tensor, weights: Tensor) -> Tensor:
        live = (weights * observed**2).sum(dim=-1) > 0
        places = [
            _quantiles(self._energy((torch.sqrt(weights) * data)[live])) for data in (predicted, observed)
        ]
        return 0.5 * ((places[0] - places[1]) ** 2).mean() / places[1].var(dim=-1).mean()

    def _energy(self, traces: Tensor) -> Tensor:
        energy = _envelope(traces) ** 2
        mean = energy.mean(dim=-1, keepdim=True)
        return energy + self.floor * mean + TINY


TINY = 1e-300
"""Added where a trace may be all zero."""


def _quantiles(density: Tensor) -> Tensor:
    """The quantiles in [0, 1], in equal steps, of densities `(n, T)` on cells of equal width."""
    whole = torch.cumsum(density, dim=-1)
    count = density.shape[-1]
    edges = torch.cat([torch.zeros_like(whole[..., :1]), whole / whole[..., -1:]], dim=-1)
    wanted = ((torch.arange(count, dtype=density.dtype) + 0.5) / count).expand(density.shape).contiguous()
    right = torch.searchsorted(edges.detach().contiguous(), wanted).clamp(1, count)
    below, above = edges.gather(-1, right - 1), edges.gather(-1, right)
    return (right - 1 + (wanted - below) / (above - below)) / count


def _envelope(traces: Tensor) -> Tensor:
    """|u + iH u| of real traces along the last axis, H the Hilbert transform; smoothed at zero."""
    count = traces.shape[-1]
    padded = torch.fft.fft(traces, 2 * count)
    step = torch.zeros(2 * count, dtype=traces.dtype)
    step[0], step[1:count], step[count] = 1.0, 2.0, 1.0
    analytic = torch.fft.ifft(padded * step)[..., :count]
    size = _square(analytic)
    return torch.sqrt(size + 1e-12 * size.detach().amax(dim=-1, keepdim=True) + TINY)


def _unit(traces: Tensor) -> Tensor:
    return traces / torch.sqrt((traces**2).sum(dim=-1, keepdim=True) + TINY)


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
