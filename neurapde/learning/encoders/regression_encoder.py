"""The regression encoder: learned features fit the observations, and a network reads the coefficients of the fit."""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from neurapde.core import checks
from neurapde.learning.batches import PointSets
from neurapde.learning.encoders.encoder import Conditioner, Encoder
from neurapde.learning.encoders.set_encoder import relu_layers
from neurapde.learning.spaces import FunctionSpace
from neurapde.trials.base import Setting
from neurapde.trials.networks.layered import LayeredTrial
from neurapde.trials.networks.siren import Siren

NOISE = 0.01
"""Variance of the observations about the features, in variances of the data."""


@dataclass(frozen=True)
class RegressionEncoder(Encoder):
    """z = ρ(c) with c = argmin Σ |φ(x)·c − v|² / 0.01 + Σ (c_j / s_j)², solved exactly; φ, s and ρ are learned.

    features: components of φ, the second layer of a SIREN. omega: of its layers. width: neurons of ρ.

    Unlike a mean over points, the fit does not depend on their density, and with many points it is exact. With linear
    ρ and linear fields it is kriging with a learned covariance.
    Source: Bertinetto, Henriques, Torr, Vedaldi (2019), Meta-learning with differentiable closed-form solvers, ICLR,
    for the ridge regression in a learned feature space; the code from its coefficients is ours.
    """

    features: int = 64
    omega: float = 10.0
    width: int = 256

    def __post_init__(self) -> None:
        for name in ("features", "width"):
            checks.whole(getattr(self, name), name)
        checks.amount(self.omega, "omega")

    def build(self, seen: Setting, space: FunctionSpace, fields: int) -> Conditioner:
        basis = Siren(self.features, 1, self.omega, self.omega).draw(seen)
        for parameter in basis.head.parameters():
            parameter.requires_grad_(False)
        return _Regression(basis, relu_layers([self.features * seen.rows, self.width, space.latent], seen))


class _Regression(Conditioner):
    """spread: log s_j."""

    def __init__(self, basis: LayeredTrial, after: torch.nn.Sequential) -> None:
        super().__init__()
        self.basis, self.after = basis, after
        self.spread = torch.nn.Parameter(basis.head.weight.new_zeros(basis.head.in_features))

    def codes(self, seen: PointSets, space: FunctionSpace) -> Tensor:
        fields, count = seen.present.shape
        phi = self.basis.features(seen.points.flatten(0, 1)).reshape(fields, count, -1)
        phi = phi * (self.spread.exp() * seen.present.unsqueeze(-1))
        turned = phi.transpose(1, 2)
        normal = turned @ phi + NOISE * torch.eye(phi.shape[-1]).to(phi)
        solution = torch.cholesky_solve(turned @ seen.features, torch.linalg.cholesky(normal))
        return cast(Tensor, self.after(solution.flatten(1)))
