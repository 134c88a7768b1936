"""What an encoder is: a declaration, and the module it builds, which maps observations of fields to their codes."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from neurapde.core.declaration import Declaration
from neurapde.learning.batches import PointSets
from neurapde.learning.spaces import FunctionSpace
from neurapde.trials.base import Setting


class Conditioner(torch.nn.Module, ABC):
    """Observations of fields to codes."""

    @abstractmethod
    def codes(self, seen: PointSets, space: FunctionSpace) -> Tensor:
        """The codes (fields, latent) of fields with the observations `seen`, whose values are normalised."""

    def trained(self, indices: Tensor, seen: PointSets, space: FunctionSpace) -> Tensor:
        """The codes of fields of the data set during training, with a graph; indices: their numbers."""
        return self.codes(seen, space)

    @property
    def known(self) -> Tensor | None:
        """The codes (fields, latent) of the whole data set, where they are parameters."""
        return None


@dataclass(frozen=True)
class Encoder(Declaration, ABC):
    """How fields are conditioned on observations."""

    own_values: ClassVar[bool] = False
    """Whether the observations must be the field's own values."""

    @abstractmethod
    def build(self, seen: Setting, space: FunctionSpace, fields: int) -> Conditioner:
        """The module with drawn parameters, for a data set with this number of fields.

        seen: the observations of each; its outputs are the components of a value.
        """


@dataclass(frozen=True)
class MeanField(Encoder):
    """No code: the single field nearest to all of them. A baseline."""

    def build(self, seen: Setting, space: FunctionSpace, fields: int) -> Conditioner:
        return _Zero(space.latent)


class _Zero(Conditioner):
    def __init__(self, latent: int) -> None:
        super().__init__()
        self.latent = latent

    def codes(self, seen: PointSets, space: FunctionSpace) -> Tensor:
        return seen.points.new_zeros(len(seen.points), self.latent)
