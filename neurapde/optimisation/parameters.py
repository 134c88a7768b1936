"""The parameters that a method moves, kept and put back, each by itself or all in one vector."""

from collections.abc import Sequence

import torch
from torch import Tensor


def copied(parameters: Sequence[Tensor]) -> list[Tensor]:
    """Their present values."""
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
    return [part.reshape(parameter.shape) for part, parameter in zip(parts, parameters, strict=True)]
