"""The parameters that a method moves: copies, restored values, and all of them in one vector."""

from collections.abc import Sequence

import torch
from torch import Tensor

from neurapde.core.errors import DeclarationError
from neurapde.trials.base import TrialFunction


def trainable(trial: TrialFunction) -> list[Tensor]:
    """The trainable parameters of a trial function. Raises: DeclarationError if there are none."""
    trained: list[Tensor] = [parameter for parameter in trial.parameters() if parameter.requires_grad]
    if not trained:
        raise DeclarationError(
            f"{trial.spec} has no trainable parameters; give another trial, for example npde.Siren()."
        )
    return trained


def copied(parameters: Sequence[Tensor]) -> list[Tensor]:
    """Copies of their present values."""
    return [parameter.detach().clone() for parameter in parameters]


def put(parameters: Sequence[Tensor], values: Sequence[Tensor]) -> None:
    """Give parameters these values."""
    with torch.no_grad():
        for parameter, value in zip(parameters, values, strict=True):
            parameter.copy_(value)


def flat(parameters: Sequence[Tensor]) -> Tensor:
    """All values in one vector `(p,)`."""
    return torch.cat([parameter.detach().ravel() for parameter in parameters])


def shaped(vector: Tensor, parameters: Sequence[Tensor]) -> list[Tensor]:
    """A vector `(p,)` in parts of the parameters' shapes."""
    parts = torch.split(vector, [parameter.numel() for parameter in parameters])
    return [vector.reshape(parameter.shape) for vector, parameter in zip(parts, parameters, strict=True)]
