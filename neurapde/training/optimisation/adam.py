"""Adam, its rate given at every step and its moments as tensors that a checkpoint can hold.

Source: Kingma, Ba (2015), ICLR.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby

import torch
from torch import Tensor


class AdamSteps:
    """Steps along the gradients that the parameters hold.

    unit: the size of a parameter; rates are in it, and so are gradients, beside which Adam has a smallest size of its own.
    factors: of the rate, for parameters that move at another one.
    """

    def __init__(
        self,
        parameters: Sequence[Tensor],
        unit: float = 1.0,
        *,
        factors: Mapping[Tensor, float] | None = None,
    ) -> None:
        own = factors or {}
        groups = groupby(parameters, lambda parameter: own.get(parameter, 1.0))
        self._optimizer = torch.optim.Adam(
            [{"params": list(group), "factor": factor} for factor, group in groups]
        )
        self._unit = unit

    def step(self, rate: float) -> None:
        """Take one step, and forget the gradients."""
        for group in self._optimizer.param_groups:
            group["lr"] = rate * group["factor"] * self._unit
            for parameter in group["params"] if self._unit != 1 else ():
                if parameter.grad is not None:
                    parameter.grad *= self._unit
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)

    def tensors(self) -> dict[str, Tensor]:
        """The moments of each parameter, and the steps that it has taken."""
        state = self._optimizer.state_dict()["state"]
        return {f"adam.{i}.{name}": part for i, parts in state.items() for name, part in parts.items()}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """What `tensors` gave, among others."""
        state: dict[int, dict[str, Tensor]] = {}
        for key, tensor in tensors.items():
            if key.startswith("adam."):
                _, index, name = key.split(".")
                state.setdefault(int(index), {})[name] = tensor
        self._optimizer.load_state_dict({**self._optimizer.state_dict(), "state": state})
