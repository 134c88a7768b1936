"""Gradient-based meta-learning: from its start a few gradient steps on the observations lead to the code."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from neurapde.core import checks
from neurapde.learning.batches import PointSets
from neurapde.learning.encoders.encoder import Conditioner, Encoder
from neurapde.learning.spaces import FunctionSpace
from neurapde.trials.base import Setting


@dataclass(frozen=True)
class MetaSGD(Encoder):
    """Codes by `steps` gradient steps with learned rates, one for each number of the code; training includes them.

    lr: the rates at the start. With `npde.Siren()` the code is all weights of the SIREN, with `npde.HyperSiren()` a latent
    one.
    Source: Li, Zhou, Chen, Li (2017), Meta-SGD, arXiv:1707.09835; Finn, Abbeel, Levine (2017), MAML, ICML; of SIRENs
    Sitzmann, Chan, Tucker, Snavely, Wetzstein (2020), MetaSDF, NeurIPS 33; of latent codes Zintgraf et al. (2019), CAVIA,
    ICML.
    """

    steps: int = 3
    lr: float = 1e-2

    own_values: ClassVar[bool] = True

    def __post_init__(self) -> None:
        checks.whole(self.steps, "steps")
        checks.amount(self.lr, "lr")

    def build(self, seen: Setting, space: FunctionSpace, fields: int) -> Conditioner:
        return _Steps(self, space.start(seen.generator).to(device=seen.device, dtype=seen.dtype))


class _Steps(Conditioner):
    def __init__(self, spec: MetaSGD, start: Tensor) -> None:
        super().__init__()
        self.steps = spec.steps
        self.start = torch.nn.Parameter(start)
        self.rates = torch.nn.Parameter(torch.full_like(start, spec.lr))

    def codes(self, seen: PointSets, space: FunctionSpace) -> Tensor:
        graph = torch.is_grad_enabled()
        with torch.enable_grad():
            codes = self.start.expand(len(seen.points), -1)
            if not graph:
                codes = codes.detach().requires_grad_()
            for _ in range(self.steps):
                error = (space.values(codes, seen.points) - seen.values).abs().square().mean(-1)
                (slope,) = torch.autograd.grad(
                    seen.mean(error.unsqueeze(-1)).sum(), codes, create_graph=graph
                )
                codes = codes - self.rates * slope
                if not graph:
                    codes = codes.detach().requires_grad_()
        return codes if graph else codes.detach()
