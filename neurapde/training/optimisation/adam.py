"""Adam and any other optimiser of `torch.optim`: each step takes a rate, and the state is tensors for a checkpoint.

Adam itself uses the function that `torch.optim.Adam` calls. The class would first import PyTorch's compiler, which
takes seconds and is not needed here.

Source: Kingma, Ba (2015), ICLR.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

import torch
from torch import Tensor
from torch.optim.adam import adam

from neurapde.core import checks
from neurapde.core.errors import DeclarationError

BETAS, SMALLEST = (0.9, 0.999), 1e-8
"""Decay of both moments, and the term added to the root of the second: PyTorch's defaults."""
MakeOptimizer = Callable[[Sequence[dict[str, Any]]], torch.optim.Optimizer]
"""A class of `torch.optim`, or a function of groups of parameters that makes an optimiser."""


class Steps(ABC):
    """Steps along the gradients that the parameters hold.

    factors: of the rate, for parameters with a different one.
    """

    def __init__(self, parameters: Sequence[Tensor], factors: Mapping[Tensor, float] | None = None) -> None:
        rates = factors or {}
        groups = groupby(parameters, lambda parameter: rates.get(parameter, 1.0))
        self.groups = [(factor, list(group)) for factor, group in groups]

    @abstractmethod
    def step(self, rate: float) -> None:
        """Take one step, and forget the gradients."""

    @property
    @abstractmethod
    def state(self) -> dict[int, dict[str, Tensor]]:
        """Tensors by name, for each parameter that has moved, by its number."""

    @abstractmethod
    def put(self, state: dict[int, dict[str, Tensor]]) -> None:
        """Go on from a state."""

    def tensors(self) -> dict[str, Tensor]:
        """The state of each parameter, Adam's moments and the steps that it has taken."""
        return {
            f"adam.{i}.{name}": tensor for i, parts in self.state.items() for name, tensor in parts.items()
        }

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """What `tensors` gave, among others."""
        state: dict[int, dict[str, Tensor]] = {}
        for key, tensor in tensors.items():
            if key.startswith("adam."):
                _, index, name = key.split(".")
                state.setdefault(int(index), {})[name] = tensor
        self.put(state)


class AdamSteps(Steps):
    """Adam's steps.

    unit: the size of a parameter. Rates and gradients are in this unit, because Adam has its own smallest size.
    """

    def __init__(
        self,
        parameters: Sequence[Tensor],
        unit: float = 1.0,
        *,
        factors: Mapping[Tensor, float] | None = None,
    ) -> None:
        super().__init__(parameters, factors)
        self._unit = unit
        self._state: dict[int, dict[str, Tensor]] = {}

    @torch.no_grad()
    def step(self, rate: float) -> None:
        first = 0
        for factor, group in self.groups:
            moving = {first + i: parameter for i, parameter in enumerate(group) if parameter.grad is not None}
            first += len(group)
            for index, parameter in moving.items():
                if self._unit != 1 and parameter.grad is not None:
                    parameter.grad.mul_(self._unit)
                if index not in self._state:
                    start = torch.zeros_like(parameter, memory_format=torch.preserve_format)
                    self._state[index] = {
                        "step": torch.zeros(()),
                        "exp_avg": start,
                        "exp_avg_sq": start.clone(),
                    }
            rows = [self._state[index] for index in moving]
            adam(
                list(moving.values()),
                [parameter.grad for parameter in moving.values() if parameter.grad is not None],
                [row["exp_avg"] for row in rows],
                [row["exp_avg_sq"] for row in rows],
                [],
                [row["step"] for row in rows],
                has_complex=any(parameter.is_complex() for parameter in moving.values()),
                amsgrad=False,
                beta1=BETAS[0],
                beta2=BETAS[1],
                lr=rate * factor * self._unit,
                weight_decay=0.0,
                eps=SMALLEST,
                maximize=False,
            )
            for parameter in group:
                parameter.grad = None

    @property
    def state(self) -> dict[int, dict[str, Tensor]]:
        return self._state

    def put(self, state: dict[int, dict[str, Tensor]]) -> None:
        parameters = [parameter for _, group in self.groups for parameter in group]
        self._state = {
            index: {
                name: tensor.clone() if name == "step" else tensor.to(parameters[index]).clone()
                for name, tensor in parts.items()
            }
            for index, parts in state.items()
        }


class TorchSteps(Steps):
    """The steps of an optimiser of `torch.optim`, or of one with the same interface."""

    def __init__(
        self,
        make: MakeOptimizer,
        parameters: Sequence[Tensor],
        *,
        factors: Mapping[Tensor, float] | None = None,
    ) -> None:
        super().__init__(parameters, factors)
        self._optimizer = make([{"params": group, "factor": factor} for factor, group in self.groups])
        if not isinstance(self._optimizer, torch.optim.Optimizer):
            raise DeclarationError(
                f"optimizer made {checks.shown(self._optimizer)} of the parameters; it must make a torch.optim.Optimizer, "
                "as torch.optim.RAdam does, or lambda groups: torch.optim.SGD(groups, momentum=0.9)."
            )

    def step(self, rate: float) -> None:
        for group in self._optimizer.param_groups:
            group["lr"] = rate * group["factor"]
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)

    @property
    def state(self) -> dict[int, dict[str, Tensor]]:
        state = self._optimizer.state_dict()["state"]
        return {
            index: {name: torch.as_tensor(tensor) for name, tensor in parts.items() if tensor is not None}
            for index, parts in state.items()
        }

    def put(self, state: dict[int, dict[str, Tensor]]) -> None:
        self._optimizer.load_state_dict({**self._optimizer.state_dict(), "state": state})


def checked_optimizer(make: object) -> None:
    """Refuse an argument that makes no gradient optimiser. Raises: DeclarationError."""
    if make is None:
        return
    if make is torch.optim.LBFGS:
        raise DeclarationError(
            "optimizer=torch.optim.LBFGS evaluates the loss several times a step; use method=npde.LBFGS(steps=…)."
        )
    if not callable(make):
        raise DeclarationError(
            f"optimizer={checks.shown(make)}: give a class such as torch.optim.RAdam, or a function of groups of "
            "parameters, as lambda groups: torch.optim.SGD(groups, momentum=0.9); None for Adam."
        )


def optimizer_name(make: MakeOptimizer) -> str:
    """The name of an optimiser in messages."""
    return make.__name__ if isinstance(make, type) else "a custom optimiser"
