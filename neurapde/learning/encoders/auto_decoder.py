"""The auto-decoder: each field of the data set has a code, trained with the network; new codes are solved for."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from neurapde.core import checks
from neurapde.learning.batches import PointSets
from neurapde.learning.codes import whitened
from neurapde.learning.encoders.encoder import Conditioner, Encoder
from neurapde.learning.spaces import FunctionSpace
from neurapde.trials.base import Setting


@dataclass(frozen=True)
class AutoDecoder(Encoder):
    """Codes are parameters in training, and afterwards the most likely ones for the observations.

    steps: largest number of Levenberg–Marquardt steps. noise: deviation of the observations from the family's fields,
    in standard deviations of the data. The larger it is, the more the prior counts: the normal distribution of the
    data set's codes.
    Source: Park, Florence, Straub, Newcombe, Lovegrove (2019), DeepSDF, CVPR, section 4; the second-order solve is
    ours.
    """

    steps: int = 20
    noise: float = 0.1

    own_values: ClassVar[bool] = True

    def __post_init__(self) -> None:
        checks.whole(self.steps, "steps")
        checks.amount(self.noise, "noise")

    def build(self, seen: Setting, space: FunctionSpace, fields: int) -> Conditioner:
        table = torch.empty((fields, space.latent), dtype=torch.float64, device=seen.generator.device)
        table.normal_(0.0, 1 / math.sqrt(space.latent), generator=seen.generator)
        return _Table(self, table.to(device=seen.device, dtype=seen.dtype))


class _Table(Conditioner):
    def __init__(self, spec: AutoDecoder, table: Tensor) -> None:
        super().__init__()
        self.spec = spec
        self.table = torch.nn.Parameter(table)

    def trained(self, indices: Tensor, seen: PointSets, space: FunctionSpace) -> Tensor:
        return self.table[indices]

    @property
    def known(self) -> Tensor:
        return self.table.detach()

    def codes(self, seen: PointSets, space: FunctionSpace) -> Tensor:
        mean, spread = whitened(self.table.detach())
        if not spread.shape[1]:  # one field, one code
            return mean.expand(len(seen.points), -1)
        return torch.stack(
            [mean + spread @ self._solve(seen, k, space, mean, spread) for k in range(len(seen.points))]
        )

    def _solve(self, seen: PointSets, k: int, space: FunctionSpace, mean: Tensor, spread: Tensor) -> Tensor:
        """The most likely whitened code y: least |f(y) − v|²/noise² + |y|², by damped Gauss–Newton steps."""
        here = seen.present[k] > 0
        points, wanted = seen.points[k][here], seen.features[k][here].flatten() / self.spec.noise

        def residual(y: Tensor) -> Tensor:
            field = space.values((mean + spread @ y).unsqueeze(0), points)[0]
            real = torch.view_as_real(field) if field.is_complex() else field
            return torch.cat((real.flatten() / self.spec.noise - wanted, y))

        jacobian = torch.func.jacfwd(residual)
        y, damping = mean.new_zeros(spread.shape[1]), 1.0
        r = residual(y)
        for _ in range(self.spec.steps):
            J = jacobian(y)
            normal, pull = J.T @ J, J.T @ r
            step = torch.linalg.solve(normal + damping * torch.eye(len(y)).to(normal), pull)
            tried = residual(y - step)
            if tried.square().sum() < r.square().sum():
                gained = 1 - tried.square().sum() / r.square().sum()
                y, r, damping = y - step, tried, damping / 4
                if gained < 1e-4:
                    break
            else:
                damping *= 4
        return y
