"""Activation functions and their first three derivatives, for the sweeps that carry derivatives through a
network.

Every activation here is a function whose second and third derivatives are cheap expressions in its value f
and slope f′, so a sweep stores two numbers per neuron and evaluates one transcendental pair. A layer computes
f(z) with z = ω(Wx + b); ω is 1 except for sines.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from neurapde.core import checks
from neurapde.core.errors import DeclarationError


@dataclass(frozen=True)
class Activation(ABC):
    """A scalar function f applied elementwise to scaled pre-activations z = ω(Wx + b)."""

    @property
    def omega(self) -> float:
        """The frequency ω by which a layer scales its pre-activations."""
        return 1.0

    @property
    def form(self) -> Activation:
        """The same f without its frequency, which layers put into their weights."""
        return self

    @abstractmethod
    def __call__(self, z: Tensor) -> Tensor:
        """The value f(z), differentiable by torch to any order."""

    @abstractmethod
    def value_and_slope(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """The pair (f(z), f′(z)) as new tensors."""

    @abstractmethod
    def second(self, value: Tensor, slope: Tensor) -> Tensor:
        """The second derivative f″ from the value and slope at the same z."""

    @abstractmethod
    def third(self, value: Tensor, slope: Tensor) -> Tensor:
        """The third derivative f‴ from the value and slope at the same z."""


@dataclass(frozen=True)
class Sine(Activation):
    """f(z) = sin z with z = frequency·(Wx + b), the activation of a SIREN.

    Source: Sitzmann, Martel, Bergman, Lindell, Wetzstein (2020), NeurIPS 33, equation 4 and section 3.2.
    """

    frequency: float = 30.0

    def __post_init__(self) -> None:
        frequency = self.frequency
        if (
            isinstance(frequency, bool)
            or not isinstance(frequency, int | float)
            or not 0 < frequency <= checks.LARGEST
        ):
            raise DeclarationError(
                f"the frequency of a sine layer is {checks.shown(frequency)}; "
                "it must be positive and finite (30 in the paper)."
            )

    @property
    def omega(self) -> float:
        return float(self.frequency)

    @property
    def form(self) -> Activation:
        return Sine(1.0)

    def __call__(self, z: Tensor) -> Tensor:
        return torch.sin(z)

    def value_and_slope(self, z: Tensor) -> tuple[Tensor, Tensor]:
        return torch.sin(z), torch.cos(z)

    def second(self, value: Tensor, slope: Tensor) -> Tensor:
        return -value

    def third(self, value: Tensor, slope: Tensor) -> Tensor:
        return -slope


@dataclass(frozen=True)
class Tanh(Activation):
    """f(z) = tanh z: f′ = 1 − f², f″ = −2ff′, f‴ = f′(4f² − 2f′)."""

    def __call__(self, z: Tensor) -> Tensor:
        return torch.tanh(z)

    def value_and_slope(self, z: Tensor) -> tuple[Tensor, Tensor]:
        value = torch.tanh(z)
        return value, 1.0 - value * value

    def second(self, value: Tensor, slope: Tensor) -> Tensor:
        return -2.0 * value * slope

    def third(self, value: Tensor, slope: Tensor) -> Tensor:
        return slope * (4.0 * value * value - 2.0 * slope)


@dataclass(frozen=True)
class Softplus(Activation):
    """f(z) = log(1 + eᶻ): f′ = σ, f″ = σ(1 − σ), f‴ = σ(1 − σ)(1 − 2σ), σ the logistic function."""

    def __call__(self, z: Tensor) -> Tensor:
        return torch.logaddexp(z, torch.zeros_like(z))

    def value_and_slope(self, z: Tensor) -> tuple[Tensor, Tensor]:
        return self(z), torch.sigmoid(z)

    def second(self, value: Tensor, slope: Tensor) -> Tensor:
        return slope * (1.0 - slope)

    def third(self, value: Tensor, slope: Tensor) -> Tensor:
        return slope * (1.0 - slope) * (1.0 - 2.0 * slope)


@dataclass(frozen=True)
class ReLU(Activation):
    """f(z) = max(z, 0).

    Its second derivative is zero wherever it exists, so no second-order PDE can be trained with it.
    """

    def __call__(self, z: Tensor) -> Tensor:
        return torch.relu(z)

    def value_and_slope(self, z: Tensor) -> tuple[Tensor, Tensor]:
        return torch.relu(z), (z > 0).to(z.dtype)

    def second(self, value: Tensor, slope: Tensor) -> Tensor:
        return torch.zeros_like(slope)

    def third(self, value: Tensor, slope: Tensor) -> Tensor:
        return torch.zeros_like(slope)


@dataclass(frozen=True)
class Sigmoid(Activation):
    """f(z) = 1/(1 + e⁻ᶻ): f′ = f(1 − f), f″ = f′(1 − 2f), f‴ = f′(1 − 6f′)."""

    def __call__(self, z: Tensor) -> Tensor:
        return torch.sigmoid(z)

    def value_and_slope(self, z: Tensor) -> tuple[Tensor, Tensor]:
        value = torch.sigmoid(z)
        return value, value * (1.0 - value)

    def second(self, value: Tensor, slope: Tensor) -> Tensor:
        return slope * (1.0 - 2.0 * value)

    def third(self, value: Tensor, slope: Tensor) -> Tensor:
        return slope * (1.0 - 6.0 * slope)


@dataclass(frozen=True)
class ELU(Activation):
    """f(z) = λz above zero and λα(eᶻ − 1) below, where all derivatives are λα eᶻ.

    Source: Clevert, Unterthiner, Hochreiter (2016), ICLR, with λ = α = 1; Klambauer et al. (2017), NeurIPS 30, for SELU.
    """

    scale: float = 1.0
    alpha: float = 1.0

    def __call__(self, z: Tensor) -> Tensor:
        below = self.alpha * torch.expm1(torch.clamp(z, max=0.0))
        return self.scale * torch.where(z > 0, z, below)

    def value_and_slope(self, z: Tensor) -> tuple[Tensor, Tensor]:
        value = self(z)
        return value, torch.where(z > 0, torch.full_like(z, self.scale), value + self.scale * self.alpha)

    def second(self, value: Tensor, slope: Tensor) -> Tensor:
        return torch.where(value > 0, torch.zeros_like(slope), slope)

    def third(self, value: Tensor, slope: Tensor) -> Tensor:
        return self.second(value, slope)


SELU = ELU(1.0507009873554805, 1.6732632423543772)
"""The activation that keeps normal numbers normal from layer to layer."""
